#!/usr/bin/python3 -B
"""Completions and the manual page: each is what its reader takes, and says what the program
takes."""

import re
import shutil
import subprocess
import tempfile
import unittest

import doctor_testing as testing

OPTIONS_OF_CHECK = {"--root", "--unit", "--format", "--log", "--quiet"}


def script(shell):
    outcome = testing.doctor("completion", shell)
    if (outcome.status, outcome.err) != (0, b""):
        raise AssertionError(outcome)
    return outcome.out.decode()


class Completion(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, self.scratch)

    def run_shell(self, shell, *arguments, text=""):
        """What a shell prints that has read the completions; skipped where it is not there."""
        if shutil.which(shell) is None:
            self.skipTest(f"there is no {shell} (tools/dev/clients)")
        path = testing.write(self.scratch, f"_{shell}", script(shell))
        done = subprocess.run(
            [shell, *arguments, *([text.replace("SCRIPT", path)] if text else [path])],
            capture_output=True, text=True, check=False, cwd=self.scratch, stdin=subprocess.DEVNULL,
            env={"HOME": self.scratch, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout[-500:])
        return done.stdout

    def bash(self, *words):
        """What bash offers for the last of `words`."""
        line = " ".join(f"'{word}'" for word in ("vgpu-doctor", *words))
        return set(self.run_shell("bash", "--norc", "-c", text=f"""
            source SCRIPT
            COMP_WORDS=({line})
            COMP_CWORD={len(words)}
            _vgpu_doctor
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """).split())

    def fish(self, line):
        """What fish offers at the end of a line."""
        return {row.split("\t")[0] for row in self.run_shell(
            "fish", "--no-config", "-c",
            text=f"source SCRIPT; complete -C 'vgpu-doctor {line}'").splitlines()}

    def test_each_shell_reads_its_own(self):
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                self.assertEqual(self.run_shell(shell, "-n"), "")

    def test_an_unknown_shell_is_refused(self):
        outcome = testing.doctor("completion", "bahs")
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn("Did you mean bash?", outcome.err.decode())

    def test_bash_offers_commands_options_and_values(self):
        self.assertLessEqual({"check", "list-causes", "completion", "man", "--help"}, self.bash(""))
        self.assertEqual(self.bash("che"), {"check"})
        self.assertLessEqual(OPTIONS_OF_CHECK, self.bash("check", ""))
        self.assertNotIn("--root", self.bash("list-causes", ""))
        self.assertEqual(self.bash("check", "--format", "j"), {"json", "junit"})
        self.assertEqual(self.bash("check", "--format", "=", "js"), {"json"})
        self.assertEqual(self.bash("check", "--rule", "VG30"),
                         {code for code in self.bash("check", "--skip", "") if "VG30" in code})
        self.assertIn("VG302", self.bash("check", "--rule", "VG30"))
        self.assertEqual(self.bash("completion", "f"), {"fish"})
        self.assertEqual(self.bash("explain", "VG302"), {"VG302"})
        self.assertIn("library-cpu", self.bash("explain", "lib"))

    def test_bash_takes_no_value_for_a_command(self):
        self.assertEqual(self.bash("check", "--unit", "list-causes", "--roo"), {"--root"})
        self.assertEqual(self.bash("check", "--unit", ""), set())

    def test_bash_offers_files_and_directories(self):
        testing.write(self.scratch, "a dir/file", "")
        testing.write(self.scratch, "a file", "")
        self.assertEqual(self.bash("check", "--root", "a"), {"a", "dir"})
        self.assertEqual(self.bash("check", "--log", "a"), {"a", "dir", "file"})

    def test_fish_offers_commands_options_and_values(self):
        self.assertLessEqual({"check", "list-causes", "completion", "man"}, self.fish(""))
        self.assertLessEqual(OPTIONS_OF_CHECK, self.fish("check --"))
        self.assertNotIn("--root", self.fish("list-causes --"))
        self.assertEqual(self.fish("check --format j"), {"json", "junit"})
        self.assertEqual(self.fish("completion f"), {"fish"})
        testing.write(self.scratch, "a-dir/file", "")
        testing.write(self.scratch, "a-file", "")
        self.assertEqual(self.fish("check --root a"), {"a-dir/"})
        self.assertEqual(self.fish("check --log a"), {"a-dir/", "a-file"})

    def test_zsh_registers_a_function_for_each_command(self):
        # Its own functions ask the line editor, so the test stands in for the first of them.
        out = self.run_shell("zsh", "-f", "-c", text="""
            autoload -U compinit
            compinit -D -u
            source SCRIPT
            print -- $_comps[vgpu-doctor]
            _arguments() { print -rl -- "$@" }
            _vgpu_doctor_check
        """).splitlines()
        self.assertEqual(out[0], "_vgpu_doctor")
        options = {re.sub(r"[=\[].*", "", line.removeprefix("*")) for line in out[1:]}
        self.assertLessEqual(OPTIONS_OF_CHECK, options)
        self.assertTrue(any(re.fullmatch(r"--format=\[.*\]:FORMAT:\(text json .*\)", line)
                            for line in out), out)


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = testing.doctor("man").out.decode()

    def render(self):
        """The page at 80 columns; skipped where there is no man."""
        if shutil.which("man") is None or shutil.which("groff") is None:
            self.skipTest("there is no man or no groff")
        path = testing.write(testing.temporary(), "vgpu-doctor.1", self.page)
        done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True,
                              check=False, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80",
                                                "LC_ALL": "C.UTF-8", "MANROFFOPT": "-c"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return re.sub(".\b", "", done.stdout)

    def test_groff_has_no_complaint_and_shows_it(self):
        text = self.render()
        self.assertRegex(text, r"(?m)^NAME\n +vgpu-doctor - says why Ollama does not see")
        self.assertIn("vgpu-doctor check [OPTION ...]", text)
        self.assertIn("--format FORMAT", text)
        self.assertIn("journalctl -u ollama | vgpu-doctor check --log -", text)

    def test_it_has_every_command_and_every_option_of_the_help(self):
        plain = self.page.replace("\\-", "-")
        text = testing.doctor("--help").out.decode()
        commands = re.findall(r"^  ([a-z][a-z-]+) {2,}", text, re.M)
        self.assertLessEqual({"check", "man"}, set(commands))
        for command in commands:
            self.assertIn(f".SS vgpu-doctor {command}", plain)
            helped = testing.doctor(command, "--help").out.decode()
            for option in re.findall(r"^  (?:-\w,)?(--[a-z-]+)", helped, re.M):
                self.assertIn(f"\\fB{option}\\fR", plain, command)


if __name__ == "__main__":
    testing.run()
