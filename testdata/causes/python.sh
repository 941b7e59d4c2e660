#!/bin/sh
# Runs a script of this directory: Bazel 4.2's own py_test asks for a program named "python",
# which Debian does not have.
exec python3 "$@"
