"""docs/guarantees.md names faults and tests; all of them exist, and no promise is without one."""
import glob
import os
import re

from arch import ROOT, run


def page():
    with open(os.path.join(ROOT, "docs/guarantees.md"), encoding="utf-8") as file:
        return file.read()


def faults():
    found = set()
    for path in glob.glob(os.path.join(ROOT, "tests/fault/faults_*.py")):
        with open(path, encoding="utf-8") as file:
            found |= set(re.findall(r'@fault\(\s*"(F\d+)"', file.read()))
    return found


def tests():
    found = set()
    for path in glob.glob(os.path.join(ROOT, "tests/**/test_*"), recursive=True):
        folder, name = os.path.split(os.path.relpath(path, os.path.join(ROOT, "tests")))
        found.add(f"{folder}/{os.path.splitext(name)[0].removeprefix('test_')}")
    return found


def every_fault_that_is_named_exists():
    known = faults()
    for name in sorted(set(re.findall(r"\bF\d\d\b", page())) - known):
        yield f"{name} is no fault in tests/fault"


def every_test_that_is_named_exists():
    known = tests()
    for name in re.findall(r"`((?:unit|flow|sql|model|sim)/[\w/]+)`", page()):
        if name not in known:
            yield f"{name} is no test"


def every_promise_is_shown_by_something():
    for promise in re.split(r"(?m)^## ", page())[1:]:
        title = promise.splitlines()[0]
        if title.startswith("P") and "- Shown by:" not in promise:
            yield f"{title}: nothing shows it"


run([
    every_fault_that_is_named_exists,
    every_test_that_is_named_exists,
    every_promise_is_shown_by_something,
])
