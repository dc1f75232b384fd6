"""What the checks of the tree share: its files, and a way to run a check and count it."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = ("proto", "sql", "broker", "actors", "gateway")
ALL = (*CODE, "tests")
SKIPPED = {"node_modules", "__pycache__", "golden", "corpus"}


def files(*endings, folders=CODE):
    """Yield (path below the root, its lines) of every file with one of the endings."""
    for top in folders:
        for folder, below, names in os.walk(os.path.join(ROOT, top)):
            below[:] = sorted(set(below) - SKIPPED)
            for name in sorted(names):
                if name.endswith(endings):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as text:
                        yield os.path.relpath(path, ROOT), text.read().splitlines()


def run(checks):
    """Run the checks — functions that yield one line per breach — and exit with the tally."""
    failed = 0
    for check in checks:
        breaches = list(check())
        failed += bool(breaches)
        print("not ok" if breaches else "ok", "-", check.__name__.replace("_", " "))
        for breach in breaches:
            print("   ", breach)
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
