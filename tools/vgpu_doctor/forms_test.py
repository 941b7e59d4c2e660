#!/usr/bin/python3 -B
"""What people type who do not know the command line yet: each form does what was meant, or its
error names the command that does, and that command works."""

import json
import os
import re
import shlex
import shutil
import tempfile
import unittest

import doctor_testing as testing

TREE = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
NAMED = re.compile(r"Did you mean `vgpu-doctor ([^`]+)`\?")


class Forms(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, self.scratch)

    def meant(self, *arguments):
        """The words of the command that the error names."""
        outcome = testing.doctor(*arguments, cwd=self.scratch)
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), arguments)
        named = NAMED.search(outcome.err.decode())
        self.assertTrue(named, (arguments, outcome.err))
        return shlex.split(named.group(1))

    def leads_to(self, arguments, expected, status=testing.PROBLEM):
        self.assertEqual(self.meant(*arguments), expected)
        outcome = testing.doctor(*expected, cwd=self.scratch)
        self.assertEqual((outcome.status, outcome.err), (status, b""), expected)

    def tree(self, name):
        """A host's root below the scratch directory."""
        path = os.path.join(self.scratch, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copytree(TREE, path, symlinks=True)
        return name

    def log(self, name):
        return os.path.basename(testing.write(self.scratch, name, "level=INFO msg=nothing\n"))

    def test_a_host_without_its_option(self):
        self.tree("host1")
        self.leads_to(["check", "host1"], ["check", "--root", "host1"])
        self.leads_to(["host1"], ["check", "--root", "host1"])
        self.leads_to(["--root", "host1"], ["check", "--root", "host1"])
        self.leads_to(["timeline", "host1"], ["timeline", "--root", "host1"], 0)
        self.leads_to(["fix", "host1"], ["fix", "--root", "host1"])
        # These need the machine itself, or are about no machine.
        self.assertEqual(self.meant("verify", "host1"), ["check", "--root", "host1"])
        self.assertEqual(self.meant("list-causes", "host1"), ["check", "--root", "host1"])
        self.tree("a host")
        self.leads_to(["check", "a host"], ["check", "--root", "a host"])
        self.leads_to(["check", "--quiet", "host1"], ["check", "--root", "host1"])

    def test_an_archive_is_a_host_whatever_it_is_called(self):
        self.tree("host1")
        for name in ("host1.tar", "handed-on.bin"):
            path = os.path.join(self.scratch, name)
            shutil.make_archive(f"{self.scratch}/made", "tar", f"{self.scratch}/host1")
            os.rename(f"{self.scratch}/made.tar", path)
            self.leads_to(["check", name], ["check", "--root", name])
            self.leads_to(["check", "--log", name], ["check", "--root", name])

    def test_several_hosts(self):
        for name in ("a", "b"):
            self.tree(name)
        self.leads_to(["check", "a", "b"], ["check", "--root", "a", "b"])
        self.leads_to(["timeline", "a", "b"], ["timeline", "--root", "a"], 0)

    def test_a_directory_of_hosts(self):
        self.tree("captures/one")
        for arguments in (["check", "captures"], ["check", "--root", "captures"], ["captures"],
                          ["timeline", "--root", "captures"]):
            self.leads_to(arguments, ["check", "--each", "captures"])

    def test_a_directory_above_a_host(self):
        self.tree("incident/host")
        for arguments in (["check", "incident"], ["check", "--root", "incident"]):
            self.leads_to(arguments, ["check", "--root", "incident/host"])

    def test_one_host_where_a_directory_of_them_is_asked_for(self):
        self.tree("host1")
        self.leads_to(["check", "--each", "host1"], ["check", "--root", "host1"])

    def test_a_log(self):
        self.log("check.log")
        for arguments in (["check.log"], ["check", "check.log"], ["check", "--root", "check.log"],
                          ["check", "--each", "check.log"], ["fix", "--root", "check.log"]):
            self.leads_to(arguments, ["check", "--log", "check.log"], testing.INCONCLUSIVE)

    def test_a_baseline(self):
        self.tree("host1")
        done = testing.doctor("baseline", "save", "--root", "host1", "-o", "works.baseline.json",
                              cwd=self.scratch)
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(self.meant("works.baseline.json"),
                         ["diff-against-baseline", "works.baseline.json"])
        self.leads_to(["baseline", "works.baseline.json"],
                      ["baseline", "show", "works.baseline.json"], 0)
        self.assertEqual(self.meant("diff-against-baseline", "host1"),
                         ["diff-against-baseline", "BASELINE", "--root", "host1"])
        self.assertEqual(self.meant("baseline", "save", "works"),
                         ["baseline", "save", "--name", "works"])

    def test_a_cause_or_a_guide(self):
        self.leads_to(["VG302"], ["explain", "VG302"], 0)
        self.leads_to(["library-cpu"], ["explain", "library-cpu"], 0)
        said = testing.doctor("check", "VG302").err.decode()
        self.assertIn("`vgpu-doctor check --rule VG302`", said)
        self.assertIn("`vgpu-doctor explain VG302`", said)

    def test_a_unit_or_a_process(self):
        self.assertEqual(self.meant("ollama.service"), ["check", "--unit", "ollama.service"])
        self.assertEqual(self.meant("check", "57290"), ["check", "--pid", "57290"])
        for command in ("check", "verify", "timeline", "capture"):
            name = "my-ollama.service"
            said = testing.doctor(command, name).err.decode()
            self.assertIn(f"If that is a unit: `vgpu-doctor {command} --unit {name}`.", said)

    def test_a_file_that_a_capture_is_to_be_written_to(self):
        self.assertEqual(self.meant("capture", "mine.tar.zst"), ["capture", "-o", "mine.tar.zst"])

    def test_an_option_without_its_dashes(self):
        for words in (["check", "quiet"], ["check", "--root", TREE, "--format", "json", "verbose"]):
            outcome = testing.doctor(*words)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn(b"Did you mean --quiet?", testing.doctor("check", "quiet").err)
        self.assertIn(b"Did you mean --version?", testing.doctor("version").err)

    def test_what_is_nothing_is_not_guessed_at(self):
        for arguments in (["zzz"], ["explain", "--zzz"], ["check", "--root", "zzz"], [""],
                          ["check", "--root", "\x1b[31m"]):
            outcome = testing.doctor(*arguments, cwd=self.scratch)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), arguments)
            self.assertNotIn(b"ean `", outcome.err, arguments)
            self.assertNotIn(b"\x1b", outcome.err)
        os.mkdir(f"{self.scratch}/empty")
        for option in ("--root", "--each"):
            outcome = testing.doctor("check", option, "empty", cwd=self.scratch)
            self.assertNotIn(b"ean `", outcome.err)

    def test_a_name_with_control_characters_is_made_visible(self):
        self.tree("a\x1b[31m")
        outcome = testing.doctor("check", "a\x1b[31m", cwd=self.scratch)
        self.assertEqual(outcome.status, testing.USAGE)
        self.assertNotIn(b"\x1b", outcome.err)
        self.assertIn(b"Did you mean", outcome.err)


class Help(unittest.TestCase):
    def test_it_says_what_the_option_says(self):
        for words in ([], ["check"], ["baseline"], ["baseline", "save"], ["help"]):
            by_option = testing.doctor(*words, "--help")
            by_command = testing.doctor("help", *words)
            self.assertEqual((by_command.status, by_command.err), (0, b""), words)
            self.assertEqual(by_command.out, by_option.out, words)

    def test_a_command_that_there_is_not(self):
        for words, says in ((["chekc"], b"did you mean check?"), (["zzz"], b"vgpu-doctor --help"),
                            (["baseline", "sav"], b"did you mean save?"),
                            (["check", "zzz"], b"vgpu-doctor check --help")):
            outcome = testing.doctor("help", *words)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), words)
            self.assertIn(says, outcome.err)

    def test_completions_offer_the_commands(self):
        commands = json.dumps(testing.doctor("completion", "fish").out.decode())
        self.assertRegex(commands, r"__fish_seen_subcommand_from help' -a 'check explain")


if __name__ == "__main__":
    testing.run()
