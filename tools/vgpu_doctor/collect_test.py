#!/usr/bin/python3 -B
"""Captures of two machines are collected and judged together, by the line for ssh that README has
and by the Ansible playbook that the package ships. The machines are containers with a cable between
them; the first one is where a person sits too."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import real_systemd  # noqa: E402

PLAYBOOK = "tools/vgpu_doctor/fleet/collect.yml"
SCHEMA = "diag/report/fleet.schema.json"
HOSTS = {"gpu-1": "10.99.0.1", "gpu-2": "10.99.0.2"}

# Ollama's place has a shell that goes by its name.
UNIT = """\
[Service]
ExecStart=/usr/local/bin/ollama -c "while :; do sleep 1000; done"
Environment=LD_PRELOAD=/opt/vgpu/libvgpu-cuda.so
"""

INVENTORY = "[gpus]\ngpu-1\ngpu-2\n"


class Collect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.one = cls.enterClassContext(real_systemd.RealSystemd())
        cls.two = cls.enterClassContext(real_systemd.RealSystemd())
        cls.one.connect(cls.two, *HOSTS.values())
        # Without its symbols, as it is packaged: Ansible sends it over the wire.
        cls.doctor = os.path.join(tempfile.mkdtemp(dir=testing.temporary()), "vgpu-doctor")
        subprocess.run(["strip", "-o", cls.doctor, testing.DOCTOR], check=True)
        cls.one.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
        key = cls.one.read("/root/key.pub")
        for name, system in zip(HOSTS, (cls.one, cls.two)):
            system.run("hostname", name)
            system.copy(cls.doctor, "/usr/bin/vgpu-doctor")
            system.run("useradd", "-m", "-s", "/bin/sh", "admin")
            system.write("/etc/sudoers.d/admin", "admin ALL=(ALL) NOPASSWD: ALL\n", 0o440)
            system.run("install", "-d", "-o", "admin", "-m", "700", "/home/admin/.ssh")
            system.write("/home/admin/.ssh/authorized_keys", key)
            system.run("chown", "-R", "admin:", "/home/admin/.ssh")
            system.run("systemctl", "restart", "ssh")
        # The first has a service that lacks a library, the second none at all.
        cls.one.run("install", "-D", "/bin/dash", "/usr/local/bin/ollama")
        cls.one.write("/etc/systemd/system/ollama.service", UNIT)
        cls.one.run("systemctl", "daemon-reload")
        cls.one.run("systemctl", "start", "ollama.service")
        cls.one.run("sh", "-c", f"printf '{''.join(f'{ip} {name}~' for name, ip in HOSTS.items())}'"
                                " | tr '~' '\\n' >> /etc/hosts")
        cls.one.write("/root/.ssh/config", "User admin\nIdentityFile /root/key\nLogLevel ERROR\n"
                      "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n", 0o600)

    def setUp(self):
        self.place = self.one.run("mktemp", "-d").stdout.strip()

    def sit(self, command, check=True):
        """A command line of the person, in a directory of its own."""
        return self.one.run("bash", "-c", f"cd {self.place} && {command}", check=check, timeout=300,
                            environment={"HOME": "/root", "PWD": self.place})

    def table(self):
        done = self.sit("vgpu-doctor check --each captures --format json", check=False)
        table = json.loads(done.stdout)
        testing.validate(table, SCHEMA)
        return table, done.returncode

    def holds_both(self, table):
        rows = {host["hostname"]: host for host in table["hosts"]}
        self.assertEqual(set(rows), set(HOSTS))
        self.assertIn("VG401", rows["gpu-1"]["root_causes"])
        self.assertEqual(rows["gpu-2"]["verdict"], "problem")
        self.assertNotIn("VG401", rows["gpu-2"]["root_causes"])

    def test_the_line_for_ssh(self):
        with open("README.md", encoding="utf-8") as file:
            section = file.read().split("## Many machines")[1].split("## ")[0]
        collect, judge = re.search(r"^```sh\n(for .*)\n(vgpu-doctor check --root .*)$", section,
                                   re.M).groups()
        self.sit(collect)
        done = self.sit(judge + " --format json", check=False)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.holds_both(json.loads(done.stdout))

    def play(self, *options, inventory=INVENTORY, check=True):
        self.one.write(f"{self.place}/inventory", inventory)
        self.one.copy(PLAYBOOK, f"{self.place}/collect.yml", 0o644)
        return self.sit(" ".join(["ansible-playbook -i inventory collect.yml", *options]), check)

    def test_the_playbook(self):
        if self.one.run("sh", "-c", "command -v ansible-playbook", check=False).returncode != 0:
            self.skipTest("the small Debian has no ansible-playbook (tools/dev/clients system)")
        # The second machine has no vgpu-doctor: the one that is here is brought and taken away.
        self.two.run("rm", "/usr/bin/vgpu-doctor")
        self.addCleanup(self.two.copy, self.doctor, "/usr/bin/vgpu-doctor")
        # A third one is not there at all.
        done = self.play("-e doctor=/usr/bin/vgpu-doctor -e captures=$PWD/captures",
                         inventory=INVENTORY + "gpu-3 ansible_host=127.0.0.1 ansible_port=1\n",
                         check=False)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)  # some were unreachable
        self.assertRegex(done.stdout, r"gpu-3 +: ok=0 +changed=0 +unreachable=1")
        self.assertNotIn("failed=1", done.stdout)
        self.assertIn("PROBLEM  VG401", done.stdout)  # the table
        table, status = self.table()
        self.assertEqual(status, testing.PROBLEM)
        self.holds_both(table)
        self.assertIn("PROBLEM  VG401", self.one.read(f"{self.place}/captures.txt"))
        # For their owner alone, and nothing is left on the machines.
        self.assertEqual(self.one.run("stat", "-c", "%a", f"{self.place}/captures").stdout, "700\n")
        for system in (self.one, self.two):
            self.assertEqual(system.run("sh", "-c", "ls -d /tmp/vgpu-doctor.* 2>/dev/null | wc -l")
                             .stdout, "0\n")

    def test_the_playbook_with_the_doctor_that_the_hosts_have(self):
        if self.one.run("sh", "-c", "command -v ansible-playbook", check=False).returncode != 0:
            self.skipTest("the small Debian has no ansible-playbook (tools/dev/clients system)")
        done = self.play("-e unit=ollama.service -e hosts=gpus")
        self.assertIn("PROBLEM  VG401", done.stdout)
        self.holds_both(self.table()[0])


if __name__ == "__main__":
    testing.run()
