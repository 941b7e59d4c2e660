#!/usr/bin/env bash
# Writes pages as initialisers of C++: {"VG302", R"page(its text)page"}, one for each file.
#
#   embed.sh VG302.md guides/library-cpu.md ... > pages.inc
set -euo pipefail

for file in "$@"; do
  if grep -qF ')page"' "$file"; then
    printf '%s: has )page" in it, which would end the C++ string\n' "$file" >&2
    exit 1
  fi
  name=${file##*/}
  # Command substitution takes the last line's end away.
  printf '{"%s", R"page(%s\n)page"},\n' "${name%.md}" "$(cat "$file")"
done
