#!/usr/bin/python3 -B
"""Programs that have nothing to do with GPUs do the same with the shims loaded into them.

    bazel run //shims/testing:system_programs_test -- [--programs=N] [--list]

Takes N programs of this machine (500), each with an argument that is harmless, and compares
what it prints and how it ends without the shims and with all five of them preloaded, and a tree
of a device's files. They run as an ordinary user without a network, in a process namespace of
their own. Which programs those were is in the log of the test.
"""

import concurrent.futures
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile

import shims_testing as testing

PROGRAMS = next((int(word.split("=")[1]) for word in sys.argv
                 if word.startswith("--programs=")), 500)

DIRECTORIES = ("/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib/git-core")
LOADER = b"/lib64/ld-linux-x86-64.so.2"

# These print their environment or what the loader does, and so rightly show the preload.
SHOW_THE_PRELOAD = {"env", "printenv", "ldd", "ld.so", "strace", "gdb", "ltrace"}

# Programs that do some work, in a directory with the file "text".
WORK = (
    ("/usr/bin/sort", "-r", "text"), ("/usr/bin/sha256sum", "text"), ("/usr/bin/wc", "text"),
    ("/usr/bin/grep", "-c", "e", "text"), ("/usr/bin/sed", "s/e/E/g", "text"),
    ("/usr/bin/awk", "{n += NF} END {print n}", "text"), ("/usr/bin/gzip", "-nc", "text"),
    ("/usr/bin/tar", "-c", "--mtime=@0", "text"), ("/usr/bin/find", "/usr/share/doc/bash"),
    ("/usr/bin/od", "-x", "text"), ("/usr/bin/base64", "text"),
    ("/usr/bin/diff", "text", "/dev/null"), ("/usr/bin/ls", "-l", "/usr/lib"),
    ("/usr/bin/seq", "1000"), ("/usr/bin/date", "-u", "-d", "@0"),
    ("/usr/bin/bash", "-c", "for i in 1 2 3; do (echo $i | cat); done; exit 3"),
    ("/usr/bin/dash", "-c", "cat text | wc -l"), ("/usr/bin/xargs", "-a", "text", "echo"),
    ("/usr/bin/perl", "-e", "print join ' ', map {$_ ** 2} 1 .. 50"),
    ("/usr/bin/python3", "-c", "import subprocess, threading\n"
     "t = threading.Thread(target=lambda: print(subprocess.run(['true']).returncode))\n"
     "t.start(); t.join()"),
    ("/usr/bin/gcc", "-x", "c", "-S", "-o", "-", "code"), ("/usr/bin/readelf", "-h", "/bin/true"),
    ("/usr/bin/timeout", "5", "true"), ("/usr/bin/head", "-c", "100", "text"),
    ("/usr/bin/split", "--filter=sha256sum", "text"), ("/usr/bin/false",),
    # Descriptors: which are open, in a program and in the children of one that has read our files.
    ("/usr/bin/ls", "/proc/self/fd"),
    ("/usr/bin/bash", "-c", "cat /sys/bus/pci/devices/*/* /proc/driver/*/* > /dev/null 2>&1;"
     "ls /sys/bus/pci/drivers > /dev/null; cd /sys/bus/pci/devices; ls /proc/$$/fd /proc/self/fd"),
    ("/usr/bin/python3", "-c", "import glob, os\n"
     "for path in glob.glob('/sys/bus/pci/dev*/*/*') * 20:\n"
     "    try: open(path, 'rb').read()\n"
     "    except OSError: pass\n"
     "os.listdir('/sys/bus/pci/drivers'); print(os.listdir('/proc/self/fd'))"),
    # The machine's own files.
    ("/usr/bin/find", "/sys/class", "/sys/bus/cpu", "/proc/sys/vm"),
    ("/usr/bin/grep", "-r", ".", "/sys/class/mem", "/proc/sys/net/core"),
    ("/usr/bin/realpath", "/sys/class/mem/null", "/proc/self/../sys", "//usr/./bin/../lib"),
    ("/usr/bin/stat", "-c", "%n %s %i", "/sys", "/sys/bus", "/proc/sys", "text"),
    # A service reads its configuration, and a program with its owner's privileges loads none of
    # ours.
    ("/usr/sbin/sshd", "-t"), ("/usr/sbin/cron", "-f"), ("/usr/bin/sudo", "-V"),
    ("/usr/bin/su", "--version"), ("/usr/bin/passwd", "--help"), ("/usr/bin/mount",),
)


def dynamic(path):
    """Whether a file is a program that this machine's loader starts, with its user's rights."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) or not mode & 0o001 or mode & (stat.S_ISUID | stat.S_ISGID):
        return False
    with open(path, "rb") as file:
        head = file.read(4096)
    if head[:4] != b"\x7fELF" or LOADER not in head:
        return False
    try:
        return not os.getxattr(path, "security.capability")
    except OSError:
        return True


def candidates():
    """Commands: first those that work, then one for each program of the machine, in an order
    that mixes the packages and is the same in every run."""
    yield from (command for command in WORK if os.path.exists(command[0]))
    paths = {}
    for directory in DIRECTORIES:
        for parent, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(parent, name)
                if name not in SHOW_THE_PRELOAD and os.path.isfile(path):
                    real = os.path.realpath(path)
                    if os.access(real, os.R_OK) and dynamic(real):
                        # One name of many (busybox, git): the shortest is the program's.
                        paths[real] = min(paths.get(real, path), path, key=lambda of: (len(of), of))
    for path in sorted(paths.values(), key=lambda of: hashlib.sha256(of.encode()).digest()):
        yield (path, "--version")


class Programs(testing.TestCase):
    def setUp(self):
        super().setUp()
        # Readable for the user that the programs run as.
        self.directory = tempfile.mkdtemp(prefix="vgpu-programs.", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        self.preload = []
        for name in testing.FIVE_PRELOADED:
            copy = os.path.join(self.directory, name)
            shutil.copyfile(os.path.join(testing.installed(), name), copy)
            os.chmod(copy, 0o755)
            self.preload.append(copy)
        with open(f"{self.directory}/text", "w", encoding="utf-8") as file:
            file.writelines(f"line {number} of the text\n" for number in range(2000))
        with open(f"{self.directory}/code", "w", encoding="utf-8") as file:
            file.write("int main(void) { return 0; }\n")
        self.tree = os.path.join(self.directory, "tree")
        wrote = subprocess.run(["tools/vgpu_run/vgpu-run", "write-tree", "--output", self.tree],
                               capture_output=True, text=True, check=False,
                               env=dict(testing.ENVIRONMENT, VGPU_CONFIG=testing.devices()))
        self.assertEqual(wrote.returncode, 0, wrote.stderr)
        self.apart = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child",
                      "--mount-proc"]
        self.user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        if os.geteuid() != 0:
            self.apart[1:1] = ["--user", "--map-current-user"]
            self.user = []
        works = subprocess.run([*self.apart, *self.user, "true"], capture_output=True, text=True,
                               check=False)
        if works.returncode != 0:
            self.skipTest(f"no namespaces of its own are to be had here: {works.stderr.strip()}")

    def run_one(self, command, preload):
        """(exit status, output, errors) of a command, or None where it took too long."""
        environment = dict(testing.ENVIRONMENT, HOME="/nonexistent", TMPDIR="/nonexistent",
                           VGPU_TREE=self.tree)
        start = ["env", f"LD_PRELOAD={':'.join(self.preload)}"] if preload else ["env"]
        try:
            done = subprocess.run([*self.apart, *self.user, *start, *command],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                                  check=False, env=environment, cwd=self.directory)
        except subprocess.TimeoutExpired:
            return None
        return done.returncode, done.stdout, done.stderr

    def compare(self, command):
        """"same", "not repeatable" (by itself, without the shims), or how it differs."""
        before = self.run_one(command, False)
        with_shims = self.run_one(command, True)
        if before == with_shims and before is not None:
            return "same"
        # A clock, a process id, an address: what differs by itself shows nothing.
        if before is None or any(self.run_one(command, False) != before for _ in range(3)):
            return "not repeatable"
        return f"without: {before}\nwith: {with_shims}"[:2000]

    def test_they_do_the_same(self):
        same, left_out, different = [], [], []
        waiting = candidates()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            while len(same) + len(different) < PROGRAMS:
                wanted = PROGRAMS - len(same) - len(different)
                commands = [command for command, _ in zip(waiting, range(wanted))]
                if not commands:
                    break
                for command, said in zip(commands, pool.map(self.compare, commands)):
                    if said == "same":
                        same.append(command)
                    elif said == "not repeatable":
                        left_out.append(command)
                    else:
                        different.append((command, said))
        if "--list" in sys.argv or os.environ.get("TEST_TMPDIR"):
            for command in same:
                print("same:", *command)
        for command in left_out:
            print("left out, its output is not repeatable:", *command)
        print(f"{len(same) + len(different)} programs compared, {len(left_out)} left out; "
              f"{len(different)} differ")
        self.assertEqual(different, [])
        self.assertGreaterEqual(len(same), min(PROGRAMS, 200))
        if len(same) < PROGRAMS:
            self.skipTest(f"this machine has {len(same)} programs to compare, of {PROGRAMS}; "
                          "they do the same")

    def test_the_libraries_are_in_them(self):
        environment = dict(testing.ENVIRONMENT, LD_PRELOAD=":".join(self.preload))
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=environment) as program:
            program.stdin.write(b"x")
            program.stdin.flush()
            self.assertEqual(program.stdout.read(1), b"x")
            with open(f"/proc/{program.pid}/maps", encoding="utf-8") as file:
                maps = file.read()
            program.stdin.close()
            self.assertEqual(program.wait(10), 0)
        for library in self.preload:
            self.assertIn(library, maps)


if __name__ == "__main__":
    testing.run_cases()
