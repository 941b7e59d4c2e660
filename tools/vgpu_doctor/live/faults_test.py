#!/usr/bin/python3 -B
"""Breaks a real systemd with a real service on purpose, live, for vgpu-doctor to say what is wrong.

    faults_test.py [--all] [--only WORD]

Prints a table: the fault and where it was made; whether `check` named it, and first; what `verify`
said before the repair; whether the repair repaired, and `verify` proved it. What is not made is in
it with its reason. Without --all it is a selection that ends within three minutes: for every layer the
faults that come about most, on the real Ollama and on a later era. `--only` takes a code, a word
of a fault's name or of a place ("B preload").
"""

import argparse
import json
import os
import subprocess
import sys
import unittest

sys.path[:0] = [os.path.abspath(name) for name in ("tools/testing", "tools/vgpu_doctor/live")]
import cases  # noqa: E402
import faults  # noqa: E402
import trial  # noqa: E402


class Faults(unittest.TestCase):
    """A case for each fault and place."""

    def test_every_cause_is_made_or_said_not_to_be(self):
        listed = subprocess.run(["tools/vgpu_doctor/vgpu-doctor", "list-causes", "--format",
                                 "json"], capture_output=True, text=True, check=True)
        causes = {cause["code"] for cause in json.loads(listed.stdout)["causes"]
                  if cause["code"][2] in faults.LAYERS}
        made = {fault.code for fault in faults.FAULTS}
        self.assertEqual(causes - made, set(faults.NOT_MADE))
        self.assertEqual(made - causes, set())
        for code, reason in faults.NOT_MADE.items():
            print(f"{code:12} {'':50} {'':10} not made: {reason}", flush=True)


def _case(broken_by, place):
    def test(self):
        outcome = trial.attempt(broken_by, place)
        print(trial.row(outcome), flush=True)
        if outcome.tried == "healthy" and broken_by[0].beyond:
            print(f"{'':12} (verify, before: {broken_by[0].beyond})", flush=True)
        if outcome.wrong:
            self.fail("\n".join([*(fault.story for fault in broken_by), *outcome.wrong]))
    return test


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    suite = unittest.TestSuite()
    if not arguments.only:
        suite.addTest(Faults("test_every_cause_is_made_or_said_not_to_be"))
    every = [((fault,), place) for fault in faults.FAULTS for place in fault.places]
    unknown = faults.SHORT - {(fault.name, place) for (fault,), place in every}
    if unknown:
        sys.exit(f"the selection names what is in no table: {unknown}")
    for broken_by, place in every + faults.PAIRS:
        title = trial.title(broken_by, place)
        short = all((fault.name, place) in faults.SHORT for fault in broken_by)
        if arguments.only in title if arguments.only else arguments.all or short:
            name = "test " + title
            setattr(Faults, name, _case(broken_by, place))
            suite.addTest(Faults(name))
    cases.run(suite)


if __name__ == "__main__":
    main()
