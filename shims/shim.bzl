"""Rules for code that runs inside other people's programs.

A shim needs the C library and nothing else: no C++ runtime is forced on a program that
loads it. So its code is C++20 without exceptions, RTTI and guarded statics, uses of the
standard library what is in headers alone and cannot throw, and is linked with
--as-needed: shims/shim_test.py holds that libstdc++ is not among what it needs, and that
no constructor of ours runs when it is loaded.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")

SHIM_COPTS = [
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-fno-semantic-interposition",
]

def shim_library(name, copts = [], **kwargs):
    """A cc_library that can become part of a shim, or of a test."""
    cc_library(
        name = name,
        copts = SHIM_COPTS + copts,
        # What is hidden cannot be linked from a shared library, which is what Bazel would
        # make of it for tests.
        linkstatic = True,
        **kwargs
    )

def shim(name, soname, exports, deps, linkopts = [], **kwargs):
    """One of the shared libraries that a guest loads: lib<name>.so, and its test.

    Args:
      name: of the file, without "lib" and ".so": "vgpu-cuda".
      soname: what the loader knows it by: "libcuda.so.1".
      exports: the version script. What it does not name stays inside.
      deps: shim_libraries; one that defines exported functions is alwayslink.
      linkopts: further ones.
      **kwargs: of cc_binary.
    """
    cc_binary(
        name = "lib" + name + ".so",
        additional_linker_inputs = [exports],
        linkopts = [
            "-Wl,--as-needed",
            "-Wl,-z,defs",
            "-Wl,-soname," + soname,
            "-Wl,--version-script=$(location " + exports + ")",
        ] + linkopts,
        linkshared = True,
        # Its own tests, and those of the tools that hand it to programs.
        visibility = [
            "//shims:__subpackages__",
            "//tools:__subpackages__",
        ],
        deps = deps,
        **kwargs
    )
    native.sh_test(
        name = name + "_shim_test",
        size = "small",
        srcs = ["//shims:shim_test.py"],
        args = [
            "$(location :lib" + name + ".so)",
            soname,
        ] + select({
            "//:sanitized": ["--sanitized"],
            "//conditions:default": [],
        }),
        data = [
            ":lib" + name + ".so",
            "//tools/testing:cases",
        ],
    )
