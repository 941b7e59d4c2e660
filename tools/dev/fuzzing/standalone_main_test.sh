#!/bin/bash
# Runs a faulty fuzz target: every way of failing must fail the process and leave the
# input behind.
#
#   standalone_main_test.sh PATH_OF_FAULTY
set -u

faulty=$PWD/$1
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# run NAME INPUT [VARIABLE=VALUE...]: output in NAME/output, exit status in $status.
run() {
  local name=$1 input=$2
  shift 2
  mkdir -p "$TEST_TMPDIR/$name/kept"
  printf '%s' "$input" >"$TEST_TMPDIR/$name/seed"
  (cd "$TEST_TMPDIR/$name" &&
    env TEST_UNDECLARED_OUTPUTS_DIR="$TEST_TMPDIR/$name/kept" "$@" "$faulty" seed) \
    >"$TEST_TMPDIR/$name/output" 2>&1
  status=$?
}

# expect_kept NAME: exactly one input was kept, and the output says where.
expect_kept() {
  local kept=("$TEST_TMPDIR/$1/kept/"*)
  [[ ${#kept[@]} == 1 && -f ${kept[0]} ]] || fail "$1: no input was kept"
  grep -qF "fuzz: failing input: ${kept[0]}" "$TEST_TMPDIR/$1/output" ||
    fail "$1: the path of the input was not printed: $(cat "$TEST_TMPDIR/$1/output")"
  kept_input=${kept[0]}
}

run harmless 'nothing to see' FUZZ_RUNS=500
[[ $status == 0 ]] || fail "harmless: exit status $status"
grep -qxF 'fuzz: ran 1 corpus files, the empty input and 500 mutations' \
  "$TEST_TMPDIR/harmless/output" || fail "harmless: $(cat "$TEST_TMPDIR/harmless/output")"

for way in abort fault overflow hang; do
  run "$way" "$way"$'\n' FUZZ_TIMEOUT=1
  [[ $status != 0 ]] || fail "$way: the target passed"
  expect_kept "$way"
  cmp -s "$kept_input" "$TEST_TMPDIR/$way/seed" || fail "$way: another input was kept"
done
grep -qF 'an input takes too long' "$TEST_TMPDIR/hang/output" || fail "hang: it is not named"

# The corpus file itself is harmless; a neighbour of it is not.
run neighbour $'seed\n' FUZZ_RUNS=20000
[[ $status != 0 ]] || fail "neighbour: 20000 mutations did not find it"
expect_kept neighbour
first=$(head -c 5 "$kept_input" | od -An -tx1)
run neighbour_again $'seed\n' FUZZ_RUNS=20000
expect_kept neighbour_again
[[ $(head -c 5 "$kept_input" | od -An -tx1) == "$first" ]] || fail "two runs found different inputs"

(cd "$TEST_TMPDIR" && "$faulty" no-such-file) >/dev/null 2>&1
[[ $? == 2 ]] || fail "a corpus file that is missing was not reported"

[[ $failures == 0 ]]
