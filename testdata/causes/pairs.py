"""Two faults of different layers on one machine.

Each pair is composed of two faults of layer1.py to layer9.py, and its label of their labels:

  - both act on the running process: both are root causes, the earlier layer first;
  - one is there and does not act today, or follows from the other (BESIDE says which): it is in
    the report, in whichever list;
  - one keeps the other from being there to be seen (a service that does not run, a process that
    has no shims at all; HIDES): the other may be in any list, or in none;
  - two that cannot stand on one machine are skipped, with the reason.

Whatever else is reported has to follow from one of the two.
"""

import collections

import cases
import host as model
import ollama_log

# What a fault touches (cases.py) says what it does to another.
DOWN = {"state", "unit"}
SHOWS_A_DEVICE = {"outcome", "device", "ps", "launch", "vulkan"}
UNLOADS = {"environ", "dropin", "program", "binds", "sandbox", "exec", "manager", "stderr",
           "journal"}
LOADED = {"shim", "preload", "bound", "path", "visible", "llm", "library_path", "variant.cuda",
          "variant.cudart", "child"}
BLOCKS_CUDA = {"lib", "variant", "llm", "visible", "program", "exec", "environ", "sandbox", "pci",
               "nodes", "modules"}
# With no backend that is opened, what would be wrong in its chain acts on nothing yet.
NO_BACKEND = {"VG501", "VG502", "VG503", "VG506", "VG508", "VG509"}
IN_THE_CHAIN = {"VG406", "VG408", "VG409", "VG415", "VG416", "VG417", "VG418"}
# The same, of a shim that is found by path.
BY_PATH = {"VG403", "VG404", "VG405", "VG407"}
# The loader searches nowhere where Ollama wants it to, or is not asked at all.
NO_SEARCH = {"VG304", "VG305"}
# Known only where everything else is seen to be right.
BY_EXCLUSION = {"VG417"}
# The contract's "where two codes fit": these say why discovery came too early.
OLDER_PROCESS = {"VG302", "VG306", "VG308"}
# Symptoms: root causes only where nothing explains them.
SYMPTOMS = {"VG307", "VG701", "VG702", "VG704", "VG707"}
# What two faults together may bring besides: true of the machine, and explained by either.
FOLLOWS = {"VG307", "VG414", "VG418", "VG502", "VG504", "VG505", "VG601", "VG604", "VG701",
           "VG702", "VG704", "VG705", "VG707", "VG708"}
DOWN_FOLLOWS = {"VG301", "VG307"}


def _has(case, words):
    return any(touched == word or touched.startswith(word + ".")
               for touched in case.touches for word in words)


def _loses(case):
    """Discovery ends without the GPU. In era A the server may find what no runner can use."""
    return bool(case.label["root_causes"]) and (
        _has(case, DOWN) or "VG704" not in case.label["never"])


def _deployment(case):
    return (ollama_log.era(case.on["version"]), case.on.get("shape", model.PRELOAD),
            case.on.get("shims"))


def _all_for_everybody(case):
    """The machine's own list brings the shims, and the unit none."""
    return case.touches >= {"global", "preload"}


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
        if _has(one, SHOWS_A_DEVICE) and _loses(other):
            return "one shows a device, which the other prevents"
        if "works" in one.touches and _loses(other):
            return "one is of a process that works, which the other prevents"
        if one.touches & {"driver"} and _deployment(one)[0] != "A" and _has(other, BLOCKS_CUDA):
            return "one shows a code of CUDA, which the other keeps from running"
        if _has(one, DOWN) and _has(other, {"child", "stderr", "journal"}):
            return "one needs a process, which the other does not have"
        if _has(one, DOWN) and _has(one, {"shim", "preload"}) and _has(other, UNLOADS):
            return "one dies of a shim, which the other takes away"
        for word in ("lib", "variant"):
            if word in one.touches and _has(other, {"variant"}):
                return "both change " + word
        if _all_for_everybody(one) and _has(other, {"dropin", "environ"}):
            return "one takes the unit's list away, and the other brings the shims without it"
        if _all_for_everybody(one) and _has(other, {"shim"}):
            return "one lists for every program what is broken by the other: VG102"
    return ""


class Pair:
    """Looks as a Case to run.py."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.code = first.code + "+" + second.code
        self.title = "%s pair %s %s" % (self.code, first.name, second.name)
        # Root causes, in order; what is reported in whichever list; what may be.
        self.must, self.beside, self.flexible = self._expected()
        self.open = not (self._hides(first, second) or self._hides(second, first))
        self.mark = ""
        self.label = {"story": first.label["story"] + " " + second.label["story"],
                      "root_causes": self.must, "beside": sorted(self.beside),
                      "flexible": sorted(self.flexible)}

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

    def _hides(self, one, other):
        """`one` keeps `other` from acting, and from being seen."""
        if _has(other, DOWN):
            return False
        return (_has(one, DOWN) or
                (_has(one, UNLOADS) and _has(other, LOADED)) or
                (one.code in NO_BACKEND and other.code in IN_THE_CHAIN) or
                (one.code in NO_BACKEND and other.code in BY_PATH and
                 other.on.get("shape") == model.PATH) or
                # What the unit does not give, no process can have lost.
                (_has(one, {"dropin"}) and _has(other, {"environ"})) or
                # What is not loaded is not stale in memory either.
                (other.code == "VG306" and _has(one, {"preload", "shim.dir"})) or
                # The process has its libraries, or none, elsewhere.
                (one.code == "VG308" and _has(other, {"lib", "variant"})) or
                (one.code in NO_SEARCH and (_has(other, {"variant"}) or other.code == "VG504")) or
                # A stub of the driver wins over every shim of it, and no layer is shimmed then.
                (one.code == "VG513" and _has(other, {"shim"})) or
                (_has(one, {"journal", "stderr"}) and _has(other, SHOWS_A_DEVICE)) or
                (other.code in BY_EXCLUSION and _loses(one)))

    def _beside(self, one, other):
        """With `one`, `other` is there, and need not be a root cause."""
        code = (other.label["root_causes"] or [""])[0]
        if code in SYMPTOMS and BY_EXCLUSION & set(one.label["may"]):
            return True
        # Put aside by somebody: a risk only, where the log does not show that it is missed.
        if code == "VG204" and "journal" in one.touches:
            return True
        if not _loses(one):
            return False
        return (code in SYMPTOMS or
                # Only possible by itself, and what it would explain is explained.
                list(other.label["confidence"].get(code, [])) == ["possible"] or
                (code == "VG706" and one.code in OLDER_PROCESS) or
                # What the sandbox would hide is not there to be hidden.
                (_has(one, {"modules"}) and _has(other, {"sandbox"})) or
                self._loses_its_variant(other))

    def _loses_its_variant(self, case):
        """Without the variable that asks for one variant, the others are tried too."""
        wanted = case.on.get("llm_library")
        return bool(wanted) and _has(case, {"variant"}) and \
            self.host().process_env.get("OLLAMA_LLM_LIBRARY") != wanted

    def _expected(self):
        must, beside, flexible = [], set(), set()
        for one, other in ((self.first, self.second), (self.second, self.first)):
            roots = one.label["root_causes"]
            if self._hides(other, one):
                flexible |= set(roots)
            elif self._beside(other, one):
                beside |= set(roots)
            else:
                must += roots
            for where in ("consequences", "latent", "notes", "may"):
                flexible |= set(one.label[where])
        if _has(self.first, DOWN) or _has(self.second, DOWN):
            flexible |= DOWN_FOLLOWS
        return must, beside, flexible | beside | FOLLOWS

    def _mark(self, report):
        """b: both are root causes, or what their own labels say; l: one is in another list than
        its own label has it; h: one is hidden behind the other, and not in the report."""
        lists = {where: cases.codes(report, where)
                 for where in ("root_causes", "consequences", "latent", "notes")}
        mark = "b"
        for case in (self.first, self.second):
            for where in lists:
                for code in case.label[where] if where != "consequences" else []:
                    if code in lists[where]:
                        continue
                    if not any(code in codes for codes in lists.values()):
                        return "h"
                    mark = "l"
        return mark

    def differences(self, report, status):
        self.mark = self._mark(report)
        roots = cases.codes(report, "root_causes")
        wrong = []
        if [code for code in roots if code in self.must] != self.must:
            wrong.append("root causes %s, wanted %s" % (roots, self.must))
        if roots != sorted(roots, key=lambda code: code[:3]):
            wrong.append("root causes %s are not in the order of their layers" % roots)
        everywhere = {code for where in ("root_causes", "consequences", "latent", "notes")
                      for code in cases.codes(report, where)}
        if self.beside - everywhere:
            wrong.append("%s is in no list" % sorted(self.beside - everywhere))
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
            # The first two of these codes that can stand together; rather two of which neither
            # hides the other.
            reasons, chosen = collections.Counter(), None
            for one, other in ((a, b) for a in by_code[first] for b in by_code[second]):
                reason = obstacle(one, other)
                if reason:
                    reasons[reason] += 1
                    continue
                pair = Pair(one, other)
                chosen = chosen if chosen and not pair.open else pair
                if chosen.open:
                    break
            if chosen:
                pairs.append(chosen)
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
        marks[pair.first.code, pair.second.code] = "X" if wrong else pair.mark
        for line in wrong:
            print("%s: %s" % (pair.title, line))
    rows = sorted({a for a, _ in list(marks) + list(skipped)})
    columns = sorted({b for _, b in list(marks) + list(skipped)})
    print("\nrow: the earlier fault; column: the later. b: both in the list of their own label, "
          "the earlier layer first\nl: both named, one in another list; h: one hides the other; "
          "X: wrong; -: cannot stand together")
    for digit in range(3):
        print("      " + "".join(code[2 + digit] for code in columns))
    for row in rows:
        print(row + " " + "".join(
            marks.get((row, column), "-" if (row, column) in skipped else " ")
            for column in columns))
    for reason, count in collections.Counter(skipped.values()).most_common():
        print("%4d cannot stand together: %s" % (count, reason))
    count = collections.Counter(marks.values())
    print("pairs %d, right %d (both in their lists %d, one in another list %d, one hidden %d), "
          "wrong %d, skipped %d" % (len(marks), len(marks) - count["X"], count["b"], count["l"],
                                    count["h"], count["X"], len(skipped)))
    return count["X"] > 0
