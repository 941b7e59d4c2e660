"""4xx: what the loader does with the shims."""

import copy

import elf_facts
import host as model
from cases import (A, A_OLD, A_PATH, B, B_BOUND, B_DEBUG, B_LATE, B_PATH, C, C_BOUND, C_PATH,
                   fault, neighbour)

BACKEND = ["VG504", "VG505"]   # what the backend then lacks: true, and follows
CRASH = ["VG307"]


def _elf(h, kind, **facts):
    entry = h.files[h.shim(kind)]
    entry["elf"] = dict(copy.deepcopy(entry["elf"]), **facts)
    return entry


def _refuse(h, kind, why):
    h.loader_errors[h.shim(kind)] = why
    h.lose()


@fault("VG401", B, B_DEBUG, B_LATE, C, may=BACKEND, touches=["shim.cuda"],
       confidence={"VG401": ["certain"]}, never=["VG307", "VG414"])
def cuda_shim_is_gone(h):
    """LD_PRELOAD names the CUDA shim, and there is no such file. The loader says so, goes on."""
    h.remove(h.shim("cuda"))
    h.lose()


@fault("VG401", A, A_OLD, may=["VG504", "VG503"], touches=["shim.cuda"], never=["VG307"])
def cuda_shim_is_gone_in_the_server(h):
    """The server itself looks for libcuda; the shim is gone, and the link to it dangles."""
    h.remove(h.shim("cuda"))
    h.lose()


@fault("VG401", B_BOUND, may=BACKEND, touches=["shim.cuda"], never=["VG102", "VG307"],
       says=["/etc/vgpu/ld.so.preload"])
def bound_list_names_what_is_gone(h):
    """The list that the unit binds over /etc/ld.so.preload names a file that is gone."""
    h.remove(h.shim("cuda"))
    h.lose()


@fault("VG401", B, C, roots=[], latent=["VG401"], touches=["shim.syscall"])
def syscall_shim_is_gone(h):
    """The syscall shim is listed and gone; nothing needs it, and discovery found the GPU."""
    h.remove(h.shim("syscall"))


@neighbour("VG401", B, B_LATE)
def odd_but_legal_list(h):
    """Empty entries, a space for a separator and a trailing colon: all legal."""
    value = h.env["LD_PRELOAD"]
    h.env["LD_PRELOAD"] = value.replace(":", "::", 1).replace(":", " ", 1) + ":"


@fault("VG402", B, B_LATE, C, may=BACKEND, touches=["shim.cuda"], never=["VG401"])
def only_root_may_read_it(h):
    """The CUDA shim is readable by root alone, and the service is the user ollama."""
    h.files[h.shim("cuda")]["mode"] = "0600"
    _refuse(h, "cuda", "cannot open shared object file")


@fault("VG402", B_DEBUG, may=BACKEND, touches=["shim.cuda", "shim.dir"], never=["VG401"])
def directory_is_closed(h):
    """The shims' directory may be entered by root alone."""
    h.files[h.shim_dir]["mode"] = "0700"
    for kind in h.shims:
        _refuse(h, kind, "cannot open shared object file")


@fault("VG402", B_BOUND, C_BOUND, may=BACKEND + ["VG418", "VG414"], touches=["preload"],
       never=["VG401"])
def bound_list_is_closed(h):
    """The bound preload list is readable by root alone: the loader says nothing of it."""
    h.files[h.preload_file]["mode"] = "0600"
    h.not_mapped = {h.shim(kind) for kind in h.shims}
    h.lose()


@neighbour("VG402", B)
def closed_and_root(h):
    """The CUDA shim is readable by root alone, and the service is root."""
    h.user = "root"
    h.files[h.shim("cuda")]["mode"] = "0600"


@fault("VG403", B, C, may=BACKEND, touches=["shim.cuda"], never=["VG401"],
       confidence={"VG403": ["certain"]})
def wrong_class(h):
    """The CUDA shim was built for 32 bits."""
    _elf(h, "cuda", **{"class": 32, "machine": "i386"})
    _refuse(h, "cuda", "wrong ELF class: ELFCLASS32")


@fault("VG403", B_DEBUG, may=BACKEND, touches=["shim.cuda"], never=["VG401", "VG402"])
def wrong_machine(h):
    """The CUDA shim was built for aarch64; the loader's words are those for a missing file."""
    _elf(h, "cuda", machine="aarch64")
    _refuse(h, "cuda", "cannot open shared object file")


@fault("VG403", B_LATE, may=BACKEND, touches=["shim.cuda"], never=["VG401"])
def web_page_in_place_of_a_library(h):
    """The CUDA shim is a web page that a download left."""
    h.file(h.shim("cuda"), "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n"
           "<body>The file that you asked for is not here.</body></html>\n", mode="0755",
           elf={"error": "invalid ELF header"})
    _refuse(h, "cuda", "invalid ELF header")


@fault("VG403", B_DEBUG, may=BACKEND, touches=["shim.dir"], never=["VG401"])
def no_exec_mount(h):
    """The shims lie on a file system that is mounted noexec."""
    h.mounts.append("40 24 8:17 / /opt rw,nosuid,nodev,noexec,relatime - ext4 /dev/sdb1 rw")
    for kind in h.shims:
        _refuse(h, kind, "failed to map segment from shared object")


@neighbour("VG403", B)
def no_exec_elsewhere(h):
    """/opt is mounted noexec, and the shims do not lie there."""
    h.mounts.append("40 24 8:17 / /opt rw,nosuid,nodev,noexec,relatime - ext4 /dev/sdb1 rw")


@fault("VG404", B, A, B_LATE, C, consequences=CRASH, touches=["shim.cuda", "state"],
       never=["VG704", "VG401"])
def cut_short(h):
    """The CUDA shim was cut when the disk was full: every start dies of SIGBUS, with no word."""
    entry = _elf(h, "cuda", error="truncated")
    entry["size"] = 8192
    h.die("7/BUS", "dumped", "core-dump")


@fault("VG404", B_DEBUG, consequences=CRASH, latent=[], may=["VG401"],
       touches=["shim.cuda", "state"], never=["VG704"])
def cut_short_beside_a_missing_one(h):
    """One entry is missing and another is cut. The missing one is what the log shows, and the cut
    one is what kills: a missing entry crashes nothing."""
    h.remove(h.shim("syscall"))
    cut_short(h)


@neighbour("VG404", B)
def cut_in_the_section_headers(h):
    """The CUDA shim was stripped of its section headers; its segments are whole."""
    h.files[h.shim("cuda")]["size"] -= 2800


@fault("VG405", B, C, consequences=CRASH, touches=["shim.cuda", "state"],
       says=["libvgpu-transport.so.1"], never=["VG704", "VG401"])
def dependency_is_gone(h):
    """The CUDA shim needs libvgpu-transport.so.1, which is nowhere: every start exits 127."""
    _elf(h, "cuda", needed=["libvgpu-transport.so.1", "libc.so.6"])
    h.die("127/n/a", message=[
        h.program + ": error while loading shared libraries: libvgpu-transport.so.1: cannot open "
        "shared object file: No such file or directory"])


@fault("VG405", A, consequences=CRASH, touches=["shim.nvml", "state"], never=["VG704"])
def dependency_is_gone_from_nvml(h):
    """The NVML shim needs libyaml-0.so.2, which is not installed."""
    _elf(h, "nvml", needed=["libyaml-0.so.2", "libc.so.6"])
    h.die("127/n/a", message=[
        h.program + ": error while loading shared libraries: libyaml-0.so.2: cannot open shared "
        "object file: No such file or directory"])


@fault("VG405", B_PATH, C_PATH, may=BACKEND, touches=["shim.cuda"], never=["VG307"])
def dependency_of_a_found_shim_is_gone(h):
    """The CUDA shim is found by path; what it needs is not: the backend cannot be opened, and
    the server itself runs."""
    _elf(h, "cuda", needed=["libvgpu-transport.so.1", "libc.so.6"])
    h.lose()


@neighbour("VG405", B)
def dependency_is_found(h):
    """The CUDA shim needs libvgpu-transport.so.1, which is in a default directory."""
    _elf(h, "cuda", needed=["libvgpu-transport.so.1", "libc.so.6"])
    path = model.LIBDIR + "/libvgpu-transport.so.1"
    h.library(path, elf_facts.shared("transport", "libvgpu-transport.so.1"), 40960)
    h.extra_objects.append(path)


NEEDED = "libvgpu_set_skip_interception"


@fault("VG406", B, B_LATE, consequences=CRASH, touches=["shim.nvml", "state"], says=[NEEDED],
       never=["VG704"])
def symbol_of_another_shim(h):
    """The NVML shim is bound at once and needs a function that no object defines."""
    elf = h.files[h.shim("nvml")]["elf"]
    _elf(h, "nvml", bind_now=True, undefined=elf["undefined"] + elf_facts.undefined([NEEDED]))
    h.die("127/n/a", message=["%s: symbol lookup error: %s: undefined symbol: %s" % (
        h.program, h.shim("nvml"), NEEDED)])


@fault("VG406", B_PATH, C_PATH, may=BACKEND, touches=["shim.cuda"], says=["cuCtxGetFlags"],
       never=["VG307"])
def symbol_missing_when_opened(h):
    """The CUDA shim, found by path, needs a function that nobody defines; the backend is opened
    with immediate binding, and silently given up."""
    elf = h.files[h.shim("cuda")]["elf"]
    _elf(h, "cuda", undefined=elf["undefined"] + elf_facts.undefined(["cuCtxGetFlags"]))
    h.lose()


@fault("VG406", B, may=["VG505"], touches=["shim.cuda", "exports.cuda"],
       says=["cuMemGetAllocationGranularity"])
def shim_lacks_what_the_backend_needs(h):
    """The CUDA shim does not define a function that the backend imports."""
    exports = [e for e in h.files[h.shim("cuda")]["elf"]["exports"]
               if e["name"] != "cuMemGetAllocationGranularity"]
    _elf(h, "cuda", exports=exports)
    h.lose()


@neighbour("VG406", B)
def symbol_defined_by_a_neighbour(h):
    """The NVML shim needs a function that the CUDA shim, loaded with it, defines."""
    elf = h.files[h.shim("nvml")]["elf"]
    _elf(h, "nvml", bind_now=True, undefined=elf["undefined"] + elf_facts.undefined([NEEDED]))
    _elf(h, "cuda", exports=h.files[h.shim("cuda")]["elf"]["exports"] +
         elf_facts.names([NEEDED]))


def _newer(h, kind, version):
    elf = copy.deepcopy(h.files[h.shim(kind)]["elf"])
    elf["version_needs"][0]["versions"].append(version)
    h.files[h.shim(kind)]["elf"] = elf


@fault("VG407", B, C, consequences=CRASH, touches=["shim.cuda", "state"], says=["GLIBC_2.38"],
       never=["VG704"])
def built_on_a_newer_system(h):
    """The CUDA shim was built where glibc is 2.38; here it is 2.36."""
    _newer(h, "cuda", "GLIBC_2.38")
    h.die("1/FAILURE", message=[
        "%s: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by %s)" %
        (h.program, h.shim("cuda"))])


@fault("VG407", A, consequences=CRASH, touches=["shim.exec", "state"], says=["GLIBC_2.39"],
       never=["VG704"])
def exec_built_on_a_newer_system(h):
    """The exec shim was built where glibc is 2.39."""
    _newer(h, "exec", "GLIBC_2.39")
    h.die("1/FAILURE", message=[
        "%s: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.39' not found (required by %s)" %
        (h.program, h.shim("exec"))])


@fault("VG407", B_PATH, may=BACKEND, touches=["shim.cuda"], never=["VG307"])
def found_one_built_on_a_newer_system(h):
    """The CUDA shim is found by path and needs glibc 2.38: the backend cannot be opened."""
    _newer(h, "cuda", "GLIBC_2.38")
    h.lose()


@neighbour("VG407", B)
def built_on_an_older_system(h):
    """The CUDA shim needs no more than glibc 2.2.5."""
    h.files[h.shim("cuda")]["elf"]["version_needs"] = [
        {"file": "libc.so.6", "versions": ["GLIBC_2.2.5"]}]


@fault("VG408", B, B_LATE, C, may=BACKEND + ["VG418"], touches=["shim.cuda"], says=["libcuda.so.1"])
def soname_of_the_file(h):
    """The CUDA shim is preloaded with the soname libvgpu-cuda.so: who opens libcuda.so.1 gets
    another file, or none."""
    _elf(h, "cuda", soname="libvgpu-cuda.so")
    h.lose()


@fault("VG408", B_DEBUG, may=BACKEND, touches=["shim.cudart", "variant.cudart"],
       says=["libcudart.so.12"])
def no_soname_for_the_runtime(h):
    """The runtime shim is preloaded without a soname, and NVIDIA's runtime was taken away: there
    is no libcudart.so.12."""
    _elf(h, "cudart", soname=None)
    h.remove(h.variant_dir + "/libcudart.so.12", h.variant_dir + "/libcudart.so.12.8.90")
    h.lose()


@neighbour("VG408", B_PATH, C_PATH)
def soname_of_the_file_found_by_path(h):
    """The CUDA shim has the soname of its file and is found by path, under the right name."""
    _elf(h, "cuda", soname="libvgpu-cuda.so")


@fault("VG409", B, B_PATH, may=["VG505"], touches=["shim.cudart"], says=["libcudart.so.12"])
def node_of_another_release(h):
    """The runtime shim defines the version node libcudart.so.11.0, and the backend asks for
    symbols of libcudart.so.12."""
    _elf(h, "cudart", version_defs=["libcudart.so.11.0"],
         exports=elf_facts.names(elf_facts.RUNTIME_EXPORTS, "libcudart.so.11.0"))
    h.lose()


@fault("VG409", C, may=["VG505"], touches=["shim.cudart"])
def own_node(h):
    """The runtime shim defines a node of its own."""
    _elf(h, "cudart", version_defs=["VGPU_1.0"],
         exports=elf_facts.names(elf_facts.RUNTIME_EXPORTS, "VGPU_1.0"))
    h.lose()


@neighbour("VG409", B, C_PATH)
def no_nodes_at_all(h):
    """The runtime shim defines no version nodes: the loader binds to it."""
    _elf(h, "cudart", version_defs=[], exports=elf_facts.names(elf_facts.RUNTIME_EXPORTS))


def _open_copy(h, path):
    h.copy(h.shim("cuda"), path)
    h.extra_objects.append(path)
    h.lose()


@fault("VG410", A, touches=["shim.cuda", "variant.cuda"])
def copy_in_the_variant(h):
    """The server opens a copy of the preloaded CUDA shim by its path: two states."""
    path = h.variant_dir + "/libcuda.so.1"
    h.remove(model.LIBDIR + "/libcuda.so.1")
    _open_copy(h, path)


@fault("VG410", A_OLD, touches=["shim.cuda", "variant.cuda"])
def copy_in_the_library_directory(h):
    """A copy of the CUDA shim lies in Ollama's library directory, which is searched first."""
    _open_copy(h, h.ollama_lib + "/libcuda.so.1")


@neighbour("VG410", A, B)
def two_names_of_one_file(h):
    """The CUDA shim has a hard link in the variant's directory: one file, loaded once."""
    entry = h.files[h.shim("cuda")]
    entry["nlink"] = 2
    h.copy(h.shim("cuda"), h.variant_dir + "/libcuda.so.1", ino=entry["ino"])


@neighbour("VG410", B)
def copy_that_nobody_opens(h):
    """A copy lies beside the shim under another name; it is not loaded."""
    h.copy(h.shim("cuda"), h.shim("cuda") + ".2026-02-20")


@fault("VG411", B, roots=[], notes=["VG411"], touches=["preload"])
def runtime_first(h):
    """The runtime shim is listed before the CUDA shim: unusual, and of no effect."""
    h.preload([h.shim(kind) for kind in ("exec", "syscall", "cudart", "cuda", "nvml")])


@fault("VG411", C, B_DEBUG, roots=[], notes=["VG411"], touches=["preload"])
def exec_last(h):
    """The exec shim is listed last."""
    h.preload([h.shim(kind) for kind in ("syscall", "cuda", "nvml", "cudart", "exec")])


@neighbour("VG411", B, C)
def shorter_list_in_order(h):
    """Only three shims are listed, in the usual order."""
    h.preload([h.shim(kind) for kind in ("cuda", "nvml", "cudart")])


def _real_driver(h):
    path = "%s/libcuda.so.%s" % (model.LIBDIR, model.RELEASE)
    h.library(path, elf_facts.nvidia("cuda", model.RELEASE), 65000000)
    return path


@fault("VG412", B, C, may=["VG418", "VG604", "VG605"], touches=["shim.cuda"])
def link_to_the_driver(h):
    """The entry libvgpu-cuda.so is a link to NVIDIA's own library, which an installer replaced."""
    path = _real_driver(h)
    h.remove(h.shim("cuda"))
    h.link(h.shim("cuda"), path)
    h.lose()


@fault("VG412", B_DEBUG, may=["VG414", "VG418", "VG604", "VG605"], touches=["shim.cuda", "preload"])
def driver_in_the_list(h):
    """The list names NVIDIA's libcuda in place of the shim."""
    path = _real_driver(h)
    h.preload([path if kind == "cuda" else h.shim(kind) for kind in h.shims])
    h.lose()


@neighbour("VG412", B, C)
def link_to_the_shim(h):
    """The list names libcuda.so.1, which is a link to the shim."""
    h.link(h.shim_dir + "/libcuda.so.1", "libvgpu-cuda.so")
    h.preload([h.shim_dir + "/libcuda.so.1" if kind == "cuda" else h.shim(kind)
               for kind in h.shims])


@fault("VG413", B, B_LATE, C, may=["VG401", "VG504", "VG505"], touches=["preload"])
def doubled_directory(h):
    """Each entry has its directory twice."""
    h.preload([h.shim_dir + h.shim(kind) for kind in h.shims])
    h.lose()


@fault("VG413", B_DEBUG, may=["VG401", "VG504", "VG505"], touches=["preload"])
def quotes_inside(h):
    """Quotes stand inside the value: systemd was told to keep them."""
    value = '"%s"' % h.env["LD_PRELOAD"]
    h.dropin_lines["LD_PRELOAD"] = "Environment='LD_PRELOAD=%s'" % value
    h.env["LD_PRELOAD"] = value
    h.not_mapped = set()
    h.lose()


@neighbour("VG413", B)
def doubled_slashes(h):
    """A doubled slash in a path is as good as one."""
    h.preload([h.shim(kind).replace("/usr/lib64/", "/usr//lib64/") for kind in h.shims])


@fault("VG414", B, B_LATE, C, may=BACKEND, touches=["preload"], never=["VG401"])
def cuda_not_listed(h):
    """The CUDA shim is installed and not in the list."""
    h.preload([h.shim(kind) for kind in h.shims if kind != "cuda"])
    h.lose()


@fault("VG414", B_DEBUG, may=BACKEND + ["VG411"], touches=["preload"], never=["VG401"])
def runtime_twice(h):
    """The runtime shim is in the list twice, and the CUDA shim is not in it."""
    h.preload([h.shim(kind) for kind in ("exec", "syscall", "cudart", "nvml", "cudart")])
    h.lose()


@fault("VG414", C_BOUND, may=BACKEND, touches=["preload"], never=["VG401"])
def cuda_not_in_the_bound_list(h):
    """The bound list lacks the CUDA shim, which is installed."""
    h.files[h.preload_file]["text"] = "".join(h.shim(k) + "\n" for k in ("nvml", "cudart"))
    h.lose()


@fault("VG414", B, B_LATE, C, touches=["preload"], may=BACKEND, never=["VG401", "VG504"],
       says=["LD_PRELOAD="], confidence={"VG414": ["certain"]})
def nothing_lists_them(h):
    """The shims were installed, and nobody told the service to load them."""
    del h.env["LD_PRELOAD"]
    h.env["OLLAMA_KEEP_ALIVE"] = "1h"
    h.lose()


@neighbour("VG414", B, C)
def what_is_not_needed_is_not_listed(h):
    """exec and syscall are installed and not listed: nothing needs them."""
    h.preload([h.shim(kind) for kind in ("cuda", "nvml", "cudart")])


@fault("VG415", B_PATH, C_PATH, may=["VG418", "VG707"], touches=["variant.cudart"])
def runtime_of_the_variant_wins(h):
    """NVIDIA's runtime in the variant's directory comes before the shim in LD_LIBRARY_PATH."""
    h.remove(h.variant_dir + "/libcudart.so.12")
    h.link(h.variant_dir + "/libcudart.so.12", "libcudart.so.12.8.90")
    h.lose()


@fault("VG415", B_PATH, may=["VG418", "VG604", "VG605", "VG707"], touches=["variant.cuda", "path"])
def compat_directory_wins(h):
    """A directory of the toolkit's compat package stands before the shims in LD_LIBRARY_PATH."""
    compat = "/usr/local/cuda-12.8/compat"
    h.library(compat + "/libcuda.so." + model.RELEASE, elf_facts.nvidia("cuda", model.RELEASE),
              65000000)
    h.link(compat + "/libcuda.so.1", "libcuda.so." + model.RELEASE)
    h.remove(h.variant_dir + "/libcuda.so.1")
    h.env["LD_LIBRARY_PATH"] = compat + ":" + h.shim_dir
    h.lose()


@neighbour("VG415", B, C)
def preloaded_one_wins(h):
    """NVIDIA's runtime lies in the variant's directory, and the preloaded shim comes first."""


def _cublas(h, names):
    path = "/usr/local/lib/vgpu/libvgpu-cublas.so.12"
    h.library(path, elf_facts.shared("vgpu cublas", "libcublas.so.12",
                                     exports=elf_facts.names(names, "libcublas.so.12"),
                                     exports_complete=True, version_defs=["libcublas.so.12"]),
              41000)
    return path


@fault("VG416", B, C_PATH, may=["VG505"], touches=["variant.cublas"])
def incomplete_cublas(h):
    """A stub of cuBLAS stands in the variant's directory and lacks a function."""
    path = _cublas(h, [n for n in elf_facts.CUBLAS_IMPORTS if n != "cublasGetStatusString"])
    h.remove(h.variant_dir + "/libcublas.so.12")
    h.link(h.variant_dir + "/libcublas.so.12", path)
    h.lose()


@fault("VG416", B_LATE, roots=[], latent=["VG416"], touches=["variant.cublas"])
def complete_cublas(h):
    """A stub of cuBLAS defines all that the backend imports: it opens, and fails when used."""
    path = _cublas(h, elf_facts.CUBLAS_IMPORTS)
    h.remove(h.variant_dir + "/libcublas.so.12")
    h.link(h.variant_dir + "/libcublas.so.12", path)


@neighbour("VG416", B_PATH)
def stub_that_loses(h):
    """A stub of cuBLAS lies in the shims' directory, which is searched after the variant's."""
    h.link(h.shim_dir + "/libcublas.so.12", _cublas(h, elf_facts.CUBLAS_IMPORTS[:3]))


@fault("VG417", B, B_DEBUG, touches=["shim.cuda"], confidence={"VG417": ["likely", "possible"]})
def takes_dlopen(h):
    """The CUDA shim defines dlopen and dlsym for the whole process; every library of the chain
    resolves, and there is no device."""
    _elf(h, "cuda", exports=h.files[h.shim("cuda")]["elf"]["exports"] +
         elf_facts.names(["dlopen", "dlsym"]))
    h.duration = "41.959725ms"
    h.lose()


@neighbour("VG417", B, C, may=["VG417"], never=["VG704"])
def takes_dlopen_and_works(h):
    """The CUDA shim defines dlopen, and discovery found the GPU."""
    _elf(h, "cuda", exports=h.files[h.shim("cuda")]["elf"]["exports"] +
         elf_facts.names(["dlopen"]))


@fault("VG418", B, C, may=["VG707"], touches=["shim.cudart", "preload"], never=["VG414", "VG401"])
def no_runtime_shim(h):
    """The runtime shim is not installed: NVIDIA's runtime asks the shim's libcuda."""
    h.remove(h.shim("cudart"))
    h.preload([h.shim(kind) for kind in h.shims if kind != "cudart"])
    h.lose()


@fault("VG418", B_PATH, may=["VG707"], touches=["shim.cudart", "variant.cudart"],
       never=["VG414", "VG401"])
def no_runtime_shim_by_path(h):
    """Links lead to the CUDA and NVML shims; the runtime is NVIDIA's, and there is no other."""
    h.remove(h.shim("cudart"), h.shim_dir + "/libcudart.so.12",
             h.variant_dir + "/libcudart.so.12")
    h.link(h.variant_dir + "/libcudart.so.12", "libcudart.so.12.8.90")
    h.lose()


@neighbour("VG418", A_PATH, A_OLD, may=["VG418"], never=["VG704"])
def the_server_needs_no_runtime(h):
    """Era A's discovery asks libcuda only."""
