#!/usr/bin/python3 -B
"""`vgpu-doctor verify` of a unit of a real systemd: its sandbox, the environment of its next
start, and the unit at rest."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema

from doctor_testing import (DOCTOR, ENVIRONMENT, HEALTHY, INCONCLUSIVE, PROBLEM, SANITIZED, run,
                            temporary)

sys.path.insert(0, os.path.abspath("tools/testing"))
from real_systemd import RealSystemd

SOURCES = "tools/vgpu_doctor/testdata"
UNIT = """[Unit]
Description=stands in for Ollama
[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Environment=LD_LIBRARY_PATH=/usr/lib/vgpu STAND_IN_VERSION=0.13.5
BindReadOnlyPaths=/opt/shims:/usr/lib/vgpu
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
NoNewPrivileges=yes
LimitNOFILE=200
"""

# A root directory with Ollama in it, and the host's C library bound into it.
ROOT = "/srv/gpu"
ROOTED = f"""[Unit]
Description=stands in for Ollama
[Service]
ExecStart=/opt/ollama/bin/ollama serve
User=ollama
RootDirectory={ROOT}
MountAPIVFS=yes
BindReadOnlyPaths=/usr/lib /usr/lib64 /etc/passwd /etc/group
BindPaths=/run/systemd/journal
Environment=LD_LIBRARY_PATH=/opt/vgpu STAND_IN_VERSION=0.13.5
"""
CAP_MKNOD = 27  # linux/capability.h

# Tells in which cgroup the program is that loads it, and which capabilities it can ever have.
TELLS = r"""
#include <stdio.h>
#include <string.h>
__attribute__((constructor)) static void tell(void) {
  char line[4096];
  FILE* file = fopen("/proc/self/cgroup", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (line[0] == '0') fprintf(stderr, "cgroup=%s", line + 3);
  }
  file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "CapBnd:", 7) == 0) fputs(line, stderr);
  }
}
"""


class VerifyUnit(unittest.TestCase):
    def setUp(self):
        if SANITIZED:
            self.skipTest("the container has no sanitizer's runtime")
        self.system = self.enterContext(RealSystemd())
        work = self.work = self.enterContext(tempfile.TemporaryDirectory(dir=temporary()))
        libraries = [os.path.join("shims", directory, name) for directory, name in (
            ("cuda", "libvgpu-cuda.so"), ("nvml", "libvgpu-nvml.so"),
            ("cudart", "libvgpu-cudart.so"))]
        subprocess.run(["shims/lay_out", work, *libraries], check=True, env=ENVIRONMENT)
        for command in (
                ["-o", f"{work}/ollama", f"{SOURCES}/ollama_stand_in.c"],
                ["-shared", "-fPIC", "-o", f"{work}/libggml-cuda.so",
                 f"{SOURCES}/backend_stand_in.c", f"-L{work}", "-l:libcudart.so.12",
                 "-l:libcuda.so.1"]):
            subprocess.run(["gcc", "-O1", *command], check=True, env=ENVIRONMENT)
        self.system.copy(DOCTOR, "/usr/bin/vgpu-doctor")
        self.system.copy(f"{work}/ollama", "/usr/local/bin/ollama")
        self.system.copy(f"{work}/libggml-cuda.so",
                         "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so")
        for name, library in (("libcuda.so.1", "libvgpu-cuda.so"),
                              ("libnvidia-ml.so.1", "libvgpu-nvml.so"),
                              ("libcudart.so.12", "libvgpu-cudart.so")):
            self.system.copy(f"{work}/{library}", f"/opt/shims/{name}")
        self.system.run("mkdir", "-p", "/usr/lib/vgpu")
        self.system.run("useradd", "-r", "-s", "/bin/false", "-m", "-d", "/usr/share/ollama",
                        "ollama")
        self.system.write("/etc/systemd/system/ollama.service", UNIT)
        self.system.run("systemctl", "daemon-reload")
        self.system.run("systemctl", "start", "ollama.service")
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        end = time.monotonic() + 10
        while "Listening on" not in self.system.run(
                "journalctl", "-u", "ollama.service", "-n", "5").stdout:
            self.assertLess(time.monotonic(), end, "it says nothing")
            time.sleep(0.05)

    def drop_in(self, text):
        self.system.write("/etc/systemd/system/ollama.service.d/test.conf", f"[Service]\n{text}\n")
        self.system.run("systemctl", "daemon-reload")

    def verify(self, expect, *arguments, prefix=()):
        done = self.system.run(*prefix, "vgpu-doctor", "verify", "--format", "json", *arguments,
                               check=False, timeout=120)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        result = json.loads(done.stdout)
        with open("diag/report/probe.schema.json", encoding="utf-8") as file:
            jsonschema.Draft202012Validator(json.load(file)).validate(result)
        self.assertEqual(done.returncode, expect, json.dumps(result, indent=1)[-6000:])
        return result

    def test_in_its_sandbox(self):
        result = self.verify(HEALTHY)
        self.assertEqual([one["environment"] for one in result["runs"]], ["process"])
        self.assertTrue(result["next_start_is_the_same"])
        taken = result["runs"][0]["context"]["taken_over"]
        self.assertIn("mount namespace", taken)
        self.assertIn("no_new_privs", taken)
        libraries = {step["name"]: step["library"] for step in result["runs"][0]["steps"]}
        # Outside of the unit that directory is empty.
        self.assertEqual(libraries["cuda"], "/usr/lib/vgpu/libcuda.so.1")
        self.assertEqual(self.system.run("ls", "/usr/lib/vgpu").stdout, "")

    def test_in_a_root_directory_of_its_own(self):
        self.system.run("systemctl", "stop", "ollama.service")
        self.system.run("sh", "-c", f"""
            mkdir -p {ROOT}/opt/ollama/bin {ROOT}/opt/ollama/lib {ROOT}/usr/lib {ROOT}/usr/lib64 \\
                {ROOT}/etc {ROOT}/run/systemd/journal {ROOT}/proc {ROOT}/sys {ROOT}/dev {ROOT}/tmp
            ln -s usr/lib {ROOT}/lib; ln -s usr/lib64 {ROOT}/lib64
            touch {ROOT}/etc/passwd {ROOT}/etc/group
            mv /usr/local/bin/ollama {ROOT}/opt/ollama/bin/
            mv /usr/local/lib/ollama {ROOT}/opt/ollama/lib/
            mv /opt/shims {ROOT}/opt/vgpu""")
        self.system.write("/etc/systemd/system/ollama.service", ROOTED)
        self.system.run("systemctl", "daemon-reload")
        self.system.run("systemctl", "start", "ollama.service")
        self.wait_until_it_listens()
        result = self.verify(HEALTHY)
        libraries = {step["name"]: step["library"] for step in result["runs"][0]["steps"]}
        self.assertEqual(libraries["cuda"], "/opt/vgpu/libcuda.so.1")
        self.assertEqual(libraries["backend"], "/opt/ollama/lib/ollama/cuda_v12/libggml-cuda.so")
        self.system.run("rm", f"{ROOT}/opt/vgpu/libcudart.so.12")
        self.verify(PROBLEM)

    def test_in_its_cgroup(self):
        library = os.path.join(self.work, "libtells.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input=TELLS,
                       text=True, check=True, env=ENVIRONMENT)
        self.system.copy(library, "/opt/shims/libtells.so")
        self.drop_in("Environment=LD_PRELOAD=/usr/lib/vgpu/libtells.so")
        self.system.run("systemctl", "restart", "ollama.service")
        self.wait_until_it_listens()
        # As a person's shell is in one of its own.
        asked = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect")
        result = self.verify(HEALTHY, prefix=asked)
        context = result["runs"][0]["context"]
        self.assertIn("cgroup /system.slice/ollama.service", context["taken_over"], context)
        self.assertEqual([one for one in context["not_taken_over"] if "cgroup" in one["what"]], [])
        for step in result["runs"][0]["steps"]:
            if step["status"] == "ok" and not step["name"].startswith("discovery"):
                self.assertIn("cgroup=/system.slice/ollama.service", step["messages"], step)
        # Where little is left of its memory or its tasks, it is left alone, and that is said.
        self.drop_in("Environment=LD_PRELOAD=/usr/lib/vgpu/libtells.so\nTasksMax=20")
        self.system.run("systemctl", "restart", "ollama.service")
        self.wait_until_it_listens()
        pid = self.system.run("systemctl", "show", "-P", "MainPID", "ollama.service").stdout.strip()
        limit = self.system.run("sh", "-c", "cat /sys/fs/cgroup/$(sed -n 's/^0:://p' /proc/"
                                f"{pid}/cgroup)/pids.max", check=False)
        if limit.returncode != 0:
            print("not tried: the cgroups of version 2 bound no tasks here")
            return
        left = self.verify(HEALTHY, prefix=asked)["runs"][0]
        self.assertIn("tasks that it may have",
                      "".join(one["why"] for one in left["context"]["not_taken_over"]))
        # No node of a device is made outside of the cgroup that bounds which may be opened.
        status = self.system.run("grep", "CapBnd", f"/proc/{pid}/status").stdout
        self.assertEqual(int(status.split()[1], 16) >> CAP_MKNOD & 1,
                         [one["what"] for one in left["context"]["not_taken_over"]].count(
                             "the capability CAP_MKNOD"))
        bounds = [int(message.split()[1], 16) for message in left["steps"][0]["messages"]
                  if message.startswith("CapBnd:")]
        self.assertEqual([bound >> CAP_MKNOD & 1 for bound in bounds], [0])

    def test_check_takes_its_result(self):
        self.verify(HEALTHY, "--output", "/root/probe.json")
        done = self.system.run("vgpu-doctor", "check", "--format", "json", "--probe",
                               "/root/probe.json", check=False)
        report = json.loads(done.stdout)
        self.assertEqual(report["verdict"], "healthy", report["headline"])

    def test_what_the_next_start_would_get(self):
        self.drop_in("Environment=CUDA_VISIBLE_DEVICES=-1")
        result = self.verify(PROBLEM)
        self.assertFalse(result["next_start_is_the_same"])
        states = {run["environment"]: {step["name"]: step["status"] for step in run["steps"]}
                  for run in result["runs"]}
        self.assertEqual(states["process"]["discovery"], "ok")
        self.assertEqual(states["unit"]["discovery"], "failed")
        self.assertIn("next start", result["headline"])

    def test_at_rest(self):
        self.system.run("systemctl", "stop", "ollama.service")
        # Its libraries are where only the unit that runs has them: no fault of the unit.
        result = self.verify(INCONCLUSIVE)
        self.assertIn("BindReadOnlyPaths=/opt/shims:/usr/lib/vgpu", result["headline"])
        self.assertEqual([one["environment"] for one in result["runs"]], ["unit"])
        left = [one["what"] for one in result["runs"][0]["context"]["not_taken_over"]]
        self.assertIn("BindReadOnlyPaths=/opt/shims:/usr/lib/vgpu", left)
        # As that user all the same.
        user = self.system.run("id", "-u", "ollama").stdout.strip()
        self.assertTrue(result["runs"][0]["context"]["taken_over"][0].startswith(f"user {user},"))

    def test_its_filter_of_system_calls(self):
        self.drop_in("SystemCallFilter=~@reboot")
        self.system.run("systemctl", "restart", "ollama.service")
        result = self.verify(HEALTHY)
        self.assertRegex(" ".join(result["runs"][0]["context"]["taken_over"]),
                         r"[0-9]+ filters of system calls")


if __name__ == "__main__":
    run()
