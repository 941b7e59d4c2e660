#!/usr/bin/python3 -B
"""timeline: what happened, each thing with its source, and when it stopped working."""

import json
import os
import unittest

import jsonschema

import baseline_hosts as hosts
import doctor_testing as testing

SCHEMA = "diag/timeline/timeline.schema.json"


def tell(root, *arguments):
    outcome = testing.doctor("timeline", "--root", root, "--format", "json", *arguments)
    if outcome.status != 0:
        raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()[-500:]}")
    told = json.loads(outcome.out)
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = [error.message[:300] for error in
              jsonschema.Draft202012Validator(schema).iter_errors(told)]
    if errors:
        raise AssertionError("; ".join(errors))
    times = [event["time"] for event in told["events"]]
    if times != sorted(times) and len({time[-6:] for time in times}) == 1:
        raise AssertionError("not by time")
    return told


class Timeline(unittest.TestCase):
    def test_the_story_of_one_machine(self):
        with hosts.tree(hosts.story()) as root:
            told = tell(root)
            text = testing.doctor("timeline", "--root", root)
        self.assertEqual((text.status, text.err), (0, b""))
        said = [event["event"] for event in told["events"]]

        def at(part):
            found = [number for number, event in enumerate(said) if part in event]
            self.assertTrue(found, f"{part}: {said}")
            return found[0]
        # In the order in which it happened, each with where that stands.
        story = ["the machine was booted", "Ollama 0.16.2 was ready", "library=CUDA",
                 "libc6 was upgraded from 2.36-9 to 2.36-10", "libvgpu-cuda.so was put there",
                 "the main process ended: dumped, 11/SEGV",
                 "vgpu.conf was written", "systemd loaded its units", "was started"]
        places = [at(part) for part in story]
        self.assertEqual(places, sorted(places), said)
        self.assertGreater(at("segfault"), at("library=CUDA"))
        self.assertIn("2 other packages", said[at("other packages")])
        sources = {event["event"]: event["source"] for event in told["events"]}
        self.assertEqual(sources[said[at("libc6")]], "/var/log/dpkg.log, line 1")
        self.assertRegex(sources[said[at("dumped, 11/SEGV")]], r"^journalctl .*, line \d+$")
        for event in told["events"]:
            self.assertTrue(event["source"], event)

        marks = {event["mark"]: event["event"] for event in told["events"] if "mark" in event}
        self.assertIn("library=CUDA", marks["last_worked"])
        self.assertRegex(marks["stopped_working"], "segfault|dumped, 11/SEGV")
        self.assertIn("stopped working between 2026-02-25", told["headline"])
        lines = text.out.decode()
        self.assertIn("IT STOPPED WORKING", lines)
        self.assertLess(lines.index("library=CUDA"), lines.index("IT STOPPED WORKING"))
        self.assertLess(lines.index("IT STOPPED WORKING"), lines.index("dumped, 11/SEGV"))

    def test_what_works_has_not_stopped(self):
        for incident in ("healthy-era-a", "healthy-era-b", "healthy-era-c"):
            told = tell(f"{testing.INCIDENTS}/{incident}/host")
            self.assertIsNone(told["stopped_working"], incident)
            self.assertIsNotNone(told["last_worked"], incident)
            self.assertNotIn("stopped_working", json.dumps(told["events"]))

    def test_a_first_pass_that_found_it_is_no_success(self):
        told = tell(f"{testing.INCIDENTS}/second-pass-lost/host")
        marks = [event for event in told["events"] if event.get("mark") == "last_worked"]
        self.assertEqual([mark for mark in marks if "pass" in mark["event"]], [])

    def test_every_incident_has_one_and_nothing_is_claimed_that_no_line_shows(self):
        for incident in sorted(os.listdir(testing.INCIDENTS)):
            root = f"{testing.INCIDENTS}/{incident}/host"
            told = tell(root)
            if told["stopped_working"]:
                self.assertIsNotNone(told["last_worked"], incident)
                self.assertLess(told["last_worked"], told["stopped_working"], incident)
            report, _ = testing.check_json("--root", root)
            if report["verdict"] == "healthy":
                self.assertIsNone(told["stopped_working"], incident)

    def test_the_driver_that_came_after_the_start_stands_in_the_time_line_of_check_too(self):
        host = hosts.model.Host(version="0.16.2", shape=hosts.model.DRIVER, pid=8853)
        host.kernel.append((host.started + 101, "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  " +
                            hosts.model.RELEASE))
        for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
            host.files["/dev/" + name]["mtime"] = host.time(host.started + 102)
        for path, entry in host.files.items():
            if "/libcuda.so" in path:
                entry["ctime"] = host.time(host.started + 90)
        host.lose()
        with hosts.tree(host) as root:
            told = tell(root)["events"]
            report, _ = testing.check_json("--root", root)
        for events in (told, report["timeline"]):
            said = [event["event"] for event in events]
            # The last of each: the library was made long before it was put there.
            places = [max(number for number, event in enumerate(said) if part in event)
                      for part in ("was started", "libcuda.so", "of /dev (", "NVRM: loading")]
            # The kernel's line has the clock of the log, and the nodes that of the file system.
            self.assertEqual(places[:2], sorted(places[:2]), said)
            self.assertGreater(min(places[2:]), places[1], said)
        self.assertLess(len(report["timeline"]), len(told))

    def test_since_leaves_out_what_was_before(self):
        with hosts.tree(hosts.story()) as root:
            whole, part = tell(root), tell(root, "--since", "2h ago")
        self.assertLess(len(part["events"]), len(whole["events"]))
        self.assertGreater(min(event["time"] for event in part["events"]), "2026-02-26T0")
        outcome = testing.doctor("timeline", "--root", root, "--since", "soon")
        self.assertEqual(outcome.status, testing.USAGE)

    def test_what_could_not_be_seen_is_said(self):
        host = hosts.story()
        host.not_observed = [{"path": "/var/log/dpkg.log", "reason": "permission denied"},
                             {"path": "/.vgpu-capture/journal/kernel.jsonl", "reason": "not root"}]
        with hosts.tree(host) as root:
            for unseen in host.not_observed:
                os.remove(root + unseen["path"])
            told = tell(root)
        unseen = json.dumps(told["not_observed"])
        self.assertIn("/var/log/dpkg.log", unseen)
        self.assertIn("permission denied", unseen)
        self.assertIn("kernel", unseen)

    def test_text_of_a_host_is_made_visible_and_its_secrets_are_taken_out(self):
        host = hosts.story()
        host.file("/var/log/apt/history.log",
                  "\nStart-Date: 2026-02-26  01:00:00\n"
                  "Commandline: apt-get install ollama --token abcdefghijk \x1b[31m\n")
        with hosts.tree(host) as root:
            for form in ("text", "json"):
                out = testing.doctor("timeline", "--root", root, "--format", form).out.decode()
                self.assertIn("apt-get install ollama", out)
                self.assertNotIn("abcdefghijk", out)
                self.assertNotIn("\x1b", out)


if __name__ == "__main__":
    testing.run()
