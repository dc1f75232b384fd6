#include "actors/ingester/spool_format.h"

static const char segment_magic[8] = "FANSPOOL";
static const char record_magic[4] = "rec1";

uint32_t spool_crc32c(struct fan_bytes bytes)
{
    /* By half bytes, of the polynomial 0x1EDC6F41 with its bits reversed. */
    static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc,
        0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.at[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* ---- writing ---- */

static void put_number(char *to, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(number >> 8 * i);
}

static void add_number(struct fan_buffer *out, uint64_t number, size_t len)
{
    char bytes[8];

    put_number(bytes, number, len);
    fan_buffer_add(out, bytes, len);
}

static void add_text(struct fan_buffer *out, struct fan_bytes text)
{
    add_number(out, text.len, 4);
    fan_buffer_add_bytes(out, text);
}

void spool_head_write(char out[SPOOL_SEGMENT_HEAD])
{
    memset(out, 0, SPOOL_SEGMENT_HEAD);
    memcpy(out, segment_magic, sizeof segment_magic);
    put_number(out + sizeof segment_magic, SPOOL_VERSION, 4);
}

void spool_record_write(const struct spool_record *record, struct fan_buffer *out)
{
    size_t begin = out->len, length;

    fan_buffer_add(out, record_magic, sizeof record_magic);
    add_number(out, 0, 8); /* length and checksum come when they are known */
    add_number(out, (uint64_t)record->arrived, 8);
    add_number(out, (uint64_t)record->account, 8);
    add_number(out, (uint64_t)record->subject, 8);
    add_number(out, record->sort, 4);
    add_text(out, record->method);
    add_text(out, record->url);
    add_text(out, record->headers);
    add_text(out, record->body);
    if (out->overflowed)
        return;
    length = out->len - begin - SPOOL_RECORD_HEAD;
    out->overflowed = length > SPOOL_RECORD_MAX;
    put_number(out->at + begin + 4, length, 4);
    put_number(out->at + begin + 8,
            spool_crc32c((struct fan_bytes){ out->at + begin + SPOOL_RECORD_HEAD, length }), 4);
}

/* ---- reading ---- */

static uint64_t get_number(const char *from, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)(unsigned char)from[i] << 8 * i;
    return number;
}

static bool take_number(struct fan_bytes *rest, size_t len, uint64_t *out)
{
    if (rest->len < len)
        return false;
    *out = get_number(rest->at, len);
    rest->at += len;
    rest->len -= len;
    return true;
}

static bool take_text(struct fan_bytes *rest, struct fan_bytes *out)
{
    uint64_t len;

    if (!take_number(rest, 4, &len) || len > rest->len)
        return false;
    *out = (struct fan_bytes){ rest->at, len };
    rest->at += len;
    rest->len -= len;
    return true;
}

bool spool_head_ok(struct fan_bytes segment)
{
    return segment.len >= SPOOL_SEGMENT_HEAD &&
            memcmp(segment.at, segment_magic, sizeof segment_magic) == 0 &&
            get_number(segment.at + sizeof segment_magic, 4) == SPOOL_VERSION;
}

static bool read_payload(struct fan_bytes rest, struct spool_record *out)
{
    uint64_t arrived, account, subject, sort;

    if (!take_number(&rest, 8, &arrived) || !take_number(&rest, 8, &account) ||
            !take_number(&rest, 8, &subject) || !take_number(&rest, 4, &sort))
        return false;
    if (!take_text(&rest, &out->method) || !take_text(&rest, &out->url) ||
            !take_text(&rest, &out->headers) || !take_text(&rest, &out->body) || rest.len > 0)
        return false;
    out->arrived = (fan_time)arrived;
    out->account = (fan_id)account;
    out->subject = (fan_id)subject;
    out->sort = (enum spool_sort)sort;
    return sort == SPOOL_HOOK || sort == SPOOL_UNSUBSCRIBE;
}

enum spool_found spool_record_read(struct fan_bytes bytes, struct spool_record *out, size_t *size)
{
    struct fan_bytes payload;

    *out = (struct spool_record){ 0 };
    *size = SPOOL_RECORD_HEAD;
    if (bytes.len < SPOOL_RECORD_HEAD)
        return SPOOL_PART;
    payload.at = bytes.at + SPOOL_RECORD_HEAD;
    payload.len = get_number(bytes.at + 4, 4);
    *size = 0;
    if (memcmp(bytes.at, record_magic, sizeof record_magic) != 0 || payload.len > SPOOL_RECORD_MAX)
        return SPOOL_BROKEN;
    *size = SPOOL_RECORD_HEAD + payload.len;
    if (bytes.len < *size)
        return SPOOL_PART;
    if (spool_crc32c(payload) == get_number(bytes.at + 8, 4) && read_payload(payload, out))
        return SPOOL_WHOLE;
    *out = (struct spool_record){ 0 };
    return SPOOL_BROKEN;
}
