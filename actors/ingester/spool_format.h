/*
 * spool_format — how what came in stands on the disk. Pure.
 *
 *   segment  "FANSPOOL", version (u32), zero (u32), then records
 *   record   "rec1", length (u32), CRC32C of the rest (u32); then arrival (i64), account (i64),
 *            subject (i64), sort (u32) and four texts, each a length (u32) and its bytes: method,
 *            url, headers, body
 *
 * All numbers are little-endian. A record that was not written to its end is told from one that was
 * damaged only by the file ending before it.
 */
#ifndef FAN_ACTORS_INGESTER_SPOOL_FORMAT_H
#define FAN_ACTORS_INGESTER_SPOOL_FORMAT_H

#include "proto/buffer.h"
#include "proto/time.h"

enum {
    SPOOL_VERSION = 1,
    SPOOL_SEGMENT_HEAD = 16,
    SPOOL_RECORD_HEAD = 12,
    SPOOL_RECORD_MAX = 4 * 1024 * 1024, /* bytes behind a record's head */
};

enum spool_sort {
    SPOOL_HOOK = 1,    /* a provider's; the subject is the channel. Its signature was checked */
    SPOOL_UNSUBSCRIBE, /* a recipient's; the subject is the message. Its token was checked */
};

struct spool_record {
    fan_time arrived;
    enum spool_sort sort;
    fan_id account, subject;
    struct fan_bytes method, url, headers, body;
};

void spool_head_write(char out[SPOOL_SEGMENT_HEAD]);
/** Whether @segment begins with the head of a version that we read. */
bool spool_head_ok(struct fan_bytes segment);

/** Add a record; a larger one than SPOOL_RECORD_MAX marks @out as overflowed. */
void spool_record_write(const struct spool_record *record, struct fan_buffer *out);

enum spool_found {
    SPOOL_WHOLE,  /* a record: *size is how long it is */
    SPOOL_PART,   /* it would need *size bytes */
    SPOOL_BROKEN, /* none: the next one may begin *size bytes on; 0: nobody knows where */
};

/** Read the record that @bytes begins with; its texts are borrowed from there. */
enum spool_found spool_record_read(struct fan_bytes bytes, struct spool_record *out, size_t *size);

/** source  RFC 3720, B.4 */
uint32_t spool_crc32c(struct fan_bytes bytes);

#endif
