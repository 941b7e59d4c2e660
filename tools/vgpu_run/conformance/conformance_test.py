#!/usr/bin/python3 -B
"""Every way leads every program to the same bytes, or the table below says why not.

Programs in several languages read the files of two virtual devices in every manner that they have:
one device stands in the place of a function that the host has, where it has one there, and one
where it has none. What they print is compared with the tree, once for the program itself and once
for a child of it with an empty environment. What a way cannot do by nature is in CANNOT; a line
of it that is not true any more is a failure, too.
"""

import collections
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = ["tools/testing", "tools/vgpu_run/conformance"]
import cases  # noqa: E402
import expected  # noqa: E402
import programs  # noqa: E402
import real_systemd  # noqa: E402

ADDRESSES = ("0000:00:05.0", "0000:00:1f.7")
# With UUIDs, which otherwise come from the machine: another one in the container.
CONFIG = "".join(
    f'[[device]]\npci_address = "{address}"\n'
    f'uuid = "GPU-{number}d110a1b-ac29-1d54-7b49-9c90440f215b"\n'
    for number, address in enumerate(ADDRESSES))
SHIMS = ("shims/exec/libvgpu-exec.so", "shims/syscall/libvgpu-syscall.so")
ALL = tuple(name for name, _, _ in programs.PROGRAMS)
C = tuple(name for name in ALL if name.startswith("C, "))
STATIC = ("C, glibc, static", "C, musl, static", "Go")
WHO = ("itself", "its child")

# ways, programs, itself or child, patterns (before the dot; after it, where it matters, the
# address), and why not. All are patterns as fnmatch(3) has them.
Cannot = collections.namedtuple("Cannot", "ways programs who patterns reason")
CANNOT = (
    Cannot("preload", STATIC, WHO, ["*"],
           "no loader runs in a static program: nothing can be preloaded"),
    Cannot("preload", ("C, musl",), WHO, ["*"],
           "musl's loader cannot load what is linked with glibc, and ends the program"),
    Cannot("preload", ("Go, cgo",), WHO, ["*", "-libc-read"],
           "Go asks the kernel itself, with cgo too; what its C code opens is redirected"),
    Cannot("preload", ("Go, cgo",), WHO[1:], ["libc-read"],
           "Go starts programs without libc: its child gets no LD_PRELOAD"),
    Cannot("preload", ("C, glibc",), WHO, ["raw-openat*"],
           "a system call by its number does not pass a function of libc"),
    Cannot("preload", ("C, glibc",), WHO, ["own-link"],
           "a link that lies elsewhere is not looked at: every path would have to be, at each name"),
    Cannot("preload", ("C, glibc",), WHO, ["fts"],
           "glibc's fts opens directories from inside libc, past every wrapper"),
    Cannot("unit", C, WHO, ["raw-openat2"],
           "where DynamicUser= or RestrictSUIDSGID= is set, systemd lets no openat2 through: it "
           "cannot see what it is asked for"),
    Cannot("--notify*", C, WHO, ["own-link"],
           "a link that lies elsewhere is not looked at: every path would have to be, at each name"),
    Cannot("--notify*", ALL, WHO, [f"{name}.{ADDRESSES[1]}" for name in ("chdir", "getcwd")],
           "nobody can change another process's directory: one that only the tree has is not there"),
)


def plain_environment():
    kept = ("PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


NOT_STARTED = 127


class NotStarted(Exception):
    """musl's loader has ended the program."""


class Suite:
    """What is made once."""

    directory = None
    results = {}  # way, program, who: wrong patterns and how many there are

    @classmethod
    def prepare(cls):
        cls.directory = tempfile.mkdtemp(prefix="conformance.")
        os.chmod(cls.directory, 0o755)
        cls.run = f"{cls.directory}/vgpu-run"
        shutil.copy("tools/vgpu_run/vgpu-run", cls.run)
        for shim in SHIMS:
            shutil.copy(shim, cls.directory)
        cls.config = f"{cls.directory}/devices.toml"
        with open(cls.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        cls.tree = f"{cls.directory}/tree"
        subprocess.run([cls.run, "write-tree", "--output", cls.tree], check=True,
                       env=plain_environment() | {"VGPU_CONFIG": cls.config})
        cls.expected = {
            f"{name}.{address}": value for address in ADDRESSES
            for name, value in expected.of_device(cls.tree, address, ADDRESSES).items()}
        cls.programs, cls.missing = programs.make_all(cls.directory)
        cls.plain = {name: cls.read([path]) for name, path in cls.programs.items()}

    @classmethod
    def preload(cls):
        return ":".join(f"{cls.directory}/{os.path.basename(shim)}" for shim in SHIMS)

    @staticmethod
    def parse(text):
        return dict(line.split("\t", 1) for line in text.splitlines())

    @classmethod
    def read(cls, command, environment=None):
        done = subprocess.run([*command, *ADDRESSES], capture_output=True, text=True, cwd="/",
                              env=plain_environment() | (environment or {}), timeout=120)
        if done.returncode == NOT_STARTED and "Error relocating" in done.stderr:
            raise NotStarted(done.stderr)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"{command}: status {done.returncode}\n{done.stderr}")
        return cls.parse(done.stdout)


def unprivileged():
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def right(pattern, value):
    wanted = Suite.expected[pattern]
    # A shell knows no error's number.
    return value == wanted or (value == "!" and wanted.startswith("!"))


def cannot(way, program, who):
    """The patterns that a way cannot do, by the table."""
    stated = {}
    for row in CANNOT:
        if not fnmatch.fnmatch(way, row.ways) or program not in row.programs \
                or who not in row.who:
            continue
        without = [pattern[1:] for pattern in row.patterns if pattern.startswith("-")]
        for pattern in Suite.plain[program]:
            name, address = pattern.split(".", 1)
            matched = any(
                fnmatch.fnmatch(pattern if "." in wanted else name, wanted)
                for wanted in row.patterns if not wanted.startswith("-"))
            # What is the same without a virtual device cannot be told apart.
            if matched and name not in without and not right(pattern, Suite.plain[program][pattern]):
                stated[pattern] = row.reason
    return stated


class Conformance(unittest.TestCase):
    def setUp(self):
        if not os.path.isdir("/sys/bus/pci/devices"):
            self.skipTest("this kernel shows no PCI bus (/sys/bus/pci/devices)")
        if Suite.directory is None:
            Suite.prepare()

    def judge(self, way, program, who, seen, plain=None):
        plain = plain or Suite.plain[program]
        self.assertEqual(sorted(seen), sorted(plain), "the patterns of one program differ")
        wrong = {pattern for pattern, value in seen.items() if not right(pattern, value)}
        stated = cannot(way, program, who)
        Suite.results[way, program, who] = (len(seen) - len(wrong), len(seen),
                                            sorted(set(stated.values())))
        with self.subTest(way=way, program=program, who=who):
            self.assertEqual(
                [f"{pattern}: {seen[pattern][:80]} and not {Suite.expected[pattern][:80]}"
                 for pattern in sorted(wrong - set(stated))], [],
                "not what the tree has, and CANNOT does not say why")
            self.assertEqual(sorted(set(stated) - wrong), [],
                             "CANNOT says that this way does not reach them, and it does")
            # What is not the tree's is the host's own, and never a mixture.
            self.assertEqual({pattern: seen[pattern] for pattern in wrong
                              if seen[pattern] != plain[pattern]}, {})

    def all_programs(self, way, prefix, environment=None):
        for program, path in Suite.programs.items():
            for who in WHO:
                child = ["--child"] if who == WHO[1] else []
                with self.subTest(way=way, program=program, who=who):
                    try:
                        seen = Suite.read([*prefix, path, *child],
                                          {"VGPU_CONFIG": Suite.config} | (environment or {}))
                    except NotStarted:
                        stated = cannot(way, program, who)
                        self.assertTrue(stated, "it does not start, and CANNOT does not say so")
                        Suite.results[way, program, who] = (None, 0, sorted(set(stated.values())))
                        continue
                    self.judge(way, program, who, seen)

    def skip_unless(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, cwd="/",
                              env=plain_environment() | {"VGPU_CONFIG": Suite.config})
        if done.returncode != 0:
            self.skipTest(" ".join(command[:3]) + ": " + done.stderr.strip())

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be root and to become nobody")

    def test_0_without_a_way_nothing_is_seen(self):
        for program, seen in Suite.plain.items():
            names = {pattern.split(".")[0] for pattern in seen}
            self.assertGreaterEqual(len(names), 20, program)
            for name in ("read", "driver-alias", "proc", "readdir-all", "realpath-driver"):
                self.assertFalse(right(f"{name}.{ADDRESSES[1]}", seen[f"{name}.{ADDRESSES[1]}"]),
                                 f"{program}: {name}: seen without a way")

    def test_mounts_as_root(self):
        self.need_root()
        prefix = [Suite.run, "--files-only", "--"]
        self.skip_unless(*prefix, "true")
        self.all_programs("vgpu-run, root", prefix)

    def test_mounts_in_a_user_namespace(self):
        self.need_root()
        prefix = [*unprivileged(), Suite.run, "--files-only", "--"]
        self.skip_unless(*unprivileged(), "unshare", "-rm", "true")
        self.all_programs("vgpu-run, user", prefix)

    def test_notify_as_root(self):
        self.need_root()
        prefix = [Suite.run, "--files-only", "--notify", "--"]
        self.skip_unless(*prefix, "true")
        self.all_programs("--notify, root", prefix)

    def test_notify_as_a_user(self):
        self.need_root()
        prefix = [*unprivileged(), Suite.run, "--files-only", "--notify", "--"]
        self.skip_unless(*prefix, "true")
        self.all_programs("--notify, user", prefix)

    def test_preload(self):
        # A child without an environment looks where every process does; there, in a mount namespace
        # of the test's own, is the tree.
        self.need_root()
        script = ('mount -t tmpfs tmpfs /run && mkdir /run/vgpu && cp -a "$1" /run/vgpu/root && '
                  'export LD_PRELOAD="$2" && shift 2 && exec "$@"')
        self.skip_unless("unshare", "-m", "true")
        self.all_programs("preload", ["unshare", "-m", "sh", "-c", script, "sh", Suite.tree,
                                      Suite.preload()])

    def test_unit_in_a_real_systemd(self):
        system = self.enterContext(real_systemd.RealSystemd())
        system.copy(Suite.run, "/usr/bin/vgpu-run")
        system.write("/etc/vgpu/devices.toml", CONFIG)
        if os.path.exists("/lib/ld-musl-x86_64.so.1"):
            system.copy("/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-x86_64.so.1")
        commands = []
        for number, (program, path) in enumerate(Suite.programs.items()):
            system.copy(path, f"/opt/{number}/read")
            for child, option in enumerate(("", "--child")):
                commands.append(f"/opt/{number}/read {option} {' '.join(ADDRESSES)} "
                                f">$STATE_DIRECTORY/{number}.{child} 2>&1")
        system.write("/opt/all", "#!/bin/sh\n" + "\n".join(commands) + "\n", mode=0o755)
        system.write("/etc/systemd/system/all.service", UNIT)
        plain = self.read_in_service(system)
        system.run("vgpu-run", "unit", "--service", "all.service", "--install", "--shims", "/none")
        # Only the files are of interest here, and libraries that are not there would be named by
        # every program.
        system.write("/etc/vgpu/ld.so.preload", "")
        seen = self.read_in_service(system)
        for key, patterns in seen.items():
            self.judge("unit", *key, patterns, plain[key])

    @staticmethod
    def read_in_service(system):
        system.run("systemctl", "daemon-reload")
        system.run("systemctl", "start", "all.service", timeout=300)
        return {(program, who): Suite.parse(system.read(f"/var/lib/private/all/{number}.{child}"))
                for number, program in enumerate(Suite.programs)
                for child, who in enumerate(WHO)}


UNIT = """\
[Service]
Type=oneshot
ExecStart=/opt/all
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
RestrictNamespaces=yes
SystemCallFilter=@system-service
StateDirectory=all
TimeoutStartSec=300
"""


def print_matrix():
    """Ways by programs: of how many patterns the bytes were right."""
    ways = list(dict.fromkeys(way for way, _, _ in Suite.results))
    if not ways:
        return
    reasons = []
    print("\nOf the patterns of each program (itself, and its child with an empty environment), "
          "those with\nthe tree's bytes. A few are the same where no device is.\n")
    print(f"{'':26}" + "".join(f"{way:>17}" for way in ways))
    for program, _, _ in programs.PROGRAMS:
        if program in Suite.missing:
            print(f"{program:26}{Suite.missing[program]}")
            continue
        for who in WHO:
            cells = []
            for way in ways:
                good, total, why = Suite.results.get((way, program, who), (0, 0, []))
                for reason in why:
                    if reason not in reasons:
                        reasons.append(reason)
                notes = ",".join(str(reasons.index(reason) + 1) for reason in why)
                told = "no start" if good is None else f"{good}/{total}"
                cells.append((f"[{notes}] " if notes else "") + told)
            print(f"{program if who == WHO[0] else '  ' + who:26}"
                  + "".join(f"{cell:>17}" for cell in cells))
    for number, reason in enumerate(reasons, 1):
        print(f"[{number}] {reason}")
    print(flush=True)


if __name__ == "__main__":
    try:
        cases.run()
    finally:
        print_matrix()
        if Suite.directory:
            shutil.rmtree(Suite.directory)
