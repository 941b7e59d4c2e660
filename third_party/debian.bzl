"""Bazel's view of libraries that the package manager installed.

A repository made by `debian_library` holds links to the static archives of one
package and cc_library targets under the names that the project has in the Bazel
world. Headers need no link: they stand in /usr/include, which is a built-in
include directory of the compiler.
"""

# Where Debian puts archives. The first that exists is the machine's own.
_LIBRARY_DIRS = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
]

_BUILD_HEADER = "package(default_visibility = [\"//visibility:public\"])\n"

_TARGET = """
cc_library(
    name = "{name}",
    linkopts = {linkopts},
    deps = {deps},
)
"""

# Archives of one package may need each other in both directions, so they are
# linked as one group; the linker takes only the members that are used.
_ARCHIVES = """
cc_library(
    name = "archives",
    linkopts = ["-Wl,--start-group"] + ["{dir}/" + a for a in {archives}] + ["-Wl,--end-group"],
)
"""

def _fail_missing(name, what, package):
    fail("@{}: {} is not there: install the Debian package {} (tools/dev/setup does)".format(
        name,
        what,
        package,
    ))

def _library_dir(ctx):
    for candidate in _LIBRARY_DIRS:
        if ctx.path(candidate).exists:
            return candidate
    return _LIBRARY_DIRS[0]

def _debian_library_impl(ctx):
    header = "/usr/include/" + ctx.attr.header
    if not ctx.path(header).exists:
        _fail_missing(ctx.name, header, ctx.attr.package)
    library_dir = _library_dir(ctx)
    archives = []
    for pattern in ctx.attr.archives:
        prefix, _, suffix = pattern.partition("*")
        found = [
            entry.basename
            for entry in ctx.path(library_dir).readdir()
            if entry.basename == pattern or
               ("*" in pattern and entry.basename.startswith(prefix) and entry.basename.endswith(suffix))
        ]
        if not found:
            _fail_missing(ctx.name, library_dir + "/" + pattern, ctx.attr.package)
        archives += found

    packages = {"": []}
    for label in ctx.attr.targets:
        package, _, name = label.partition(":")
        packages.setdefault(package, []).append(name)
    for package, names in packages.items():
        content = _BUILD_HEADER
        if package == "":
            content += _ARCHIVES.format(dir = library_dir, archives = sorted(archives))
        for name in names:
            extra = ctx.attr.target_archives.get(name)
            content += _TARGET.format(
                name = name,
                linkopts = ([library_dir + "/" + extra] if extra else []) + ctx.attr.linkopts,
                deps = ["//:archives"] + ctx.attr.library_deps,
            )
        ctx.file((package + "/" if package else "") + "BUILD.bazel", content)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))

debian_library = repository_rule(
    implementation = _debian_library_impl,
    local = True,
    doc = "A library from a Debian -dev package, linked statically.",
    attrs = {
        "package": attr.string(mandatory = True, doc = "the Debian package, for messages"),
        "header": attr.string(mandatory = True, doc = "a header below /usr/include that shows that it is installed"),
        "archives": attr.string_list(doc = "archive names; one `*` stands for any text"),
        "targets": attr.string_list(mandatory = True, doc = "package:name of each target"),
        "target_archives": attr.string_dict(doc = "target name: an archive of its own (a main function)"),
        "library_deps": attr.string_list(doc = "what every target needs besides"),
        "linkopts": attr.string_list(),
    },
)

def _files_repository_impl(ctx):
    for label, path in ctx.attr.files.items():
        ctx.symlink(label, path)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))

files_repository = repository_rule(
    implementation = _files_repository_impl,
    local = True,
    doc = "A repository made of this repository's own files.",
    attrs = {
        "files": attr.label_keyed_string_dict(mandatory = True, doc = "file: its place here"),
    },
)
