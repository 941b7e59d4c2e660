#!/usr/bin/python3 -B
"""Whatever a host holds, vgpu-doctor ends in time, in bounded memory, and says the rest.

Most cases are one captured host, a process that is older than its configuration (VG302),
with one thing in it gone wrong: the right answer has to stand. Nothing of a host may
reach a terminal unquoted, and no secret may reach a report at all.
"""

import json
import os
import re
import resource
import shutil
import unittest

import doctor_testing as testing

UNIT = "etc/systemd/system/ollama.service"
DROP_IN = "etc/systemd/system/ollama.service.d/vgpu.conf"
JOURNAL = ".vgpu-capture/journal/ollama.service.jsonl"
MANIFEST = ".vgpu-capture/manifest.json"
FILES = ".vgpu-capture/files.jsonl"
SHOW = ".vgpu-capture/systemctl/show-ollama.service.txt"
PID = 57290

# A title change, colours, a hyperlink, an eight-bit CSI, and text that is shown backwards.
ESCAPES = "\x1b]0;owned\x07 \x1b[2J\x1b[31m \x1b]8;;http://evil\x1b\\ \x9b31m \u202egnp.exe\u202c"


def entry(message, **fields):
    """One line of `journalctl -o json`, after the others of the process."""
    return json.dumps({
        "__REALTIME_TIMESTAMP": "1771944100000000", "_PID": str(PID), "_TRANSPORT": "stdout",
        "_SYSTEMD_UNIT": "ollama.service", "PRIORITY": "6",
        "_SYSTEMD_INVOCATION_ID": "a2d43596453d4c56540827e621bf36cb", "MESSAGE": message,
    } | fields) + "\n"


class BadInput(unittest.TestCase):

    def setUp(self):
        self.root = os.path.join(testing.temporary(), self._testMethodName)
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(os.path.join(testing.INCIDENTS, "started-before-drop-in-not-restarted", "host"), self.root,
                        symlinks=True)
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def replace(self, name, content):
        testing.write(self.root, name, content)

    def append(self, name, content):
        with open(self.path(name), "ab") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def remove(self, name):
        os.remove(self.path(name))

    def stands(self, roots=("VG302",), seconds=10):
        """The report still has these root causes; returns it."""
        report, outcome = testing.check_json("--root", self.root, timeout=seconds)
        self.assertEqual(testing.codes(report, "root_causes"), list(roots))
        self.assertEqual(outcome.err, b"")
        return report

    def refused(self, root, says, **options):
        outcome = testing.doctor("check", "--root", root, **options)
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn(says, outcome.err.decode())

    def unseen(self, report, phrase):
        texts = [testing.words(item) for item in report["not_observed"]]
        self.assertTrue(any(phrase in text for text in texts), texts)

    # What cannot be judged at all.

    def test_a_root_that_is_no_directory_or_is_not_there(self):
        self.refused(self.path(MANIFEST), "not a directory")
        self.refused("/nowhere/at/all", "/nowhere/at/all: no such file or directory")

    def test_a_manifest_that_is_none(self):
        for text in ("{", "[]", '"x"', "", '{"schema": "other/1"}', "\xff\xfe", "[" * 100000):
            self.replace(MANIFEST, text.encode("latin-1"))
            self.refused(self.root, "manifest.json")
        self.remove(MANIFEST)
        os.mkdir(self.path(MANIFEST))
        self.refused(self.root, "manifest.json")

    # Files of the host.

    def test_a_nul_byte_and_bad_utf8_in_the_unit(self):
        self.append(UNIT, b"\n[Service]\nEnvironment=A=\0B\xff\xfe\nGarbage\0=\n\0\n")
        self.stands()

    def test_links_in_a_circle_where_the_drop_ins_are(self):
        self.remove(DROP_IN)
        directory = self.path("etc/systemd/system/ollama.service.d")
        os.symlink("again.conf", os.path.join(directory, "vgpu.conf"))
        os.symlink("vgpu.conf", os.path.join(directory, "again.conf"))
        os.symlink(".", os.path.join(directory, "self.conf"))
        report, _ = testing.check_json("--root", self.root)
        self.assertIn("VG201", testing.codes(report, "ruled_out"))

    def test_a_unit_directory_that_is_a_link_to_itself(self):
        shutil.rmtree(self.path("etc/systemd/system"))
        os.symlink("system", self.path("etc/systemd/system"))
        report, _ = testing.check_json("--root", self.root)
        self.assertNotEqual(report["verdict"], "healthy")

    def test_fifos_where_files_are_expected(self):
        for name in (UNIT, JOURNAL, f"proc/{PID}/maps", "proc/net/tcp"):
            self.remove(name)
            os.mkfifo(self.path(name))
        report, _ = testing.check_json("--root", self.root)
        self.unseen(report, "fifo")
        self.assertIn(str(PID), testing.words(report))

    def test_directories_where_files_are_expected(self):
        for name in (JOURNAL, SHOW, f"proc/{PID}/environ", f"proc/{PID}/cmdline", "proc/stat",
                     ".vgpu-capture/ollama/ps.json"):
            self.remove(name)
            os.mkdir(self.path(name))
        report, _ = testing.check_json("--root", self.root)
        self.unseen(report, "is no regular file (dir)")

    def test_garbage_in_the_list_of_files(self):
        deep = ('{"path": "/usr/lib64/libvgpu-cuda.so", "elf": {"needed": '
                + "[" * 200000 + "]" * 200000 + "}}")
        self.append(FILES, b"\n\0\xff{]\nnull\n[1]\n{\"path\": 7}\n{\"path\": \"relative\"}\n"
                    + b'{"path": "/x", "size": -1, "mode": "zz", "mtime": "late", "elf": 4}\n'
                    + deep.encode() + b"\n")
        report = self.stands()
        self.unseen(report, "files.jsonl: 5 malformed lines skipped")

    # Sizes.

    def test_a_log_line_of_ten_megabytes(self):
        long = "x" * (10 << 20)
        self.append(JOURNAL, entry(long) + entry("inference compute " + long) + long + "\n"
                    + entry(f'level=INFO msg="{long}"'))
        self.stands()

    def test_a_sparse_journal_of_two_gigabytes(self):
        # Zeros up to the end, and no line among them.
        os.truncate(self.path(JOURNAL), 2 << 30)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.stands(seconds=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(after, max(before, (1 << 20) * (4 if testing.SANITIZED else 1)))  # KiB

    def test_an_environment_of_two_megabytes(self):
        many = b"".join(b"V%d=%s\0" % (i, b"x" * 90) for i in range(20000))
        with open(self.path(f"proc/{PID}/environ"), "rb") as file:
            own = file.read()
        self.replace(f"proc/{PID}/environ", many + own)
        self.stands()

    def test_maps_of_a_million_lines(self):
        with open(self.path(f"proc/{PID}/maps"), "ab") as file:
            for i in range(1000000):
                file.write(b"%012x-%012x r--p 00000000 08:01 %d /tmp/f%d\n"
                           % (i << 12, (i + 1) << 12, i % 5000, i % 5000))
        self.stands()

    def test_a_preload_list_of_a_hundred_thousand_entries(self):
        entries = ":".join(f"/usr/lib64/libvgpu-{i}.so" for i in range(100000))
        self.replace(f"proc/{PID}/environ", f"LD_PRELOAD={entries}\0".encode())
        report, outcome = testing.check_json("--root", self.root)
        self.assertEqual(report["verdict"], "problem")
        self.assertLess(len(outcome.out), 2 << 20)
        text = testing.doctor("check", "--root", self.root)
        self.assertLess(len(text.out), 2 << 20)

    def test_bare_preload_names_and_a_long_library_path(self):
        # Every name is looked for in every directory: their product has to be bounded.
        names = ":".join(f"lib{i}.so" for i in range(20000))
        path = ":".join(f"/opt/d{i}" for i in range(20000))
        self.replace(f"proc/{PID}/environ",
                     f"LD_PRELOAD={names}\0LD_LIBRARY_PATH={path}\0".encode())
        report, _ = testing.check_json("--root", self.root)
        self.assertEqual(report["verdict"], "problem")

    def test_a_unit_of_many_lines(self):
        self.append(DROP_IN, "".join(f"Environment=V{i}=1\n" for i in range(50000))
                    + "Environment=" + "x" * (2 << 20) + "\n")
        self.stands()

    def test_nested_json_of_any_depth(self):
        deep = b"[" * 1000000
        self.replace(".vgpu-capture/ollama/ps.json", deep)
        self.replace(".vgpu-capture/ollama/version.json", b'{"version":' * 200000)
        self.append(JOURNAL, b'{"MESSAGE":' + deep + b"\n")
        self.stands()

    # What a report may hold.

    def test_terminal_escapes_are_made_visible(self):
        with open(self.path(MANIFEST), encoding="utf-8") as file:
            manifest = json.load(file)
        manifest["hostname"] = "test10" + ESCAPES
        manifest["not_observed"] = [{"path": "/etc/x", "reason": ESCAPES}]
        self.replace(MANIFEST, json.dumps(manifest))
        self.append(DROP_IN, f"Environment=LD_LIBRARY_PATH=/opt/{ESCAPES}\n")
        self.replace("usr/local/bin/x" + ESCAPES.replace("/", "_"), "")
        self.append(JOURNAL, entry(
            "time=2026-02-24T09:41:40.000-05:00 level=INFO source=types.go:42 msg=\"inference "
            f"compute\" id=0 library=CPU name=\"{ESCAPES}\" description=\"{ESCAPES}\""))
        report = self.stands(["VG203", "VG302"])
        text = testing.doctor("check", "--root", self.root).out.decode()
        for shown in (text, testing.words(report)):
            self.assertIn("owned", shown)
            for bad in "\x1b\x07\x9b\u202e\u202c":
                self.assertNotIn(bad, shown)
        self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text))

    def test_secrets_stay_where_they_are(self):
        secrets = ["hunter2correct", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
                   "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "s3cr3tOfTheProxy"]
        self.append(DROP_IN,
                    f"Environment=OLLAMA_API_KEY={secrets[0]} OPENAI_API_KEY={secrets[1]}\n"
                    f"Environment=HTTPS_PROXY=http://ann:{secrets[3]}@proxy:3128\n"
                    f"ExecStart=\nExecStart=/usr/local/bin/ollama serve --token {secrets[2]}\n")
        self.replace(f"proc/{PID}/cmdline",
                     f"/usr/local/bin/ollama\0serve\0--token\0{secrets[2]}\0")
        self.append(f"proc/{PID}/environ",
                    f"OLLAMA_API_KEY={secrets[0]}\0HTTPS_PROXY=http://ann:{secrets[3]}@proxy\0")
        config = " ".join([f"OLLAMA_API_KEY:{secrets[0]}",
                           f"HTTPS_PROXY:http://ann:{secrets[3]}@proxy:3128"])
        stamp = "time=2026-02-24T09:41:40.000-05:00 level=INFO source=routes.go:1234 "
        self.append(JOURNAL,
                    entry(f'{stamp}msg="server config" env="map[{config}]"')
                    + entry(f'{stamp}msg="inference compute" id=0 library=CPU '
                            f'description="token={secrets[1]} http://ann:{secrets[3]}@proxy"'))
        report, outcome = testing.check_json("--root", self.root)
        self.assertNotEqual(report["verdict"], "healthy")
        text = testing.doctor("check", "--root", self.root).out.decode()
        for secret in secrets:
            self.assertNotIn(secret, outcome.out.decode())
            self.assertNotIn(secret, text)


if __name__ == "__main__":
    testing.run()
