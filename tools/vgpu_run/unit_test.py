#!/usr/bin/python3 -B
"""vgpu-run unit, in a real systemd: a hardened service sees the device, and so does its child with
an empty environment; nothing else on the machine does; removal leaves no trace."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases  # noqa: E402
import real_systemd  # noqa: E402

ADDRESS = "0000:00:05.0"
FREE = "0000:00:1f.7"  # no machine has a function there
SHIMS = "/usr/lib/vgpu"
LIBRARIES = ("shims/cuda/libvgpu-cuda.so", "shims/nvml/libvgpu-nvml.so",
             "shims/cudart/libvgpu-cudart.so", "shims/cudart/libvgpu-cudart13.so")

# What a service of today is hardened with.
UNIT = """\
[Unit]
Description=Looks at the device

[Service]
ExecStart=/usr/local/bin/look
Environment="LD_LIBRARY_PATH=/opt/own libs:/opt/b"
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
RestrictNamespaces=yes
SystemCallFilter=@system-service
StateDirectory=look
"""

# Prints what it and its child with an empty environment see, then stays.
LOOK = """\
#!/bin/sh
look() {
  for name in vendor device class; do
    echo "$1 $name $(cat "/sys/bus/pci/devices/$ADDRESS/$name" 2>&1)"
  done
  echo "$1 version $(cat /proc/driver/nvidia/version 2>&1)"
  echo "$1 driver $(readlink -f "/sys/bus/pci/devices/$ADDRESS/driver" 2>&1)"
  echo "$1 shims $(grep -o 'libvgpu-[a-z0-9]*\\.so' /proc/self/maps | sort -u | tr '\\n' ' ')"
}
if [ "$1" = child ]; then look child; exit; fi
{
  look self
  echo "self path $LD_LIBRARY_PATH"
  env -i ADDRESS="$ADDRESS" /usr/local/bin/look child
  echo done
} >"$STATE_DIRECTORY/seen.new"
mv "$STATE_DIRECTORY/seen.new" "$STATE_DIRECTORY/seen"
exec sleep 1000
"""

# Every file that is not the system's own doing: what install and remove may touch.
SNAPSHOT = ("find /etc /opt /usr /var/lib/vgpu /run/vgpu -xdev "
            "-not -path '/etc/machine-id' -not -path '/var/lib/private*' "
            "-printf '%p %y %m %s %l\\n' 2>/dev/null | sort; cat /proc/self/mountinfo | wc -l")


class UnitTest(unittest.TestCase):
    def setUp(self):
        self.system = self.enterContext(real_systemd.RealSystemd())
        self.system.copy("tools/vgpu_run/vgpu-run", "/usr/bin/vgpu-run")
        for library in LIBRARIES:
            self.system.copy(library, f"{SHIMS}/{os.path.basename(library)}")
        self.system.write("/etc/systemd/system/look.service", UNIT)
        self.system.write("/usr/local/bin/look", LOOK, mode=0o755)
        self.address(ADDRESS)

    def address(self, address):
        self.system.write("/etc/systemd/system/look.service",
                          UNIT + f"Environment=ADDRESS={address}\n")

    def snapshot(self):
        return self.system.run("sh", "-c", SNAPSHOT).stdout.splitlines()

    def restart_and_look(self):
        self.system.run("rm", "-f", "/var/lib/private/look/seen")
        self.system.run("systemctl", "daemon-reload")
        self.system.run("systemctl", "restart", "look.service")
        for _ in range(100):
            done = self.system.run("cat", "/var/lib/private/look/seen", check=False)
            if done.stdout.endswith("done\n"):
                break
            time.sleep(0.1)
        else:
            self.fail(self.system.run("systemctl", "status", "look.service", check=False).stdout)
        seen = {}
        for line in done.stdout.splitlines()[:-1]:
            who, what, *value = line.split(" ")
            seen[who, what] = " ".join(value).strip()
        return seen

    def sees_the_device(self, seen):
        for who in ("self", "child"):
            self.assertEqual([seen[who, name] for name in ("vendor", "device", "class")],
                             ["0x10de", "0x2331", "0x030200"], who)
            self.assertTrue(seen[who, "version"].startswith("NVRM version: "), seen)
            self.assertEqual(seen[who, "driver"], "/sys/bus/pci/drivers/nvidia")
            for library in LIBRARIES:
                self.assertIn(os.path.basename(library), seen[who, "shims"].split())
        self.assertEqual(seen["self", "path"], f"{SHIMS}:/opt/own libs:/opt/b")

    def test_a_hardened_service_and_its_scrubbed_child_see_the_device_until_removal(self):
        before = self.snapshot()
        self.system.run("vgpu-run", "unit", "--service", "look.service", "--install")
        self.sees_the_device(self.restart_and_look())
        with self.subTest("nobody else sees it"):
            other = self.system.run("sh", "-c", "cat /proc/driver/nvidia/version; "
                                    "grep -c libvgpu /proc/self/maps", check=False)
            self.assertEqual(other.stdout, "0\n")
        with self.subTest("a second installation changes nothing"):
            again = self.system.run("vgpu-run", "unit", "--service", "look.service", "--install")
            self.assertNotIn("wrote", again.stdout)
        with self.subTest("upgrade while it runs: a new file, then rename"):
            self.system.copy(LIBRARIES[0], f"{SHIMS}/{os.path.basename(LIBRARIES[0])}")
            self.assertEqual(
                self.system.run("systemctl", "is-active", "look.service").stdout.strip(), "active")
            self.sees_the_device(self.restart_and_look())
        with self.subTest("removal"):
            self.system.run("vgpu-run", "unit", "--service", "look.service", "--remove")
            seen = self.restart_and_look()
            self.assertNotIn("NVRM", seen["self", "version"])
            self.assertEqual(seen["child", "shims"], "")
            after = self.snapshot()
            self.assertEqual([line for line in after if line not in before], [])
            self.assertEqual([line for line in before if line not in after], [])

    def test_a_device_that_the_machine_has_not(self):
        self.system.write("/etc/vgpu/devices.toml", f'[[device]]\npci_address = "{FREE}"\n')
        self.address(FREE)
        self.system.run("vgpu-run", "unit", "--service", "look.service", "--install")
        self.sees_the_device(self.restart_and_look())

    def test_of_two_services_one_goes_and_the_other_keeps_the_device(self):
        self.system.write("/etc/systemd/system/other.service",
                          "[Service]\nType=oneshot\nExecStart=/bin/cat "
                          f"/sys/bus/pci/devices/{ADDRESS}/vendor\nStandardOutput=file:/vendor\n")
        for service in ("look.service", "other.service"):
            self.system.run("vgpu-run", "unit", "--service", service, "--install")
        self.sees_the_device(self.restart_and_look())
        self.system.run("systemctl", "start", "other.service")
        self.assertEqual(self.system.read("/vendor"), "0x10de\n")
        self.system.run("vgpu-run", "unit", "--service", "other.service", "--remove")
        self.sees_the_device(self.restart_and_look())
        self.system.run("systemctl", "start", "other.service")
        self.assertNotEqual(self.system.read("/vendor"), "0x10de\n")

    def test_without_its_files_a_service_does_not_start_and_says_why(self):
        self.system.run("vgpu-run", "unit", "--service", "look.service", "--install")
        self.sees_the_device(self.restart_and_look())
        self.system.run("vgpu-run", "unit-view", "--unmount")
        self.system.run("systemctl", "restart", "look.service")
        for _ in range(100):
            status = self.system.run("systemctl", "show", "-P", "ExecMainStatus", "look.service")
            if status.stdout.strip() != "0":
                break
            time.sleep(0.1)
        self.assertEqual(status.stdout.strip(), "226")  # EXIT_NAMESPACE, systemd.exec(5)
        self.system.run("systemctl", "restart", "vgpu-view.service")
        self.sees_the_device(self.restart_and_look())

    def test_a_preload_file_of_the_machine_stays_in_effect(self):
        libc = self.system.run("sh", "-c", "ls /lib/x86_64-linux-gnu/libanl.so.1").stdout.strip()
        # Inside this container, which is the test's own.
        self.system.write("/etc/ld.so.preload", libc + "\n")
        self.system.run("vgpu-run", "unit", "--service", "look.service", "--install")
        self.sees_the_device(self.restart_and_look())
        maps = self.system.run("sh", "-c", "cat /proc/$(systemctl show -P MainPID look)/maps")
        self.assertIn("libanl.so.1", maps.stdout)
        self.system.run("vgpu-run", "unit", "--service", "look.service", "--remove")
        self.assertEqual(self.system.read("/etc/ld.so.preload"), libc + "\n")


if __name__ == "__main__":
    cases.run()
