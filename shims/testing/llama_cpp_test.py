#!/usr/bin/python3 -B
"""llama.cpp's prebuilt CUDA backends, as node-llama-cpp brings them: for CUDA 12 and for 13.

They need cuBLAS too, of which NVIDIA's own cannot work here (it holds a runtime of its own);
shims/testing/cublas_stand_in takes its place, and computes nothing."""

import json
import os
import shutil
import tempfile

import shims_testing as testing

MIB = 1 << 20
PYTHON = "/usr/bin/python3"

GET_LLAMA = """
import {getLlama} from "node-llama-cpp";
const llama = await getLlama({gpu: "cuda", build: "never", skipDownload: true});
console.log(JSON.stringify({gpu: llama.gpu, names: await llama.getGpuDeviceNames(),
                            vram: await llama.getVramState()}));
process.exit(0);
"""


class LlamaCpp(testing.TestCase):
    def setUp(self):
        super().setUp()
        self.packages = testing.needs_client("node")
        self.modules = f"{self.packages}/node_modules"
        self.node = f"{self.packages}/node/bin/node"

    def libraries(self, major):
        """A directory with what a machine has for one major version of CUDA: the shims but for
        the other version's runtime, and cuBLAS."""
        directory = os.path.join(testing.temporary(), f"cuda{major}")
        if not os.path.isdir(directory):
            shutil.copytree(testing.installed(), directory, symlinks=True)
            os.remove(f"{directory}/libcudart.so.{25 - major}")
            # node-llama-cpp looks for the file of cuBLASLt too, and nobody opens it.
            for name in ("cublas", "cublasLt"):
                shutil.copyfile(
                    f"shims/testing/cublas_stand_in/libcublas-stand-in{major}.so",
                    f"{directory}/lib{name}.so.{major}")
        return directory

    def run_with(self, major, command, *changes, **options):
        return testing.run(command, {"LD_LIBRARY_PATH": self.libraries(major),
                                     "HOME": testing.temporary()}, *changes, **options)

    def test_the_backend_allocates_and_copies(self):
        common = f"{self.modules}/@node-llama-cpp/linux-x64-cuda/bins/linux-x64-cuda"
        backends = {
            12: f"{self.modules}/@node-llama-cpp/linux-x64-cuda-ext/bins/linux-x64-cuda/fallback",
            13: common,
        }
        for major, directory in backends.items():
            for count in (1, 2):
                with self.subTest(cuda=major, devices=count):
                    library = f"{directory}/libggml-cuda.so"
                    outcome = self.run_with(
                        major, [PYTHON, "-B", "shims/testing/ggml_client.py", common, library],
                        {"LD_LIBRARY_PATH": f"{self.libraries(major)}:{common}"},
                        config=testing.devices(*[{}] * count, driver=testing.NEW_DRIVER))
                    self.assertEqual(outcome.status, 0, outcome.err[-2000:])
                    said = json.loads(outcome.out)
                    self.assertEqual(said["backend"], "CUDA")
                    self.assertEqual([of["name"] for of in said["devices"]],
                                     [f"CUDA{index}" for index in range(count)])
                    for device in said["devices"]:
                        self.assertEqual(device["description"], testing.H100)
                        self.assertEqual(device["total"], 81920 * MIB)
                        self.assertEqual(device["free"], 81920 * MIB)
                        self.assertGreaterEqual(device["buffer"], 64 * MIB)
                        self.assertEqual(device["held"], device["buffer"])
                        self.assertEqual(device["free after"], device["free"])
                        self.assertEqual(set(device["copies"].values()), {True}, device["copies"])

    def test_get_llama(self):
        # A file, because the library starts itself again, with the same options of Node.
        directory = tempfile.mkdtemp(dir=testing.temporary())
        os.symlink(self.modules, f"{directory}/node_modules")
        with open(f"{directory}/get_llama.mjs", "w", encoding="utf-8") as file:
            file.write(GET_LLAMA)
        for major in (12, 13):
            with self.subTest(cuda=major):
                outcome = self.run_with(
                    major, [self.node, f"{directory}/get_llama.mjs"], cwd=directory,
                    config=testing.devices(driver=testing.NEW_DRIVER))
                self.assertEqual(outcome.status, 0, outcome.err[-2000:] + outcome.out[-2000:])
                said = json.loads(outcome.out.splitlines()[-1])
                self.assertEqual((said["gpu"], said["names"]), ("cuda", [testing.H100]))
                self.assertEqual(said["vram"]["total"], 81920 * MIB)
                self.assertEqual(said["vram"]["free"], 81920 * MIB)

    def test_inspect_gpu(self):
        for major in (12, 13):
            with self.subTest(cuda=major):
                outcome = self.run_with(
                    major,
                    [self.node, f"{self.modules}/node-llama-cpp/dist/cli/cli.js", "inspect", "gpu"],
                    cwd=self.packages, config=testing.devices(driver=testing.NEW_DRIVER))
                self.assertEqual(outcome.status, 0, outcome.err[-2000:])
                shown = outcome.out
                self.assertRegex(shown, r"CUDA: available")
                self.assertRegex(shown, rf"CUDA device: {testing.H100}")
                self.assertRegex(shown, r"free VRAM: .*80GB")


if __name__ == "__main__":
    testing.run_cases()
