"""Cases: how a machine is made, what is wrong with it, and what a right report says of it.

A fault is a function that changes a healthy Host. `@fault` names the code that it stands for and
the machine that it is shown on; `@neighbour` names the code that it must not be taken for.
"""

import json

import host as model

CASES = []


class Case:
    def __init__(self, code, kind, make, change, label, on, touches):
        self.code, self.kind, self.make, self.change = code, kind, make, change
        self.label, self.on, self.touches = label, on, touches
        self.name = change.__name__ if change else "host"

    @property
    def title(self):
        return "%s %s %s %s %s" % (self.code, self.kind, self.name, self.on.get("version"),
                                   self.on.get("shape", model.PRELOAD))

    def host(self):
        host = self.make()
        if self.change:
            self.change(host)
        return host

    def differences(self, report, status):
        return differences(self.label, report, status, json.dumps(report, ensure_ascii=False))


def label(story, roots=(), consequences=None, **more):
    """What a right report has.

    `may` lists codes that may stand as a consequence, latent or a note besides: they are true of
    the machine, and the contract leaves open whether a report says so.
    """
    known = {"verdict", "consequences", "latent", "notes", "may", "ruled_out_has",
             "not_observed_has", "says", "never_says", "never", "confidence"}
    assert not set(more) - known, set(more) - known
    roots = list(roots)
    verdict = more.pop("verdict", "problem" if roots else "healthy")
    result = {"story": " ".join(story.split()), "verdict": verdict,
              "exit": {"healthy": 0, "problem": 1, "inconclusive": 3}[verdict],
              "root_causes": roots, "consequences": list(consequences or []), "latent": [],
              "notes": [], "may": [], "ruled_out_has": [], "not_observed_has": [], "says": [],
              "never_says": [], "never": [], "confidence": {}}
    result.update(more)
    return result


# Machines that faults are shown on. The names say the era and, where it is not preload, the shape.
A = dict(version="0.12.3", shim_dir="/opt/vgpu/lib", pid=4821, hours=0)
A_OLD = dict(version="0.6.8", shim_dir="/usr/lib/x86_64-linux-gnu", pid=20418, prefix="/usr",
             shims=("cuda", "nvml"), hours=0)
A_PATH = dict(version="0.11.10", shape=model.PATH, shim_dir="/opt/vgpu/lib", pid=990)
B = dict(version="0.16.2")
B_DEBUG = dict(version="0.13.5", debug=True, shim_dir="/opt/vgpu/lib", pid=31877,
               llm_library="cuda_v12", dropin="10-vgpu.conf")
B_LATE = dict(version="0.24.0", shim_dir="/usr/lib/x86_64-linux-gnu/vgpu", pid=1203,
              unit="ollama-gpu.service", prefix="/usr", dropin="override.conf", hours=0)
B_PATH = dict(version="0.24.0", shape=model.PATH, shim_dir="/opt/vgpu/lib", pid=6120,
              llm_library="cuda_v12")
B_BOUND = dict(version="0.13.5", shape=model.BOUND, shim_dir="/usr/lib/x86_64-linux-gnu/vgpu",
               pid=7741)
C = dict(version="0.33.0", shim_dir="/usr/lib64", pid=9184)
C_PATH = dict(version="0.30.0", shape=model.PATH, shim_dir="/opt/vgpu/lib", pid=15522,
              llm_library="cuda_v12")
C_BOUND = dict(version="0.33.0", shape=model.BOUND, shim_dir="/opt/vgpu/lib", pid=2207, hours=0)
A_REAL = dict(version="0.12.3", shape=model.DRIVER, pid=3310, prefix="/usr")
B_REAL = dict(version="0.16.2", shape=model.DRIVER, pid=8853)
C_REAL = dict(version="0.33.0", shape=model.DRIVER, pid=61022, hours=0)


def _add(code, kind, change, hosts, story, roots, consequences, touches, wanted):
    for on in hosts:
        CASES.append(Case(code, kind, lambda on=on: model.Host(**on), change,
                          label(story, roots, consequences, **wanted), on, frozenset(touches)))


def fault(code, *hosts, roots=None, consequences=None, touches=(), **wanted):
    """Registers a fault of `code`, shown on each of `hosts`.

    Without further words it is the only root cause, and discovery's CPU line follows from it.
    `touches` names what the fault changes, for pairs.py: two that touch one thing cannot stand
    together.
    """
    def register(change):
        own = [code] if roots is None else list(roots)
        follow = consequences if consequences is not None else ["VG704"] if own else []
        _add(code, "fault", change, hosts, change.__doc__, own, follow, touches, wanted)
        return change
    return register


def neighbour(code, *hosts, roots=(), consequences=None, **wanted):
    """Registers a machine that looks as `code` does and is not: the code must not be reported."""
    def register(change):
        follow = consequences if consequences is not None else ["VG704"] if roots else []
        _add(code, "neighbour", change, hosts, change.__doc__, roots, follow, (),
             dict({"never": [code]}, **wanted))
        return change
    return register


def codes(report, where):
    return [finding["code"] for finding in report.get(where, [])]


def differences(wanted, report, status, text):
    """What `report` says otherwise than `wanted`, as lines; none where it is right."""
    wrong = []
    if report.get("verdict") != wanted["verdict"]:
        wrong.append("verdict %s, wanted %s" % (report.get("verdict"), wanted["verdict"]))
    if status != wanted["exit"]:
        wrong.append("exit %s, wanted %d" % (status, wanted["exit"]))
    roots = codes(report, "root_causes")
    if roots != wanted["root_causes"]:
        wrong.append("root causes %s, wanted %s" % (roots, wanted["root_causes"]))
    for where in ("consequences", "latent", "notes"):
        have = codes(report, where)
        missing = [code for code in wanted[where] if code not in have]
        extra = [code for code in have if code not in wanted[where] + wanted["may"]]
        if missing:
            wrong.append("%s lack %s" % (where, missing))
        if extra:
            wrong.append("%s have %s besides" % (where, extra))
    everywhere = [c for w in ("root_causes", "consequences", "latent", "notes")
                  for c in codes(report, w)]
    for code in wanted["never"]:
        if code in everywhere:
            wrong.append("%s is reported and does not hold" % code)
    for code in wanted["ruled_out_has"]:
        if code not in codes(report, "ruled_out"):
            wrong.append("%s is not ruled out" % code)
    for root in report.get("root_causes", []):
        allowed = wanted["confidence"].get(root["code"])
        if allowed and root["confidence"] not in allowed:
            wrong.append("%s is %s, wanted %s" % (root["code"], root["confidence"], allowed))
    unseen = " ".join(item["what"] for item in report.get("not_observed", []))
    for word in wanted["not_observed_has"]:
        if word not in unseen:
            wrong.append("not observed lacks %r" % word)
    for word in wanted["says"]:
        if word not in text:
            wrong.append("does not say %r" % word)
    for word in wanted["never_says"]:
        if word in text:
            wrong.append("says %r" % word)
    return wrong
