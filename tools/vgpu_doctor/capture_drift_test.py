#!/usr/bin/python3 -B
"""A capture serves baselines and the time line as its host does.

Of every incident, of healthy hosts of each kind, and of the three days of one machine.
"""

import contextlib
import json
import os
import re
import sys
import tempfile
import unittest

import baseline_hosts as hosts
import doctor_testing as testing
from baseline_hosts import model
from baseline_testing import diff, entries, keys, save

SAME, DRIFT = 0, 1
SECRETS = ("hunter2", "hf_abcdefghijklmnopqrstuv", "s3cr3tflag")
SHAPES = (model.PRELOAD, model.PATH, model.BOUND, model.DRIVER, model.CONTAINER)


@contextlib.contextmanager
def captured(root, *arguments):
    with tempfile.TemporaryDirectory(dir=testing.temporary()) as folder:
        name = os.path.join(folder, "unredacted.tar.zst" if arguments else "capture.tar.zst")
        outcome = testing.doctor("capture", "--root", root, "-o", name, *arguments, timeout=30)
        if outcome.status != 0:
            raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()[-500:]}")
        yield name


def manifest(archive):
    """Of a capture, as `tar` unpacks it."""
    folder = tempfile.mkdtemp(dir=testing.temporary())
    testing.subprocess.run(["tar", "-I", "zstd", "-xf", archive, "-C", folder], check=True)
    name, = os.listdir(folder)
    with open(f"{folder}/{name}/.vgpu-capture/manifest.json", encoding="utf-8") as file:
        return json.load(file)


def unsealed(value):
    """Each baseline has a salt of its own."""
    return re.sub(r"<sealed [0-9a-f]{32}>", "<sealed>", json.dumps(value))


def tell(root):
    outcome = testing.doctor("timeline", "--root", root, "--format", "json")
    if outcome.status != 0:
        raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()[-500:]}")
    told = json.loads(outcome.out)
    del told["host"]["source"]
    return told


class Serves(unittest.TestCase):
    """One host: what its capture says is what it says itself."""

    maxDiff = None

    def __init__(self, name, make):
        super().__init__("runTest")
        self.name, self.make = name, make

    def id(self):
        return f"Serves.{self.name}"

    def runTest(self):
        with self.make() as root, captured(root) as archive:
            of_host, _ = save(root, "--name", "a")
            of_capture, _ = save(archive, "--name", "a")
            for head in ("verified", "because", "host", "subject", "captured_at"):
                self.assertEqual(of_capture[head], of_host[head], head)
            self.assertEqual(of_capture["kinds"], of_host["kinds"])
            self.assertEqual(unsealed(of_capture["entries"]), unsealed(of_host["entries"]))
            # Each against the other, and so with seals that were made here and there.
            for baseline, host in ((of_host, archive), (of_capture, root), (of_capture, archive)):
                found, status = diff(baseline, host)
                self.assertEqual((status, found["changes"]), (SAME, []), host)
            self.assertEqual(tell(archive), tell(root))


class WithSecrets(unittest.TestCase):
    """A host with secrets, of which some change."""

    @staticmethod
    def host(token=SECRETS[1], flag=SECRETS[2], setting=SECRETS[0]):
        host = hosts.works()
        host.env["HF_TOKEN"] = token
        host.env["SITE_SETTING"] = setting
        host.env["GIN_MODE"] = "release"
        host.exec_start += f" --api-key {flag}"
        return host

    def test_equal_and_changed_are_seen_and_no_value_is(self):
        with hosts.tree(self.host()) as root:
            baseline, _ = save(root)
            with captured(root) as archive:
                found, status = diff(baseline, archive)
                self.assertEqual((status, found["changes"]), (SAME, []))
                self.assertNotIn("seal", json.dumps(found["not_compared"]))
                text = json.dumps(manifest(archive))
        for secret in SECRETS:
            self.assertNotIn(secret, text)
            self.assertNotIn(secret, json.dumps(baseline))
        for changed, key in (({"token": "hf_" + "z" * 22}, "unit.environment.HF_TOKEN"),
                             ({"setting": "hunter3"}, "unit.environment.SITE_SETTING"),
                             ({"flag": "an0ther"}, "unit.exec_start")):
            with hosts.tree(self.host(**changed)) as root, captured(root) as archive:
                live, _ = diff(baseline, root)
                found, status = diff(baseline, archive)
            self.assertEqual((status, keys(found)), (DRIFT, keys(live)), key)
            self.assertEqual(keys(found)[0], key)

    def test_of_another_machine_nothing_that_is_sealed_is_compared(self):
        with hosts.tree(self.host()) as root:
            baseline, _ = save(root)
        other = self.host(token="hf_" + "z" * 22)
        other.file("/etc/machine-id", "0" * 31 + "1\n")
        with hosts.tree(other) as root, captured(root) as archive:
            found, status = diff(baseline, archive)
        self.assertEqual((status, found["changes"]), (SAME, []))
        self.assertIn("another machine", json.dumps(found["not_compared"]))

    def test_a_machine_without_an_id_makes_no_seals(self):
        host = self.host()
        host.remove("/etc/machine-id")
        with hosts.tree(host) as root:
            baseline, _ = save(root)
            self.assertEqual(baseline["seal_check"], "")
            self.assertNotRegex(json.dumps(baseline), "<sealed [0-9a-f]{32}")
            with captured(root) as archive:
                found, status = diff(baseline, archive)
        self.assertEqual((status, found["changes"]), (SAME, []))
        self.assertIn("the machine's id was not known", json.dumps(found["not_compared"]))

    def test_a_baseline_of_the_first_form_is_compared_but_for_its_seals(self):
        kept = os.path.realpath("testdata/baselines/schema-1.baseline.json")
        with open(kept, encoding="utf-8") as file:
            baseline = json.load(file)
        with hosts.tree(hosts.works()) as root, captured(root) as archive:
            found, status = diff(baseline, archive)
        self.assertEqual((status, found["changes"]), (SAME, []))
        self.assertIn("old form", json.dumps(found["not_compared"]))

    def test_what_the_capture_hides_and_does_not_carry_is_not_observed(self):
        """A wrapper with a secret: a hash of it would be enough to guess the secret."""
        def host(secret):
            it = hosts.crashes()
            text = it.files[hosts.WRAPPER]["text"]
            it.file(hosts.WRAPPER, text + f"# --api-key {secret}\n", mode="0755")
            return it
        with hosts.tree(host("hunter2")) as root:
            baseline, _ = save(root)
            with captured(root) as archive:
                found, status = diff(baseline, archive)
                carried = {entry["key"]: entry for entry in manifest(archive)["seals"]["entries"]}
        self.assertEqual((status, found["changes"]), (SAME, []))
        self.assertIn("the capture hides it", carried["unit.program.content"]["not_observed"])

    def test_with_its_secrets_it_carries_no_seals(self):
        with hosts.tree(self.host()) as root, captured(root, "--no-redact") as archive:
            baseline, _ = save(root)
            found, status = diff(baseline, archive)
            self.assertEqual((status, found["changes"]), (SAME, []))
            self.assertNotIn("seals", manifest(archive))

    def test_a_capture_of_a_capture_carries_the_same(self):
        with hosts.tree(self.host()) as root, captured(root) as first, captured(first) as second:
            baseline, _ = save(root)
            found, status = diff(baseline, second)
            self.assertEqual((status, found["changes"]), (SAME, []))
            self.assertEqual(manifest(second)["seals"], manifest(first)["seals"])
            self.assertEqual(tell(second), tell(root))


class Drifted(unittest.TestCase):
    """The machine that stopped working, by its captures."""

    maxDiff = None

    def test_the_difference_is_that_of_the_host(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        for make in (hosts.crashes, hosts.lost):
            with hosts.tree(make()) as root, captured(root) as archive:
                live, status = diff(baseline, root)
                found, again = diff(baseline, archive)
            self.assertEqual((again, found["verdict"], found["headline"]),
                             (status, live["verdict"], live["headline"]))
            self.assertEqual(found["likely_cause"], live["likely_cause"])
            self.assertEqual(found["changes"], live["changes"])

    def test_the_story_is_that_of_the_host(self):
        with hosts.tree(hosts.story()) as root, captured(root) as archive:
            told = tell(archive)
            self.assertEqual(told, tell(root))
            self.assertIsNotNone(told["stopped_working"])
            self.assertIn("libc6 was upgraded", json.dumps(told["events"]))

    def test_of_a_long_log_of_packages_the_end_is_captured(self):
        host = hosts.story()
        line = "2026-02-20 01:02:03 status installed filler:all 1.0\n"
        host.file("/var/log/dpkg.log", line * (3 * (1 << 20) // len(line))
                  + host.files["/var/log/dpkg.log"]["text"])
        with hosts.tree(host) as root, captured(root) as archive:
            told = tell(archive)
            self.assertEqual(told, tell(root))
            self.assertIn("libc6 was upgraded", json.dumps(told["events"]))
            remarks = json.dumps(manifest(archive)["remarks"])
        self.assertIn("/var/log/dpkg.log: only the newest part was captured", remarks)


def incident(name):
    return lambda: contextlib.nullcontext(os.path.join(testing.INCIDENTS, name, "host"))


def healthy(version, shape):
    return lambda: hosts.tree(model.Host(version=version, shape=shape))


def main():
    suite = unittest.TestSuite()
    for name in sorted(os.listdir(testing.INCIDENTS)):
        suite.addTest(Serves(name, incident(name)))
    for shape in SHAPES:
        for version in ("0.6.8", "0.16.2", "0.33.0"):
            suite.addTest(Serves(f"{version}-{shape}", healthy(version, shape)))
    for make in (hosts.works, hosts.crashes, hosts.lost, hosts.story):
        suite.addTest(Serves(make.__name__, lambda make=make: hosts.tree(make())))
    for cases in (WithSecrets, Drifted):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(cases))
    testing.run(suite)


if __name__ == "__main__":
    sys.exit(main())
