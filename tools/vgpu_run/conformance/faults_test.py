#!/usr/bin/python3 -B
"""What goes wrong under each way: no hang, no crash, a truthful answer.

    faults_test.py [--children N]      N children under each way (default 200; the campaign: 10000)
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

ADDRESS = "0000:00:05.0"
VENDOR = f"/sys/bus/pci/devices/{ADDRESS}/vendor"
VERSION = "/proc/driver/nvidia/version"
RUN = os.path.abspath("tools/vgpu_run/vgpu-run")
SHIMS = [os.path.abspath(path) for path in ("shims/exec/libvgpu-exec.so",
                                            "shims/syscall/libvgpu-syscall.so")]
children = 200


class Faults(unittest.TestCase):
    def setUp(self):
        if not os.path.isdir("/sys/bus/pci/devices"):
            self.skipTest("this kernel shows no PCI bus (/sys/bus/pci/devices)")
        self.directory = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.tree = f"{self.directory}/tree"
        self.environment = {"PATH": os.environ["PATH"], "TMPDIR": self.directory}
        self.make_tree()
        self.host_vendor = (pathlib.Path(VENDOR).read_text() if os.path.exists(VENDOR) else None)

    def make_tree(self):
        subprocess.run([RUN, "write-tree", "--output", self.tree], check=True,
                       env=self.environment)

    def preloaded(self):
        return self.environment | {"LD_PRELOAD": ":".join(SHIMS), "VGPU_TREE": self.tree}

    def ways(self):
        yield "mounts", [RUN, "--files-only", "--"], self.environment
        yield "notify", [RUN, "--files-only", "--notify", "--"], self.environment
        yield "preload", [], self.preloaded()

    def each_way(self):
        for way, prefix, environment in self.ways():
            tried = subprocess.run([*prefix, "true"], capture_output=True, text=True,
                                   env=environment)
            if tried.returncode != 0:
                print(f"{way}: not tried: {tried.stderr.strip()}")
                continue
            with self.subTest(way):
                yield way, prefix, environment

    def test_many_children_are_all_answered(self):
        script = ('i=0; wrong=0; while [ $i -lt "$1" ]; do i=$((i + 1)); '
                  'read -r seen <<END\n$(/bin/cat "$2")\nEND\n'
                  '[ "$seen" = 0x10de ] || wrong=$((wrong + 1)); done; echo $i $wrong')
        for way, prefix, environment in self.each_way():
            begin = time.monotonic()
            done = subprocess.run(
                [*prefix, "sh", "-c", script, "sh", str(children), VENDOR], capture_output=True,
                text=True, env=environment, timeout=60 + children // 10)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (0, f"{children} 0\n", ""))
            print(f"{way}: {children} children in {time.monotonic() - begin:.1f} s")

    def test_the_supervisor_leaks_no_descriptor(self):
        script = ("echo ready; read go; i=0; while [ $i -lt 300 ]; do i=$((i + 1)); "
                  f"read -r seen <{VENDOR}; read -r seen <{VERSION}; done; echo done; read go")
        process = subprocess.Popen([RUN, "--files-only", "--notify", "--", "sh", "-c", script],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE, env=self.environment)
        counts = []
        for word in ("ready", "done"):
            line = process.stdout.readline()
            if not line:
                self.skipTest(process.communicate()[1].strip())
            self.assertEqual(line, word + "\n")
            counts.append(len(os.listdir(f"/proc/{process.pid}/fd")))
            process.stdin.write("go\n")
            process.stdin.flush()
        process.communicate(timeout=30)
        self.assertEqual(counts[0], counts[1])

    def test_a_tree_that_goes_away_under_notify_is_an_error_and_no_hang(self):
        script = f"echo ready; read go; cat {VERSION}; cat {VENDOR}; cat /etc/hostname; echo end"
        process = subprocess.Popen([RUN, "--files-only", "--notify", "--", "sh", "-c", script],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE, env=self.environment)
        if process.stdout.readline() != "ready\n":
            self.skipTest(process.communicate()[1].strip())
        (made,) = pathlib.Path(self.directory).glob("vgpu-run.*")
        shutil.rmtree(made)
        said, complaint = process.communicate("go\n", timeout=30)
        self.assertEqual(said, pathlib.Path("/etc/hostname").read_text() + "end\n")
        self.assertEqual(complaint.count("No such file or directory"), 2, complaint)

    def test_half_a_tree_is_none(self):
        manifest = pathlib.Path(self.tree, "manifest")
        whole = manifest.read_text()
        for broken in ("", whole[:-4], whole.replace("vgpu-tree 1", "vgpu-tree 2"), "\0" * 100,
                       None):
            with self.subTest(broken and broken[:20]):
                manifest.unlink(missing_ok=True)
                if broken is not None:
                    manifest.write_text(broken)
                done = subprocess.run(["cat", VENDOR], capture_output=True, text=True,
                                      env=self.preloaded(), timeout=30)
                self.assertEqual(done.stdout or None, self.host_vendor)
        manifest.write_text(whole)
        done = subprocess.run(["cat", VENDOR], capture_output=True, text=True,
                              env=self.preloaded(), timeout=30)
        self.assertEqual(done.stdout, "0x10de\n")

    def test_a_tree_replaced_while_it_is_read_is_the_old_or_the_new_one(self):
        script = ("import sys\n"
                  "wrong = 0\n"
                  "print('ready', flush=True)\n"
                  "for i in range(3000):\n"
                  f"    try: wrong += open('{VENDOR}').read() != '0x10de\\n'\n"
                  # Between two steps of the walk the old one was removed.
                  "    except FileNotFoundError: pass\n"
                  "print(wrong)\n")
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                                   text=True, env=self.preloaded())
        self.assertEqual(process.stdout.readline(), "ready\n")
        times = 0
        while process.poll() is None and times < 50:
            self.make_tree()
            times += 1
        self.assertEqual(process.communicate(timeout=60)[0], "0\n")
        self.assertEqual(process.returncode, 0)
        self.assertGreater(times, 0)

    def test_nothing_of_the_mounts_can_be_taken_away_by_the_host(self):
        script = f"echo ready; read go; cat {VENDOR} {VERSION} | head -c 19"
        process = subprocess.Popen([RUN, "--files-only", "--", "sh", "-c", script],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE, env=self.environment)
        if process.stdout.readline() != "ready\n":
            self.skipTest(process.communicate()[1].strip())
        self.assertEqual(list(pathlib.Path(self.directory).glob("vgpu-run*")), [])
        self.assertEqual(process.communicate("go\n", timeout=30), ("0x10de\nNVRM version", ""))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--children", type=int, default=children)
    children = parser.parse_args().children
    cases.run()
