#!/usr/bin/python3 -B
"""libvgpu-exec.so keeps the shims in the environment of children, and changes nothing else."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

SHIM = os.path.abspath("shims/exec/libvgpu-exec.so")
STARTER = os.path.abspath("shims/exec/starter")

# Every libc way to start a program. The second is the name of the function that does it.
BUILT = ("execve", "execvpe", "execle", "fexecve", "execveat", "posix_spawn", "posix_spawnp",
         "vfork")
SCRUBBED = ("execv", "execvp", "execl", "execlp", "system", "popen", "wordexp")


class ExecTest(unittest.TestCase):
    def start(self, *arguments, preload=SHIM, **variables):
        environment = {"PATH": "/usr/bin:/bin", "LD_PRELOAD": preload, **variables}
        done = subprocess.run([STARTER, *arguments], env=environment, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 0, arguments)
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def test_children_have_it_in_an_environment_that_the_caller_built(self):
        for manner in BUILT:
            with self.subTest(manner):
                child = self.start(manner)
                self.assertEqual((child["A"], child.get("LD_PRELOAD")), ("1", SHIM))

    def test_children_have_it_though_the_caller_emptied_its_own(self):
        for manner in SCRUBBED:
            with self.subTest(manner):
                child = self.start(manner)
                self.assertEqual((child["A"], child.get("LD_PRELOAD")), ("1", SHIM))

    def test_grandchildren_have_it(self):
        with tempfile.TemporaryDirectory() as directory:
            script = pathlib.Path(directory, "script")
            script.write_text(f"#!/bin/sh\nexec env -i {STARTER} execve\n")
            script.chmod(0o755)
            self.assertEqual(self.start("execve", str(script)).get("LD_PRELOAD"), SHIM)

    def test_what_is_preloaded_beside_it_stays_and_others_are_not_added(self):
        # libm is any library: it is no shim, so a child that was not given it does not get it.
        libm = re.search(r"libm\.so\.6 => (\S+)",
                         subprocess.run(["ldd", sys.executable], capture_output=True,
                                        text=True).stdout)
        if not libm:
            self.skipTest("python3 does not need libm.so.6 here")
        child = self.start("execve", preload=f"{libm[1]}:{SHIM}")
        self.assertEqual(child["LD_PRELOAD"], SHIM)

    def test_an_environment_that_asks_is_left_alone(self):
        environment = {"PATH": "/usr/bin:/bin", "LD_PRELOAD": SHIM}
        for wanted, variables in ((None, ["VGPU_PROPAGATE=0"]), (SHIM, ["VGPU_PROPAGATE=1"])):
            done = subprocess.run(["env", "-i", *variables, "env"], env=environment,
                                  capture_output=True, text=True, timeout=60)
            child = dict(line.split("=", 1) for line in done.stdout.splitlines())
            self.assertEqual(child.get("LD_PRELOAD"), wanted)

    def test_a_raw_system_call_is_out_of_reach(self):
        # What only the unit's preload file reaches (Go's os/exec, static programs).
        self.assertNotIn("LD_PRELOAD", self.start("syscall"))

    def test_a_privileged_program_is_left_as_it_is(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a set-user-ID program of another user")
        for mode in (0o4755, 0o2755):
            with tempfile.TemporaryDirectory() as directory:
                program = os.path.join(directory, "env")
                shutil.copy("/usr/bin/env", program)
                os.chown(program, 65534, 65534)
                os.chmod(program, mode)
                os.chmod(directory, 0o755)
                for manner in ("execve", "posix_spawn", "fexecve", "execl"):
                    with self.subTest(manner, mode=oct(mode)):
                        self.assertNotIn("LD_PRELOAD", self.start(manner, program))

    def test_a_program_that_is_not_there_fails_as_it_did(self):
        for manner in ("execve", "execvpe", "execl", "execlp"):
            plain, shimmed = (
                subprocess.run([STARTER, manner, "/nonexistent/program"], capture_output=True,
                               env={"LD_PRELOAD": preload}, timeout=60)
                for preload in ("", SHIM))
            self.assertEqual(
                (shimmed.returncode, shimmed.stderr), (plain.returncode, plain.stderr), manner)

    def test_a_huge_environment_arrives_whole(self):
        # 20,000 variables: more than a stack should hold twice; then it is left as it is.
        variables = {f"V{i}": "x" * 40 for i in range(20000)}
        done = subprocess.run(["env", "-u", "LD_PRELOAD", "env"],
                              env={"PATH": "/usr/bin:/bin", "LD_PRELOAD": SHIM, **variables},
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(sum(line.startswith("V") for line in done.stdout.splitlines()), 20000)

    def test_ten_thousand_children_leak_nothing(self):
        script = ("import os, sys\n"
                  "for i in range(int(sys.argv[1])):\n"
                  "    if os.posix_spawn('/bin/true', ['true'], {}) == 0: sys.exit(1)\n"
                  "    if os.wait()[1]: sys.exit(1)\n"
                  "print(len(os.listdir('/proc/self/fd')))\n")
        counts = []
        for preload, children in (("", 10), (SHIM, 10000)):
            done = subprocess.run([sys.executable, "-c", script, str(children)],
                                  capture_output=True, text=True, env={"LD_PRELOAD": preload})
            self.assertEqual(done.returncode, 0, done.stderr)
            counts.append(done.stdout)
        self.assertEqual(counts[0], counts[1])


if __name__ == "__main__":
    cases.run()
