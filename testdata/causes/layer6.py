"""6xx: the device."""

import elf_facts
import host as model
import ollama_log
from cases import (A_REAL, B, B_BOUND, B_DEBUG, B_REAL, C, C_BOUND, C_PATH, C_REAL, fault,
                   neighbour)

BOX = dict(version="0.16.2", shape=model.CONTAINER, pid=5100)
BOX_A = dict(version="0.12.3", shape=model.CONTAINER, pid=5200, hours=0)
BOX_C = dict(version="0.33.0", shape=model.CONTAINER, pid=5300)
LIBCUDA = "%s/libcuda.so.%s" % (model.LIBDIR, model.RELEASE)


def init_code(h, code, text=None):
    """What era A logs when cuInit fails, and era B with OLLAMA_DEBUG=2."""
    if h.era == "A":
        words = {
            35: ("WARN", "version mismatch between driver and cuda driver library - reboot or "
                 "upgrade may be required: library %s" % LIBCUDA, 618),
            803: ("WARN", "version mismatch between driver and cuda driver library - reboot or "
                  "upgrade may be required: library %s" % LIBCUDA, 618),
            100: ("INFO", "no nvidia devices detected by library %s" % LIBCUDA, 621),
            999: ("WARN", "unknown error initializing cuda driver library %s: cuda driver library "
                  "init failure: 999. see https://github.com/ollama/ollama/blob/main/docs/"
                  "troubleshooting.md for more information" % LIBCUDA, 624)}
        level, line, where = words.get(code, (
            "INFO", "Unable to load cudart library %s: cuda driver library init failure: %d" %
            (LIBCUDA, code), 631))
        h.say('msg="%s"' % line, level, "gpu.go:%d" % where)
    else:
        h.env["OLLAMA_DEBUG"] = "2"
        h.debug = True
        h.say("ggml_cuda_init: failed to initialize CUDA: " + text, "")
    h.lose()


def _no_pci(h):
    """The card's function goes; a machine with a PCI bus keeps its bridge."""
    h.remove(model.PCI_DIR, "/sys/bus/pci/devices/0000:00:05.0")
    bridge = "/sys/devices/pci0000:00/0000:00:00.0"
    h.pci("0x8086", "0x29c0", "0x060000", where=bridge)
    h.link("/sys/bus/pci/devices/0000:00:00.0", "../../.." + bridge[4:])


def _no_nodes(h):
    h.remove("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")


@fault("VG601", A_REAL, B_REAL, C_REAL, may=["VG604", "VG707"], touches=["pci"])
def card_is_gone(h):
    """NVIDIA's driver is installed, and the machine has no card any more."""
    _no_pci(h)
    _no_nodes(h)
    h.add("/dev/nvidiactl", "chr", mode="0666")
    if h.era == "A":
        init_code(h, 100)
    h.lose()


@neighbour("VG601", B, C_PATH)
def shims_need_no_function(h):
    """The machine has no such PCI function, and discovery, which needs none, found the GPU."""
    _no_pci(h)


@fault("VG602", B_BOUND, C_BOUND, touches=["pci", "bound"], says=["0x2330"])
def bound_tree_says_another_card(h):
    """The tree that the unit binds has another device id than the profile."""
    h.files["/var/lib/vgpu/tree/gpu0/device"]["text"] = "0x2330\n"
    h.lose()


@fault("VG602", B, may=["VG601"], touches=["pci", "preload"],
       confidence={"VG602": ["possible"]})
def stub_of_another_vendor(h):
    """The machine's function has the ids of the hypervisor's stub, and nothing is bound over."""
    h.pci("0x1234", "0x1111", "0x030000")
    h.preload([h.shim(kind) for kind in ("cuda", "nvml", "cudart")])
    h.lose()


@neighbour("VG602", B_BOUND, C_BOUND)
def host_says_another_card(h):
    """The machine's own function is virtio's; the service sees the bound one."""


@fault("VG603", B_DEBUG, C, B, roots=[], latent=["VG603"], touches=["device"])
def another_address(h):
    """CUDA names 0000:00:07.0, and sysfs and the profile 0000:00:05.0."""
    h.device["pci"] = "0000:00:07.0"


def move_card(h, address):
    """The card is at another address, in sysfs and in the log."""
    _no_pci(h)
    root = "/sys/devices/pci%s/%s" % (address.rsplit(":", 1)[0], address)
    h.pci(where=root)
    h.link("/sys/bus/pci/devices/" + address, "../../.." + root[4:])
    h.device["pci"] = address


@neighbour("VG603", B_REAL, C_REAL)
def a_card_where_it_is(h):
    """A card's own address, with a letter in it; no profile says another."""
    move_card(h, "0000:0a:00.0")


@fault("VG604", B_REAL, C_REAL, touches=["nodes"], says=["/dev/nvidia"])
def nodes_are_closed(h):
    """/dev/nvidia* may be opened by root alone."""
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
        h.files["/dev/" + name]["mode"] = "0600"
    h.lose()


@fault("VG604", A_REAL, B_REAL, may=["VG605", "VG707"], touches=["nodes"])
def nodes_are_missing(h):
    """The modules are loaded, and no node was made."""
    _no_nodes(h)
    h.lose()


@neighbour("VG604", B_REAL, C_REAL)
def nodes_by_group(h):
    """/dev/nvidia* belong to the group video, of which the service's user is a member."""
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
        h.files["/dev/" + name].update({"mode": "0660", "gid": 44})


@fault("VG605", A_REAL, B_REAL, C_REAL, may=["VG604", "VG606", "VG707"],
       touches=["modules", "nodes"])
def no_modules(h):
    """No module of NVIDIA's is loaded after a kernel upgrade."""
    h.modules = [m for m in h.modules if not m.startswith("nvidia")]
    h.proc_files.pop("driver/nvidia/version")
    _no_nodes(h)
    h.lose()


@fault("VG605", B_REAL, may=["VG604", "VG707"], touches=["modules", "nodes"], says=["nvidia_uvm"])
def no_uvm(h):
    """nvidia is loaded, and nvidia_uvm is not."""
    h.modules.remove("nvidia_uvm")
    h.remove("/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
    h.lose()


@neighbour("VG605", B, C_PATH, B_BOUND)
def shims_need_no_module(h):
    """A virtual GPU has no kernel module."""


def _kernel_module(h, version):
    h.proc_files["driver/nvidia/version"] = h.proc_files["driver/nvidia/version"].replace(
        model.RELEASE, version)


@fault("VG606", A_REAL, B_REAL, C_REAL, may=["VG707"], touches=["driver"], says=["550.54.15"])
def library_was_upgraded(h):
    """The driver's library was upgraded; the module of the old release is still loaded."""
    _kernel_module(h, "550.54.15")
    if h.era == "A":
        init_code(h, 803)
    h.lose()


@neighbour("VG606", B_REAL, C_REAL)
def old_library_beside(h):
    """A library of an older release was left behind; libcuda.so.1 leads to the right one."""
    h.library(model.LIBDIR + "/libcuda.so.550.54.15", elf_facts.nvidia("cuda", "550.54.15"),
              64000000)


def _release(h, version):
    for name in ("libcuda.so", "libnvidia-ml.so"):
        entry = h.files.pop("%s/%s.%s" % (model.LIBDIR, name, model.RELEASE))
        entry["path"] = "%s/%s.%s" % (model.LIBDIR, name, version)
        h.files[entry["path"]] = entry
        h.files["%s/%s.1" % (model.LIBDIR, name)]["target"] = "%s.%s" % (name, version)
    _kernel_module(h, version)


@fault("VG607", C_REAL, touches=["driver"], says=["535.183.01"])
def driver_below_550(h):
    """Ollama says that the driver is too old for it."""
    _release(h, "535.183.01")
    h.say('msg="NVIDIA driver too old" device="%s" compute=9.0 driver=535.183.01 '
          'required_driver="550 or newer"' % ollama_log.CARD, "WARN", "cuda_compat.go:65")
    h.lose()


@fault("VG607", B_REAL, may=["VG707"], touches=["driver"])
def runtime_wants_more(h):
    """CUDA says that the driver is too old for the runtime."""
    _release(h, "470.256.02")
    init_code(h, 35, "CUDA driver version is insufficient for CUDA runtime version")


@neighbour("VG607", C_REAL, B_REAL)
def driver_new_enough(h):
    """The driver is 550: old, and new enough."""
    _release(h, "550.54.15")


def _suspend(h):
    h.kernel += [(2000, "PM: suspend entry (deep)"), (2900, "ACPI: PM: Waking up from system "
                                                      "sleep state S3"), (2901, "PM: suspend exit")]


@fault("VG608", A_REAL, may=["VG707"], touches=["driver"])
def after_a_resume(h):
    """The machine slept; since it woke, CUDA returns 999."""
    _suspend(h)
    init_code(h, 999)


@fault("VG608", B_REAL, may=["VG707"], touches=["driver"])
def after_a_resume_in_the_child(h):
    """The machine slept; since it woke, the child's CUDA says: unknown error."""
    _suspend(h)
    init_code(h, 999, "unknown error")


@neighbour("VG608", A_REAL, B_REAL)
def slept_and_works(h):
    """The machine slept, and the GPU was found after it woke."""
    _suspend(h)


@fault("VG609", A_REAL, may=["VG707"], touches=["driver"])
def fabric_manager_failed(h):
    """The fabric manager's unit has failed, and CUDA returns 802."""
    h.list_units["nvidia-fabricmanager.service"] = \
        "loaded failed failed NVIDIA fabric manager service"
    init_code(h, 802)


@fault("VG609", B_REAL, may=["VG707"], touches=["driver"])
def fabric_manager_failed_for_the_child(h):
    """The fabric manager is not running, and the child's CUDA is not yet ready."""
    h.list_units["nvidia-fabricmanager.service"] = \
        "loaded inactive dead NVIDIA fabric manager service"
    init_code(h, 802, "system not yet initialized")


@neighbour("VG609", B_REAL, C_REAL)
def no_fabric_to_manage(h):
    """The fabric manager failed, for there is no NVSwitch; CUDA works."""
    h.list_units["nvidia-fabricmanager.service"] = \
        "loaded failed failed NVIDIA fabric manager service"


@fault("VG610", BOX, BOX_C, may=["VG504", "VG604", "VG707"], touches=["container"],
       says=["--gpus"], never=["VG202", "VG605", "VG607"])
def container_without_gpu(h):
    """The unit runs the container without --gpus."""
    h.give_gpu(False)
    h.lose()


@fault("VG610", BOX_A, may=["VG504", "VG604", "VG707"], touches=["container"],
       never=["VG202", "VG607"])
def container_without_gpu_in_era_a(h):
    """The unit runs the container without --gpus; no libcuda is in it."""
    h.give_gpu(False)
    h.lose()


@fault("VG610", BOX, BOX_C, touches=["container"], never=["VG501", "VG502", "VG508"])
def container_without_gpu_and_its_files_unseen(h):
    """The container runs without --gpus, and its own files were not captured."""
    h.give_gpu(False)
    h.forget_inside()
    h.lose()


@neighbour("VG610", BOX, BOX_A, BOX_C, never=["VG610", "VG501", "VG502", "VG508"])
def container_whose_files_were_not_captured(h):
    """The container has the GPU and finds it; its own files were not captured."""
    h.forget_inside()


@neighbour("VG610", BOX, never=["VG610", "VG508"])
def an_installation_of_the_host_beside_the_container(h):
    """The container's own files were not captured, and the host has an Ollama of its own."""
    h.forget_inside()
    h.library("/usr/bin/ollama", elf_facts.program("ollama"), 34000000)


@neighbour("VG610", BOX, BOX_A, BOX_C)
def container_with_gpu(h):
    """The container has the GPU and finds it."""


@neighbour("VG610", B, C_REAL)
def another_container(h):
    """A container of something else runs beside Ollama, which is none."""
    h.processes.append(model.Process(
        8123, "/usr/sbin/nginx", ["nginx: master process"], {"PATH": "/usr/bin"}, uid=0,
        started=900, cgroup="/system.slice/docker-%s.scope" % ("77aa" * 16)))


@fault("VG611", A_REAL, may=["VG707"], touches=["driver"], confidence={"VG611": ["possible"]})
def not_initialised(h):
    """CUDA returns 3."""
    init_code(h, 3)


@fault("VG611", B_REAL, may=["VG707"], touches=["driver"], confidence={"VG611": ["possible"]})
def not_initialised_in_the_child(h):
    """The child's CUDA says: initialization error."""
    init_code(h, 3, "initialization error")


@neighbour("VG611", B_REAL, A_REAL)
def known_fault_worked_around(h):
    """The module's option against the known fault is set, and CUDA works."""
    h.file("/etc/modprobe.d/nvidia-uvm.conf", "options nvidia_uvm uvm_disable_hmm=1\n")


@fault("VG612", BOX_A, may=["VG707"], touches=["container"])
def toolkit_does_not_fit(h):
    """In a container that has the GPU, CUDA returns 500."""
    init_code(h, 500)


@fault("VG612", BOX, may=["VG707"], touches=["container"])
def toolkit_does_not_fit_the_child(h):
    """In a container that has the GPU, the child's CUDA finds a symbol missing."""
    init_code(h, 500, "named symbol not found")
    h.processes[0].env["OLLAMA_DEBUG"] = "2"


@neighbour("VG612", BOX, BOX_A)
def toolkit_fits(h):
    """The container has the GPU, and CUDA works."""


@fault("VG613", A_REAL, may=["VG707"], touches=["driver"])
def device_in_use(h):
    """CUDA returns 46: another program has the device for itself."""
    init_code(h, 46)


@fault("VG613", B_REAL, may=["VG707"], touches=["driver"])
def device_in_use_for_the_child(h):
    """The child's CUDA says that all devices are busy."""
    init_code(h, 46, "CUDA-capable device(s) is/are busy or unavailable")


@neighbour("VG613", B_REAL, C_REAL)
def another_program_uses_it_too(h):
    """Another program has /dev/nvidia0 open, and Ollama found the device."""
    h.processes.append(model.Process(
        8200, "/usr/bin/python3.11", ["python3", "train.py"], {"PATH": "/usr/bin"}, uid=1000,
        started=800, cgroup="/user.slice/user-1000.slice/session-4.scope",
        fds={5: "/dev/nvidia0"}))


def _jetson(h, release, pack):
    h.file("/etc/nv_tegra_release", "# R%d (release), REVISION: 4.3, GCID: 38968081, BOARD: "
           "generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n" % release)
    for major in ("12", "13"):
        h.remove("%s/cuda_v%s" % (h.ollama_lib, major))
    where = "%s/cuda_jetpack%d" % (h.ollama_lib, pack)
    elf = elf_facts.backend(h.version, "12", h.base_soname)
    elf.update(cuda_archs=["sm_87"], machine="aarch64")
    h.library(where + "/libggml-cuda.so", elf, 230000000)
    for name in ("cudart", "cublas", "cublasLt"):
        h.library("%s/lib%s.so.12" % (where, name), elf_facts.nvidia(name, "12.6"), 4000000)
    for entry in h.files.values():
        if "elf" in entry and "machine" in entry["elf"]:
            entry["elf"]["machine"] = "aarch64"
    h.variant = "cuda_jetpack%d" % pack


@fault("VG614", B_REAL, dict(C_REAL, version="0.30.0"), may=["VG502"],
       touches=["variant", "jetson"], says=["jetpack"])
def jetpack_of_the_last_system(h):
    """The system is JetPack 6, and the installed variant is that of JetPack 5."""
    _jetson(h, 36, 5)
    h.lose()


@neighbour("VG614", B_REAL)
def jetpack_fits(h):
    """The system is JetPack 6, and so is the variant."""
    _jetson(h, 36, 6)
    h.device["compute"] = "8.7"
    h.device["card"] = "Orin"
