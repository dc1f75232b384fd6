/*
 * sample — a struct of any message, filled from its schema; every field says something else.
 */
#ifndef FAN_TESTS_UNIT_PROTO_SAMPLE_H
#define FAN_TESTS_UNIT_PROTO_SAMPLE_H

#include "proto/message.h"

static inline struct fan_bytes sample_text(const struct fan_field *field, struct fan_arena *arena)
{
    return fan_bytes_of(fan_arena_printf(arena, "%s \xe2\x80\x93 %d", field->name, field->key));
}

static inline struct fan_bytes sample_bin(const struct fan_field *field, struct fan_arena *arena)
{
    size_t len = field->cap < 64 ? field->cap : 64;
    char *at = fan_arena_alloc(arena, len);

    memset(at, (0xf0 + field->key) & 0xff, len);
    return (struct fan_bytes){ at, len };
}

static inline struct fan_ids sample_ids(struct fan_arena *arena)
{
    int64_t *at = fan_arena_array(arena, 3, sizeof *at);

    at[0] = 1;
    at[1] = 300;
    at[2] = FAN_ID_MAX;
    return (struct fan_ids){ at, 3 };
}

static inline void *sample(const struct fan_schema *schema, struct fan_arena *arena);

/* Two items: a full one, and one that says nothing but what it must. */
static inline struct fan_list sample_list(const struct fan_field *field, struct fan_arena *arena)
{
    char *items = fan_arena_array(arena, 2, field->record->size);

    memcpy(items, sample(field->record, arena), field->record->size);
    return (struct fan_list){ items, 2 };
}

static inline void sample_field(const struct fan_field *field, struct fan_arena *arena, void *at)
{
    switch ((enum fan_field_type)field->type) {
    case FAN_TYPE_id:
        *(fan_id *)at = 1000000000000 + field->key;
        break;
    case FAN_TYPE_u32:
        *(uint32_t *)at = 70000u + field->key;
        break;
    case FAN_TYPE_u64:
        *(uint64_t *)at = UINT64_C(0xf000000000000000) + field->key;
        break;
    case FAN_TYPE_i64:
        *(int64_t *)at = -40000 - field->key;
        break;
    case FAN_TYPE_bool:
        *(bool *)at = true;
        break;
    case FAN_TYPE_time:
        *(fan_time *)at = INT64_C(1795156934123456) + field->key;
        break;
    case FAN_TYPE_text:
        *(struct fan_bytes *)at = sample_text(field, arena);
        break;
    case FAN_TYPE_bin:
        *(struct fan_bytes *)at = sample_bin(field, arena);
        break;
    case FAN_TYPE_ids:
        *(struct fan_ids *)at = sample_ids(arena);
        break;
    case FAN_TYPE_list:
        *(struct fan_list *)at = sample_list(field, arena);
        break;
    }
}

/** A filled struct of @schema, in @arena. */
static inline void *sample(const struct fan_schema *schema, struct fan_arena *arena)
{
    const struct fan_field *fields = schema->fields();
    char *message = fan_arena_alloc(arena, schema->size);

    for (size_t i = 0; i < schema->count; i++)
        sample_field(&fields[i], arena, message + fields[i].offset);
    return message;
}

#endif
