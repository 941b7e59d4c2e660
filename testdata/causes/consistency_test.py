#!/usr/bin/env python3
"""The parts of every tree agree with one another: a label is worth no more than its tree."""

import json
import os
import posixpath
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capture
import catalogue


def _read(root, path):
    with open(root + path, encoding="utf-8") as text:
        return text.read()


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = {}
        for line in _read(root, "/.vgpu-capture/files.jsonl").splitlines():
            entry = json.loads(line)
            self.files[entry["path"]] = entry
        self.units = [name[5:-4] for name in os.listdir(root + "/.vgpu-capture/systemctl")
                      if name.startswith("show-") and name.endswith(".service.txt")]
        self.show = dict(line.split("=", 1) for line in _read(
            root, "/.vgpu-capture/systemctl/show-%s.txt" % self.units[0]).splitlines())
        journal = "/.vgpu-capture/journal/%s.jsonl" % self.units[0]
        self.journal = [json.loads(line) for line in _read(root, journal).splitlines()] \
            if os.path.exists(root + journal) else []

    def pids(self):
        return [int(name) for name in os.listdir(self.root + "/proc") if name.isdigit()]


def problems(host, tree):
    found = []
    for pid in tree.pids():
        if "/proc/%d/maps" % pid in host.omitted:
            continue
        for line in _read(tree.root, "/proc/%d/maps" % pid).splitlines():
            match = re.match(r"\S+ \S+ \S+ 08:01 (\d+) +(/.*)$", line)
            if not match or os.path.isdir("%s/proc/%d/root" % (tree.root, pid)) and \
               not os.path.islink("%s/proc/%d/root" % (tree.root, pid)):
                continue
            path = match.group(2)
            entry = tree.files.get(path)
            if path.endswith(" (deleted)"):
                old = tree.files.get(path[:-10])
                if old and old["ino"] == int(match.group(1)):
                    found.append("%s is deleted and has the inode of the file" % path)
            elif entry and entry["ino"] != int(match.group(1)):
                found.append("%s is mapped with another inode" % path)
            elif not entry and host.installation_captured and \
                    path not in ("/usr/sbin/nginx", "/usr/bin/python3.11"):
                found.append("%s is mapped and does not exist" % path)
    times = [int(record["__REALTIME_TIMESTAMP"]) for record in tree.journal]
    if times != sorted(times):
        found.append("the journal is not in order")
    now = host.boot + host.now
    if times and times[-1] > now * 1e6:
        found.append("the journal is ahead of the capture")
    for path in tree.show.get("DropInPaths", "").split():
        if host.real(path) is None and path not in tree.files:
            found.append("DropInPaths names %s, which does not exist" % path)
    if tree.show["LoadState"] == "loaded" and host.real(tree.show["FragmentPath"]) is None:
        found.append("FragmentPath does not exist")
    pid = tree.show.get("MainPID", "0")
    if pid != "0":
        if int(pid) not in tree.pids():
            found.append("MainPID has no /proc")
        else:
            path = "/proc/%s/environ" % pid
            environ = "" if path in host.omitted else _read(tree.root, path)
            if environ and host.environ is None and not host.extra_environ:
                for key, value in (host.loaded_env if host.loaded_env is not None
                                   else host.env).items():
                    if value is not None and "%s=%s\0" % (key, value) not in environ:
                        found.append("the process lacks %s" % key)
            path = "/proc/%s/exe" % pid
            exe = host.program if path in host.omitted else os.readlink(tree.root + path)
            if host.installation_captured and not exe.endswith(" (deleted)") and \
               exe not in tree.files:
                found.append("the program %s does not exist" % exe)
    for path, entry in tree.files.items():
        if posixpath.normpath(path) != path:
            found.append("%s is not a plain path" % path)
        if entry["type"] == "symlink" and os.path.lexists(tree.root + path) and \
           os.readlink(tree.root + path) != entry["target"]:
            found.append("%s leads elsewhere in the tree" % path)
    return found


class Consistency(unittest.TestCase):
    def test_every_tree(self):
        for case in catalogue.CASES:
            with self.subTest(case.title), tempfile.TemporaryDirectory(
                    dir=capture.scratch()) as root:
                host = case.host()
                capture.write(host, root)
                self.assertEqual(problems(host, Tree(root)), [])

    def test_every_code_has_a_host_that_has_it_and_one_that_only_looks_so(self):
        table = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                             "../../diag/rules/catalogue.cc")
        with open(table, encoding="utf-8") as file:
            codes = re.findall(r'\{"(VG\d{3})", "', file.read())
        self.assertGreater(len(codes), 80)
        for kind in ("fault", "neighbour"):
            self.assertEqual({case.code for case in catalogue.CASES if case.kind == kind},
                             set(codes), kind)

    def test_every_case_has_a_story_of_its_own(self):
        seen = {}
        for case in catalogue.CASES:
            self.assertTrue(case.label["story"])
            other = seen.setdefault((case.label["story"], case.kind, case.name), case)
            self.assertEqual(other.code, case.code)


if __name__ == "__main__":
    unittest.main()
