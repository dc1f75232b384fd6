/*
 * Taking in contact lists. A block's rows are read, matched with the people we have, and written
 * with the import's cursor in one transaction: killed anywhere, the next process continues behind
 * the last block that was committed.
 */
#include "actors/audience/audience.h"
#include "actors/audience/people.h"
#include "proto/fault.h"
#include "proto/json.h"
#include "sql/store/event.h"
#include "sql/store/tag.h"

#include <stdlib.h>

enum {
    SLICE = 4000, /* rows that are matched and written at once: bounds a statement's time */
    WORTH_S = 5,  /* seconds for which asking ourselves for the next blocks is worth anything */
    ATTRIBUTES_CAP = 2 * 1024 * 1024,
};

/* One block under way. */
struct intake {
    struct fan_turn *turn;
    fan_id account, import;
    struct fan_import_held held;
    struct row_plan plan;
    struct row *rows; /* rows[rows_len], those that were not rejected */
    size_t rows_len, rows_room;
    struct row_errors errors;
    struct fan_import_counts counts;
};

/* ---- reading ---- */

static bool on_record(void *context, const struct fan_csv_record *record)
{
    struct intake *in = context;

    if (in->rows_len == in->rows_room) {
        size_t room = in->rows_room ? 2 * in->rows_room : 1024;
        struct row *grown = fan_arena_array(in->turn->arena, room, sizeof *grown);

        if (in->rows_len)
            memcpy(grown, in->rows, in->rows_len * sizeof *grown);
        in->rows = grown;
        in->rows_room = room;
    }
    in->counts.rows++;
    if (row_read(&in->plan, record, &in->rows[in->rows_len], &in->errors))
        in->rows_len++;
    else
        in->counts.rejected++;
    return true;
}

static enum fan_err read_block(struct intake *in)
{
    struct fan_turn *turn = in->turn;
    struct fan_import_block block;
    struct fan_csv *csv;
    enum fan_err err = fan_import_block_get(turn->db, in->account, in->import, in->held.next_block,
            turn->arena, &block, &turn->why);

    if (err)
        return err;
    csv = fan_csv_new(in->plan.delimiter, on_record, in);
    fan_csv_begin_at(csv, (uint64_t)block.first_line);
    err = fan_csv_feed(csv, block.body, &turn->why);
    if (!err)
        err = fan_csv_end(csv, &turn->why);
    fan_csv_free(&csv);
    for (size_t i = 0; i < in->errors.len; i++)
        in->counts.warnings += in->errors.at[i].warning;
    return err;
}

/* ---- matching ---- */

/* The distinct values of some rows' key. */
static struct fan_texts distinct(const struct row *rows, size_t count, int key,
        struct fan_arena *arena)
{
    struct fan_bytes *at = fan_arena_array(arena, count, sizeof *at);
    struct text_index seen;
    size_t len = 0;

    text_index_init(&seen, arena);
    for (size_t i = 0; i < count; i++) {
        struct fan_bytes text = rows[i].columns[key];

        if (!text.at || text_index_find(&seen, text, NULL))
            continue;
        text_index_add(&seen, text, len);
        at[len++] = text;
    }
    return (struct fan_texts){ at, len };
}

static enum fan_err match(struct intake *in, const struct row *rows, size_t count,
        struct people *out)
{
    struct fan_turn *turn = in->turn;
    struct fan_contact_keys_list candidates;
    struct fan_texts keys[FAN_COLUMN_KEYS];
    enum fan_err err;

    for (int key = 0; key < FAN_COLUMN_KEYS; key++)
        keys[key] = distinct(rows, count, key, turn->arena);
    err = fan_import_candidates(turn->db, in->account, keys, turn->arena, &candidates, &turn->why);
    if (err)
        return err;
    people_init(out, in->plan.attributes.len, turn->arena);
    people_know(out, &candidates);
    for (size_t i = 0; i < count; i++)
        people_take(out, &rows[i]);
    in->counts.created += out->created;
    in->counts.updated += out->updated;
    return FAN_OK;
}

/* ---- writing ---- */

/* A person's attributes as a JSON object; absent: none. */
static struct fan_bytes json_of(const struct row_plan *plan, const struct person *person,
        struct fan_buffer *scratch)
{
    struct fan_json_writer writer;
    bool any = false;

    fan_buffer_clear(scratch);
    fan_json_begin(&writer, scratch);
    fan_json_object_open(&writer, NULL);
    for (size_t i = 0; i < plan->attributes.len; i++) {
        struct fan_bytes name = plan->attributes.at[i], text = person->says.attributes[i];

        if (!text.at)
            continue;
        fan_json_add_text(&writer, fan_bytes_cstr(name, plan->arena), text);
        any = true;
    }
    fan_json_object_close(&writer);
    return any ? fan_bytes_dup(fan_buffer_bytes(scratch), plan->arena) : FAN_NO_BYTES;
}

/* Somebody to be written. */
struct picked {
    fan_id id;
    const struct person *person;
};

static int by_id(const void *a, const void *b)
{
    const struct picked *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

/* Those that rows were about: list[count]. New ones get their ids, which are above all others, so
 * that sorting by id puts them last. */
static enum fan_err pick(struct intake *in, const struct people *people, struct picked *list,
        size_t *count)
{
    struct fan_turn *turn = in->turn;
    fan_id *ids = fan_arena_array(turn->arena, (size_t)people->created, sizeof *ids);
    size_t drawn = 0;
    enum fan_err err = FAN_OK;

    if (people->created)
        err = fan_import_new_ids(turn->db, (size_t)people->created, turn->arena, ids, &turn->why);
    *count = 0;
    for (size_t i = 0; i < people->len && !err; i++) {
        struct person *person = &people->at[i];

        if (person->is_new)
            person->id = ids[drawn++];
        if (person->touched)
            list[(*count)++] = (struct picked){ person->id, person };
    }
    qsort(list, *count, sizeof *list, by_id);
    return err;
}

static struct fan_contact_table table_of(struct intake *in, const struct picked *list, size_t count)
{
    struct fan_arena *arena = in->turn->arena;
    struct fan_contact_table out = {
        .count = count,
        .ids = fan_arena_array(arena, count, sizeof *out.ids),
        .attributes = fan_arena_array(arena, count, sizeof *out.attributes),
        .source = in->held.source,
    };
    struct fan_buffer scratch;

    fan_buffer_init(&scratch, ATTRIBUTES_CAP);
    for (int column = 0; column < FAN_COLUMN_COUNT; column++)
        out.columns[column] = fan_arena_array(arena, count, sizeof **out.columns);
    for (size_t i = 0; i < count; i++) {
        out.ids[i] = list[i].id;
        out.attributes[i] = json_of(&in->plan, list[i].person, &scratch);
        for (int column = 0; column < FAN_COLUMN_COUNT; column++)
            out.columns[column][i] = list[i].person->says.columns[column];
    }
    fan_buffer_fini(&scratch);
    return out;
}

static enum fan_err write_people(struct intake *in, const struct people *people)
{
    struct fan_turn *turn = in->turn;
    struct picked *list = fan_arena_array(turn->arena, people->len, sizeof *list);
    struct fan_contact_table table;
    size_t count;
    enum fan_err err = pick(in, people, list, &count);

    if (err)
        return err;
    table = table_of(in, list, count);
    return fan_import_put_people(turn->db, in->account, &table, turn->arena, &turn->why);
}

/* Pairs of a tag and a contact. */
struct given {
    fan_id *tags, *contacts;
    size_t len;
};

static void give(struct given *given, fan_id tag, fan_id contact)
{
    given->tags[given->len] = tag;
    given->contacts[given->len++] = contact;
}

static size_t count_tags(const struct people *people, size_t of_all)
{
    size_t count = 0;

    for (size_t i = 0; i < people->len; i++) {
        count += people->at[i].touched ? of_all : 0;
        for (const struct person_tag *tag = people->at[i].tags; tag; tag = tag->next)
            count++;
    }
    return count;
}

/* The import's own tags for everybody, then those that rows name. */
static enum fan_err write_tags(struct intake *in, const struct people *people)
{
    struct fan_turn *turn = in->turn;
    const struct fan_texts names = { people->tag_names, people->tags_len };
    size_t count = count_tags(people, in->held.tags.len);
    struct fan_ids named = { 0 };
    struct given given = {
        .tags = fan_arena_array(turn->arena, count, sizeof *given.tags),
        .contacts = fan_arena_array(turn->arena, count, sizeof *given.contacts),
    };
    enum fan_err err = FAN_OK;

    if (count == 0)
        return FAN_OK;
    if (names.len)
        err = fan_tags_ensure(turn->db, in->account, names, turn->arena, &named, &turn->why);
    if (err)
        return err;
    for (size_t i = 0; i < people->len; i++) {
        const struct person *person = &people->at[i];

        for (size_t tag = 0; person->touched && tag < in->held.tags.len; tag++)
            give(&given, in->held.tags.at[tag], person->id);
        for (const struct person_tag *tag = person->tags; tag; tag = tag->next) {
            FAN_ASSERT(tag->number < named.len);
            give(&given, named.at[tag->number], person->id);
        }
    }
    return fan_import_tag_people(turn->db, in->account, given.tags, given.contacts, given.len,
            turn->arena, &turn->why);
}

static enum fan_err write_slice(struct intake *in, const struct row *rows, size_t count)
{
    struct people people;
    enum fan_err err = match(in, rows, count, &people);

    FAN_FAULT("import.matched");
    if (!err)
        err = write_people(in, &people);
    return err ? err : write_tags(in, &people);
}

static enum fan_err write_errors(struct intake *in)
{
    const struct fan_import_errors errors = { in->errors.at, in->errors.len };

    return fan_import_note_errors(in->turn->db, in->account, in->import, &errors, in->turn->arena,
            &in->turn->why);
}

/* ---- a block ---- */

static enum fan_err announce(struct fan_turn *turn, fan_id import, int64_t rows,
        enum fan_import_state state)
{
    const struct fan_import_changed news = {
        .import = import,
        .rows = (uint32_t)rows,
        .state = (uint32_t)state + 1,
    };
    enum fan_err err = fan_event_insert(turn->db, turn->route.account, 0, 0,
            &fan_schema_import_changed, &news, turn->arena, &turn->why);

    return err ? err : fan_emit_import_changed(turn, &turn->route, &news);
}

static enum fan_err advance(struct intake *in, bool whole_block, bool *ended)
{
    struct fan_turn *turn = in->turn;
    enum fan_import_state state = FAN_IMPORT_RUNNING;
    int64_t rows = 0;
    enum fan_err err = fan_import_advance(turn->db, in->account, in->import,
            whole_block ? in->held.next_block : -1, &in->counts, turn->arena, &state, &rows,
            &turn->why);

    *ended = state == FAN_IMPORT_COMPLETED;
    if (!err)
        err = announce(turn, in->import, rows, state);
    FAN_FAULT("import.before_commit");
    if (!err)
        err = fan_turn_commit(turn);
    FAN_FAULT("import.block_committed");
    return err;
}

/* Take in the next block, or find that the import is complete. */
static enum fan_err take_block(struct fan_turn *turn, fan_id import, bool *ended)
{
    struct intake in = { .turn = turn, .account = turn->route.account, .import = import };
    enum fan_err err =
            fan_import_hold(turn->db, in.account, import, turn->arena, &in.held, &turn->why);

    if (err)
        return err;
    if (in.held.next_block >= in.held.blocks)
        return advance(&in, false, ended);
    FAN_FAULT("import.block_held");
    row_plan_init(&in.plan, &in.held, turn->arena);
    err = read_block(&in);
    for (size_t i = 0; i < in.rows_len && !err; i += SLICE)
        err = write_slice(&in, in.rows + i, in.rows_len - i < SLICE ? in.rows_len - i : SLICE);
    if (!err && in.errors.len)
        err = write_errors(&in);
    return err ? err : advance(&in, true, ended);
}

/* What was taken in stays; a block that cannot be taken in would only be met again. */
static enum fan_err give_up(struct fan_turn *turn, fan_id import)
{
    struct fan_bytes reason = fan_bytes_dup(fan_bytes_of(turn->why.text), turn->arena);
    enum fan_err err;

    fan_log(turn, FAN_ERROR, "import.failed", "import %lld: %s", (long long)import, turn->why.text);
    fan_db_abort(turn->db);
    err = fan_import_fail(turn->db, turn->route.account, import, reason, turn->arena, &turn->why);
    return err ? err : announce(turn, import, 0, FAN_IMPORT_FAILED);
}

enum fan_err on_import_request(struct fan_turn *turn, const struct fan_import_request *req)
{
    const struct audience_settings *set = fan_actor_settings(turn->actor);
    const struct fan_import_request again = { .import = req->import };
    fan_time until = fan_clock_elapsed() + set->turn_ms * FAN_MS;
    struct fan_route route = turn->route;
    bool ended = false;

    while (!ended && fan_clock_elapsed() < until) {
        enum fan_err err = take_block(turn, again.import, &ended);

        if (err == FAN_NOT_FOUND)
            return FAN_OK; /* nothing is left, or somebody else is at it */
        if (err == FAN_INVALID || err == FAN_TOO_LARGE)
            return give_up(turn, again.import);
        if (err)
            return err;
        fan_arena_reset(turn->arena); /* the block is committed; the next one needs the room */
    }
    route.not_after = fan_clock_now() + WORTH_S * FAN_SECOND;
    return ended ? FAN_OK : fan_emit_import_request(turn, &route, &again);
}
