#!/usr/bin/python3 -B
"""Makes the Debian packages of what is built.

    assemble.py BUILT DIRECTORY

BUILT holds the files that files.txt names, as bazel-bin does; texts come from the sources. The
packages go into DIRECTORY. Their bytes depend on nothing but those files: every time is that of the
newest entry of the changelog, every owner root, every order the names'.
"""

import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from email.utils import parsedate_to_datetime

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.abspath(os.path.join(HERE, "../../.."))
KINDS = ("program", "library", "manual", "printed", "text")


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                               **options.pop("env", {})}, **options).stdout.strip()


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def table():
    """(package, kind, source, place) of files.txt."""
    rows = [line.split() for line in read("files.txt").splitlines()
            if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) != 4 or row[1] not in KINDS:
            sys.exit(f"assemble: files.txt: {' '.join(row)}: no such line is known")
    return rows


class Packages:
    def __init__(self, built, directory):
        self.built, self.directory = built, directory
        self.architecture = run("dpkg", "--print-architecture")
        self.triplet = run("dpkg-architecture", "-qDEB_HOST_MULTIARCH")
        newest = re.match(r"\S+ \((\S+)\) .*?^ -- (.*?)  (.*?)$", read("changelog"), re.S | re.M)
        self.version, self.maintainer = newest[1], newest[2]
        self.time = int(parsedate_to_datetime(newest[3]).timestamp())
        # dpkg-shlibdeps wants a package to lie in debian/, beside a control file of its source.
        self.stand = tempfile.mkdtemp(prefix="packages.")
        self.work = os.path.join(self.stand, "debian")
        os.mkdir(self.work)

    def path(self, package, *names):
        path = os.path.join(self.work, package, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def expand(self, text):
        return text.replace("@TRIPLET@", self.triplet).replace("@VERSION@", self.version)

    def source(self, name):
        for root in (self.built, SOURCES):
            if os.path.exists(os.path.join(root, name)):
                return os.path.join(root, name)
        sys.exit(f"assemble: {name}: neither built nor a source")

    def write(self, path, content, mode=0o644):
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)

    def compressed(self, path, text):
        self.write(path, gzip.compress(text.encode(), 9, mtime=0))

    def stripped(self, package, kind, source, place):
        """Copies an object without its symbols, which go to the package with -dbg."""
        path = self.path(package, place)
        shutil.copyfile(source, path)
        build_id = re.search(r"Build ID: ([0-9a-f]{40})", run("readelf", "-n", path))
        if not build_id:
            sys.exit(f"assemble: {source}: it has no build id")
        symbols = self.path(package + "-dbg", "usr/lib/debug/.build-id", build_id[1][:2],
                            build_id[1][2:] + ".debug")
        run("objcopy", "--only-keep-debug", "--compress-debug-sections", path, symbols)
        os.chmod(symbols, 0o644)
        run("strip", "--strip-all" if kind == "program" else "--strip-unneeded",
            "--remove-section=.comment", "--remove-section=.note", path)
        os.chmod(path, 0o755 if kind == "program" else 0o644)
        if kind == "library":
            self.link_sonames(path)

    def link_sonames(self, path):
        """As shims/lay_out does: the names by which programs open a library."""
        name, directory = os.path.basename(path), os.path.dirname(path)
        soname = re.search(r"Library soname: \[(.*)\]", run("readelf", "-d", path))[1]
        if soname != name:
            os.symlink(name, os.path.join(directory, soname))
        if soname in ("libcuda.so.1", "libnvidia-ml.so.1"):
            os.symlink(soname, os.path.join(directory, soname.removesuffix(".1")))

    def add(self, package, kind, source, place):
        program, *words = source.split("@")
        source, place = self.source(program), self.expand(place)
        if kind in ("program", "library"):
            self.stripped(package, kind, source, place)
        elif kind == "manual":
            self.compressed(self.path(package, place), run(source, *words) + "\n")
        elif kind == "printed":
            self.write(self.path(package, place), run(source, *words) + "\n")
        else:
            with open(source, encoding="utf-8") as file:
                self.write(self.path(package, place), self.expand(file.read()))

    def depends(self, package):
        """On the packages whose libraries its objects need, in the versions that they need."""
        objects = [path for path in self.files(package)
                   if not os.path.islink(path) and "/usr/lib/debug/" not in path and
                   open(path, "rb").read(4) == b"\x7fELF"]
        dynamic = [path for path in objects if "NEEDED" in run("readelf", "-d", path)]
        if not dynamic:
            return ""
        control = os.path.join(self.work, "control")
        self.write(control, f"Source: vgpu\n\nPackage: {package}\nArchitecture: any\n")
        said = run("dpkg-shlibdeps", "-O", *(f"-e{os.path.relpath(path, self.stand)}"
                                             for path in dynamic), cwd=self.stand)
        os.remove(control)
        return said.partition("shlibs:Depends=")[2]

    def files(self, package):
        return sorted(path for path in glob.glob(os.path.join(self.work, package, "**"),
                                                 recursive=True, include_hidden=True)
                      if not os.path.isdir(path) or os.path.islink(path))

    def finish(self, package):
        doc = f"usr/share/doc/{package}"
        self.write(self.path(package, doc, "copyright"), read("copyright"))
        self.compressed(self.path(package, doc, "changelog.gz"), read("changelog"))
        overrides = os.path.join(HERE, package, "lintian-overrides")
        if os.path.exists(overrides):
            self.write(self.path(package, "usr/share/lintian/overrides", package),
                       read(f"{package}/lintian-overrides"))
        content = self.files(package)
        sums = [line.replace(os.path.join(self.work, package) + "/", "")
                for line in run("md5sum", *(path for path in content
                                            if not os.path.islink(path))).splitlines()]
        self.write(self.path(package, "DEBIAN", "md5sums"), "\n".join(sums) + "\n")
        needs = self.depends(package)  # after the above: where a package begins, DEBIAN/ says
        size = sum(-(-os.lstat(path).st_size // 1024) for path in content)
        fields = [f"Package: {package}", "Source: vgpu", f"Version: {self.version}",
                  f"Architecture: {self.architecture}", f"Maintainer: {self.maintainer}",
                  f"Installed-Size: {size}"]
        if needs:
            fields.append(f"Depends: {needs}")
        self.write(self.path(package, "DEBIAN", "control"),
                   "\n".join(fields) + "\n" + self.expand(read(f"{package}/control")))
        for directory, _, names in os.walk(os.path.join(self.work, package), topdown=False):
            os.chmod(directory, 0o755)
            for path in (*(os.path.join(directory, name) for name in names), directory):
                os.utime(path, (self.time, self.time), follow_symlinks=False)
        run("dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", os.path.join(self.work, package),
            self.directory, env={"SOURCE_DATE_EPOCH": str(self.time)})

    def make(self):
        os.makedirs(self.directory, exist_ok=True)
        try:
            rows = table()
            for row in rows:
                self.add(*row)
            for package in sorted(os.listdir(self.work)):
                self.finish(package)
        finally:
            shutil.rmtree(self.stand)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.umask(0o022)
    Packages(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])).make()
