#include "actors/lib/media/type.h"

#include "proto/err.h"

#define MIB (INT64_C(1024) * 1024)

static const struct fan_media_rule rules[FAN_MEDIA_TYPE_COUNT] = {
    [FAN_MEDIA_PNG] = { "image/png", "png", FAN_MEDIA_IMAGE },
    [FAN_MEDIA_JPEG] = { "image/jpeg", "jpg", FAN_MEDIA_IMAGE },
    [FAN_MEDIA_WEBP] = { "image/webp", "webp", FAN_MEDIA_IMAGE },
    [FAN_MEDIA_GIF] = { "image/gif", "gif", FAN_MEDIA_IMAGE },
    [FAN_MEDIA_MP3] = { "audio/mpeg", "mp3", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_AAC] = { "audio/aac", "aac", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_AMR] = { "audio/amr", "amr", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_OGG] = { "audio/ogg", "ogg", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_WAV] = { "audio/wav", "wav", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_M4A] = { "audio/mp4", "m4a", FAN_MEDIA_AUDIO },
    [FAN_MEDIA_MP4] = { "video/mp4", "mp4", FAN_MEDIA_VIDEO },
    [FAN_MEDIA_3GP] = { "video/3gpp", "3gp", FAN_MEDIA_VIDEO },
    [FAN_MEDIA_PDF] = { "application/pdf", "pdf", FAN_MEDIA_DOCUMENT },
};

static const struct {
    const char *name;
    int64_t cap;
} kinds[FAN_MEDIA_KIND_COUNT] = {
    [FAN_MEDIA_IMAGE] = { "image", 16 * MIB },
    [FAN_MEDIA_AUDIO] = { "audio", 16 * MIB },
    [FAN_MEDIA_VIDEO] = { "video", 64 * MIB },
    [FAN_MEDIA_DOCUMENT] = { "document", 100 * MIB },
};

/* A type is a text at the beginning and perhaps another one further behind. */
static const struct {
    struct fan_bytes first;
    size_t at;
    struct fan_bytes second;
    enum fan_media_type type;
} signs[] = {
    { FAN_LIT("\x89PNG\r\n\x1a\n"), 12, FAN_LIT("IHDR"), FAN_MEDIA_PNG },
    { FAN_LIT("\xff\xd8\xff"), 0, FAN_LIT(""), FAN_MEDIA_JPEG },
    { FAN_LIT("RIFF"), 8, FAN_LIT("WEBPVP8"), FAN_MEDIA_WEBP },
    { FAN_LIT("RIFF"), 8, FAN_LIT("WAVE"), FAN_MEDIA_WAV },
    { FAN_LIT("GIF87a"), 0, FAN_LIT(""), FAN_MEDIA_GIF },
    { FAN_LIT("GIF89a"), 0, FAN_LIT(""), FAN_MEDIA_GIF },
    { FAN_LIT("%PDF-"), 0, FAN_LIT(""), FAN_MEDIA_PDF },
    { FAN_LIT("ID3"), 0, FAN_LIT(""), FAN_MEDIA_MP3 },
    { FAN_LIT("#!AMR\n"), 0, FAN_LIT(""), FAN_MEDIA_AMR },
    { FAN_LIT("OggS"), 28, FAN_LIT("OpusHead"), FAN_MEDIA_OGG },
    { FAN_LIT("OggS"), 28, FAN_LIT("\x01vorbis"), FAN_MEDIA_OGG },
};

/* ISO 14496-12: the brand of a file whose first box is "ftyp". */
static const struct {
    struct fan_bytes brand;
    enum fan_media_type type;
} brands[] = {
    { FAN_LIT("M4A "), FAN_MEDIA_M4A },
    { FAN_LIT("M4B "), FAN_MEDIA_M4A },
    { FAN_LIT("3gp"), FAN_MEDIA_3GP },
    { FAN_LIT("3g2"), FAN_MEDIA_3GP },
    { FAN_LIT("isom"), FAN_MEDIA_MP4 },
    { FAN_LIT("iso"), FAN_MEDIA_MP4 },
    { FAN_LIT("mp4"), FAN_MEDIA_MP4 },
    { FAN_LIT("avc1"), FAN_MEDIA_MP4 },
    { FAN_LIT("M4V"), FAN_MEDIA_MP4 },
    { FAN_LIT("dash"), FAN_MEDIA_MP4 },
    { FAN_LIT("MSNV"), FAN_MEDIA_MP4 },
};

static bool stands_at(struct fan_bytes head, size_t at, struct fan_bytes text)
{
    return head.len >= at + text.len && memcmp(head.at + at, text.at, text.len) == 0;
}

static enum fan_media_type by_brand(struct fan_bytes head)
{
    for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++)
        if (stands_at(head, 8, brands[i].brand))
            return brands[i].type;
    return 0;
}

/* Sound without a header begins with a frame: eleven bits that are set, then the layer. */
static enum fan_media_type by_frame(struct fan_bytes head)
{
    const unsigned char *at = (const unsigned char *)head.at;

    if (head.len < 4 || at[0] != 0xff || (at[1] & 0xe0) != 0xe0)
        return 0;
    if ((at[1] & 0xf6) == 0xf0) /* ADTS: twelve bits, layer 0 */
        return FAN_MEDIA_AAC;
    /* MPEG 1 or 2, layer 3, with a rate that there is */
    if ((at[1] & 0x18) != 0x08 && (at[1] & 0x06) == 0x02 && (at[2] & 0xf0) != 0xf0 &&
            (at[2] & 0x0c) != 0x0c)
        return FAN_MEDIA_MP3;
    return 0;
}

enum fan_media_type fan_media_type_find(struct fan_bytes head)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (stands_at(head, 0, signs[i].first) && stands_at(head, signs[i].at, signs[i].second))
            return signs[i].type;
    if (stands_at(head, 4, FAN_LIT("ftyp")))
        return by_brand(head);
    return by_frame(head);
}

const struct fan_media_rule *fan_media_rule_of(enum fan_media_type type)
{
    FAN_ASSERT(type > 0 && type < FAN_MEDIA_TYPE_COUNT);
    return &rules[type];
}

enum fan_media_type fan_media_type_of(struct fan_bytes mime)
{
    for (int type = 1; type < FAN_MEDIA_TYPE_COUNT; type++)
        if (fan_bytes_eq_text(mime, rules[type].mime))
            return (enum fan_media_type)type;
    return 0;
}

const char *fan_media_kind_name(enum fan_media_kind kind)
{
    FAN_ASSERT(kind > 0 && kind < FAN_MEDIA_KIND_COUNT);
    return kinds[kind].name;
}

int64_t fan_media_cap(enum fan_media_kind kind)
{
    FAN_ASSERT(kind > 0 && kind < FAN_MEDIA_KIND_COUNT);
    return kinds[kind].cap;
}

/* ---- the size of pictures ---- */

static uint32_t big(struct fan_bytes file, size_t at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)file.at[at + (size_t)i];
    return value;
}

static uint32_t little(struct fan_bytes file, size_t at, int bytes)
{
    uint32_t value = 0;

    for (int i = bytes; i > 0; i--)
        value = value << 8 | (unsigned char)file.at[at + (size_t)i - 1];
    return value;
}

static bool measure_png(struct fan_bytes file, uint32_t *width, uint32_t *height)
{
    if (file.len < 24)
        return false;
    *width = big(file, 16, 4);
    *height = big(file, 20, 4);
    return true;
}

static bool measure_gif(struct fan_bytes file, uint32_t *width, uint32_t *height)
{
    if (file.len < 10)
        return false;
    *width = little(file, 6, 2);
    *height = little(file, 8, 2);
    return true;
}

/* source  RFC 9649: the three kinds of WebP */
static bool measure_webp(struct fan_bytes file, uint32_t *width, uint32_t *height)
{
    if (file.len < 30)
        return false;
    if (file.at[15] == 'X') {
        *width = little(file, 24, 3) + 1;
        *height = little(file, 27, 3) + 1;
    } else if (file.at[15] == 'L') {
        *width = (little(file, 21, 4) & 0x3fff) + 1;
        *height = (little(file, 21, 4) >> 14 & 0x3fff) + 1;
    } else {
        *width = little(file, 26, 2) & 0x3fff;
        *height = little(file, 28, 2) & 0x3fff;
    }
    return true;
}

/* C0 to CF begin a frame, but for C4, C8 and CC, which are tables. */
static bool begins_frame(uint32_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* source  ITU T.81, annex B: segments of a marker and a length, until one that has the size */
static bool measure_jpeg(struct fan_bytes file, uint32_t *width, uint32_t *height)
{
    size_t at = 2;

    while (at + 9 <= file.len && (unsigned char)file.at[at] == 0xff) {
        uint32_t marker = big(file, at + 1, 1);

        if (marker == 0xff) { /* a filler */
            at++;
        } else if (begins_frame(marker)) {
            *height = big(file, at + 5, 2);
            *width = big(file, at + 7, 2);
            return true;
        } else if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
            at += 2;
        } else if (marker == 0xd9 || marker == 0xda || big(file, at + 2, 2) < 2) {
            return false;
        } else {
            at += 2 + big(file, at + 2, 2);
        }
    }
    return false;
}

bool fan_media_measure(enum fan_media_type type, struct fan_bytes file, uint32_t *width,
        uint32_t *height)
{
    bool known = false;

    if (type == FAN_MEDIA_PNG)
        known = measure_png(file, width, height);
    else if (type == FAN_MEDIA_GIF)
        known = measure_gif(file, width, height);
    else if (type == FAN_MEDIA_WEBP)
        known = measure_webp(file, width, height);
    else if (type == FAN_MEDIA_JPEG)
        known = measure_jpeg(file, width, height);
    return known && *width > 0 && *height > 0;
}
