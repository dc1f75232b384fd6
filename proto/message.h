/*
 * message — the structs, schemas and handler slots that the tables in proto/messages/ yield.
 *
 * `struct fan_<name>` for every MESSAGE and RECORD; a list field is `struct fan_<record>_list`.
 * Text, ids and lists are borrowed from the frame they were decoded from, or from whoever filled
 * the struct.
 */
#ifndef FAN_PROTO_MESSAGE_H
#define FAN_PROTO_MESSAGE_H

#include "proto/bytes.h"
#include "proto/codec.h"
#include "proto/time.h"

#define FAN_C_id fan_id
#define FAN_C_u32 uint32_t
#define FAN_C_u64 uint64_t
#define FAN_C_i64 int64_t
#define FAN_C_bool bool
#define FAN_C_time fan_time
#define FAN_C_text struct fan_bytes
#define FAN_C_bin struct fan_bytes
#define FAN_C_ids struct fan_ids

/* clang-format off */

/* The structs. */
#define MESSAGE(name, number, way, doc) struct fan_##name {
#define RECORD(name, doc) \
    struct fan_##name; \
    struct fan_##name##_list { \
        const struct fan_##name *at; \
        size_t len; \
    }; \
    struct fan_##name {
#define FIELD(key, type, name, need, cap, doc) FAN_C_##type name;
#define LIST(key, record, name, cap, doc) struct fan_##record##_list name;
#define END() uint8_t nothing_[0]; };
#include "proto/messages.def"

/* The numbers: FAN_MSG_render_request = 0x0201, … */
enum fan_message_number {
#define MESSAGE(name, number, way, doc) FAN_MSG_##name = number,
#include "proto/messages.def"
};

/* The schemas: fan_schema_render_request, … */
#define MESSAGE(name, number, way, doc) extern const struct fan_schema fan_schema_##name;
#define RECORD(name, doc) extern const struct fan_schema fan_schema_##name;
#include "proto/messages.def"

/* clang-format on */

/** All messages (not the records), by table order; NULL ends. */
extern const struct fan_schema *const fan_schemas[];

/** The schema of a message number, or NULL. */
const struct fan_schema *fan_schema_of(uint32_t number);

#endif
