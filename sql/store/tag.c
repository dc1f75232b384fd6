#include "sql/store/tag.h"

#include "sql/queries.h"

enum fan_err fan_tags_find(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    int64_t *ids;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_texts(&args, names.at, names.len);
    err = fan_db_run(db, &fan_q_tag_find, &args, &rows, why);
    if (err)
        return err;
    ids = fan_arena_array(arena, (size_t)rows.count, sizeof *ids);
    for (int i = 0; i < rows.count; i++)
        ids[i] = fan_row_i64(&rows, i, 0);
    *out = (struct fan_ids){ .at = ids, .len = (size_t)rows.count };
    return FAN_OK;
}

enum fan_err fan_tags_ensure(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_texts(&args, names.at, names.len);
    err = fan_db_run(db, &fan_q_tag_ensure, &args, NULL, why);
    return err ? err : fan_tags_find(db, account, names, arena, out, why);
}

enum fan_err fan_tags_give(struct fan_db *db, fan_id account, fan_id contact, struct fan_ids tags,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, contact);
    fan_arg_i64s(&args, tags.at, tags.len);
    return fan_db_run(db, &fan_q_tag_give, &args, NULL, why);
}
