"""A machine with Ollama and a virtual GPU, to break: a real systemd in a container of its own
(tools/testing/real_systemd.py), the shims, and a server.

    with machine.Machine("A", machine.PRELOAD) as host:
        host.restart()
        report = host.check()

Era A is the real Ollama v0.6.8. Eras B and C are a stand-in (stand_in/main.cc), which makes the
same calls into a real CUDA backend and prints the same lines: the real ones need a Go, and a CMake,
that Debian 12 does not have. The backend is llama.cpp's, as node-llama-cpp brings it; cuBLAS is a
stand-in, because NVIDIA's holds a runtime of its own, which works with no virtual driver.

What packages put on a machine (Ollama, the shims, the doctor) is a layer below the container's
root. What configures the machine, what breaks it and what repairs it are changes above:
Machine.changes() lists them with their hashes.
"""

import atexit
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

# How the shims come into the service.
PRELOAD = "preload"  # LD_PRELOAD of a drop-in
PATH = "path"        # LD_LIBRARY_PATH of a drop-in, and links beside the backend
UNIT = "unit"        # vgpu-run unit --install: a preload list that the unit alone sees
WAYS = (PRELOAD, PATH, UNIT)

SERVICE = "ollama.service"
FRAGMENT = f"/etc/systemd/system/{SERVICE}"
DROPIN = f"{FRAGMENT}.d/vgpu.conf"
SHIMS = "/usr/lib/vgpu"
OLLAMA = "/usr/local/bin/ollama"
LIBRARIES = "/usr/local/lib/ollama"
VARIANT = f"{LIBRARIES}/cuda_v12"
PACKAGE = "/usr/share/vgpu/package"  # the shims' files, to install from
ORDER = ("exec", "syscall", "cuda", "nvml", "cudart")
OLLAMA_USER = 998
OPERATOR = 1000

VERSIONS = {"A": "0.6.8", "B": "0.13.5", "C": "0.33.0"}

# As Ollama's installer writes it (scripts/install.sh).
UNIT_TEXT = f"""\
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart={OLLAMA} serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

[Install]
WantedBy=default.target
"""

# What systemd, the journal and the service keep for themselves.
OWN_DOING = ("var/log", "var/lib/systemd", "var/cache", "var/tmp", "run", "tmp", "shared",
             "etc/machine-id", "etc/.updated", "var/.updated", "usr/share/ollama")


def preload(*kinds, directory=SHIMS):
    return ":".join(f"{directory}/libvgpu-{kind}.so" for kind in kinds or ORDER)


def dropin(*lines):
    return "\n".join(("[Service]", *lines)) + "\n"


def environment(**variables):
    return dropin(*(f'Environment="{name}={value}"' for name, value in variables.items()))


# The layer of packages.

def _client(group):
    asked = subprocess.run(["tools/dev/clients", "--path", group], capture_output=True, text=True,
                           check=False)
    if asked.returncode != 0:
        raise unittest.SkipTest(asked.stderr.strip().removeprefix("clients: "))
    return asked.stdout.strip()


def _temporary(prefix):
    directory = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TEST_TMPDIR"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.chmod(directory, 0o755)
    return directory


def _put(source, target, mode=0o755):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, mode)


def _put_large(source, target):
    """A link where both are on one file system: nothing below the container's root is written."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        os.chmod(target, 0o755)


_LAYERS = {}


def layer(era):
    """What packages put on the machine. One for each era, made once."""
    if era in _LAYERS:
        return _LAYERS[era]
    top = _temporary("layer.")
    base = real_systemd.root()
    for name, entries in (
            ("passwd", (f"ollama:x:{OLLAMA_USER}:{OLLAMA_USER}::/usr/share/ollama:/bin/false",
                        f"operator:x:{OPERATOR}:{OPERATOR}::/home/operator:/bin/sh")),
            # Without a password, and not locked.
            ("shadow", ("ollama:*:19000:0:99999:7:::", "operator:*:19000:0:99999:7:::")),
            ("group", (f"ollama:x:{OLLAMA_USER}:", f"operator:x:{OPERATOR}:"))):
        with open(f"{base}/etc/{name}", encoding="utf-8") as file:
            text = file.read()
        os.makedirs(f"{top}/etc", exist_ok=True)
        with open(f"{top}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text + "\n".join(entries) + "\n")
    os.makedirs(f"{top}/usr/share/ollama")
    os.chown(f"{top}/usr/share/ollama", OLLAMA_USER, OLLAMA_USER)
    os.makedirs(f"{top}/home/operator")
    os.chown(f"{top}/home/operator", OPERATOR, OPERATOR)

    for program in ("tools/vgpu_doctor/vgpu-doctor", "tools/vgpu_run/vgpu-run"):
        _put(program, f"{top}/usr/bin/{os.path.basename(program)}")
    shims = ("shims/cuda/libvgpu-cuda.so", "shims/nvml/libvgpu-nvml.so",
             "shims/cudart/libvgpu-cudart.so", "shims/cudart/libvgpu-cudart13.so",
             "shims/syscall/libvgpu-syscall.so", "shims/exec/libvgpu-exec.so")
    subprocess.run(["shims/lay_out", f"{top}{SHIMS}", *shims], check=True)

    subprocess.run(["shims/lay_out", f"{top}{PACKAGE}", *shims], check=True)

    node = f"{_client('node')}/node_modules/@node-llama-cpp"
    _put(f"{node}/linux-x64-cuda/bins/linux-x64-cuda/libggml-base.so",
         f"{top}{LIBRARIES}/libggml-base.so")
    _put_large(f"{node}/linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so",
               f"{top}{VARIANT}/libggml-cuda.so")
    _put("shims/testing/cublas_stand_in/libcublas-stand-in12.so", f"{top}{VARIANT}/libcublas.so.12")
    _put(f"{_client('headers')}/nvidia/cuda_runtime/lib/libcudart.so.12",
         f"{top}{VARIANT}/libcudart.so.12.8.90")
    os.symlink("libcudart.so.12.8.90", f"{top}{VARIANT}/libcudart.so.12")
    if era == "A":
        _put(f"{_client('ollama')}/bin/ollama", f"{top}{OLLAMA}")
    else:
        _put("tools/vgpu_doctor/live/stand_in/ollama_stand_in", f"{top}{OLLAMA}")
    if era == "C":
        _put("tools/vgpu_doctor/live/stand_in/ollama_stand_in", f"{top}{LIBRARIES}/llama-server")
    os.makedirs(f"{top}{os.path.dirname(FRAGMENT)}", exist_ok=True)
    with open(f"{top}{FRAGMENT}", "w", encoding="utf-8") as file:
        file.write(UNIT_TEXT)
    _LAYERS[era] = top
    return top


class Machine(real_systemd.RealSystemd):
    def __init__(self, era="A", way=PRELOAD):
        super().__init__(layers=[layer(era)])
        self.era, self.way = era, way
        self.log_file = None  # where the service logs, if that is not the journal
        self.patience = 12    # seconds; of discovery's
        self.judged = SERVICE

    # Files.

    def changes(self):
        """What differs from the packages' files: {path: what it is}. systemd's own, the journal and
        the service's home are left out."""
        top = self.upper
        found = {}
        for directory, names, files in os.walk(top):
            for name in [*names, *files]:
                path = os.path.join(directory, name)
                relative = os.path.relpath(path, top)
                if any(relative == own or relative.startswith(own + "/") for own in OWN_DOING):
                    continue
                try:
                    what = _describe(path)
                except FileNotFoundError:
                    continue
                if what is not None:
                    found["/" + relative] = what
        return found

    def sh(self, script, check=True, timeout=60):
        return self.run("sh", "-c", script, check=check, timeout=timeout)

    def library(self, target, source, *flags):
        """Compiles a shared library with this machine's compiler and puts it there."""
        self.program(target, source, "-shared", "-fPIC", *flags)

    def program(self, target, source, *flags):
        with tempfile.TemporaryDirectory(dir=self._directory) as directory:
            with open(f"{directory}/it.c", "w", encoding="utf-8") as file:
                file.write(source)
            done = subprocess.run(["gcc", "-O1", "-w", "-o", f"{directory}/it", f"{directory}/it.c",
                                   *flags], capture_output=True, text=True,
                                  cwd=directory, check=False)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
            self.copy(f"{directory}/it", target)

    def patch(self, path, *pairs):
        """Replaces bytes in a file, as a new file: (old, new) of one length each."""
        content = self.bytes(path)
        for old, new in pairs:
            if len(old) != len(new) or old not in content:
                raise AssertionError(f"{path} does not hold {old!r}")
            content = content.replace(old, new)
        self.put(path, content)

    def bytes(self, path):
        self.run("cp", path, "/shared/fetched")
        with open(f"{self.shared}/fetched", "rb") as file:
            return file.read()

    def put(self, path, content, mode=0o755):
        with tempfile.NamedTemporaryFile(dir=self._directory) as file:
            file.write(content)
            file.flush()
            self.copy(file.name, path, mode)

    def reinstall(self, path):
        """A file or a directory as its package has it."""
        source = layer(self.era) + path
        name = os.path.basename(path)
        target = os.path.join(self.shared, name)
        if os.path.isdir(source):
            # What is large has not been touched.
            shutil.copytree(source, target, symlinks=True,
                            ignore=shutil.ignore_patterns("libggml-cuda.so"))
            self.sh(f"cp -a /shared/{name}/. {path}/ && rm -r /shared/{name}")
        else:
            self.copy(source, path, stat.S_IMODE(os.stat(source).st_mode))

    @property
    def inner(self):
        """The PID of its systemd, as this machine has it."""
        return self._inner

    # The service.

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("it did not come about")
            time.sleep(0.1)

    def install(self):
        """Enables the service, configures it for the shims, and starts it."""
        self.run("systemctl", "enable", "--quiet", SERVICE)
        if self.way == UNIT:
            self.run("vgpu-run", "unit", "--service", SERVICE, "--install")
        else:
            self.write(DROPIN, environment(**self.variables()))
            if self.way == PATH:
                self.sh(f"ln -sfn {SHIMS}/libcudart.so.12 {VARIANT}/libcudart.so.12")
        return self.restart()

    def variables(self, **changed):
        """What the drop-in sets."""
        if self.way == PATH:
            found = {"LD_LIBRARY_PATH": SHIMS}
        else:
            found = {"LD_PRELOAD": preload()}
            # Era A opens the driver by a path, for which it looks in these directories.
            if self.era == "A":
                found["LD_LIBRARY_PATH"] = SHIMS
        return found | changed

    def remove(self):
        """The inverse of install()."""
        self.run("systemctl", "disable", "--quiet", "--now", SERVICE, check=False)
        if self.way == UNIT:
            self.run("vgpu-run", "unit", "--service", SERVICE, "--remove")
        else:
            self.sh(f"rm -f {DROPIN}; rmdir {FRAGMENT}.d || true")
            if self.way == PATH:
                self.sh(f"ln -sfn libcudart.so.12.8.90 {VARIANT}/libcudart.so.12")
        self.run("systemctl", "daemon-reload")

    def reload(self):
        self.run("systemctl", "daemon-reload")

    def restart(self, reload=True):
        """Restarts the service and waits until discovery is over: its result, "" without one."""
        if reload:
            self.reload()
        # It may be a unit that cannot start.
        self.run("systemctl", "reset-failed", SERVICE, check=False)
        self.run("systemctl", "restart", SERVICE, check=False)
        return self.settle()

    def show(self, *names):
        """Properties of the unit."""
        text = self.run("systemctl", "show", self.judged,
                        *(f"--property={name}" for name in names), check=False).stdout
        found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return [found.get(name, "") for name in names]

    def settle(self):
        """Waits for the result of discovery of the present start, or for a start that failed."""
        end = time.monotonic() + self.patience
        while True:
            result = self.discovered()
            state, restarts, invocation = self.show("ActiveState", "NRestarts", "InvocationID")
            if result or state in ("failed", "inactive") or time.monotonic() > end:
                return result
            # It dies again and again: seen three times is seen.
            if restarts.isdigit() and int(restarts) >= 2:
                return ""
            time.sleep(0.1)

    def discovered(self):
        """The last `inference compute` line of the running process; "" without one."""
        pid, = self.show("MainPID")
        if pid in ("", "0"):
            return ""
        log = self.read(self.log_file) if self.log_file else self.log(f"_PID={pid}")
        lines = [line for line in log.splitlines()
                 if 'msg="inference compute"' in line]
        return lines[-1] if lines else ""

    def log(self, *matches):
        return self.run("journalctl", "--no-pager", "--output=cat", *(matches or ("-u", SERVICE)),
                        check=False).stdout

    # The doctor.

    def doctor(self, *arguments, timeout=60, **options):
        return self.run("vgpu-doctor", *arguments, check=False, timeout=timeout, **options)

    def check(self, *arguments):
        """The report of `vgpu-doctor check`."""
        done = self.doctor("check", "--unit", self.judged, "--format", "json", *arguments)
        if done.returncode not in (0, 1, 3):
            raise AssertionError(f"exit status {done.returncode}: {done.stderr[-1000:]}")
        return json.loads(done.stdout)

    def verify(self, *arguments):
        """The result of `vgpu-doctor verify`."""
        done = self.doctor("verify", "--unit", self.judged, "--format", "json", *arguments,
                           timeout=180)
        if done.returncode not in (0, 1, 3):
            raise AssertionError(f"exit status {done.returncode}: {done.stderr[-1000:]}")
        result = json.loads(done.stdout)
        if (done.returncode == 0) != (result["verdict"] == "healthy"):
            raise AssertionError(f"exit status {done.returncode}, and it says {result['verdict']}")
        return result


def _describe(path):
    """None for what is only there to hold something else."""
    seen = os.lstat(path)
    if stat.S_ISDIR(seen.st_mode):
        return None
    if stat.S_ISCHR(seen.st_mode) and seen.st_rdev == 0:
        return "removed"  # overlayfs: a whiteout
    owner = f"{seen.st_uid}:{seen.st_gid} {stat.filemode(seen.st_mode)}"
    if stat.S_ISLNK(seen.st_mode):
        return f"{owner} -> {os.readlink(path)}"
    if not stat.S_ISREG(seen.st_mode):
        return owner
    with open(path, "rb") as file:
        return f"{owner} {hashlib.file_digest(file, 'sha256').hexdigest()}"
