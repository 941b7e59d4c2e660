#!/usr/bin/python3 -B
"""hashcat, of Debian: it reads the driver and NVML, and opens them by names of its own."""

import re

import shims_testing as testing


class Hashcat(testing.TestCase):
    def information(self, *entries):
        """What `hashcat -I` says of the devices of CUDA: [{key: value}]."""
        testing.needs_program("hashcat")
        testing.compile_c("shims/testing/nvrtc_stand_in.c", "libnvrtc.so", "-shared", "-fPIC")
        # It compiles OpenCL kernels for the processor into its home, and wants to write there.
        outcome = testing.run(
            ["hashcat", "-I"],
            {"HOME": testing.temporary(),
             "LD_LIBRARY_PATH": f"{testing.installed()}:{testing.temporary()}"},
            timeout=120, config=testing.devices(*entries))
        self.assertEqual(outcome.status, 0, outcome.err)
        self.assertIn("CUDA Info:", outcome.out, outcome.err)
        self.assertNotIn("missing from CUDA", outcome.out + outcome.err)
        self.assertNotIn("missing from NVML", outcome.out + outcome.err)
        cuda = outcome.out.split("CUDA Info:")[1].split("OpenCL Info:")[0]
        return [dict(re.findall(r"^ +([\w./()]+?)\.*: (.*)$", device, re.M))
                for device in cuda.split("Backend Device ID #")[1:]]

    def test_it_shows_the_device(self):
        (device,) = self.information()
        self.assertEqual(device["Name"], testing.H100)
        self.assertEqual(device["Processor(s)"], "132")
        self.assertEqual(device["Memory.Total"], "81920 MB")
        self.assertEqual(device["Memory.Free"], "81920 MB")
        # The low bits of the device's number are a function to hashcat 6.2.6.
        self.assertEqual(device["PCI.Addr.BDFe"], "0000:00:00.5")

    def test_it_shows_three_devices(self):
        devices = self.information({"profile": "t4"}, {"profile": "a100-80gb"},
                                   {"name": "Virtual One", "memory_mib": 1024})
        self.assertEqual(sorted((of["Name"], of["Memory.Total"]) for of in devices),
                         [("NVIDIA A100-SXM4-80GB", "81920 MB"), ("Tesla T4", "15360 MB"),
                          ("Virtual One", "1024 MB")])


if __name__ == "__main__":
    testing.run_cases()
