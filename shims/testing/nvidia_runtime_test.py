#!/usr/bin/python3 -B
"""NVIDIA's own runtime over the shims' driver: it checks whose driver it has, and that check is
not answered. It fails with an error of CUDA, and one line says what to do."""

import json

import shims_testing as testing

COUNT = """
import ctypes, json, sys
runtime = ctypes.CDLL(sys.argv[1])
runtime.cudaGetErrorName.restype = ctypes.c_char_p
count, memory = ctypes.c_int(-1), ctypes.c_void_p()
results = [runtime.cudaGetDeviceCount(ctypes.byref(count)),
           runtime.cudaMalloc(ctypes.byref(memory), 4096)]
print(json.dumps({"count": count.value,
                  "errors": [runtime.cudaGetErrorName(of).decode() for of in results]}))
"""


class NvidiaRuntime(testing.TestCase):
    def test_it_fails_and_one_line_says_why(self):
        headers = testing.needs_client("headers")
        for library in ("cuda_runtime/lib/libcudart.so.12", "cu13/lib/libcudart.so.13"):
            with self.subTest(library):
                outcome = testing.run(
                    ["/usr/bin/python3", "-c", COUNT, f"{headers}/nvidia/{library}"],
                    {"VGPU_LOG": "error"}, config=testing.devices(driver=testing.NEW_DRIVER))
                self.assertEqual(outcome.status, 0, outcome.err)
                said = json.loads(outcome.out)
                self.assertNotIn("cudaSuccess", said["errors"])
                lines = outcome.err.splitlines()
                self.assertTrue(lines, said)
                for line in lines:
                    self.assertIn('level=error lib=libvgpu-cuda '
                                  'msg="NVIDIA\'s own CUDA runtime is loaded"', line)
                    self.assertIn("libvgpu-cudart.so", line)


if __name__ == "__main__":
    testing.run_cases()
