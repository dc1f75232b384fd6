#include "sql/store/check.h"

#include "sql/queries.h"

static struct fan_check_person read_person(const struct fan_rows *rows, int row)
{
    return (struct fan_check_person){
        .contact = fan_row_i64(rows, row, 0),
        .external_id = fan_row_text(rows, row, 1),
        .phone = fan_row_text(rows, row, 2),
        .email = fan_row_text(rows, row, 3),
        .first_name = fan_row_text(rows, row, 4),
        .last_name = fan_row_text(rows, row, 5),
        .company = fan_row_text(rows, row, 6),
        .country = fan_row_text(rows, row, 7),
        .language = fan_row_text(rows, row, 8),
        .time_zone = fan_row_text(rows, row, 9),
        .attributes = fan_row_text(rows, row, 10),
        .reason = (int)fan_row_i64(rows, row, 11),
    };
}

enum fan_err fan_check_people(struct fan_db *db, fan_id account,
        const struct fan_check_sample *sample, struct fan_arena *arena,
        struct fan_check_people *out, struct fan_why *why)
{
    const struct fan_query *query = sample->tags.len ? &fan_q_check_tagged : &fan_q_check_everybody;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i16(&args, sample->kind);
    fan_arg_i64(&args, sample->each);
    fan_arg_i64(&args, sample->ranges);
    if (sample->tags.len)
        fan_arg_i64s(&args, sample->tags.at, sample->tags.len);
    err = fan_db_run(db, query, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_check_people){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_person(&rows, i);
    return FAN_OK;
}
