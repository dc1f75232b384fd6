"""CSV imports alone; every blast measures them as well."""
import ours

SIZE = 200_000


def run():
    with ours.fanfare() as system:
        with ours.window(system) as window:
            rate = ours.fill(system, SIZE, others=False)
        books = (system.number("SELECT count(*) FROM contact"),)
    return {"rate": rate, "imported": rate, "cpu": window.per_thousand(SIZE),
            "memory": window.peak, "other": window.other, "books": books, "ok": books == (SIZE,)}


def in_round(bench):
    bench.measure("import", SIZE, run)
