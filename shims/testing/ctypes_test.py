#!/usr/bin/python3 -B
"""The libraries opened by Python's ctypes, by path and by preload: init, count, PCI."""

import json

import shims_testing as testing

PYTHON = "/usr/bin/python3"

NVML = """
import ctypes, json
nvml = ctypes.CDLL("libnvidia-ml.so.1")
class PciInfo(ctypes.Structure):
    _fields_ = [("busIdLegacy", ctypes.c_char * 16), ("domain", ctypes.c_uint),
                ("bus", ctypes.c_uint), ("device", ctypes.c_uint), ("pciDeviceId", ctypes.c_uint),
                ("pciSubSystemId", ctypes.c_uint), ("busId", ctypes.c_char * 32)]
count, handle, pci = ctypes.c_uint(), ctypes.c_void_p(), PciInfo()
results = [nvml.nvmlInit_v2(), nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)),
           nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)),
           nvml.nvmlDeviceGetPciInfo_v3(handle, ctypes.byref(pci))]
print(json.dumps({"results": results, "count": count.value, "pci": pci.busId.decode(),
                  "legacy": pci.busIdLegacy.decode(), "ids": pci.pciDeviceId,
                  "shutdown": nvml.nvmlShutdown()}))
"""

DRIVER = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
count, device = ctypes.c_int(), ctypes.c_int()
pci, name = (ctypes.c_char * 16)(), (ctypes.c_char * 96)()
results = [cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count)),
           cuda.cuDeviceGet(ctypes.byref(device), 0), cuda.cuDeviceGetName(name, 96, device),
           cuda.cuDeviceGetPCIBusId(pci, 16, device)]
print(json.dumps({"results": results, "count": count.value, "pci": pci.value.decode(),
                  "name": name.value.decode()}))
"""

RUNTIME = """
import ctypes, json
runtime = ctypes.CDLL("libcudart.so.%d")
count, pci, version = ctypes.c_int(), (ctypes.c_char * 16)(), ctypes.c_int()
results = [runtime.cudaGetDeviceCount(ctypes.byref(count)),
           runtime.cudaDeviceGetPCIBusId(pci, 16, 0),
           runtime.cudaRuntimeGetVersion(ctypes.byref(version))]
print(json.dumps({"results": results, "count": count.value, "pci": pci.value.decode(),
                  "major": version.value // 1000}))
"""

# The ways in which Python comes to the library.
WAYS = {"path": (), "preload": testing.PRELOADED, "preload of both": testing.ALL_PRELOADED}


class Ctypes(testing.TestCase):
    def ask(self, script, preload):
        outcome = testing.run([PYTHON, "-c", script], preload=preload,
                              config=testing.devices(driver=testing.NEW_DRIVER))
        self.assertEqual((outcome.status, outcome.err), (0, ""))
        return json.loads(outcome.out)

    def test_nvml(self):
        for way, preload in WAYS.items():
            with self.subTest(way):
                self.assertEqual(self.ask(NVML, preload), {
                    "results": [0, 0, 0, 0], "count": 1, "pci": "00000000:00:05.0",
                    "legacy": "0000:00:05.0", "ids": 0x233110DE, "shutdown": 0})

    def test_the_driver(self):
        for way, preload in WAYS.items():
            with self.subTest(way):
                self.assertEqual(self.ask(DRIVER, preload), {
                    "results": [0] * 5, "count": 1, "pci": "0000:00:05.0", "name": testing.H100})

    def test_the_runtimes(self):
        for major in (12, 13):
            for way, preload in WAYS.items():
                if way == "preload" and major == 13:
                    preload = (*preload[:2], "libvgpu-cudart13.so")
                with self.subTest(way, major=major):
                    self.assertEqual(self.ask(RUNTIME % major, preload), {
                        "results": [0, 0, 0], "count": 1, "pci": "0000:00:05.0", "major": major})


if __name__ == "__main__":
    testing.run_cases()
