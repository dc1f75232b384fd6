#include "actors/lib/picture/header.h"

/* The bytes at @offset as a number, most significant first; 0 when they are not there. */
static uint32_t big(struct fan_bytes file, size_t offset, size_t count)
{
    uint32_t value = 0;

    if (offset > file.len || file.len - offset < count)
        return 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | (unsigned char)file.at[offset + i];
    return value;
}

static uint32_t little(struct fan_bytes file, size_t offset, size_t count)
{
    uint32_t value = 0;

    if (offset > file.len || file.len - offset < count)
        return 0;
    for (size_t i = count; i > 0; i--)
        value = value << 8 | (unsigned char)file.at[offset + i - 1];
    return value;
}

static bool has(struct fan_bytes file, size_t offset, struct fan_bytes text)
{
    return offset <= file.len && file.len - offset >= text.len &&
            memcmp(file.at + offset, text.at, text.len) == 0;
}

/* source: PNG, second edition, 5.2 and 11.2.2 */
static void read_png(struct fan_bytes file, struct fan_image_header *out)
{
    if (!has(file, 12, FAN_LIT("IHDR")) || big(file, 8, 4) != 13)
        return;
    out->width = big(file, 16, 4);
    out->height = big(file, 20, 4);
}

static bool is_frame(unsigned marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* source: ITU T.81, B.1 and B.2.2: segments, until the one that begins a frame */
static void read_jpeg(struct fan_bytes file, struct fan_image_header *out)
{
    size_t at = 2;

    while (at + 4 <= file.len && (unsigned char)file.at[at] == 0xff) {
        unsigned marker = (unsigned char)file.at[at + 1];
        uint32_t length = big(file, at + 2, 2);

        if (marker == 0xff) { /* filling */
            at++;
            continue;
        }
        if (is_frame(marker)) {
            out->height = big(file, at + 5, 2);
            out->width = big(file, at + 7, 2);
            return;
        }
        if (length < 2 || marker == 0xda || marker == 0xd9)
            return;
        at += 2 + length;
    }
}

/* source: RFC 9649; RFC 6386, 9.1 */
static void read_webp(struct fan_bytes file, struct fan_image_header *out)
{
    if (has(file, 12, FAN_LIT("VP8X")) && little(file, 24, 3) && file.len >= 30) {
        out->width = little(file, 24, 3) + 1;
        out->height = little(file, 27, 3) + 1;
    } else if (has(file, 12, FAN_LIT("VP8L")) && file.len >= 25 && file.at[20] == 0x2f) {
        uint32_t bits = little(file, 21, 4);

        out->width = (bits & 0x3fff) + 1;
        out->height = (bits >> 14 & 0x3fff) + 1;
    } else if (has(file, 12, FAN_LIT("VP8 ")) && has(file, 23, FAN_LIT("\x9d\x01\x2a"))) {
        out->width = little(file, 26, 2) & 0x3fff;
        out->height = little(file, 28, 2) & 0x3fff;
    }
}

static bool is_svg(struct fan_bytes file)
{
    struct fan_bytes text = file;

    if (has(text, 0, FAN_LIT("\xef\xbb\xbf")))
        text = (struct fan_bytes){ text.at + 3, text.len - 3 };
    text = fan_bytes_trim(text);
    return has(text, 0, FAN_LIT("<?xml")) || has(text, 0, FAN_LIT("<svg")) ||
            has(text, 0, FAN_LIT("<!--"));
}

enum fan_err fan_image_header_read(struct fan_bytes file, struct fan_image_header *out,
        struct fan_why *why)
{
    *out = (struct fan_image_header){ .kind = 0 };
    if (has(file, 0, FAN_LIT("\x89PNG\r\n\x1a\n"))) {
        out->kind = FAN_IMAGE_PNG;
        read_png(file, out);
    } else if (has(file, 0, FAN_LIT("\xff\xd8\xff"))) {
        out->kind = FAN_IMAGE_JPEG;
        read_jpeg(file, out);
    } else if (has(file, 0, FAN_LIT("RIFF")) && has(file, 8, FAN_LIT("WEBP"))) {
        out->kind = FAN_IMAGE_WEBP;
        read_webp(file, out);
    } else if (is_svg(file)) {
        out->kind = FAN_IMAGE_SVG;
        return FAN_OK;
    } else {
        return fan_fail_field(why, FAN_INVALID, "logo",
                "the file is no image we know; right is PNG, JPEG, WebP or SVG");
    }
    if (out->width == 0 || out->height == 0)
        return fan_fail_field(why, FAN_INVALID, "logo", "the image is damaged: it names no size");
    if (out->width > FAN_IMAGE_SIDE_MAX || out->height > FAN_IMAGE_SIDE_MAX)
        return fan_fail_field(why, FAN_TOO_LARGE, "logo",
                "the image has %u x %u pixels; at most %d x %d are taken", out->width, out->height,
                FAN_IMAGE_SIDE_MAX, FAN_IMAGE_SIDE_MAX);
    return FAN_OK;
}
