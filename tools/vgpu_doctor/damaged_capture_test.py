#!/usr/bin/python3 -B
"""A capture that lost a piece is still judged, and never judged wrongly.

Of each incident, one file after the other is taken away, cut to half, and replaced by
noise; and what the list of files says of each loses members here and there. Each time vgpu-doctor has to end in time with a verdict and a report that keeps to
its schema (a broken manifest.json: exit 2, and its name on standard error). Without a
piece a report knows less; a root cause that it calls certain has to be one that the
whole capture has too.
"""

import json
import os
import random
import shutil
import unittest

import doctor_testing as testing

NOISE = random.Random(57290).randbytes(64)
MANIFEST = ".vgpu-capture/manifest.json"
# The list of what there was. Without it a file that the tree lacks counts as absent, and
# the report has to say that the list is missing.
FILES = ".vgpu-capture/files.jsonl"
# How often a list loses members, each time others.
LOSSES = 25


def statements(host):
    """The files whose absence says something of the host: that they were not there. Those
    of procfs, of sysfs, of the tools, and the ones that the list has are observations:
    one that is missing was not observed."""
    with open(os.path.join(host, FILES), encoding="utf-8") as lines:
        listed = {json.loads(line)["path"] for line in lines}
    observed = (".vgpu-capture/", "proc/", "sys/")
    return {path for path in regular_files(host)
            if "/" + path not in listed and not path.startswith(observed)}


def with_losses(value, chance):
    """JSON of which members, at any depth, are missing or of another type."""
    if isinstance(value, list):
        return [with_losses(item, chance) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, member in value.items():
        fate = chance.random()
        if fate >= 0.08:
            kept[key] = with_losses(member, chance)
        elif fate < 0.02:
            kept[key] = chance.choice([None, "", [], {}, 0, -1, 2**63, True])
    return kept


def regular_files(host):
    for directory, _, names in os.walk(host):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                yield os.path.relpath(path, host)


class Damage(unittest.TestCase):
    """One incident, damaged in every way."""

    def __init__(self, name):
        super().__init__("runTest")
        self.name = name

    def id(self):
        return f"Damage.{self.name}"

    def runTest(self):
        host = os.path.join(testing.temporary(), self.name, "host")
        shutil.copytree(os.path.join(testing.INCIDENTS, self.name, "host"), host, symlinks=True)
        whole, _ = testing.check_json("--root", host)
        certain = self.certain(whole)
        no_observation = statements(host) | {FILES}
        for path in sorted(regular_files(host)):
            target = os.path.join(host, path)
            with open(target, "rb") as file:
                content = file.read()
            os.chmod(target, 0o644)
            os.remove(target)
            self.judge("without", path, host, None if path in no_observation else certain)
            for how, rest in (("half of", content[:len(content) // 2]), ("noise in", NOISE)):
                with open(target, "wb") as file:
                    file.write(rest)
                self.judge(how, path, host, None)
            with open(target, "wb") as file:
                file.write(content)
        self.lose_members(host)
        again, _ = testing.check_json("--root", host)
        self.assertEqual(again, whole)  # the pieces were put back

    def lose_members(self, host):
        target = os.path.join(host, FILES)
        with open(target, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for seed in range(LOSSES):
            chance = random.Random(seed)
            with open(target, "w", encoding="utf-8") as file:
                for line in lines:
                    file.write(json.dumps(with_losses(json.loads(line), chance)) + "\n")
            self.judge(f"losses {seed} in", FILES, host, None)
        with open(target, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @staticmethod
    def certain(report):
        return {item["code"] for item in report["root_causes"] if item["confidence"] == "certain"}

    def judge(self, how, path, host, certain):
        with self.subTest(f"{how} {path}"):
            outcome = testing.doctor("check", "--format", "json", "--root", host)
            if path == MANIFEST and how != "without":
                self.assertEqual(outcome.status, testing.USAGE)
                self.assertIn(b"manifest.json", outcome.err)
                return
            report = testing.parse_report(outcome)
            if path == FILES and how == "without":
                self.assertIn("the capture has no such list", testing.words(report["not_observed"]))
            if certain is not None:
                new = self.certain(report) - certain
                self.assertFalse(new, f"{how} {path}: {report['headline']}")


def main():
    suite = unittest.TestSuite(map(Damage, sorted(os.listdir(testing.INCIDENTS))))
    testing.run(suite)


if __name__ == "__main__":
    main()
