#!/usr/bin/python3 -B
"""`vgpu-doctor verify` on processes of its own making: the real shims, a server that stands in
for Ollama (testdata/ollama_stand_in.c), and one thing wrong at a time."""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import jsonschema

from doctor_testing import (DOCTOR, ENVIRONMENT, HEALTHY, INCONCLUSIVE, NOBODY, PROBLEM, SANITIZED,
                            USAGE, check_json, doctor, run, words)

SOURCES = "tools/vgpu_doctor/testdata"
LIMIT = 90  # seconds; a step may take ten, discovery thirty

# An NVML of one device that agrees with the shims' in all but what a test changes.
NVML = r"""
#include <string.h>
#include <stdio.h>
#define INIT %s
#define ID %s
static int device;
int nvmlInit_v2(void) { INIT; return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** to) {
  (void)index;
  *to = &device;
  return 0;
}
int nvmlDeviceGetName(void* of, char* to, unsigned room) {
  (void)of;
  snprintf(to, room, "NVIDIA H100 80GB HBM3");
  return 0;
}
int nvmlDeviceGetUUID(void* of, char* to, unsigned room) {
  (void)of;
  snprintf(to, room, ID);
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* of, unsigned long long* to) {
  (void)of;
  to[0] = 81920ULL << 20;
  return 0;
}
int nvmlDeviceGetPciInfo_v3(void* of, char* to) {
  (void)of;
  strcpy(to + 36, "00000000:00:05.0");
  return 0;
}
"""
CRASHES = NVML % ("*(volatile int*)0 = 1", '""')
WRONG_ID = NVML % ("", '"GPU-11111111-2222-3333-4444-555555555555"')
# A driver's library that never comes back.
HANGS = """
#include <unistd.h>
int cuInit(unsigned flags) { for (;;) pause(); return (int)flags; }
""" + "".join(f"int {name}(void) {{ return 0; }}\n" for name in (
    "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetUuid",
    "cuDeviceGetAttribute", "cuDeviceTotalMem_v2"))
# Tells what the kernel gives the process that loads it.
TELLS = r"""
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void) {
  char line[256], path[256] = "";
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  const mode_t mask = umask(0);
  umask(mask);
  if (getcwd(path, sizeof(path)) == NULL) path[0] = '\0';
  fprintf(stderr, "uid=%d gid=%d groups=%d files=%llu umask=%o cwd=%s pid=%d\n", (int)geteuid(),
          (int)getegid(), getgroups(0, NULL), (unsigned long long)limit.rlim_cur, (unsigned)mask,
          path, (int)getpid());
  FILE* status = fopen("/proc/thread-self/status", "r");
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0 ||
        strncmp(line, "Seccomp", 7) == 0) {
      fputs(line, stderr);
    }
  }
}
"""

# Tells what a process could do to who started it: the descriptors that it was given, the terminal
# that it can type to, the program file of its parent, and the keys of its session.
LEAKS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void) {
  char path[64], exe[256];
  fprintf(stderr, "fds=");
  for (int fd = 0; fd < 64; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) fprintf(stderr, "%d,", fd);
  }
  const int terminal = open("/dev/tty", O_RDWR);
  snprintf(path, sizeof(path), "/proc/%d/exe", (int)getppid());
  fprintf(stderr, " tty=%s parent=%s session=%ld\n", terminal < 0 ? "none" : "there",
          readlink(path, exe, sizeof(exe)) < 0 ? "hidden" : "seen",
          syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* of the session */, 0));
}
"""

with open("diag/report/probe.schema.json", encoding="utf-8") as schema:
    VALIDATOR = jsonschema.Draft202012Validator(json.load(schema))


def compile_c(target, text_or_path, *options):
    """A program or library of C, from a file or from text."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    from_text = "\n" in text_or_path
    subprocess.run(
        ["gcc", "-O1", "-o", target, "-x", "c", "-" if from_text else text_or_path, "-x", "none",
         *options],
        input=text_or_path if from_text else None, text=True, check=True, env=ENVIRONMENT)
    return target


def library(target, text_or_path, *options):
    return compile_c(target, text_or_path, "-shared", "-fPIC", *options)


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if SANITIZED:
            return
        # Not below a directory that is root's alone: other users' servers run from it.
        cls.directory = tempfile.mkdtemp(prefix="verify.", dir="/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        os.chmod(cls.directory, 0o755)
        cls.shims = os.path.join(cls.directory, "shims")
        libraries = [os.path.join("shims", directory, name) for directory, name in (
            ("cuda", "libvgpu-cuda.so"), ("nvml", "libvgpu-nvml.so"),
            ("cudart", "libvgpu-cudart.so"), ("exec", "libvgpu-exec.so"),
            ("syscall", "libvgpu-syscall.so"))]
        subprocess.run(["shims/lay_out", cls.shims, *libraries], check=True, env=ENVIRONMENT)
        cls.ollama = os.path.join(cls.directory, "bin/ollama")
        cls.lib = os.path.join(cls.directory, "lib/ollama")
        cls.variant = os.path.join(cls.lib, "cuda_v12")
        compile_c(cls.ollama, f"{SOURCES}/ollama_stand_in.c")
        cls.backend = library(
            os.path.join(cls.variant, "libggml-cuda.so"), f"{SOURCES}/backend_stand_in.c",
            f"-L{cls.shims}", "-l:libcudart.so.12", "-l:libcuda.so.1")

    def setUp(self):
        if SANITIZED:
            self.skipTest("a sanitizer's runtime is in the probe program, and has to be loaded "
                          "before every preload")

    def start(self, *, prefix=(), version="0.13.5", environment=None, **options):
        """A server; its process id."""
        log = tempfile.NamedTemporaryFile(dir=self.directory, prefix="log.", delete=False)
        os.chmod(log.name, 0o666)
        variables = {"PATH": ENVIRONMENT["PATH"], "LD_LIBRARY_PATH": self.shims,
                     "STAND_IN_VERSION": version, **(environment or {})}
        server = subprocess.Popen(
            [*prefix, self.ollama, "serve"], env=variables, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, cwd="/", start_new_session=True, **options)
        log.close()
        self.addCleanup(server.wait)
        self.addCleanup(self.end, server.pid)
        end = time.monotonic() + 10
        while True:
            with open(log.name, encoding="utf-8") as file:
                text = file.read()
            if "Listening on" in text:
                break
            if server.poll() is not None or time.monotonic() > end:
                self.fail(f"the server did not start: {text[-500:]}")
            time.sleep(0.01)
        return self.server_of(server.pid)

    @staticmethod
    def end(group):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def server_of(self, pid):
        """The process that runs the stand-in: `pid`, or a child of it."""
        waiting = [pid]
        while waiting:
            candidate = waiting.pop()
            if os.readlink(f"/proc/{candidate}/exe").endswith(self.ollama):
                return candidate
            with open(f"/proc/{candidate}/task/{candidate}/children", encoding="utf-8") as file:
                waiting += [int(word) for word in file.read().split()]
        return self.fail("no process runs the stand-in")

    def verify(self, pid, *arguments, expect, **options):
        outcome = doctor("verify", "--pid", str(pid), "--format", "json", *arguments,
                         timeout=LIMIT, **options)
        self.assertIn(outcome.status, (HEALTHY, PROBLEM, INCONCLUSIVE), outcome.err.decode())
        result = json.loads(outcome.out)
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                  for error in VALIDATOR.iter_errors(result)]
        self.assertEqual(errors, [])
        self.assertEqual(outcome.status, expect, result["headline"])
        self.assertEqual({"healthy": 0, "problem": 1, "inconclusive": 3}[result["verdict"]],
                         outcome.status)
        return result

    def steps(self, result, name, environment="process"):
        runs = [one for one in result["runs"] if one["environment"] == environment]
        self.assertEqual(len(runs), 1, result["headline"])
        return [step for step in runs[0]["steps"] if step["name"] == name]

    def step(self, result, name):
        found = self.steps(result, name)
        self.assertEqual(len(found), 1, f"{name}: {found}")
        return found[0]

    def assert_ok(self, result, *names):
        for name in names:
            found = self.steps(result, name)
            self.assertTrue(found, name)
            for step in found:
                self.assertEqual(step["status"], "ok", f"{name}: {step['why']} {step['messages']}")

    # --- all is well

    def test_era_b_every_step_finds_the_device_and_they_agree(self):
        pid = self.start()
        result = self.verify(pid, expect=HEALTHY)
        self.assertEqual(result["subject"]["pid"], pid)
        self.assertEqual(result["subject"]["era"], "B")
        self.assert_ok(result, "loader", "preload", "nvml", "cuda", "cuda-select", "cudart",
                       "backend", "discovery", "discovery-select")
        for name in ("nvml", "cuda", "cudart", "discovery"):
            self.assertEqual(self.step(result, name)["devices"][0]["name"],
                             "NVIDIA H100 80GB HBM3")
        self.assertEqual(self.step(result, "cudart")["library"],
                         os.path.join(self.shims, "libcudart.so.12"))
        comparisons = result["runs"][0]["comparisons"]
        self.assertEqual({one["what"]: one["agree"] for one in comparisons},
                         {"pci address": True, "uuid": True, "name": True, "memory": True})
        for one in comparisons:
            told = {value["step"].split()[0] for value in one["values"]}
            self.assertLessEqual({"nvml", "cuda", "cudart", "discovery"}, told, one["what"])

    def test_era_c(self):
        server = os.path.join(self.lib, "llama-server")
        shutil.copy(self.ollama, server)
        self.addCleanup(os.remove, server)
        result = self.verify(self.start(version="0.33.0"), expect=HEALTHY)
        self.assertEqual(result["subject"]["era"], "C")
        self.assert_ok(result, "nvml", "cuda", "cudart", "backend", "discovery",
                       "discovery-select", "gpu-discover")
        self.assertEqual(self.step(result, "gpu-discover")["devices"][0]["compute"], "9.0")

    def test_era_c_drops_a_device_that_the_backend_was_not_compiled_for(self):
        server = os.path.join(self.lib, "llama-server")
        shutil.copy(self.ollama, server)
        self.addCleanup(os.remove, server)
        result = self.verify(self.start(version="0.33.0",
                                        environment={"STAND_IN_ARCHS": "500,610,1200"}),
                             expect=PROBLEM)
        self.assert_ok(result, "cuda", "cudart", "backend")
        self.assertEqual(self.step(result, "discovery")["why"],
                         "Ollama drops every device: the backend was compiled for compute "
                         "capabilities 5.0, 6.1, 12.0, and not for 9.0")

    def test_era_a_passes_over_an_old_device(self):
        config = os.path.join(self.directory, "old.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[[device]]\ncompute_capability = "3.5"\n')
        result = self.verify(self.start(version="0.12.3", environment={"VGPU_CONFIG": config}),
                             expect=PROBLEM)
        self.assertIn("below compute capability 5.0, and this one has 3.5",
                      self.step(result, "cuda")["why"])

    def test_era_a(self):
        result = self.verify(self.start(version="0.12.3"), expect=HEALTHY)
        self.assertEqual(result["subject"]["era"], "A")
        self.assert_ok(result, "cuda", "cudart", "backend")
        self.assertEqual(self.step(result, "discovery")["status"], "not run")

    def test_check_takes_it_as_evidence(self):
        pid = self.start()
        file = os.path.join(self.directory, "probe.json")
        self.verify(pid, "--output", file, expect=HEALTHY)
        before, _ = check_json("--pid", str(pid), timeout=LIMIT)
        self.assertNotEqual(before["verdict"], "healthy", before["headline"])
        after, _ = check_json("--pid", str(pid), "--probe", file, timeout=LIMIT)
        self.assertEqual(after["verdict"], "healthy", after["headline"])
        self.assertIn("a probe in the process's place finds the GPU",
                      [working["what"] for working in after["working"]])
        # Another process is not proved by it.
        other, _ = check_json("--pid", str(self.start()), "--probe", file, timeout=LIMIT)
        self.assertNotEqual(other["verdict"], "healthy", other["headline"])
        self.assertIn(f"it is of process {pid}", words(other["not_observed"]))

    def test_text(self):
        outcome = doctor("verify", "--pid", str(self.start()), timeout=LIMIT)
        self.assertEqual(outcome.status, HEALTHY, outcome.out.decode())
        text = outcome.out.decode()
        self.assertTrue(text.startswith("HEALTHY  In the place of process "), text)
        self.assertIn("  ok         Ollama's own discovery (cuda_v12)\n", text)
        self.assertNotIn("failed", text)

    # --- one thing is wrong

    def first(self, name, text):
        """An environment in which this library is found before the shims."""
        directory = tempfile.mkdtemp(prefix="first.", dir=self.directory)
        os.chmod(directory, 0o755)
        library(os.path.join(directory, name), text, f"-Wl,-soname,{name}")
        return {"LD_LIBRARY_PATH": f"{directory}:{self.shims}"}

    def test_a_library_that_the_backend_needs_is_missing(self):
        missing = library(os.path.join(self.directory, "gone/libcublas.so.12"), "int cublas;\n")
        broken = os.path.join(self.directory, "broken-lib/ollama")
        os.makedirs(os.path.join(broken, "cuda_v12"))
        library(os.path.join(broken, "cuda_v12/libggml-cuda.so"),
                f"{SOURCES}/backend_stand_in.c", f"-L{self.shims}", "-l:libcudart.so.12",
                "-l:libcuda.so.1", "-Wl,--no-as-needed", missing)
        os.remove(missing)
        kept = self.lib + ".kept"
        os.rename(self.lib, kept)
        self.addCleanup(os.rename, kept, self.lib)
        os.symlink(broken, self.lib)
        self.addCleanup(os.remove, self.lib)
        result = self.verify(self.start(), expect=PROBLEM)
        backend = self.step(result, "backend")
        self.assertEqual(backend["status"], "failed")
        self.assertIn("libcublas.so.12: cannot open shared object file: No such file or directory",
                      backend["why"])
        self.assertIn("libcublas.so.12", result["headline"])
        self.assert_ok(result, "cuda", "cudart", "nvml")
        self.assertEqual(self.step(result, "discovery")["why"], "It names no device of CUDA")

    def test_a_step_that_crashes_ends_no_other(self):
        result = self.verify(self.start(environment=self.first("libnvidia-ml.so.1", CRASHES)),
                             expect=PROBLEM)
        nvml = self.step(result, "nvml")
        self.assertEqual((nvml["status"], nvml["signal"], nvml["call"]),
                         ("failed", signal.SIGSEGV, "nvmlInit_v2"))
        self.assertIn("SIGSEGV in nvmlInit_v2", nvml["why"])
        self.assert_ok(result, "cuda", "cudart", "backend", "discovery")

    def test_a_step_that_hangs_ends_in_time(self):
        pid = self.start(environment=self.first("libcuda.so.1", HANGS))
        begin = time.monotonic()
        result = self.verify(pid, expect=PROBLEM)
        self.assertLess(time.monotonic() - begin, 60)
        cuda = self.step(result, "cuda")
        self.assertTrue(cuda["timed_out"])
        self.assertEqual(cuda["call"], "cuInit")
        self.assert_ok(result, "nvml", "backend")

    def test_a_library_that_crashes_when_its_program_ends(self):
        source = WRONG_ID + """
            #include <stdlib.h>
            __attribute__((destructor)) static void leave(void) { abort(); }
        """
        result = self.verify(self.start(environment=self.first("libnvidia-ml.so.1", source)),
                             expect=PROBLEM)
        nvml = self.step(result, "nvml")
        self.assertEqual((nvml["status"], nvml["signal"]), ("failed", signal.SIGABRT))
        self.assertIn("SIGABRT after it had answered", nvml["why"])

    def test_another_id_is_a_disagreement(self):
        pid = self.start(environment=self.first("libnvidia-ml.so.1", WRONG_ID))
        file = os.path.join(self.directory, "wrong.json")
        result = self.verify(pid, "--output", file, expect=PROBLEM)
        differs = [one for one in result["runs"][0]["comparisons"] if not one["agree"]]
        self.assertEqual([one["what"] for one in differs], ["uuid"])
        self.assertIn({"step": "nvml cuda_v12", "value": "GPU-11111111-2222-3333-4444-555555555555"},
                      differs[0]["values"])
        # Such a probe proves nothing.
        report, _ = check_json("--pid", str(pid), "--probe", file, timeout=LIMIT)
        self.assertNotEqual(report["verdict"], "healthy")

    def test_a_preload_entry_that_is_missing(self):
        entry = os.path.join(self.shims, "libvgpu-none.so")
        result = self.verify(
            self.start(environment={"LD_PRELOAD": f"{self.shims}/libvgpu-cuda.so:{entry}"}),
            expect=PROBLEM)
        self.assertIn(f"ERROR: ld.so: object '{entry}' from LD_PRELOAD cannot be preloaded",
                      self.step(result, "loader")["why"])
        self.assertEqual([one["loaded"] for one in self.step(result, "preload")["preload"]],
                         [True, False])
        self.assert_ok(result, "cuda", "discovery")

    def test_devices_are_hidden(self):
        result = self.verify(self.start(environment={"CUDA_VISIBLE_DEVICES": "-1"}),
                             expect=PROBLEM)
        cuda = self.step(result, "cuda")
        self.assertIn("CUDA_ERROR_NO_DEVICE", cuda["why"])
        self.assertEqual(cuda["call"], "cuInit")

    def test_no_backend_at_all(self):
        kept = os.path.join(self.directory, "kept")
        os.rename(self.variant, kept)
        self.addCleanup(os.rename, kept, self.variant)
        result = self.verify(self.start(), expect=PROBLEM)
        self.assertIn("has a backend for CUDA", self.step(result, "backend")["why"])

    # --- the place

    def told(self, pid, *, expect=HEALTHY, **options):
        """What the kernel gave the first step: the words of TELLS."""
        result = self.verify(pid, expect=expect, **options)
        said = {}
        for line in self.step(result, "loader")["messages"]:
            said.update(part.split("=", 1) for part in line.split() if "=" in part)
            if ":" in line:
                key, _, value = line.partition(":")
                said[key] = value.replace("\\t", "").strip()
        return said, result

    def tells(self):
        return {"LD_PRELOAD": library(os.path.join(self.directory, "tells.so"), TELLS)}

    def needs_root(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user, or enter a namespace")

    def test_user_groups_limits_and_no_new_privs(self):
        self.needs_root()
        pid = self.start(prefix=("prlimit", "--nofile=123:456", "setpriv", "--reuid=65534",
                                 "--regid=65533", "--groups=42,43", "--no-new-privs", "sh", "-c",
                                 'umask 027; cd /var; exec "$0" "$@"'),
                         environment=self.tells())
        said, _ = self.told(pid)
        self.assertEqual({key: said[key] for key in
                          ("uid", "gid", "groups", "files", "umask", "cwd", "NoNewPrivs")},
                         {"uid": "65534", "gid": "65533", "groups": "2", "files": "123",
                          "umask": "27", "cwd": "/var", "NoNewPrivs": "1"})
        self.assertEqual(int(said["CapEff"], 16), 0)

    def test_capabilities_that_are_ambient(self):
        self.needs_root()
        pid = self.start(prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                 "--inh-caps=+sys_nice", "--ambient-caps=+sys_nice",
                                 "--bounding-set=-sys_boot"),
                         environment=self.tells())
        said, _ = self.told(pid)
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            theirs = {line.split(":")[0]: line.split()[-1] for line in file}
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(said[name], theirs[name], name)

    def test_a_program_that_is_started_in_secure_mode(self):
        self.needs_root()
        # cap_sys_nice, effective (linux/capability.h, struct vfs_cap_data).
        try:
            os.setxattr(self.ollama, "security.capability",
                        struct.pack("<IIIII", 0x02000001, 1 << 23, 0, 0, 0))
        except OSError as error:
            self.skipTest(f"files here can have no capabilities: {error}")
        self.addCleanup(os.removexattr, self.ollama, "security.capability")
        # The loader drops LD_LIBRARY_PATH, for the server and for its children.
        result = self.verify(self.start(prefix=NOBODY), expect=PROBLEM)
        self.assertIn("secure mode", " ".join(result["runs"][0]["context"]["taken_over"]))
        self.assertIn("libcuda.so.1: cannot open shared object file",
                      self.step(result, "cuda")["why"])
        self.assertEqual(self.step(result, "discovery")["status"], "failed")

    def test_what_only_the_service_sees(self):
        self.needs_root()
        # The libraries lie where the host has an empty directory.
        hidden = os.path.join(self.directory, "hidden")
        os.makedirs(hidden)
        pid = self.start(prefix=("unshare", "-m", "sh", "-c",
                                 f'mount --bind {self.shims} {hidden} && exec "$0" "$@"'),
                         environment={"LD_LIBRARY_PATH": hidden})
        self.assertEqual(os.listdir(hidden), [])
        result = self.verify(pid, expect=HEALTHY)
        self.assertIn("mount namespace", result["runs"][0]["context"]["taken_over"])
        self.assertEqual(self.step(result, "cudart")["library"],
                         os.path.join(hidden, "libcudart.so.12"))

    def test_a_preload_file_that_only_the_service_has(self):
        self.needs_root()
        listed = os.path.join(self.directory, "ld.so.preload")
        with open(listed, "w", encoding="utf-8") as file:
            file.write(f"# the shims\n{self.shims}/libvgpu-nvml.so {self.shims}/libvgpu-cuda.so\n")
        if not os.path.exists("/etc/ld.so.preload"):
            # A bind needs something to lie over: a whole /etc of the service's own.
            mount = ('mkdir -p "$1" && mount -t tmpfs tmpfs "$1" && cp -a /etc/. "$1" && '
                     'cp "$2" "$1/ld.so.preload" && mount --move "$1" /etc')
        else:
            self.skipTest("this machine has an /etc/ld.so.preload")
        etc = os.path.join(self.directory, "etc")
        pid = self.start(prefix=("unshare", "-m", "sh", "-c",
                                 f'{mount} && shift 2 && exec "$@"', "sh", etc, listed))
        result = self.verify(pid, expect=HEALTHY)
        self.assertFalse(os.path.exists("/etc/ld.so.preload"))
        self.assertEqual([(one["from"], one["loaded"])
                          for one in self.step(result, "preload")["preload"]],
                         [("/etc/ld.so.preload", True)] * 2)

    def test_a_pid_and_a_network_namespace(self):
        self.needs_root()
        pid = self.start(prefix=("unshare", "-p", "-f", "-n", "--mount-proc", "sh", "-c",
                                 'ip link set lo up 2>/dev/null; exec "$0" "$@"'),
                         environment=self.tells())
        with open(f"/proc/{pid}/net/fib_trie", encoding="utf-8") as file:
            loopback = "127.0.0.1" in file.read()
        if not loopback:
            self.skipTest("ip, which brings the loopback interface up, is not installed")
        said, result = self.told(pid)
        self.assertLess(int(said["pid"]), 100)
        taken = result["runs"][0]["context"]["taken_over"]
        self.assertIn("PID namespace", taken)
        self.assertIn("network namespace", taken)

    def test_a_step_that_crashes_in_a_pid_namespace(self):
        self.needs_root()
        pid = self.start(prefix=("unshare", "-p", "-f", "--mount-proc"),
                         environment=self.first("libnvidia-ml.so.1", CRASHES))
        result = self.verify(pid, expect=PROBLEM)
        self.assertEqual(self.step(result, "nvml")["signal"], signal.SIGSEGV)

    def test_a_user_namespace(self):
        self.needs_root()
        prefix = (*NOBODY, "unshare", "-U", "-r")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("an ordinary user may make no user namespace here")
        said, result = self.told(self.start(prefix=prefix, environment=self.tells()))
        self.assertEqual(said["uid"], "0")
        self.assertIn("user namespace", result["runs"][0]["context"]["taken_over"])

    def test_what_is_the_callers_own_stays_with_him(self):
        self.needs_root()
        leaks = library(os.path.join(self.directory, "leaks.so"), LEAKS)
        # Root without the right to trace: as in a container, where it may look at its equals.
        pid = self.start(prefix=("setpriv", "--bounding-set=-sys_ptrace"),
                         environment={"LD_PRELOAD": leaks})
        controller, terminal = os.openpty()
        self.addCleanup(os.close, controller)
        self.addCleanup(os.close, terminal)
        result = self.verify(
            pid, expect=HEALTHY, pass_fds=(terminal,), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0))
        ours = ctypes.CDLL(None).syscall(250, 0, -3, 0)  # keyctl, as in LEAKS
        for name, descriptors in (("loader", "0,1,2,3,"), ("discovery", "0,1,2,")):
            told = [line for line in self.step(result, name)["messages"] if line.startswith("fds=")]
            self.assertTrue(told, name)
            said = dict(part.split("=", 1) for part in told[0].split())
            self.assertEqual((said["fds"], said["tty"], said["parent"]),
                             (descriptors, "none", "hidden"), name)
            if ours > 0:
                self.assertNotEqual(int(said["session"]), ours, name)

    # --- what cannot be done

    def test_an_ordinary_user_and_anothers_process(self):
        self.needs_root()
        shutil.copy(DOCTOR, os.path.join(self.directory, "vgpu-doctor"))
        outcome = doctor("verify", "--pid", str(self.start()), timeout=LIMIT,
                         program=(*NOBODY, os.path.join(self.directory, "vgpu-doctor")))
        self.assertEqual(outcome.status, INCONCLUSIVE, outcome.err.decode())
        self.assertIn("No step could be done", outcome.out.decode())
        self.assertIn("permission denied", outcome.out.decode().lower())

    def test_an_ordinary_user_and_his_own_process(self):
        self.needs_root()
        shutil.copy(DOCTOR, os.path.join(self.directory, "vgpu-doctor"))
        self.verify(self.start(prefix=NOBODY), expect=HEALTHY,
                    program=(*NOBODY, os.path.join(self.directory, "vgpu-doctor")))

    def test_filters_of_system_calls(self):
        self.needs_root()
        with open("/proc/self/status", encoding="utf-8") as file:
            if "Seccomp_filters" not in file.read():
                self.skipTest("this kernel does not count filters (Linux 5.9)")
        filtered = compile_c(os.path.join(self.directory, "filtered"), FILTERED)
        pid = self.start(prefix=(filtered,), environment=self.tells())
        outcome = doctor("verify", "--pid", str(pid), timeout=LIMIT)
        if outcome.status == INCONCLUSIVE:
            # The kernel shows them to a tracer who has none himself, if it is built to.
            self.assertIn(b"seccomp", outcome.out.split(b"\n\n")[0])
            self.skipTest(outcome.out.decode().split("could not be read: ")[-1].split(")")[0])
        said, _ = self.told(pid)
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            theirs = {line.split(":")[0]: line.split()[-1] for line in file}
        self.assertEqual(said["Seccomp_filters"], theirs["Seccomp_filters"])

    def test_no_such_process(self):
        self.assertEqual(doctor("verify", "--pid", "4194303", timeout=LIMIT).status, USAGE)

    def test_a_unit_that_is_not_there(self):
        outcome = doctor("verify", "--unit", "no-such-unit-of-ours.service", timeout=LIMIT)
        self.assertEqual(outcome.status, INCONCLUSIVE)
        self.assertIn("No step could be done", outcome.out.decode())

    def test_nothing_is_left(self):
        pid = self.start()
        before = {name for name in os.listdir("/proc") if name.isdigit()}
        self.verify(pid, expect=HEALTHY)
        after = {name for name in os.listdir("/proc") if name.isdigit()} - before
        left = []
        for name in after:
            try:
                left.append(os.readlink(f"/proc/{name}/exe"))
            except OSError:
                pass
        self.assertEqual([exe for exe in left if self.directory in exe or "vgpu-probe" in exe], [])


# Starts a program under a filter that allows everything.
FILTERED = r"""
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char** argv) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog program = {1, &allow};
  (void)argc;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return 1;
  execv(argv[1], argv + 1);
  return 1;
}
"""


if __name__ == "__main__":
    run()
