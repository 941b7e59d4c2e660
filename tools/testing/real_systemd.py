"""A real systemd to test with: a small Debian that boots in a container of the test's own.

    with RealSystemd() as system:
        system.copy("tools/vgpu_run/vgpu-run", "/usr/bin/vgpu-run")
        system.run("systemctl", "daemon-reload")

The container is systemd-nspawn's, in a mount namespace in which /run is a tmpfs, so that
nothing is registered with a service manager of this machine, and nothing is left (measured:
systemd 252; without that tmpfs nspawn refuses). Its network is its own, with loopback alone. Every
change goes to an overlay above the root that `tools/dev/clients system` made.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_SECONDS = 60


def root():
    """The directory of the Debian that boots. Skips where it cannot be had or cannot boot here."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("a container that boots systemd needs root")
    if not shutil.which("systemd-nspawn", path=PATH):
        raise unittest.SkipTest("systemd-nspawn is not installed (Debian: systemd-container)")
    asked = subprocess.run(["tools/dev/clients", "--path", "system"], capture_output=True,
                           text=True)
    if asked.returncode != 0:
        raise unittest.SkipTest(asked.stderr.strip().removeprefix("clients: "))
    return os.path.join(asked.stdout.strip(), "root")


class RealSystemd:
    def __init__(self, lower=None, layers=()):
        """`layers` are directories that lie above the root, the first one on top."""
        self._lower = ":".join([*layers, lower or root()])

    def __enter__(self):
        self._directory = tempfile.mkdtemp(prefix="systemd.", dir=os.environ.get("TEST_TMPDIR"))
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self._directory, name))
        # What the tests copy and read from outside; the root itself is seen inside only.
        self.shared = os.path.join(self._directory, "shared")
        os.mkdir(self.shared)
        script = (
            'mount -t tmpfs tmpfs /run && cd "$1" && '
            'mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root && '
            'exec systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe '
            '--bind="$1/shared:/shared" -D root -b')
        # What differs from below, as overlayfs keeps it.
        self.upper = os.path.join(self._directory, "upper")
        self._log = open(os.path.join(self._directory, "console"), "wb")
        self._nspawn = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
             self._directory, self._lower],
            env={"PATH": PATH}, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=subprocess.STDOUT, start_new_session=True)
        self._inner = None
        try:
            self._wait_until_booted()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._nspawn.poll() is None:
            if self._inner:
                self.run("systemctl", "poweroff", "--force", check=False)
            try:
                self._nspawn.wait(timeout=15)
            except subprocess.TimeoutExpired:
                # nspawn ends its container when it is asked to.
                self._nspawn.send_signal(signal.SIGTERM)
                try:
                    self._nspawn.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    self._nspawn.kill()
                    self._nspawn.wait()
        self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _children(self, process):
        try:
            text = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text()
        except OSError:
            return []
        return [int(word) for word in text.split()]

    def _find_inner(self):
        """systemd: the only descendant of nspawn that is the first of its PID namespace."""
        waiting = [self._nspawn.pid]
        while waiting:
            process = waiting.pop()
            try:
                status = pathlib.Path(f"/proc/{process}/status").read_text()
                command = pathlib.Path(f"/proc/{process}/comm").read_text().strip()
            except OSError:
                continue
            numbers = [line.split()[1:] for line in status.splitlines()
                       if line.startswith("NSpid:")]
            if command == "systemd" and numbers and len(numbers[0]) > 1 and numbers[0][-1] == "1":
                return process
            waiting += self._children(process)
        return None

    def _wait_until_booted(self):
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            if self._nspawn.poll() is not None:
                break
            self._inner = self._inner or self._find_inner()
            if self._inner:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.1)
        self._log.flush()
        said = pathlib.Path(self._log.name).read_text(errors="replace").strip().splitlines()
        raise unittest.SkipTest("systemd did not boot in a container here: "
                                + (said[-1] if said else "nothing was said"))

    def run(self, *command, check=True, timeout=60, environment=None):
        """Runs a command inside, as root."""
        variables = [f"{key}={value}" for key, value in
                     {"PATH": PATH, "LC_ALL": "C.UTF-8", **(environment or {})}.items()]
        done = subprocess.run(
            ["nsenter", "-t", str(self._inner), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w",
             "env", "-i", *variables, *command],
            env={"PATH": PATH}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: exit status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def connect(self, other, own="10.99.0.1", others="10.99.0.2"):
        """A cable between the networks of two containers; each end has its address. Nothing of it
        is in the network of this machine."""
        if not shutil.which("ip", path=PATH):
            raise unittest.SkipTest("ip is not installed (Debian: iproute2)")
        # Process ids as this machine counts them: only the networks are those of the containers.
        for system, command in (
                (self, f"link add name cable type veth peer name cable netns {other._inner}"),
                (self, f"addr add {own}/24 dev cable"), (self, "link set cable up"),
                (other, f"addr add {others}/24 dev cable"), (other, "link set cable up")):
            done = subprocess.run(["nsenter", "-t", str(system._inner), "-n", "ip",
                                   *command.split()], env={"PATH": PATH}, capture_output=True,
                                  text=True)
            if done.returncode != 0:
                raise unittest.SkipTest(f"ip {command}: {done.stderr.strip()}")

    def copy(self, source, target, mode=0o755):
        """A file of this machine, inside: a new file, then rename(2), as a package does it."""
        name = os.path.basename(target)
        shutil.copyfile(source, os.path.join(self.shared, name))
        self.run("install", "-D", "-m", oct(mode)[2:], f"/shared/{name}", target + ".new")
        self.run("mv", target + ".new", target)

    def write(self, target, text, mode=0o644):
        with tempfile.NamedTemporaryFile("w", dir=self._directory) as file:
            file.write(text)
            file.flush()
            self.copy(file.name, target, mode)

    def read(self, path):
        return self.run("cat", path).stdout
