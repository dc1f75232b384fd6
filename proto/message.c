/*
 * The tables of proto/messages/, read again and again: to count fields, to check them, to describe
 * them, and to tie it all into schemas.
 *
 * A field's row needs the struct it lies in, which only MESSAGE and RECORD name; so each table of
 * rows stands in a function of its own, where `self` is that struct.
 */
#include "proto/message.h"

/* clang-format off */

/* How many fields: fields_of_render_request = 2, … */
#define MESSAGE(name, number, way, doc) RECORD(name, doc)
#define RECORD(name, doc) enum { fields_of_##name = 0
#define FIELD(key, type, name, need, cap, doc) +1
#define LIST(key, record, name, cap, doc) +1
#define END() };
#include "proto/messages.def"

/* A key takes one byte on the wire and is never used again: otherwise this does not compile. */
#define MESSAGE(name, number, way, doc)                                                            \
    _Static_assert((number) > 0 && (number) <= 0xffff, #name ": its number has two bytes");        \
    RECORD(name, doc)
#define RECORD(name, doc)                                                                          \
    _Static_assert(fields_of_##name <= 64, #name ": the reader marks fields in 64 bits");          \
    _Static_assert(sizeof(struct fan_##name) <= UINT16_MAX, #name ": offsets have 16 bits");       \
    __attribute__((unused)) static void check_keys_of_##name(int key)                              \
    {                                                                                              \
        switch (key) {
#define FIELD(key, type, name, need, cap, doc) RESERVED(key, doc)
#define LIST(key, record, name, cap, doc) RESERVED(key, doc)
#define RESERVED(key, doc)                                                                         \
    case key:;                                                                                     \
        _Static_assert((key) > 0 && (key) < 128, "a key has one byte, its upper bit clear");
#define END()                                                                                      \
    default:;                                                                                      \
        }                                                                                          \
    }
#include "proto/messages.def"

/* The fields, ended by an empty row (so that a message without any still has a table). */
#define MESSAGE(name, number, way, doc) RECORD(name, doc)
#define RECORD(name, doc)                                                                          \
    static const struct fan_field *table_of_##name(void)                                           \
    {                                                                                              \
        typedef struct fan_##name self __attribute__((unused));                                    \
        static const struct fan_field table[] = {
#define FIELD(key, type, name, need, cap, doc)                                                     \
    {key, FAN_TYPE_##type, FAN_##need, offsetof(self, name), cap, #name, doc, NULL},
#define LIST(key, record, name, cap, doc)                                                          \
    {key, FAN_TYPE_list, FAN_OPTIONAL, offsetof(self, name), cap, #name, doc, &fan_schema_##record},
#define END()                                                                                      \
    {0}};                                                                                          \
    return table;                                                                                  \
    }
#include "proto/messages.def"


#define SCHEMA(message, number_, way_, doc_)                                                       \
    const struct fan_schema fan_schema_##message = {                                               \
        .name = #message,                                                                          \
        .doc = doc_,                                                                               \
        .number = number_,                                                                         \
        .way = way_,                                                                               \
        .size = sizeof(struct fan_##message),                                                      \
        .fields = table_of_##message,                                                              \
        .count = fields_of_##message,                                                              \
    };
#define MESSAGE(name, number, way, doc) SCHEMA(name, number, FAN_##way, doc)
#define RECORD(name, doc) SCHEMA(name, 0, FAN_RECORD, doc)
#include "proto/messages.def"

const struct fan_schema *const fan_schemas[] = {
#define MESSAGE(name, number, way, doc) &fan_schema_##name,
#include "proto/messages.def"
    NULL,
};

/* Two messages of one number do not compile here. */
const struct fan_schema *fan_schema_of(uint32_t number)
{
    switch (number) {
#define MESSAGE(name, number, way, doc) \
    case number: return &fan_schema_##name;
#include "proto/messages.def"
    default: return NULL;
    }
}
