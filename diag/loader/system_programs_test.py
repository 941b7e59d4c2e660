#!/usr/bin/env python3
"""Every dynamic program of this machine: the model against `ld.so --list`.

    system_programs_test.py --model=MODEL [DIRECTORY...]

For each program the real loader lists what it would map and where from, and the model says
the same from the files alone. Each difference is printed. Programs without an interpreter
are counted and left out, and so are those for another loader.
"""

import argparse
import json
import os
import subprocess
import sys

DIRECTORIES = ["/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu", "/usr/libexec",
               "/usr/lib/git-core", "/usr/lib/systemd"]
LOADER = "/lib64/ld-linux-x86-64.so.2"


def programs(directories):
    seen = set()
    for top in directories:
        for parent, _, names in os.walk(top):
            for name in sorted(names):
                path = os.path.join(parent, name)
                if not os.path.isfile(path) or not os.access(path, os.X_OK):
                    continue
                real = os.path.realpath(path)
                if real in seen:
                    continue
                seen.add(real)
                with open(real, "rb") as file:
                    head = file.read(20)
                # A library is no program: `--list` would take it for one.
                if head[:5] == b"\x7fELF\x02" and ".so" not in os.path.basename(real):
                    yield real


def listed(program):
    """What `ld.so --list` prints: {name: path}, or None and its message."""
    run = subprocess.run([LOADER, "--list", program], capture_output=True, text=True,
                         env={}, cwd="/", errors="replace")
    libraries = {}
    for line in run.stdout.splitlines():
        words = line.split()
        if len(words) >= 3 and words[1] == "=>":
            # "not found" stands for the path of what is missing.
            libraries[words[0]] = None if words[2] == "not" else words[2]
    return libraries, run.stderr.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("directories", nargs="*", default=DIRECTORIES)
    options = parser.parse_args()
    paths = list(programs(options.directories))
    requests = "".join(json.dumps({"program": path, "cwd": "/"}) + "\n" for path in paths)
    answers = subprocess.run([options.model], input=requests, capture_output=True, text=True, check=True)
    compared = static = libraries = different = 0
    for path, line in zip(paths, answers.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        if answer["kind"] != "glibc":
            static += 1
            continue
        real, message = listed(path)
        said = {entry["name"]: entry["path"] for entry in answer["objects"][1:]
                if entry["rule"] != "the loader itself"}
        said.update({problem["name"]: None for problem in answer["problems"] if not problem["path"]})
        real = {name: at for name, at in real.items() if not name.startswith("/lib64/ld-linux")}
        compared += 1
        libraries += len(real)
        if said != real or answer["unseen"]:
            different += 1
            print(f"DIFFERENT {path}: {message}")
            for name in sorted(set(said) | set(real)):
                if said.get(name, "-") != real.get(name, "-"):
                    print(f"  {name}: the loader takes {real.get(name, '-')}, "
                          f"the model {said.get(name, '-')}")
            for unseen in answer["unseen"]:
                print(f"  not seen: {unseen}")
        for problem in answer["problems"]:
            if problem["effect"] == "ends program" and problem["path"]:
                different += 1
                print(f"DIFFERENT {path}: the model says: {problem['text']}")
    print(f"{compared} programs compared, {libraries} libraries, {static} static or for another "
          f"loader; {different} differences")
    return 1 if different or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
