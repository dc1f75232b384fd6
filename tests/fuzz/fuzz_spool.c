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
    spool_record_write(record, &out);
    FAN_ASSERT(!out.overflowed && fan_bytes_eq(fan_buffer_bytes(&out), bytes));
    fan_buffer_fini(&out);
}

/* The checksum keeps the fuzzer out: put the right one in, too. */
static void read_on(struct fan_bytes rest)
{
    struct spool_record record;
    size_t size;

    for (;;) {
        enum spool_found found = spool_record_read(rest, &record, &size);

        if (found == SPOOL_PART || size == 0)
            return;
        FAN_ASSERT(size <= rest.len);
        if (found == SPOOL_WHOLE)
            write_back(&record, (struct fan_bytes){ rest.at, size });
        rest.at += size;
        rest.len -= size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes bytes = { (const char *)at, len };
    char sealed[4096 + SPOOL_RECORD_HEAD] = "rec1";
    size_t room = len < 4096 ? len : 4096;
    uint32_t crc = spool_crc32c((struct fan_bytes){ bytes.at, room });

    (void)spool_head_ok(bytes);
    read_on(bytes);
    for (size_t i = 0; i < 4; i++) {
        sealed[4 + i] = (char)(room >> 8 * i);
        sealed[8 + i] = (char)(crc >> 8 * i);
    }
    if (room)
        memcpy(sealed + SPOOL_RECORD_HEAD, at, room);
    read_on((struct fan_bytes){ sealed, room + SPOOL_RECORD_HEAD });
    return 0;
}
