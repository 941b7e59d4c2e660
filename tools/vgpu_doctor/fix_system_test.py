#!/usr/bin/python3 -B
"""vgpu-doctor fix --apply in a real systemd: a service is broken, and the repair makes it find
its GPU, or leaves everything as it was."""

import json
import os
import re
import sys
import time
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

SHIMS = "/usr/lib64"
NAMES = ("exec", "syscall", "cuda", "nvml", "cudart")
PRELOAD = ":".join(f"{SHIMS}/libvgpu-{name}.so" for name in NAMES)
UNIT = "/etc/systemd/system/ollama.service"
DROP_IN = f"{UNIT}.d/vgpu.conf"
DOCTOR = "/usr/bin/vgpu-doctor"

SERVICE = """\
[Unit]
Description=Ollama Service

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Restart=always
RestartSec=1
"""


def preload(value, *more):
    return "\n".join(["[Service]", f'Environment="LD_PRELOAD={value}"', *more, ""])


class Fix(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.system = real_systemd.RealSystemd()
        cls.system.__enter__()
        cls.addClassCleanup(cls.system.__exit__)
        cls.system.copy(testing.DOCTOR, DOCTOR)
        cls.system.copy("tools/vgpu_doctor/ollama_stand_in", "/usr/local/bin/ollama")
        for name in NAMES:
            cls.system.copy(f"shims/{name}/libvgpu-{name}.so", f"{SHIMS}/libvgpu-{name}.so", 0o644)
        cls.system.run("useradd", "--system", "--no-create-home", "ollama")
        # A backend that loads; nothing in it is called.
        cls.system.run("install", "-D", "-m", "0755", "/lib/x86_64-linux-gnu/libm.so.6",
                       "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so")

    def setUp(self):
        self.system.run("sh", "-c", f"rm -rf {UNIT}.d /etc/default/ollama*")
        self.system.write(UNIT, SERVICE)
        self.system.write(DROP_IN, preload(PRELOAD))
        self.start()

    def start(self):
        self.system.run("systemctl", "daemon-reload")
        self.system.run("systemctl", "reset-failed", check=False)
        # Entries of the journal are told apart by the process that wrote them.
        self.system.run("systemctl", "restart", "ollama.service", check=False)
        self.wait_for_discovery()

    def wait_for_discovery(self):
        script = ('for i in $(seq 100); do '
                  'journalctl _PID=$(systemctl show -P MainPID ollama.service) -o cat 2>/dev/null '
                  '| grep -q "inference compute" && exit 0; sleep 0.1; done; exit 1')
        self.system.run("sh", "-c", script, check=False)

    def doctor(self, *arguments, **options):
        return self.system.run(DOCTOR, *arguments, check=False, timeout=240, **options)

    def check(self):
        return json.loads(self.doctor("check", "--format", "json").stdout)

    def fix(self, *arguments):
        done = self.doctor("fix", "--format", "json", *arguments)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        plan = json.loads(done.stdout)
        testing.validate(plan, "tools/vgpu_doctor/repair/fix.schema.json")
        return plan, done.returncode

    def state(self):
        """Every file that a repair may touch: its name, mode, owner and content."""
        script = (f'find {UNIT} {UNIT}.d /etc/default /etc/ld.so.preload {SHIMS} /usr/local/bin '
                  '/opt -printf "%p %y %m %u %l\\n" 2>/dev/null | sort; '
                  f'cat {UNIT} {UNIT}.d/* /etc/default/ollama /etc/ld.so.preload 2>/dev/null')
        return self.system.run("sh", "-c", script, check=False).stdout

    def broken(self, code):
        report = self.check()
        self.assertEqual(testing.codes(report, "root_causes"), [code], report["headline"])

    def repaired(self, *arguments):
        """Applies; the service is healthy afterwards. What was done, for more questions."""
        plan, status = self.fix("--apply", "--yes", *arguments)
        result = plan["applied"]["results"][0]
        self.assertEqual((result["end"], status), ("repaired", testing.HEALTHY), plan)
        self.assertEqual(self.check()["verdict"], "healthy")
        return result

    def test_a_healthy_service_is_left_alone(self):
        self.assertEqual(self.check()["verdict"], "healthy")
        before = self.state()
        pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout
        plan, status = self.fix("--apply", "--yes")
        self.assertEqual((status, plan["repairs"], plan["applied"]), (testing.HEALTHY, [], None))
        self.assertEqual(self.state(), before)
        self.assertEqual(
            self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout, pid)

    def test_what_was_not_diagnosed_is_refused(self):
        before = self.state()
        done = self.doctor("fix", "VG401", "--apply", "--yes")
        self.assertEqual((done.returncode, done.stdout), (testing.USAGE, ""))
        self.assertIn("VG401 was not diagnosed here", done.stderr)
        self.assertEqual(self.state(), before)

    def test_a_missing_reload(self):
        self.system.run("rm", DROP_IN)
        self.start()
        self.system.write(DROP_IN, preload(PRELOAD))
        self.broken("VG203")
        self.assertEqual(self.repaired()["changes"], [])

    def test_a_missing_restart(self):
        self.system.run("rm", DROP_IN)
        self.start()
        self.system.write(DROP_IN, preload(PRELOAD))
        self.system.run("systemctl", "daemon-reload")
        self.broken("VG302")
        self.assertEqual(self.repaired()["changes"], [])

    def test_a_wrong_path_in_a_drop_in(self):
        self.system.write(DROP_IN, preload(PRELOAD.replace("lib64", "lib65")))
        self.start()
        self.broken("VG401")
        before = self.state()
        result = self.repaired()
        added = result["changes"][-1]
        self.assertEqual(self.system.read(added["path"]), preload(PRELOAD))
        # The command that is printed takes it back.
        self.system.run("sh", "-c", added["undo"].replace("sudo ", ""))
        self.assertEqual(self.state(), before)

    def test_a_wrong_path_in_an_environment_file(self):
        self.system.write(UNIT, SERVICE + "EnvironmentFile=/etc/default/ollama\n")
        self.system.write("/etc/default/ollama", "A=1\nLD_PRELOAD=/none/libvgpu-cuda.so\n# end\n",
                          0o640)
        self.start()
        report = self.check()
        code = testing.codes(report, "root_causes")[0]
        self.assertIn(code, ("VG205", "VG401"), report["headline"])
        result = self.repaired(code)
        change = result["changes"][0]
        self.assertTrue(change["backup"].startswith("/etc/default/ollama.vgpu-doctor-"))
        self.assertEqual(self.system.read("/etc/default/ollama"),
                         f'A=1\nLD_PRELOAD="{PRELOAD}"\n# end\n')
        kept = self.system.run("stat", "-c", "%a %u %g", "/etc/default/ollama", change["backup"])
        self.assertEqual(len(set(kept.stdout.splitlines())), 1)
        self.system.run("sh", "-c", change["undo"].replace("sudo ", ""))
        self.assertIn("/none/libvgpu-cuda.so", self.system.read("/etc/default/ollama"))

    def test_a_wrong_mode(self):
        self.system.run("chmod", "0600", f"{SHIMS}/libvgpu-cuda.so")
        time.sleep(1.1)  # the start is later, by systemd's clock of whole seconds too
        try:
            self.start()
            self.broken("VG402")
            result = self.repaired()
            self.assertIn("from 0600 to 0644", result["changes"][0]["what"])
        finally:
            self.system.run("chmod", "0644", f"{SHIMS}/libvgpu-cuda.so")

    # What breaks the service, what `check` names first, and what mends what the repair does not.
    FAULTS = (
        ("VG102", "echo /none.so >/etc/ld.so.preload", "rm -f /etc/ld.so.preload*"),
        ("VG206", f"echo '[Service]' >{DROP_IN}; "
                  f"echo Environment=LD_PRELOAD={PRELOAD.replace(':', ' ')} >>{DROP_IN}", ""),
        ("VG208", "chmod 0644 /usr/local/bin/ollama", "chmod 0755 /usr/local/bin/ollama"),
        ("VG211", f"echo EnvironmentFile=/etc/default/ollama-none >>{UNIT}", ""),
        ("VG301", "", ""),
        ("VG310", "systemctl set-environment CUDA_VISIBLE_DEVICES=-1",
                  "systemctl unset-environment CUDA_VISIBLE_DEVICES"),
        ("VG414", f"sed -i 's,:{SHIMS}/libvgpu-cuda.so,,' {DROP_IN}", ""),
        ("VG507", f"echo Environment=CUDA_VISIBLE_DEVICES=-1 >>{DROP_IN}", ""),
        ("VG304", "chmod 2755 /usr/local/bin/ollama", "chmod 0755 /usr/local/bin/ollama"),
    )

    def test_faults_one_by_one(self):
        for code, fault, mend in self.FAULTS:
            with self.subTest(code):
                self.setUp()
                self.addCleanup(self.system.run, "sh", "-c", mend or "true", check=False)
                self.system.run("sh", "-c", fault or "true")
                time.sleep(1.1)
                # How an earlier fault ended the service is no matter here.
                self.system.run("journalctl", "--quiet", "--rotate")
                self.system.run("journalctl", "--quiet", "--vacuum-time=1ms")
                if code == "VG301":
                    self.system.run("systemctl", "stop", "ollama.service")
                else:
                    self.start()
                report = self.check()
                named = testing.codes(report, "root_causes") or testing.codes(report, "latent")
                self.assertIn(code, named[:1], report["headline"])
                before = self.state()
                result = self.repaired(code)
                for change in reversed(result["changes"]):
                    self.system.run("sh", "-c", change["undo"].replace("sudo ", "") or "true")
                self.assertEqual(self.state(), before)
                self.system.run("sh", "-c", mend or "true")

    def test_a_missing_link(self):
        self.system.run("mv", "/usr/local/lib/ollama", "/usr/lib/ollama")
        time.sleep(1.1)
        try:
            self.start()
            self.broken("VG509")
            change = self.repaired()["changes"][0]
            self.assertEqual(self.system.run("readlink", "/usr/local/lib/ollama").stdout,
                             "/usr/lib/ollama\n")
            self.assertEqual(change["undo"], "sudo rm /usr/local/lib/ollama")
        finally:
            self.system.run("sh", "-c", "rm -f /usr/local/lib/ollama; "
                                        "mv /usr/lib/ollama /usr/local/lib/ollama")

    def test_what_needs_a_person_is_left_alone(self):
        self.system.run("mv", f"{SHIMS}/libvgpu-cuda.so", "/root/")
        time.sleep(1.1)
        try:
            self.start()
            self.broken("VG401")
            before = self.state()
            plan, status = self.fix("--apply", "--yes")
            self.assertEqual((status, plan["applied"]), (testing.PROBLEM, None))
            self.assertEqual(plan["repairs"][0]["by"], "person")
            self.assertEqual(plan["repairs"][0]["because"], "step 1 is a person's")
            self.assertEqual(self.state(), before)
        finally:
            self.system.run("mv", "/root/libvgpu-cuda.so", f"{SHIMS}/")

    def test_an_assignment_that_another_ends(self):
        self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
        self.start()
        self.broken("VG205")
        self.repaired()

    def test_a_file_that_systemd_does_not_read(self):
        self.system.run("mv", DROP_IN, DROP_IN.replace(".conf", ".txt"))
        self.start()
        self.broken("VG204")
        self.repaired()

    def test_without_anybody_who_agrees_the_service_runs_on(self):
        self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
        self.start()
        pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout
        plan, status = self.fix("--apply")
        result = plan["applied"]["results"][0]
        self.assertEqual((result["end"], status), ("waits-for-restart", testing.PROBLEM))
        self.assertIn("systemctl restart ollama.service", result["because"])
        self.assertEqual(
            self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout, pid)
        self.broken("VG302")

    def test_a_repair_that_does_not_help_is_taken_back(self):
        # Something else owns the file, and writes it anew at each start.
        again = "ExecStartPre=+/bin/sh -c 'echo LD_PRELOAD= >/etc/default/ollama'"
        self.system.write(UNIT, SERVICE + f"EnvironmentFile=/etc/default/ollama\n{again}\n")
        self.system.write("/etc/default/ollama", "LD_PRELOAD=\n")
        self.start()
        self.broken("VG205")
        before = self.state()
        plan, status = self.fix("--apply", "--yes")
        result = plan["applied"]["results"][0]
        self.assertEqual((result["end"], status), ("taken-back", testing.PROBLEM), plan)
        self.assertEqual((result["because"], result["changes"]), ("the cause still stands", []))
        self.assertEqual(self.state(), before)
        self.broken("VG205")

    def test_a_full_disk_changes_nothing(self):
        self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
        self.start()
        self.broken("VG205")
        script = (f'cp -a {UNIT}.d /tmp/kept && mount -t tmpfs -o size=64k tmpfs {UNIT}.d && '
                  f'cp -a /tmp/kept/. {UNIT}.d/ && '
                  f'(dd if=/dev/zero of={UNIT}.d/filler bs=1k 2>/dev/null; true)')
        self.system.run("sh", "-c", script)
        try:
            before = self.state()
            pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout
            plan, status = self.fix("--apply", "--yes")
            result = plan["applied"]["results"][0]
            self.assertEqual((result["end"], status), ("failed", testing.PROBLEM), plan)
            self.assertIn("no space left on device", result["because"])
            self.assertEqual(self.state(), before)
            self.assertEqual(
                self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout, pid)
        finally:
            self.system.run("umount", f"{UNIT}.d")

    def test_a_directory_that_cannot_be_written_changes_nothing(self):
        self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
        self.start()
        self.broken("VG205")
        self.system.run("sh", "-c", f"mount --bind {UNIT}.d {UNIT}.d && "
                                    f"mount -o remount,bind,ro {UNIT}.d")
        try:
            before = self.state()
            plan, _ = self.fix("--apply", "--yes")
            result = plan["applied"]["results"][0]
            self.assertEqual(result["end"], "failed")
            self.assertIn("read-only file system", result["because"])
            self.assertEqual(self.state(), before)
        finally:
            self.system.run("umount", f"{UNIT}.d")

    # Types an answer at a terminal once it is asked, and prints what came and the exit status.
    AT_A_TERMINAL = """\
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
text = b""
try:
    while chunk := os.read(terminal, 4096):
        text += chunk
        if chunk.endswith(b"[y/N] "):
            os.write(terminal, sys.argv[1].encode() + b"\\n")
except OSError:
    pass
print(text.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

    def test_a_person_at_a_terminal_is_asked_before_a_restart(self):
        for answer, status in (("n", testing.PROBLEM), ("y", testing.HEALTHY)):
            with self.subTest(answer):
                self.setUp()
                self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
                self.start()
                pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout
                done = self.system.run("python3", "-c", self.AT_A_TERMINAL, answer, DOCTOR, "fix",
                                       "--apply", check=False, timeout=120)
                self.assertIn("Restart ollama.service? Requests", done.stdout, done.stderr)
                self.assertEqual(done.returncode, status, done.stdout)
                now = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout
                self.assertEqual(now == pid, answer == "n")

    def test_what_is_done_is_told_as_it_is_done(self):
        self.system.write(f"{UNIT}.d/zz-local.conf", preload(""))
        self.start()
        plan = self.doctor("fix")
        self.assertEqual(plan.returncode, testing.PROBLEM)
        self.assertRegex(plan.stdout, r"1\. sudo mkdir -p .*zz-vgpu-doctor-vg205\.conf")
        self.assertIn("undo: $ sudo rm", plan.stdout)
        self.assertIn("`sudo vgpu-doctor fix --apply` does this", plan.stdout)
        done = self.doctor("fix", "--apply", "--yes")
        self.assertEqual(done.returncode, testing.HEALTHY, done.stdout + done.stderr)
        order = [done.stdout.find(word) for word in
                 ("  wrote /etc", "  systemctl daemon-reload", "  systemctl restart",
                  "VG205: repaired", "Now healthy")]
        self.assertEqual(order, sorted(order))
        self.assertNotIn(-1, order)
        self.assertIsNone(re.search("\x1b", done.stdout))


if __name__ == "__main__":
    testing.run()
