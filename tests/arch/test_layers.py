"""The map of the tree: who may include what, and how large things may grow."""
import re
from fnmatch import fnmatch

from arch import ALL, files, run

# The first row that matches a file's path says what it may include, besides the folder of its own
# actor or idea.
LAYERS = [
    ("proto/", ["proto/"]),
    ("sql/", ["proto/", "sql/"]),
    ("broker/runtime/", ["proto/", "sql/db.h", "broker/runtime/"]),
    ("broker/daemon/", ["proto/", "broker/"]),
    ("actors/providers/", ["proto/", "actors/providers/", "actors/lib/driver/", "actors/lib/hash/",
                           "actors/lib/mime/"]),
    ("actors/lib/driver/", ["proto/", "actors/providers/provider.h", "actors/lib/hash/"]),
    ("actors/lib/liquid/", ["proto/", "actors/lib/person/phone.h"]),
    ("actors/lib/text/", ["proto/", "actors/lib/liquid/"]),
    ("actors/lib/media/", ["proto/", "broker/runtime/"]),
    ("actors/lib/picture/", ["proto/", "actors/lib/hash/"]),
    ("actors/lib/studio/", ["proto/", "actors/lib/cage/", "actors/lib/picture/"]),
    ("actors/lib/seal/", ["proto/", "broker/runtime/"]),
    ("actors/lib/", ["proto/"]),
    ("actors/", ["proto/", "sql/", "broker/runtime/", "actors/providers/", "actors/lib/"]),
    ("gateway/", ["proto/", "sql/", "broker/runtime/", "actors/providers/", "actors/lib/",
                  "gateway/"]),
]

# Each outside library is known to these files only; no header of ours shows its types.
OUTSIDE = [
    (r"libpq|postgres_ext\.h", ["sql/db*.c"]),
    (r"msgpack", ["proto/codec.c"]),
    (r"curl/", ["broker/runtime/http_client.c", "broker/runtime/http_easy.c"]),
    (r"microhttpd\.h", ["broker/runtime/http_server.c"]),
    (r"c?zmq\.h|czmq_", ["broker/runtime/socket.c", "broker/runtime/loop.c"]),
    (r"rapidjson/", ["proto/json_read.cc"]),
    (r"csv\.h", ["actors/lib/person/csv.c"]),
    (r"gmime/|glib", ["actors/lib/mime/mime.c"]),
    (r"phonenumbers/", ["actors/lib/person/phone.cc"]),
    (r"unicode/", ["actors/lib/liquid/locale.c"]),
    (r"librsvg/", ["actors/lib/picture/art.c", "actors/lib/picture/logo_svg.c"]),
    (r"pango/", ["actors/lib/picture/text.c"]),
    (r"cairo", ["actors/lib/picture/*.c"]),
    (r"png\.h", ["actors/lib/picture/encode_png.c", "actors/lib/picture/logo_png.c"]),
    (r"jpeglib\.h", ["actors/lib/picture/encode_jpeg.c", "actors/lib/picture/logo_jpeg.c"]),
    (r"webp/", ["actors/lib/picture/logo_webp.c"]),
    (r"seccomp\.h|linux/landlock", ["actors/lib/cage/*.c"]),
    (r"systemd/", ["broker/runtime/*.c"]),
    (r"sodium|openssl/", ["*.c"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
C = (".c", ".h", ".cc", ".def")


def includes():
    """Yield (path, line number, quote, included name)."""
    for path, lines in files(*C):
        for number, line in enumerate(lines, 1):
            if found := INCLUDE.match(line):
                yield path, number, *found.groups()


def each_folder_includes_only_what_the_map_allows():
    for path, number, quote, name in includes():
        allowed = next(words for folder, words in LAYERS if path.startswith(folder))
        own = re.match(r"actors/(lib/)?[^/]+/|", path)[0] or path
        if quote == '"' and not name.startswith((*allowed, own)):
            yield f"{path}:{number}: includes {name}"


def each_outside_library_is_included_where_the_map_says():
    for path, number, quote, name in includes():
        for pattern, places in OUTSIDE:
            if quote == "<" and re.match(pattern, name):
                if not any(fnmatch(path, place) for place in places):
                    yield f"{path}:{number}: includes <{name}>; only {', '.join(places)} may"


def only_the_store_runs_named_queries():
    for path, lines in files(*C):
        if re.match(r"sql/(store/)?[^/]+\.c$", path):
            continue
        for number, line in enumerate(lines, 1):
            if re.search(r"\bfan_q_\w+", line):
                yield f"{path}:{number}: names a query"


def functions(lines):
    """Yield (first line number, length) of each function: its braces stand alone in column one."""
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number - 1
            while opened > 1 and re.match(r"[^\s#/*}]|\s+[^\s*]", lines[opened - 2]) \
                    and not lines[opened - 2].rstrip().endswith((";", "*/", "}")):
                opened -= 1
        elif line == "}" and opened:
            yield opened, number - opened + 1
            opened = None


def no_function_is_longer_than_60_lines():
    for path, lines in files(".c", ".cc", ".h", folders=ALL):
        for first, length in functions(lines):
            if length > 60:
                yield f"{path}:{first}: a function of {length} lines"


def no_file_is_longer_than_600_lines_or_250_for_a_header():
    for path, lines in files(*C, folders=ALL):
        if len(lines) > (250 if path.endswith(".h") else 600):
            yield f"{path}: {len(lines)} lines"


def no_line_is_longer_than_100_columns():
    for path, lines in files(*C, ".sql", ".awk", ".py", ".sh", folders=ALL):
        for number, line in enumerate(lines, 1):
            if len(line) > 100:
                yield f"{path}:{number}: {len(line)} columns"


run([
    each_folder_includes_only_what_the_map_allows,
    each_outside_library_is_included_where_the_map_says,
    only_the_store_runs_named_queries,
    no_function_is_longer_than_60_lines,
    no_file_is_longer_than_600_lines_or_250_for_a_header,
    no_line_is_longer_than_100_columns,
])
