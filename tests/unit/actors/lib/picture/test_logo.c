/* header.c, svg_rules.c and logo.c: which files of strangers become a logo. */
#include "actors/lib/picture/encode.h"
#include "actors/lib/picture/header.h"
#include "actors/lib/picture/logo.h"
#include "actors/lib/picture/svg_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SVG(inside) \
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 200 100\">" inside "</svg>"

/* One blue pixel, as libwebp writes it without loss. */
static const char webp[] = "RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0"
                           "\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";

static const unsigned char pixels[64 * 48 * 4];

static void write_png(struct fan_buffer *out)
{
    const struct fan_pixels all = { pixels, 64, 48, 64 * 4 };

    fan_buffer_init(out, 1024 * 1024);
    assert_int_equal(fan_encode_png(all, out, NULL), FAN_OK);
}

static void write_jpeg(struct fan_buffer *out)
{
    const struct fan_pixels all = { pixels, 64, 48, 64 * 4 };

    fan_buffer_init(out, 1024 * 1024);
    assert_int_equal(fan_encode_jpeg(all, 80, out, NULL), FAN_OK);
}

static enum fan_err clean(struct fan_bytes file, struct fan_image_header *made, struct fan_why *why)
{
    struct fan_buffer out;
    enum fan_err err;

    fan_buffer_init(&out, FAN_LOGO_PNG_MAX);
    err = fan_logo_clean(file, &out, why);
    if (!err) {
        assert_int_equal(fan_image_header_read(fan_buffer_bytes(&out), made, why), FAN_OK);
        assert_int_equal(made->kind, FAN_IMAGE_PNG);
    }
    fan_buffer_fini(&out);
    return err;
}

static void each_kind_becomes_a_png(void **state)
{
    struct fan_image_header made;
    struct fan_buffer file;

    write_png(&file);
    assert_int_equal(clean(fan_buffer_bytes(&file), &made, NULL), FAN_OK);
    assert_int_equal(made.width, 64);
    assert_int_equal(made.height, 48);
    fan_buffer_fini(&file);
    write_jpeg(&file);
    assert_int_equal(clean(fan_buffer_bytes(&file), &made, NULL), FAN_OK);
    assert_int_equal(made.width, 64);
    fan_buffer_fini(&file);
    assert_int_equal(clean((struct fan_bytes){ webp, sizeof webp - 1 }, &made, NULL), FAN_OK);
    assert_int_equal(made.width, 1);
    assert_int_equal(clean(FAN_LIT(SVG("<circle cx=\"50\" cy=\"50\" r=\"40\"/>")), &made, NULL),
            FAN_OK);
    assert_int_equal(made.width, FAN_LOGO_SIDE);
    assert_int_equal(made.height, FAN_LOGO_SIDE / 2);
}

static void a_file_that_is_cut_off_is_an_error_and_no_crash(void **state)
{
    void (*const writers[])(struct fan_buffer *) = { write_png, write_jpeg };

    for (size_t i = 0; i < 2; i++) {
        struct fan_image_header made;
        struct fan_buffer file;
        size_t accepted = 0;

        writers[i](&file);
        for (size_t len = 0; len < file.len; len++)
            accepted += !clean((struct fan_bytes){ file.at, len }, &made, NULL);
        /* a JPEG without its last bytes is still a picture */
        assert_true(accepted < (i == 0 ? 13 : file.len / 2));
        fan_buffer_fini(&file);
    }
}

static void a_file_with_a_flipped_byte_is_no_crash(void **state)
{
    void (*const writers[])(struct fan_buffer *) = { write_png, write_jpeg };

    for (size_t i = 0; i < 2; i++) {
        struct fan_image_header made;
        struct fan_buffer file;

        writers[i](&file);
        for (size_t at = 0; at < file.len; at++) {
            file.at[at] ^= 0x5a;
            (void)!clean(fan_buffer_bytes(&file), &made, NULL);
            file.at[at] ^= 0x5a;
        }
        fan_buffer_fini(&file);
    }
}

static void size_and_kind_are_judged_before_anything_is_decoded(void **state)
{
    static const struct {
        struct fan_bytes file;
        enum fan_err err;
    } files[] = {
        { FAN_LIT(""), FAN_INVALID },
        { FAN_LIT("GIF89a\1\0\1\0"), FAN_INVALID },
        { FAN_LIT("%PDF-1.7"), FAN_INVALID },
        { FAN_LIT("\x89PNG\r\n\x1a\n"), FAN_INVALID },
        { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0"), FAN_OK },
        { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\1\0\0\0\1"), FAN_TOO_LARGE },
        { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\xff\xff\xff\xff\0\0\0\1"), FAN_TOO_LARGE },
        { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\1"), FAN_INVALID },
        { FAN_LIT("\xff\xd8\xff\xc0\0\x11\x08\0\x20\0\x40\3"), FAN_OK },
        { FAN_LIT("\xff\xd8\xff\xe0\0\4ab\xff\xff\xc2\0\x11\x08\0\x20\0\x40\3"), FAN_OK },
        { FAN_LIT("\xff\xd8\xff\xc0\0\x11\x08\xff\xff\0\x40\3"), FAN_TOO_LARGE },
        { FAN_LIT("\xff\xd8\xff\xe0\0\0ab"), FAN_INVALID },
        { FAN_LIT("\xff\xd8\xff\xe0\xff\xff"), FAN_INVALID },
        { FAN_LIT("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x0f\0\xff\x0f\0"), FAN_OK },
        { FAN_LIT("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\0\x10\0\1\0\0"), FAN_TOO_LARGE },
        { FAN_LIT("RIFF\0\0\0\0WEBPVP8 "), FAN_INVALID },
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct fan_image_header header;
        struct fan_why why = { 0 };

        if (fan_image_header_read(files[i].file, &header, &why) != files[i].err)
            fail_msg("no. %zu: %s", i, why.text);
    }
}

static void a_harmless_svg_is_taken(void **state)
{
    static const char *const files[] = {
        SVG(""),
        "<?xml version=\"1.0\"?>\n<!-- a logo -->\n" SVG("<g><path d='M0 0h9v9z'/></g>") "\n",
        SVG("<defs><linearGradient id=\"g\"><stop offset=\"0\" stop-color=\"red\"/>"
            "</linearGradient></defs><rect width=\"9\" height=\"9\" fill=\"url(#g)\"/>"),
        SVG("<g id=\"a\"><circle r=\"4\"/></g><use href=\"#a\"/><use xlink:href=\"#a\" x=\"9\"/>"),
        SVG("<style>.a{fill:url(#g);stroke:#fff}</style><path class=\"a\" d=\"M0 0\"/>"),
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct fan_why why = { 0 };

        if (fan_svg_check(fan_bytes_of(files[i]), &why))
            fail_msg("%s: %s", files[i], why.text);
    }
}

static void an_svg_that_could_do_more_than_draw_is_refused(void **state)
{
    static const char *const files[] = {
        "<svg",
        "<svg>",
        "</svg>",
        "<g></g>",
        "<svg/><svg/>",
        "text",
        "<svg></g></svg></svg>",
        "<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>",
        "<?xml-stylesheet href=\"a.css\"?><svg/>",
        SVG("<script>1</script>"),
        SVG("<g onload=\"x()\"/>"),
        SVG("<image href=\"file:///etc/passwd\"/>"),
        SVG("<use href=\"other.svg#a\"/>"),
        SVG("<use xlink:href=\"http://x/y#a\"/>"),
        SVG("<a href=\"http://x\"/>"),
        SVG("<text>hi</text>"),
        SVG("<foreignObject/>"),
        SVG("<xi:include href=\"#a\"/>"),
        SVG("<g xmlns:q=\"http://www.w3.org/2001/XInclude\"/>"),
        SVG("<filter id=\"f\"/>"),
        SVG("<g filter=\"url(#f)\"/>"),
        SVG("<g style=\"filter:blur(9px)\"/>"),
        SVG("<g style=\"fill:url(http://x)\"/>"),
        SVG("<g fill=\"url( 'http://x')\"/>"),
        SVG("<g fill=\"&#117;rl(http://x)\"/>"),
        SVG("<g style=\"fill:\\75rl(http://x)\"/>"),
        SVG("<style>@import 'x';</style>"),
        SVG("<style>a{fill:u<!-- -->rl(x)}</style>"),
        SVG("<style>G{MASK:Url(#a)}</style>"),
        SVG("<style>path{clip-path:url(#a)}</style>"),
        SVG("<g fill=\"URL(http://x)\"/>"),
        SVG("<g style=\"FILTER:blur(9px)\"/>"),
        SVG("<pattern id=\"p\"/>"),
        SVG("<g a=b/>"),
        SVG("<g a='&lol;'/>"),
        SVG("&lol;"),
        SVG("<g id=\"a\"><use href=\"#a\"/></g>"),
        SVG("<mask id=\"a\"><g mask=\"url(#b)\"/></mask><mask id=\"b\"><g mask=\"url(#a)\"/></mask>"
            "<g mask=\"url(#a)\"/>"),
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct fan_why why = { 0 };

        if (!fan_svg_check(fan_bytes_of(files[i]), &why))
            fail_msg("accepted: %s", files[i]);
        assert_string_equal(why.field, "logo");
    }
    assert_int_equal(fan_svg_check((struct fan_bytes){ "<svg>\0</svg>", 12 }, NULL), FAN_INVALID);
    assert_int_equal(fan_svg_check(FAN_LIT("<svg>\xff</svg>"), NULL), FAN_INVALID);
}

static void too_much_to_draw_is_refused(void **state)
{
    struct fan_buffer file;
    struct fan_why why;

    fan_buffer_init(&file, 4 * 1024 * 1024); /* ten times ten times ten … */
    fan_buffer_add_text(&file, "<svg><g id=\"a0\"><path/></g>");
    for (int i = 1; i <= 6; i++) {
        fan_buffer_printf(&file, "<g id=\"a%d\">", i);
        for (int j = 0; j < 10; j++)
            fan_buffer_printf(&file, "<use href=\"#a%d\"/>", i - 1);
        fan_buffer_add_text(&file, "</g>");
    }
    fan_buffer_add_text(&file, "</svg>");
    assert_int_equal(fan_svg_check(fan_buffer_bytes(&file), &why), FAN_INVALID);

    fan_buffer_clear(&file);
    fan_buffer_add_text(&file, "<svg>");
    for (int i = 0; i < 10000; i++)
        fan_buffer_add_text(&file, "<g/>");
    fan_buffer_add_text(&file, "</svg>");
    assert_int_equal(fan_svg_check(fan_buffer_bytes(&file), &why), FAN_INVALID);

    fan_buffer_clear(&file);
    for (int i = 0; i < 70; i++)
        fan_buffer_add_text(&file, i == 0 ? "<svg>" : "<g>");
    assert_int_equal(fan_svg_check(fan_buffer_bytes(&file), &why), FAN_INVALID);
    fan_buffer_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_becomes_a_png),
        cmocka_unit_test(a_file_that_is_cut_off_is_an_error_and_no_crash),
        cmocka_unit_test(a_file_with_a_flipped_byte_is_no_crash),
        cmocka_unit_test(size_and_kind_are_judged_before_anything_is_decoded),
        cmocka_unit_test(a_harmless_svg_is_taken),
        cmocka_unit_test(an_svg_that_could_do_more_than_draw_is_refused),
        cmocka_unit_test(too_much_to_draw_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
