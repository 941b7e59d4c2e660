#!/usr/bin/python3 -B
"""In a real systemd: a baseline, a change, what differs, and what happened; live, and from a
capture of the machine."""

import json
import os
import sys
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

SAME, DRIFT = 0, 1
BASELINE, ARCHIVE = "/root/works.baseline.json", "/root/capture.tar.zst"
DROP_IN = "/etc/systemd/system/ollama.service.d/vgpu.conf"

UNIT = """\
[Service]
ExecStart=/usr/local/bin/ollama serve --api-key hunter2
WorkingDirectory=/opt/ollama
EnvironmentFile=/etc/default/ollama
Environment=SITE_SETTING=hunter2
"""

# What a server of era B says where it finds a GPU. The program is a shell called ollama.
SERVE = """\
say() { echo "time=$(date +%Y-%m-%dT%H:%M:%S.000Z) level=INFO source=$1" >&2; }
say 'routes.go:2 msg="Listening on 127.0.0.1:11434 (version 0.13.5)"'
say 'runner.go:67 msg="discovering available GPUs..."'
if [ -n "$OLLAMA_LIBRARY_PATH" ]; then
  say 'types.go:42 msg="inference compute" id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b library=CUDA compute=9.0 name=CUDA0 description="NVIDIA H100 80GB HBM3" libdirs=ollama,cuda_v12 driver=12.8 pci_id=0000:00:05.0 type=discrete total="79.6 GiB" available="79.1 GiB"'
else
  say 'types.go:60 msg="inference compute" id=cpu library=cpu compute="" name=cpu description=cpu libdirs=ollama driver="" pci_id="" type="" total="4 GiB" available="4 GiB"'
fi
while :; do sleep 1000; done
"""


class Live(unittest.TestCase):
    """The cases go on from each other, in their order."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.system = cls.enterClassContext(real_systemd.RealSystemd())
        cls.system.copy(testing.DOCTOR, "/usr/bin/vgpu-doctor")
        cls.system.run("install", "-D", "/bin/dash", "/usr/local/bin/ollama")
        cls.system.write("/opt/ollama/serve", SERVE)
        cls.system.write("/etc/default/ollama", "HF_TOKEN=hunter2\n", mode=0o600)
        cls.system.write("/etc/systemd/system/ollama.service", UNIT)
        cls.system.write(DROP_IN, "[Service]\nEnvironment=OLLAMA_LIBRARY_PATH=/usr/lib/ollama "
                                  "LD_PRELOAD=/usr/lib/libvgpu-cuda.so\n")
        cls.start()
        cls.system.run("vgpu-doctor", "baseline", "save", "--name", "works", "-o", BASELINE)

    @classmethod
    def start(cls):
        cls.system.run("systemctl", "daemon-reload")
        cls.system.run("systemctl", "restart", "ollama.service")
        cls.system.run("sh", "-c", 'until journalctl -u ollama _PID=$(systemctl show -P MainPID '
                                   "ollama) | grep -q 'inference compute'; do sleep 0.1; done")

    def ask(self, *arguments):
        done = self.system.run("vgpu-doctor", *arguments, "--format", "json", check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        answer = json.loads(done.stdout)
        del answer["host"]
        return answer, done.returncode

    def capture(self):
        self.system.run("rm", "-f", ARCHIVE)
        self.system.run("vgpu-doctor", "capture", "-o", ARCHIVE)

    def both(self, *arguments):
        """What the machine says, which its capture has to say too."""
        live, status = self.ask(*arguments)
        self.capture()
        self.assertEqual(self.ask(*arguments, "--root", ARCHIVE), (live, status))
        return live, status

    def test_1_nothing_has_changed(self):
        found, status = self.both("diff-against-baseline", BASELINE)
        self.assertEqual((status, found["changes"]), (SAME, []))
        self.assertGreater(found["same"], 50)

    def test_2_a_restart_is_no_change(self):
        self.start()
        found, status = self.both("diff-against-baseline", BASELINE)
        self.assertEqual((status, found["changes"]), (SAME, []))

    def test_3_a_secret_that_changed_is_seen(self):
        self.system.write("/etc/default/ollama", "HF_TOKEN=hunter3\n", mode=0o600)
        found, status = self.both("diff-against-baseline", BASELINE)
        self.assertEqual((status, [change["key"] for change in found["changes"]]),
                         (DRIFT, ["unit.environment.HF_TOKEN"]))
        self.assertNotIn("hunter", json.dumps(found))
        self.system.write("/etc/default/ollama", "HF_TOKEN=hunter2\n", mode=0o600)

    def test_4_a_drop_in_that_went_away_is_named_first_with_what_it_set(self):
        self.system.run("mv", DROP_IN, DROP_IN + ".off")
        self.start()
        found, status = self.both("diff-against-baseline", BASELINE)
        self.assertEqual(status, DRIFT)
        keys = [change["key"] for change in found["changes"]]
        self.assertEqual(keys[0], "unit.environment.LD_PRELOAD")
        self.assertIn("unit.environment.OLLAMA_LIBRARY_PATH", keys)
        self.assertIn("unit.drop_in.vgpu.conf", keys)

    def test_5_the_time_line_marks_the_moment(self):
        told, _ = self.both("timeline")
        marks = {event["mark"]: event["event"] for event in told["events"] if "mark" in event}
        self.assertIn("library=CUDA", marks["last_worked"])
        self.assertIn("library=cpu", marks["stopped_working"])
        said = [event["event"] for event in told["events"]]
        for part in ("systemd loaded its units", "ollama.service was written", "was started"):
            self.assertTrue([event for event in said if part in event], (part, said))

    def test_6_no_secret_leaves_the_machine(self):
        self.capture()
        self.system.run("cp", BASELINE, ARCHIVE, "/shared/")
        plain = testing.subprocess.run(
            ["zstd", "-dc", os.path.join(self.system.shared, os.path.basename(ARCHIVE))],
            capture_output=True, check=True).stdout
        self.assertNotIn(b"hunter", plain)
        self.assertIn(b"libvgpu-cuda.so", plain)
        with open(os.path.join(self.system.shared, os.path.basename(BASELINE)), "rb") as file:
            self.assertNotIn(b"hunter", file.read())


if __name__ == "__main__":
    testing.run()
