#!/usr/bin/python3 -B
"""sshd, cron, sudo, su and bash do the same with all five shims in every program of a machine: a
container of its own, whose /etc/ld.so.preload names them (the contract allows that nowhere else)."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases  # noqa: E402
import real_systemd  # noqa: E402

SHIMS = {name: f"shims/{directory}/{name}" for directory, name in (
    ("exec", "libvgpu-exec.so"), ("syscall", "libvgpu-syscall.so"), ("cuda", "libvgpu-cuda.so"),
    ("nvml", "libvgpu-nvml.so"), ("cudart", "libvgpu-cudart.so"))}
SSH = ("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
       "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", "/root/key")

# What a login shows of itself: who, where, with which descriptors, and a pipeline.
LOOK = ("id; pwd; umask; echo $SHELL $USER $HOME; ls /proc/self/fd | wc -l; "
        "seq 100 | sort -n | tail -n 1; printf 'a\\0b' | od -c; exit 3")

# name: command, inside.
WORK = {
    "sshd": (*SSH, "ann@127.0.0.1", LOOK),
    "sshd, a terminal": (*SSH, "-tt", "ann@127.0.0.1", "tty | tr -d 0-9; echo $0; exit 4"),
    "sshd, a copy": ("sh", "-c", "sftp -q -b - " + " ".join(SSH[1:]) +
                     " ann@127.0.0.1 <<END\nget /etc/os-release /tmp/copy\nEND\n"
                     "cmp /tmp/copy /etc/os-release && rm /tmp/copy"),
    "sudo to a user": ("sudo", "-u", "ann", "-i", "sh", "-c", LOOK),
    "sudo, refused": ("su", "ann", "-c", "sudo -n id"),
    "sudo, granted": ("su", "bob", "-c", "sudo -n id"),
    "su": ("su", "-", "ann", "-c", LOOK),
    "bash": ("bash", "-lc", "for i in 1 2 3; do (echo $i & wait); done; exec 5</etc/passwd; "
             "head -c 4 <&5; trap 'echo ended' EXIT; exit 5"),
    "cron": ("sh", "-c", "rm -f /tmp/cron /run/crond.reboot; systemctl restart cron; "
             "for i in $(seq 100); do [ -s /tmp/cron ] && break; sleep 0.1; done; cat /tmp/cron"),
}


class Daemons(unittest.TestCase):
    def does(self, system):
        return {name: (done.returncode, done.stdout, done.stderr) for name, done in
                ((name, system.run(*command, check=False)) for name, command in WORK.items())}

    def descriptors(self, system, unit):
        pid = system.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
        return pid, len(system.run("ls", f"/proc/{pid}/fd").stdout.split())

    def test_they_do_the_same(self):
        with real_systemd.RealSystemd() as system:
            for user in ("ann", "bob"):
                system.run("useradd", "-m", "-s", "/bin/bash", user)
            system.write("/etc/sudoers.d/bob", "bob ALL=(ALL) NOPASSWD: ALL\n", 0o440)
            system.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
            system.run("install", "-D", "-o", "ann", "-m", "600", "/root/key.pub",
                       "/home/ann/.ssh/authorized_keys")
            # (libvgpu-exec gives its environment to children, as it is there for.)
            system.write("/etc/cron.d/look", "@reboot ann (id; env | grep -v ^LD_PRELOAD= | sort) "
                         "> /tmp/cron 2>&1\n")
            system.run("systemctl", "restart", "ssh")
            before = self.does(system)
            for name in WORK:
                self.assertTrue("".join(before[name][1:]) or name == "sshd, a copy", name)
            self.assertEqual(before["sshd"][0], 3, before["sshd"])
            self.assertEqual(before["sshd, a copy"][0], 0, before["sshd, a copy"])
            self.assertIn("uid=0(root)", before["sudo, granted"][1])
            self.assertIn("(ann)", before["cron"][1])
            _, files = self.descriptors(system, "ssh")

            for name, path in SHIMS.items():
                system.copy(path, f"/usr/lib/vgpu/{name}")
            system.copy("tools/vgpu_run/vgpu-run", "/usr/bin/vgpu-run")
            system.run("mkdir", "/run/vgpu")
            system.run("vgpu-run", "write-tree", "--output", "/run/vgpu/root")
            system.write("/etc/ld.so.preload",
                         "".join(f"/usr/lib/vgpu/{name}\n" for name in SHIMS))
            system.run("systemctl", "restart", "ssh", "cron")
            pid, with_shims = self.descriptors(system, "ssh")
            self.assertEqual(with_shims, files)
            for process in (pid, self.descriptors(system, "cron")[0]):
                mapped = set(re.findall(r"libvgpu-[a-z]+\.so", system.read(f"/proc/{process}/maps")))
                self.assertEqual(mapped, set(SHIMS))
            after = self.does(system)
            for name in WORK:
                with self.subTest(name):
                    self.assertEqual(after[name], before[name])
            # And they are there: what a login reads is the device.
            seen = system.run(*SSH, "ann@127.0.0.1", "cat /sys/bus/pci/devices/0000:00:05.0/vendor")
            self.assertEqual(seen.stdout, "0x10de\n")
            print(f"{len(WORK)} uses of sshd, sudo, su, cron and bash compared: "
                  f"{sum(after[name] == before[name] for name in WORK)} the same")


if __name__ == "__main__":
    cases.run()
