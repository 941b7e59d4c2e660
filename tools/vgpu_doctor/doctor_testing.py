"""What the tests of the command line share: they run the real vgpu-doctor, hold its
reports against the schema, and name each test case to Bazel (XML_OUTPUT_FILE).

The tests need Python's standard library and jsonschema, and run in the runfiles of
their target. A case that cannot run where it is run calls skipTest with the reason.
"""

import collections
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import jsonschema

sys.path.insert(0, os.path.abspath("tools/testing"))
from cases import client, run  # noqa: F401  # for the tests

DOCTOR = os.path.abspath("tools/vgpu_doctor/vgpu-doctor")
INCIDENTS = os.path.realpath("testdata/incidents")
LOGS = os.path.realpath("tools/vgpu_doctor/testdata/logs")
SCHEMA = "diag/report/report.schema.json"

HEALTHY, PROBLEM, USAGE, INCONCLUSIVE, FAULT = 0, 1, 2, 3, 70

# Whether the program is built with a sanitizer, and so is dynamic and slow.
SANITIZED = "--sanitized" in sys.argv

# A terminal, a locale or a preference of the caller changes nothing in a test.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

# Runs what follows as an ordinary user; for root only.
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000  # <sched.h>
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # <sys/mount.h>
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
SIOCSIFFLAGS = 0x8914  # <linux/sockios.h>

Outcome = collections.namedtuple("Outcome", "status out err seconds")


def doctor(*arguments, timeout=10, program=(DOCTOR,), environment=None, **options):
    """Runs vgpu-doctor: its exit status (negative: the signal that ended it), what it
    printed, as bytes, and how long it took. Too long is an error of the test."""
    options.setdefault("stdout", subprocess.PIPE)
    begin = time.monotonic()
    done = subprocess.run(
        [*program, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        timeout=timeout * (10 if SANITIZED else 1), check=False,
        env=ENVIRONMENT | (environment or {}), **options)
    return Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)


def own_machine():
    """From here on, processes and a network of the test's own: which servers run on this machine,
    those of other tests among them, is no part of the test. Returns in a child process, the first
    of its PID namespace; this one waits for it and ends as it does. Without root, or where
    namespaces cannot be made, the machine's stay, and a line says so."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Without root unshare(2) would need a user namespace, in which the tests were not themselves.
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS) != 0:
        print("no namespaces here: the tests share processes and ports with this machine")
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        # netdevice(7): struct ifreq of "lo", with IFF_UP.
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", 1))
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    # The child ends with its parent: a test that Bazel stops leaves nothing behind.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for arguments in ((b"none", b"/", None, MS_REC | MS_PRIVATE, None),
                      (b"proc", b"/proc", b"proc", 0, None)):
        if libc.mount(*arguments[:3], ctypes.c_ulong(arguments[3]), arguments[4]) != 0:
            sys.exit(f"mount {arguments[1].decode()}: {os.strerror(ctypes.get_errno())}")


def check_json(*arguments, **options):
    """`vgpu-doctor check --format json`: the report, held against the schema, and the
    outcome. Raises AssertionError where the answer is no report."""
    outcome = doctor("check", "--format", "json", *arguments, **options)
    return parse_report(outcome), outcome


def parse_report(outcome):
    if outcome.status not in (HEALTHY, PROBLEM, INCONCLUSIVE):
        raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()[-500:]}")
    report = json.loads(outcome.out)
    validate(report, SCHEMA)
    expected = {"healthy": HEALTHY, "problem": PROBLEM, "inconclusive": INCONCLUSIVE}
    if outcome.status != expected[report["verdict"]]:
        raise AssertionError(f"exit status {outcome.status} with verdict {report['verdict']}")
    return report


def validate(value, schema):
    """Raises AssertionError where `value` is not as the JSON schema in the file says."""
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
              for error in _validator(schema).iter_errors(value)]
    if errors:
        raise AssertionError(f"{schema}: " + "; ".join(errors))


_VALIDATORS = {}


def _validator(schema):
    if schema not in _VALIDATORS:
        with open(schema, encoding="utf-8") as file:
            _VALIDATORS[schema] = jsonschema.Draft202012Validator(json.load(file))
    return _VALIDATORS[schema]


def codes(report, part):
    return [item["code"] for item in report[part]]


def strings(value):
    """All texts in a JSON value, keys left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (list, type({}.values()))):
        return [text for item in value for text in strings(item)]
    return []


def words(value):
    """All texts of a report, to look for a phrase in."""
    return "\n".join(strings(value))


def temporary():
    """A directory that Bazel clears; also below `bazel run`."""
    return os.environ.get("TEST_TMPDIR") or "/tmp"


def write(root, path, content):
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return target
