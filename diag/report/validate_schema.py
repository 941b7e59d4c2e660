#!/usr/bin/python3
"""Holds JSON files against a JSON Schema.

    diag/report/validate_schema.py SCHEMA FILE...

Prints each violation as `FILE: where: what`. Exit status: 0 all files are valid, 1 one
is not, 2 something could not be read, there is nothing to check, or the jsonschema
module is missing.
"""

import json
import sys

try:
    import jsonschema
except ImportError as error:
    print(f"validate_schema: {error}: install the package python3-jsonschema", file=sys.stderr)
    sys.exit(2)


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        sys.exit(2)


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    schema = load(arguments[0])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    violations = 0
    for path in arguments[1:]:
        for error in validator.iter_errors(load(path)):
            where = "/".join(str(step) for step in error.absolute_path) or "the document"
            print(f"{path}: {where}: {error.message[:500]}")
            violations += 1
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
