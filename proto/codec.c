/*
 * Writing, through msgpack-c's packer. Reading is in decode.c and does without msgpack-c: its
 * unpacker reserves gigabytes for a frame of five bytes.
 */
#include "proto/codec.h"

#include "proto/time.h"

#include <msgpack.h>

size_t fan_field_limit(const struct fan_field *field)
{
    bool is_many = field->type == FAN_TYPE_ids || field->type == FAN_TYPE_list;

    return field->cap ? field->cap : is_many ? FAN_ITEMS_MAX : UINT32_MAX;
}

static int append(void *out, const char *at, size_t len)
{
    fan_buffer_add(out, at, len);
    return 0; /* the buffer remembers what did not fit */
}

static void refuse_to_write(msgpack_packer *packer)
{
    struct fan_buffer *out = packer->data;

    out->overflowed = true;
}

/* Whether a field says anything; only REQUIRED ones are written when they do not. */
static bool is_said(const struct fan_field *field, const void *at)
{
    switch ((enum fan_field_type)field->type) {
    case FAN_TYPE_id:
    case FAN_TYPE_i64:
    case FAN_TYPE_time:
        return *(const int64_t *)at != 0;
    case FAN_TYPE_u64:
        return *(const uint64_t *)at != 0;
    case FAN_TYPE_u32:
        return *(const uint32_t *)at != 0;
    case FAN_TYPE_bool:
        return *(const bool *)at;
    case FAN_TYPE_text:
    case FAN_TYPE_bin:
        return ((const struct fan_bytes *)at)->len != 0;
    case FAN_TYPE_ids:
        return ((const struct fan_ids *)at)->len != 0;
    case FAN_TYPE_list:
        return ((const struct fan_list *)at)->len != 0;
    }
    return false;
}

static bool is_written(const struct fan_field *field, const char *message)
{
    return field->need == FAN_REQUIRED || is_said(field, message + field->offset);
}

static void pack_id(msgpack_packer *packer, fan_id id)
{
    if (id < 0 || id > FAN_ID_MAX)
        refuse_to_write(packer);
    msgpack_pack_int64(packer, id);
}

static void pack_text(msgpack_packer *packer, const struct fan_field *field, struct fan_bytes text)
{
    if (text.len > fan_field_limit(field) || !fan_bytes_utf8(text))
        refuse_to_write(packer);
    else
        msgpack_pack_str_with_body(packer, text.at, text.len);
}

static void pack_bin(msgpack_packer *packer, const struct fan_field *field, struct fan_bytes bin)
{
    if (bin.len > fan_field_limit(field))
        refuse_to_write(packer);
    else
        msgpack_pack_bin_with_body(packer, bin.at, bin.len);
}

static void pack_ids(msgpack_packer *packer, const struct fan_field *field, struct fan_ids ids)
{
    if (ids.len > fan_field_limit(field))
        refuse_to_write(packer);
    msgpack_pack_array(packer, ids.len);
    for (size_t i = 0; i < ids.len; i++)
        pack_id(packer, ids.at[i]);
}

static void pack_map(msgpack_packer *packer, const struct fan_schema *schema, const char *message);

static void pack_list(msgpack_packer *packer, const struct fan_field *field, struct fan_list list)
{
    if (list.len > fan_field_limit(field))
        refuse_to_write(packer);
    msgpack_pack_array(packer, list.len);
    for (size_t i = 0; i < list.len; i++)
        pack_map(packer, field->record, (const char *)list.at + i * field->record->size);
}

static void pack_value(msgpack_packer *packer, const struct fan_field *field, const void *at)
{
    switch ((enum fan_field_type)field->type) {
    case FAN_TYPE_id:
        pack_id(packer, *(const fan_id *)at);
        break;
    case FAN_TYPE_i64:
    case FAN_TYPE_time:
        msgpack_pack_int64(packer, *(const int64_t *)at);
        break;
    case FAN_TYPE_u64:
        msgpack_pack_uint64(packer, *(const uint64_t *)at);
        break;
    case FAN_TYPE_u32:
        msgpack_pack_uint32(packer, *(const uint32_t *)at);
        break;
    case FAN_TYPE_bool:
        *(const bool *)at ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
        break;
    case FAN_TYPE_text:
        pack_text(packer, field, *(const struct fan_bytes *)at);
        break;
    case FAN_TYPE_bin:
        pack_bin(packer, field, *(const struct fan_bytes *)at);
        break;
    case FAN_TYPE_ids:
        pack_ids(packer, field, *(const struct fan_ids *)at);
        break;
    case FAN_TYPE_list:
        pack_list(packer, field, *(const struct fan_list *)at);
        break;
    }
}

static void pack_map(msgpack_packer *packer, const struct fan_schema *schema, const char *message)
{
    const struct fan_field *fields = schema->fields();
    size_t written = 0;

    for (size_t i = 0; i < schema->count; i++)
        written += is_written(&fields[i], message);
    msgpack_pack_map(packer, written);
    for (size_t i = 0; i < schema->count; i++) {
        if (!is_written(&fields[i], message))
            continue;
        msgpack_pack_uint8(packer, fields[i].key);
        pack_value(packer, &fields[i], message + fields[i].offset);
    }
}

void fan_encode(const struct fan_schema *schema, const void *message, struct fan_buffer *out)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, append);
    pack_map(&packer, schema, message);
}
