"""What Python tests say: expectations, patience, and the tally at the end.

A test is a function whose name is a sentence that is true when it passes.
"""
import sys
import time
import traceback


def expect(actual, wanted, what=""):
    assert actual == wanted, f"{what}{': ' if what else ''}{actual!r} is not {wanted!r}"


def eventually(look, seconds=10, what="", pause=0.05):
    """Call look until it returns something true, which is returned."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what or look.__name__}"
        time.sleep(pause)


def skip(why):
    """Leave the whole program: it cannot be run here."""
    print(f"skipped: {why}")
    sys.exit(77)


def run(tests):
    """Run all tests, or those whose names contain a word of the command line, and count them.
    A failure ends the program."""
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or any(word in t.__name__ for word in wanted)]
    failed = 0
    for test in tests:
        began = time.monotonic()
        try:
            test()
            verdict = "ok"
        except Exception:  # also of a test's own mistakes
            failed += 1
            verdict = "not ok"
            traceback.print_exc(file=sys.stdout)
        name = test.__name__.replace("_", " ")
        print(f"{verdict} - {name} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    if failed:
        sys.exit(1)
