#!/usr/bin/env bash
# Gives tally what Bazel says about a run, and reads what tally makes of it.
#
#   tally_test.sh PATH_OF_TALLY
set -u

tally=$PWD/$1
cd "$TEST_TMPDIR" || exit 1
failures=0

# expect WHAT STATUS LAST_LINE: what tally must say about the events so far.
expect() {
  local output status=0
  output=$(python3 "$tally" events "$bazel_status") || status=$?
  if [[ $status != "$2" || $(tail -n 1 <<<"$output") != "$3" ]]; then
    printf 'FAILED: %s: exit status %s, and it says:\n%s\n' "$1" "$status" "$output"
    failures=$((failures + 1))
  fi
}

# expect_says WHAT LINE: a line above the last.
expect_says() {
  python3 "$tally" events "$bazel_status" | grep -qxF -- "$2" && return
  printf 'FAILED: %s: nothing says: %s\n' "$1" "$2"
  failures=$((failures + 1))
}

new_run() {
  : >events
  bazel_status=$1
}

built() { printf '{"id":{"targetCompleted":{"label":"%s"}},"completed":{"success":true}}\n' "$1" >>events; }
unbuilt() { printf '{"id":{"targetCompleted":{"label":"%s"}},"aborted":{"reason":"x"}}\n' "$1" >>events; }

# ran LABEL STATUS [XML [ATTEMPT]]
ran() {
  local xml=''
  if [[ -n ${3-} ]]; then
    xml="$PWD/test $((++documents)).xml"
    printf '<?xml version="1.0"?><testsuites><testsuite name="s">%s</testsuite></testsuites>' "$3" >"$xml"
    xml='{"name":"test.xml","uri":"file://'${xml// /%20}'"}'
  fi
  printf '{"id":{"testResult":{"label":"%s","run":1,"shard":1,"attempt":%d}},"testResult":{"status":"%s","testActionOutput":[%s]}}\n' \
    "$1" "${4-1}" "$2" "$xml" >>events
}
documents=0

passing='<testcase name="Reads" classname="Elf" status="run"/>'
failing='<testcase name="Writes" classname="Elf" status="run"><failure message="no"/></testcase>'

new_run 0
built //diag/elf:elf_test
ran //diag/elf:elf_test PASSED "$passing<testcase name='Also' classname='Elf' status='run'/>"
ran //tools:script_test PASSED '<testcase name="tools/script_test" status="run"/>'
expect 'cases, not programs, are counted' 0 '3 passed, 0 failed'

ran //diag/gpu:gpu_test PASSED "<testcase name='Real' classname='Gpu' status='run' result='skipped'><skipped message='gpu_test.cc:12&#x0A;needs a device'/></testcase>"
expect 'a skipped case is neither' 0 '3 passed, 0 failed, 1 skipped'
expect_says 'a skipped case has its reason' 'SKIPPED //diag/gpu:gpu_test Gpu.Real: gpu_test.cc:12 needs a device'

ran //diag/gpu:off_test PASSED "<testcase name='DISABLED_Real' classname='Gpu' status='notrun'/>"
expect 'a disabled case has not passed' 0 '3 passed, 0 failed, 2 skipped'

new_run 3
ran //diag/elf:elf_test FAILED "$passing$failing"
expect 'a failed case does not take its neighbours along' 1 '1 passed, 1 failed'
expect_says 'a failed case is named' 'FAILED  //diag/elf:elf_test Elf.Writes'

new_run 3
ran //diag/elf:elf_test FAILED "$passing"
expect 'a leak that is found at the end of the program' 1 '1 passed, 1 failed'

new_run 3
ran //diag/elf:elf_test TIMEOUT
expect 'a program that left no XML' 1 '0 passed, 1 failed'

new_run 1
ran //diag/elf:elf_test PASSED "$passing"
unbuilt //diag/elf:other_test
expect 'what did not build has failed' 1 '1 passed, 1 failed'

new_run 1
ran //diag/elf:elf_test PASSED "$passing"
expect 'Bazel failed, and no event says of what' 1 '1 passed, 1 failed'

new_run 0
ran //diag/elf:elf_test FAILED "$failing" 1
ran //diag/elf:elf_test PASSED "$passing" 2
expect 'the last attempt counts' 0 '1 passed, 0 failed'

new_run 0
expect 'a run of nothing is a failure' 1 '0 passed, 1 failed'

new_run 0
ran //diag/elf:elf_test PASSED "$passing"
printf '{"id":{"testRes' >>events
expect 'a file that was cut off' 0 '1 passed, 0 failed'

[[ $failures == 0 ]]
