"""People for Python tests: of many scripts, with cells that tempt a careless program."""
import csv
import io

NAMES = [("Asha", "Rao"), ("आशा", "देशमुख"), ("Zoë", "Müller-Lüdenscheidt"), ("李雷", "韩"),
         ("محمد", "العلي"), ("Łukasz", "Żółć"), ("O’Brien", "d'Arc"), ("{city}", "{{last_name}}"),
         ("Ana, \"la\" Q", "50%s <b>&amp;"), ("😀", "Smile"), ("नि", "ศรี"), ("e\u0301va", "Nguyễn")]
CITIES = ["पुणे", "Salta", "Köln", "São Paulo", "القاهرة", "台北"]
PRODUCTS = ["Green tea", "Filter coffee; strong", "Hot chocolate,\ndark"]


def person(n):
    """Number n of any number of people; they differ in number, phone and mail."""
    first, last = NAMES[n % len(NAMES)]
    return {"external_id": f"C-{n}", "first_name": first, "last_name": last,
            "phone": f"+49151{n:08d}", "email": f"p{n}@example.org",
            "city": CITIES[n % len(CITIES)], "preferred_product": PRODUCTS[n % len(PRODUCTS)]}


def people(count, first=0):
    return [person(n) for n in range(first, first + count)]


def as_csv(rows, *more):
    """Rows as a file with a header, and columns that people do not have; else cells are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*person(0), *more], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
