#!/usr/bin/python3 -B
"""The Debian packages: the same bytes each time, nothing that lintian minds, and in a small Debian
they are installed, used, upgraded below a running program, removed and purged without a trace."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases  # noqa: E402
import real_systemd  # noqa: E402

PACKAGING = "tools/dev/packaging"
NAMES = ("vgpu-doctor", "vgpu-doctor-dbg", "vgpu-shims", "vgpu-shims-dbg")
ADDRESS = "0000:00:05.0"
# What dpkg and the system write down of themselves.
THEIR_OWN = r"^/(var/(lib/(dpkg|systemd)|log|cache)|run|tmp|proc|sys|dev|shared|etc/ld\.so\.cache)(/|$)"

NAME_OF_DEVICE = """
import ctypes, sys
cuda, name = ctypes.CDLL("libcuda.so.1"), ctypes.create_string_buffer(96)
assert cuda.cuInit(0) == 0 and cuda.cuDeviceGetName(name, 96, 0) == 0
print(name.value.decode(), flush=True)
if sys.argv[1:]:
    import time
    time.sleep(1)  # the package is exchanged meanwhile
    while not __import__("os").path.exists(sys.argv[1]):
        time.sleep(0.1)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    context = ctypes.c_void_p()
    assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    assert cuda.cuCtxSetCurrent(context) == 0
    assert cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total)) == 0
    print(total.value >> 20, flush=True)
"""


def assemble(directory, packaging=PACKAGING, **environment):
    done = subprocess.run([f"{packaging}/assemble.py", ".", directory], capture_output=True,
                          text=True, env={"PATH": real_systemd.PATH, **environment})
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"assemble.py: {done.returncode}\n{done.stderr}")
    return {path.name.split("_")[0]: str(path) for path in pathlib.Path(directory).iterdir()}


def fields(package):
    return dict(line.split(": ", 1) for line in subprocess.run(
        ["dpkg-deb", "--field", package], capture_output=True, text=True,
        check=True).stdout.splitlines() if not line.startswith(" "))


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="package_test.")
        cls.packages = assemble(cls.directory + "/first")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def test_the_same_bytes_each_time(self):
        before = os.umask(0o077)
        try:
            again = assemble(self.directory + "/again", TZ="Asia/Tokyo", LC_ALL="C.UTF-8")
        finally:
            os.umask(before)
        self.assertEqual(sorted(self.packages), sorted(NAMES))
        for name, package in self.packages.items():
            self.assertEqual(pathlib.Path(package).read_bytes(),
                             pathlib.Path(again[name]).read_bytes(), name)

    def test_they_have_the_version_of_the_programs(self):
        version = re.search(r'kToolVersion\[\] = "(.*)"',
                            pathlib.Path("diag/report/version.h").read_text())[1]
        for name, package in self.packages.items():
            self.assertEqual(fields(package)["Version"], version, name)

    def test_the_doctor_needs_no_library_and_the_shims_no_new_one(self):
        self.assertNotIn("Depends", fields(self.packages["vgpu-doctor"]))
        self.assertRegex(fields(self.packages["vgpu-shims"])["Depends"], r"libc6 \(>= 2\.3[0-6]\)")

    def test_every_schema_is_shipped(self):
        root = os.path.dirname(os.path.realpath(f"{PACKAGING}/files.txt")).removesuffix(PACKAGING)
        # What is below testdata is of others.
        schemas = {str(path.relative_to(root)) for top in ("diag", "tools")
                   for path in pathlib.Path(root, top).rglob("*.schema.json")
                   if "testdata" not in path.parts}
        rows = [line.split() for line in pathlib.Path(PACKAGING, "files.txt").read_text().splitlines()
                if ".schema.json " in line]
        self.assertGreaterEqual(len(rows), 6)
        self.assertEqual({row[2] for row in rows}, schemas)
        for package, kind, source, place in rows:
            self.assertEqual((package, kind, place), (
                "vgpu-doctor", "text", f"usr/share/vgpu-doctor/{os.path.basename(source)}"))
            # Named by the form that it is of, as outputs name it.
            name = os.path.basename(source).removesuffix(".schema.json")
            title = json.loads(pathlib.Path(root, source).read_text())["title"]
            self.assertRegex(title, rf"^vgpu-doctor\.{name}/\d+$")

    def test_lintian_finds_nothing(self):
        if not shutil.which("lintian", path=real_systemd.PATH):
            self.skipTest("lintian is not installed (tools/dev/clients does it)")
        done = subprocess.run(
            ["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
             *self.packages.values()], capture_output=True, text=True,
            env={"PATH": real_systemd.PATH, "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_installed_upgraded_removed(self):
        newer = os.path.join(self.directory, "newer")
        shutil.copytree(PACKAGING, newer)
        changelog = pathlib.Path(newer, "changelog")
        version = fields(self.packages["vgpu-shims"])["Version"]
        text = changelog.read_text()
        changelog.unlink()
        changelog.write_text(text.replace(f"({version})", f"({version}+1)", 1))
        upgraded = assemble(self.directory + "/upgraded", newer)

        with real_systemd.RealSystemd() as system:
            def listed():
                return {line for line in system.run(
                    "find", "/", "-xdev", "-printf", "%p %m %U %l\n").stdout.splitlines()
                    if not re.match(THEIR_OWN, line.split(" ")[0])}

            def install(packages):
                for name in NAMES:
                    system.copy(packages[name], f"/tmp/{name}.deb", 0o644)
                system.run("dpkg", "-i", *(f"/tmp/{name}.deb" for name in NAMES))
                # Every file is as its package has it.
                self.assertEqual(system.run("dpkg", "--verify", *NAMES).stdout, "")

            before = listed()
            install(self.packages)
            self.assertIn(version, system.run("vgpu-doctor", "--version").stdout)
            self.assertEqual(system.run("vgpu-doctor", "check", check=False).returncode, 1)
            seen = system.run("vgpu-run", "--", "cat", f"/sys/bus/pci/devices/{ADDRESS}/vendor")
            self.assertEqual(seen.stdout, "0x10de\n")
            triplet = "/".join(system.run("dpkg", "-L", "vgpu-shims").stdout.partition(
                "/libvgpu-cuda.so")[0].splitlines()[-1].split("/"))
            path = {"LD_LIBRARY_PATH": triplet}
            system.write("/tmp/name.py", NAME_OF_DEVICE)
            self.assertEqual(system.run("python3", "/tmp/name.py", environment=path).stdout,
                             "NVIDIA H100 80GB HBM3\n")

            # As the runbooks look for them.
            find = re.search(r"^\$ V=(.*)$", pathlib.Path("diag/runbooks/VG403.md").read_text(), re.M)[1]
            self.assertEqual(system.run("sh", "-c", f"echo {find}").stdout, f"{triplet}\n")

            # The example is a drop-in that systemd is content with.
            system.write("/etc/systemd/system/ollama.service",
                         "[Unit]\nDescription=Ollama\n[Service]\nExecStart=/bin/true\n")
            system.run("install", "-D", "-m", "644",
                       "/usr/share/doc/vgpu-shims/examples/ollama.conf",
                       "/etc/systemd/system/ollama.service.d/vgpu.conf")
            verified = system.run("systemd-analyze", "verify", "ollama.service")
            self.assertEqual(verified.stdout + verified.stderr, "")
            self.assertIn(f"LD_LIBRARY_PATH={triplet}",
                          system.run("cat", "/etc/systemd/system/ollama.service.d/vgpu.conf").stdout)
            system.run("rm", "-r", "/etc/systemd/system/ollama.service.d",
                       "/etc/systemd/system/ollama.service")

            self.metrics(system)

            # Below a program that has the shims mapped: no SIGBUS, and it goes on as it was.
            system.run("systemd-run", "--unit=uses-it", "--remain-after-exit",
                       "--property=StandardOutput=file:/tmp/said",
                       f"--setenv=LD_LIBRARY_PATH={triplet}", "python3", "/tmp/name.py", "/tmp/go")
            install(upgraded)
            system.run("touch", "/tmp/go")
            system.run("sh", "-c", "for i in $(seq 100); do systemctl show -p SubState uses-it | "
                       "grep -q exited && break; sleep 0.1; done")
            self.assertEqual(system.read("/tmp/said"), "NVIDIA H100 80GB HBM3\n81920\n")
            self.assertIn("Result=success", system.run("systemctl", "show", "uses-it").stdout)
            system.run("systemctl", "stop", "uses-it")

            system.run("dpkg", "--remove", *NAMES)
            system.run("dpkg", "--purge", *NAMES)
            self.assertEqual(listed(), before)

    def metrics(self, system):
        """The example service for a node exporter: what it writes is what is said outside of it."""
        units = [line for line in system.run("dpkg", "-L", *NAMES).stdout.splitlines()
                 if line.endswith((".service", ".timer"))]
        self.assertEqual(len(units), 2, units)
        system.run("install", "-m", "644", "-t", "/etc/systemd/system", *units)
        names = [os.path.basename(unit) for unit in units]
        # A server to look at, of another user: root reads it by its capabilities.
        system.write("/etc/systemd/system/ollama.service",
                     "[Service]\nUser=nobody\nEnvironment=OLLAMA_HOST=127.0.0.1:4711\n"
                     "ExecStart=/bin/sleep infinity\n")
        # As prometheus-node-exporter has it.
        system.run("install", "-d", "-o", "daemon", "-g", "daemon", "/var/lib/prometheus/node-exporter")
        system.run("systemctl", "daemon-reload")
        # The container has no man; the page is the one that the package has.
        verified = system.run("systemd-analyze", "verify", "--man=no", *names)
        self.assertEqual(verified.stdout + verified.stderr, "")
        for unit in units:
            self.assertEqual(re.findall(r"^Documentation=(.*)$", system.read(unit), re.M),
                             ["man:vgpu-doctor(1)"])
        # systemd counts what a service may do, from 0 to 10; without a directive it is 9.6.
        rated = system.run("systemd-analyze", "security", "--no-pager", names[0])
        self.assertLess(float(re.search(r"level for .*: ([\d.]+)", rated.stdout)[1]), 6, rated.stdout)

        system.run("systemctl", "start", "ollama.service", names[0])
        written = "/var/lib/prometheus/node-exporter/vgpu.prom"
        self.assertEqual(system.run("stat", "-c", "%a %U", written).stdout, "644 root\n")
        outside = system.run("vgpu-doctor", "check", "--format", "prometheus", check=False)
        self.assertEqual(outside.returncode, 3)  # what runs there is not Ollama
        self.assertIn('vgpu_doctor_verdict{unit="ollama.service",verdict="inconclusive"} 1',
                      outside.stdout)

        def lasting(text):
            return re.sub(r"(timestamp_seconds\S*) .*", r"\1", text)

        self.assertEqual(lasting(system.read(written)), lasting(outside.stdout))
        system.run("systemctl", "enable", "--now", names[1])
        self.assertEqual(system.run("systemctl", "is-active", names[1]).stdout, "active\n")
        system.run("systemctl", "disable", "--now", names[1])
        system.run("systemctl", "stop", "ollama.service")
        system.run("rm", "-r", "/var/lib/prometheus", "/etc/systemd/system/ollama.service",
                   *(f"/etc/systemd/system/{name}" for name in names))
        system.run("systemctl", "daemon-reload")


if __name__ == "__main__":
    cases.run()
