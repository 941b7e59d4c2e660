"""5xx: Ollama's libraries."""

import copy

import elf_facts
import host as model
import ollama_log
from cases import (A, A_OLD, A_PATH, A_REAL, B, B_BOUND, B_DEBUG, B_LATE, B_PATH, B_REAL, C,
                   C_BOUND, C_PATH, C_REAL, fault, neighbour)

# One variant is asked for, so that what is wrong with the other has no part in it.
B_ONE = dict(B, llm_library="cuda_v12")
C_ONE = dict(C, llm_library="cuda_v12")
LATE_ONE = dict(B_LATE, llm_library="cuda_v12")


def _alone(h):
    """Leaves cuda_v12 as the only CUDA variant."""
    for name in ("cuda_v11", "cuda_v13"):
        h.remove(h.ollama_lib + "/" + name)


@fault("VG501", B, B_LATE, B_REAL, may=["VG502", "VG508"], touches=["lib"],
       never=["VG504"])
def no_library_directory(h):
    """The program was copied alone: there is no lib/ollama."""
    h.remove(h.ollama_lib)
    h.lose()


@fault("VG501", C, may=["VG502"], touches=["lib"])
def no_library_directory_for_llama_server(h):
    """There is no lib/ollama, and so no llama-server."""
    h.remove(h.ollama_lib)
    h.say('msg="failure during llama-server GPU discovery" OLLAMA_LIBRARY_PATH="[%s]" '
          'extra_envs=map[] error="llama-server binary not found (checked: %s/llama-server)"' %
          (h.prefix + "/bin", h.prefix + "/bin"), source="runner.go:522")
    h.lose()


@fault("VG501", A, A_OLD, consequences=[], may=["VG502", "VG902"], touches=["lib"],
       never=["VG704"])
def no_library_directory_beside_the_line(h):
    """The server found the GPU by itself; the runner of a model will have no backend."""
    h.remove(h.ollama_lib)


@neighbour("VG501", B_REAL, C_REAL)
def nothing_of_the_installation_was_captured(h):
    """The capture has neither the program that runs nor its libraries; the GPU was found."""
    h.remove(h.program, h.ollama_lib)
    h.installation_captured = False


@neighbour("VG501", B, C)
def library_directory_is_a_link(h):
    """lib/ollama is a link to another disk."""
    for path in [p for p in h.files if p == h.ollama_lib or p.startswith(h.ollama_lib + "/")]:
        entry = h.files.pop(path)
        entry["path"] = path.replace(h.ollama_lib, "/srv/ollama-lib")
        h.files[entry["path"]] = entry
    h.add("/srv", "dir")
    h.link(h.ollama_lib, "/srv/ollama-lib")


def _no_variants(h):
    for name in ("cuda_v11", "cuda_v12", "cuda_v13"):
        h.remove(h.ollama_lib + "/" + name)


@fault("VG502", B, B_REAL, C, C_REAL, touches=["variant"], never=["VG501"])
def package_without_cuda(h):
    """The distribution's package has no CUDA variant."""
    _no_variants(h)
    h.lose()


@fault("VG502", A, A_REAL, consequences=[], may=["VG902"], touches=["variant"], never=["VG704"])
def package_without_cuda_beside_the_line(h):
    """The server found the GPU by itself; no variant is installed for the runner of a model."""
    _no_variants(h)


@fault("VG502", B_LATE, may=["VG503"], touches=["variant"])
def copy_at_the_top_level(h):
    """The backend lies at the top level of the library directory, where it makes no variant."""
    entry = copy.deepcopy(h.files[h.variant_dir + "/libggml-cuda.so"])
    _no_variants(h)
    h.library(h.ollama_lib + "/libggml-cuda.so", entry["elf"], entry["size"])
    h.lose()


@neighbour("VG502", B, C_PATH, B_REAL)
def one_variant_is_enough(h):
    """Only cuda_v12 is installed."""
    _alone(h)


@neighbour("VG502", B)
def link_at_the_top_level_besides(h):
    """A link at the top level stands beside the variant that works: it does nothing."""
    h.link(h.ollama_lib + "/libggml-cuda.so", "cuda_v12/libggml-cuda.so")


@fault("VG503", B_ONE, C_ONE, may=["VG502", "VG504"], touches=["variant"])
def backend_link_dangles(h):
    """The backend is a link into a build directory that was cleaned."""
    h.remove(h.variant_dir + "/libggml-cuda.so")
    h.link(h.variant_dir + "/libggml-cuda.so", "/home/operator/build/lib/libggml-cuda.so")
    h.lose()


@fault("VG503", LATE_ONE, B_DEBUG, may=["VG504"], touches=["variant.cublas"])
def cublas_link_dangles(h):
    """libcublas.so.12 beside the backend is a link to a file that is gone."""
    h.remove(h.variant_dir + "/libcublas.so.12.8.90")
    h.lose()


@neighbour("VG503", B_ONE, C_ONE)
def backend_is_a_good_link(h):
    """The backend is a link to a file on another disk, and it is there."""
    elf = h.files[h.variant_dir + "/libggml-cuda.so"]["elf"]
    h.remove(h.variant_dir + "/libggml-cuda.so")
    h.library("/srv/backends/libggml-cuda.so", elf, 187128056)
    h.link(h.variant_dir + "/libggml-cuda.so", "/srv/backends/libggml-cuda.so")


@fault("VG504", B_ONE, C_ONE, B_PATH, touches=["variant.cublas"], says=["libcublasLt.so.12"])
def cublas_lt_is_gone(h):
    """libcublasLt was deleted to save space; cuBLAS needs it."""
    h.remove(h.variant_dir + "/libcublasLt.so.12", h.variant_dir + "/libcublasLt.so.12.8.90")
    h.lose()


@fault("VG504", LATE_ONE, touches=["lib"], may=["VG508", "VG514"], says=["libggml-base.so.0"])
def ggml_base_is_gone(h):
    """libggml-base.so.0 was removed from the library directory."""
    h.remove(h.ollama_lib + "/libggml-base.so.0", h.ollama_lib + "/libggml-base.so.0.0.0",
             h.ollama_lib + "/libggml-base.so")
    h.lose()


@fault("VG504", B_REAL, C_REAL, may=["VG601", "VG606"], touches=["driver"], says=["libcuda.so.1"])
def driver_library_is_gone(h):
    """NVIDIA's kernel module is loaded; the package with libcuda.so.1 was removed."""
    h.remove(*["%s/%s" % (model.LIBDIR, name) for name in (
        "libcuda.so", "libcuda.so.1", "libcuda.so." + model.RELEASE)])
    h.lose()


@neighbour("VG504", B_ONE, C_ONE)
def cublas_from_the_toolkit(h):
    """cuBLAS is not beside the backend and is found in a default directory."""
    for name in ("libcublas.so.12", "libcublas.so.12.8.90", "libcublasLt.so.12",
                 "libcublasLt.so.12.8.90"):
        entry = h.files.pop(h.variant_dir + "/" + name)
        entry["path"] = model.LIBDIR + "/" + name
        h.files[entry["path"]] = entry


def _wants(h, file, version):
    elf = copy.deepcopy(h.files[h.variant_dir + "/libggml-cuda.so"]["elf"])
    elf["version_needs"].append({"file": file, "versions": [version]})
    h.files[h.variant_dir + "/libggml-cuda.so"]["elf"] = elf


@fault("VG505", B_ONE, C_ONE, touches=["variant.backend"], says=["GLIBC_2.38"])
def backend_for_a_newer_system(h):
    """The backend was built where glibc is 2.38; here it is 2.36. Nothing is logged."""
    _wants(h, "libc.so.6", "GLIBC_2.38")
    h.lose()


@fault("VG505", LATE_ONE, B_PATH, touches=["variant.backend"], says=["GLIBCXX_3.4.32"])
def backend_for_a_newer_libstdcxx(h):
    """The backend wants a libstdc++ that is newer than the one here."""
    h.files[model.LIBDIR + "/libstdc++.so.6"]["elf"]["version_defs"] = [
        "GLIBCXX_3.4", "GLIBCXX_3.4.29", "GLIBCXX_3.4.30", "CXXABI_1.3.13"]
    _wants(h, "libstdc++.so.6", "GLIBCXX_3.4.32")
    h.lose()


@neighbour("VG505", B_ONE, C_ONE)
def weak_symbol(h):
    """The backend has a weak reference that nobody defines: it may stay empty."""
    elf = copy.deepcopy(h.files[h.variant_dir + "/libggml-cuda.so"]["elf"])
    elf["undefined"].append({"name": "__gmon_start__", "version": None, "weak": True})
    h.files[h.variant_dir + "/libggml-cuda.so"]["elf"] = elf


@fault("VG506", B, B_REAL, C_PATH, C_REAL, touches=["llm"])
def variant_of_old(h):
    """OLLAMA_LLM_LIBRARY still names cuda_v11, which is not installed: every variant is
    skipped."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v11"
    h.lose()


@fault("VG506", B_DEBUG, touches=["llm"])
def variant_misspelt(h):
    """OLLAMA_LLM_LIBRARY is cuda12."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda12"
    for name in ("cuda_v12", "cuda_v13", "vulkan"):
        h.say("msg=\"skipping available library at user's request\" requested=cuda12 libDir=%s/%s" %
              (h.ollama_lib, name), "DEBUG", "runner.go:98")
    h.lose()


@neighbour("VG506", B_DEBUG, never_says=["skipping available library at user's request\" is"])
def others_are_skipped(h):
    """cuda_v12 is asked for and the others are skipped: as it should be."""
    for name in ("cuda_v13", "vulkan"):
        h.say("msg=\"skipping available library at user's request\" requested=cuda_v12 "
              "libDir=%s/%s" % (h.ollama_lib, name), "DEBUG", "runner.go:98")


@neighbour("VG506", A)
def era_a_does_not_ask_at_discovery(h):
    """Era A reads OLLAMA_LLM_LIBRARY when it loads a model; it names a variant that is there."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"


@fault("VG507", B, B_LATE, B_REAL, C, C_REAL, touches=["visible"])
def hidden_by_minus_one(h):
    """The unit sets CUDA_VISIBLE_DEVICES to -1."""
    h.env["CUDA_VISIBLE_DEVICES"] = "-1"
    h.lose()


@fault("VG507", B_DEBUG, B_BOUND, touches=["visible"], confidence={"VG507": ["certain", "likely"]})
def hidden_by_an_old_uuid(h):
    """CUDA_VISIBLE_DEVICES names a device that was taken out of the machine."""
    h.env["CUDA_VISIBLE_DEVICES"] = "GPU-0a1b2c3d-1111-2222-3333-444455556666"
    h.lose()


@fault("VG507", A_REAL, B_PATH, touches=["visible"], may=["VG707"])
def hidden_by_nothing(h):
    """CUDA_VISIBLE_DEVICES is set to the empty word, which hides every device."""
    h.env["CUDA_VISIBLE_DEVICES"] = ""
    if h.era == "A" and not h.discovery_lines:
        h.say('msg="no nvidia devices detected by library %s/libcuda.so.%s"' %
              (model.LIBDIR, model.RELEASE), source="gpu.go:621")
    h.lose()


@neighbour("VG507", B, C, B_REAL)
def the_first_device(h):
    """CUDA_VISIBLE_DEVICES is 0: the one device that there is."""
    h.env["CUDA_VISIBLE_DEVICES"] = "0"


@fault("VG508", B, LATE_ONE, may=["VG501", "VG502", "VG509"], touches=["lib", "variant"])
def two_installations(h):
    """A program of the distribution runs, whose directory has no CUDA; an installation by script
    has the backends, in another directory."""
    other = "/usr/lib/ollama" if h.prefix == "/usr/local" else "/usr/local/lib/ollama"
    for path in [p for p in h.files if p.startswith(h.variant_dir + "/")]:
        entry = dict(h.files[path])
        entry.pop("path")
        h.add(path.replace(h.ollama_lib, other), entry.pop("type"), **entry)
    binary = _program_of(other)
    h.library(binary, elf_facts.ollama("0.13.5"), 38700000)
    _no_variants(h)
    h.lose()


def _program_of(lib):
    return lib.replace("/lib/ollama", "/bin/ollama")


@fault("VG508", C_ONE, may=["VG502", "VG501", "VG509"], touches=["lib", "variant"])
def two_installations_of_two_releases(h):
    """0.33.0 came as a package without CUDA; 0.24.0 by script is still there with its backends."""
    two_installations(h)
    h.files["/usr/bin/ollama"]["elf"] = elf_facts.ollama("0.24.0")


@neighbour("VG508", B, C_ONE)
def a_link_is_no_second_installation(h):
    """/usr/bin/ollama is a link to the program that runs."""
    h.link("/usr/bin/ollama", h.program)


def _relocate(h, where):
    entry = dict(h.files[h.program])
    entry.pop("path")
    h.remove(h.program)
    h.program = where
    h.add(where, entry.pop("type"), **entry)
    h.exec_start = where + " serve"
    return h.lose()


@fault("VG509", B, LATE_ONE, C_ONE, may=["VG501", "VG502", "VG508"], touches=["program", "lib"])
def program_moved(h):
    """The program was moved to /opt/tools; its libraries stayed."""
    _relocate(h, "/opt/tools/ollama")
    h.ollama_lib = "/opt/tools"
    if h.era == "C":
        h.say('msg="failure during llama-server GPU discovery" OLLAMA_LIBRARY_PATH="[/opt/tools]" '
              'extra_envs=map[] error="llama-server binary not found (checked: '
              '/opt/tools/llama-server)"', source="runner.go:522")


@fault("VG509", B_REAL, may=["VG501", "VG502", "VG508"], touches=["program", "lib"])
def program_in_a_versioned_directory(h):
    """The unit starts a copy of the program in a directory of its own."""
    _relocate(h, "/srv/releases/0.16.2/ollama")
    h.ollama_lib = "/srv/releases/0.16.2"


@neighbour("VG509", B, C)
def whole_tree_moved(h):
    """Program and libraries were moved together."""
    old = h.ollama_lib
    for path in [p for p in h.files if p.startswith(old + "/")]:
        entry = h.files.pop(path)
        entry["path"] = path.replace(old, "/opt/tools/lib/ollama")
        h.files[entry["path"]] = entry
    h.remove(old)
    h.add("/opt/tools/lib/ollama", "dir")
    for name in ("cuda_v12", "cuda_v13"):
        h.add("/opt/tools/lib/ollama/" + name, "dir")
    _relocate(h, "/opt/tools/bin/ollama")
    h.discovery = "gpu"
    h.ollama_lib = "/opt/tools/lib/ollama"


@fault("VG510", A, B, B_LATE, C, C_BOUND, roots=[], notes=["VG510"], touches=["library_path"],
       never_says=["OLLAMA_LIBRARY_PATH must"])
def library_path_in_the_unit(h):
    """The unit sets OLLAMA_LIBRARY_PATH, which changes nothing."""
    h.env["OLLAMA_LIBRARY_PATH"] = "%s:%s" % (h.ollama_lib, h.variant_dir)


@neighbour("VG510", B_DEBUG, A_PATH, never_says=["OLLAMA_LIBRARY_PATH must"])
def library_path_is_ollamas_own(h):
    """The log names OLLAMA_LIBRARY_PATH, and the unit does not: the value is Ollama's own."""


def _archs(h, archs):
    for major in ("12", "13"):
        path = "%s/cuda_v%s/libggml-cuda.so" % (h.ollama_lib, major)
        if path in h.files:
            h.files[path]["elf"] = dict(h.files[path]["elf"], cuda_archs=archs)


@fault("VG511", B_DEBUG, may=["VG702", "VG703", "VG708"], touches=["variant.backend", "outcome"])
def built_without_the_arch(h):
    """The backend was built for Turing and Ampere only; the second pass asserts."""
    _archs(h, ["sm_75", "sm_80", "sm_86"])
    h.lose(first_pass=True)


@fault("VG511", C_PATH, C_BOUND, may=["VG703"], touches=["variant.backend", "outcome"])
def skipped_for_its_arch(h):
    """The backend was built for older cards only, and the log says that the device was skipped."""
    _archs(h, ["sm_61", "sm_70", "sm_75"])
    h.say('msg="skipping CUDA device — compute capability not in compiled architectures" '
          'device="%s" cc=900 archs="[610 700 750]" libDirs="[%s %s]"' % (
              ollama_log.CARD, h.ollama_lib, h.variant_dir), source="llama_server.go:299")
    h.lose()


@neighbour("VG511", B_DEBUG, C)
def built_as_ptx(h):
    """The backend has portable code for 8.0, which newer cards compile for themselves."""
    _archs(h, ["sm_75", "compute_80"])


def _snap(h):
    root = "/snap/ollama/105"
    for path in [p for p in h.files if p.startswith(h.ollama_lib)]:
        entry = dict(h.files[path])
        entry.pop("path")
        h.add(path.replace(h.ollama_lib, root + "/lib/ollama"), entry.pop("type"), **entry)
    h.copy(h.program, root + "/bin/ollama")
    h.remove(h.program, h.ollama_lib)
    h.ollama_lib = root + "/lib/ollama"
    h.program = root + "/bin/ollama"
    h.user = "root"
    h.exec_start = "/usr/bin/snap run ollama.listener"
    h.cmdline = [h.program, "serve"]
    h.mounts = ["520 480 7:3 / /snap/ollama/105 ro,nodev,relatime - squashfs /dev/loop3 ro",
                "481 480 7:1 / / ro,nodev,relatime - squashfs /dev/loop1 ro"]
    h.files["/snap"]["mode"] = "0755"
    h.library("/usr/bin/snap", elf_facts.program("snap"), 25000000)


@fault("VG512", dict(B, unit="snap.ollama.listener.service"),
       dict(C, unit="snap.ollama.listener.service"), may=["VG303", "VG504", "VG207", "VG401"],
       touches=["exec", "program", "environ", "snap"])
def snap_sees_nothing(h):
    """The judged unit is the snap's: its program sees neither the drop-in nor the shims."""
    _snap(h)
    h.environ = {"PATH": "/snap/ollama/105/bin:/usr/bin:/bin", "HOME": "/root",
                 "SNAP": "/snap/ollama/105", "SNAP_NAME": "ollama"}
    h.lose()


@neighbour("VG512", B, C_PATH)
def snapd_is_installed(h):
    """snapd is installed, and Ollama is not a snap."""
    h.add("/snap/core22/1033", "dir")
    h.list_units["snapd.service"] = "loaded active running Snap Daemon"


STUBS = "/usr/local/cuda-12.8/targets/x86_64-linux/lib/stubs"


def _stubs(h):
    elf = elf_facts.nvidia("cuda", "stub")
    h.library(STUBS + "/libcuda.so", elf, 70000)
    h.link(STUBS + "/libcuda.so.1", "libcuda.so")


@fault("VG513", B_PATH, C_PATH, may=["VG415", "VG418", "VG707"], touches=["path", "variant.cuda"])
def stubs_first(h):
    """The toolkit's stubs directory stands first in LD_LIBRARY_PATH."""
    _stubs(h)
    h.remove(h.variant_dir + "/libcuda.so.1")
    h.env["LD_LIBRARY_PATH"] = STUBS + ":" + h.shim_dir
    h.lose()


@fault("VG513", A_REAL, may=["VG415", "VG707"], touches=["path", "driver"])
def stubs_in_the_server(h):
    """Era A opens the stub that LD_LIBRARY_PATH leads to; its initialisation returns 34."""
    _stubs(h)
    h.env["LD_LIBRARY_PATH"] = STUBS
    h.say('msg="Unable to load cudart library %s/libcuda.so: cuda driver library init failure: 34"'
          % STUBS, source="gpu.go:631")
    h.lose()


@neighbour("VG513", B_REAL, C_REAL, B_PATH)
def stubs_that_nobody_searches(h):
    """The toolkit is installed, and its stubs are in no search path."""
    _stubs(h)


def _skew(h, name="ggml_backend_dev_reset_v2"):
    elf = copy.deepcopy(h.files[h.variant_dir + "/libggml-cuda.so"]["elf"])
    elf["undefined"] += elf_facts.undefined([name])
    elf["build_id"] = elf_facts.build_id("another release")
    h.files[h.variant_dir + "/libggml-cuda.so"]["elf"] = elf


@fault("VG514", B_ONE, LATE_ONE, C_ONE, consequences=["VG704"], may=["VG505", "VG508"],
       touches=["variant.backend"], says=["ggml_backend_dev_reset_v2"])
def backend_of_a_newer_release(h):
    """The backend was copied from a newer release: it imports what this libggml-base lacks."""
    _skew(h)
    h.lose()


@neighbour("VG514", B_ONE, C_ONE)
def backend_built_later(h):
    """The backend was built by hand, later, and imports nothing that is missing."""
    h.files[h.variant_dir + "/libggml-cuda.so"].update(
        {"size": 187128056, "mtime": h.time(-10000)})


def _vulkan(h, index):
    h.device.update({"pci": "0000:00:06.0"})
    h.pci(where=model.PCI_DIR.replace(":05.0", ":06.0"))
    h.link("/sys/bus/pci/devices/0000:00:06.0", "../../../devices/pci0000:00/0000:00:06.0")
    h.add("/dev/nvidia1", "chr", mode="0666")
    line = ollama_log.gpu_line(h, {"library": "Vulkan", "variant": "vulkan",
                                   "compute": "0.0", "driver": "0.0"})
    h.say(line.replace("filter_id=0", "filter_id=%d" % index), source="types.go:32")


@fault("VG515", C_REAL, dict(C_REAL, version="0.30.0", pid=771), roots=[], notes=["VG515"],
       may=["VG507"], touches=["visible", "vulkan"])
def vulkan_reaches_the_hidden_card(h):
    """CUDA_VISIBLE_DEVICES leaves one of two cards to another program; Vulkan takes it."""
    h.env["CUDA_VISIBLE_DEVICES"] = "1"
    _vulkan(h, 0)


@neighbour("VG515", C_REAL, may=["VG507"])
def vulkan_is_off(h):
    """OLLAMA_VULKAN=0: only the card that CUDA may use is there."""
    h.env.update({"CUDA_VISIBLE_DEVICES": "0", "OLLAMA_VULKAN": "0"})
