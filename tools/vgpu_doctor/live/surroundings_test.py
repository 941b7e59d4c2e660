#!/usr/bin/python3 -B
"""Hostile surroundings: what the doctor looks at changes, is enormous, or does not answer. It ends
in time, says what it could not see, and harms nothing."""

import json
import os
import sys
import threading
import time
import unittest

sys.path[:0] = [os.path.abspath(name) for name in ("tools/testing", "tools/vgpu_doctor/live")]
import cases  # noqa: E402
import machine  # noqa: E402
from machine import DROPIN, OLLAMA, SERVICE, dropin, environment  # noqa: E402
from trial import codes, said  # noqa: E402

# The doctor's patience with a tool of systemd is ten seconds for each; of those there are a few.
SECONDS = 60
CHILDREN = 10000
LINES = 1000000
BEYOND = 0x100000000000  # an address behind those of a program

# Becomes the server when its surroundings are made. In Python, so that one file tells all of them.
MANY_CHILDREN = f"""\
#!/usr/bin/python3
import os, time
for _ in range({CHILDREN}):
    try:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
    except OSError:
        break  # the limit of the container
os.execv("{OLLAMA}", ["{OLLAMA}", "serve"])
"""

# A library that maps single pages with other rights in turn, so that the kernel cannot join them,
# up to its limit (vm.max_map_count, 65530 unless it was raised).
MANY_MAPS = """\
#include <sys/mman.h>
__attribute__((constructor)) static void map(void) {
  for (long at = 0; at < 60000; ++at) {
    if (mmap(0, 4096, at % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
        MAP_FAILED) return;
  }
}
"""


class Surroundings(unittest.TestCase):
    def setUp(self):
        self.host = self.enterContext(machine.Machine("B"))
        self.assertIn("library=CUDA", self.host.install())

    def check(self, *arguments):
        begin = time.monotonic()
        report = self.host.check(*arguments)
        self.assertLess(time.monotonic() - begin, SECONDS)
        return report

    def test_the_service_dies_and_starts_while_it_is_looked_at(self):
        host = self.host
        host.write(f"{machine.FRAGMENT}.d/fast.conf",
                   dropin("RestartSec=50ms", "StartLimitIntervalSec=0"))
        host.restart()
        stop = threading.Event()

        def kill():
            while not stop.is_set():
                host.run("systemctl", "kill", "--signal=KILL", SERVICE, check=False)
                stop.wait(0.1)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            reports = [self.check() for _ in range(20)]
        finally:
            stop.set()
            killer.join()
        for report in reports:
            # Nothing is wrong with the configuration, and nothing else may be said to be.
            wrong = set(codes(report, "root_causes")) - {"VG301", "VG307", "VG704"}
            self.assertEqual(wrong, set(), said(report))
        host.restart()
        self.assertEqual(self.check()["verdict"], "healthy")

    def test_ten_thousand_children(self):
        host = self.host
        host.write("/usr/local/bin/many", MANY_CHILDREN, 0o755)
        host.write(DROPIN, dropin(f'Environment="LD_PRELOAD={machine.preload()}"', "ExecStart=",
                                  "ExecStart=/usr/local/bin/many", f"TasksMax={CHILDREN + 500}"))
        host.reload()
        host.run("systemctl", "restart", SERVICE)
        host.wait(lambda: "library=" in host.discovered(), seconds=120)
        count = int(host.sh("ls -d /proc/[0-9]* | wc -l").stdout)
        self.assertGreater(count, CHILDREN // 2)
        report = self.check()
        self.assertNotIn("VG704", codes(report, "root_causes"), said(report))
        host.run("systemctl", "stop", SERVICE, timeout=120)

    def test_an_environment_of_two_megabytes(self):
        host = self.host
        # One word of execve is 128 KiB at most (MAX_ARG_STRLEN).
        large = "".join(f"LARGE_{at}={'x' * 100000}\n" for at in range(20))
        host.write("/etc/default/ollama", large)
        host.write(f"{machine.FRAGMENT}.d/large.conf",
                   dropin("EnvironmentFile=/etc/default/ollama", "LimitSTACK=64M"))
        self.assertIn("library=CUDA", host.restart())
        pid, = host.show("MainPID")
        self.assertGreater(len(host.read(f"/proc/{pid}/environ")), 2000000)
        report = self.check()
        self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []), said(report))

    def test_as_many_maps_as_the_kernel_allows(self):
        host = self.host
        host.library("/opt/maps/libmaps.so", MANY_MAPS)
        host.write(DROPIN, environment(LD_PRELOAD=machine.preload() + ":/opt/maps/libmaps.so"))
        self.assertIn("library=CUDA", host.restart())
        pid, = host.show("MainPID")
        self.assertGreater(int(host.sh(f"wc -l < /proc/{pid}/maps").stdout), 50000)
        report = self.check()
        self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []), said(report))

    # The kernel's limit of a process's maps is the machine's, and stays as it is: a file stands
    # where the kernel shows them, in the container's own mount namespace.

    def show_maps(self, lines):
        """In place of the service's: what it has, and those lines. Its process id."""
        host = self.host
        pid, = host.show("MainPID")
        maps = host.read(f"/proc/{pid}/maps")
        with open(f"{host.shared}/maps", "w", encoding="utf-8") as file:
            file.write(maps)
            file.writelines(lines)
        host.sh(f"mount --bind /shared/maps /proc/{pid}/maps")
        self.addCleanup(host.sh, f"umount /proc/{pid}/maps")
        return pid

    def test_a_million_lines_of_maps(self):
        pid = self.show_maps(f"{BEYOND + at * 8192:x}-{BEYOND + at * 8192 + 4096:x} "
                             "r--p 00000000 00:00 0 \n" for at in range(LINES))
        self.assertGreater(int(self.host.sh(f"wc -l < /proc/{pid}/maps").stdout), LINES)
        report = self.check()
        # All of them are read.
        self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []), said(report))
        self.assertNotIn("rest of the loaded libraries", json.dumps(report["not_observed"]))

    def test_more_maps_than_are_read(self):
        path = f"/opt/{'x' * 200}/{'y' * 3800}"
        pid = self.show_maps(f"{BEYOND + at * 8192:x}-{BEYOND + at * 8192 + 4096:x} "
                             f"r--p 00000000 fe:00 77 {path}\n" for at in range(LINES // 14))
        report = self.check()
        self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []), said(report))
        unseen = {item["what"]: item["why"] for item in report["not_observed"]}
        self.assertEqual(unseen.get(f"the rest of the loaded libraries of process {pid}"),
                         "the list is longer than what is read of it", unseen)

    def test_names_with_newlines_and_control_characters(self):
        host = self.host
        name = "/opt/a\nb\x1b[31m\u202e"
        host.sh(f"mkdir -p '{name}' && cp {machine.SHIMS}/libvgpu-cuda.so '{name}/'")
        # A new process, so that its maps hold the name.
        host.sh(f"LD_PRELOAD='{name}/libvgpu-cuda.so' setsid sleep 300 >/dev/null 2>&1 &")
        host.wait(lambda: host.sh("pgrep -x sleep", check=False).stdout.strip())
        pid = host.sh("pgrep -x sleep").stdout.split()[0]
        shown = host.doctor("check", "--pid", pid, timeout=SECONDS)
        self.assertIn(shown.returncode, (1, 3), shown.stderr)
        self.assertNotIn("\x1b", shown.stdout)
        self.assertNotIn("\u202e", shown.stdout)
        drop_in = f"{machine.FRAGMENT}.d/x\ny\x1b[2J.conf"
        host.sh(f"cp {DROPIN} '{drop_in}'")
        host.reload()
        shown = host.doctor("check", timeout=SECONDS)
        self.assertIn(shown.returncode, (0, 1, 3), shown.stderr)
        self.assertNotIn("\x1b", shown.stdout)
        self.check()

    def test_the_disk_is_full(self):
        host = self.host
        # One of its own for all that may be written: this machine's is not filled.
        host.sh("mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small && "
                "! head -c 1M /dev/zero > /mnt/small/full")
        shown = host.doctor("check", timeout=SECONDS, environment={"TMPDIR": "/mnt/small",
                                                                    "HOME": "/mnt/small"})
        self.assertEqual(shown.returncode, 0, shown.stderr)
        done = host.sh("vgpu-doctor check > /mnt/small/report", check=False)
        self.assertEqual(done.returncode, 70, done.stderr)
        self.assertIn("No space left on device", done.stderr)

    def test_systemd_does_not_answer(self):
        host = self.host
        host.sh("systemctl stop dbus.socket dbus.service", check=False)
        report = self.check()
        self.assertNotEqual(report["verdict"], "problem", said(report))
        # The manager itself is stopped: its private socket accepts, and nobody answers.
        host.run("kill", "-STOP", "1", check=False)
        os.kill(host.inner, 19)
        try:
            report = self.check()
        finally:
            os.kill(host.inner, 18)
        self.assertNotEqual(report["verdict"], "problem", said(report))
        self.assertTrue([item for item in report["not_observed"]
                         if "systemctl" in item["what"] + item["why"] + item["how"]],
                        report["not_observed"])

    def test_the_journal_does_not_answer(self):
        host = self.host
        host.sh("systemctl stop systemd-journald.socket systemd-journald-dev-log.socket "
                "systemd-journald-audit.socket systemd-journald.service", check=False)
        host.sh("rm -rf /run/log/journal /var/log/journal")
        report = self.check()
        self.assertEqual((report["verdict"], report["root_causes"]), ("inconclusive", []),
                         said(report))


if __name__ == "__main__":
    cases.run()
