#!/usr/bin/env python3
"""Random layouts of real shared objects: the model against the real loader.

    layouts_test.py --model=MODEL [--layouts N] [--seed S] [--libtree]

Makes some dozens of small libraries and programs with the compiler, and then N layouts of
them in a temporary directory: copies, links, hard links, damaged and foreign files in
directories that RPATH, RUNPATH, LD_LIBRARY_PATH and names of preloads and of dlopen lead
to. Each is run under the real loader with an environment of its own, and the model is asked
from the files alone. Compared are: which file wins for each library, in load order, at the
start and after each dlopen; whether the program starts, its exit status or signal; and each
line that the loader prints. The seed is printed; each difference is, too.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

CC = os.environ.get("CC", "gcc")
NAMES = ["a", "b", "c", "d"]
DIRS = ["d0", "d1", "d1/sub", "d2", "bin", "d0/glibc-hwcaps/x86-64-v2", "d1/tls", "d2/x86_64"]
FLAGS = ["-O1", "-shared", "-fPIC", "-nostdlib", "-w", "-Wl,--build-id=none", "-Wl,--no-as-needed",
         "-Wl,-z,norelro", "-Wl,--allow-shlib-undefined"]

MAIN = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
static int one(struct dl_phdr_info *info, size_t size, void *data) {
  printf("\t%s", info->dlpi_name);
  return 0;
}
static void map(const char *when) {
  printf("%s", when);
  dl_iterate_phdr(one, 0);
  printf("\n");
  fflush(stdout);
}
int main(int argc, char **argv) {
  map("START");
  for (int i = 1; i + 1 < argc; i += 2) {
    int mode = !strcmp(argv[i], "lazy") ? RTLD_LAZY
               : !strcmp(argv[i], "global") ? RTLD_NOW | RTLD_GLOBAL : RTLD_NOW;
    if (dlopen(argv[i + 1], mode)) {
      map("OPENED");
    } else {
      printf("FAILED\t%s\n", dlerror());
      fflush(stdout);
    }
  }
  return 0;
}
"""


def compile_to(output, source, *flags):
    subprocess.run([CC, "-x", "c", "-", "-o", output, *flags], input=source, text=True, check=True)


class Kit:
    """The libraries and programs that layouts are made of."""

    def __init__(self, where, rng):
        self.where, self.rng = where, rng
        os.makedirs(where)
        self.stub = {}
        for name in NAMES:
            for version in ["", "V1", "V2"]:
                directory = os.path.join(where, f"stub{version}")
                os.makedirs(directory, exist_ok=True)
                self.stub[name, version] = os.path.join(directory, f"lib{name}.so.1")
                self.library(self.stub[name, version], name, soname=f"lib{name}.so.1",
                             versions=[version] if version else [])
        self.libraries = {name: [self.variant(name, i) for i in range(12)] for name in NAMES}
        self.programs = [self.program(i) for i in range(16)]
        self.object = os.path.join(where, "plain.o")
        compile_to(self.object, "int x;", "-c")

    def library(self, path, name, soname=None, needs=(), versions=(), paths=(), calls=(),
                data=(), lacks=False, flags=()):
        source = "" if lacks else f"int f{name}(void) {{ return 1; }} int v{name} = 1;\n"
        source += f"int only_{name}(void) {{ return 2; }}\n"
        for other in calls:
            source += f"int f{other}(void); int call_{other}(void) {{ return f{other}() + 1; }}\n"
        for other in data:
            source += f"extern int v{other}; int *take_{other}(void) {{ return &v{other}; }}\n"
        options = [*FLAGS, *flags]
        if soname:
            options.append(f"-Wl,-soname,{soname}")
        if versions:
            script = path + ".map"
            with open(script, "w") as file:
                for i, version in enumerate(versions):
                    symbols = f"global: f{name}; v{name}; only_*; call_*; take_*;"
                    file.write(f"{version} {{ {'' if i else symbols} }};\n")
            options.append(f"-Wl,--version-script={script}")
        compile_to(path, source, *options, "-x", "none", *[self.stub[n] for n in needs], *paths)
        return path

    def paths(self):
        rng = self.rng
        kind = rng.choice(["none", "none", "rpath", "runpath", "nodeflib"])
        value = rng.choice(["$ORIGIN", "$ORIGIN/../d1", "$ORIGIN/../d2:$ORIGIN/../d0", "/nowhere:",
                            "${ORIGIN}/sub:$ORIGIN/../d0/", "$ORIGIN/../$LIB", "$ORIGIN/../d2"])
        if kind == "rpath":
            return ["-Wl,--disable-new-dtags", f"-Wl,-rpath,{value}"]
        if kind == "runpath":
            return ["-Wl,--enable-new-dtags", f"-Wl,-rpath,{value}"]
        return ["-Wl,-z,nodefaultlib"] if kind == "nodeflib" and rng.random() < 0.15 else []

    def variant(self, name, number):
        rng = self.rng
        others = [other for other in NAMES if other > name]
        needs = [(other, rng.choice(["", "", "", "", "V1", "V2"])) for other in others
                 if rng.random() < 0.35]
        used = [other for other, _ in needs]
        return self.library(
            os.path.join(self.where, f"lib{name}.{number}"), name,
            soname=rng.choice([f"lib{name}.so.1", f"lib{name}.so.1", f"lib{name}.so.1", None,
                               "libother.so.1"]),
            needs=needs, paths=self.paths(),
            versions=rng.choice([[], [], ["V1"], ["V1", "V2"], ["V3"]]),
            calls=[other for other in used if rng.random() < 0.6],
            data=[other for other in used if rng.random() < 0.25],
            lacks=rng.random() < 0.06,
            flags=rng.choice([["-Wl,-z,lazy"], ["-Wl,-z,lazy"], ["-Wl,-z,now"]]))

    def program(self, number):
        rng = self.rng
        path = os.path.join(self.where, f"main.{number}")
        needs = [(name, rng.choice(["", "", "", "V1"])) for name in NAMES if rng.random() < 0.3]
        source = MAIN
        for name, _ in needs:
            if rng.random() < 0.5:
                source += f"int f{name}(void); int use_{name}(void) {{ return f{name}(); }}\n"
        compile_to(path, source, "-O1", "-w", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined",
                   rng.choice(["-Wl,-z,lazy", "-Wl,-z,lazy", "-Wl,-z,now"]), "-x", "none",
                   *[self.stub[need] for need in needs], *self.paths())
        return path


class Layout:
    """One directory, one environment, and what is opened."""

    def __init__(self, kit, rng, top):
        self.kit, self.rng, self.top = kit, rng, top
        os.makedirs(top)
        self.made = []
        for directory in DIRS:
            if directory == "bin" or rng.random() < 0.75:
                os.makedirs(os.path.join(top, directory), exist_ok=True)
        self.program = os.path.join(top, "bin", "main")
        shutil.copy(rng.choice(kit.programs), self.program)
        for name in NAMES:
            for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
                self.place(name, f"lib{name}.so.1")
        for i in range(rng.choice([0, 0, 1, 2])):
            self.place(rng.choice(NAMES), f"p{i}.so")
        self.environment = {}
        if rng.random() < 0.85:
            self.environment["LD_LIBRARY_PATH"] = self.some_path()
        if rng.random() < 0.5:
            self.environment["LD_PRELOAD"] = rng.choice([":", " "]).join(
                self.some_name() for _ in range(rng.choice([1, 1, 2, 3])))
        if rng.random() < 0.15:
            self.environment["LD_BIND_NOW"] = rng.choice(["1", ""])
        self.opens = [{"mode": rng.choice(["now", "now", "lazy", "global"]),
                       "name": self.some_name()} for _ in range(rng.choice([0, 0, 1, 2, 3]))]

    def existing(self):
        return [d for d in DIRS if os.path.isdir(os.path.join(self.top, d))]

    def place(self, name, file):
        rng = self.rng
        path = os.path.join(self.top, rng.choice(self.existing()), file)
        if os.path.lexists(path):
            return
        variant = rng.choice(self.kit.libraries[name])
        kind = rng.choices(
            ["copy", "symlink", "hardlink", "cut", "text", "long text", "empty", "class", "machine",
             "type", "directory", "dangling", "loop", "program", "endian", "relative"],
            [80, 12, 8, 3, 0.6, 0.6, 0.6, 3, 3, 0.6, 0.6, 2, 2, 0.6, 0.6, 6])[0]
        files = [made for made in self.made if os.path.isfile(made)]
        if kind in ("symlink", "hardlink", "relative") and not files:
            kind = "copy"
        if kind == "copy":
            shutil.copy(variant, path)
        elif kind == "symlink":
            os.symlink(rng.choice(files), path)
        elif kind == "relative":
            os.symlink(os.path.relpath(rng.choice(files), os.path.dirname(path)), path)
        elif kind == "hardlink":
            os.link(os.path.realpath(rng.choice(files)), path)
        elif kind == "directory":
            os.mkdir(path)
        elif kind == "dangling":
            os.symlink("nothing-here", path)
        elif kind == "loop":
            os.symlink(os.path.basename(path), path)
        elif kind == "program":
            shutil.copy(rng.choice(self.kit.programs), path)
        else:
            with open(variant, "rb") as source:
                data = bytearray(source.read())
            if kind == "cut":
                data = data[:rng.choice([16, 63, 64, 200, 1000, 4096, 8300, len(data) - 700])]
            elif kind == "text":
                data = b"GROUP ( libx.so )\n"
            elif kind == "long text":
                data = b"/* GNU ld script */\n" * 8
            elif kind == "empty":
                data = b""
            elif kind == "class":
                data[4] = 1
            elif kind == "endian":
                data[5] = 2
            elif kind == "machine":
                data[18] = 183
            elif kind == "type":
                data[16] = 1
            with open(path, "wb") as target:
                target.write(data)
        self.made.append(path)

    def some_path(self):
        rng = self.rng
        parts = []
        for _ in range(rng.choice([1, 2, 3, 4, 5])):
            directory = rng.choice(DIRS[:4])
            parts.append(rng.choice([
                os.path.join(self.top, directory), os.path.join(self.top, directory) + "/",
                "$ORIGIN/../" + directory, directory, "", "/nowhere", "./" + directory,
                os.path.join(self.top, "d1", "..", directory)]))
        text = parts[0]
        for part in parts[1:]:
            text += rng.choice([":", ":", ";"]) + part
        return text

    def some_name(self):
        rng = self.rng
        file = rng.choice([f"lib{rng.choice(NAMES)}.so.1", "p0.so", "p1.so", "libother.so.1"])
        if self.made and rng.random() < 0.55:
            path = rng.choice(self.made)
            return rng.choice([path, path, "$ORIGIN/../" + os.path.relpath(path, self.top),
                               "./" + os.path.relpath(path, self.top)])
        return rng.choice([file, file, os.path.join(self.top, "d0", file), "$LIB/" + file])

    def request(self):
        return {"program": self.program, "argv0": self.program, "cwd": self.top,
                "environment": self.environment, "dlopen": self.opens}

    def run(self):
        arguments = [self.program]
        for one in self.opens:
            arguments += [one["mode"], one["name"]]
        debug = os.path.join(self.top, "debug")
        environment = dict(self.environment, LD_DEBUG="libs,files,bindings", LD_DEBUG_OUTPUT=debug)
        try:
            done = subprocess.run(arguments, env=environment, cwd=self.top, capture_output=True,
                                  text=True, errors="replace", timeout=20)
        except subprocess.TimeoutExpired:
            return None, "", "", ""
        trace = ""
        for name in os.listdir(self.top):
            if name.startswith("debug."):
                with open(os.path.join(self.top, name), errors="replace") as file:
                    trace += file.read()
        return done.returncode, done.stdout, done.stderr, trace


def is_own(path):
    """Neither the program nor the kernel's object nor the loader."""
    return path and not path.startswith("linux-vdso") and "ld-linux" not in path


def loaded(line):
    return [path for path in line.split("\t")[1:] if is_own(path)]


def modelled(objects):
    return [entry["path"] for entry in objects
            if entry["rule"] not in ("the program", "the loader itself")]


def bound_to(trace):
    """Objects to which the loader has bound a symbol."""
    files = set()
    for line in trace.splitlines():
        if "binding file " in line:
            files.add(line.split(" to ", 1)[1].split(" [0]", 1)[0])
    return files


MESSAGE_ONLY_A_WARNING = "no version information available"


def compare(layout, answer, result):
    """What differs, as lines; empty where nothing does."""
    status, out, err, trace = result
    lines = out.splitlines()
    errors = [line for line in err.splitlines() if MESSAGE_ONLY_A_WARNING not in line]
    problems = answer["problems"]
    passed = [p["text"] for p in problems if p["effect"] == "passed over"]
    fatal = [p for p in problems if p["effect"] == "ends program"]
    may = [p for p in problems if p["effect"] == "if used"]
    differences = []
    if answer["unseen"]:
        differences.append(f"unseen: {answer['unseen']}")
    if any(p["doubts"] for p in problems):
        differences.append("the model doubts")
    told = [line for line in errors if line.startswith("ERROR: ld.so:")]
    rest = [line for line in errors if not line.startswith("ERROR: ld.so:")]
    started = bool(lines) and lines[0].startswith("START")
    cut = [p for p in problems if p["signal"]]
    if status is not None and status in (-signal.SIGBUS, -signal.SIGSEGV) and not started:
        return differences if cut else differences + [f"ended by {status}; the model: {problems}"]
    if told != passed:
        differences.append(f"preloads: the loader says {told}, the model {passed}")
    if fatal and not started:
        texts = [p["text"] for p in fatal]
        if rest[:1] != texts[:1] and not (rest and rest[0] in texts):
            differences.append(f"the loader says {rest}, the model {texts}")
        if status != fatal[0]["status"] and status not in [p["status"] for p in fatal]:
            differences.append(f"exit status {status}, the model {[p['status'] for p in fatal]}")
        return differences
    if bool(fatal) == started:
        differences.append(f"started: {started}; the loader says {rest}, the model {fatal}")
        return differences
    real, said = loaded(lines[0]), modelled(answer["objects"])
    if real != said:
        differences.append(f"loaded: {real}, the model {said}")
    for i, opened in enumerate(answer["dlopen"]):
        line = lines[i + 1] if i + 1 < len(lines) else None
        ends = [p for p in opened["problems"] if p["effect"] == "ends program"]
        fails = [p for p in opened["problems"] if p["effect"] == "fails dlopen"]
        if line is None:
            if status in (-signal.SIGBUS, -signal.SIGSEGV) and [
                    p for p in opened["problems"] if p["signal"]]:
                break
            if not any(p["text"] in rest for p in ends):
                differences.append(f"dlopen {i}: ended by {status} {rest}, the model {opened}")
            break
        if line.startswith("FAILED"):
            text = line.split("\t", 1)[1]
            if text not in [p["text"] for p in fails]:
                differences.append(f"dlopen {i}: the loader says {text}, the model "
                                   f"{[p['text'] for p in opened['problems']]}")
        elif ends or fails:
            differences.append(f"dlopen {i}: it works; the model says {opened['problems']}")
            break
        else:
            said = said + modelled(opened["objects"])
            if loaded(line) != said:
                differences.append(f"dlopen {i}: {loaded(line)}, the model {said}")
            may += [p for p in opened["problems"] if p["effect"] == "if used"]
    for file in bound_to(trace):
        known = said + [p["path"] for one in answer["dlopen"] for p in one["objects"]]
        if is_own(file) and file != layout.program and file not in known:
            differences.append(f"a symbol is bound to {file}, which the model does not have")
    return differences


def winners_of_loader(result):
    """{name of a library of ours: the file that was loaded, or None}; None: it did not start."""
    lines = result[1].splitlines()
    if not lines:
        return None
    return set(loaded(lines[0]))


def winners_of_libtree(libtree, layout):
    """The files that libtree finds for the same program and environment."""
    try:
        done = subprocess.run([libtree, "-pvvv", layout.program], env=layout.environment,
                              cwd=layout.top, capture_output=True, text=True, errors="replace",
                              timeout=10)
    except subprocess.TimeoutExpired:
        return set(), False  # it follows some circles of NEEDED without an end
    files, missing = set(), "not found" in done.stdout
    for line in done.stdout.splitlines():
        words = line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()
        for word in words:
            if word.startswith("/"):
                files.add(os.path.normpath(word))
                break
    return files, missing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--layouts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--libtree", action="store_true")
    options = parser.parse_args()
    if shutil.which(CC) is None:
        print(f"no compiler: {CC}")
        return 1
    rng = random.Random(options.seed)
    print(f"seed {options.seed}, {options.layouts} layouts")
    top = os.path.realpath(tempfile.mkdtemp(prefix="layouts"))
    libtree = shutil.which("libtree") if options.libtree else None
    if options.libtree and libtree is None:
        print("libtree is not installed: not compared")
    different = started = refused = opened = 0
    agree = {"model": 0, "libtree": 0}
    compared = 0
    model = subprocess.Popen([options.model], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True, errors="replace")
    try:
        kit = Kit(os.path.join(top, "kit"), rng)
        for number in range(options.layouts):
            layout = Layout(kit, random.Random(f"{options.seed}/{number}"),
                            os.path.join(top, f"layout{number}"))
            model.stdin.write(json.dumps(layout.request()) + "\n")
            model.stdin.flush()
            answer = json.loads(model.stdout.readline())
            result = layout.run()
            differences = compare(layout, answer, result)
            has_started = result[1].startswith("START")
            started += has_started
            refused += not has_started
            opened += len(layout.opens)
            if libtree:
                compared += 1
                agree["model"] += not differences
                real = winners_of_loader(result)
                files, missing = winners_of_libtree(libtree, layout)
                real_files = {os.path.normpath(path) for path in real or ()}
                agree["libtree"] += (not missing and real_files <= files) if has_started else missing
            if differences:
                different += 1
                print(f"DIFFERENT layout {number} {json.dumps(layout.request())}")
                for line in differences:
                    print(f"  {line}")
            shutil.rmtree(layout.top)
    finally:
        model.stdin.close()
        model.wait()
        shutil.rmtree(top, ignore_errors=True)
    print(f"{options.layouts} layouts: {started} started, {refused} did not, {opened} calls of "
          f"dlopen; {different} differences")
    if compared:
        print("agrees with the loader   layouts   share")
        for name, count in agree.items():
            print(f"{name:24} {count:7}   {100 * count / compared:5.1f} %")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
