#!/usr/bin/env bash
# The reports of the tests keep to the published schema, and the schema is no formality:
# it refuses what the contract does not allow.
#
#   schema_test.sh VALIDATOR SCHEMA REPORT...
set -euo pipefail

validator=$1 schema=$2
shift 2
reports=("$@")
failed=0

validate() { /usr/bin/python3 "$validator" "$schema" "$@"; }

validate "${reports[@]}" || failed=1

# refuses WHAT STATEMENT: the first report is refused once the statement has changed it.
broken=$(mktemp)
trap 'rm -f "$broken"' EXIT
refuses() {
  /usr/bin/python3 -c '
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
exec(sys.argv[2])
json.dump(report, open(sys.argv[3], "w", encoding="utf-8"))
' "${reports[0]}" "$2" "$broken"
  local status=0
  validate "$broken" >/dev/null || status=$?
  if ((status != 1)); then
    echo "The schema accepts $1 (exit status $status)."
    failed=1
  fi
}

refuses "a report without a verdict" 'del report["verdict"]'
refuses "a fourth verdict" 'report["verdict"] = "fine"'
refuses "another schema number" 'report["schema"] = "vgpu-doctor.report/2"'
refuses "an unknown era" 'report["subject"]["era"] = "D"'
refuses "an unknown source" 'report["host"]["source"] = "rumour"'
refuses "an unknown confidence" 'report["root_causes"][0]["confidence"] = "sure"'
refuses "a code of another form" 'report["root_causes"][0]["code"] = "VG-302"'
refuses "a root cause without evidence" 'report["root_causes"][0]["evidence"] = []'
refuses "a root cause without a fix key" 'del report["root_causes"][0]["fix"]'
refuses "evidence without a source" 'del report["root_causes"][0]["evidence"][0]["source"]'
refuses "line 0" 'report["root_causes"][0]["evidence"][0]["line"] = 0'
refuses "a consequence that nothing explains" 'report["consequences"][0]["explained_by"] = []'
refuses "a time without a zone" 'report["timeline"][0]["time"] = "2026-02-24T09:41:02"'
refuses "a problem without a root cause" 'report["root_causes"] = []'
refuses "a healthy host with a root cause" 'report["verdict"] = "healthy"'

# Keys may be added.
/usr/bin/python3 -c '
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
report["subject"]["added"] = report["added"] = 1
json.dump(report, open(sys.argv[2], "w", encoding="utf-8"))
' "${reports[0]}" "$broken"
validate "$broken" || failed=1

exit "$failed"
