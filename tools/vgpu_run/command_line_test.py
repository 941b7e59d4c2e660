#!/usr/bin/python3 -B
"""What vgpu-run says: its help, its errors, what it would write, and the README's commands."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

RUN = os.path.abspath("tools/vgpu_run/vgpu-run")
SHIMS = ("shims/exec/libvgpu-exec.so", "shims/syscall/libvgpu-syscall.so")


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.directory)

    def run_it(self, *arguments, **variables):
        return subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **variables})

    def config(self, text):
        path = pathlib.Path(self.directory, "devices.toml")
        path.write_text(text)
        return str(path)

    def need_pci(self):
        if not os.path.isdir("/sys/bus/pci/devices"):
            self.skipTest("this kernel shows no PCI bus (/sys/bus/pci/devices)")


class Help(CommandLine):
    def test_help_fits_a_terminal_and_names_every_way(self):
        done = self.run_it("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("vgpu-run -- COMMAND", "--notify", "unit --service", "125"):
            self.assertIn(words, done.stdout)
        for words in ([], ["unit"], ["unit-view"], ["write-tree"]):
            help_of = self.run_it(*words, "--help").stdout.splitlines()
            self.assertEqual([line for line in help_of if len(line) > 80], [], words)

    def test_nothing_to_run(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertIn("vgpu-run -- COMMAND", done.stderr)


class Errors(CommandLine):
    def says(self, words, *arguments, **variables):
        done = self.run_it(*arguments, **variables)
        self.assertEqual((done.returncode, done.stdout), (125, ""), done.stderr)
        self.assertIn(words, done.stderr)

    def test_options(self):
        self.says("--nonsense: there is no such option", "--nonsense", "true")
        self.says("--service is required", "unit")
        self.says("excludes", "unit", "--service", "a.service", "--install", "--remove")
        self.says("--output is required", "write-tree")
        self.says("Did you mean --service?", "unit", "--sevice", "a.service")
        self.says("`vgpu-run unit --help` says what there is", "unit", "--sevice", "a.service")
        self.says("Exactly 1 option from [--mount,--unmount] is required", "unit-view")
        self.says("--shims lib: a whole path is wanted", "--shims", "lib", "true")
        self.says("--shims lib: a whole path is wanted", "unit", "--service", "a.service",
                  "--shims", "lib")

    def test_services(self):
        self.need_pci()
        for name in ("ollama", "ollama.socket", "../a.service", "a b.service"):
            self.says("a service's name is wanted, such as ollama.service", "unit",
                      "--service", name)

    def test_a_broken_configuration_is_named_with_its_line(self):
        path = self.config('[[device]]\nprofile = "h900"\n')
        self.says(f'file={path} line=2 reason="profile: there is no profile h900',
                  "--files-only", "--", "true", VGPU_CONFIG=path)

    def test_an_image_that_is_not_there(self):
        self.need_pci()
        self.says("/nonexistent", "unit", "--service", "a.service", "--root", "/nonexistent")


class Unit(CommandLine):
    def setUp(self):
        super().setUp()
        self.need_pci()
        self.image = f"{self.directory}/image"
        units = pathlib.Path(self.image, "usr/lib/systemd/system")
        units.mkdir(parents=True)
        units.joinpath("ollama.service").write_text(
            "[Service]\nExecStart=/usr/bin/ollama serve\n"
            'Environment="LD_LIBRARY_PATH=/opt/my libs:/opt/b"\n')
        # In a place that no machine has taken, so that every machine prints the same.
        self.variables = {"VGPU_CONFIG": self.config('[[device]]\npci_address = "0000:00:1f.7"\n')}

    def unit(self, *arguments, service="ollama.service"):
        done = self.run_it("unit", "--service", service, "--root", self.image, *arguments,
                           **self.variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def files(self):
        return sorted(str(path.relative_to(self.image))
                      for path in pathlib.Path(self.image).rglob("*") if path.is_file())

    def test_what_is_printed(self):
        if os.path.exists("/sys/bus/pci/drivers/nvidia") \
                or not os.path.exists("/sys/devices/pci0000:00"):
            self.skipTest("this machine has an nvidia driver, or no bus 0000:00: it has another plan")
        text = self.unit("--shims", "/usr/lib/vgpu")
        text = text.replace(os.path.realpath(RUN), "/usr/bin/vgpu-run")
        self.assertEqual(text, pathlib.Path("tools/vgpu_run/testdata/unit.txt").read_text())
        self.assertEqual(self.files(), ["usr/lib/systemd/system/ollama.service"])

    def test_an_image_is_as_it_was_after_removal(self):
        before = self.files()
        printed = self.unit()
        self.assertEqual(self.unit("--install").splitlines(), [
            "wrote /etc/vgpu/ld.so.preload", "wrote /etc/systemd/system/vgpu-view.service",
            "wrote /etc/systemd/system/ollama.service.d/90-vgpu.conf"])
        for part in printed.split("# /")[1:]:
            path, content = part.split("\n", 1)
            self.assertEqual(pathlib.Path(self.image, path).read_text(),
                             content.removesuffix("\n"), path)
        self.assertEqual(self.unit("--install"), "")
        self.assertEqual(self.unit(), printed)  # ours does not stand behind ours
        self.unit("--remove")
        self.assertEqual(self.files(), before)
        self.assertEqual(self.unit("--remove"), "")

    def test_the_last_service_takes_away_what_all_share(self):
        for name in ("a.service", "b@.service"):
            self.unit("--install", service=name)
        self.unit("--remove", service="a.service")
        self.assertIn("etc/systemd/system/vgpu-view.service", self.files())
        self.unit("--remove", service="b@.service")
        self.assertEqual(self.files(), ["usr/lib/systemd/system/ollama.service"])


class Readme(CommandLine):
    """The commands of "Reaching every program", with this build in the place of the installed."""

    def setUp(self):
        super().setUp()
        self.need_pci()
        text = pathlib.Path("README.md").read_text()
        section = text.split("\n## Reaching every program\n")[1].split("\n## ")[0]
        self.commands = [line.split("  #")[0].strip()
                         for block in re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
                         for line in block.splitlines()]

    def test_every_command_does_what_it_says(self):
        self.assertEqual(len(self.commands), 5)
        if not shutil.which("lspci", path=os.environ["PATH"] + ":/usr/sbin"):
            self.skipTest("lspci is not installed (Debian: pciutils)")
        for shim in SHIMS:
            shutil.copy(shim, self.directory)
        self.commands.sort(key=lambda command: "write-tree" not in command)
        for command in self.commands:
            if "--install" in command:
                continue  # unit_test does it, in a systemd of its own
            here = command.replace("vgpu-run ", f"{RUN} ").replace("/usr/lib/vgpu", self.directory)
            here = here.replace("/tmp/tree", f"{self.directory}/tree")
            # The libraries are not what is looked at here.
            here = here.replace(f"{RUN} --", f"{RUN} --files-only --", 1) \
                if "lspci" in here and RUN in here else here
            with self.subTest(command):
                done = subprocess.run(["sh", "-c", here], capture_output=True, text=True,
                                      timeout=60, env={"PATH": os.environ["PATH"] + ":/usr/sbin"})
                if "allows this user neither" in done.stderr or "seccomp:" in done.stderr:
                    print(f"{command}: {done.stderr.strip()}")
                    continue
                self.assertEqual(done.returncode, 0, done.stderr)
                # lspci -k itself complains where there are no kernel modules.
                self.assertNotIn("vgpu", done.stderr)
                if "lspci" in command:
                    self.assertIn("3D controller", done.stdout)
                    self.assertIn("NVIDIA Corporation", done.stdout)


if __name__ == "__main__":
    cases.run()
