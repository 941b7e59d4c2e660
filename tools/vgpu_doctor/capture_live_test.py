#!/usr/bin/python3 -B
"""In a real systemd: a service that shows no GPU is judged live, and from its own capture."""

import json
import os
import subprocess
import sys
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

ARCHIVE = "/root/capture.tar.zst"

UNIT = """\
[Service]
ExecStart=/usr/local/bin/ollama serve
WorkingDirectory=/opt/ollama
EnvironmentFile=/etc/default/ollama
Environment=LD_PRELOAD=/opt/vgpu/libvgpu-cuda.so:/opt/vgpu/libvgpu-nvml.so DATABASE=hunter2
Environment="HF_TOKEN=a hunter2" OLLAMA_ORIGINS=https://me:hunter2@proxy
ExecStartPre=/bin/true --api-key hunter2
"""

# What a server of era B says where it finds nothing. The program is a shell called ollama.
SERVE = """\
say() { echo "time=$(date +%Y-%m-%dT%H:%M:%S.000Z) level=INFO source=$1" >&2; }
say 'routes.go:1 msg="server config" env="map[OLLAMA_DEBUG:INFO HF_TOKEN:hunter2]"'
say 'routes.go:2 msg="Listening on 127.0.0.1:11434 (version 0.13.5)"'
say 'runner.go:67 msg="discovering available GPUs..."'
say 'types.go:60 msg="inference compute" id=cpu library=cpu compute="" name=cpu total="4 GiB"'
while :; do sleep 1000; done
"""


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = cls.enterClassContext(real_systemd.RealSystemd())
        cls.system.copy(testing.DOCTOR, "/usr/bin/vgpu-doctor")
        cls.system.run("install", "-D", "/bin/dash", "/usr/local/bin/ollama")
        cls.system.write("/opt/ollama/serve", SERVE)
        cls.system.write("/etc/default/ollama", "PASSPHRASE=hunter2\n", mode=0o600)
        cls.system.write("/etc/systemd/system/ollama.service", UNIT)
        cls.system.run("systemctl", "daemon-reload")
        cls.system.run("systemctl", "start", "ollama.service")
        cls.system.run("sh", "-c", "until journalctl -u ollama | grep -q 'inference compute'; "
                                   "do sleep 0.1; done")

    def report(self, *arguments):
        done = self.system.run("vgpu-doctor", "check", "--format", "json", *arguments, check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        report = json.loads(done.stdout)
        report["host"] = {"hostname": report["host"]["hostname"]}
        return report

    def roots_report(self, *arguments):
        """Without the advice to do what root has just done, which only who has the capture gets."""
        report = self.report(*arguments)
        for item in report["not_observed"]:
            if item["how"].startswith("sudo vgpu-doctor check"):
                item["how"] = ""
        return report

    def capture(self, name, *arguments):
        self.system.run("rm", "-f", name)
        return self.system.run("vgpu-doctor", "capture", "-o", name, *arguments)

    def test_the_same_diagnosis_live_and_from_its_own_capture(self):
        self.maxDiff = None
        live = self.roots_report()
        self.capture(ARCHIVE)
        self.assertEqual(self.roots_report(), live)  # nothing happened meanwhile
        self.assertEqual(live["verdict"], "problem")
        # It is of this process and its preload list that both speak.
        self.assertIn("libvgpu-cuda.so", testing.words(live["root_causes"]))
        self.assertEqual(self.roots_report("--root", ARCHIVE), live)

    def test_of_a_process_that_is_named(self):
        pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout.strip()
        live = self.roots_report("--pid", pid)
        self.capture(ARCHIVE, "--pid", pid)
        self.assertEqual(self.roots_report("--pid", pid, "--root", ARCHIVE), live)

    def test_no_secret_leaves_the_host(self):
        for redact in (True, False):
            name = ARCHIVE if redact else "/root/unredacted.tar.zst"
            # The tool's own arguments are on the host too.
            self.capture(name, *(["--since", "3 days ago"] if redact else ["--no-redact"]))
            # The archive, by way of the directory that both sides see.
            self.system.run("cp", name, f"/shared/{os.path.basename(name)}")
            path = os.path.join(self.system.shared, os.path.basename(name))
            plain = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
            self.assertEqual(b"hunter2" in plain, not redact)
            self.assertIn(b"libvgpu-cuda.so", plain)

    def test_only_its_owner_may_read_it(self):
        self.capture(ARCHIVE)
        self.assertEqual(self.system.run("stat", "-c", "%a %U", ARCHIVE).stdout, "600 root\n")

    def test_a_user_captures_what_a_user_sees(self):
        # Without root the environment of the service is closed, and the capture says so.
        name = "/tmp/capture.tar.zst"
        self.system.run("rm", "-f", name)
        done = self.system.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               "vgpu-doctor", "capture", "-o", name)
        self.assertRegex(done.stderr, r"may not be read by this user, .*: sudo vgpu-doctor capture ")
        as_user = self.system.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                  "vgpu-doctor", "check", "--format", "json", check=False)
        live = json.loads(as_user.stdout)
        captured = self.report("--root", name)
        self.maxDiff = None
        self.assertEqual(captured["not_observed"], live["not_observed"])
        self.assertEqual(testing.codes(captured, "root_causes"),
                         testing.codes(live, "root_causes"))
        self.assertEqual(captured["verdict"], live["verdict"])


if __name__ == "__main__":
    testing.run()
