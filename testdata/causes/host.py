"""One machine that runs Ollama with a virtual GPU, as facts that a fault can change.

`Host(...)` is healthy. A fault changes what is set here (a file, a variable, what discovery
found), and `capture.py` writes the tree that contract/host-tree.md describes. Everything that
follows from something else is derived as late as possible (maps from the preload list, the
journal from the outcome, `systemctl show` from the unit), so that the parts of a tree agree.
"""

import datetime
import posixpath

import elf_facts
import ollama_log

LIBDIR = "/usr/lib/x86_64-linux-gnu"
SYSTEM = "/etc/systemd/system"
SHIMS = ("exec", "syscall", "cuda", "nvml", "cudart")
LINKS = {"cuda": "libcuda.so.1", "nvml": "libnvidia-ml.so.1", "cudart": "libcudart.so.12"}
SHIM_SIZES = {"exec": 21368, "syscall": 16904, "cuda": 105056, "nvml": 50432, "cudart": 31352}
SERVICE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PCI_DIR = "/sys/devices/pci0000:00/0000:00:05.0"
RELEASE = "570.124.06"
CPU_FLAGS = ("fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
             "fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl cpuid "
             "pni pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx "
             "f16c rdrand hypervisor lahf_lm abm bmi1 avx2 bmi2 erms")

PRELOAD, PATH, BOUND, DRIVER, CONTAINER = "preload", "path", "bound", "driver", "container"
SHAPES = (PRELOAD, PATH, BOUND, DRIVER, CONTAINER)


class Process:
    """A process other than, or in place of, the server itself."""

    def __init__(self, pid, exe, cmdline, env=None, **more):
        self.pid, self.exe, self.cmdline = pid, exe, cmdline
        self.env = env
        self.uid = more.get("uid", 998)
        self.ppid = more.get("ppid", 1)
        self.started = more.get("started")
        self.cgroup = more.get("cgroup")
        self.objects = more.get("objects", [])
        self.secure = more.get("secure", False)
        self.base = more.get("base", True)
        self.mounts = more.get("mounts", [])
        self.comm = more.get("comm")
        self.root = more.get("root", "/")
        self.fds = more.get("fds", {})
        self.seccomp = more.get("seccomp", 0)


class Host:
    def __init__(self, version="0.16.2", shape=PRELOAD, shim_dir="/usr/lib64",
                 unit="ollama.service", pid=57290, debug=False, prefix="/usr/local",
                 dropin="vgpu.conf", hours=-5, shims=None, llm_library=None):
        self.version, self.shape, self.shim_dir = version, shape, shim_dir
        self.unit, self.pid, self.debug, self.prefix = unit, pid, debug, prefix
        self.era = ollama_log.era(version)
        self.zone = datetime.timezone(datetime.timedelta(hours=hours))
        self.hostname = "test10"

        # Seconds since boot; `boot` is btime of /proc/stat.
        self.boot = 1772367242
        self.t_written, self.t_reload, self.started, self.now = 3000, 3060, 3090, 3690

        self.variant = "cuda_v12"
        self.ollama_lib = prefix + "/lib/ollama"
        self.program = prefix + "/bin/ollama"
        self.shims = list(shims or (SHIMS if shape == PRELOAD else ("cuda", "nvml", "cudart")))

        self.files = {}
        self._ino = 262200
        self.fragment = SYSTEM + "/" + unit
        self.dropin = self.fragment + ".d/" + dropin
        self.exec_start = self.program + " serve"
        self.user = "ollama"
        self.env = {}                 # what the drop-in sets
        self.settings = {}            # further directives of the drop-in, {name: [value]}
        self.show_settings = {}       # how systemctl show prints those that print otherwise
        self.base_path = SERVICE_PATH
        self.loaded_env = None        # what systemd has loaded, where it is not the drop-in
        self.environ = None           # what the process was given, where it is not the former
        self.extra_environ = {}       # what comes from elsewhere (an EnvironmentFile, the manager)
        self.fragment_text = self.dropin_text = None
        self.dropin_lines = {}        # {variable: the whole line that is to set it}
        self.dropin_paths = None      # DropInPaths, where it is not every *.conf
        self.need_reload = False
        self.show, self.manager, self.manager_env = {}, {}, {}

        self.discovery = "gpu"        # gpu, cpu, silent (no result line), none (no Ollama line)
        self.first_pass = False       # whether a first pass found the device that was lost
        self.device = {}              # what the inference compute line says of it
        self.duration = "302.578653ms"
        self.discovery_lines, self.later_lines = [], []
        self.loader_errors, self.extra_loader_lines = {}, []
        self.not_mapped = set()
        self.replaced = {}            # mapped path: inode that it had when it was mapped
        self.extra_objects = []
        self.server_exe = None        # /proc/PID/exe, where it is not the program
        self.cmdline = None
        self.secure = False
        self.static = False
        self.cgroup = "/system.slice/" + unit
        self.mounts = []
        self.processes = []
        self.crash = self.stopped = None
        self.journal_prefix = []      # records before the present start
        self.journal_suffix = []
        self.kernel = []
        self.not_observed = []        # of the manifest
        self.omitted = set()          # paths that the capture lacks
        self.installation_captured = True  # the program that runs, and its libraries
        self.list_units = {}
        self.journal_from = 0         # the journal at hand begins here (seconds since boot)
        self.identifier = "ollama"
        self.preload_file = None      # the list that is bound over /etc/ld.so.preload
        self.modules = ["tcp_diag", "inet_diag", "aesni_intel", "ext4", "virtio_rng"]
        self.cpu_flags = CPU_FLAGS
        self.arch_machine = "x86_64"
        self.ps = {"models": []}
        self.listens = True           # whether the server listens on its port
        self.serves = None            # whether anything does, where that is not the server
        self.proc_files = {}
        self.output_file = None       # StandardError=append: of the unit

        self._system()
        self._ollama()
        {PRELOAD: self._preload, PATH: self._path, BOUND: self._bound, DRIVER: self._driver,
         CONTAINER: self._container}[shape]()
        if llm_library:
            self.env["OLLAMA_LLM_LIBRARY"] = llm_library
        if debug:
            self.env["OLLAMA_DEBUG"] = "1"

    # Files.

    def time(self, seconds):
        moment = datetime.datetime.fromtimestamp(self.boot + seconds, self.zone)
        return moment.isoformat()

    def add(self, path, kind, **facts):
        parent = posixpath.dirname(path)
        if parent not in ("/", "") and parent not in self.files and \
           not path.startswith(("/proc/", "/sys/")):
            self.add(parent, "dir")
        self._ino += 7
        entry = {"path": path, "type": kind, "mode": {"dir": "0755", "symlink": "0777"}.get(
            kind, "0644"), "uid": 0, "gid": 0, "mtime": self.time(-800000), "dev": 2049,
            "ino": self._ino}
        entry.update(facts)
        self.files[path] = entry
        return entry

    def file(self, path, text=None, **facts):
        """A regular file; with its content where `text` is given."""
        facts.setdefault("nlink", 1)
        facts.setdefault("caps", None)
        if text is not None:
            facts["text"] = text
        facts.setdefault("size", len(text) if text is not None else 65536)
        return self.add(path, "file", **facts)

    def library(self, path, elf, size, **facts):
        facts.setdefault("mode", "0755")
        return self.file(path, elf=elf, size=size, **facts)

    def link(self, path, target, **facts):
        return self.add(path, "symlink", target=target, size=len(target), **facts)

    def remove(self, *paths):
        for path in paths:
            for known in [p for p in self.files if p == path or p.startswith(path + "/")]:
                del self.files[known]

    def copy(self, source, target, **facts):
        entry = dict(self.files[source])
        for key in ("path", "type", "ino"):
            entry.pop(key)
        entry.update(facts)
        return self.add(target, self.files[source]["type"], **entry)

    def real(self, path, depth=0):
        """The path without symbolic links, or None where it leads to nothing."""
        if depth > 20:
            return None
        parts, at = [p for p in path.split("/") if p], ""
        for number, part in enumerate(parts):
            at = posixpath.normpath(at + "/" + part)
            entry = self.files.get(at)
            if entry and entry["type"] == "symlink":
                rest = "/".join(parts[number + 1:])
                target = posixpath.join(posixpath.dirname(at), entry["target"])
                return self.real(posixpath.normpath(target + "/" + rest), depth + 1)
        return at if at in self.files else None

    # What is installed.

    def _system(self):
        for path, target in (("/bin", "usr/bin"), ("/lib", "usr/lib"), ("/sbin", "usr/sbin"),
                             ("/lib64", "usr/lib64")):
            self.link(path, target)
        for path in ("/run/systemd/system", "/usr/lib/systemd/system", "/usr/sbin",
                     "/usr/local/lib/systemd/system", "/usr/lib64", "/tmp"):
            self.add(path, "dir")
        self.files["/tmp"]["mode"] = "1777"
        self.link("/usr/lib64/ld-linux-x86-64.so.2", LIBDIR + "/ld-linux-x86-64.so.2")
        self.library(LIBDIR + "/ld-linux-x86-64.so.2",
                     elf_facts.shared("ld.so 2.36", "ld-linux-x86-64.so.2", ()), 210968)
        self.library(LIBDIR + "/libc.so.6", elf_facts.libc(), 1922136)
        for name, size in (("libm.so.6", 907784), ("libdl.so.2", 14480),
                           ("libpthread.so.0", 14480), ("libresolv.so.2", 60328),
                           ("libgcc_s.so.1", 125312), ("libstdc++.so.6", 2190440)):
            self.library(LIBDIR + "/" + name, elf_facts.shared(name, name), size)
        self.library("/usr/bin/dash", elf_facts.program("dash"), 125640)
        self.link("/usr/bin/sh", "dash")
        self.library("/usr/bin/env", elf_facts.program("env"), 48536)
        self.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
                  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
                  "operator:x:1000:1000::/home/operator:/bin/bash\n"
                  "ollama:x:998:998::/usr/share/ollama:/bin/false\n")
        self.file("/etc/group", "root:x:0:\nvideo:x:44:ollama\nrender:x:106:ollama\n"
                  "operator:x:1000:\nollama:x:998:\n")
        self.file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n")
        self.file("/etc/ld.so.conf.d/libc.conf",
                  "# libc default configuration\n/usr/local/lib\n")
        self.file("/etc/ld.so.conf.d/x86_64-linux-gnu.conf", "# Multiarch support\n"
                  "/usr/local/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu\n"
                  "/usr/lib/x86_64-linux-gnu\n")
        self.file("/etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
                  'VERSION_ID="12"\n')
        self.file("/etc/hostname", self.hostname + "\n")
        self.add("/usr/share/ollama", "dir", uid=998, gid=998)

    def _ollama(self):
        when = self.time(-700000)
        self.library(self.program, elf_facts.ollama(self.version), 38712344, mtime=when)
        lib = self.ollama_lib
        base = "libggml-base.so" if self.version in ("0.6.8", "0.11.10") else "libggml-base.so.0"
        if base.endswith(".0"):
            self.library(lib + "/libggml-base.so.0.0.0",
                         elf_facts.ggml_base(self.version, base), 741896, mtime=when)
            self.link(lib + "/libggml-base.so.0", "libggml-base.so.0.0.0", mtime=when)
            self.link(lib + "/libggml-base.so", "libggml-base.so.0", mtime=when)
        else:
            self.library(lib + "/libggml-base.so", elf_facts.ggml_base(self.version, base),
                         595648, mtime=when)
        for level in ("x64", "sse42", "haswell", "skylakex"):
            name = "libggml-cpu-%s.so" % level
            self.library(lib + "/" + name, elf_facts.shared(
                name + self.version, name, (base, "libstdc++.so.6", "libm.so.6", "libc.so.6")),
                870912, mtime=when)
        self.base_soname = base
        majors = {"0.6.8": ("11", "12"), "0.11.10": ("11", "12")}.get(self.version, ("12", "13"))
        for major in majors:
            self.install_variant(major)
        if self.era != "A" and self.version != "0.12.4":
            self.library(lib + "/vulkan/libggml-vulkan.so", elf_facts.shared(
                "vulkan" + self.version, "libggml-vulkan.so",
                (base, "libvulkan.so.1", "libstdc++.so.6", "libc.so.6")), 54129088, mtime=when)
            self.library(LIBDIR + "/libvulkan.so.1", elf_facts.shared(
                "vulkan loader", "libvulkan.so.1"), 473088)
        if self.era == "C":
            for name in ("libggml.so.0", "libllama.so"):
                self.library(lib + "/" + name, elf_facts.shared(
                    name + self.version, name, (base, "libc.so.6"), runpath="$ORIGIN"), 2400000,
                    mtime=when)
            server = elf_facts.program("llama-server " + self.version,
                                       ("libllama.so", "libggml.so.0", base, "libstdc++.so.6",
                                        "libm.so.6", "libgcc_s.so.1", "libc.so.6"))
            server["runpath"] = "$ORIGIN"
            self.library(lib + "/llama-server", server, 9120344, mtime=when)

    def install_variant(self, major, directory=None, version=None):
        when = self.time(-700000)
        where = (directory or self.ollama_lib) + "/cuda_v" + major
        self.library(where + "/libggml-cuda.so",
                     elf_facts.backend(version or self.version, major, self.base_soname),
                     1190462000 if major == "12" else 702118400, mtime=when)
        release = {"11": "11.3.109", "12": "12.8.90", "13": "13.0.96"}[major]
        for name, size in (("cudart", 728800), ("cublas", 104664640), ("cublasLt", 751771728)):
            soname = "lib%s.so.%s" % (name, major)
            full = "lib%s.so.%s" % (name, release)
            facts = elf_facts.nvidia(name, release)
            if major == "11":
                facts = dict(facts, soname=soname)
            self.library(where + "/" + full, facts, size, mtime=when)
            self.link(where + "/" + soname, full, mtime=when)

    def install_shims(self, directory=None, kinds=None):
        when = self.time(-600000)
        for kind in kinds or self.shims:
            self.library("%s/libvgpu-%s.so" % (directory or self.shim_dir, kind),
                         elf_facts.shim(kind), SHIM_SIZES[kind], mtime=when)
        self.file("/etc/vgpu/devices.toml", '[[device]]\nprofile = "h100-80gb-hbm3"\n'
                  'pci_address = "0000:00:05.0"\nuuid = "%s"\n\n[driver]\n'
                  'version = "570.124.06"\ncuda_version = "12.8"\n' % ollama_log.UUID,
                  mtime=when)

    def shim(self, kind):
        return "%s/libvgpu-%s.so" % (self.shim_dir, kind)

    @property
    def variant_dir(self):
        return self.ollama_lib + "/" + self.variant

    def pci(self, vendor="0x10de", device="0x2331", klass="0x030200", where=PCI_DIR, **more):
        for name, value in (("vendor", vendor), ("device", device), ("class", klass),
                            ("revision", "0xa1"), ("subsystem_vendor", vendor),
                            ("subsystem_device", "0x16c1")):
            self.file(where + "/" + name, value + "\n", mode="0444", size=4096)
        if where == PCI_DIR:
            self.link("/sys/bus/pci/devices/0000:00:05.0",
                      "../../../devices/pci0000:00/0000:00:05.0")

    # The shapes of a deployment.

    def _preload(self):
        self.install_shims()
        self.pci()
        self.file(PCI_DIR + "/resource0", mode="0666", size=16777216)
        self.env["LD_PRELOAD"] = ":".join(self.shim(kind) for kind in self.shims)
        if self.era == "A":
            self.link_shims(LIBDIR, ("cuda", "nvml"))

    def link_shims(self, directory, kinds):
        for kind in kinds:
            target = self.shim(kind)
            if posixpath.dirname(target) == directory:
                target = posixpath.basename(target)
            self.link(directory + "/" + LINKS[kind], target, mtime=self.time(-600000))

    def _path(self):
        self.install_shims()
        self.pci()
        self.link_shims(self.shim_dir, ("cuda", "nvml", "cudart"))
        self.link_shims(self.variant_dir, ("cuda", "nvml", "cudart"))
        self.env["LD_LIBRARY_PATH"] = self.shim_dir

    def _bound(self):
        self.install_shims()
        self.pci("0x1af4", "0x1044", "0x00ff00")
        tree = "/var/lib/vgpu/tree/gpu0"
        self.pci(where=tree)
        self.preload_file = "/etc/vgpu/ld.so.preload"
        self.file(self.preload_file, "".join(self.shim(kind) + "\n" for kind in self.shims),
                  mtime=self.time(-600000))
        self.file("/etc/ld.so.preload", "", mtime=self.time(self.started - 90000))
        target = PCI_DIR.replace(":", "\\:")
        self.settings["BindReadOnlyPaths"] = [self.preload_file + ":/etc/ld.so.preload",
                                              tree + ":" + target]
        self.show_settings["BindReadOnlyPaths"] = " ".join(
            value + ":rbind" for value in self.settings["BindReadOnlyPaths"])
        self.mounts = [
            "412 388 8:1 %s /etc/ld.so.preload ro,relatime - ext4 /dev/sda1 rw" %
            self.preload_file,
            "413 391 8:1 %s %s ro,relatime - ext4 /dev/sda1 rw" % (tree, PCI_DIR)]
        if self.era == "A":
            self.link_shims(LIBDIR, ("cuda", "nvml"))

    def _driver(self):
        self.shims = []
        self.pci()
        for kind, name, size in (("cuda", "libcuda.so", 65000000),
                                 ("nvml", "libnvidia-ml.so", 2200000)):
            self.library("%s/%s.%s" % (LIBDIR, name, RELEASE), elf_facts.nvidia(kind, RELEASE),
                         size)
            self.link("%s/%s.1" % (LIBDIR, name), "%s.%s" % (name, RELEASE))
            self.link("%s/%s" % (LIBDIR, name), name + ".1")
        for name, major, minor in (("nvidia0", 195, 0), ("nvidiactl", 195, 255),
                                   ("nvidia-uvm", 511, 0), ("nvidia-uvm-tools", 511, 1)):
            self.add("/dev/" + name, "chr", mode="0666")
        self.modules = ["nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"] + self.modules
        self.proc_files["driver/nvidia/version"] = (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  %s  Wed Feb 12 03:33:21 UTC 2025\n"
            "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n" % RELEASE)

    def _container(self):
        """The unit runs docker, and docker runs Ollama's image."""
        self._driver()
        self.identifier = "docker"
        self.dropin = ""
        self.remove(self.ollama_lib)
        self.library("/usr/bin/docker", elf_facts.program("docker"), 40000000)
        self.listens = False
        self.serves = True
        image = dict(self.files)
        self.program, self.ollama_lib, self.prefix = "/usr/bin/ollama", "/usr/lib/ollama", "/usr"
        self.files = {}
        self._system()
        self._ollama()
        inside = self.files
        self.files = image
        self.inner = self.pid + 71
        self.inside = "/proc/%d/root" % self.inner
        for path, entry in inside.items():
            entry["path"] = self.inside + path
            self.files[entry["path"]] = entry
        self.give_gpu(True)

    def give_gpu(self, given):
        """Starts the container with the GPU, or without."""
        root = self.inside
        mounts = ["601 560 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/l1",
                  "602 601 0:55 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
                  "603 601 0:56 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755"]
        names = ("libcuda.so." + RELEASE, "libnvidia-ml.so." + RELEASE)
        if given:
            for name in names:
                mounts.append("61%d 601 8:1 %s/%s %s/%s ro,nosuid,nodev,relatime - ext4 /dev/sda1 "
                              "rw" % (names.index(name), LIBDIR, name, LIBDIR, name))
                self.copy(LIBDIR + "/" + name, root + LIBDIR + "/" + name)
                self.link(root + LIBDIR + "/" + name.replace(RELEASE, "1"), name)
            for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
                mounts.append("62%d 603 0:5 /%s /dev/%s rw,nosuid,noexec - devtmpfs udev rw" %
                              (len(mounts), name, name))
                self.add(root + "/dev/" + name, "chr", mode="0666")
        else:
            self.remove(*[path for path in self.files if path.startswith(root) and (
                RELEASE in path or path.startswith(root + "/dev/") or
                path.endswith(("/libcuda.so.1", "/libnvidia-ml.so.1")))])
        self.exec_start = ("/usr/bin/docker run --rm --name ollama %s-p 11434:11434 "
                           "ollama/ollama:%s" % ("--gpus all " if given else "", self.version))
        self.server_exe = "/usr/bin/docker"
        self.user = "root"
        self.processes = [Process(
            self.inner, "/usr/bin/ollama", ["/bin/ollama", "serve"],
            {"PATH": "/usr/local/nvidia/bin:/usr/bin:/bin", "OLLAMA_HOST": "0.0.0.0:11434",
             "LD_LIBRARY_PATH": "/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
             "NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"},
            uid=0, ppid=1900, started=self.started + 1, root=None, mounts=mounts,
            cgroup="/system.slice/docker-%s.scope" % ("9f3b" * 16), fds={3: "socket:[88433]"})]

    def forget_inside(self):
        """A capture made on the host, which has nothing of the container's own files."""
        self.remove(self.inside)
        self.processes[0].root = "/"
        self.installation_captured = False

    # What follows from the above.

    @property
    def process_env(self):
        """What the program was given, beside what systemd adds to every service."""
        given = {"PATH": self.base_path}
        given.update(self.loaded_env if self.loaded_env is not None else self.env)
        given.update(self.extra_environ)
        return dict(self.environ) if self.environ is not None else given

    @property
    def preload_entries(self):
        """What the loader is told to load first, in order."""
        if self.secure or self.static:
            entries = []
        else:
            text = self.process_env.get("LD_PRELOAD", "")
            entries = [e for e in text.replace(" ", ":").split(":") if e]
        if not self.static:
            bound = self.preload_file and self.mounts
            listed = self.files.get(self.preload_file if bound else "/etc/ld.so.preload", {})
            entries += [e for e in listed.get("text", "").replace(":", "\n").split() if e]
        return entries

    @property
    def loader_lines(self):
        """The loader's complaints about this start, one for each entry that it could not load."""
        lines = []
        variable = self.process_env.get("LD_PRELOAD", "")
        for entry in self.preload_entries:
            problem = self.loader_errors.get(entry)
            if problem is None and self.real(entry) is None:
                problem = "cannot open shared object file"
            if problem:
                source = "LD_PRELOAD" if entry in variable else "/etc/ld.so.preload"
                lines.append("ERROR: ld.so: object '%s' from %s cannot be preloaded (%s): "
                             "ignored." % (entry, source, problem))
        return lines + self.extra_loader_lines

    def mapped(self):
        """Paths of the objects in the server, in the order in which they were loaded."""
        names = []
        for entry in self.preload_entries:
            real = self.real(entry)
            if real and entry not in self.loader_errors and entry not in self.not_mapped and \
               real not in names and self.files[real]["type"] == "file":
                names.append(real)
        return names + [p for p in self.extra_objects if p not in names]

    def has_variant(self, name):
        return any(path.startswith("%s/%s/libggml-" % (self.ollama_lib, name))
                   for path in self.files)

    def searched(self):
        """The directories for which era B or C starts a child."""
        wanted = self.process_env.get("OLLAMA_LLM_LIBRARY")
        found = []
        for path in self.files:
            parent = posixpath.dirname(path)
            if posixpath.dirname(parent) == self.ollama_lib and \
               "ggml-" in posixpath.basename(path) and parent not in found:
                found.append(parent)
        if not found:
            return [self.ollama_lib] if self.era == "B" else []
        names = [d for d in found if not wanted or posixpath.basename(d) == wanted]
        return [d for d in names if self.era == "C" or not d.endswith("/vulkan")]

    def duration_seconds(self):
        return float(self.duration[:-2]) / 1000 if self.duration.endswith("ms") else \
            float(self.duration[:-1])

    # Words for faults.

    def lose(self, first_pass=False):
        """Discovery ends without the GPU."""
        if self.discovery == "gpu":
            self.discovery = "cpu"
            self.first_pass = first_pass
        return self

    def say(self, text, level="INFO", source="runner.go:464", wait=0.001):
        """One more line while discovery runs; a raw line where `level` is empty."""
        self.discovery_lines.append((level, source, text, wait))

    def later(self, text, level="INFO", source="sched.go:516", wait=30):
        """One more line after discovery's result."""
        self.later_lines.append((level, source, text, wait))

    def die(self, status, code="exited", result="exit-code", message=()):
        """Every start ends at once."""
        self.crash = {"status": status, "code": code, "result": result}
        self.extra_loader_lines += list(message)
        self.discovery = "none"

    def set_env(self, key, value):
        self.env[key] = value

    def preload(self, entries):
        self.env["LD_PRELOAD"] = ":".join(entries)
