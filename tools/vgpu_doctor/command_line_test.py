#!/usr/bin/python3 -B
"""The command line itself: help, versions, and what is refused."""

import json
import re
import unittest

import doctor_testing as testing

INCIDENT = f"{testing.INCIDENTS}/healthy-era-b/host"


class CommandLine(unittest.TestCase):
    def refuses(self, *arguments, says):
        outcome = testing.doctor(*arguments)
        self.assertEqual(outcome.status, testing.USAGE, arguments)
        self.assertEqual(outcome.out, b"", arguments)
        self.assertIn(says, outcome.err.decode(), arguments)

    def test_help_names_the_commands_and_goes_to_standard_output(self):
        for flag in ("--help", "-h"):
            outcome = testing.doctor(flag)
            self.assertEqual((outcome.status, outcome.err), (0, b""))
            self.assertIn("check", outcome.out.decode())

    def test_help_of_check_has_its_options_exit_statuses_and_examples(self):
        outcome = testing.doctor("check", "--help")
        self.assertEqual((outcome.status, outcome.err), (0, b""))
        text = outcome.out.decode()
        for part in ("--root DIR", "--unit UNIT", "--pid PID", "--format FORMAT", "--no-color",
                     "3 inconclusive", "sudo vgpu-doctor check"):
            self.assertIn(part, text)
        self.assertIn("journalctl -u ollama | vgpu-doctor check --log -", text)

    def test_help_fits_a_terminal_of_80_columns(self):
        commands = re.findall(r"^  ([a-z][a-z-]+)(?: {2,}|$)", testing.doctor("--help").out.decode(),
                              re.M)
        self.assertGreater(len(commands), 10)
        for words in ([], *([command] for command in commands), ["baseline", "save"],
                      ["baseline", "show"]):
            for line in testing.doctor(*words, "--help").out.decode().splitlines():
                # An example is one line, so that it can be copied.
                if not line.startswith(("  vgpu-doctor ", "  sudo ")):
                    self.assertLessEqual(len(line), 80, (words, line))

    def test_help_promises_no_command_that_is_not_there(self):
        text = testing.doctor("-h").out.decode()
        commands = set(re.findall(r"^  ([a-z][a-z-]+) {2,}", text, re.M))
        self.assertIn("check", commands)
        for command in commands:
            self.assertEqual(testing.doctor(command, "--help").status, 0, command)

    def test_version_is_one_line_with_a_number(self):
        outcome = testing.doctor("--version")
        self.assertEqual((outcome.status, outcome.err), (0, b""))
        self.assertRegex(outcome.out.decode(), r"\A(vgpu-doctor )?\d+\.\d+\.\d+\n\Z")

    def test_without_a_command_it_says_how_it_is_used(self):
        self.refuses(says="check")

    def test_unknown_words_are_refused(self):
        self.refuses("chekc", says="chekc")
        self.refuses("check", "--colour", says="--colour")
        self.refuses("check", "extra", says="extra")

    def test_a_slip_is_answered_by_what_may_have_been_meant(self):
        self.refuses("chekc", says="Did you mean check?")
        self.refuses("check", "--fromat", "json", says="Did you mean --format?")
        self.refuses("check", "--format", "jsno", says="Did you mean json?")
        self.refuses("check", "--rule", "VG3O2", says="did you mean VG302?")
        self.refuses("check", "--rule", "daemon-reload-neded",
                     says="did you mean daemon-reload-needed?")
        self.refuses("explain", "preload-entry-mising", says="did you mean preload-entry-missing?")
        self.refuses("explain", "libary-cpu", says="did you mean library-cpu?")
        self.refuses("fix", "VG3O2", "--root", INCIDENT, says="did you mean VG302?")
        outcome = testing.doctor("check", "--zzz")
        self.assertNotIn("mean", outcome.err.decode())

    def test_what_is_wrong_leads_to_the_help_of_the_command(self):
        self.refuses("zzz", says="`vgpu-doctor --help` says what there is")
        self.refuses("check", "--zzz", says="`vgpu-doctor check --help` says what there is")
        outcome = testing.doctor("check", "--zzz\x1b[31m")
        self.assertIn("--zzz\\x1b[31m", outcome.err.decode())
        self.assertNotIn("\x1b", outcome.err.decode())

    def test_bad_values_are_refused(self):
        self.refuses("check", "--format", "yaml", says="--format")
        self.refuses("check", "--format", says="--format")
        self.refuses("check", "--root", says="--root")
        for pid in ("0", "-1", "ollama", "99999999", "1x"):
            self.refuses("check", "--pid", pid, says="--pid")

    def test_a_process_that_is_not_there_is_refused(self):
        self.refuses("check", "--root", INCIDENT, "--pid", "4000000", says="--pid 4000000")

    def test_a_directory_that_is_no_hosts_root_is_refused(self):
        self.refuses("check", "--root", testing.INCIDENTS, says="is no host's root")

    def test_an_empty_root_is_no_way_to_say_this_machine(self):
        self.refuses("check", "--root", "", says="--root")

    def test_a_unit_may_be_named_without_its_suffix(self):
        whole, _ = testing.check_json("--root", INCIDENT, "--unit", "ollama.service")
        short, _ = testing.check_json("--root", INCIDENT, "--unit", "ollama")
        self.assertEqual(whole, short)

    def test_a_unit_that_is_a_path_or_an_option_is_only_a_name_that_is_not_there(self):
        for unit in ("../../etc/passwd", "a/b.service", "x" * 5000):
            report, _ = testing.check_json("--root", INCIDENT, "--unit", unit)
            self.assertNotEqual(report["verdict"], "healthy", unit)
        report, _ = testing.check_json("--root", INCIDENT, "--unit=--all")
        self.assertNotEqual(report["verdict"], "healthy")

    def test_one_cause_alone_or_all_but_one(self):
        root = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
        for name in ("VG302", "vg302", "service-started-before-config"):
            report, _ = testing.check_json("--root", root, "--rule", name)
            self.assertEqual(testing.codes(report, "root_causes"), ["VG302"])
            self.assertIn("VG401", report["skipped"])
        report, _ = testing.check_json("--root", root, "--skip", "VG302", "--skip", "VG411")
        self.assertEqual(report["skipped"], ["VG302", "VG411"])
        self.assertNotIn("VG302", testing.codes(report, "root_causes"))
        text = testing.doctor("check", "--root", root, "--skip", "VG302").out.decode()
        self.assertIn("Not judged, as asked for", text)
        self.refuses("check", "--root", root, "--rule", "VG999", says="list-causes")

    def test_the_list_of_causes(self):
        text = testing.doctor("list-causes").out.decode()
        known = json.loads(testing.doctor("list-causes", "--format", "json").out)["causes"]
        self.assertEqual(re.findall(r"^  (VG\d{3})  ", text, re.M),
                         [cause["code"] for cause in known])
        self.assertIn("VG302  the service was started before", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_a_short_and_a_whole_time_line(self):
        for incident in ("wrapper-loads-copies-crash-loop", "healthy-era-b", "service-stopped"):
            root = f"{testing.INCIDENTS}/{incident}/host"
            short, _ = testing.check_json("--root", root)
            whole, _ = testing.check_json("--root", root, "--timeline")
            told = json.loads(testing.doctor("timeline", "--root", root, "--format", "json").out)
            # The whole one is that of `timeline`, and the short one a part of it.
            events = [(event["time"], event["event"]) for event in whole["timeline"]]
            self.assertEqual(events, [(event["time"], event["event"]) for event in told["events"]])
            self.assertLess(len(short["timeline"]), len(events), incident)
            for event in short["timeline"]:
                self.assertIn((event["time"], event["event"]), events)
        self.refuses("check", "--root", root, "--since", "soon", says="2h ago")

    def test_a_time_that_cuts_off_the_start_is_the_reason_and_no_fault_of_the_log(self):
        root = f"{testing.INCIDENTS}/healthy-era-b/host"
        outcome = testing.doctor("check", "--root", root, "--since", "2026-03-03 09:13")
        self.assertEqual(outcome.status, testing.INCONCLUSIVE)
        text = " ".join(outcome.out.decode().split())
        self.assertIn("what discovery found is before the time that --since names", text)
        self.assertNotIn("systemctl restart", text)
        told = testing.doctor("timeline", "--root", root, "--since", "2026-03-03 09:13").out
        self.assertIn("--since leaves it out", " ".join(told.decode().split()))
        report, _ = testing.check_json("--root", root, "--since", "2026-03-03 09:12")
        self.assertEqual(report["verdict"], "healthy")

    def test_a_short_and_a_verbose_report(self):
        root = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
        short = testing.doctor("check", "--root", root).out.decode()
        verbose = testing.doctor("check", "--root", root, "--verbose").out.decode()
        self.assertEqual(testing.doctor("check", "--root", root, "-v").out.decode(), verbose)
        self.assertRegex(short, r"Ruled out: \d+ causes \(--verbose says why\)")
        # Ranges of codes; each with its name.
        self.assertNotIn("pci-device-absent", short)
        self.assertIn("VG601  pci-device-absent: ", verbose)
        self.assertNotIn("--verbose", verbose)
        # A verbose report has all that the report has.
        for event in testing.check_json("--root", root)[0]["timeline"]:
            self.assertIn(event["event"], " ".join(verbose.split()))

    def test_the_verdict_is_the_exit_status_in_both_formats(self):
        for incident, status in (("healthy-era-b", 0), ("started-before-drop-in-not-restarted", 1),
                                 ("stable-but-log-begins-late", 3)):
            root = f"{testing.INCIDENTS}/{incident}/host"
            for form in ("text", "json"):
                outcome = testing.doctor("check", "--root", root, "--format", form)
                self.assertEqual(outcome.status, status, (incident, form))
                self.assertEqual(outcome.err, b"")


if __name__ == "__main__":
    testing.run()
