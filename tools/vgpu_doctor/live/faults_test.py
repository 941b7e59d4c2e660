#!/usr/bin/python3 -B
"""Breaks a real systemd with a real service on purpose, live, for vgpu-doctor to say what is wrong.

    faults_test.py [--all] [--only WORD]

Prints a table. Without --all it is a selection that ends within three minutes: for every layer the
faults that come about most, on the real Ollama and on a later era. `--only` takes a code, a word
of a fault's name or of a place ("B preload").
"""

import argparse
import os
import sys
import unittest

sys.path[:0] = [os.path.abspath(name) for name in ("tools/testing", "tools/vgpu_doctor/live")]
import cases  # noqa: E402
import faults  # noqa: E402
import trial  # noqa: E402


class Faults(unittest.TestCase):
    """A case for each fault and place."""


def _case(broken_by, place):
    def test(self):
        outcome = trial.attempt(broken_by, place)
        print(trial.row(outcome), flush=True)
        if outcome.wrong:
            self.fail("\n".join([*(fault.story for fault in broken_by), *outcome.wrong]))
    return test


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    suite = unittest.TestSuite()
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
