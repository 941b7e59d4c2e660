"""Runs the test cases of a script, and names each to Bazel (XML_OUTPUT_FILE), so that what
was skipped, and why, is seen in the summary.

    headers = cases.client("headers")  # or the case is skipped, and says why

    if __name__ == "__main__":
        cases.run()
"""

import os
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


def client(group):
    """The directory of a group of tools/dev/clients (//tools/dev:client_paths); raises SkipTest
    with the reason where it is not installed."""
    asked = subprocess.run(["tools/dev/clients", "--path", group], capture_output=True, text=True,
                           check=False)
    if asked.returncode != 0:
        raise unittest.SkipTest(asked.stderr.strip().removeprefix("clients: ")
                                or f"there is no {group}")
    return asked.stdout.strip()


class _Result(unittest.TestResult):
    """Prints a line for each case, and keeps what the XML needs."""

    def __init__(self):
        super().__init__()
        self.cases = []

    def startTest(self, test):
        super().startTest(test)
        self._begin = time.monotonic()
        self._wrong = []

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failure = issubclass(err[0], test.failureException)
            self._wrong.append((self.failures if failure else self.errors)[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._wrong.append(self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._wrong.append(self.errors[-1][1])

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self._begin
        skipped = next((why for case, why in self.skipped if case is test), None)
        case = ElementTree.Element("testcase", name=test.id().removeprefix("__main__."),
                                   time=f"{seconds:.3f}")
        if self._wrong:
            text = "\n".join(self._wrong)
            ElementTree.SubElement(case, "failure", message=text.splitlines()[-1]).text = text
        elif skipped is not None:
            ElementTree.SubElement(case, "skipped", message=skipped)
        state = "FAILED" if self._wrong else "SKIPPED" if skipped is not None else "ok"
        print(f"{state:8}{case.get('name')} ({seconds:.2f} s)"
              + (f": {skipped}" if skipped is not None else ""))
        for text in self._wrong:
            print(text)
        sys.stdout.flush()
        self.cases.append(case)


def run(suite=None):
    """Runs the test cases of __main__ (or `suite`) and ends the program."""
    if suite is None:
        suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = _Result()
    suite.run(result)
    if "XML_OUTPUT_FILE" in os.environ:
        root = ElementTree.Element("testsuites")
        group = ElementTree.SubElement(root, "testsuite", name=os.path.basename(sys.argv[0]))
        group.extend(result.cases)
        for case in result.cases:
            for element in case.iter():
                # XML 1.0 has no control characters.
                element.text = _printable(element.text)
                for key, value in element.attrib.items():
                    element.set(key, _printable(value))
        ElementTree.ElementTree(root).write(os.environ["XML_OUTPUT_FILE"], encoding="utf-8")
    if not result.cases:
        sys.exit("no test case ran")
    sys.exit(0 if result.wasSuccessful() else 1)


def _printable(text):
    return text and "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
