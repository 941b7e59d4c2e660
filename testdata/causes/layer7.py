"""7xx: what discovery said."""

import elf_facts
import host as model
import ollama_log
from cases import (A, A_REAL, B, B_BOUND, B_DEBUG, B_LATE, B_PATH, B_REAL, C, C_PATH, C_REAL,
                   fault, neighbour)
from layer6 import init_code


def _dirs(h):
    return '"[%s %s]"' % (h.ollama_lib, h.variant_dir)


@fault("VG701", B, B_REAL, touches=["outcome"], confidence={"VG701": ["possible", "likely"]})
def child_hangs(h):
    """The child does not answer for 30 seconds, and nothing says why."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"
    h.duration = "30.029498764s"
    h.say('msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH=%s extra_envs=map[] '
          'error="failed to finish discovery before timeout"' % _dirs(h))
    h.lose()


@fault("VG701", C_PATH, C_REAL, touches=["outcome"])
def watchdog(h):
    """llama-server does not answer, and the watchdog ends discovery."""
    h.say('msg="llama-server GPU discovery watchdog timed out" OLLAMA_LIBRARY_PATH=%s '
          'extra_envs=map[] error="context deadline exceeded"' % _dirs(h), "WARN",
          "runner.go:584", 30)
    h.say('msg="failure during llama-server GPU discovery" OLLAMA_LIBRARY_PATH=%s '
          'extra_envs=map[] error="context deadline exceeded" detail=""' % _dirs(h),
          source="runner.go:522")
    h.lose()


@neighbour("VG701", B_DEBUG, B_REAL)
def one_variant_hangs(h):
    """The child of another variant hangs; the one that counts found the GPU."""
    h.say('msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH="[%s %s/cuda_v13]" '
          'extra_envs=map[] error="failed to finish discovery before timeout"' % (
              h.ollama_lib, h.ollama_lib), wait=30)


@fault("VG702", B, B_LATE, touches=["outcome"], may=["VG417"])
def child_crashes(h):
    """The child dies of a signal in the CUDA shim, and nothing says why."""
    h.say('msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH=%s extra_envs=map[] '
          'error="runner crashed"' % _dirs(h))
    h.kernel.append((h.started + 1, "ollama[%d]: segfault at 0 ip 00007f1122334455 sp "
                     "00007ffe00112233 error 4 in libvgpu-cuda.so[7f1122330000+f000]" %
                     (h.pid + 20)))
    h.lose()


@fault("VG702", C, touches=["outcome"], may=["VG417"])
def llama_server_crashes(h):
    """llama-server dies before it says what it is."""
    h.say('msg="llama-server discovery: system_info line not found in output - CUDA architecture '
          'filtering will be disabled. If GPU inference fails, this may indicate an incompatible '
          'llama-server version." libDirs=%s lines_captured=0' % _dirs(h), "WARN",
          "llama_server.go:135")
    h.say('msg="failure during llama-server GPU discovery" OLLAMA_LIBRARY_PATH=%s '
          'extra_envs=map[] error="llama-server --list-devices failed: signal: segmentation fault"'
          ' detail=""' % _dirs(h), source="runner.go:522")
    h.kernel.append((h.started + 1, "llama-server[%d]: segfault at 0 ip 00007f1122334455 sp "
                     "00007ffe00112233 error 4 in libvgpu-cuda.so[7f1122330000+f000]" %
                     (h.pid + 20)))
    h.lose()


@neighbour("VG702", B, C)
def another_program_crashes(h):
    """The kernel's log has a segmentation fault of another program."""
    h.kernel.append((h.started + 1, "python3[4100]: segfault at 0 ip 00007f1122334455 sp "
                     "00007ffe00112233 error 4 in libnumpy.so[7f1122330000+f000]"))


@fault("VG703", B_DEBUG, consequences=["VG704"], may=["VG708"], touches=["outcome"])
def second_pass(h):
    """The device is there in the first pass and not in the second, which asks for it by its id;
    the id is a good one."""
    h.lose(first_pass=True)


@fault("VG703", dict(B_REAL, debug=True), consequences=["VG704"], may=["VG708"],
       touches=["outcome"])
def second_pass_on_a_card(h):
    """The same on a card."""
    h.lose(first_pass=True)


@neighbour("VG703", B_DEBUG, dict(B_REAL, debug=True))
def duplicate_of_another_variant(h):
    """The same card by two variants: one of them is filtered, and that is no loss."""
    h.say('msg="filtering device with overlapping libraries" id=%s library=%s/cuda_v13 '
          "delete_index=0 kept_library=%s" % (ollama_log.UUID, h.ollama_lib, h.variant_dir),
          "DEBUG", "runner.go:400")


@fault("VG704", B, B_PATH, B_BOUND, C, roots=["VG704"], consequences=[],
       touches=["outcome"], confidence={"VG704": ["possible", "likely"]})
def nothing_explains_it(h):
    """Discovery ended on the CPU, and nothing on the machine explains it."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"
    h.lose()


@neighbour("VG704", B, C)
def an_older_start_found_none(h):
    """The log of an older start ends on the CPU; the running process found the GPU."""
    at = h.started - 600
    h.journal_prefix += [
        (at, "systemd", "Started %s - Ollama Service." % h.unit),
        (at + 1, "service", "time=%s level=INFO source=types.go:%d %s" % (
            ollama_log.stamp(h.boot + at + 1, h.zone),
            ollama_log.RELEASES[h.version]["cpu"], ollama_log.cpu_line(h.era))),
        (at + 500, "systemd", "Stopped %s - Ollama Service." % h.unit)]


@fault("VG705", B, B_LATE, C_PATH, roots=[], notes=["VG705"], verdict="inconclusive",
       touches=["journal"], not_observed_has=["discovery"],
       never_says=["discovery did not run"])
def journal_begins_late(h):
    """The journal begins after discovery: what it said is not to be known."""
    h.journal_from = h.started + 300
    h.ps = None


@fault("VG705", A, roots=[], notes=["VG705"], verdict="inconclusive", touches=["journal"],
       never_says=["discovery did not run"])
def journal_begins_late_in_era_a(h):
    """The same in era A."""
    h.journal_from = h.started + 120
    h.ps = None


@neighbour("VG705", B, C_REAL)
def journal_has_it(h):
    """The journal has the whole start."""


@fault("VG706", B_REAL, C_REAL, touches=["times.driver"])
def modules_came_later(h):
    """NVIDIA's module was loaded after the service had looked for the GPU."""
    h.kernel += [(h.started + 100, "nvidia: loading out-of-tree module taints kernel."),
                 (h.started + 101, "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  " +
                  model.RELEASE)]
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
        h.files["/dev/" + name]["mtime"] = h.time(h.started + 102)
        h.files["/dev/" + name]["ctime"] = h.time(h.started + 102)
    h.lose()


@fault("VG706", B_PATH, C_PATH, touches=["times.shims"])
def shims_came_later(h):
    """The shims were put where the service looks for them after it had looked."""
    later = h.time(h.started + 150)
    for path, entry in h.files.items():
        if "libvgpu-" in path or path.startswith(h.shim_dir) or entry.get(
                "target", "").startswith(h.shim_dir):
            entry.update({"mtime": later, "ctime": later})
    h.lose()


@neighbour("VG706", B_REAL, B_PATH)
def something_else_came_later(h):
    """A model was pulled after the start; what discovery needs was there."""
    h.file("/usr/share/ollama/.ollama/models/manifests/registry/llama3.2/latest", "{}\n",
           mtime=h.time(h.started + 200), uid=998, gid=998)


@fault("VG707", A_REAL, touches=["driver"])
def an_uncommon_code(h):
    """CUDA's initialisation returned 304."""
    init_code(h, 304)


@fault("VG707", B_REAL, touches=["driver"])
def an_uncommon_code_of_the_child(h):
    """The child's CUDA says that a call of the operating system failed."""
    init_code(h, 304, "OS call failed or operation not supported on this OS")


@neighbour("VG707", A, B)
def a_code_of_an_older_start(h):
    """An older start logged a code; the running process found the GPU."""
    h.journal_prefix.append((h.started - 600, "service", "time=%s level=INFO source=gpu.go:631 "
                             'msg="Unable to load cudart library %s/libcuda.so.1: cuda driver '
                             'library init failure: 999"' % (
                                 ollama_log.stamp(h.boot + h.started - 600, h.zone),
                                 model.LIBDIR)))


@fault("VG708", B_DEBUG, dict(B_PATH, debug=True), roots=["VG703"],
       consequences=["VG704", "VG708"], touches=["outcome"], never_says=["GPU is working"])
def first_success_then_none(h):
    """The first pass found one device, which reads like success; the last line says CPU."""
    h.lose(first_pass=True)


@neighbour("VG708", B_DEBUG, C)
def success_that_lasts(h):
    """The first pass found the device, and the last line names it."""


def _runners(h):
    """The layout of 0.5.7: one program for each kind of runner."""
    h.remove(h.ollama_lib)
    for name in ("cpu_avx", "cpu_avx2", "cuda_v11_avx", "cuda_v12_avx"):
        h.library("%s/runners/%s/ollama_llama_server" % (h.ollama_lib, name),
                  elf_facts.program(name), 11000000)
    for kind in ("cudart", "cublas", "cublasLt"):
        h.library("%s/lib%s.so.12" % (h.ollama_lib, kind), elf_facts.nvidia(kind, "12.4"), 700000)


OLD = dict(version="0.5.7", shim_dir="/usr/lib64", shims=("cuda", "nvml"), pid=1780)
OLD_REAL = dict(version="0.5.7", shape=model.DRIVER, pid=1990)


@fault("VG709", OLD, OLD_REAL, touches=["cpu", "lib"], may=["VG502"], says=["avx"])
def no_avx(h):
    """The virtual machine's CPU has no AVX, and 0.5.7 asks for it before it uses a GPU."""
    _runners(h)
    h.cpu_flags = " ".join(f for f in h.cpu_flags.split() if not f.startswith("avx"))
    h.say('msg="CPU does not have minimum vector extensions, GPU inference disabled" required=avx '
          'detected="no vector extensions"', "WARN", "gpu.go:226")
    h.lose()


@neighbour("VG709", C, B)
def no_avx_and_no_need(h):
    """The CPU has no AVX, and this release does not ask for it."""
    h.cpu_flags = " ".join(f for f in h.cpu_flags.split() if not f.startswith("avx"))
