/*
 * spool_format — how what came in stands on the disk. Pure.
 *
 *   segment  its head, twice: "FANSPOOL", version (u32), salt (u64), CRC32C of these (u32); then
 *            records
 *   record   "rec2", length (u32), CRC32C of the rest (u32), check of these and the salt (u32);
 * then arrival (i64), account (i64), subject (i64), sort (u32) and four texts, each a length (u32)
 * and its bytes: method, url, headers, body
 *
 * All numbers are little-endian. A head whose check is right says where the next record begins,
 * even when this one is damaged or was not written to its end. When it is wrong, the next record is
 * looked for; the salt, which is random, keeps anybody from putting one there inside a body.
 */
#ifndef FAN_ACTORS_INGESTER_SPOOL_FORMAT_H
#define FAN_ACTORS_INGESTER_SPOOL_FORMAT_H

#include "proto/buffer.h"
#include "proto/time.h"

enum {
    SPOOL_VERSION = 2,
    SPOOL_SEGMENT_HEAD = 48,
    SPOOL_RECORD_HEAD = 16,
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

void spool_head_write(uint64_t salt, char out[SPOOL_SEGMENT_HEAD]);
/** Whether one of the heads that @segment begins with is whole, and of a version that we read. */
bool spool_head_read(struct fan_bytes segment, uint64_t *salt);

/** Bytes that a record takes. */
size_t spool_record_size(const struct spool_record *record);

/** Add a record, which must not be larger than SPOOL_RECORD_MAX and its head. */
void spool_record_write(const struct spool_record *record, uint64_t salt, struct fan_buffer *out);

enum spool_found {
    SPOOL_WHOLE,  /* a record: *size is how long it is */
    SPOOL_PART,   /* it would need *size bytes */
    SPOOL_BROKEN, /* none: the next one begins *size bytes on; 0: nobody knows where */
};

/** Read the record that @bytes begins with; its texts are borrowed from there. */
enum spool_found spool_record_read(struct fan_bytes bytes, uint64_t salt, struct spool_record *out,
        size_t *size);

/** The next place in @bytes, behind the first byte, where a record may begin; their length: none.
 * Near their end it may be one whose beginning is not all there. */
size_t spool_record_find(struct fan_bytes bytes);

/** source  RFC 3720, B.4 */
uint32_t spool_crc32c(struct fan_bytes bytes);

#endif
