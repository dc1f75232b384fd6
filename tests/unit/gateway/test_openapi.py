"""openapi.json and the routes table say the same, and every reference in it leads somewhere."""
import json
import os
import re
import sys

SOURCE = os.environ.get("FAN_SOURCE", ".")
ROUTE = re.compile(r'^ROUTE\((\w+), "([^"]+)", (\w+), (\w+), (\w+)\)', re.M)
BODY = {"BODY": True, "MAYBE_BODY": False, "NO_BODY": None}

with open(os.path.join(SOURCE, "gateway/openapi.json"), encoding="utf-8") as file:
    api = json.load(file)
with open(os.path.join(SOURCE, "gateway/routes.def"), encoding="utf-8") as file:
    routes = {(method.lower(), path): more for method, path, *more in ROUTE.findall(file.read())}
operations = {(method, path): operation for path, item in api["paths"].items()
              for method, operation in item.items()}


def each_route_is_described_and_each_description_is_a_route():
    yield from (f"not described: {route}" for route in routes.keys() - operations.keys())
    yield from (f"no such route: {route}" for route in operations.keys() - routes.keys())


def operation_body_and_key_are_those_of_the_route():
    for route in routes.keys() & operations.keys():
        name, may, body = routes[route]
        described = operations[route]
        if described["operationId"] != name:
            yield f"{route}: operationId {described['operationId']}, not {name}"
        if (described.get("security") == []) != (may == "ANYBODY"):
            yield f"{route}: security is not that of {may}"
        content = described.get("requestBody", {}).get("content", {})
        upload = "text/csv" in content or "application/octet-stream" in content
        required = described["requestBody"]["required"] if "requestBody" in described else None
        if not upload and required != BODY[body]:
            yield f"{route}: the body is not {body}"
        if may != "ANYBODY" and "401" not in described["responses"]:
            yield f"{route}: does not say 401"


def operations_have_names_of_their_own_and_their_ids_are_parameters():
    names = [operation["operationId"] for operation in operations.values()]
    yield from (f"twice: {name}" for name in set(names) if names.count(name) > 1)
    for (method, path), operation in operations.items():
        declared = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "path"}
        if declared != set(re.findall(r"{(\w+)}", path)):
            yield f"{method} {path}: its ids are not its parameters"


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def each_reference_leads_somewhere():
    for reference in set(references(api)):
        place = api
        for word in reference.removeprefix("#/").split("/"):
            place = place.get(word) if isinstance(place, dict) else None
        if place is None:
            yield reference


def main():
    checks = [each_route_is_described_and_each_description_is_a_route,
              operation_body_and_key_are_those_of_the_route,
              operations_have_names_of_their_own_and_their_ids_are_parameters,
              each_reference_leads_somewhere]
    failed = 0
    for check in checks:
        breaches = sorted(check())
        failed += bool(breaches)
        print("not ok" if breaches else "ok", "-", check.__name__.replace("_", " "))
        for breach in breaches:
            print("   ", breach)
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
