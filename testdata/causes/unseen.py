"""Machines of which a part could not be seen: what is missing neither passes nor fails."""

from cases import A, B, B_BOUND, B_LATE, B_PATH, C, fault, neighbour

OF_THE_PROCESS = ["VG302", "VG303", "VG304", "VG305", "VG306", "VG308"]
OF_THE_FILES = ["VG401", "VG402", "VG403", "VG404", "VG405", "VG406", "VG407", "VG408", "VG409",
                "VG410", "VG412", "VG415", "VG418", "VG501", "VG502", "VG504", "VG505", "VG511",
                "VG514"]


def _without_root(h):
    for name in ("environ", "maps", "exe", "auxv", "cwd", "root"):
        path = "/proc/%d/%s" % (h.pid, name)
        h.omitted.add(path)
        h.not_observed.append({"path": path, "reason": "permission denied"})


@neighbour("VG303", B, C, B_BOUND, A, never=OF_THE_PROCESS)
def process_closed_and_gpu_found(h):
    """The capture was made without root; the log says that the GPU was found."""
    _without_root(h)


@fault("VG704", B, B_PATH, C, consequences=[], touches=["outcome"], never=OF_THE_PROCESS,
       not_observed_has=["environ"])
def process_closed_and_no_gpu(h):
    """The capture was made without root; the log says CPU, and nothing that was seen explains
    it."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"
    _without_root(h)
    h.lose()


@fault("VG704", B, C, consequences=[], touches=["outcome"], never=OF_THE_FILES)
def no_elf_facts(h):
    """The capture has no ELF facts; the log says CPU."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"
    for entry in h.files.values():
        entry.pop("elf", None)
    h.lose()


@neighbour("VG704", B, B_LATE, C, verdict="inconclusive", may=["VG705"])
def no_journal(h):
    """The capture has no journal, and the machine no fault that shows elsewhere."""
    h.omitted.add("/.vgpu-capture/journal/%s.jsonl" % h.unit)
    h.ps = None
