#include "sql/store/contact.h"

#include "sql/queries.h"
#include "sql/store/tag.h"

static struct fan_contact read_contact(const struct fan_rows *rows, int row,
        struct fan_arena *arena)
{
    return (struct fan_contact){
        .id = fan_row_i64(rows, row, 0),
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
        .source = fan_row_text(rows, row, 11),
        .created_at = fan_row_time(rows, row, 12),
        .updated_at = fan_row_time(rows, row, 13),
        .tags = fan_row_texts(rows, row, 14, arena),
    };
}

enum fan_err fan_contact_get(struct fan_db *db, fan_id account, fan_id contact,
        struct fan_arena *arena, struct fan_contact *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, contact);
    err = fan_db_run(db, &fan_q_contact_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is no contact %lld", (long long)contact);
    *out = read_contact(&rows, 0, arena);
    return FAN_OK;
}

enum fan_err fan_contact_page(struct fan_db *db, fan_id account,
        const struct fan_contact_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_contact_list *out, struct fan_why *why)
{
    const struct fan_query *query = &fan_q_contact_page;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    if (filter->tag) {
        query = &fan_q_contact_page_tagged;
        fan_arg_i64(&args, filter->tag);
    } else if (filter->exact.at) {
        query = &fan_q_contact_page_like;
        fan_arg_text(&args, filter->exact);
    }
    err = fan_db_run(db, query, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_contact_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_contact(&rows, i, arena);
    return FAN_OK;
}

static enum fan_err count(struct fan_db *db, const struct fan_query *query, struct fan_args *args,
        int64_t *out, struct fan_why *why)
{
    struct fan_rows rows;
    enum fan_err err = fan_db_run(db, query, args, &rows, why);

    *out = !err && rows.count ? fan_row_i64(&rows, 0, 0) : 0;
    return err;
}

enum fan_err fan_contact_count(struct fan_db *db, fan_id account,
        const struct fan_contact_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why)
{
    struct fan_args args;

    if (filter->tag)
        return fan_contact_count_tagged(db, account,
                (struct fan_ids){ .at = &filter->tag, .len = 1 }, arena, out, why);
    fan_args_for(&args, arena, account);
    if (!filter->exact.at)
        return count(db, &fan_q_contact_count, &args, out, why);
    fan_arg_text(&args, filter->exact);
    return count(db, &fan_q_contact_count_like, &args, out, why);
}

enum fan_err fan_contact_count_tagged(struct fan_db *db, fan_id account, struct fan_ids tags,
        struct fan_arena *arena, int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    if (tags.len == 0)
        return count(db, &fan_q_contact_count, &args, out, why);
    fan_arg_i64s(&args, tags.at, tags.len);
    return count(db, &fan_q_contact_count_tagged, &args, out, why);
}

enum fan_err fan_contact_missing(struct fan_db *db, fan_id account, struct fan_ids ids,
        struct fan_arena *arena, fan_id *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, ids.at, ids.len);
    return count(db, &fan_q_contact_missing, &args, out, why);
}

/* ---- writing ---- */

/* Two requests that bring the same new person meet here; the lock ends with the transaction. */
static enum fan_err lock_people(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    return fan_db_run(db, &fan_q_contact_lock, &args, NULL, why);
}

static enum fan_err match(struct fan_db *db, fan_id account, const struct fan_contact *contact,
        struct fan_arena *arena, fan_id *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, contact->external_id);
    fan_arg_text(&args, contact->phone);
    fan_arg_text(&args, contact->email);
    return count(db, &fan_q_contact_match, &args, out, why);
}

static void add_fields(struct fan_args *args, const struct fan_contact *contact)
{
    fan_arg_text(args, contact->external_id);
    fan_arg_text(args, contact->phone);
    fan_arg_text(args, contact->email);
    fan_arg_text(args, contact->first_name);
    fan_arg_text(args, contact->last_name);
    fan_arg_text(args, contact->company);
    fan_arg_text(args, contact->country);
    fan_arg_text(args, contact->language);
    fan_arg_text(args, contact->time_zone);
    fan_arg_text(args, contact->attributes);
    fan_arg_text(args, contact->source);
}

enum fan_err fan_contact_put(struct fan_db *db, fan_id account, const struct fan_contact *contact,
        struct fan_ids tags, struct fan_arena *arena, fan_id *id, bool *created,
        struct fan_why *why)
{
    struct fan_args args;
    fan_id found;
    enum fan_err err = lock_people(db, account, arena, why);

    if (!err)
        err = match(db, account, contact, arena, &found, why);
    if (err)
        return err;
    *created = found == 0;
    fan_args_for(&args, arena, account);
    add_fields(&args, contact);
    if (!*created)
        fan_arg_i64(&args, found);
    err = count(db, *created ? &fan_q_contact_insert : &fan_q_contact_update, &args, id, why);
    return err || tags.len == 0 ? err : fan_tags_give(db, account, *id, tags, arena, why);
}

/* ---- attributes ---- */

enum fan_err fan_contact_suppressed(struct fan_db *db, fan_id account, fan_id contact,
        enum fan_kind kind, struct fan_arena *arena, bool *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, contact);
    fan_arg_i16(&args, kind);
    err = fan_db_run(db, &fan_q_suppression_holds, &args, &rows, why);
    *out = !err && fan_row_bool(&rows, 0, 0);
    return err;
}

enum fan_err fan_attributes(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_texts *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    err = fan_db_run(db, &fan_q_contact_attributes, &args, &rows, why);
    if (!err)
        *out = fan_row_texts(&rows, 0, 0, arena);
    return err;
}

enum fan_err fan_attributes_declare(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_texts(&args, names.at, names.len);
    return fan_db_run(db, &fan_q_contact_attributes_declare, &args, NULL, why);
}
