#!/usr/bin/python3 -B
"""vgpu-run starts programs with the device's files in view, and leaves nothing behind."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

RUN = os.path.abspath("tools/vgpu_run/vgpu-run")
ADDRESS = "0000:00:05.0"
# No machine has a function there: the thirty-second of bus 0.
FREE = "0000:00:1f.7"


NO_PCI = "this kernel shows no PCI bus (/sys/bus/pci/devices)"


def unprivileged():
    """The beginning of a command that runs the rest as nobody; None where that is not allowed."""
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    if os.geteuid() != 0:
        return []
    tried = subprocess.run(command + ["unshare", "-rm", "true"], capture_output=True)
    return command if tried.returncode == 0 else None


class InView:
    """What every way of vgpu-run shows."""

    OPTIONS = ()

    def setUp(self):
        reason = self.why_not()
        if reason:
            self.skipTest(reason)
        self.directory = tempfile.TemporaryDirectory()
        os.chmod(self.directory.name, 0o755)

    def tearDown(self):
        if hasattr(self, "directory"):
            self.directory.cleanup()

    def config(self, text):
        path = pathlib.Path(self.directory.name, "devices.toml")
        path.write_text(text)
        return str(path)

    def run_in_view(self, *command, config=None, prefix=(), **options):
        environment = dict(os.environ)
        environment.pop("VGPU_CONFIG", None)
        if config:
            environment["VGPU_CONFIG"] = self.config(config)
        return subprocess.run(
            [*prefix, RUN, "--files-only", *self.OPTIONS, "--", *command],
            capture_output=True, text=True, env=environment, timeout=60, **options)

    def files_of(self, address, **options):
        done = self.run_in_view(
            "cat", *(f"/sys/bus/pci/devices/{address}/{name}"
                     for name in ("vendor", "device", "class")), **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_device_is_in_view_at_its_address(self):
        self.assertEqual(self.files_of(ADDRESS), ["0x10de", "0x2331", "0x030200"])

    def test_device_that_the_host_has_not_stands_beside_its_own(self):
        config = f'[[device]]\nprofile = "t4"\npci_address = "{FREE}"\n'
        self.assertEqual(self.files_of(FREE, config=config), ["0x10de", "0x1eb8", "0x030200"])
        listed = self.run_in_view("ls", "/sys/bus/pci/devices", config=config).stdout.split()
        self.assertEqual(listed, sorted([*os.listdir("/sys/bus/pci/devices"), FREE]))
        # Each of the host's own is what it was.
        for name in os.listdir("/sys/bus/pci/devices"):
            vendor = pathlib.Path("/sys/bus/pci/devices", name, "vendor").read_text().split()
            seen = self.run_in_view("cat", f"/sys/bus/pci/devices/{name}/vendor", config=config)
            self.assertEqual(seen.stdout.split(), vendor, name)

    def test_driver_and_real_path(self):
        done = self.run_in_view(
            "sh", "-c", f"readlink -f /sys/bus/pci/devices/{ADDRESS}/driver; "
            f"readlink -f /sys/bus/pci/drivers/nvidia/{ADDRESS}; cat /proc/driver/nvidia/version")
        driver, device, version = done.stdout.splitlines()
        self.assertEqual(driver, "/sys/bus/pci/drivers/nvidia")
        self.assertTrue(device.startswith("/sys/devices/pci0000:00/"), device)
        self.assertTrue(version.startswith("NVRM version: "), version)

    def test_child_with_an_empty_environment_sees_it(self):
        done = self.run_in_view("env", "-i", "/bin/cat", f"/sys/bus/pci/devices/{ADDRESS}/vendor")
        self.assertEqual(done.stdout, "0x10de\n")

    def test_nothing_is_left_on_the_host(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        self.run_in_view("true")
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)

    def test_exit_status_signal_directory_and_descriptors_pass_through(self):
        self.assertEqual(self.run_in_view("sh", "-c", "exit 42").returncode, 42)
        self.assertEqual(self.run_in_view("sh", "-c", "kill -TERM $$").returncode, -signal.SIGTERM)
        done = self.run_in_view("pwd", cwd=self.directory.name)
        self.assertEqual(done.stdout.strip(), os.path.realpath(self.directory.name))
        done = self.run_in_view("ls", "/proc/self/fd")
        self.assertEqual(done.stdout.split(), ["0", "1", "2", "3"])  # 3 is ls's own

    def test_working_directory_below_a_mount_is_the_new_one(self):
        if not os.path.isdir(f"/sys/bus/pci/devices/{ADDRESS}"):
            reason = f"this machine has no function at {ADDRESS}"
            self.skipTest(reason)
        done = self.run_in_view("cat", "vendor", cwd=f"/sys/bus/pci/devices/{ADDRESS}")
        self.assertEqual(done.stdout, "0x10de\n")

    def test_a_command_that_is_not_there(self):
        done = self.run_in_view("no-such-command")
        self.assertEqual(done.returncode, 127)
        self.assertIn("no-such-command: No such file or directory", done.stderr)
        done = self.run_in_view("/etc/passwd")
        self.assertEqual(done.returncode, 126)

    def test_a_broken_configuration_starts_nothing(self):
        done = self.run_in_view("echo", "started", config="[[device]]\nprofile = \"gtx\"\n")
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertIn("configuration", done.stderr)

class MountTest(InView, unittest.TestCase):
    @staticmethod
    def why_not():
        """Why this machine cannot run these tests; None: it can."""
        if not os.path.isdir("/sys/bus/pci/devices"):
            return NO_PCI
        tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
        if tried.returncode != 0:
            tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True)
        return None if tried.returncode == 0 else "no mount namespace: " + tried.stderr.strip()

    def test_unprivileged_user_sees_it_and_stays_who_they_are(self):
        prefix = unprivileged()
        if prefix is None:
            reason = "this kernel gives nobody no user namespace"
            self.skipTest(reason)
        self.assertEqual(self.files_of(ADDRESS, prefix=prefix, cwd="/"),
                         ["0x10de", "0x2331", "0x030200"])
        done = self.run_in_view("id", "-u", prefix=prefix, cwd="/")
        self.assertEqual(done.stdout.strip(), "65534" if prefix else str(os.geteuid()))

    def test_where_the_kernel_allows_no_namespace_it_says_which_way_is_left(self):
        # The limit is that of the user namespace, which is the test's own.
        limited = ("echo 0 >/proc/sys/user/max_user_namespaces && "
                   "exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \"$@\"")
        prefix = ["unshare", "-r", "sh", "-c", limited, "sh"]
        if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
            reason = "no user namespace to set a limit in"
            self.skipTest(reason)
        done = self.run_in_view("echo", "started", prefix=prefix)
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        for words in ("user namespace", "run vgpu-run as root", "--notify", "libvgpu-syscall.so"):
            self.assertIn(words, done.stderr)

    def test_libudev_is_told_not_to_ask_for_sysfs(self):
        name = "SYSTEMD_DEVICE_VERIFY_SYSFS"
        self.assertEqual(self.run_in_view("printenv", name).stdout, "0\n")
        done = self.run_in_view("printenv", name, prefix=("env", f"{name}=1"))
        self.assertEqual(done.stdout, "1\n")

    def test_what_is_not_the_devices_can_be_written_as_before(self):
        controls = [path for path in pathlib.Path("/sys/bus/pci/devices").glob("*/power/control")
                    if os.access(path, os.W_OK) and ADDRESS not in str(path)]
        if not controls:
            reason = "no file of a PCI function here can be written"
            self.skipTest(reason)
        for config in (None, f'[[device]]\npci_address = "{FREE}"\n'):
            done = self.run_in_view("test", "-w", str(controls[0]), config=config)
            self.assertEqual(done.returncode, 0)

    def test_missing_shims_are_named(self):
        done = subprocess.run([RUN, "--shims", "/nonexistent", "--", "true"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 125)
        self.assertIn("/nonexistent/libvgpu-", done.stderr)


class NotifyTest(InView, unittest.TestCase):
    OPTIONS = ("--notify",)

    @staticmethod
    def why_not():
        """Why this machine cannot run these tests; None: it can."""
        if not os.path.isdir("/sys/bus/pci/devices"):
            return NO_PCI
        tried = subprocess.run([RUN, "--files-only", "--notify", "--", "true"],
                               capture_output=True, text=True)
        return None if tried.returncode == 0 else tried.stderr.strip()

    def test_its_directory_is_removed(self):
        self.assertEqual(
            self.run_in_view("true", prefix=("env", "TMPDIR=" + self.directory.name)).returncode, 0)
        self.assertEqual(os.listdir(self.directory.name), [])

    def test_a_child_that_outlives_the_command_is_answered(self):
        done = self.run_in_view(
            "sh", "-c", f"(sleep 0.3; cat /sys/bus/pci/devices/{ADDRESS}/vendor) & exit 5")
        self.assertEqual((done.returncode, done.stdout), (5, "0x10de\n"))

    def test_a_signal_to_it_is_passed_on(self):
        process = subprocess.Popen(
            [RUN, "--files-only", "--notify", "--", "sh", "-c",
             "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
            stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual(process.stdout.read(), "got\n")
        self.assertEqual(process.wait(timeout=30), 9)

    def test_when_it_is_killed_calls_fail_and_nothing_hangs(self):
        process = subprocess.Popen(
            [RUN, "--files-only", "--notify", "--", "sh", "-c",
             "echo ready; read line; if true < /etc/passwd; then echo opened; else echo failed; fi"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.kill()
        process.wait(timeout=30)
        process.stdin.write("go\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.read(), "failed\n")
        process.stdin.close()
        process.stdout.close()

    def test_many_threads_that_open_files_get_right_answers(self):
        script = ("import threading\n"
                  f"paths = ['/sys/bus/pci/devices/{ADDRESS}/vendor', '/proc/self/stat']\n"
                  "wrong = []\n"
                  "def work():\n"
                  "    for i in range(20):\n"
                  "        if open(paths[0]).read() != '0x10de\\n': wrong.append(i)\n"
                  "        open(paths[1]).close()\n"
                  "threads = [threading.Thread(target=work) for _ in range(100)]\n"
                  "[t.start() for t in threads]; [t.join() for t in threads]\n"
                  "print(len(wrong))\n")
        done = self.run_in_view(sys.executable, "-c", script)
        self.assertEqual((done.returncode, done.stdout), (0, "0\n"), done.stderr)


if __name__ == "__main__":
    cases.run()
