#include "actors/ingester/spool_format.h"

#include "proto/err.h"

static const char segment_magic[8] = "FANSPOOL";
static const char record_magic[4] = "rec2";

enum { HEAD = SPOOL_SEGMENT_HEAD / 2 };

/* ---- the checksum ---- */

/* By half bytes, of the polynomial 0x1EDC6F41 with its bits reversed. */
static uint32_t crc_by_table(uint32_t crc, struct fan_bytes bytes)
{
    static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc,
        0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.at[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#ifdef __x86_64__
/* The processor's own instruction, twenty times as fast. */
__attribute__((target("sse4.2"))) static uint32_t crc_by_processor(uint32_t crc,
        struct fan_bytes bytes)
{
    uint64_t wide = crc, word;

    for (; bytes.len >= sizeof word; bytes.at += sizeof word, bytes.len -= sizeof word) {
        memcpy(&word, bytes.at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    return crc_by_table((uint32_t)wide, bytes);
}
#endif

static uint32_t crc_of(uint32_t crc, struct fan_bytes bytes)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc_by_processor(crc, bytes);
#endif
    return crc_by_table(crc, bytes);
}

uint32_t spool_crc32c(struct fan_bytes bytes)
{
    return ~crc_of(UINT32_MAX, bytes);
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

void spool_head_write(uint64_t salt, char out[SPOOL_SEGMENT_HEAD])
{
    memcpy(out, segment_magic, sizeof segment_magic);
    put_number(out + 8, SPOOL_VERSION, 4);
    put_number(out + 12, salt, 8);
    put_number(out + 20, spool_crc32c((struct fan_bytes){ out, 20 }), 4);
    memcpy(out + HEAD, out, HEAD);
}

/* What stands at the end of a record's head: of the 12 bytes before it, and the salt. */
static uint32_t check_of(const char *head, uint64_t salt)
{
    char bytes[8];

    put_number(bytes, salt, sizeof bytes);
    return ~crc_of(crc_of(UINT32_MAX, (struct fan_bytes){ bytes, sizeof bytes }),
            (struct fan_bytes){ head, 12 });
}

size_t spool_record_size(const struct spool_record *record)
{
    return SPOOL_RECORD_HEAD + 28 + 4 * 4 + record->method.len + record->url.len +
            record->headers.len + record->body.len;
}

void spool_record_write(const struct spool_record *record, uint64_t salt, struct fan_buffer *out)
{
    size_t begin = out->len, length = spool_record_size(record) - SPOOL_RECORD_HEAD;
    char *head;

    fan_buffer_add(out, record_magic, sizeof record_magic);
    add_number(out, length, 4);
    add_number(out, 0, 8); /* the checksums come when they are known */
    add_number(out, (uint64_t)record->arrived, 8);
    add_number(out, (uint64_t)record->account, 8);
    add_number(out, (uint64_t)record->subject, 8);
    add_number(out, record->sort, 4);
    add_text(out, record->method);
    add_text(out, record->url);
    add_text(out, record->headers);
    add_text(out, record->body);
    FAN_ASSERT(!out->overflowed && length <= SPOOL_RECORD_MAX);
    head = out->at + begin;
    put_number(head + 8, spool_crc32c((struct fan_bytes){ head + SPOOL_RECORD_HEAD, length }), 4);
    put_number(head + 12, check_of(head, salt), 4);
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

bool spool_head_read(struct fan_bytes segment, uint64_t *salt)
{
    for (size_t i = 0; i + HEAD <= segment.len && i < SPOOL_SEGMENT_HEAD; i += HEAD) {
        const char *head = segment.at + i;

        if (memcmp(head, segment_magic, sizeof segment_magic) != 0 ||
                get_number(head + 8, 4) != SPOOL_VERSION ||
                get_number(head + 20, 4) != spool_crc32c((struct fan_bytes){ head, 20 }))
            continue;
        *salt = get_number(head + 12, 8);
        return true;
    }
    return false;
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

enum spool_found spool_record_read(struct fan_bytes bytes, uint64_t salt, struct spool_record *out,
        size_t *size)
{
    struct fan_bytes payload;

    *out = (struct spool_record){ 0 };
    *size = SPOOL_RECORD_HEAD;
    if (bytes.len < SPOOL_RECORD_HEAD)
        return SPOOL_PART;
    payload.at = bytes.at + SPOOL_RECORD_HEAD;
    payload.len = get_number(bytes.at + 4, 4);
    *size = 0;
    if (memcmp(bytes.at, record_magic, sizeof record_magic) != 0 ||
            get_number(bytes.at + 12, 4) != check_of(bytes.at, salt) ||
            payload.len > SPOOL_RECORD_MAX)
        return SPOOL_BROKEN;
    *size = SPOOL_RECORD_HEAD + payload.len;
    if (bytes.len < *size)
        return SPOOL_PART;
    if (spool_crc32c(payload) == get_number(bytes.at + 8, 4) && read_payload(payload, out))
        return SPOOL_WHOLE;
    *out = (struct spool_record){ 0 };
    return SPOOL_BROKEN;
}

size_t spool_record_find(struct fan_bytes bytes)
{
    for (size_t at = 1; at < bytes.len; at++) {
        const char *found = memchr(bytes.at + at, record_magic[0], bytes.len - at);
        size_t len = sizeof record_magic;

        if (!found)
            break;
        at = (size_t)(found - bytes.at);
        if (len > bytes.len - at)
            len = bytes.len - at;
        if (memcmp(found, record_magic, len) == 0)
            return at;
    }
    return bytes.len;
}
