#!/usr/bin/python3 -B
"""What the commands print on a terminal of 80 columns: nothing is wider but what is there to be
copied, and colours are those that can be read on black and on white."""

import fcntl
import glob
import os
import pty
import re
import struct
import termios
import unittest

import doctor_testing as testing

COLUMNS = 80
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")
# Bold red, green and magenta, faint, bold, and the end of each. Yellow is not for white, blue and
# black not for black.
COLOURS = {"1;31", "1;32", "1;35", "2", "1", "0"}
# A command; a line that is one word behind its lead, such as a path; and pieces of one.
WHOLE = (r"^ *(sudo|printf) .*[^ ]$", r"^ *(to see it: |or by hand: |and beside it: |undo: )?\$ ", r"^  \d+\. \S", r"^ *(\| *|- |at +|was +|is +|[\d.]+ +)?\S+$")


def on_terminal(*arguments):
    """What the doctor prints to a terminal."""
    try:
        pid, terminal = pty.fork()
    except OSError as error:  # a system without /dev/pts
        raise unittest.SkipTest(f"no terminal can be made here: {error}") from error
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        os.execve(testing.DOCTOR, [testing.DOCTOR, *arguments],
                  {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
    said = b""
    try:
        while more := os.read(terminal, 1 << 16):
            said += more
    except OSError:
        pass  # EIO: the other end is closed
    os.close(terminal)
    os.waitpid(pid, 0)
    return said.decode().replace("\r\n", "\n")


class OnATerminal(unittest.TestCase):
    def fits(self, *arguments, whole=WHOLE):
        said = on_terminal(*arguments)
        self.assertTrue(said, arguments)
        self.assertLessEqual(set(ESCAPE.findall(said)), COLOURS, arguments)
        for line in ESCAPE.sub("", said).splitlines():
            if len(line) > COLUMNS and not any(re.search(what, line) for what in whole):
                self.fail(f"{arguments}: {len(line)} columns: {line}")
        return said

    def test_reports(self):
        roots = sorted(glob.glob(f"{testing.INCIDENTS}/*/host"))
        self.assertGreater(len(roots), 10)
        for root in roots:
            said = self.fits("check", "--root", root)
            self.assertRegex(said, "^\x1b\\[1;3[125]m(PROBLEM|HEALTHY|INCONCLUSIVE)")
            # A preload list is parted behind its colons.
            for line in ESCAPE.sub("", said).splitlines():
                if re.match(" *[|] ", line):
                    self.assertLessEqual(len(line), COLUMNS, line)
            self.fits("check", "--verbose", "--timeline", "--root", root)
            self.fits("fix", "--root", root)
            self.fits("timeline", "--root", root)

    def test_differences(self):
        baseline = f"{testing.temporary()}/b.baseline.json"
        testing.doctor("baseline", "save", "--root", f"{testing.INCIDENTS}/healthy-era-b/host",
                       "--name", "b", "-o", baseline)
        for name in ("wrapper-loads-copies-crash-loop", "healthy-era-c", "shim-copied"):
            self.fits("diff-against-baseline", baseline, "--root", f"{testing.INCIDENTS}/{name}/host")

    def test_lists_and_pages(self):
        self.fits("list-causes")
        self.fits("explain")
        # What stands in a fence is to be copied, or was printed so.
        for page in ("VG101", "VG403", "VG603", "VG801", "library-cpu"):
            self.fits("explain", page, whole=(*WHOLE, "^    "))


if __name__ == "__main__":
    testing.run()
