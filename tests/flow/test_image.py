"""`fanfare image`, from outside: the list, pictures in each format, logos, and what is refused."""
import base64
import json
import os
import subprocess
import tempfile

from checks import eventually, expect, run

BIN = os.path.join(os.environ.get("FAN_BUILD", "build/test"), "bin/fanfare")
FOLDER = tempfile.TemporaryDirectory()


def image(*words, code=0, env=None):
    done = subprocess.run([BIN, "image", *words], capture_output=True, timeout=120, check=False,
                          env={**os.environ, **(env or {})})
    expect(done.returncode, code, done.stderr.decode())
    return done


def path(name):
    return os.path.join(FOLDER.name, name)


def content(name):
    with open(path(name), "rb") as file:
        return file.read()


def the_list_names_forty_festivals_four_themes_and_four_sizes():
    festivals, themes, sizes = image("--list").stdout.decode().split("\n\n")
    assert len(festivals.splitlines()) > 40
    expect([line.split()[0] for line in themes.splitlines()[1:]],
           ["classic", "modern", "minimal", "night"])
    expect([line.split()[0] for line in sizes.splitlines()[1:]],
           ["square", "whatsapp", "story", "banner"])
    assert "\n  christmas " in festivals and "-12-25" in festivals


def a_picture_is_written_in_the_format_of_its_name():
    for name, begins in (("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8\xff"), ("a.svg", b"<?xml")):
        done = image("--festival", "eid-al-fitr", "--size", "banner", "--name", "Amina",
                     "--theme", "night", "--campaign", "Eid Sale", "--out", path(name))
        assert content(name).startswith(begins), name
        assert b"1200 x 400" in done.stderr
        assert b"warning" not in done.stderr, done.stderr


def base64_is_a_data_url_of_the_same_bytes():
    order = ("--festival", "holi", "--size", "banner", "--format", "png")
    image(*order, "--out", path("b.png"))
    text = image(*order, "--base64").stdout.decode().strip()
    expect(text.partition(",")[0], "data:image/png;base64")
    expect(base64.b64decode(text.partition(",")[2]), content("b.png"))


def a_logo_is_drawn_and_a_bad_one_left_out_with_a_warning():
    order = ("--festival", "onam", "--size", "banner", "--format", "png")
    image(*order, "--out", path("without.png"))
    with open(path("logo.svg"), "w", encoding="utf-8") as file:
        file.write('<svg viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="red"/></svg>')
    done = image(*order, "--logo", path("logo.svg"), "--out", path("with.png"))
    assert b"warning" not in done.stderr, done.stderr
    assert content("with.png") != content("without.png")
    with open(path("bad.png"), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\nnot at all")
    done = image(*order, "--logo", path("bad.png"), "--out", path("bad-with.png"))
    assert b"the logo was left out" in done.stderr
    expect(content("bad-with.png"), content("without.png"))


def what_cannot_be_drawn_is_refused_in_words():
    for words, says in ((("--festival", "none", "--out", path("x.png")), b"no festival"),
                        (("--festival", "holi", "--theme", "no", "--out", path("x.png")),
                         b"no theme"),
                        (("--festival", "holi", "--size", "no", "--out", path("x.png")),
                         b"right is square"),
                        (("--festival", "holi", "--out", path("x.gif")), b".png, .jpg or .svg"),
                        (("--festival", "holi"), b"--out"),
                        (("--out", path("x.png")), b"--festival"),
                        (("--festival", "holi", "--greeting", "x" * 501, "--out", path("x.png")),
                         b"501 bytes"),
                        (("--festival", "holi", "--out", "/nonexistent/x.png"), b"cannot write")):
        assert says in image(*words, code=1).stderr, words


def the_drawing_child_dies_with_its_parent():
    with subprocess.Popen([BIN, "image", "--festival", "holi", "--size", "banner", "--repeat",
                           "1000000", "--out", path("many.jpg")]) as parent:
        children = f"/proc/{parent.pid}/task/{parent.pid}/children"

        def child():
            with open(children, encoding="ascii") as file:
                return file.read().split()

        pid = eventually(child, 30, "the drawing child")[0]
        parent.kill()
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), 30, "the end of the drawing child")


def another_catalogue_is_found_by_its_setting_and_checked():
    with open(path("festivals.json"), "w", encoding="utf-8") as file:
        json.dump([{"id": "mine", "name": "Mine"}], file)
    for words, env in ((("--pictures", FOLDER.name), None),
                       ((), {"FANFARE_PICTURES": FOLDER.name})):
        done = image("--festival", "mine", "--out", path("x.png"), *words, code=1, env=env)
        assert b"mine.culture is missing or wrong" in done.stderr, done.stderr


run([
    the_list_names_forty_festivals_four_themes_and_four_sizes,
    a_picture_is_written_in_the_format_of_its_name,
    base64_is_a_data_url_of_the_same_bytes,
    a_logo_is_drawn_and_a_bad_one_left_out_with_a_warning,
    what_cannot_be_drawn_is_refused_in_words,
    the_drawing_child_dies_with_its_parent,
    another_catalogue_is_found_by_its_setting_and_checked,
])
