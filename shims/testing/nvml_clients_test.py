#!/usr/bin/python3 -B
"""Programs in Python that read NVML: nvidia-ml-py, nvitop, gpustat, py3nvml."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import shims_testing as testing

PYTHON = "/usr/bin/python3"
MIB = 1 << 20

# Answers that are neither a value nor NotSupported, and why a device of its kind gives them.
OTHER_ANSWERS = {
    # Nothing has this serial number; there is no unit, excluded device, partition, and no
    # accounting or sample of a process.
    "nvmlDeviceGetHandleBySerial": {"NVMLError_NotFound", "NVMLError_InvalidArgument"},
    "nvmlGetExcludedDeviceInfoByIndex": {"NVMLError_InvalidArgument"},
    "nvmlDeviceGetMigDeviceHandleByIndex": {"NVMLError_NotFound"},
    "nvmlDeviceGetAccountingStats": {"NVMLError_NotFound"},
    "nvmlDeviceGetAccountingStats_v2": {"NVMLError_NotFound"},
    "nvmlDeviceGetProcessUtilization": {"NVMLError_NotFound"},
    "nvmlDeviceGetProcessesUtilizationInfo": {"NVMLError_NotFound"},
    "nvmlDeviceGetSamples": {"NVMLError_NotFound"},
    "nvmlUnitGetHandleByIndex": {"NVMLError_InvalidArgument"},
}
# What is said of a thing that there is not.
OF_NOTHING = {"NVMLError_InvalidArgument", "NVMLError_NotSupported", "NVMLError_NotFound",
              # pynvml looks into the structure itself.
              "AttributeError", "TypeError", "ArgumentError"}


class Clients(testing.TestCase):
    def setUp(self):
        super().setUp()
        self.packages = testing.needs_client("python")
        self.uuid = testing.new_uuid()
        self.config = testing.devices({"uuid": self.uuid})

    def python(self, *words, config=None, **changes):
        """Runs Python with the clients' packages; it ends well and says nothing of an error."""
        outcome = testing.run([PYTHON, *words], {"PYTHONPATH": self.packages,
                                                 "HOME": testing.temporary()} | changes,
                              config=config or self.config)
        self.assertEqual(outcome.status, 0, outcome.err[-3000:])
        self.assertNotIn("Traceback", outcome.err + outcome.out)
        return outcome

    def holder(self, mib):
        """A process that holds memory of the device, to be used with `with`."""
        program = testing.compile_c("shims/testing/hold_memory.c", "hold_memory", "-ldl")
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [program, str(mib * MIB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=testing.environment(config=self.config))
        self.addCleanup(process.communicate, timeout=30)
        self.assertEqual(process.stdout.readline(), b"held\n")
        return process

    def queries(self, module):
        """Asks for everything that a binding can ask for. Returns {function: what was said} when
        every answer is a value, or one of those that stand above."""
        config = testing.devices({"uuid": self.uuid}, {})
        outcome = self.python("-B", "shims/testing/pynvml_queries.py", self.packages, module,
                              config=config)
        said = {}
        for line in outcome.out.splitlines():
            if line.startswith("query "):
                answer = json.loads(line.removeprefix("query "))
                said[answer["function"]] = answer
        unexpected = []
        for name, of in said.items():
            error = of.get("error")
            if of["nothing"]:
                if error not in OF_NOTHING:
                    unexpected.append(f"{name} of nothing: {error or of['answer']}")
            elif error not in {None, "NVMLError_NotSupported", *OTHER_ANSWERS.get(name, ())}:
                unexpected.append(f"{name}: {error}: {of['message']}")
        values = sum("answer" in of for of in said.values())
        nothing = sum(of["nothing"] for of in said.values())
        print(f"{module}: {len(said)} queries: {values} values, {len(said) - values - nothing} "
              f"other answers, {nothing} of what there is not")
        self.assertEqual(unexpected, [])
        answers = {name: of.get("answer") for name, of in said.items()}
        self.assertEqual(answers["nvmlDeviceGetName"], testing.H100)
        self.assertEqual(answers["nvmlDeviceGetUUID"], self.uuid)
        self.assertEqual(answers["nvmlDeviceGetMemoryInfo"],
                         {"total": 81920 * MIB, "free": 81920 * MIB, "used": 0})
        return said, values

    def test_every_query_of_nvidia_ml_py(self):
        said, values = self.queries("pynvml")
        self.assertGreater(len(said), 300)
        self.assertGreater(values, 100)

    def test_every_query_of_py3nvml(self):
        said, values = self.queries("py3nvml.py3nvml")
        self.assertGreater(len(said), 80)
        self.assertGreater(values, 50)

    def test_the_sample_program_of_nvidia_ml_py(self):
        outcome = self.python(f"{self.packages}/example.py")
        report = ElementTree.fromstring(f"<all>{outcome.out}</all>")
        (device,) = report.iter("gpu")
        self.assertEqual(device.get("id"), "00000000:00:05.0")
        self.assertEqual(device.findtext("product_name"), testing.H100)
        self.assertEqual(device.findtext("uuid"), self.uuid)
        self.assertEqual(report.findtext("attached_gpus"), "1")

    def test_nvitop_once(self):
        holder = self.holder(2048)
        outcome = self.python("-m", "nvitop", "--once", "--ascii", TERM="dumb", COLUMNS="120")
        self.assertIn("H100 80GB HBM3", outcome.out)
        self.assertIn("2048MiB / 80.00GiB", outcome.out)
        self.assertRegex(outcome.out, rf"\b{holder.pid}\b.* 2048MiB ")

    def test_nvitop_in_a_terminal(self):
        def limits():
            os.environ.clear()
            os.environ.update(testing.environment(
                {"PYTHONPATH": self.packages, "HOME": testing.temporary(), "TERM": "xterm",
                 "COLUMNS": "120", "LINES": "50"}, config=self.config))
        self.holder(512)
        pid, terminal = pty.fork()
        if pid == 0:
            limits()
            os.execv(PYTHON, [PYTHON, "-m", "nvitop", "--monitor", "full", "--ascii"])
        shown = b""
        deadline = time.monotonic() + 30
        asked_to_end = False
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.5)[0]:
                if shown and not asked_to_end:
                    os.write(terminal, b"q")
                    asked_to_end = True
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the other side has ended
                break
            if not data:
                break
            shown += data
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b" ", shown).decode("utf-8", "replace")
        self.assertEqual(status, 0, text[-2000:])
        self.assertNotIn("Traceback", text)
        self.assertIn("80.00GiB", text)

    def test_the_classes_of_nvitop(self):
        outcome = self.python("-c", """
import json, nvitop
snapshots = []
for device in nvitop.Device.all():
    snapshot = device.as_snapshot()
    snapshots.append({"name": device.name(), "uuid": device.uuid(), "total": device.memory_total(),
                      "compute": device.cuda_compute_capability(), "pci": device.bus_id(),
                      "keys": len(vars(snapshot))})
cuda = [{"name": of.name(), "uuid": of.uuid()} for of in nvitop.CudaDevice.all()]
print(json.dumps({"nvml": snapshots, "cuda": cuda,
                  "visible": nvitop.Device.parse_cuda_visible_devices()}))
""")
        said = json.loads(outcome.out)
        (device,) = said["nvml"]
        self.assertGreater(device.pop("keys"), 30)
        self.assertEqual(device, {"name": testing.H100, "uuid": self.uuid, "total": 81920 * MIB,
                                  "compute": [9, 0], "pci": "00000000:00:05.0"})
        self.assertEqual(said["cuda"], [{"name": testing.H100, "uuid": self.uuid}])
        self.assertEqual(said["visible"], [0])

    def test_gpustat(self):
        holder = self.holder(1024)
        outcome = self.python("-m", "gpustat", "--json")
        (device,) = json.loads(outcome.out)["gpus"]
        self.assertEqual((device["name"], device["uuid"]), (testing.H100, self.uuid))
        self.assertEqual((device["memory.total"], device["memory.used"]), (81920, 1024))
        self.assertEqual([(of["pid"], of["gpu_memory_usage"]) for of in device["processes"]],
                         [(holder.pid, 1024)])
        for reading in ("temperature.gpu", "power.draw", "enforced.power.limit"):
            self.assertGreater(device[reading], 0, reading)
        outcome = self.python("-m", "gpustat", "--no-color", "--show-all", TERM="dumb")
        self.assertIn(testing.H100, outcome.out)
        self.assertRegex(outcome.out, r"1024 / 81920 MB")
        self.assertNotIn("not supported", outcome.out.lower())

    def test_the_table_of_py3nvml(self):
        holder = self.holder(3072)
        for full in ((), ("--full",)):
            outcome = self.python(f"{self.packages}/bin/py3smi", *full)
            self.assertIn("3072MiB / 81920MiB", outcome.out)
            self.assertIn(str(holder.pid), outcome.out)


if __name__ == "__main__":
    testing.run_cases()
