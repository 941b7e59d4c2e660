#!/usr/bin/python3 -B
"""vgpu-doctor watch, in a real systemd: the short-lived child of discovery is caught."""

import json
import os
import sys
import threading
import time
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

UNIT = "/etc/systemd/system/ollama.service"
DOCTOR = "/usr/bin/vgpu-doctor"
SHIM = "/usr/lib64/libvgpu-cuda.so"

# A secret that no line may show; children with nothing to tell from before the service starts.
SERVICE = """\
[Service]
ExecStartPre=/bin/sh -c 'for i in 1 2 3; do sleep 0.02; done'
ExecStart=/usr/local/bin/ollama serve
Environment=OLLAMA_API_KEY=hunter2
"""


class Watch(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.system = real_systemd.RealSystemd()
        cls.system.__enter__()
        cls.addClassCleanup(cls.system.__exit__)
        cls.system.copy(testing.DOCTOR, DOCTOR)
        cls.system.copy("tools/vgpu_doctor/ollama_stand_in", "/usr/local/bin/ollama")
        cls.system.copy("shims/cuda/libvgpu-cuda.so", SHIM, 0o644)
        # A backend that is there; nothing in it is called.
        cls.system.run("install", "-D", "-m", "0755", "/lib/x86_64-linux-gnu/libm.so.6",
                       "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so")

    def service(self, *lines):
        self.system.run("systemctl", "stop", "ollama.service", check=False)
        self.system.write(UNIT, SERVICE + "\n".join([*lines, ""]))
        self.system.run("systemctl", "daemon-reload")

    def watch(self, *arguments, verb="start", user=(), timeout=20):
        """Watches while the service starts: exit status, standard output, and how long."""
        answer = []

        def run():
            begin = time.monotonic()
            done = self.system.run(*user, DOCTOR, "watch", "--timeout", str(timeout), *arguments,
                                   check=False, timeout=timeout + 60)
            answer.append((done.returncode, done.stdout, done.stderr, time.monotonic() - begin))

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(1.5)  # until it looks on
        if verb:
            self.system.run("systemctl", verb, "ollama.service", check=False)
        thread.join()
        return answer[0]

    def events(self, *arguments, **options):
        status, out, err, seconds = self.watch("--format", "json", *arguments, **options)
        self.assertEqual(err, "")
        return status, [json.loads(line) for line in out.splitlines()], seconds

    def test_the_child_of_discovery_is_caught(self):
        self.service(f"Environment=LD_PRELOAD={SHIM}")
        status, events, seconds = self.events()
        self.assertEqual((status, events[-1]["event"], events[-1]["result"]),
                         (testing.HEALTHY, "summary", "gpu"))
        self.assertLess(seconds, 15)
        self.assertIn("inference compute", events[-1]["line"])
        programs = [event for event in events if event["event"] == "program"]
        runner = next(event for event in programs if "runner" in (event["arguments"] or []))
        server = next(event for event in programs if "serve" in (event["arguments"] or []))
        self.assertEqual(runner["parent"], server["pid"])
        self.assertEqual(server["parent"], 1)
        self.assertEqual(runner["arguments"][1:], ["runner", "--ollama-engine", "--port", "40371"])
        self.assertIn(f"LD_PRELOAD={SHIM}", runner["environment"])
        self.assertTrue([each for each in runner["environment"]
                         if each.startswith("OLLAMA_LIBRARY_PATH=")])
        ended = next(event for event in events
                     if event["event"] == "ended" and event["pid"] == runner["pid"])
        self.assertIn(SHIM, ended["libraries"])
        self.assertLess(ended["lived_s"], 2)
        # The exit status was seen, or it is said that it was not.
        unseen = [each["what"] for each in events[-1]["not_observed"]]
        self.assertTrue(ended["status"] == "exit status 0"
                        or f"how it ended, of process {runner['pid']}" in unseen)
        self.assertNotIn("hunter2", json.dumps(events))
        self.assertTrue([each for each in events if each["event"] == "log"
                         and "Listening on" in each["message"]])

    def test_without_the_shim_it_says_what_was_found(self):
        self.service()
        status, out, _, _ = self.watch()
        self.assertEqual(status, testing.PROBLEM)
        self.assertIn("Discovery has ended, and found no GPU:", out)
        self.assertIn("runner --ollama-engine", out)
        self.assertIn("libraries of a GPU: none", out)
        self.assertNotIn("hunter2", out)
        self.assertNotIn("systemd-executor", out)

    def test_a_restart_is_a_start_and_nothing_is_restarted_by_it(self):
        self.service(f"Environment=LD_PRELOAD={SHIM}")
        self.system.run("systemctl", "start", "ollama.service")
        time.sleep(1)
        old = self.pid()
        status, events, _ = self.events(verb="restart")
        self.assertEqual(status, testing.HEALTHY)
        self.assertTrue(events[0]["running"])
        self.assertNotIn(old, [event.get("pid") for event in events
                               if event["event"] == "program"])
        old = self.pid()
        status, events, seconds = self.events(verb=None, timeout=2)
        self.assertEqual((status, events[-1]["result"]), (testing.INCONCLUSIVE, "none"))
        self.assertIn("a start of the unit",
                      [each["what"] for each in events[-1]["not_observed"]])
        self.assertLess(seconds, 10)
        self.assertEqual(self.pid(), old)

    def pid(self):
        return int(self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout)

    def test_a_child_that_crashes(self):
        self.service("Environment=CRASH_RUNNER=1")
        status, events, _ = self.events()
        self.assertEqual(status, testing.PROBLEM)
        unseen = {each["what"] for each in events[-1]["not_observed"]}
        ended = [event for event in events if event["event"] == "ended"]
        # It lives for a millisecond: caught with its signal, or said not to be.
        signalled = [event for event in ended if "signal 11" in (event["status"] or "")]
        self.assertTrue(signalled or unseen or len(ended) == 0, events)

    def test_thousands_of_children_are_bounded_in_time_and_lines(self):
        self.service("ExecStartPre=/bin/sh -c "
                     "'i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done'",
                     f"Environment=LD_PRELOAD={SHIM}", "TimeoutStartSec=120")
        status, out, err, _ = self.watch(timeout=100)
        self.assertEqual((status, err), (testing.HEALTHY, ""))
        self.assertLess(len(out.splitlines()), 3000)

    def test_an_ordinary_user_is_told_what_was_not_seen(self):
        self.service(f"Environment=LD_PRELOAD={SHIM}")
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        status, events, _ = self.events(user=nobody, timeout=5)
        self.assertEqual(status, testing.INCONCLUSIVE)
        unseen = {each["what"]: each["why"] for each in events[-1]["not_observed"]}
        self.assertIn("the log", unseen)
        self.assertIn("permission denied", unseen.values())

    def test_a_unit_that_is_not_there(self):
        done = self.system.run(DOCTOR, "watch", "--unit", "none.service", check=False)
        self.assertEqual((done.returncode, done.stdout), (testing.USAGE, ""))
        self.assertIn("none.service: systemd knows no such unit", done.stderr)


class Elsewhere(unittest.TestCase):

    @unittest.skipIf(os.path.isdir("/run/systemd/system"), "systemd runs here")
    def test_without_systemd_it_says_so(self):
        done = testing.doctor("watch", "--timeout", "1")
        self.assertEqual((done.status, done.out), (testing.USAGE, b""))
        self.assertIn("watch follows a unit of systemd", done.err.decode())


if __name__ == "__main__":
    testing.run()
