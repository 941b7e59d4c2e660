#!/usr/bin/python3 -B
"""libvgpu-syscall.so inside programs: what is ours reads as the tree's files do, in whatever
manner a program reaches them, and what is not ours as it did before.

The machine that this runs on is the host; the tree is made of its own PCI functions, and has
a device that it has not.
"""

import collections
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

SHIM = os.path.abspath("shims/syscall/libvgpu-syscall.so")
PATTERNS = os.path.abspath("shims/syscall/patterns")
VGPU_RUN = os.path.abspath("tools/vgpu_run/vgpu-run")

Outcome = collections.namedtuple("Outcome", "status out err")


def run(*command, timeout=120, cwd=None, **variables):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=cwd,
                          stdin=subprocess.DEVNULL, timeout=timeout,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **variables})
    return Outcome(done.returncode, done.stdout, done.stderr)


def write_tree(directory, profile="h100-80gb-hbm3"):
    configuration = f"{directory}.toml"
    pathlib.Path(configuration).write_text(f'[[device]]\nprofile = "{profile}"\n')
    done = run(VGPU_RUN, "write-tree", "--output", directory, VGPU_CONFIG=configuration)
    assert done.status == 0, done.err


def contents(directory):
    """What there is below a directory: names, kinds, modes, times, targets, bytes."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        status = path.lstat()
        what = os.readlink(path) if path.is_symlink() else (
            path.read_bytes() if path.is_file() else None)
        found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, what)
    return found


class RedirectTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        if "--sanitized" in sys.argv:
            self.skipTest("a program cannot load a shim with a sanitizer's runtime")
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="vgpu-redirect."))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        # Where another user can read it, which Bazel's own directories need not be.
        self.shim = shutil.copy(SHIM, self.directory)
        self.tree = os.path.join(self.directory, "tree")
        write_tree(self.tree)
        manifest = pathlib.Path(self.tree, "manifest").read_text()
        self.owned = ["/" + path for path in re.findall(r"^own (\S+)$", manifest, re.M)]
        self.aliases = ["/" + path for path in re.findall(r"^alias (\S+) ", manifest, re.M)]
        self.merged = ["/" + path for path in re.findall(r"^merge (\S+)$", manifest, re.M)]
        self.device = next(path for path in self.owned if path.startswith("/sys/devices/"))

    def run_with(self, *command, tree=None, **options):
        return run(*command, LD_PRELOAD=self.shim, VGPU_TREE=tree or self.tree, **options)

    def is_ours(self, path):
        return any(path == of or path.startswith(of + "/") for of in self.owned + self.aliases)

    def test_the_tree_is_where_paths_are_looked_at(self):
        # resolve.h says what is taken for granted of it.
        places = r"^(/sys(/bus(/pci(/.*)?)?|/devices(/pci.*)?)?|/proc(/driver.*)?)$"
        for path in self.owned + self.merged + self.aliases:
            self.assertRegex(path, places)

    def test_every_manner_of_reading(self):
        for path in [self.device, *self.aliases]:
            if not os.path.exists(self.tree + path):
                continue
            with self.subTest(path):
                plain = run(PATTERNS, "read", self.tree, path)
                shimmed = self.run_with(PATTERNS, "read", "", path)
                self.assertEqual((plain.status, plain.err), (0, ""))
                self.assertEqual((shimmed.status, shimmed.err), (0, ""))
                wanted = plain.out.replace(self.tree, "").splitlines()
                self.assertGreater(len(wanted), 100)
                self.assertIn("open: 30 78 31 30 64 65 0a end 0 0 at 7", wanted)
                self.assertEqual(shimmed.out.splitlines(), wanted)

    def test_nothing_of_ours_can_be_written(self):
        before = contents(self.tree)
        exist = {"mkdir(function, 0777)", 'symlink("x", file)', 'link("/etc/passwd", file)'}
        for path in [self.device, self.aliases[0]]:
            done = self.run_with(PATTERNS, "write", path)
            self.assertEqual((done.status, done.err), (0, ""))
            lines = done.out.splitlines()
            self.assertGreater(len(lines), 50)
            for line in lines:
                call, result = line.rsplit(": ", 1)
                value, error = result.split(" ", 1)
                with self.subTest(call, path=path):
                    wanted = "File exists" if call in exist else "Permission denied"
                    self.assertEqual(error, wanted)
                    self.assertIn(value, ("-1", "0"))
        self.assertEqual(contents(self.tree), before)

    def listing(self, runner, *roots):
        done = runner("find", *roots, "-printf", r"%p %y %l\n")
        return {line.split(" ")[0]: line for line in done.out.splitlines()}

    def roots(self):
        return [path for path in ("/sys/bus", "/sys/class", "/sys/devices", "/proc/driver")
                if os.path.isdir(path)]

    def test_a_walk_finds_ours_beside_all_of_the_hosts(self):
        before = self.listing(run, *self.roots())
        after = self.listing(self.run_with, *self.roots())
        if self.listing(run, *self.roots()) != before:
            self.skipTest("what this machine has changes while it is looked at")
        host = {path: line for path, line in before.items() if not self.is_ours(path)}
        self.assertEqual({path: line for path, line in after.items() if not self.is_ours(path)},
                         host)
        wanted = set()
        for path in self.owned:
            for parent, directories, files in os.walk(self.tree + path):
                parent = parent.removeprefix(self.tree)
                wanted |= {parent, *(os.path.join(parent, name) for name in directories + files)}
        wanted |= {path for path in self.aliases if os.path.lexists(self.tree + path)}
        wanted = {path for path in wanted if path.startswith(tuple(self.roots()))}
        found = {path for path in after if self.is_ours(path)}
        # Where the host has all names of ours, its own directory is listed.
        self.assertEqual(found - set(self.aliases), wanted - set(self.aliases))
        self.assertLessEqual(wanted, found)
        for path in found & wanted:
            kind = "l" if os.path.islink(self.tree + path) else None
            self.assertEqual(after[path].split(" ")[1] == "l", kind == "l", path)

    def test_nftw_finds_what_find_finds(self):
        for root in self.roots():
            for flags in (1, 9):
                with self.subTest(root, flags=flags):
                    done = self.run_with(PATTERNS, "walk", root, str(flags))
                    self.assertEqual(done.status, 0)
                    names = [line.split(" ", 1)[1] for line in done.out.splitlines()]
                    self.assertEqual(sorted(names), sorted(self.listing(self.run_with, root)))

    def test_files_of_the_host_read_as_before(self):
        roots = [path for path in ("/sys/bus/pci", "/sys/devices/pci0000:00", "/proc/driver",
                                   "/sys/class/net", "/proc/sys/kernel") if os.path.isdir(path)]
        names = [line.split(" ")[0] for line in self.listing(run, *roots).values()
                 if line.split(" ")[1] == "f"]
        names = [name for name in names if not self.is_ours(name)]
        self.assertGreater(len(names), 50)
        script = ("import hashlib, sys\n"
                  "for name in sys.stdin.read().split('\\n'):\n"
                  "    try: print(name, hashlib.sha256(open(name, 'rb').read(65536)).hexdigest())\n"
                  "    except OSError as error: print(name, error.errno)\n")

        def read(**variables):
            done = subprocess.run([sys.executable, "-c", script], input="\n".join(names),
                                  capture_output=True, text=True, timeout=120, env=variables)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
        first = read()
        shimmed = read(LD_PRELOAD=self.shim, VGPU_TREE=self.tree)
        second = read()
        steady = {name for name in names if first[name] == second[name]}
        self.assertGreater(len(steady), 50)
        self.assertEqual({name: shimmed[name] for name in steady},
                         {name: first[name] for name in steady})

    def test_a_shell_that_goes_there(self):
        merged = next((path for path in self.merged if path.endswith("/drivers")), None)
        if merged is None or not os.path.isdir(merged):
            self.skipTest("this machine has no PCI drivers beside which ours would be listed")
        other = next((name for name in sorted(os.listdir(merged))
                      if not self.is_ours(f"{merged}/{name}")), None)
        if other is None:
            self.skipTest("this machine has no other PCI driver")
        script = f"cd {merged} && pwd && ls -a {other} && cd nvidia && pwd -P && cd .. && pwd -P"
        done = self.run_with("bash", "-c", script)
        self.assertEqual((done.status, done.err), (0, ""))
        # What lies below it is the host's, also for a child, which begins there.
        listed = run("ls", "-a", f"{merged}/{other}").out
        self.assertEqual(done.out, f"{merged}\n{listed}{merged}/nvidia\n{merged}\n")

    def test_where_there_is_no_tree_all_is_as_before(self):
        plain = run("find", "/sys/bus/pci", "/proc/driver")
        half = os.path.join(self.directory, "half")
        shutil.copytree(self.tree, half, symlinks=True)
        manifest = pathlib.Path(half, "manifest")
        manifest.write_text(manifest.read_text()[:-4])
        other = os.path.join(self.directory, "other")
        shutil.copytree(self.tree, other, symlinks=True)
        manifest = pathlib.Path(other, "manifest")
        manifest.write_text(manifest.read_text().replace("vgpu-tree 1", "vgpu-tree 2"))
        empty = os.path.join(self.directory, "empty")
        os.mkdir(empty)
        for tree in ("/nonexistent", half, other, empty, "/dev/null", self.tree + "/manifest",
                     "x" * 5000, "/" + "x" * 5000):
            with self.subTest(tree[:60]):
                self.assertEqual(self.run_with("find", "/sys/bus/pci", "/proc/driver", tree=tree),
                                 plain)

    def test_an_unreadable_tree_is_none(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat",
                   self.device + "/vendor"]
        plain = run(*command)
        self.assertEqual(self.run_with(*command).out, "0x10de\n")
        os.chmod(self.tree + "/manifest", 0)
        self.assertEqual(self.run_with(*command), plain)
        os.chmod(self.tree + "/manifest", 0o644)
        # A file of it that is not to be read is an error, and not the host's.
        os.chmod(self.tree + self.device + "/vendor", 0)
        done = self.run_with(*command)
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("Permission denied", done.err)

    def test_a_tree_that_is_exchanged_while_a_thousand_threads_read_it(self):
        done = threading.Event()
        exchanged = [0]

        def exchange():
            while not done.is_set():
                write_tree(self.tree, ("t4", "h100-80gb-hbm3")[exchanged[0] % 2])
                exchanged[0] += 1
        exchanger = threading.Thread(target=exchange)
        exchanger.start()
        try:
            began = time.monotonic()
            read = self.run_with(PATTERNS, "threads", self.device + "/vendor", "1000")
        finally:
            done.set()
            exchanger.join()
        print(f"{read.out.strip()}, {exchanged[0]} exchanges, "
              f"{time.monotonic() - began:.1f} s")
        self.assertEqual((read.status, read.out, read.err), (0, "1000 threads, 0 wrong\n", ""))
        self.assertGreater(exchanged[0], 1)

    def test_a_tree_that_is_removed_and_comes_back(self):
        script = ("import sys\n"
                  "for line in sys.stdin:\n"
                  f"    try: print(open('{self.device}/vendor').read().strip(), flush=True)\n"
                  "    except OSError as error: print(error.errno, flush=True)\n")
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE,
                              env={"LD_PRELOAD": self.shim, "VGPU_TREE": self.tree}) as program:
            def ask():
                program.stdin.write("\n")
                program.stdin.flush()
                return program.stdout.readline().strip()
            try:
                host = pathlib.Path(self.device, "vendor").read_text().strip()
            except FileNotFoundError:
                host = "2"
            self.assertEqual(ask(), "0x10de")
            os.rename(self.tree, self.tree + ".away")
            time.sleep(1.1)
            self.assertEqual(ask(), host)
            os.rename(self.tree + ".away", self.tree)
            time.sleep(1.1)
            self.assertEqual(ask(), "0x10de")
            program.stdin.close()
            self.assertEqual(program.wait(10), 0)

    def test_where_mounts_show_the_tree_it_does_nothing(self):
        command = [VGPU_RUN, "--files-only", "--", "env"]
        configuration = f"{self.tree}.toml"
        works = run(*command, "cat", self.device + "/vendor", VGPU_CONFIG=configuration)
        if works.out != "0x10de\n":
            self.skipTest(f"vgpu-run cannot mount here: {works.err.strip()}")
        # Were the tree that is named used, the inodes would be those of its files.
        inside = ["sh", "-c", f"cat {self.device}/*vendor {self.device}/uevent; "
                              f"stat -c %i {self.device}/vendor; readlink -f {self.device}/driver"]
        plain = run(*command, *inside, VGPU_CONFIG=configuration)
        shimmed = run(*command, f"LD_PRELOAD={self.shim}", f"VGPU_TREE={self.tree}", *inside,
                      VGPU_CONFIG=configuration)
        self.assertEqual(plain.status, 0)
        self.assertEqual(shimmed, plain)
        redirected = self.run_with(*inside)
        self.assertNotEqual(redirected.out, plain.out)


if __name__ == "__main__":
    cases.run()
