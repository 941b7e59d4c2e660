"""1xx: the whole machine."""

import elf_facts
import host as model
from cases import A, B, B_BOUND, B_DEBUG, B_LATE, B_REAL, C, C_PATH, fault, neighbour

GLOBAL = "/etc/ld.so.preload"


def _global(h):
    """The shims come from the machine's own list, in every program."""
    h.env.pop("LD_PRELOAD", None)
    if not h.env and not h.settings:
        h.dropin = ""
    _list_for_all(h, [h.shim(kind) for kind in h.shims])


def _list_for_all(h, entries):
    h.file(GLOBAL, "".join(entry + "\n" for entry in entries), mtime=h.time(-90000))
    libc = [model.LIBDIR + "/libc.so.6", model.LIBDIR + "/ld-linux-x86-64.so.2"]
    mapped = [h.real(entry) for entry in entries if h.real(entry) and not h.crash]
    for pid, exe, words in ((1, "/usr/lib/systemd/systemd", ["/sbin/init"]),
                            (702, "/usr/sbin/sshd", ["sshd: /usr/sbin/sshd -D"])):
        h.library(exe, elf_facts.program(exe), 92000)
        h.processes.append(model.Process(
            pid, exe, words, {"PATH": "/usr/bin"}, uid=0, ppid=0 if pid == 1 else 1, started=2,
            cgroup="/init.scope" if pid == 1 else "/system.slice/ssh.service",
            objects=mapped + libc))


@fault("VG101", B, C, B_DEBUG, roots=[], latent=["VG101"], touches=["preload", "global"])
def every_program_loads_them(h):
    """The machine's /etc/ld.so.preload lists the shims: Ollama works, and so far all else does."""
    _global(h)


@fault("VG101", B, C, B_DEBUG, roots=[], latent=["VG101"], touches=["global"])
def every_program_loads_one_of_them(h):
    """The machine's /etc/ld.so.preload lists one shim; the unit's own list has them all."""
    _list_for_all(h, [h.shim("exec")])


@fault("VG101", B, consequences=["VG307"], touches=["preload", "global", "state"],
       never=["VG704", "VG102"])
def every_program_loads_them_and_crashes(h):
    """The machine's list has the shims, and programs die of SIGSEGV, Ollama too."""
    h.die("11/SEGV", "dumped", "core-dump")
    _global(h)
    for number, name in enumerate(("cron", "sshd", "ollama")):
        h.kernel.append((h.now - 100 + number, "%s[%d]: segfault at 8 ip 00007f2736e0e011 sp "
                         "00007ffd3a1a5000 error 4 in libvgpu-syscall.so[7f2736e0e000+3000]" %
                         (name, 4100 + number)))


@neighbour("VG101", B, C_PATH, B_REAL)
def another_library_for_every_program(h):
    """The machine's list has an allocator, and no shim."""
    path = model.LIBDIR + "/libjemalloc.so.2"
    h.library(path, elf_facts.shared("jemalloc", "libjemalloc.so.2"), 720000)
    h.file(GLOBAL, path + "\n")
    h.extra_objects.append(path)


@neighbour("VG101", B_BOUND)
def empty_file_left_by_systemd(h):
    """systemd made an empty /etc/ld.so.preload to bind the unit's list over it."""


@fault("VG102", B, C, consequences=["VG704"], may=["VG101", "VG401", "VG504", "VG505"],
       touches=["preload", "global", "shim.cuda"])
def global_entry_is_gone(h):
    """The machine's list names a CUDA shim that was removed; every program complains."""
    h.remove(h.shim("cuda"))
    _global(h)
    h.lose()


@fault("VG102", B, C, B_DEBUG, roots=[], latent=["VG102"], touches=["global"])
def global_entry_of_another_product_is_gone(h):
    """The machine's list names a library of something that was removed; every program complains,
    and goes on."""
    h.file(GLOBAL, "/opt/agent/lib/libagent-hook.so\n", mtime=h.time(-90000))


SECRET = "hf_kJQwERtyUIopASdfGHjkLZxcVBnm123456"


@fault("VG102", B_LATE, roots=[], latent=["VG102"], touches=["global"], never_says=[SECRET])
def global_entry_is_a_secret(h):
    """Somebody wrote a token into the machine's list; every program complains of it."""
    h.file(GLOBAL, SECRET + "\n")


@fault("VG102", A, consequences=["VG307"], may=["VG101", "VG405"],
       touches=["preload", "global", "state"], never=["VG704"])
def global_entry_cannot_be_loaded(h):
    """An entry of the machine's list needs a library that is gone: every program exits 127."""
    h.files[h.shim("nvml")]["elf"]["needed"] = ["libyaml-0.so.2", "libc.so.6"]
    h.die("127/n/a", message=[
        h.program + ": error while loading shared libraries: libyaml-0.so.2: cannot open shared "
        "object file: No such file or directory"])
    _global(h)


@neighbour("VG102", B, C)
def empty_global_file(h):
    """/etc/ld.so.preload is there and empty."""
    h.file(GLOBAL, "")


FOREIGN = "/usr/local/vgpu/libvgpu.so"


def _foreign(h, soname):
    h.library(FOREIGN, elf_facts.shared(
        "hami", soname, exports=elf_facts.names(elf_facts.DRIVER_EXPORTS + ["dlsym"]),
        exports_complete=True), 480000)


@fault("VG103", B, C, roots=[], notes=["VG103"], may=["VG417"],
       touches=["preload", "exports.cuda"])
def foreign_layer_beside(h):
    """HAMi's libvgpu.so is preloaded after the shims, under its own soname; discovery works."""
    _foreign(h, "libvgpu.so")
    h.env["LD_PRELOAD"] += ":" + FOREIGN


@fault("VG103", B_LATE, C, may=["VG417", "VG410"], touches=["preload", "exports.cuda"])
def foreign_layer_takes_libcuda(h):
    """Another product's libvgpu.so is preloaded first and calls itself libcuda.so.1."""
    _foreign(h, "libcuda.so.1")
    h.env["LD_PRELOAD"] = FOREIGN + ":" + h.env["LD_PRELOAD"]
    h.lose()


@neighbour("VG103", B, C_PATH)
def foreign_layer_not_loaded(h):
    """Another product's libvgpu.so is installed, and nothing loads it."""
    _foreign(h, "libvgpu.so")
