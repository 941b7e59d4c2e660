#!/usr/bin/python3 -B
"""The two documented incidents (testdata/incidents), on a real systemd, from the fault to the
healthy machine: what is told of them there as files happens here."""

import os
import sys
import unittest

sys.path[:0] = [os.path.abspath(name) for name in ("tools/testing", "tools/vgpu_doctor/live")]
import cases  # noqa: E402
import machine  # noqa: E402
from machine import DROPIN, OLLAMA, SERVICE, VARIANT, dropin, environment, preload  # noqa: E402
from trial import codes, proof, said  # noqa: E402

# Where the shims were.
LIB64 = "/usr/lib64"
FOUR = preload("exec", "syscall", "cuda", "nvml", directory=LIB64)
ADDRESS = "0000:00:05.0"

# What a program sees with the shims, by path and by NVML.
LOOK = f"""\
import ctypes
for name in ("vendor", "device", "class"):
    print(open("/sys/bus/pci/devices/{ADDRESS}/" + name).read().strip())
nvml = ctypes.CDLL("libnvidia-ml.so.1")
nvml.nvmlInit_v2()
handle, pci = ctypes.c_void_p(), ctypes.create_string_buffer(256)
nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle))
print(nvml.nvmlDeviceGetPciInfo_v3(handle, pci))
print(ctypes.string_at(ctypes.addressof(pci)).decode())
"""

# Opens copies of the shims and becomes the server. The copies are of an old build, whose
# constructor does not bear another one in its process.
WRAPPER = """\
#include <dlfcn.h>
#include <unistd.h>
int main(int count, char **arguments) {
  dlopen("/opt/vgpu/lib/libvgpu-cuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  dlopen("/opt/vgpu/lib/libvgpu-nvml.so.1", RTLD_NOW | RTLD_GLOBAL);
  return execv(arguments[1], arguments + 1);
}
"""
OLD_BUILD = """\
#define _GNU_SOURCE
#include <dlfcn.h>
int %s(unsigned flags) { return 0; }
extern int own(unsigned flags) __attribute__((alias("%s"), visibility("hidden")));
__attribute__((constructor)) static void take_over(void) {
  if (dlsym(RTLD_DEFAULT, "%s") != (void *)own) *(volatile int *)0 = 0;
}
"""


class Incidents(unittest.TestCase):
    def setUp(self):
        self.host = self.enterContext(machine.Machine("B"))
        # As there: the shims in /usr/lib64, and the runtime's found by path.
        self.host.sh(f"cp -a {machine.SHIMS}/*.so {LIB64}/ && rm -r {machine.SHIMS} && "
                     f"ln -sf {LIB64}/libvgpu-cudart.so {VARIANT}/libcudart.so.12")

    def named(self, part, *expected):
        report = self.host.check()
        self.assertEqual(codes(report, part)[:len(expected)], list(expected), said(report))
        return report

    def expect_healthy(self):
        """`verify` proves it, and `check` says so."""
        self.assertEqual(proof(self.host.verify()), "")
        report = self.host.check()
        self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []), said(report))
        return report

    def test_started_before_its_drop_in(self):
        host = self.host
        host.sh("mkdir -p /var/lib/vgpu && vgpu-run write-tree --output /var/lib/vgpu/root")
        with self.subTest("it runs, and the drop-in comes"):
            self.assertIn("library=cpu", host.restart())
            host.write(DROPIN, environment(LD_PRELOAD=FOUR))
            self.named("root_causes", "VG203")
        with self.subTest("systemd was told, and the service was not restarted"):
            host.reload()
            report = self.named("root_causes", "VG302")
            self.assertEqual(codes(report, "consequences"), ["VG704"], said(report))
            command = report["root_causes"][0]["fix"][0]["command"]
            self.assertEqual(command, f"sudo systemctl restart {SERVICE}")
        with self.subTest("the end state that the incident's notes expect"):
            line = host.restart(reload=False)
            self.assertIn("library=CUDA", line)
            self.assertIn(f"pci_id={ADDRESS}", line)
            pid, = host.show("MainPID")
            self.assertIn(f"LD_PRELOAD={FOUR}", host.read(f"/proc/{pid}/environ").split("\0"))
            maps = host.read(f"/proc/{pid}/maps")
            for shim in FOUR.split(":"):
                self.assertIn(shim, maps)
            seen = host.run("python3", "-c", LOOK, environment={"LD_PRELOAD": FOUR}).stdout
            self.assertEqual(seen.split(), ["0x10de", "0x2331", "0x030200", "0", ADDRESS])
            self.expect_healthy()

    def test_a_listed_shim_is_missing_and_a_wrapper_opens_copies(self):
        host = self.host
        host.sh(f"rm {LIB64}/libvgpu-syscall.so")
        with self.subTest("a missing entry alone crashes nothing"):
            host.write(DROPIN, environment(LD_PRELOAD=FOUR))
            self.assertIn("library=CUDA", host.restart())
            report = host.check()
            self.assertEqual(report["verdict"], "healthy", said(report))
            self.assertIn("VG401", codes(report, "latent"), said(report))
        with self.subTest("the wrapper's copies do"):
            for kind, name in (("cuda", "cuInit"), ("nvml", "nvmlInit_v2")):
                host.library(f"/opt/vgpu/lib/libvgpu-{kind}.so.1", OLD_BUILD % (name, name, name))
            host.program("/usr/local/bin/force_load_shim", WRAPPER)
            host.write(DROPIN, dropin(f'Environment="LD_PRELOAD={FOUR}"', "ExecStart=",
                                      f"ExecStart=/usr/local/bin/force_load_shim {OLLAMA} serve"))
            self.assertEqual(host.restart(), "")
            self.assertIn("status=11/SEGV", host.log())
            report = self.named("root_causes", "VG207")
            self.assertIn("VG307", codes(report, "consequences"), said(report))
            self.assertNotIn("VG401", codes(report, "root_causes"), said(report))
        with self.subTest("repaired, and the log does not reach back to discovery"):
            host.write(DROPIN, environment(
                LD_PRELOAD=preload("exec", "cuda", "nvml", "cudart", directory=LIB64),
                OLLAMA_LIBRARY_PATH=f"{machine.LIBRARIES}:{VARIANT}"))
            host.restart()
            host.sh("journalctl --rotate && journalctl --vacuum-time=1s")
            report = self.named("notes", "VG510", "VG705")
            self.assertEqual((report["verdict"], report["root_causes"]), ("inconclusive", []))
        with self.subTest("what discovery would say is evidence as good"):
            self.assertEqual(proof(host.verify("--output", "/root/probe.json")), "")
            report = host.check("--probe", "/root/probe.json")
            self.assertEqual((report["verdict"], report["root_causes"]), ("healthy", []),
                             said(report))
        with self.subTest("what the report asks for"):
            self.assertIn("library=CUDA", host.restart())
            self.expect_healthy()


if __name__ == "__main__":
    cases.run()
