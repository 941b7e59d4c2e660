"""Captures that lost a piece: every file of a tree removed, cut in half, or replaced by noise.

Whatever is missing, the doctor must not crash, must print a report, and must not be certain of
what is not so.
"""

import json
import os
import random
import shutil
import subprocess

import capture

WAYS = ("removed", "halved", "noise")

# A damaged file of the host itself is a fault of its own: a unit's file that is gone, a library
# that is cut. These layers may then speak of it with certainty. What only tells of the host (its
# processes, what tools printed) gives no new cause.
TRUE_FAULTS = {"etc": "123", "usr": "2345", "opt": "2345", "var": "2345", "home": "2345",
               "lib": "345", "lib64": "345", "snap": "2345", "srv": "2345", "sys": "6",
               "dev": "6", "run": "2"}


def files_of(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, root)


def spoil(path, way, rng):
    with open(path, "rb") as file:
        content = file.read()
    os.remove(path)
    if way == "removed":
        return content
    with open(path, "wb") as file:
        file.write(content[:len(content) // 2] if way == "halved"
                   else rng.randbytes(min(len(content), 4096) or 64))
    return content


def restore(path, content):
    with open(path, "wb") as file:
        file.write(content)


def known(label):
    """Codes that are true of the whole machine."""
    return set(label["root_causes"] + label["consequences"] + label["latent"] + label["notes"] +
               label["may"])


def wrong_about(doctor, root, name, label):
    ran = subprocess.run([doctor, "check", "--root", root, "--format", "json"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if ran.returncode == 2 and name == ".vgpu-capture/manifest.json":
        return None  # the contract's answer to a manifest that cannot be read
    if ran.returncode not in (0, 1, 3):
        return "exit %d: %s" % (ran.returncode, ran.stderr.decode(errors="replace")[:200])
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        return "no report"
    allowed = TRUE_FAULTS.get(name.split("/")[0], "")
    for item in report["root_causes"]:
        code = item["code"]
        if item["confidence"] == "certain" and code not in known(label) and code[2] not in allowed:
            return "%s is certain, and is not so: %s" % (code, report["headline"])
    return None


def judge(doctor, cases, folder, count, seed):
    """Judges `count` damaged trees (0: every one) and prints what is wrong. True where anything
    is."""
    rng = random.Random(seed)
    order = list(cases)
    rng.shuffle(order)
    each = max(1, -(-count // len(order))) if count else 0
    tried = wrong = 0
    for case in order:
        if count and tried >= count:
            break
        root = os.path.join(folder, "damaged")
        capture.write(case.host(), root)
        pieces = [(name, way) for name in files_of(root) for way in WAYS]
        if each:
            pieces = rng.sample(pieces, min(each, len(pieces)))
        for name, way in pieces:
            path = os.path.join(root, name)
            content = spoil(path, way, rng)
            outcome = wrong_about(doctor, root, name, case.label)
            restore(path, content)
            tried += 1
            if outcome:
                wrong += 1
                print("%s: %s %s: %s" % (case.title, name, way, outcome))
        shutil.rmtree(root, ignore_errors=True)
    print("damaged trees: %d, wrong: %d (seed %d)" % (tried, wrong, seed))
    return wrong > 0
