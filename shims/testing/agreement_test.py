#!/usr/bin/python3 -B
"""Every API says the same of the same device.

The readers (shims/testing/readers) are programs that are compiled with NVIDIA's own headers
and linked with the shims as any program is: what they are told is what a program is told.
The files of sysfs and procfs are read as they stand. Every pair of ways is compared on every
fact that both report.

    bazel run //shims/testing:agreement_test     prints how much was compared
"""

import itertools
import os
import re
import subprocess
import tempfile

import shims_testing as testing

PROFILES = ("h100-80gb-hbm3", "h200-141gb", "a100-80gb", "l40s", "t4", "b200")

# API: source, folder of NVIDIA's headers, library that it is linked with, arguments.
READERS = {
    "driver, 12": ("read_driver", "cuda_runtime", "libcuda.so.1"),
    "driver, 13": ("read_driver", "cu13", "libcuda.so.1"),
    "runtime 12, calls": ("read_runtime", "cuda_runtime", "libcudart.so.12", "calls"),
    "runtime 12, properties": ("read_runtime", "cuda_runtime", "libcudart.so.12", "properties"),
    "runtime 13, calls": ("read_runtime", "cu13", "libcudart.so.13", "calls"),
    "runtime 13, properties": ("read_runtime", "cu13", "libcudart.so.13", "properties"),
    "NVML, 12": ("read_nvml", "nvml_dev", "libnvidia-ml.so.1"),
    "NVML, 13": ("read_nvml", "cu13", "libnvidia-ml.so.1"),
}
RUNTIME_13 = [api for api in READERS if api.startswith("runtime 13")]
CUDA = [api for api in READERS if not api.startswith("NVML")]

FILES = "sysfs and procfs"

# What every API says of a device, and all of them and the files, so that no comparison is one of
# nothing.
BY_ALL_CALLS = {"memory_total_bytes", "compute_capability", "memory_bus_bits", "ecc"}
BY_ALL = {"pci_domain_bus_slot"}
# What changes while other programs use the devices.
IN_USE = {"memory_free_bytes", "memory_used_bytes"}

MIB = 1 << 20


def program(api):
    """Compiles the reader of an API, once."""
    source, headers, library, *_ = READERS[api]
    path = os.path.join(testing.temporary(), f"{source}-{headers}")
    if not os.path.exists(path):
        root = testing.needs_client("headers")
        testing.compile_c(
            f"shims/testing/readers/{source}.c", f"{source}-{headers}",
            "-isystem", "shims/testing/nvidia_headers",
            "-isystem", f"{root}/nvidia/{headers}/include",
            # The runtime needs the driver only when it is called.
            "-L", testing.installed(), f"-l:{library}", "-Wl,--allow-shlib-undefined")
    return path


def ask(api, *changes, config):
    """Runs the reader of an API: its Outcome."""
    return testing.run([program(api), *READERS[api][3:]], *changes, config=config)


def read(api, *changes, config):
    """{(device's UUID or "-", key): value} as an API says it."""
    outcome = ask(api, *changes, config=config)
    if outcome.status != 0:
        raise AssertionError(f"{api}: exit status {outcome.status}: {outcome.err}")
    facts = {}
    for line in outcome.out.splitlines():
        device, key, value = line.split("\t")
        facts[device, key] = value
    return facts


def read_files(config):
    """The same of the synthetic tree, of which every device is a directory of sysfs."""
    root = tempfile.mkdtemp(dir=testing.temporary())
    made = testing.run(["shims/testing/write_tree", f"{root}/tree"], config=config)
    if made.status != 0:
        raise AssertionError(f"write_tree: {made.err}")

    def text(path):
        with open(f"{root}/tree/{path}", encoding="utf-8") as file:
            return file.read().strip()

    version = re.search(r"Module +(\S+)", text("proc/driver/nvidia/version")).group(1)
    facts = {("-", "driver_version"): version}
    for address in os.listdir(f"{root}/tree/sys/bus/pci/devices"):
        information = dict(re.findall(r"^([^:]+):\s*(.*?)\s*$", text(
            f"proc/driver/nvidia/gpus/{address}/information"), re.M))

        def number(name, directory=f"sys/bus/pci/devices/{address}"):
            return int(text(f"{directory}/{name}"), 16)

        uuid = information["GPU UUID"]
        # The kernel writes an address in lower case, NVIDIA's libraries in upper.
        facts |= {
            (uuid, "name"): information["Model"],
            (uuid, "pci"): address.upper(),
            (uuid, "pci_domain_bus_slot"): address.split(".", maxsplit=1)[0],
            (uuid, "pci_ids"): f"{number('vendor'):04x}:{number('device'):04x}",
            (uuid, "pci_subsystem_ids"):
                f"{number('subsystem_vendor'):04x}:{number('subsystem_device'):04x}",
        }
    return facts


def devices(facts):
    return sorted({device for device, _ in facts if device != "-"})


class Agreement(testing.TestCase):
    compared = 0

    @staticmethod
    def devices(*entries):
        """A configuration that programs for CUDA 13 run on, too."""
        return testing.devices(*entries, driver=testing.NEW_DRIVER)

    def agree(self, *changes, config, apis=tuple(READERS), but=frozenset()):
        """Asks every API and compares every pair of them, but for the keys `but`. Returns what
        each said."""
        said = {api: read(api, *changes, config=config) for api in apis}
        said[FILES] = read_files(config)
        differences = []
        for one, other in itertools.combinations(said, 2):
            both = [fact for fact in said[one].keys() & said[other].keys() if fact[1] not in but]
            for device, key in sorted(both):
                if said[one][device, key] != said[other][device, key]:
                    differences.append(f"{device} {key}: {one} says {said[one][device, key]}, "
                                       f"{other} says {said[other][device, key]}")
            Agreement.compared += len(both)
            for device in set(devices(said[one])) & set(devices(said[other])):
                self.assertLessEqual(BY_ALL if FILES in (one, other) else BY_ALL_CALLS,
                                     {key for of, key in both if of == device},
                                     f"{one} and {other} have too little in common")
        self.assertEqual(differences, [])
        for api in apis:
            for (_, key), value in said[api].items():
                if key.startswith("found_by_"):
                    self.assertEqual(value, "1", f"{api}: {key}")
        return said

    def all_see(self, said, uuids):
        for api, facts in said.items():
            self.assertEqual(devices(facts), sorted(uuids), api)

    def test_without_a_configuration(self):
        if os.path.exists("/etc/vgpu/devices.toml"):
            self.skipTest("this machine has an /etc/vgpu/devices.toml of its own")
        # What other programs of the machine hold of its device may change meanwhile.
        # A runtime of CUDA 13 needs a newer driver than that of the default.
        apis = [api for api in READERS if api not in RUNTIME_13]
        said = self.agree(config=None, but=IN_USE, apis=apis)
        for api in RUNTIME_13:
            outcome = ask(api, config=None)
            # cudaErrorInsufficientDriver (driver_types.h)
            self.assertEqual((outcome.status, outcome.err), (1, "counted: 35\n"), api)
        for api, facts in said.items():
            (uuid,) = devices(facts)
            for key, value in {
                    "memory_total_bytes": str(81920 * MIB), "compute_capability": "9.0",
                    "name": testing.H100, "pci": "0000:00:05.0", "pci_ids": "10de:2331"}.items():
                self.assertEqual(facts.get((uuid, key), value), value, f"{api}: {key}")

    def test_every_profile(self):
        for profile in PROFILES:
            with self.subTest(profile):
                uuid = testing.new_uuid()
                said = self.agree(config=self.devices({"profile": profile, "uuid": uuid}))
                self.all_see(said, [uuid])
                cores = int(said["NVML, 12"][uuid, "cores"])
                multiprocessors = int(said["driver, 12"][uuid, "attribute 16"])
                # CUDA C++ Programming Guide, "Arithmetic Instructions": FP32 lanes of one.
                self.assertIn(cores / multiprocessors, (64, 128))

    def test_three_devices_with_values_of_their_own(self):
        uuids = [testing.new_uuid() for _ in range(3)]
        config = self.devices(
            {"uuid": uuids[0], "pci_address": "0000:41:00.0", "name": "Virtual One",
             "memory_mib": 4096, "compute_capability": "8.6", "pci_device_id": 0x1234},
            {"uuid": uuids[1], "pci_address": "0000:07:00.0", "profile": "t4"},
            {"uuid": uuids[2], "pci_address": "0002:00:1f.0", "profile": "b200",
             "memory_mib": 1000})
        said = self.agree(config=config)
        self.all_see(said, uuids)
        for api, facts in said.items():
            for fact, value in {
                    (uuids[0], "memory_total_bytes"): str(4096 * MIB),
                    (uuids[2], "memory_total_bytes"): str(1000 * MIB),
                    (uuids[0], "compute_capability"): "8.6", (uuids[0], "name"): "Virtual One",
                    (uuids[0], "pci_ids"): "10de:1234", (uuids[2], "pci"): "0002:00:1F.0",
                    ("-", "cuda_driver_version"): "13000",
                    ("-", "driver_version"): "580.65.06"}.items():
                self.assertEqual(facts.get(fact, value), value, f"{api}: {fact}")

    def test_sixteen_devices(self):
        uuids = [testing.new_uuid() for _ in range(16)]
        said = self.agree(config=self.devices(*({"uuid": uuid} for uuid in uuids)))
        self.all_see(said, uuids)

    def test_memory_that_another_process_holds(self):
        uuid = testing.new_uuid()
        config = self.devices({"uuid": uuid})
        holder = testing.compile_c("shims/testing/hold_memory.c", "hold_memory", "-ldl")
        for mib in (1, 1024):
            with subprocess.Popen([holder, str(mib * MIB)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  env=testing.environment(config=config)) as process:
                self.assertEqual(process.stdout.readline(), b"held\n")
                said = self.agree(config=config)
                process.communicate(b"", timeout=30)
            self.assertEqual(process.returncode, 0)
            for api, facts in said.items():
                self.assertEqual(facts.get((uuid, "memory_used_bytes"), str(mib * MIB)),
                                 str(mib * MIB), api)
        # It is gone, and so is what it held.
        for api, facts in self.agree(config=config).items():
            self.assertEqual(facts.get((uuid, "memory_used_bytes"), "0"), "0", api)

    def test_memory_of_a_process_that_was_killed(self):
        uuid = testing.new_uuid()
        config = self.devices({"uuid": uuid})
        holder = testing.compile_c("shims/testing/hold_memory.c", "hold_memory", "-ldl")
        with subprocess.Popen([holder, str(64 * MIB)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              env=testing.environment(config=config)) as process:
            self.assertEqual(process.stdout.readline(), b"held\n")
            process.kill()
            process.wait(30)
        for api, facts in self.agree(config=config).items():
            self.assertEqual(facts.get((uuid, "memory_used_bytes"), "0"), "0", api)

    def test_visible_devices(self):
        uuids = [testing.new_uuid() for _ in range(3)]
        config = self.devices(
            *({"uuid": uuid, "pci_address": f"0000:{5 + at:02x}:00.0"}
              for at, uuid in enumerate(uuids)))
        cases = {
            "0,1,2": uuids, "1": uuids[1:2], "2,0": [uuids[2], uuids[0]], "": [], "-1": [],
            "1,-1,0": uuids[1:2], "0,7,1": uuids[:1], "1,1": [], "nonsense": [],
            uuids[2]: uuids[2:], f"{uuids[1]},{uuids[0]}": [uuids[1], uuids[0]],
            uuids[1][:16]: uuids[1:2], testing.new_uuid(): [],
        }
        for value, visible in cases.items():
            with self.subTest(CUDA_VISIBLE_DEVICES=value):
                variable = {"CUDA_VISIBLE_DEVICES": value, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
                if visible:
                    said = self.agree(variable, config=config)
                    for api in CUDA:
                        self.assertEqual(devices(said[api]), sorted(visible), api)
                        for ordinal, uuid in enumerate(visible):
                            self.assertEqual(said[api][uuid, "ordinal"], str(ordinal), api)
                # NVML looks at neither variable.
                for api in set(READERS) - set(CUDA):
                    self.assertEqual(devices(read(api, variable, config=config)), sorted(uuids),
                                     api)

    def test_no_device_is_left(self):
        config = self.devices()
        for value in ("", "-1"):
            for api in CUDA:
                outcome = ask(api, {"CUDA_VISIBLE_DEVICES": value}, config=config)
                if api.startswith("driver"):
                    # CUDA_ERROR_NO_DEVICE of cuInit, as a machine without a GPU.
                    self.assertEqual((outcome.status, outcome.err.split(": ")[0::1][-1].strip()),
                                     (1, "100"), f"{api}: {outcome}")
                else:
                    self.assertEqual((outcome.status, "-\tcuda_devices\t0\n" in outcome.out),
                                     (0, True), f"{api}: {outcome}")

    def test_a_device_is_found_by_the_uuid_that_was_told(self):
        # Ollama's second look at a device selects it so.
        config = self.devices({"profile": "t4"}, {"profile": "a100-80gb"})
        for api in READERS:
            for uuid in devices(read(api, config=config)):
                for asked in CUDA:
                    facts = read(asked, {"CUDA_VISIBLE_DEVICES": uuid}, config=config)
                    self.assertEqual(devices(facts), [uuid], f"told by {api}, asked {asked}")

    def test_the_order_of_devices(self):
        slow, fast = testing.new_uuid(), testing.new_uuid()
        config = self.devices(
            {"uuid": slow, "profile": "t4", "pci_address": "0000:05:00.0"},
            {"uuid": fast, "profile": "h100-80gb-hbm3", "pci_address": "0000:06:00.0"})
        for order, first in (("PCI_BUS_ID", slow), ("FASTEST_FIRST", fast)):
            said = self.agree({"CUDA_DEVICE_ORDER": order}, config=config)
            for api in CUDA:
                self.assertEqual(said[api][first, "ordinal"], "0", f"{api}: {order}")


class BrokenConfiguration(testing.TestCase):
    """The first call fails with the API's own error, and one line says why."""

    # Call that fails first, and its code: CUDA_ERROR_SYSTEM_NOT_READY (cuda.h),
    # cudaErrorSystemNotReady (driver_types.h), NVML_ERROR_DRIVER_NOT_LOADED (nvml.h).
    ERRORS = {"driver": "cuInit(0): 802", "runtime": "counted: 802", "NVML": "nvmlInit(): 9"}

    def fails(self, config, *wanted):
        """Every API's error, and the one line with all of `wanted` where lines are asked for."""
        for api in READERS:
            error = self.ERRORS[api.split()[0].rstrip(",")]
            silent = ask(api, config=config)
            self.assertEqual((silent.status, silent.out, silent.err), (1, "", error + "\n"), api)
            told = ask(api, {"VGPU_LOG": "error"}, config=config)
            self.assertEqual((told.status, told.out), (1, ""), api)
            lines = told.err.splitlines()
            self.assertIn(error, lines, api)
            lines.remove(error)
            self.assertEqual(len(lines), 1, f"{api}: {told.err}")
            for text in ("level=error lib=libvgpu-", "configuration rejected", *wanted):
                self.assertIn(text, lines[0], api)

    def test_it_is_no_toml(self):
        config = testing.configuration("[[device]]\n\nprofile = t4\n")
        self.fails(config, f"file={config}", "line=3", "reason=")

    def test_an_unknown_profile(self):
        config = testing.configuration('[[device]]\nprofile = "h900"\n')
        self.fails(config, f"file={config}", "line=2", "h900")

    def test_two_devices_at_one_address(self):
        config = testing.configuration('[[device]]\npci_address = "0000:05:00.0"\n' * 2)
        self.fails(config, f"file={config}", "line=4", "pci_address: the device of line 1 has it")

    def test_too_many_devices(self):
        self.fails(testing.configuration("[[device]]\n" * 17), "line=17", "16")

    def test_the_file_that_is_named_is_not_there(self):
        config = os.path.join(testing.temporary(), "no-such-file.toml")
        self.fails(config, f"file={config}", "No such file")

    def test_a_directory_in_its_place(self):
        config = tempfile.mkdtemp(dir=testing.temporary())
        self.fails(config, f"file={config}", "reason=")

    def test_a_pipe_that_nobody_writes(self):
        config = os.path.join(tempfile.mkdtemp(dir=testing.temporary()), "pipe")
        os.mkfifo(config)
        self.fails(config, f"file={config}", "reason=")

    def test_noise(self):
        path = testing.configuration("")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * 4)
        self.fails(path, f"file={path}", "reason=")


def tearDownModule():
    print(f"{Agreement.compared} values compared, of {len(READERS)} readers and the files")


if __name__ == "__main__":
    testing.run_cases()
