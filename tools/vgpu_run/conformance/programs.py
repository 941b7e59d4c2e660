"""The programs that read: what each is made of, and what it takes to make it here."""

import os
import pwd
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# Bazel gives its tests another HOME; toolchains have their caches in the real one.
HOME = pwd.getpwuid(os.geteuid()).pw_dir


def find(name, *elsewhere):
    return shutil.which(name) or next((path for path in elsewhere if os.access(path, os.X_OK)),
                                      None)


def build(directory, command, sources, environment=None):
    for source in sources:
        shutil.copy(os.path.join(HERE, source), directory)
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True,
                          env=os.environ | {"HOME": HOME} | (environment or {}), timeout=500)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stderr}")


def compiled(directory, compiler, options, source):
    build(directory, [compiler, *options, "-o", "read", source], [source])


def go(directory, sources, cgo):
    compiler = find("go", "/usr/local/go/bin/go")
    build(directory, [compiler, "build", "-o", "read", *sources], sources,
          {"GO111MODULE": "off", "CGO_ENABLED": cgo, "GOTOOLCHAIN": "local"})


# Name, what makes it (a program that must be there, and its package), and how. Each gets a
# directory of its own, in which it is then called "read".
PROGRAMS = (
    ("C, glibc", "gcc", lambda d: compiled(d, "gcc", [], "read.c")),
    ("C, glibc, static", "gcc", lambda d: compiled(d, "gcc", ["-static"], "read.c")),
    ("C, musl", "musl-gcc", lambda d: compiled(d, "musl-gcc", [], "read.c")),
    ("C, musl, static", "musl-gcc", lambda d: compiled(d, "musl-gcc", ["-static"], "read.c")),
    ("C++", "g++", lambda d: compiled(d, "g++", ["-std=c++20"], "read.cpp")),
    ("Python", "python3", lambda d: shutil.copy(f"{HERE}/read.py", f"{d}/read")),
    ("Go", "go", lambda d: go(d, ["read.go"], "0")),
    ("Go, cgo", "go", lambda d: go(d, ["read.go", "read_cgo.go"], "1")),
    ("Rust", "rustc", lambda d: compiled(d, find("rustc", f"{HOME}/.cargo/bin/rustc"), [],
                                         "read.rs")),
    ("sh", "sh", lambda d: shutil.copy(f"{HERE}/read.sh", f"{d}/read")),
)
ELSEWHERE = {"go": "/usr/local/go/bin/go", "rustc": f"{HOME}/.cargo/bin/rustc"}
PACKAGES = {"musl-gcc": "musl-tools", "go": "golang-go", "rustc": "rustc"}


def make_all(directory):
    """Name to path, and name to the reason why there is none."""
    made, missing = {}, {}
    for number, (name, tool, make) in enumerate(PROGRAMS):
        if not find(tool, *filter(None, [ELSEWHERE.get(tool)])):
            missing[name] = f"no {tool} here (Debian: {PACKAGES.get(tool, tool)})"
            continue
        own = os.path.join(directory, str(number))
        os.mkdir(own)
        make(own)
        made[name] = os.path.join(own, "read")
        os.chmod(own, 0o755)
        os.chmod(made[name], 0o755)
    return made, missing
