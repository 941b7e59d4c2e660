#!/usr/bin/python3 -B
"""The line of progress: on a terminal, after a second, and nowhere else."""

import glob
import json
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest

import doctor_testing as testing

HOST = f"{testing.INCIDENTS}/healthy-era-b/host"
WIPE = "\r\x1b[K"


def on_terminal(*arguments, environment=None, feed=None, stdout=subprocess.PIPE):
    """Runs vgpu-doctor with standard error on a terminal: exit status, what came on standard
    output, and on the terminal. `feed`: what standard input gets, bytes and pauses in seconds."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [testing.DOCTOR, *arguments], stdin=subprocess.PIPE, stdout=stdout, stderr=follower,
        env=testing.ENVIRONMENT | {"TERM": "xterm"} | (environment or {}))
    os.close(follower)
    for piece in feed or ():
        if isinstance(piece, bytes):
            process.stdin.write(piece)
            process.stdin.flush()
        else:
            time.sleep(piece)
    process.stdin.close()
    out = process.stdout.read() if process.stdout else b""
    process.wait(timeout=60)
    shown = b""
    while select.select([leader], [], [], 0)[0]:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return process.returncode, out, shown.decode()


def screen(shown):
    """What is left on the lines of a terminal: only carriage returns and erasures are known."""
    lines = [""]
    at = 0
    while shown:
        if shown.startswith("\x1b[K"):
            lines[-1] = lines[-1][:at]
            shown = shown[3:]
            continue
        if shown[0] == "\r":
            at = 0
        elif shown[0] == "\n":
            lines.append("")
            at = 0
        else:
            lines[-1] = lines[-1][:at] + shown[0] + lines[-1][at + 1:]
            at += 1
        shown = shown[1:]
    return [line for line in lines if line]


class Progress(unittest.TestCase):
    def log(self):
        """A log whose last part comes late."""
        with open(f"{testing.LOGS}/journal.txt", "rb") as file:
            text = file.read()
        return [text[:len(text) // 2], 2.2, text[len(text) // 2:]]

    def test_a_log_that_comes_slowly(self):
        status, out, shown = on_terminal("check", "--log", "-", feed=self.log())
        self.assertIn("vgpu-doctor: reading standard input (1 s)", shown)
        self.assertTrue(shown.endswith(WIPE), repr(shown))
        self.assertEqual(screen(shown), [])
        plain = testing.doctor("check", "--log", f"{testing.LOGS}/journal.txt")
        self.assertEqual(status, plain.status)
        self.assertTrue(out)
        self.assertNotIn(b"\x1b", out)

    def test_machine_output_has_none_of_it(self):
        _, out, shown = on_terminal("check", "--log", "-", "--format", "json", feed=self.log())
        testing.validate(json.loads(out), testing.SCHEMA)
        self.assertIn("reading standard input", shown)

    def test_what_is_quick_shows_nothing(self):
        for command in (("check", "--root", HOST), ("timeline", "--root", HOST),
                        ("capture", "--root", HOST, "-o", "-"), ("fix", "--root", HOST)):
            _, _, shown = on_terminal(*command)
            self.assertNotIn("\x1b", shown, command)

    def test_quiet_is_quiet(self):
        _, out, shown = on_terminal("check", "--quiet", "--log", "-", feed=self.log())
        self.assertEqual((out, shown), (b"", ""))

    def test_a_terminal_that_cannot_go_back(self):
        _, _, shown = on_terminal("check", "--log", "-", feed=self.log(),
                                  environment={"TERM": "dumb"})
        self.assertEqual(shown, "")

    def test_without_a_terminal_there_is_none(self):
        process = subprocess.Popen([testing.DOCTOR, "check", "--log", "-"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=testing.ENVIRONMENT | {"TERM": "xterm"})
        first, pause, second = self.log()
        process.stdin.write(first)
        process.stdin.flush()
        time.sleep(pause)
        _, said = process.communicate(second, timeout=60)
        self.assertEqual(said, b"")

    def test_many_hosts_are_counted(self):
        directory = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, directory)
        hosts = sorted(glob.glob(f"{testing.INCIDENTS}/*/host"))
        # The last one is an archive on standard input that takes its time.
        archive = testing.doctor("capture", "--root", HOST, "-o", "-").out
        status, out, shown = on_terminal("check", "--format", "json", "--root", *hosts, "-",
                                         feed=[archive[:100], 2.2, archive[100:]])
        self.assertEqual(status, testing.PROBLEM)
        self.assertEqual(len(json.loads(out)["hosts"]), len(hosts) + 1)
        self.assertIn(f"vgpu-doctor: judged {len(hosts)} of {len(hosts) + 1} hosts (", shown)
        self.assertEqual(screen(shown), [])

    def test_each_command_that_reads_a_host(self):
        archive = testing.doctor("capture", "--root", HOST, "-o", "-").out
        for command in (("timeline",), ("fix",), ("capture", "-o", "-"),
                        ("baseline", "save", "-o", "-")):
            with self.subTest(command):
                status, out, shown = on_terminal(*command, "--root", "-",
                                                 feed=[archive[:100], 2.2, archive[100:]])
                self.assertEqual(status, 0)
                self.assertTrue(out)
                self.assertIn("vgpu-doctor: reading standard input (1 s)", shown)
                # A message of the command may stand there when the line has gone.
                self.assertNotIn("reading", "".join(screen(shown)))

    def test_a_message_stands_on_a_line_of_its_own(self):
        _, _, shown = on_terminal("check", "--root", "-", feed=[b"no archive", 2.2, b"!"])
        self.assertIn("reading standard input", shown)
        self.assertEqual(len(screen(shown)), 1, screen(shown))
        self.assertTrue(screen(shown)[0].startswith("vgpu-doctor: --root -"), screen(shown))


if __name__ == "__main__":
    testing.run()
