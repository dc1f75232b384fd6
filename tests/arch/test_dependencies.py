"""The package lists and docs/dependencies.md say the same."""
import glob
import os
import re

from arch import ROOT, run


def packages(name="*"):
    """Yield (list, package) of compose/packages/<name>.txt."""
    for path in sorted(glob.glob(os.path.join(ROOT, "compose/packages", name + ".txt"))):
        with open(path, encoding="utf-8") as text:
            for line in text:
                if package := line.partition("#")[0].strip():
                    yield os.path.basename(path), package


def documentation():
    with open(os.path.join(ROOT, "docs/dependencies.md"), encoding="utf-8") as text:
        return text.read()


def every_library_we_build_with_is_explained():
    text = documentation()
    for where, package in packages():
        if package.endswith("-dev") and f"`{package}`" not in text:
            yield f"{where}: {package} is not in docs/dependencies.md"


def no_library_is_explained_that_we_do_not_use():
    used = {package for _, package in packages()}
    for package in re.findall(r"`([a-z0-9.+-]+-dev)`", documentation()):
        if package not in used:
            yield f"docs/dependencies.md: {package} is in no list"


def each_list_names_a_package_once_and_alone_on_its_line():
    seen = set()
    for where, package in packages():
        if (where, package) in seen or " " in package:
            yield f"{where}: {package}"
        seen.add((where, package))


run([
    every_library_we_build_with_is_explained,
    no_library_is_explained_that_we_do_not_use,
    each_list_names_a_package_once_and_alone_on_its_line,
])
