"""Templates: our engine beside npm's liquidjs, on the same templates and data, by the
processor's time of one core.

liquidjs is fetched by npm into the build; without Node.js only ours is measured."""
import json
import os
import shutil
import subprocess

BUILD = os.environ["FAN_BUILD"]
HERE = os.path.dirname(__file__)
NPM = os.path.join(BUILD, "bench", "npm")
LIQUIDJS = "liquidjs@10.30.1"
SMS = "Hi {{ first_name | capitalize }}, {{ product }} is back in {{ city }}. Reply STOP to stop."
PRODUCTS = [{"title": f"Green tea number {n}", "price": 450 + 7 * n, "sold": n % 4 == 0,
             "tags": ["tea", "new", f"t{n % 5}"],
             "text": "A light cup for the morning & the evening. " * 3} for n in range(50)]
PAGES = {
    "catalogue": """<h1>{{ shop.name | escape }}</h1>
{% for p in products %}<div class="{% cycle 'odd', 'even' %}">
  <h2>{{ forloop.index }}. {{ p.title | upcase }}</h2>
  {% if p.sold %}<b>sold out</b>
  {% elsif p.price > 700 %}<i>fine</i> {{ p.price | divided_by: 100.0 }}
  {% else %}{{ p.price | divided_by: 100.0 | append: " EUR" }}{% endif %}
  <p>{{ p.text | truncatewords: 8 | escape }}</p>
  {% for t in p.tags %}<a href="/t/{{ t | url_encode }}">{{ t }}</a>
  {%- unless forloop.last %}, {% endunless %}{% endfor %}
</div>
{% endfor %}""",
    "order": """{% assign total = 0 %}Dear {{ contact.first_name | default: "friend" }},
{% for p in products limit: 12 %}{% assign line = p.price | times: 2 %}
{% assign total = total | plus: line %}{{ p.title }} x 2 ... {{ line }}{% endfor %}
{% capture sum %}{{ total }} cents{% endcapture %}Total: {{ sum }}, {{ products | size }} kinds,
{{ products | map: "title" | first | downcase }} to
{{ products | map: "title" | last | replace: "tea", "chai" }}.
{% case contact.city %}{% when "Pune", "Mumbai" %}Delivery tomorrow
{% when "Salta" %}Next week{% else %}Soon{% endcase %}""",
    "table": """<table>{% for row in (1..20) %}<tr>{% for col in (1..10) %}
<td{% if row == col %} class="d"{% endif %}>{{ row | times: col }}</td>
{% endfor %}</tr>{% endfor %}</table>
{% for p in products reversed offset: 5 %}{% if p.tags contains "t3" %}{{ p.title | slice: 0, 9 }};
{% endif %}{% endfor %}""",
}
DATA = {"products": PRODUCTS, "shop": {"name": "Tea & Sons"},
        "contact": {"first_name": "Asha", "city": "Pune"}}
CASES = {"sms": (SMS, {"first_name": "asha", "product": "Green tea", "city": "Pune"}, 2_000_000),
         **{name: (text, DATA, 5_000) for name, text in PAGES.items()}}


def ours(name):
    text, data, count = CASES[name]
    done = subprocess.run([os.path.join(BUILD, "bin", "fanfare"), "render", "--repeat", str(count)],
                          input=json.dumps({"template": text, "data": data}) + "\n", text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def fetch():
    """Where liquidjs is, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    if not os.path.isdir(os.path.join(NPM, "node_modules", "liquidjs")):
        os.makedirs(NPM, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", NPM,
                        LIQUIDJS], check=True, stdout=subprocess.DEVNULL)
    return NPM


def theirs(name, place):
    text, data, count = CASES[name]
    asked = {"template": text, "data": data, "count": count // 10}
    done = subprocess.run(["node", os.path.join(HERE, "liquidjs.cjs"), place],
                          input=json.dumps(asked), text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def rated(found):
    return {"rate": 1e9 / found["nanoseconds"], "cpu": {"render": found["nanoseconds"] / 1000}}


def in_round(bench):
    place = fetch()
    for name, (_, _, count) in CASES.items():
        mine = ours(name)
        bench.measure(f"render {name}", count, lambda: rated(mine))
        if not place:
            continue
        other = theirs(name, place)
        if other["result"] != mine["result"]:
            raise ValueError(f"{name}: liquidjs writes something else")
        bench.measure(f"liquidjs {name}", count // 10, lambda: rated(other))
