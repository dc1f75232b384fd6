/* actors/lib/media/type.c */
#include "actors/lib/media/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    struct fan_bytes file;
    enum fan_media_type type;
    uint32_t width, height; /* 0: it does not say */
} files[] = {
    { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\x38\0\0\x02\x1c\x08\x06"), FAN_MEDIA_PNG, 1080,
            540 },
    { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\x02\x1c\x08\x06"), FAN_MEDIA_PNG, 0, 0 },
    { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), FAN_MEDIA_PNG, 0, 0 },
    { FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\rIDAT"), 0, 0, 0 },
    { FAN_LIT("GIF89a\x20\x03\x58\x02\xf7"), FAN_MEDIA_GIF, 800, 600 },
    { FAN_LIT("GIF90a\x20\x03\x58\x02\xf7"), 0, 0, 0 },
    /* an APP0 segment, a filler, a Huffman table, and then the frame */
    { FAN_LIT("\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc4\0\x03x\xff\xc2\0\x11\x08\x01\x00\x02\x00\x03"),
            FAN_MEDIA_JPEG, 512, 256 },
    { FAN_LIT("\xff\xd8\xff\xe0\xff\xff"), FAN_MEDIA_JPEG, 0, 0 },
    { FAN_LIT("\xff\xd8\xff\xe0\0\0\0\0\0\0\0\0\0\0\0\0"), FAN_MEDIA_JPEG, 0, 0 },
    { FAN_LIT("\xff\xd8\xff\xda\0\x02\xff\xc0\0\x11\x08\x01\x00\x02\x00\x03"), FAN_MEDIA_JPEG, 0,
            0 },
    { FAN_LIT("RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\0\0\0\x9d\x01\x2a\x40\x01\xf0\x40"), FAN_MEDIA_WEBP,
            320, 240 },
    { FAN_LIT("RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0\x2f\x3f\xc1\x3b\0\0\0\0\0\0"), FAN_MEDIA_WEBP, 320,
            240 },
    { FAN_LIT("RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\x01\0\xef\0\0"), FAN_MEDIA_WEBP, 320,
            240 },
    { FAN_LIT("RIFF\x1a\0\0\0WAVEfmt "), FAN_MEDIA_WAV, 0, 0 },
    { FAN_LIT("RIFF\x1a\0\0\0AVI LIST"), 0, 0, 0 },
    { FAN_LIT("ID3\x04\0\0"), FAN_MEDIA_MP3, 0, 0 },
    { FAN_LIT("\xff\xfb\x90\x64"), FAN_MEDIA_MP3, 0, 0 },
    { FAN_LIT("\xff\xf3\x40\xc4"), FAN_MEDIA_MP3, 0, 0 },
    { FAN_LIT("\xff\xfb\xf0\x64"), 0, 0, 0 }, /* a rate that there is not */
    { FAN_LIT("\xff\xff\xff\xff"), 0, 0, 0 },
    { FAN_LIT("\xff\xf1\x50\x80"), FAN_MEDIA_AAC, 0, 0 },
    { FAN_LIT("#!AMR\n<"), FAN_MEDIA_AMR, 0, 0 },
    { FAN_LIT("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead"), FAN_MEDIA_OGG,
            0, 0 },
    { FAN_LIT("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora"), 0, 0, 0 },
    { FAN_LIT("\0\0\0\x18"
              "ftypmp42"),
            FAN_MEDIA_MP4, 0, 0 },
    { FAN_LIT("\0\0\0\x18"
              "ftypisom"),
            FAN_MEDIA_MP4, 0, 0 },
    { FAN_LIT("\0\0\0\x18"
              "ftypM4A "),
            FAN_MEDIA_M4A, 0, 0 },
    { FAN_LIT("\0\0\0\x18"
              "ftyp3gp5"),
            FAN_MEDIA_3GP, 0, 0 },
    { FAN_LIT("\0\0\0\x18"
              "ftypqt  "),
            0, 0, 0 },
    { FAN_LIT("%PDF-1.7\n"), FAN_MEDIA_PDF, 0, 0 },
    { FAN_LIT("<svg xmlns="), 0, 0, 0 },
    { FAN_LIT("<!DOCTYPE html>"), 0, 0, 0 },
    { FAN_LIT("MZ\x90"), 0, 0, 0 },
    { FAN_LIT(""), 0, 0, 0 },
};

static void a_file_is_what_its_first_bytes_say(void **state)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (fan_media_type_find(files[i].file) != files[i].type)
            fail_msg("file %zu is taken for type %d", i, (int)fan_media_type_find(files[i].file));
}

static void a_picture_says_how_large_it_is(void **state)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint32_t width = 0, height = 0;
        bool known =
                files[i].type && fan_media_measure(files[i].type, files[i].file, &width, &height);

        if (known != (files[i].width > 0) ||
                (known && (width != files[i].width || height != files[i].height)))
            fail_msg("file %zu is %u x %u", i, width, height);
    }
}

static void what_is_cut_anywhere_is_read_no_further(void **state)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        for (size_t len = 0; len <= files[i].file.len; len++) {
            char copy[96]; /* with the sanitizer behind it */
            uint32_t width, height;
            struct fan_bytes cut = { copy + sizeof copy - len, len };

            memcpy(copy + sizeof copy - len, files[i].file.at, len);
            if (fan_media_type_find(cut))
                (void)fan_media_measure(fan_media_type_find(cut), cut, &width, &height);
        }
    }
}

static void each_type_has_a_name_of_its_own(void **state)
{
    for (int type = 1; type < FAN_MEDIA_TYPE_COUNT; type++) {
        const struct fan_media_rule *rule = fan_media_rule_of((enum fan_media_type)type);

        assert_int_equal(fan_media_type_of(fan_bytes_of(rule->mime)), type);
        assert_true(fan_media_cap(rule->kind) > 0);
        assert_non_null(fan_media_kind_name(rule->kind));
    }
    assert_int_equal(fan_media_type_of(FAN_LIT("image/svg+xml")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_what_its_first_bytes_say),
        cmocka_unit_test(a_picture_says_how_large_it_is),
        cmocka_unit_test(what_is_cut_anywhere_is_read_no_further),
        cmocka_unit_test(each_type_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
