#!/usr/bin/env python3
"""Judges every case with vgpu-doctor and compares what it says with the case's label.

    run.py [--doctor PATH] [--only WORD] [--keep DIR] [--matrix] [--damage N] [--list]

`--only` takes a code, a kind (fault, neighbour, healthy) or a part of a case's name. `--matrix`
judges pairs of faults besides (pairs.py), `--damage` trees that lost a piece (damage.py; 0 is
every piece of every tree, which takes half an hour). Exits 1 where a report differs from its label.
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
import damage
import pairs


def judge(doctor, case, root):
    host = case.host()
    capture.write(host, root)
    ran = subprocess.run([doctor, "check", "--root", root, "--format", "json"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        return ["no report (exit %d): %s" % (ran.returncode,
                                             ran.stderr.decode(errors="replace")[:300])]
    return case.differences(report, ran.returncode)


def judge_all(doctor, chosen, folder, keep):
    def one(item):
        number, case = item
        name = "%04d-%s" % (number, "".join(c if c.isalnum() else "-" for c in case.title)[:70])
        root = os.path.join(folder, name)
        try:
            wrong = judge(doctor, case, root)
        except Exception as error:  # A case that cannot be built is reported as one that differs.
            wrong = ["%s: %s" % (type(error).__name__, error)]
        if keep:
            with open(root + ".label.json", "w") as out:
                json.dump(case.label, out, indent=1)
        else:
            shutil.rmtree(root, ignore_errors=True)
        return case, wrong
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(one, enumerate(chosen)))


def print_table(results):
    rows = {}
    for case, wrong in results:
        row = rows.setdefault(case.code, [0, 0, 0])
        row[0] += 1
        row[2 if wrong else 1] += 1
    print("%-18s %6s %6s %6s" % ("code", "cases", "right", "wrong"))
    for code in sorted(rows):
        print("%-18s %6d %6d %6d" % tuple([code] + rows[code]))
    total = [sum(row[i] for row in rows.values()) for i in range(3)]
    print("%-18s %6d %6d %6d" % tuple(["all"] + total))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--doctor", default=os.environ.get("VGPU_DOCTOR", "vgpu-doctor"))
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", help="leave the trees and labels here")
    parser.add_argument("--matrix", action="store_true",
                        help="pairs of faults, too; --only then takes a pair's codes as well")
    parser.add_argument("--damage", type=int, metavar="N",
                        help="N damaged trees, too; 0 is all")
    parser.add_argument("--seed", type=int, default=1, help="which damaged trees (default: 1)")
    parser.add_argument("--list", action="store_true", help="name the cases and judge none")
    arguments = parser.parse_args()
    chosen = [case for case in catalogue.CASES if arguments.only in case.title]
    if arguments.list:
        for case in chosen:
            print("%s: %s" % (case.title, case.label["story"]))
        return 0
    folder = arguments.keep or tempfile.mkdtemp(prefix="causes", dir=capture.scratch())
    os.makedirs(folder, exist_ok=True)
    try:
        results = judge_all(arguments.doctor, chosen, folder, arguments.keep)
        for case, wrong in results:
            for line in wrong:
                print("%s: %s" % (case.title, line))
        print_table(results)
        failed = any(wrong for _, wrong in results)
        if arguments.matrix:
            failed = pairs.judge(lambda chosen: judge_all(
                arguments.doctor, chosen, folder, arguments.keep), arguments.only) or failed
        if arguments.damage is not None:
            failed = damage.judge(arguments.doctor, chosen, folder, arguments.damage,
                                  arguments.seed) or failed
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
