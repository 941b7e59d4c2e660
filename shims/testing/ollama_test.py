#!/usr/bin/python3 -B
"""The real Ollama, of the era that looks for GPUs in its own process, finds the device."""

import re
import socket
import subprocess
import tempfile
import time

import shims_testing as testing

# Discovery takes a second; a machine that is busy may take its time.
PATIENCE = 60


class Ollama(testing.TestCase):
    def discovered(self, *changes, config=None):
        """The `inference compute` lines of `ollama serve`, {key: value} each, and its log."""
        program = f"{testing.needs_client('ollama')}/bin/ollama"
        home = tempfile.mkdtemp(dir=testing.temporary())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = testing.environment(
            {"HOME": home, "OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODELS": f"{home}/models",
             "OLLAMA_DEBUG": "1"}, *changes, config=config)
        path = f"{home}/log"
        with open(path, "wb") as log:
            with subprocess.Popen([program, "serve"], stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=log, env=environment, cwd=home) as server:
                try:
                    deadline = time.monotonic() + PATIENCE
                    while time.monotonic() < deadline and server.poll() is None:
                        if self.lines(path):
                            break
                        time.sleep(0.1)
                finally:
                    server.terminate()
                    server.wait(30)
        with open(path, encoding="utf-8", errors="replace") as log:
            text = log.read()
        return self.lines(path), text

    @staticmethod
    def lines(path):
        with open(path, encoding="utf-8", errors="replace") as log:
            return [dict((key, value.strip('"')) for key, value in
                         re.findall(r'(\w+)=("[^"]*"|\S*)', line))
                    for line in log if 'msg="inference compute"' in line and line.endswith("\n")]

    def test_it_finds_the_device(self):
        uuid = testing.new_uuid()
        lines, log = self.discovered(config=testing.devices({"uuid": uuid}))
        self.assertEqual(len(lines), 1, log[-3000:])
        (line,) = lines
        self.assertEqual((line["library"], line["name"], line["total"], line["available"]),
                         ("cuda", testing.H100, "80.0 GiB", "80.0 GiB"), log[-3000:])
        self.assertEqual((line["id"], line["compute"], line["driver"]), (uuid, "9.0", "12.8"))

    def test_it_finds_the_device_by_the_id_that_it_said(self):
        uuids = [testing.new_uuid() for _ in range(2)]
        config = testing.devices(*({"uuid": uuid, "profile": "t4"} for uuid in uuids))
        lines, log = self.discovered({"CUDA_VISIBLE_DEVICES": uuids[1]}, config=config)
        self.assertEqual([line["id"] for line in lines], [uuids[1]], log[-3000:])

    def test_it_finds_none_where_all_are_hidden(self):
        lines, log = self.discovered({"CUDA_VISIBLE_DEVICES": "-1"}, config=testing.devices())
        self.assertEqual([line["library"] for line in lines], ["cpu"], log[-3000:])

    def test_a_broken_configuration_is_told(self):
        config = testing.configuration("[[device]]\nprofile = 7\n")
        lines, log = self.discovered({"VGPU_LOG": "error"}, config=config)
        self.assertEqual([line["library"] for line in lines], ["cpu"], log[-3000:])
        told = [line for line in log.splitlines() if line.startswith("level=error lib=libvgpu-")]
        self.assertTrue(told and all(f"file={config} line=2" in line for line in told), log[-3000:])


if __name__ == "__main__":
    testing.run_cases()
