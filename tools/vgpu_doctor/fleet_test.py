#!/usr/bin/python3 -B
"""check over many captured hosts: a row for each, by root cause, and what most of them share."""

import glob
import html
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import doctor_testing as testing

SCHEMA = "diag/report/fleet.schema.json"
INCIDENTS = sorted(glob.glob(f"{testing.INCIDENTS}/*/host"))
HEALTHY = f"{testing.INCIDENTS}/healthy-era-b/host"
NOT_RESTARTED = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
LOG_BEGINS_LATE = f"{testing.INCIDENTS}/stable-but-log-begins-late/host"
FORMATS = ("text", "json", "markdown", "html", "prometheus")


def fleet(*arguments, **options):
    """The JSON form, held against its schema, and the exit status."""
    options.setdefault("timeout", 60)
    outcome = testing.doctor("check", "--format", "json", *arguments, **options)
    if not outcome.out:
        raise AssertionError(outcome.err.decode())
    table = json.loads(outcome.out)
    testing.validate(table, SCHEMA)
    return table, outcome.status


def rows(table):
    return {host["root"]: host for host in table["hosts"]}


class Fleet(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, self.scratch)

    def refuses(self, *arguments, says):
        outcome = testing.doctor("check", *arguments)
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), arguments)
        self.assertIn(says, outcome.err.decode(), arguments)
        self.assertEqual(outcome.err.count(b"\n"), 1, outcome.err)

    def captures(self):
        """A directory with archives, a tree, and what is no host."""
        directory = os.path.join(self.scratch, "captures")
        os.makedirs(f"{directory}/no-host")
        for name in ("healthy-era-b", "shim-copied"):
            outcome = testing.doctor("capture", "--root", f"{testing.INCIDENTS}/{name}/host", "-o",
                                     f"{directory}/{name}.tar.zst")
            self.assertEqual(outcome.status, 0, outcome.err)
        os.symlink(NOT_RESTARTED, f"{directory}/tree")
        testing.write(directory, "cut.tar.zst", b"\x28\xb5\x2f\xfd")
        testing.write(directory, "notes.txt", "which host is which\n")
        testing.write(directory, ".half-copied.tar.zst", b"")
        return directory

    def test_each_row_says_what_the_hosts_own_report_says(self):
        table, status = fleet("--root", *INCIDENTS)
        self.assertEqual(status, testing.PROBLEM)
        self.assertEqual(len(table["hosts"]), len(INCIDENTS))
        for root, row in rows(table).items():
            with self.subTest(root):
                report, _ = testing.check_json("--root", root)
                self.assertEqual(row["verdict"], report["verdict"])
                self.assertEqual(row["headline"], report["headline"])
                self.assertEqual(row["hostname"], report["host"]["hostname"])
                self.assertEqual(row["ollama_version"], report["subject"]["ollama_version"])
                self.assertEqual(row["root_causes"], testing.codes(report, "root_causes"))
                self.assertEqual(row["latent"], testing.codes(report, "latent"))

    def test_the_same_cause_stands_together(self):
        roots = [NOT_RESTARTED, INCIDENTS[0], HEALTHY, NOT_RESTARTED, INCIDENTS[0], NOT_RESTARTED]
        table, _ = fleet(*(word for root in roots for word in ("--root", root)))
        causes = [host["root_causes"][:1] for host in table["hosts"]]
        self.assertEqual(causes, [["VG302"]] * 3 + [causes[3]] * 2 + [[]])
        self.assertEqual([(cause["code"], cause["hosts"]) for cause in table["root_causes"]][:2],
                         [("VG302", 3), (causes[3][0], 2)])
        shared = [piece for piece in table["shared"] if piece["code"] == "VG302"]
        self.assertIn("/proc/PID/environ", [piece["source"] for piece in shared])
        self.assertEqual({(piece["hosts"], piece["of"]) for piece in shared}, {(3, 3)})

    def test_the_schema_is_no_formality(self):
        text = json.dumps(fleet("--root", NOT_RESTARTED, NOT_RESTARTED, HEALTHY)[0])

        def broken(change):
            table = json.loads(text)
            change(table)
            with self.assertRaises(AssertionError):
                testing.validate(table, SCHEMA)

        broken(lambda table: table.pop("counts"))
        broken(lambda table: table["hosts"][0].update(verdict="fine"))
        broken(lambda table: table["hosts"][0].update(root_causes=[]))
        broken(lambda table: table["hosts"][2].update(root_causes=["VG302"]))
        broken(lambda table: table["shared"][0].update(hosts=1))
        broken(lambda table: table["root_causes"][0].pop("certain"))
        broken(lambda table: table.update(schema="vgpu-doctor.fleet/2"))

    def test_a_directory_of_captures(self):
        directory = self.captures()
        outcome = testing.doctor("check", "--each", directory, "--format", "json")
        # One of them cannot be read: that is the worst.
        self.assertEqual(outcome.status, testing.USAGE)
        self.assertIn("left out: no-host, notes.txt", outcome.err.decode())
        table = json.loads(outcome.out)
        testing.validate(table, SCHEMA)
        self.assertEqual({os.path.basename(root): row["verdict"] for root, row in
                          rows(table).items()},
                         {"healthy-era-b.tar.zst": "healthy", "shim-copied.tar.zst": "problem",
                          "tree": "problem", "cut.tar.zst": "unreadable"})
        self.assertEqual(table["counts"], {"hosts": 4, "problem": 2, "inconclusive": 0,
                                           "healthy": 1, "unreadable": 1, "fault": 0})
        # Together with hosts that are named.
        more, _ = fleet("--each", directory, "--root", HEALTHY)
        self.assertEqual(len(more["hosts"]), 5)

    def test_a_host_that_cannot_be_read_is_a_row_and_not_an_end(self):
        missing = f"{self.scratch}/missing"
        table, status = fleet("--root", missing, NOT_RESTARTED, self.scratch)
        self.assertEqual(status, testing.USAGE)
        found = rows(table)
        self.assertEqual(found[NOT_RESTARTED]["root_causes"], ["VG302"])
        self.assertEqual(found[missing]["verdict"], "unreadable")
        self.assertIn("no such", found[missing]["headline"].lower())
        self.assertIn("no host's root", found[self.scratch]["headline"])

    def test_the_worst_host_is_the_exit_status_in_each_format(self):
        for roots, status in (([HEALTHY, HEALTHY], 0), ([HEALTHY, LOG_BEGINS_LATE], 3),
                              ([LOG_BEGINS_LATE, NOT_RESTARTED, HEALTHY], 1),
                              ([NOT_RESTARTED, "/nonexistent"], 2)):
            for form in FORMATS:
                outcome = testing.doctor("check", "--root", *roots, "--format", form)
                self.assertEqual((outcome.status, outcome.err), (status, b""), (roots, form))
                self.assertTrue(outcome.out)
            quiet = testing.doctor("check", "--quiet", "--root", *roots)
            self.assertEqual((quiet.status, quiet.out, quiet.err), (status, b"", b""), roots)
        outcome = testing.doctor("check", "--root", HEALTHY, HEALTHY, "--output", "/nowhere/x")
        self.assertEqual(outcome.status, testing.USAGE)

    def test_the_table_says_where_each_is_and_what_repairs_it(self):
        copy = f"{self.scratch}/the other capture"
        os.symlink(NOT_RESTARTED, copy)
        for form in ("text", "markdown", "html"):
            outcome = testing.doctor("check", "--root", NOT_RESTARTED, copy, HEALTHY, "--format",
                                     form)
            text = html.unescape(outcome.out.decode())
            for root in (NOT_RESTARTED, copy, HEALTHY):
                self.assertIn(root, text, form)
            self.assertIn("certain", text, form)
            repair = re.search(r"vgpu-doctor (fix [^\n`<]*--root .*?)(</pre>|`|\n)", text)
            done = testing.doctor(*shlex.split(repair.group(1)))
            self.assertEqual(done.status, testing.PROBLEM, repair.group(1))
            self.assertIn("sudo systemctl restart ollama.service", done.out.decode())

    def test_one_host_has_its_whole_report(self):
        outcome = testing.doctor("check", "--root", NOT_RESTARTED, "--format", "json")
        self.assertEqual(json.loads(outcome.out)["schema"], "vgpu-doctor.report/1")

    def test_one_capture_in_a_directory_is_a_table(self):
        os.symlink(HEALTHY, f"{self.scratch}/only")
        table, status = fleet("--each", self.scratch)
        self.assertEqual((len(table["hosts"]), status), (1, testing.HEALTHY))

    def test_causes_are_chosen_as_for_one_host(self):
        table, _ = fleet("--root", NOT_RESTARTED, HEALTHY, "--skip", "VG302")
        self.assertNotIn("VG302", [cause["code"] for cause in table["root_causes"]])
        table, status = fleet("--root", *INCIDENTS, "--rule", "VG302")
        self.assertEqual({cause["code"] for cause in table["root_causes"]}, {"VG302"})
        self.assertEqual(status, testing.PROBLEM)

    def test_what_is_of_one_host_alone_is_refused(self):
        two = ("--root", HEALTHY, NOT_RESTARTED)
        probe = os.path.join(self.scratch, "probe")
        self.refuses(*two, "--pid", "1", says="--pid")
        self.refuses(*two, "--timeline", says="--timeline")
        self.refuses(*two, "--verbose", says="--verbose")
        self.refuses(*two, "--since", "soon", says="2h ago")
        self.refuses(*two, "--probe", probe, says="--probe")
        for form in ("sarif", "junit"):
            self.refuses(*two, "--format", form, says="text, json, markdown, html, prometheus")
        self.refuses("--log", "-", "--each", self.scratch, says="--log")
        self.refuses("--each", self.scratch, says="there is no captured host")
        self.refuses("--each", f"{self.scratch}/missing", says="no such file")
        self.assertEqual(testing.doctor("check", "--root", HEALTHY, "").status, testing.USAGE)

    def test_an_archive_on_standard_input_is_one_of_them(self):
        directory = self.captures()
        with open(f"{directory}/shim-copied.tar.zst", "rb") as archive:
            done = subprocess.run([testing.DOCTOR, "check", "--format", "json", "--root", "-",
                                   HEALTHY], stdin=archive, capture_output=True, check=False,
                                  env=testing.ENVIRONMENT)
        self.assertEqual(rows(json.loads(done.stdout))["-"]["verdict"], "problem")

    def test_a_name_of_a_file_moves_no_cursor(self):
        name = f"{self.scratch}/a\x1b[2J\n.tar"
        testing.write("", name, b"")
        for form in FORMATS:
            outcome = testing.doctor("check", "--root", name, name, "--format", form)
            self.assertNotIn(b"\x1b", outcome.out + outcome.err, form)
            self.assertIn(b"x1b", outcome.out, form)

    def test_many_hosts_take_the_memory_of_a_few(self):
        def peak(count):
            code = ("import resource, subprocess, sys; "
                    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
                    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
            done = subprocess.run(
                ["/usr/bin/python3", "-c", code, testing.DOCTOR, "check", "--root",
                 *(INCIDENTS * count)], capture_output=True, check=True, env=testing.ENVIRONMENT)
            return int(done.stdout)
        if testing.SANITIZED:
            self.skipTest("a sanitizer keeps what is freed")
        few, many = peak(2), peak(20)
        print(f"peak of {2 * len(INCIDENTS)} hosts: {few} KiB; of ten times as many: {many} KiB")
        self.assertLess(many - few, 8 << 10)

    def test_prometheus_itself_reads_the_table(self):
        asked = subprocess.run(["tools/dev/clients", "--path", "promtool"], capture_output=True,
                               text=True, check=False)
        if asked.returncode != 0:
            self.skipTest(asked.stderr.strip())
        outcome = testing.doctor("check", "--root", *INCIDENTS, "--format", "prometheus")
        done = subprocess.run([f"{asked.stdout.strip()}/promtool", "check", "metrics"],
                              input=outcome.out, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    testing.run()
