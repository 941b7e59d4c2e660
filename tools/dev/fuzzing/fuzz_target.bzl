"""fuzz_target: one fuzz function, run by every `bazel test` and by libFuzzer.

    load("//tools/dev/fuzzing:fuzz_target.bzl", "fuzz_target")

    fuzz_target(
        name = "environ_fuzz",
        srcs = ["environ_fuzz.cc"],
        corpus = glob(["testdata/environ_corpus/*"]),
        deps = [":environ"],
    )

The sources define libFuzzer's entry point and abort where an invariant is broken:

    extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

The same target is built in one of two ways:

  by default      a cc_test with a main function of our own (standalone_main.cc). It
                  replays the corpus and then a bounded, repeatable number of
                  mutations: seconds, with any compiler, with or without sanitizers.
                  A failing input is kept under TEST_UNDECLARED_OUTPUTS_DIR and its
                  path is printed.
  --config=fuzz   clang's libFuzzer. `bazel test` replays the corpus; a campaign runs
                  the program with a directory:
                      bazel build --config=fuzz //diag/procfs:environ_fuzz
                      bazel-bin/diag/procfs/environ_fuzz -max_total_time=600 DIR

Every target carries the tag `fuzz`:

    bazel query 'attr(tags, "\\bfuzz\\b", //...)'
"""

load("@rules_cc//cc:defs.bzl", "cc_test")

def fuzz_target(name, srcs, deps, corpus = [], dictionary = None, tags = [], **kwargs):
    """A cc_test called `name` that feeds inputs to a fuzz function.

    Args:
      name: name of the test.
      srcs: the file with LLVMFuzzerTestOneInput.
      deps: what it tests.
      corpus: seed files, a few small ones; all are replayed before anything else.
      dictionary: one file in libFuzzer's dictionary format: lines of "token", with
        \\xNN, \\\\ and \\" escapes. Mutations insert the tokens.
      tags: besides `fuzz`.
      **kwargs: for the cc_test.
    """
    dictionary_args = ["-dict=$(location {})".format(dictionary)] if dictionary else []
    cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        # libFuzzer takes the same arguments: it replays the files that it is given.
        args = dictionary_args + ["$(location {})".format(entry) for entry in corpus],
        data = corpus + ([dictionary] if dictionary else []),
        linkopts = select({
            "//tools/dev/fuzzing:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        tags = ["fuzz"] + tags,
        deps = deps + select({
            "//tools/dev/fuzzing:libfuzzer": [],
            "//conditions:default": ["//tools/dev/fuzzing:standalone_main"],
        }),
        **kwargs
    )
