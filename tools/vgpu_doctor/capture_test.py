#!/usr/bin/python3 -B
"""A capture judges as its host does, holds no secret, and is read without harm.

The host of every incident is captured, by the same way as a live one, and judged again.
"""

import io
import json
import os
import random
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest

import doctor_testing as testing
import planted_secrets

INCIDENT = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"


def zstd(*arguments, data):
    return subprocess.run(["zstd", "-q", *arguments], input=data, capture_output=True,
                          check=True).stdout


class Workplace(unittest.TestCase):
    """Cases that write files have a directory of their own."""

    def setUp(self):
        self._directory = tempfile.TemporaryDirectory(dir=testing.temporary())
        self.addCleanup(self._directory.cleanup)
        self.directory = self._directory.name

    def at(self, name):
        return os.path.join(self.directory, name)

    def capture(self, host, *arguments, name="capture.tar.zst"):
        outcome = testing.doctor("capture", "--root", host, "-o", self.at(name), *arguments)
        self.assertEqual(outcome.status, 0, outcome.err.decode())
        return self.at(name)

    def members(self, archive):
        """The files of an archive: path below its directory: content."""
        with open(archive, "rb") as file:
            plain = zstd("-dc", data=file.read())
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            return {member.name.partition("/")[2]: tar.extractfile(member).read()
                    for member in tar if member.isfile()}


def comparable(report):
    """A report without what tells a captured host from a live one."""
    host = {key: value for key, value in report["host"].items() if key != "source"}
    return report | {"host": host}


class SameDiagnosis(Workplace):
    """One incident: what its capture says is what it says itself."""

    def __init__(self, name):
        super().__init__("runTest")
        self.name = name

    def id(self):
        return f"SameDiagnosis.{self.name}"

    def runTest(self):
        host = os.path.join(testing.INCIDENTS, self.name, "host")
        direct, _ = testing.check_json("--root", host)
        captured, _ = testing.check_json("--root", self.capture(host))
        self.maxDiff = None
        self.assertEqual(comparable(captured), comparable(direct))
        # A capture of a capture says the same, and so does one with its secrets.
        again, _ = testing.check_json("--root", self.capture(
            self.capture(host, "--no-redact", name="unredacted.tar.zst"), name="again.tar.zst"))
        self.assertEqual(comparable(again), comparable(direct))


class Archive(Workplace):
    def test_only_its_owner_may_read_it_and_nothing_is_overwritten(self):
        archive = self.capture(INCIDENT)
        self.assertEqual(stat.S_IMODE(os.stat(archive).st_mode), 0o600)
        with open(archive, "rb") as file:
            before = file.read()
        again = testing.doctor("capture", "--root", INCIDENT, "-o", archive)
        self.assertEqual(again.status, testing.USAGE)
        self.assertIn(b"is there already", again.err)
        with open(archive, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(self.directory), ["capture.tar.zst"])

    def test_a_name_of_its_own(self):
        outcome = testing.doctor("capture", "--root", INCIDENT, cwd=self.directory)
        self.assertEqual(outcome.status, 0, outcome.err)
        name, = os.listdir(self.directory)
        self.assertRegex(name, r"^vgpu-capture-test10-20260224T\d{6}Z\.tar\.zst$")
        self.assertIn(name.encode(), outcome.err)

    def test_secrets_that_are_kept_are_told_by_the_name(self):
        outcome = testing.doctor("capture", "--root", INCIDENT, "--no-redact", "-o",
                                 self.at("case.tar.zst"))
        self.assertEqual(outcome.status, 0, outcome.err)
        self.assertEqual(os.listdir(self.directory), ["case-unredacted.tar.zst"])
        refused = testing.doctor("capture", "--root", INCIDENT, "--no-redact", "-o", "-")
        self.assertEqual(refused.status, testing.USAGE)
        self.assertEqual(refused.out, b"")

    def test_standard_output_and_standard_input(self):
        archive = testing.doctor("capture", "--root", INCIDENT, "-o", "-")
        self.assertEqual(archive.status, 0, archive.err)
        checked = subprocess.run([testing.DOCTOR, "check", "--format", "json", "--root", "-"],
                                 input=archive.out, capture_output=True, check=False,
                                 env=testing.ENVIRONMENT)
        self.assertEqual(checked.returncode, testing.PROBLEM, checked.stderr)
        direct, _ = testing.check_json("--root", INCIDENT)
        self.assertEqual(comparable(json.loads(checked.stdout)), comparable(direct))

    def test_what_cannot_be_written(self):
        outcome = testing.doctor("capture", "--root", INCIDENT, "-o", self.at("none/capture"))
        self.assertEqual(outcome.status, testing.USAGE)
        self.assertIn(b"no such file or directory", outcome.err)
        with open("/dev/full", "wb") as full:
            outcome = testing.doctor("capture", "--root", INCIDENT, "-o", "-", stdout=full)
        self.assertEqual(outcome.status, testing.FAULT)
        self.assertIn(b"no space left on device", outcome.err)

    def test_other_programs_read_it(self):
        members = self.members(self.capture(INCIDENT))
        manifest = json.loads(members[".vgpu-capture/manifest.json"])
        self.assertEqual(manifest["schema"], "vgpu-doctor.capture/1")
        self.assertEqual(manifest["unit"], "ollama.service")
        self.assertEqual(manifest["captured_at"][:10], "2026-02-24")
        for line in members[".vgpu-capture/files.jsonl"].splitlines():
            self.assertTrue(json.loads(line)["path"].startswith("/"))

    def test_an_unpacked_capture_is_a_host_too(self):
        archive = self.capture(INCIDENT)
        with open(archive, "rb") as file:
            plain = zstd("-dc", data=file.read())
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            tar.extractall(self.at("unpacked"))
        name, = os.listdir(self.at("unpacked"))
        unpacked, _ = testing.check_json("--root", self.at(f"unpacked/{name}"))
        packed, _ = testing.check_json("--root", archive)
        self.assertEqual(comparable(unpacked), comparable(packed))


class Secrets(Workplace):
    """Planted in every place that a capture reads, and searched for in all of it."""

    WORDS = ("hunter2", "c29tZS1zZWNyZXQ", "s3cr3t")

    def plant(self):
        host = self.at("host")
        for directory, _, names in os.walk(INCIDENT):
            for name in names:
                path = os.path.join(directory, name)
                target = os.path.join(host, os.path.relpath(path, INCIDENT))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if os.path.islink(path):
                    os.symlink(os.readlink(path), target)
                else:
                    with open(path, "rb") as source, open(target, "wb") as copy:
                        copy.write(source.read())
        pid = next(name for name in os.listdir(f"{host}/proc")
                   if os.path.exists(f"{host}/proc/{name}/environ"))
        self.append(host, f"proc/{pid}/environ", b"DATABASE=hunter2\0HF_TOKEN=hunter2\0"
                    b"HTTPS_PROXY=https://me:hunter2@proxy:3128\0OLLAMA_API_KEY=hunter2\0")
        testing.write(host, f"proc/{pid}/cmdline",
                      b"/usr/local/bin/ollama\0serve\0--token\0hunter2\0A=hunter2\0")
        testing.write(host, "proc/4711/cmdline", b"/usr/bin/mysql\0-phunter2\0")
        units = f"{host}/etc/systemd/system"
        dropin = next(os.path.join(directory, name) for directory, _, names in os.walk(units)
                      for name in names if name.endswith(".conf"))
        self.append(host, os.path.relpath(dropin, host),
                    b"\n[Service]\nEnvironment=DATABASE=hunter2 \"HF_TOKEN=a hunter2\"\n"
                    b"# Environment=OLD=hunter2\n"
                    b"EnvironmentFile=/etc/ollama/secrets\n"
                    b"EnvironmentFile=-/etc/default/ollama\n"
                    b"ExecStart=\nExecStart=/usr/local/bin/wrapper --api-key=hunter2\n"
                    b"ExecStartPre=/usr/bin/curl https://me:hunter2@host/\n")
        secrets = (b"DATABASE=hunter2\nexport PASSPHRASE=\"a\nhunter2\"\n# OLD=hunter2\n"
                   b"hunter2\nPLAIN='hunter2'\n")
        testing.write(host, "etc/ollama/secrets", secrets)
        testing.write(host, "etc/default/ollama", secrets)
        testing.write(host, "usr/local/bin/wrapper",
                      b"#!/bin/sh\nexport DATABASE=hunter2\nAPI_KEY='hunter2'\n"
                      b"curl -H 'Authorization: Bearer c29tZS1zZWNyZXQ' https://u:hunter2@h/\n"
                      b"exec env NAME=s3cr3t /usr/local/bin/ollama serve\n")
        testing.write(host, "etc/ld.so.preload", b"ghp_hunter2hunter2hunter2hunter2 s3cr3ts3cr3t\n")
        capture = f"{host}/.vgpu-capture"
        unit = "ollama.service"
        entry = {"MESSAGE": "env=\"map[HF_TOKEN:hunter2 HTTP_PROXY:http://me:hunter2@p]\"",
                 "_CMDLINE": "ollama serve --token s3cr3t", "_PID": pid,
                 "__REALTIME_TIMESTAMP": "1771928040000000"}
        key = [{"MESSAGE": text, "_PID": pid, "__REALTIME_TIMESTAMP": "1771928040000000"}
               for text in ("-----BEGIN PRIVATE KEY-----", "hunter2", "-----END PRIVATE KEY-----")]
        self.append(host, f".vgpu-capture/journal/{unit}.jsonl",
                    "".join(json.dumps(line) + "\n" for line in [entry, *key]).encode())
        self.append(host, ".vgpu-capture/journal/kernel.jsonl",
                    json.dumps(entry).encode() + b"\n")
        shown = f".vgpu-capture/systemctl/show-{unit}.txt"
        with open(f"{host}/{shown}", "rb") as file:
            text = file.read()
        testing.write(host, shown, text.replace(b"path=/usr/local/bin/ollama ;",
                                                b"path=/usr/local/bin/wrapper ;"))
        self.append(host, shown,
                    b"Environment=DATABASE=hunter2 \"HF_TOKEN=a hunter2\"\n"
                    b"ExecStartPre={ path=/bin/env ; argv[]=/bin/env A=hunter2 x ; }\n"
                    b"SetCredential=id:hunter2\n")
        testing.write(host, ".vgpu-capture/systemctl/show-environment.txt",
                      b"DATABASE=hunter2\nHF_TOKEN=$'hunter2\\n'\n")
        self.assertTrue(os.path.isdir(capture))
        return host

    @staticmethod
    def append(host, path, content):
        before = b""
        if os.path.exists(os.path.join(host, path)):
            with open(os.path.join(host, path), "rb") as file:
                before = file.read()
        testing.write(host, path, before + content)

    def test_none_is_found(self):
        host = self.plant()
        # What is searched for is read, and would be found.
        kept = self.members(self.capture(host, "--no-redact", name="unredacted.tar.zst"))
        holding = {path for path, content in kept.items() if b"hunter2" in content}
        for part in ("environ", "cmdline", ".conf", "etc/ollama/secrets", "etc/default/ollama",
                     "usr/local/bin/wrapper", "etc/ld.so.preload", "journal/ollama", "kernel.jsonl",
                     "show-ollama", "show-environment"):
            self.assertTrue(any(part in path for path in holding), (part, sorted(holding)))
        safe = self.members(self.capture(host))
        self.assertEqual(set(safe), set(kept))
        for path, content in safe.items():
            for word in self.WORDS:
                self.assertNotIn(word.encode(), content, path)

    def plant_all(self, host):
        """A line of each form in every text that a capture reads; each secret by where it is."""
        source = random.Random(7)
        planted = {}

        def lines(place, form="# {}\n"):
            text = ""
            for line, secret in planted_secrets.plant(source):
                planted[f"{place}: {line}"] = secret
                text += form.format(line)
            return text.encode()

        def entries(place, **fields):
            text = b""
            for line, secret in planted_secrets.plant(source):
                planted[f"{place}: {line}"] = secret
                text += json.dumps({"MESSAGE": line, "__REALTIME_TIMESTAMP": "1771928040000000",
                                    **fields}).encode() + b"\n"
            return text
        pid = next(name for name in os.listdir(f"{host}/proc")
                   if os.path.exists(f"{host}/proc/{name}/environ"))
        words = lines("environ", "{}\0").split(b"\0")[:-1]
        self.append(host, f"proc/{pid}/environ",
                    b"".join(b"V%d=%s\0" % (number, word) for number, word in enumerate(words)))
        # A command's words, or a whole line as one of them.
        self.append(host, f"proc/{pid}/cmdline", b"".join(
            (line.replace(b" ", b"\0") if line.startswith(b"run: ") else line) + b"\0"
            for line in lines("cmdline", "{}\n").splitlines()))
        dropin = next(os.path.join(directory, name)
                      for directory, _, names in os.walk(f"{host}/etc/systemd/system")
                      for name in names if name.endswith(".conf"))
        dropin = os.path.relpath(dropin, host)
        self.append(host, dropin, b"\n[Service]\n" + lines("unit, comment")
                    + lines("unit, variable", "Environment='V={}'\n")
                    + lines("unit, command", "ExecStartPre=-/bin/echo {}\n"))
        for name in ("etc/ollama/secrets", "etc/default/ollama"):
            self.append(host, name, lines(name) + lines(name, "V={}\n") + lines(name, "{}\n"))
        self.append(host, "usr/local/bin/wrapper", lines("script") + lines("script", "{}\n"))
        self.append(host, "etc/vgpu/devices.toml", lines("devices.toml"))
        self.append(host, "var/log/apt/history.log", lines("apt", "Commandline: apt-get {}\n"))
        self.append(host, "var/log/dpkg.log", lines("dpkg", "2026-02-24 10:00:00 install {}\n"))
        capture = ".vgpu-capture"
        self.append(host, f"{capture}/journal/ollama.service.jsonl", entries("journal", _PID=pid))
        self.append(host, f"{capture}/journal/kernel.jsonl", entries("kernel"))
        shown = f"{capture}/systemctl/show-ollama.service.txt"
        self.append(host, shown, lines("show", "Description={}\n"))
        return planted

    def test_of_no_form_and_in_no_place(self):
        host = self.plant()
        planted = self.plant_all(host)
        self.assertGreater(len(planted), 60 * 10)
        kept = b"".join(self.members(self.capture(host, "--no-redact",
                                                  name="unredacted.tar.zst")).values())
        # What the journal's reader passes over, and a JSON text escapes, is the same text.
        unread = [place for place, secret in planted.items() if secret.encode() not in kept]
        self.assertEqual(unread, [])
        safe = b"".join(self.members(self.capture(host)).values())
        found = [place for place, secret in planted.items() if secret.encode() in safe]
        self.assertEqual(found, [])
        direct, _ = testing.check_json("--root", host)
        captured, _ = testing.check_json("--root", self.at("capture.tar.zst"))
        self.assertEqual(captured["verdict"], direct["verdict"])
        for part in ("root_causes", "consequences", "latent", "notes"):
            self.assertEqual(testing.codes(captured, part), testing.codes(direct, part))

    def test_and_the_diagnosis_stays(self):
        host = self.plant()
        direct, _ = testing.check_json("--root", host)
        captured, _ = testing.check_json("--root", self.capture(host))
        for part in ("root_causes", "consequences", "latent", "notes"):
            self.assertEqual(testing.codes(captured, part), testing.codes(direct, part))
        self.assertEqual(captured["verdict"], direct["verdict"])


class Enemies(Workplace):
    """Archives that were made to do harm: exit 2, a sentence, and nothing is done."""

    def refuse(self, data, *words, seconds=10):
        with open(self.at("enemy.tar"), "wb") as file:
            file.write(data)
        outcome = testing.doctor("check", "--root", self.at("enemy.tar"), timeout=seconds,
                                 cwd=self.directory)
        self.assertEqual(outcome.status, testing.USAGE, outcome.out[-200:])
        self.assertEqual(outcome.out, b"")
        for word in words:
            self.assertIn(word, outcome.err.decode())
        self.assertEqual(os.listdir(self.directory), ["enemy.tar"])

    @staticmethod
    def tar(*members):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, kind, rest in members:
                info = tarfile.TarInfo(name)
                info.type = kind
                if isinstance(rest, bytes):
                    info.size = len(rest)
                    tar.addfile(info, io.BytesIO(rest))
                else:
                    info.linkname = rest or ""
                    tar.addfile(info)
        return out.getvalue()

    def test_paths_that_lead_out(self):
        file = tarfile.REGTYPE
        self.refuse(self.tar(("/etc/passwd", file, b"x")), "/etc/passwd: an absolute path")
        self.refuse(self.tar(("a/../../x", file, b"x")), "leads out of the archive")
        self.refuse(self.tar(("a", tarfile.SYMTYPE, "/tmp"), ("a/x", file, b"x")),
                    "/a/x: lies below what is no directory (symlink)")
        self.refuse(self.tar(("a", tarfile.LNKTYPE, "/etc/shadow")), "an absolute path")

    def test_devices(self):
        self.refuse(self.tar(("dev/sda", tarfile.BLKTYPE, None)), "a device or a FIFO")
        self.refuse(self.tar(("dev/null", tarfile.CHRTYPE, None)), "a device or a FIFO")

    def test_a_file_twice(self):
        self.refuse(self.tar(("etc/a", tarfile.REGTYPE, b"1"), ("etc/a", tarfile.REGTYPE, b"2")),
                    "/etc/a: is there twice")

    def test_a_bomb_of_zeros(self):
        header = tarfile.TarInfo("etc/zeros")
        header.size = 4 << 30
        bomb = zstd("-c", data=header.tobuf() + bytes(64 << 20))
        self.assertLess(len(bomb), 1 << 20)
        self.refuse(bomb, "etc/zeros: 4294967296 bytes, where 268435456 are read at most")

    def test_many_zeros_in_many_files(self):
        header = tarfile.TarInfo("")
        header.size = 1 << 20
        members = []
        for i in range(300):
            header.name = f"etc/{i}"
            members.append(header.tobuf() + bytes(1 << 20))
        self.refuse(zstd("-c", data=b"".join(members)), "are read at most", seconds=30)

    @staticmethod
    def write_entries(out, count):
        """Headers of empty files: the first one with other digits in its name, and their sum."""
        first = tarfile.TarInfo("etc/0000000").tobuf()
        total = int(first[148:154], 8)
        with out:
            for begin in range(0, count, 10000):
                out.write(b"".join(
                    b"etc/%07d" % i + first[11:148]
                    + b"%06o" % (total + sum(b"%07d" % i) - 7 * ord("0")) + first[154:]
                    for i in range(begin, begin + 10000)))

    def test_a_million_entries(self):
        with subprocess.Popen(["zstd", "-q", "-c"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as packer:
            writer = threading.Thread(target=self.write_entries, args=(packer.stdin, 1000000))
            writer.start()
            many = packer.stdout.read()
            writer.join()
        self.refuse(many, "holds more than 200000", seconds=30)

    def test_a_manifest_that_is_none(self):
        self.refuse(self.tar((".vgpu-capture/manifest.json", tarfile.REGTYPE, b"{")),
                    "manifest.json", "no JSON object")
        self.refuse(self.tar((".vgpu-capture/manifest.json", tarfile.REGTYPE,
                              b'{"schema": "vgpu-doctor.capture/2"}')), "vgpu-doctor.capture/2")

    def test_what_is_no_archive(self):
        self.refuse(b"", "is empty")
        self.refuse(b"#!/bin/sh\nexit\n" * 100, "is no tar archive")
        self.refuse(b"\x28\xb5\x2f\xfdxxxxxxxx", "cannot be decompressed")
        archive = zstd("-c", data=self.tar(("etc/a", tarfile.REGTYPE, os.urandom(100000))))
        self.refuse(archive[:5000], "cut off")


def main():
    suite = unittest.TestSuite(map(SameDiagnosis, sorted(os.listdir(testing.INCIDENTS))))
    for cases in (Archive, Secrets, Enemies):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(cases))
    testing.run(suite)


if __name__ == "__main__":
    sys.exit(main())
