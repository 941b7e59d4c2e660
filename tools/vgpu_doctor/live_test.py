#!/usr/bin/python3 -B
"""vgpu-doctor on the machine that runs the test, whatever that is: a container, a
builder, a desk. It says what is so, names what it may not see, and harms nothing.
The processes are the test's own: a server that another test runs would be judged.
"""

import contextlib
import http.server
import os
import pty
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import doctor_testing as testing

INCIDENT = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
SYSTEMD_RUNS = os.path.isdir("/run/systemd/system")  # sd_booted(3)
# Of diag/facts/usual_programs.h; and beside them what their packages leave.
USUAL_PROGRAMS = ("/usr/local/bin/ollama", "/usr/bin/ollama", "/opt/ollama/bin/ollama",
                  "/opt/ollama/ollama", "/usr/local/lib/ollama", "/usr/lib/ollama",
                  "/usr/lib64/ollama", "/opt/ollama/lib/ollama")
LIVE = {"timeout": 90}  # a journal of gigabytes takes its time


def unseen(report):
    return {item["what"]: item for item in report["not_observed"]}


@contextlib.contextmanager
def ordinary_user():
    """How to run vgpu-doctor as one."""
    if os.geteuid() != 0:
        yield [testing.DOCTOR]
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        yield [*testing.NOBODY, shutil.copy(testing.DOCTOR, directory)]


@contextlib.contextmanager
def sleeper():
    """The PID of a process of ours."""
    with subprocess.Popen(["sleep", "300"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


class Live(unittest.TestCase):

    @unittest.skipIf(SYSTEMD_RUNS, "systemd runs here")
    def test_without_systemd_it_says_so_and_asks_for_the_process(self):
        report, outcome = testing.check_json(**LIVE)
        self.assertEqual(outcome.status, testing.PROBLEM)
        self.assertEqual(testing.codes(report, "root_causes"), ["VG201"])
        meanings = [piece["meaning"] for piece in report["root_causes"][0]["evidence"]]
        self.assertTrue([text for text in meanings if "systemd does not run here" in text], meanings)
        if any(map(os.path.exists, USUAL_PROGRAMS)):  # of this machine
            self.assertIn("systemd does not run here", report["headline"])
        else:
            self.assertIn("No Ollama was found here", report["headline"])
            self.assertIn("/usr/local/bin/ollama", testing.words(report["root_causes"]))
            self.assertIn("--root", report["root_causes"][0]["fix"][0]["command"])
        self.assertEqual(report["host"]["source"], "live")
        self.assertEqual(report["host"]["hostname"], socket.gethostname())

    @unittest.skipIf(os.geteuid() != 0, "not root")
    def test_root_is_not_told_to_run_the_same_again(self):
        report, _ = testing.check_json(**LIVE)
        how = {item["how"] for item in report["not_observed"]}
        self.assertFalse(how & {"sudo vgpu-doctor check",
                                "sudo vgpu-doctor check --unit ollama.service"}, how)

    def test_a_process_that_is_no_ollama_is_only_described(self):
        with sleeper() as pid:
            report, outcome = testing.check_json("--pid", str(pid), **LIVE)
        self.assertEqual(outcome.status, testing.INCONCLUSIVE)
        self.assertIn(f"Process {pid} is {os.path.realpath(shutil.which('sleep'))}, and not Ollama",
                      report["headline"])
        self.assertEqual(report["subject"]["pid"], pid)
        self.assertIsNone(report["subject"]["ollama_version"])
        self.assertIn(f"process {pid} runs", [item["what"] for item in report["working"]])
        self.assertEqual([what for what in unseen(report) if what.startswith("environment")], [])

    def test_a_process_that_has_ended_is_refused(self):
        with sleeper() as pid:
            pass
        outcome = testing.doctor("check", "--pid", str(pid), **LIVE)
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn(f"--pid {pid}: there is no such process", outcome.err.decode())

    def test_an_ordinary_user_is_told_what_root_would_see(self):
        with ordinary_user() as program, sleeper() as own:
            pid = own if os.geteuid() == 0 else 1
            report, _ = testing.check_json("--pid", str(pid), program=program, **LIVE)
        self.assertNotEqual(report["verdict"], "healthy")
        # What was not seen rules nothing out.
        for code in ("VG302", "VG303", "VG401", "VG410"):
            self.assertNotIn(code, testing.codes(report, "ruled_out"))
        for what in (f"environment of process {pid}", f"loaded libraries of process {pid}"):
            self.assertEqual(unseen(report)[what]["why"], "permission denied")
            self.assertIn("sudo vgpu-doctor check", unseen(report)[what]["how"])

    def test_a_captured_host_that_the_user_may_not_read_is_refused(self):
        with ordinary_user() as program, tempfile.TemporaryDirectory(dir="/tmp") as hidden:
            os.chmod(hidden, 0)
            outcome = testing.doctor("check", "--root", hidden, program=program)
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn(f"{hidden}: permission denied", outcome.err.decode())

    def test_in_a_container_with_processes_of_its_own(self):
        inside = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
        if os.geteuid() != 0:
            inside.insert(1, "--map-root-user")
        trial = subprocess.run([*inside, "true"], capture_output=True, check=False)
        if trial.returncode != 0:
            self.skipTest(f"no namespaces here: {trial.stderr.decode().strip()}")
        report, _ = testing.check_json(program=[*inside, testing.DOCTOR], **LIVE)
        self.assertNotEqual(report["headline"], "")
        # There it is the first process, and may judge itself.
        report, _ = testing.check_json("--pid", "1", program=[*inside, testing.DOCTOR], **LIVE)
        self.assertEqual(report["subject"]["pid"], 1)

    @unittest.skipIf(os.geteuid() != 0, "another's mount namespace is for root to see")
    def test_the_files_of_a_process_are_looked_up_where_it_sees_them(self):
        # A directory that is empty here holds a library there.
        directory = os.path.join(testing.temporary(), "private")
        os.makedirs(directory)
        library = next(path for path in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6")
                       if os.path.exists(path))
        script = ('mount -t tmpfs none "$0" && cp "$1" "$0/libvgpu-cuda.so" && echo ready && '
                  'LD_PRELOAD="$0/libvgpu-cuda.so" exec sleep 300')
        with subprocess.Popen(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                               script, directory, library], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            if process.stdout.readline() != b"ready\n":
                self.skipTest(f"no mount namespace here: {process.stderr.read().decode().strip()}")
            while os.readlink(f"/proc/{process.pid}/exe").endswith("sh"):
                time.sleep(0.01)
            report, _ = testing.check_json("--pid", str(process.pid), **LIVE)
            process.kill()
        self.assertEqual(os.listdir(directory), [])
        self.assertIn("1 of 1 preload entries exist", [item["what"] for item in report["working"]])
        self.assertNotIn("VG401", testing.codes(report, "root_causes"))

    @unittest.skipIf(os.geteuid() != 0, "chroot(2) is for root")
    @unittest.skipIf(testing.SANITIZED, "a dynamic program needs its libraries in the new root")
    def test_in_a_root_that_holds_nothing_at_all(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as root:
            shutil.copy(testing.DOCTOR, root)
            report, _ = testing.check_json(program=["chroot", root, "/vgpu-doctor"], **LIVE)
            refused = testing.doctor("check", "--pid", "1",
                                     program=["chroot", root, "/vgpu-doctor"], **LIVE)
        self.assertIn("systemctl: not installed", testing.words(report))
        self.assertNotEqual(report["verdict"], "healthy")
        self.assertEqual(refused.status, testing.USAGE)

    @unittest.skipIf(SYSTEMD_RUNS, "systemd runs here")
    def test_who_serves_on_the_port_of_ollama_is_named(self):
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"version":"0.16.2"}')

            def log_message(self, *_):
                pass

        try:
            server = http.server.HTTPServer(("127.0.0.1", 11434), Answer)
        except OSError as error:
            self.skipTest(f"port 11434: {error.strerror}")
        with server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            report, _ = testing.check_json(**LIVE)
            own, _ = testing.check_json("--pid", str(os.getpid()), **LIVE)
            server.shutdown()
        self.assertIn(f"--pid {os.getpid()}", testing.words(report))
        self.assertEqual(own["subject"]["ollama_version"], "0.16.2")


class Output(unittest.TestCase):
    """What becomes of standard output. A captured host will do."""

    def on_terminal(self, *arguments, **environment):
        try:
            ours, theirs = pty.openpty()
        except OSError as error:  # a system without /dev/pts
            self.skipTest(f"no terminal can be made here: {error}")
        text = bytearray()
        with open(ours, "rb", buffering=0) as terminal:
            def read():
                with contextlib.suppress(OSError):  # EIO: all is read
                    while chunk := terminal.read(65536):
                        text.extend(chunk)

            # A terminal holds a few kilobytes that nobody has read.
            reader = threading.Thread(target=read)
            reader.start()
            outcome = testing.doctor("check", "--root", INCIDENT, *arguments, stdout=theirs,
                                     environment={"TERM": "xterm"} | environment)
            os.close(theirs)
            reader.join()
        self.assertEqual(outcome.status, testing.PROBLEM)
        return text.decode()

    def test_a_pipe_gets_no_colours(self):
        outcome = testing.doctor("check", "--root", INCIDENT, environment={"TERM": "xterm"})
        self.assertNotIn(b"\x1b", outcome.out)
        self.assertIn(b"VG302", outcome.out)

    def test_a_terminal_gets_colours_unless_it_or_its_user_wants_none(self):
        self.assertIn("\x1b[", self.on_terminal())
        self.assertIn("\x1b[", self.on_terminal(NO_COLOR=""))  # empty is not set
        for plain in (self.on_terminal(NO_COLOR="1"), self.on_terminal(TERM="dumb"),
                      self.on_terminal("--no-color"), self.on_terminal("--format", "json")):
            self.assertNotIn("\x1b", plain)
            self.assertIn("VG302", plain)

    def test_without_utf8_the_text_is_ascii(self):
        outcome = testing.doctor("check", "--root", INCIDENT, environment={"LC_ALL": "C"})
        self.assertTrue(outcome.out.isascii())

    def test_a_full_disk_is_a_fault_with_a_message(self):
        with open("/dev/full", "wb") as full:
            outcome = testing.doctor("check", "--root", INCIDENT, stdout=full)
        self.assertEqual(outcome.status, testing.FAULT)
        self.assertIn("standard output: No space left on device", outcome.err.decode())

    def test_a_closed_standard_output_is_a_fault_and_nothing_is_written_elsewhere(self):
        closed = ["/bin/sh", "-c", 'exec "$0" "$@" >&-', testing.DOCTOR]
        for arguments in (("--root", INCIDENT), ()):
            outcome = testing.doctor("check", *arguments, program=closed, **LIVE)
            self.assertEqual(outcome.status, testing.FAULT)
            self.assertIn("standard output", outcome.err.decode())

    def test_all_three_standard_descriptors_may_be_closed(self):
        closed = ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', testing.DOCTOR]
        self.assertEqual(testing.doctor("check", program=closed, **LIVE).status, testing.FAULT)


if __name__ == "__main__":
    testing.own_machine()
    testing.run()
