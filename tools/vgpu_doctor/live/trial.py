"""A fault, or some at once, tried: a healthy machine is broken, diagnosed, repaired and taken back.

What is expected of each: `check` names the cause, as the first root cause or, of a machine on which
discovery still works, beside a healthy verdict; `verify`, which does what discovery does, does not
say of a machine without a GPU that all is well; neither changes a file. The repair is what a person
does: the commands of the first cause, then `verify`, which must prove it, and `check` again, until
it says healthy. When the service's configuration for the shims is removed, nothing is left but what
the fault itself made, and files that a command of the repair named.
"""

import collections
import time

import faults
import machine

Outcome = collections.namedtuple(
    "Outcome", "code name place named first tried repaired proved seconds wrong")
PARTS = ("root_causes", "latent", "notes", "consequences")

# After so many repairs a person would ask somebody else.
ROUNDS = 4


def title(broken_by, place):
    return " ".join((*(f"{fault.code} {fault.name}" for fault in broken_by), *place))


def row(outcome):
    """A line of the table."""
    return (f"{outcome.code:12} {outcome.name:50} {'/'.join(outcome.place):10} "
            f"{'named' if outcome.named else 'NOT NAMED':10}"
            f"{'first' if outcome.first else 'NOT FIRST':10}{outcome.tried:13}"
            f"{'repaired' if outcome.repaired else 'NOT REPAIRED':13}"
            f"{'proved' if outcome.proved else 'NOT PROVED':11}{outcome.seconds:5.1f} s")


def codes(report, part):
    return [item["code"] for item in report[part]]


def said(report):
    parts = "; ".join(f"{part}: {' '.join(codes(report, part))}" for part in PARTS if report[part])
    return f"{report['verdict']}: {report['headline']} ({parts})"


def changed(before, after):
    return sorted(path for path in {**before, **after} if before.get(path) != after.get(path))


def healthy(report):
    return report["verdict"] == "healthy" and not report["root_causes"]


def proof(result):
    """That discovery finds the GPU now, and at the next start: every step that it takes did, and
    what they say of the device agrees. What is missing for that; "" where nothing is."""
    if result["verdict"] != "healthy":
        return f"{result['verdict']}: {result['headline']}"
    if not result["next_start_is_the_same"] and len(result["runs"]) < 2:
        return "what the next start would get was not tried"
    apart = [comparison["what"] for run in result["runs"] for comparison in run["comparisons"]
             if not comparison["agree"]]
    if apart:
        return f"the steps do not agree about {apart}"
    if not any(comparison["what"] == "uuid" for comparison in result["runs"][0]["comparisons"]):
        return "no two steps named one device"
    return ""


class Repair:
    """What a person does who has the reports of a machine."""

    def __init__(self, host):
        self.host = host
        self.failed = []  # commands, and why
        self.told = ""    # all that was done: what it leaves was told
        self.by_hand = set()
        self.named = set()  # codes, by any report
        self.unproved = ""  # what the last verify lacked

    def by_commands(self, report):
        """Those of the first cause, as root, where the shims' package is unpacked."""
        for item in (report["root_causes"] or report["latent"])[:1]:
            for step in item.get("fix", []):
                command = step["command"]
                if command.startswith(("sudoedit ", "sudo systemctl edit ")):
                    self.failed.append(f"`{command}` is for a person: {step['why']}")
                    continue
                self.told += command + "\n"
                done = self.host.sh(
                    f'sudo() {{ "$@"; }}; cd {machine.PACKAGE}; {command}', check=False)
                if done.returncode != 0:
                    self.failed.append(f"`{command}` exits {done.returncode}: "
                                       f"{(done.stderr or done.stdout).strip()[-200:]}")

    def until_healthy(self, report, mends):
        """The commands, and `check` again: its last report."""
        for turn in range(ROUNDS):
            self.named.update(codes(report, "root_causes"), codes(report, "latent"))
            self.by_commands(report)
            if mends and turn == 0:
                before = self.host.changes()
                for mend in mends:
                    mend(self.host)
                self.by_hand = set(changed(before, self.host.changes()))
                self.host.restart()
            self.host.settle()
            self.unproved = proof(self.host.verify())
            report = self.host.check()
            if healthy(report):
                break
        return report


def attempt(broken_by, place):
    """`broken_by` is a fault, or some at once: then the first is the one to act on first, and each
    is named before all is well."""
    begin = time.monotonic()
    fault = broken_by[0]
    wrong = []
    with machine.Machine(*place) as host:
        packaged = host.changes()
        if "library=cuda" not in host.install().lower():
            wrong.append(f"it was not healthy before: {host.log()[-800:]}")
        well = host.changes()
        for each in broken_by:
            each.breaks(host)
        host.settle()
        broken = host.changes()

        report = host.check()
        if changed(broken, host.changes()):
            wrong.append(f"check changed {changed(broken, host.changes())}")
        found = codes(report, fault.part)
        named, first = fault.code in found, found[:1] == [fault.code]
        if not named or (fault.part == faults.ROOT and not first):
            wrong.append(f"it said {said(report)}")
        elif fault.part != faults.ROOT and report["root_causes"]:
            wrong.append(f"discovery works, and it said {said(report)}")

        tried = host.verify()["verdict"]
        if changed(broken, host.changes()):
            wrong.append(f"verify changed {changed(broken, host.changes())}")
        if fault.part == faults.ROOT and not fault.beyond and tried == "healthy":
            wrong.append("verify said that all is well before the repair")

        repair = Repair(host)
        report = repair.until_healthy(report, [each.mend for each in broken_by if each.mend])
        repaired = healthy(report)
        for each in broken_by[1:]:
            if each.code not in repair.named:
                named = False
                wrong.append(f"{each.code} was never named")
        if repair.unproved:
            wrong.append(f"after the repair verify said {repair.unproved}")
        if not repaired:
            wrong += [f"after the repair it said {said(report)} {host.discovered()}",
                      *repair.failed]

        host.remove()
        made = {*changed(packaged, well), *changed(well, broken), *repair.by_hand}
        left = [path for path in changed(packaged, host.changes())
                if path not in made and path not in repair.told]
        if left:
            wrong.append(f"it left {left}")
    return Outcome("+".join(each.code for each in broken_by),
                   " and ".join(each.name for each in broken_by), place, named, first,
                   tried, repaired, not repair.unproved, time.monotonic() - begin, wrong)

