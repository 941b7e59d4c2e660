"""Two faults of different layers on one machine.

Both are shown as root causes where both act on the running process, the earlier layer first. Where
one keeps the other from acting (a service that does not run, a process that has no shims at all),
the other may stand in any list, or in none. A pair that cannot stand on one machine is skipped,
with the reason.
"""

import collections

import cases
import host as model
import ollama_log

# What a fault touches says what it does to another.
DOWN = {"state", "unit"}
SHOWS_A_DEVICE = {"outcome", "device", "ps", "launch", "vulkan"}
UNLOADS = {"environ", "unit.text", "program", "binds", "sandbox", "exec", "global", "manager",
           "stderr", "journal"}
LOADED = ("shim", "preload", "path", "visible", "llm", "library_path", "variant.cuda",
          "variant.cudart")
BLOCKS_CUDA = ("lib", "variant", "llm", "visible", "program", "exec", "environ", "sandbox", "pci",
               "nodes", "modules")
# With no backend that is opened, what would be wrong in its chain acts on nothing yet.
NO_BACKEND = {"VG501", "VG502", "VG503", "VG506", "VG508", "VG509"}
IN_THE_CHAIN = {"VG406", "VG408", "VG409", "VG415", "VG416", "VG417", "VG418"}
# What two faults together may bring besides: true of the machine, and explained by either.
FOLLOWS = {"VG307", "VG414", "VG418", "VG502", "VG504", "VG505", "VG601", "VG604", "VG701",
           "VG702", "VG704", "VG705", "VG707", "VG708"}
DOWN_FOLLOWS = {"VG301", "VG307"}


def _has(case, words):
    return any(touched == word or touched.startswith(word + ".")
               for touched in case.touches for word in words)


def _deployment(case):
    return (ollama_log.era(case.on["version"]), case.on.get("shape", model.PRELOAD),
            case.on.get("shims"))


def obstacle(first, second):
    """Why two faults cannot stand on one machine; empty where they can."""
    if _deployment(first) != _deployment(second):
        return "no common era and shape"
    common = first.touches & second.touches
    if common:
        return "both change " + sorted(common)[0]
    if "unit" in first.on and "unit" in second.on and first.on["unit"] != second.on["unit"]:
        return "shown on different units"
    if _has(first, DOWN) and _has(second, DOWN):
        return "both keep the service down"
    for one, other in ((first, second), (second, first)):
        loses = bool(other.label["root_causes"])
        if _has(one, SHOWS_A_DEVICE) and loses:
            return "one shows a device, which the other prevents"
        if one.touches & {"driver"} and _deployment(one)[0] != "A" and _has(other, BLOCKS_CUDA):
            return "one shows a code of CUDA, which the other keeps from running"
        if _has(one, DOWN) and _has(other, {"child", "stderr", "journal"}):
            return "one needs a process, which the other does not have"
    return ""


class Pair:
    """Looks as a Case to run.py."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.code = first.code + "+" + second.code
        self.title = "%s pair %s %s" % (self.code, first.name, second.name)
        self.must, self.flexible = self._expected()
        self.label = {"story": first.label["story"] + " " + second.label["story"],
                      "root_causes": self.must, "flexible": sorted(self.flexible)}

    def host(self):
        on = dict(self.first.on)
        for key in ("debug", "llm_library", "unit", "shim_dir", "shims", "prefix"):
            if key in self.second.on and key not in on:
                on[key] = self.second.on[key]
        host = model.Host(**on)
        # The later layer first: what an earlier fault takes from the process, it takes from all.
        self.second.change(host)
        self.first.change(host)
        return host

    def _expected(self):
        must, flexible = [], set()
        for one, other in ((self.first, self.second), (self.second, self.first)):
            inert = (_has(other, DOWN) or (_has(other, UNLOADS) and _has(one, LOADED)) or
                     (other.code in NO_BACKEND and one.code in IN_THE_CHAIN))
            if inert and not _has(one, DOWN):
                flexible |= set(one.label["root_causes"])
            else:
                must += one.label["root_causes"]
            for where in ("consequences", "latent", "notes", "may"):
                flexible |= set(one.label[where])
        if _has(self.first, DOWN) or _has(self.second, DOWN):
            flexible |= DOWN_FOLLOWS
        return must, flexible | FOLLOWS

    def differences(self, report, status):
        roots = cases.codes(report, "root_causes")
        wrong = []
        if [code for code in roots if code in self.must] != self.must:
            wrong.append("root causes %s, wanted %s" % (roots, self.must))
        extra = [code for code in roots if code not in self.must and code not in self.flexible]
        if extra:
            wrong.append("root causes have %s besides" % extra)
        known = set(self.must) | self.flexible
        for where in ("consequences", "latent", "notes"):
            odd = [code for code in cases.codes(report, where) if code not in known]
            if odd:
                wrong.append("%s have %s besides" % (where, odd))
        if self.must and (report.get("verdict") != "problem" or status != 1):
            wrong.append("verdict %s, exit %s" % (report.get("verdict"), status))
        return wrong


def compose(only=""):
    """All pairs that can stand, and why the others cannot: {(code, code): reason}."""
    by_code = collections.defaultdict(list)
    for case in cases.CASES:
        if case.kind == "fault":
            by_code[case.code].append(case)
    pairs, skipped = [], {}
    codes = sorted(by_code)
    for first in codes:
        for second in codes:
            if first[:3] >= second[:3] or only not in first + "+" + second:
                continue
            reasons = collections.Counter()
            for one, other in ((a, b) for a in by_code[first] for b in by_code[second]):
                reason = obstacle(one, other)
                if not reason:
                    pairs.append(Pair(one, other))
                    break
                reasons[reason] += 1
            else:
                skipped[first, second] = next(
                    (r for r, _ in reasons.most_common() if r != "no common era and shape"),
                    "no common era and shape")
    return pairs, skipped


def judge(judge_all, only):
    """Judges the pairs and prints the matrix; whether any was wrong."""
    pairs, skipped = compose(only)
    results = judge_all(pairs)
    marks = {}
    for pair, wrong in results:
        marks[pair.first.code, pair.second.code] = "X" if wrong else "o"
        for line in wrong:
            print("%s: %s" % (pair.title, line))
    rows = sorted({a for a, _ in list(marks) + list(skipped)})
    columns = sorted({b for _, b in list(marks) + list(skipped)})
    print("\nrow: the earlier fault; column: the later; o right, X wrong, - cannot stand together")
    for digit in range(3):
        print("      " + "".join(code[2 + digit] for code in columns))
    for row in rows:
        print(row + " " + "".join(
            marks.get((row, column), "-" if (row, column) in skipped else " ")
            for column in columns))
    for reason, count in collections.Counter(skipped.values()).most_common():
        print("%4d cannot stand together: %s" % (count, reason))
    wrong = sum(1 for mark in marks.values() if mark == "X")
    print("pairs %d, right %d, wrong %d, skipped %d" % (
        len(marks), len(marks) - wrong, wrong, len(skipped)))
    return wrong > 0
