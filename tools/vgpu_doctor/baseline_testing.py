"""What the tests of baselines share: baseline save and diff-against-baseline, run and held against
their schemas."""

import functools
import json
import tempfile

import jsonschema

import doctor_testing as testing


@functools.lru_cache(None)
def validator(name):
    with open(f"diag/baseline/{name}.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def hold(name, document):
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
              for error in validator(name).iter_errors(document)]
    if errors:
        raise AssertionError(f"breaks {name}.schema.json: " + "; ".join(errors))
    return document


def save(root, *arguments):
    outcome = testing.doctor("baseline", "save", "--root", root, "-o", "-", *arguments)
    if outcome.status != 0:
        raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()}")
    return hold("baseline", json.loads(outcome.out)), outcome


def entries(baseline):
    return {entry["key"]: entry for entry in baseline["entries"]}


def file_of(baseline):
    return testing.write(tempfile.mkdtemp(dir=testing.temporary()), "a.baseline.json",
                         baseline if isinstance(baseline, (str, bytes)) else json.dumps(baseline))


def diff(baseline, root, *arguments):
    """The difference, held against its schema, and the exit status. A baseline is a document or a
    list of them."""
    several = baseline if isinstance(baseline, list) else [baseline]
    outcome = testing.doctor("diff-against-baseline", *map(file_of, several), "--root", root,
                             "--format", "json", *arguments)
    if outcome.status not in (0, 1, 3):
        raise AssertionError(f"exit status {outcome.status}: {outcome.err.decode()[-500:]}")
    found = hold("diff", json.loads(outcome.out))
    if outcome.status != {"same": 0, "drift": 1, "inconclusive": 3}[found["verdict"]]:
        raise AssertionError(f"exit status {outcome.status} with verdict {found['verdict']}")
    return found, outcome.status


def keys(found):
    return [change["key"] for change in found["changes"]]
