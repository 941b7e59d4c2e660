#!/usr/bin/python3 -B
"""baseline save and show, diff-against-baseline: what changed since it worked."""

import json
import os
import random
import re
import stat
import subprocess
import tempfile
import unittest

import baseline_hosts as hosts
import doctor_testing as testing
from baseline_hosts import model
from baseline_testing import diff, entries, file_of, hold, keys, save

SAME, DRIFT = 0, 1
KEPT = os.path.realpath("testdata/baselines")
README = os.path.join(os.path.dirname(os.path.dirname(testing.INCIDENTS)), "README.md")
HEALTHY = f"{testing.INCIDENTS}/healthy-era-b/host"
PRELOAD = "unit.environment.LD_PRELOAD"
# Changes of the volatile kind that one test makes, and the trees that it makes them in.
VOLATILE, TREES = (1000, 40) if not testing.SANITIZED else (100, 4)


class Save(unittest.TestCase):
    def test_a_working_state_is_verified_and_has_its_parts(self):
        baseline, outcome = save(HEALTHY, "--name", "works")
        self.assertTrue(baseline["verified"])
        self.assertEqual((baseline["name"], outcome.err), ("works", b""))
        have = entries(baseline)
        preload = have[PRELOAD]
        self.assertEqual(preload["class"], "ordered")
        self.assertEqual(preload["value"][0], "/usr/lib64/libvgpu-exec.so")
        self.assertRegex(preload["source"], r"ollama\.service\.d/.*\.conf$")
        self.assertGreater(preload["line"], 0)
        for key in ("unit.exec_start", "unit.drop_ins", "unit.user", "ollama.version",
                    "ollama.era", "unit.program.build_id", "driver.version", "host.kernel",
                    "library.shim./usr/lib64/libvgpu-cuda.so.soname", "pci.0000:00:05.0",
                    "discovery.result", "discovery.passes", "discovery.duration",
                    "discovery.device.0.total", "loader.order.server", "process.secure"):
            self.assertIn("value", have[key], key)

    def test_what_does_not_work_is_stamped_so_loudly(self):
        root = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
        baseline, outcome = save(root)
        self.assertFalse(baseline["verified"])
        self.assertIn("found no GPU", baseline["because"])
        self.assertIn("NOT VERIFIED", outcome.err.decode())
        path = file_of(baseline)
        self.assertIn("NOT VERIFIED", testing.doctor("baseline", "show", path).out.decode())
        text = testing.doctor("diff-against-baseline", path, "--root", root).out.decode()
        self.assertIn("NOT VERIFIED", text)

    def test_what_worked_is_not_written_over_by_what_does_not(self):
        broken = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
        with tempfile.TemporaryDirectory() as scratch:
            path = scratch + "/kept.json"
            for root, status, verified in ((broken, 0, False), (HEALTHY, 0, True),
                                           (broken, 2, True), (HEALTHY, 0, True)):
                outcome = testing.doctor("baseline", "save", "--root", root, "-o", path)
                self.assertEqual(outcome.status, status, outcome.err)
                self.assertEqual(b"it stays" in outcome.err, status == 2)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(json.load(file)["verified"], verified)

    def test_only_what_has_found_the_gpu_is_verified(self):
        for incident in sorted(os.listdir(testing.INCIDENTS)):
            root = f"{testing.INCIDENTS}/{incident}/host"
            report, _ = testing.check_json("--root", root)
            baseline, _ = save(root)
            self.assertEqual(baseline["verified"], report["verdict"] == "healthy", incident)

    def test_nothing_volatile_is_in_it(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        host = hosts.works()
        text = json.dumps(baseline["entries"])
        self.assertNotIn(str(host.pid), text)
        for entry in baseline["entries"]:
            for value in testing.strings(entry.get("value")):
                self.assertNotRegex(value, r"20\d\d-\d\d-\d\d[T ]", entry["key"])
                self.assertNotRegex(value, r"\b0x[0-9a-f]{12}\b", entry["key"])
        for inode in {str(entry["ino"]) for entry in host.files.values()}:
            self.assertNotRegex(text, r"\b%s\b" % inode)

    def test_the_file_is_the_owners_and_there_whole_or_not_at_all(self):
        folder = tempfile.mkdtemp(dir=testing.temporary())
        path = os.path.join(folder, "works.baseline.json")
        for _ in range(2):
            outcome = testing.doctor("baseline", "save", "--root", HEALTHY, "--name", "works",
                                     cwd=folder)
            self.assertEqual(outcome.status, 0, outcome.err)
            self.assertEqual(os.listdir(folder), ["works.baseline.json"])
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        outcome = testing.doctor("baseline", "save", "--root", HEALTHY, "-o",
                                 "/nonexistent/a.json")
        self.assertEqual(outcome.status, testing.USAGE)
        self.assertIn("/nonexistent/a.json", outcome.err.decode())
        outcome = testing.doctor("baseline", "save", "--root", HEALTHY, "--name", "../a")
        self.assertEqual(outcome.status, testing.USAGE)

    def test_show_tells_what_it_holds(self):
        outcome = testing.doctor("baseline", "show", file_of(save(HEALTHY)[0]))
        self.assertEqual((outcome.status, outcome.err), (0, b""))
        self.assertIn("unit.environment.LD_PRELOAD = /usr/lib64/libvgpu-exec.so:",
                      outcome.out.decode())

    def test_no_secret_is_in_it_and_each_that_changed_is_seen(self):
        secrets = ["hunter2hunter2", "hf_abcdefghijklmnopqrstuv", "s3cr3tpath", "pw0pw0pw0",
                   "cr3d3nt1al"]

        def host():
            it = hosts.works()
            it.env["SITE_SETTING"] = secrets[0]
            it.env["HF_TOKEN"] = secrets[1]
            it.settings["SetCredential"] = ["site:" + secrets[4]]
            it.env["OLLAMA_HOST"] = "http://me:%s@127.0.0.1:11434" % secrets[3]
            it.exec_start += " --api-key %s" % secrets[2]
            return it
        with hosts.tree(host()) as root:
            baseline, outcome = save(root)
            for secret in secrets:
                self.assertNotIn(secret, json.dumps(baseline))
                self.assertNotIn(secret, outcome.err.decode())
            self.assertEqual(diff(baseline, root)[1], SAME)
        for name, value in (("SITE_SETTING", "hunter3hunter3"), ("HF_TOKEN", "hf_" + "b" * 22),
                            ("OLLAMA_HOST", "http://me:pw1pw1pw1@127.0.0.1:11434")):
            other = host()
            other.env[name] = value
            with hosts.tree(other) as root:
                found, status = diff(baseline, root)
            self.assertEqual((status, keys(found)[0]), (DRIFT, "unit.environment." + name))
            self.assertNotIn(value, json.dumps(found))
        other = host()
        other.exec_start = other.exec_start.replace(secrets[2], "another1")
        with hosts.tree(other) as root:
            found, _ = diff(baseline, root)
        self.assertEqual(keys(found)[0], "unit.exec_start")
        self.assertNotIn("another1", json.dumps(found))


class Same(unittest.TestCase):
    def test_no_change_is_the_same_on_every_healthy_host(self):
        for version in ("0.6.8", "0.12.3", "0.16.2", "0.24.0", "0.33.0"):
            for shape in (model.PRELOAD, model.PATH, model.BOUND, model.DRIVER, model.CONTAINER):
                with hosts.tree(model.Host(version=version, shape=shape)) as root:
                    baseline, _ = save(root)
                    found, status = diff(baseline, root)
                self.assertEqual((status, found["changes"]), (SAME, []), (version, shape))
                self.assertTrue(baseline["verified"], (version, shape))

    def test_no_change_is_the_same_on_every_incident(self):
        for incident in sorted(os.listdir(testing.INCIDENTS)):
            root = f"{testing.INCIDENTS}/{incident}/host"
            found, status = diff(save(root)[0], root)
            self.assertEqual((status, found["changes"]), (SAME, []), incident)

    def test_a_thousand_volatile_changes_are_none(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        source = random.Random(20260225)
        made = 0
        for number in range(TREES):
            host = hosts.works()
            host.pid = source.randrange(2000, 99999)                        # 1
            host.boot += source.randrange(90000, 90000000)                  # 2
            host.started += source.randrange(1, 40000)                      # 3
            host.t_reload = host.started - source.randrange(1, 300)         # 4
            host.t_written = host.t_reload - source.randrange(1, 1000)      # 5
            host.now = host.started + source.randrange(60, 9000)            # 6
            host.duration = f"{source.randrange(120, 2900)}.578653ms"       # 7
            host.modules = source.sample(host.modules, len(host.modules))   # 8
            host.modules.append("usb_storage" if number % 2 else "nf_tables")  # 9
            host.hostname = host.hostname                                   # a machine keeps it
            host.extra_environ["INVOCATION_ID"] = f"{source.getrandbits(128):032x}"  # 10
            host.extra_environ["MEMORY_PRESSURE_WATCH"] = f"/sys/{source.random()}"  # 11
            made += 11
            changed = source.sample(sorted(host.files), 14)
            for path in changed:                                            # 12 to 25
                host.files[path]["ino"] = source.randrange(1, 1 << 40)
                host.files[path]["mtime"] = host.time(source.randrange(-900000, 0))
            made += len(changed)
            with hosts.tree(host) as root:
                # Where things lie in memory, and which ports are open.
                maps = f"{root}/proc/{host.pid}/maps"
                with open(maps, encoding="utf-8") as file:
                    text = file.read()
                slide = source.randrange(1, 0xfff)
                testing.write(root, f"proc/{host.pid}/maps",
                              re.sub(r"\b7f27", f"7{slide:03x}", text))
                with open(f"{root}/proc/net/tcp", "a", encoding="utf-8") as file:
                    file.write(f"   1: 0100007F:{source.randrange(0x8000, 0xffff):04X} "
                               "00000000:0000 0A 00000000:00000000 00:00000000 00000000   998"
                               "        0 88434 1 0000000000000000 100 0 0 10 0\n")
                found, status = diff(baseline, root)
            self.assertEqual((status, found["changes"]), (SAME, []), number)
        self.assertGreaterEqual(made, VOLATILE)


class EachChange(unittest.TestCase):
    """Every key that a baseline holds, one at a time: the other way round, too, a host that has
    what its baseline lacks is a host that changed."""

    def changed(self, baseline, key, **how):
        copy = json.loads(json.dumps(baseline))
        entry = entries(copy)[key]
        for old in ("value", "absent", "not_observed"):
            entry.pop(old, None)
        entry.update(how)
        return copy

    def other(self, value):
        if isinstance(value, str):
            return value + "x"
        return value / 100 if isinstance(value, (int, float)) else [*value, "/added.so"]

    def test_each_key_is_found_and_placed_first_with_causes(self):
        tried = set()
        for shape in (model.PRELOAD, model.DRIVER):
            host = model.Host(version="0.16.2", shape=shape, debug=True)
            # What is sealed can be compared on a machine with an id.
            host.file("/etc/machine-id", "e44ceeb10dfd956f678547165b4b1642\n")
            with hosts.tree(host) as root:
                baseline, _ = save(root)
                kinds = set()
                for key, entry in entries(baseline).items():
                    kind = re.sub(r"/[^ ]*|\b\d+\b", "*", key)
                    # Of many alike, one. A duration that is shorter now is no change.
                    if kind in kinds or "not_observed" in entry or key == "discovery.duration":
                        continue
                    kinds.add(kind)
                    tried.add(key)
                    how, was = "added", {"absent": True}
                    if "value" in entry:
                        how, was = "changed", {"value": self.other(entry["value"])}
                    else:
                        how = "missing"
                        was = {"value": {"identity": "x", "ordered": ["/x.so"],
                                         "bounded": 1}[entry["class"]]}
                    found, status = diff(self.changed(baseline, key, **was), root)
                    self.assertEqual((status, keys(found)), (DRIFT, [key]), key)
                    change = found["changes"][0]
                    self.assertEqual(change["kind"], how, key)
                    self.assertIn(change["what"], found["headline"], key)
        self.assertGreater(len(tried), 90)

    def test_a_number_may_differ_within_its_range(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        for duration, status in (("120.5ms", SAME), ("4.9s", SAME), ("29.5s", DRIFT)):
            host = hosts.works()
            host.duration = duration
            with hosts.tree(host) as root:
                found, was = diff(baseline, root)
            self.assertEqual(was, status, duration)
            self.assertEqual(keys(found), ["discovery.duration"] if status else [])

    def test_an_order_that_changed_is_called_so(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
            value = entries(baseline)[PRELOAD]["value"]
            found, _ = diff(self.changed(baseline, PRELOAD, value=value[::-1]), root)
        self.assertEqual(found["changes"][0]["kind"], "reordered")

    def test_what_was_not_observed_this_time_is_no_change(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
            found, status = diff(self.changed(baseline, "host.libc", value="2.36"), root)
            self.assertEqual(status, SAME)
        host = hosts.works()
        environ = f"/proc/{host.pid}/environ"
        host.omitted.add(environ)
        host.not_observed = [{"path": environ, "reason": "permission denied"}]
        with hosts.tree(host) as root:
            found, status = diff(baseline, root)
        self.assertEqual((status, found["verdict"]), (testing.INCONCLUSIVE, "inconclusive"))
        self.assertEqual({change["kind"] for change in found["changes"]}, {"not_observed"})
        self.assertIn("permission denied", json.dumps(found))


class Drift(unittest.TestCase):
    def test_the_three_days_of_one_machine(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root, "--name", "2026-02-25")
        with hosts.tree(hosts.crashes()) as root:
            crash, status = diff(baseline, root)
            self.assertEqual(status, DRIFT)
            text = testing.doctor("diff-against-baseline", file_of(baseline), "--root",
                                  root).out.decode()
        order = keys(crash)
        wanted = ["unit.exec_start", PRELOAD, "unit.environment.OLLAMA_LIBRARY_PATH",
                  "library.top_level_backend"]
        places = [order.index(key) for key in wanted]
        self.assertEqual(places, sorted(places), order)
        self.assertEqual(places[:2], [0, 1], order)
        self.assertEqual(crash["likely_cause"][0]["code"], "VG207")
        preload = crash["changes"][1]
        self.assertIn("/usr/lib64/libvgpu-syscall.so", preload["items_added"])
        self.assertIn("/usr/lib64/libvgpu-cudart.so", preload["items_missing"])
        with open(README, encoding="utf-8") as file:
            shown = re.search(r"^```text\n(DRIFT.*?)^```$", file.read(), re.M | re.S).group(1)
        self.assertTrue(text.startswith(shown), text)
        # A missing entry crashes nothing, and no log line proves nothing.
        causes = [cause["code"] for cause in crash["likely_cause"] if not cause["latent"]]
        self.assertNotIn("VG401", causes)

        with hosts.tree(hosts.lost()) as root:
            after, status = diff(baseline, root)
        self.assertEqual(status, DRIFT)
        self.assertEqual(keys(after)[0], PRELOAD)
        self.assertEqual(after["changes"][0]["kind"], "reordered")
        self.assertNotIn("unit.exec_start", keys(after))
        self.assertNotIn("library.top_level_backend", keys(after))
        self.assertIn({"key": "discovery.result", "kind": "not_observed"},
                      [{"key": change["key"], "kind": change["kind"]}
                       for change in after["changes"]])
        # The order of the list is no cause (VG411 is a note), and nothing else is known to be one.
        self.assertEqual(after["likely_cause"], [])

    def test_the_same_against_the_baseline_that_was_kept(self):
        """Schema 1 stays readable for ever."""
        kept = f"{KEPT}/schema-1.baseline.json"
        with open(kept, encoding="utf-8") as file:
            hold("baseline", json.load(file))
        for host, status, first in ((hosts.works(), SAME, None),
                                    (hosts.crashes(), DRIFT, "unit.exec_start"),
                                    (hosts.lost(), DRIFT, PRELOAD)):
            with hosts.tree(host) as root:
                outcome = testing.doctor("diff-against-baseline", kept, "--root", root,
                                         "--format", "json")
            self.assertEqual(outcome.status, status, outcome.err)
            found = json.loads(outcome.out)
            self.assertEqual(keys(found)[:1], [first] if first else [])

    def test_another_machine_profile_version_and_era_say_what_cannot_be_compared(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        host = hosts.works()
        host.hostname = "test11"
        host.file("/etc/machine-id", "0" * 31 + "1\n")
        host.files["/etc/vgpu/devices.toml"]["text"] = (
            '[[device]]\nprofile = "t4"\npci_address = "0000:00:06.0"\n\n[driver]\n'
            'version = "570.124.06"\ncuda_version = "12.8"\n')
        with hosts.tree(host) as root:
            found, status = diff(baseline, root)
        said = json.dumps(found["not_compared"])
        for word in ("another machine", "test11", "h100-80gb-hbm3", "t4"):
            self.assertIn(word, said)
        self.assertEqual(status, DRIFT)
        self.assertIn("device.0.profile", keys(found))
        self.assertFalse([key for key in keys(found) if key.endswith(
            (".uuid", ".address", ".memory", ".pci_id"))], keys(found))
        for version in ("0.13.5", "0.33.0", "0.12.3"):
            with hosts.tree(model.Host(version=version, debug=True)) as root:
                found, status = diff(baseline, root)
            self.assertEqual(status, DRIFT)
            self.assertIn("ollama.version", keys(found))
            self.assertIn(version, json.dumps(found["not_compared"]))
            self.assertFalse([key for key in keys(found) if "libggml" in key], version)

    def test_of_several_baselines_the_nearest_is_compared(self):
        with hosts.tree(hosts.works()) as root:
            good, _ = save(root, "--name", "good")
        with hosts.tree(hosts.crashes()) as root:
            bad, _ = save(root, "--name", "bad")
            found, status = diff([good, bad], root)
            self.assertEqual((found["baseline"]["name"], status), ("bad", SAME))
        with hosts.tree(hosts.lost()) as root:
            found, status = diff([bad, good], root)
        self.assertEqual((found["baseline"]["name"], status), ("good", DRIFT))
        self.assertEqual([other["name"] for other in found["farther_baselines"]], ["bad"])

    def test_drop_ins_in_the_words_of_systemd_delta(self):
        with hosts.tree(hosts.works()) as root:
            baseline, _ = save(root)
        self.assertEqual(entries(baseline)["unit.drop_in.vgpu.conf"]["value"], "extended")
        folder = "/etc/systemd/system/ollama.service.d"

        def masked(host):
            host.link("/run/systemd/system/ollama.service.d/vgpu.conf", "/dev/null")
            host.remove(host.dropin)
            host.link(f"{folder}/vgpu.conf", "/dev/null")
            host.dropin = ""

        def overridden(host):
            host.file("/usr/lib/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n")

        def redirected(host):
            host.file("/opt/site/vgpu-unit.conf", hosts.capture.dropin_text(host))
            host.link(f"{folder}/vgpu.conf", "/opt/site/vgpu-unit.conf")
        for change, word in ((masked, "masked"), (overridden, "is overridden"),
                             (redirected, "redirected to")):
            host = hosts.works()
            change(host)
            with hosts.tree(host) as root:
                found, _ = diff(baseline, root)
            changes = {change["key"]: change for change in found["changes"]}
            self.assertIn(word, changes["unit.drop_in.vgpu.conf"]["current"], word)


class BadInput(unittest.TestCase):
    def refused(self, text, *words):
        path = file_of(text)
        for command in (("baseline", "show", path),
                        ("diff-against-baseline", path, "--root", HEALTHY)):
            outcome = testing.doctor(*command)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), text[:80])
            said = outcome.err.decode()
            self.assertTrue(said.startswith("vgpu-doctor: "), said)
            self.assertEqual(said.count("\n"), 1, said)
            self.assertIn(path, said)
            for word in words:
                self.assertIn(word, said)

    def test_a_newer_one_is_refused_with_a_sentence(self):
        baseline, _ = save(HEALTHY)
        baseline["schema"] = "vgpu-doctor.baseline/2"
        self.refused(json.dumps(baseline), "newer", "vgpu-doctor.baseline/2")

    def test_broken_ones_are_refused_with_a_sentence(self):
        text = json.dumps(save(HEALTHY)[0])
        for broken in ("", "x", "{}", "[]", text[:-20], text.replace('"verified": true', '"x": 1'),
                       '{"schema": "vgpu-doctor.report/1"}', "[" * 200000, "\0" * 5000,
                       text.replace("value", "worth")):
            self.refused(broken, "is no baseline")

    def test_a_million_mutations_of_a_baseline_end_with_an_answer(self):
        """A short form: the fuzz target of diag/baseline has the long one."""
        text = json.dumps(save(HEALTHY)[0]).encode()
        source = random.Random(7)
        for _ in range(60):
            broken = bytearray(text)
            for _ in range(source.randrange(1, 30)):
                broken[source.randrange(len(broken))] = source.randrange(256)
            outcome = testing.doctor("diff-against-baseline", file_of(bytes(broken)), "--root",
                                     HEALTHY)
            self.assertIn(outcome.status, (0, 1, 2, 3), outcome.err)

    def test_files_that_are_none(self):
        for path in ("/nonexistent", "/", "/dev/null"):
            outcome = testing.doctor("diff-against-baseline", path, "--root", HEALTHY)
            self.assertEqual(outcome.status, testing.USAGE)
            self.assertIn(path, outcome.err.decode())
        for arguments in ((), ("--format", "json")):
            outcome = testing.doctor("diff-against-baseline", *arguments)
            self.assertEqual(outcome.status, testing.USAGE)
        self.assertEqual(testing.doctor("baseline").status, testing.USAGE)

    def test_a_full_disk_is_our_fault_and_said(self):
        with open("/dev/full", "wb") as full:
            for command in (("baseline", "save", "--root", HEALTHY, "-o", "-"),
                            ("diff-against-baseline", file_of(save(HEALTHY)[0]), "--root",
                             HEALTHY)):
                outcome = testing.doctor(*command, stdout=full)
                self.assertEqual(outcome.status, testing.FAULT, command)
                self.assertIn("standard output", outcome.err.decode())

    def test_standard_input_is_a_baseline_too(self):
        text = json.dumps(save(HEALTHY)[0]).encode()
        done = subprocess.run([testing.DOCTOR, "diff-against-baseline", "-", "--root", HEALTHY],
                              input=text, stdout=subprocess.PIPE, check=False,
                              env=testing.ENVIRONMENT, timeout=60)
        self.assertEqual(done.returncode, SAME)


if __name__ == "__main__":
    testing.run()
