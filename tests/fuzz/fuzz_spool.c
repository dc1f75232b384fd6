/*
 * fuzz_spool — any bytes as what stands in a spool: reading ends, never looks beyond them, and what
 * is read as a record writes back as the same bytes.
 *
 * LINKS: actors/ingester
 */
#include "actors/ingester/spool_format.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void write_back(const struct spool_record *record, struct fan_bytes bytes)
{
    struct fan_buffer out;

    fan_buffer_init(&out, SPOOL_RECORD_MAX + SPOOL_RECORD_HEAD);
    spool_record_write(record, 0, &out);
    FAN_ASSERT(out.len == spool_record_size(record) && fan_bytes_eq(fan_buffer_bytes(&out), bytes));
    fan_buffer_fini(&out);
}

/* The checksum keeps the fuzzer out: put the right one in, too. */
static void read_on(struct fan_bytes rest)
{
    struct spool_record record;
    size_t size;

    for (;;) {
        enum spool_found found = spool_record_read(rest, 0, &record, &size);

        if (found == SPOOL_PART || size == 0)
            return;
        FAN_ASSERT(size <= rest.len);
        if (found == SPOOL_WHOLE)
            write_back(&record, (struct fan_bytes){ rest.at, size });
        rest.at += size;
        rest.len -= size;
    }
}

static void put(char *to, uint32_t number)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (char)(number >> 8 * i);
}

/* A head for what follows it; its check begins with the salt, which is 0. */
static void seal(char *record, struct fan_bytes payload)
{
    char checked[8 + 12] = { 0 };

    memcpy(record, "rec2", 4);
    put(record + 4, (uint32_t)payload.len);
    put(record + 8, spool_crc32c(payload));
    memcpy(checked + 8, record, 12);
    put(record + 12, spool_crc32c((struct fan_bytes){ checked, sizeof checked }));
    if (payload.len)
        memcpy(record + SPOOL_RECORD_HEAD, payload.at, payload.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes bytes = { (const char *)at, len };
    char sealed[4096 + SPOOL_RECORD_HEAD];
    size_t room = len < 4096 ? len : 4096;
    uint64_t salt;

    (void)spool_head_read(bytes, &salt);
    FAN_ASSERT(spool_record_find(bytes) <= len);
    read_on(bytes);
    seal(sealed, (struct fan_bytes){ bytes.at, room });
    read_on((struct fan_bytes){ sealed, room + SPOOL_RECORD_HEAD });
    return 0;
}
