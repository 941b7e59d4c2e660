#!/usr/bin/env python3
"""Each fault as a drift: a baseline of the machine before it, and the machine after it.

    drift.py [--doctor PATH] [--only WORD]

A fault whose root cause is a state of the machine has to be found: the difference is a drift, its
likely causes have the root cause, and that one's keys stand first. What a log alone shows, or what
was so before, no difference shows (UNSEEN says which, and why). Whatever else is said, no likely
cause may be one that the report does not have. Exits 1 where one is wrong.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import capture
import catalogue

# Root causes that no state of the machine shows, as far as a baseline holds it.
UNSEEN = {
    "VG309": "what a child had that lives for a second",
    "VG902": "what happens when a model is loaded",
}


def run(doctor, *arguments):
    return subprocess.run([doctor, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False)


def judge(doctor, case, folder):
    before, after = os.path.join(folder, "before"), os.path.join(folder, "after")
    capture.write(case.make(), before)
    capture.write(case.host(), after)
    baseline = os.path.join(folder, "a.baseline.json")
    saved = run(doctor, "baseline", "save", "--root", before, "-o", baseline)
    if saved.returncode != 0:
        return ["save: exit %d: %s" % (saved.returncode, saved.stderr.decode()[:300])]
    ran = run(doctor, "diff-against-baseline", baseline, "--root", after, "--format", "json")
    if ran.returncode not in (0, 1, 3):
        return ["diff: exit %d: %s" % (ran.returncode, ran.stderr.decode()[:300])]
    found = json.loads(ran.stdout)
    report = json.loads(run(doctor, "check", "--root", after, "--format", "json").stdout)
    wrong = []
    ruled_out = {item["code"] for item in report["ruled_out"]}
    for change in found["changes"]:
        for code in change["may_cause"]:
            if code in ruled_out:
                wrong.append("%s may cause %s, which is contradicted" % (change["key"], code))
    stands = {item["code"] for part in ("root_causes", "latent") for item in report[part]}
    likely = [cause["code"] for cause in found["likely_cause"]]
    if set(likely) - stands:
        wrong.append("%s is likely and does not stand" % (set(likely) - stands))
    roots = [item["code"] for item in report["root_causes"]]
    expected = [code for code in roots if code not in UNSEEN]
    if case.kind == "fault" and expected and roots == case.label["root_causes"]:
        keys = [change["key"] for change in found["changes"] if change["kind"] != "not_observed"]
        if ran.returncode != 1:
            wrong.append("%s, wanted drift" % found["verdict"])
        elif not set(expected) & set(likely):
            wrong.append("likely are %s, wanted one of %s; differs: %s" % (likely, expected, keys))
        elif keys[0] not in found["likely_cause"][0]["because"]:
            wrong.append("first is %s, and %s has %s" % (
                keys[0], likely[0], found["likely_cause"][0]["because"]))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--doctor", default=os.environ.get("VGPU_DOCTOR", "vgpu-doctor"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    doctor = os.path.abspath(options.doctor)
    chosen = [case for case in catalogue.CASES
              if case.change is not None and options.only in "%s %s" % (case.title, case.kind)]
    folder = tempfile.mkdtemp(dir=capture.scratch())

    def one(item):
        number, case = item
        place = os.path.join(folder, str(number))
        os.mkdir(place)
        try:
            return case, judge(doctor, case, place)
        except Exception as error:  # A case that cannot be judged is one that is wrong.
            return case, ["%s: %s" % (type(error).__name__, error)]
        finally:
            shutil.rmtree(place, ignore_errors=True)
    try:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            results = list(pool.map(one, enumerate(chosen)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    failed = [(case, wrong) for case, wrong in results if wrong]
    for case, wrong in failed:
        print("%s\n  %s" % (case.title, "\n  ".join(wrong)))
    print("%d cases, %d wrong" % (len(results), len(failed)))
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
