/*
 * Templates as a file for spreadsheets: a row for each language, the content for everybody else
 * first. What is written can be read again.
 */
#include "gateway/body.h"
#include "gateway/content.h"
#include "gateway/csv_cell.h"
#include "gateway/templates.h"

#include "actors/lib/person/csv.h"

enum { ROWS_MAX = 2000, TEMPLATES_MAX = 1000, PAGE = 100, TAGS_MAX = 50, SPENT = 64 * 1024 };

enum column {
    COLUMN_NAME,
    COLUMN_KIND,
    COLUMN_DESCRIPTION,
    COLUMN_CATEGORY,
    COLUMN_TAGS,
    COLUMN_LANGUAGE,
    COLUMN_SYNTAX,
    COLUMN_MESSAGE,
    COLUMN_SUBJECT,
    COLUMN_PREHEADER,
    COLUMN_HTML,
    COLUMN_MEDIA_URL,
    COLUMN_TEMPLATE,
    COLUMN_TEMPLATE_LANGUAGE,
    COLUMN_VARIABLES,
    COLUMN_NOTE,
    COLUMNS,
};

static const struct {
    const char *name;
    const char *part; /* of the stored content; NULL: not simply one of its texts */
} columns[COLUMNS] = {
    [COLUMN_NAME] = { "name", NULL },
    [COLUMN_KIND] = { "kind", NULL },
    [COLUMN_DESCRIPTION] = { "description", NULL },
    [COLUMN_CATEGORY] = { "category", NULL },
    [COLUMN_TAGS] = { "tags", NULL },
    [COLUMN_LANGUAGE] = { "language", NULL },
    [COLUMN_SYNTAX] = { "syntax", "syntax" },
    [COLUMN_MESSAGE] = { "message", "text" },
    [COLUMN_SUBJECT] = { "subject", "subject" },
    [COLUMN_PREHEADER] = { "preheader", "preheader" },
    [COLUMN_HTML] = { "html", "html" },
    [COLUMN_MEDIA_URL] = { "media_url", "media_url" },
    [COLUMN_TEMPLATE] = { "template", NULL },
    [COLUMN_TEMPLATE_LANGUAGE] = { "template_language", NULL },
    [COLUMN_VARIABLES] = { "variables", NULL },
    [COLUMN_NOTE] = { "note", NULL },
};

/* ---- writing ---- */

static void add_row(struct fan_buffer *out, const struct fan_bytes cells[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        if (i)
            fan_buffer_add_char(out, ',');
        csv_cell_add(out, cells[i]);
    }
    fan_buffer_add_text(out, "\r\n");
}

static void take_parts(struct call *call, const struct fan_json *content,
        struct fan_bytes cells[COLUMNS])
{
    const struct fan_json *template = fan_json_get(content, "template");
    struct fan_buffer *variables = fan_arena_alloc(call->arena, sizeof *variables);

    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].part)
            cells[i] = fan_json_get_text(content, columns[i].part);
    cells[COLUMN_TEMPLATE] = fan_json_get_text(template, "name");
    cells[COLUMN_TEMPLATE_LANGUAGE] = fan_json_get_text(template, "language");
    if (!fan_json_get(template, "variables"))
        return;
    fan_buffer_init(variables, SPENT * 8);
    fan_arena_defer(call->arena, (void (*)(void *))fan_buffer_fini, variables);
    fan_json_dump(fan_json_get(template, "variables"), variables);
    cells[COLUMN_VARIABLES] = fan_buffer_bytes(variables);
}

static struct fan_bytes joined_tags(struct call *call, struct fan_texts tags)
{
    const char *list = "";

    for (size_t i = 0; i < tags.len; i++)
        list = fan_arena_printf(call->arena, "%s%s%.*s", list, i ? ", " : "",
                FAN_BYTES_ARG(tags.at[i]));
    return fan_bytes_of(list);
}

static void add_template(struct call *call, const struct fan_template_row *row)
{
    struct fan_bytes cells[COLUMNS] = {
        [COLUMN_NAME] = row->name,
        [COLUMN_KIND] = fan_bytes_of(fan_kind_name((int)row->kind)),
        [COLUMN_DESCRIPTION] = row->description,
        [COLUMN_CATEGORY] = row->category,
        [COLUMN_TAGS] = joined_tags(call, row->tags),
        [COLUMN_NOTE] = row->version.note,
    };
    const struct fan_json *content = NULL, *value;
    struct fan_bytes tag;
    size_t cursor = 0;

    if (fan_json_parse(row->version.content, call->arena, &content, NULL))
        return;
    cells[COLUMN_LANGUAGE] = fan_json_get_text(content, "language");
    take_parts(call, content, cells);
    add_row(&call->reply, cells);
    while (fan_json_next(fan_json_get(content, "languages"), &cursor, &tag, &value)) {
        struct fan_bytes language[COLUMNS] = {
            [COLUMN_NAME] = row->name,
            [COLUMN_KIND] = cells[COLUMN_KIND],
            [COLUMN_LANGUAGE] = tag,
        };

        take_parts(call, value, language);
        add_row(&call->reply, language);
    }
}

static enum fan_err add_page(struct call *call, const struct fan_template_list *list)
{
    enum fan_err err = FAN_OK;

    for (size_t i = 0; i < list->len && !err; i++) {
        struct fan_template_row row;

        err = fan_template_get(call->db, call->caller.account, list->at[i].id, 0, call->arena, &row,
                call->why);
        if (!err)
            add_template(call, &row);
    }
    return err;
}

enum fan_err export_templates(struct call *call)
{
    struct fan_template_filter filter = template_filter(call);
    struct fan_template_list list = { .len = PAGE };
    int64_t total = 0;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_template_count(call->db, call->caller.account, &filter, call->arena, &total,
                call->why);
    if (!err && total > TEMPLATES_MAX)
        err = call_refuse(call, 413,
                "%lld templates; a file has %d: say which kind, tag or category", (long long)total,
                TEMPLATES_MAX);
    if (err)
        return err;
    call->type = "text/csv; charset=utf-8";
    for (int i = 0; i < COLUMNS; i++)
        fan_buffer_printf(&call->reply, "%s%s", i ? "," : "", columns[i].name);
    fan_buffer_add_text(&call->reply, "\r\n");
    for (int64_t offset = 0; offset < total && !err; offset += PAGE) {
        struct fan_page page = { .limit = PAGE, .offset = offset };

        err = fan_template_page(call->db, call->caller.account, &filter, page, call->arena, &list,
                call->why);
        if (!err)
            err = add_page(call, &list);
    }
    return err;
}

/* ---- reading ---- */

struct csv_row {
    uint64_t line;
    struct fan_bytes cells[COLUMNS];
    bool taken; /* by a template that an earlier row began */
};

struct reading {
    struct call *call;
    int places[FAN_CSV_COLUMNS]; /* the column that each cell goes to */
    size_t width;                /* cells of the header; 0: it was not read yet */
    struct csv_row *rows;        /* rows[ROWS_MAX] */
    size_t len;
    int64_t created, versions, unchanged;
};

static void line_fault(struct reading *self, uint64_t line, const char *field, const char *expected,
        const char *reason)
{
    call_fault(self->call,
            fan_arena_printf(self->call->arena, "lines[%llu]%s%s", (unsigned long long)line,
                    *field ? "." : "", field),
            expected, "%s", reason);
}

static int column_of(struct fan_bytes name)
{
    for (int i = 0; i < COLUMNS; i++)
        if (fan_bytes_eq_nocase(fan_bytes_trim(name), fan_bytes_of(columns[i].name)))
            return i;
    return -1;
}

static bool read_header(struct reading *self, const struct fan_csv_record *record)
{
    struct fan_arena *arena = self->call->arena;
    const char *list = "";
    bool seen[COLUMNS] = { false };

    for (int i = 0; i < COLUMNS; i++)
        list = fan_arena_printf(arena, "%s%s%s", list, i ? ", " : "one of ", columns[i].name);
    self->width = record->count;
    for (size_t i = 0; i < record->count; i++) {
        int column = column_of(record->fields[i]);

        self->places[i] = column;
        if (column < 0 || seen[column])
            call_fault(self->call, "header", list,
                    column < 0 ? "there is no column %.*s" : "two columns %.*s",
                    (int)(record->fields[i].len < 60 ? record->fields[i].len : 60),
                    record->fields[i].at);
        if (column >= 0)
            seen[column] = true;
    }
    if (!seen[COLUMN_NAME] || !seen[COLUMN_KIND])
        call_fault(self->call, "header", "name and kind, and the parts",
                "there is no name or kind");
    return self->call->problem.faults_len == 0;
}

static bool read_record(void *context, const struct fan_csv_record *record)
{
    struct reading *self = context;
    struct csv_row *row;

    if (record->error) {
        line_fault(self, record->line, "", "CSV in UTF-8", record->error);
        return false;
    }
    if (!self->width)
        return read_header(self, record);
    if (self->len == ROWS_MAX) {
        call_fault(self->call, "lines", "up to 2000 rows", "there are more");
        return false;
    }
    if (record->count > self->width) {
        line_fault(self, record->line, "", "as many cells as the header has", "there are more");
        return false;
    }
    row = &self->rows[self->len++];
    row->line = record->line;
    for (size_t i = 0; i < record->count; i++) {
        struct fan_bytes cell = csv_cell_plain(record->fields[i]);

        if (fan_bytes_trim(cell).len)
            row->cells[self->places[i]] = fan_bytes_dup(cell, self->call->arena);
    }
    return true;
}

static enum fan_err read_rows(struct reading *self)
{
    struct fan_csv *csv = fan_csv_new(0, read_record, self);
    struct fan_why why = { 0 };
    enum fan_err err = fan_csv_feed(csv, fan_http_body(self->call->request), &why);

    if (!err)
        err = fan_csv_end(csv, &why);
    fan_csv_free(&csv);
    if (err && err != FAN_CONFLICT)
        return call_refuse(self->call, 400, "the file cannot be read: %s", why.text);
    if (!self->call->problem.faults_len && !self->len)
        return call_refuse(self->call, 400, "the file has no rows below its header");
    return call_check(self->call);
}

/* ---- a template of some rows ---- */

static void write_approved(struct reading *self, struct fan_json_writer *json,
        const struct csv_row *row)
{
    const struct fan_json *variables = NULL;

    if (!row->cells[COLUMN_TEMPLATE].len) {
        if (row->cells[COLUMN_VARIABLES].len || row->cells[COLUMN_TEMPLATE_LANGUAGE].len)
            line_fault(self, row->line, "template", "the name of an approved template", "missing");
        return;
    }
    fan_json_object_open(json, "template");
    fan_json_add_text(json, "name", fan_bytes_trim(row->cells[COLUMN_TEMPLATE]));
    if (row->cells[COLUMN_TEMPLATE_LANGUAGE].len)
        fan_json_add_text(json, "language", fan_bytes_trim(row->cells[COLUMN_TEMPLATE_LANGUAGE]));
    if (row->cells[COLUMN_VARIABLES].len &&
            fan_json_parse(row->cells[COLUMN_VARIABLES], self->call->arena, &variables, NULL))
        line_fault(self, row->line, "variables", "[\"{first_name}\", \"…\"]", "no list in JSON");
    content_add(json, "variables", variables);
    fan_json_object_close(json);
}

static void write_parts(struct reading *self, struct fan_json_writer *json,
        const struct csv_row *row)
{
    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].part && row->cells[i].len)
            fan_json_add_text(json, columns[i].part,
                    i == COLUMN_SYNTAX ? fan_bytes_trim(row->cells[i]) : row->cells[i]);
    write_approved(self, json, row);
}

/* The content of row @first and of those behind it with the same name. */
static struct fan_bytes content_of(struct reading *self, size_t first)
{
    struct csv_row *row = &self->rows[first];
    struct fan_json_writer json;
    struct fan_buffer *text = content_begin(self->call, &json);
    bool open = false;

    write_parts(self, &json, row);
    if (row->cells[COLUMN_LANGUAGE].len)
        fan_json_add_text(&json, "language", fan_bytes_trim(row->cells[COLUMN_LANGUAGE]));
    for (size_t i = first + 1; i < self->len; i++) {
        struct csv_row *other = &self->rows[i];

        if (!fan_bytes_eq(other->cells[COLUMN_NAME], row->cells[COLUMN_NAME]))
            continue;
        other->taken = true;
        if (!open)
            fan_json_object_open(&json, "languages");
        open = true;
        if (!other->cells[COLUMN_LANGUAGE].len)
            line_fault(self, other->line, "language", "such as de or pt-BR",
                    "a further row of a template is one of its languages");
        fan_json_object_open(&json,
                fan_bytes_cstr(fan_bytes_trim(other->cells[COLUMN_LANGUAGE]), self->call->arena));
        write_parts(self, &json, other);
        fan_json_object_close(&json);
    }
    if (open)
        fan_json_object_close(&json);
    fan_json_object_close(&json);
    return fan_buffer_bytes(text);
}

static struct fan_texts tags_of(struct reading *self, const struct csv_row *row)
{
    struct fan_bytes rest = row->cells[COLUMN_TAGS], tag;
    struct fan_bytes *tags = fan_arena_array(self->call->arena, TAGS_MAX, sizeof *tags);
    size_t len = 0;

    while (rest.at) {
        rest = fan_bytes_split(rest, ',', &tag);
        tag = fan_bytes_trim(tag);
        if (tag.len && (len == TAGS_MAX || tag.len > 200)) {
            line_fault(self, row->line, "tags", "up to 50 words of 200 bytes", "more or longer");
            break;
        }
        if (tag.len)
            tags[len++] = tag;
    }
    return (struct fan_texts){ .at = tags, .len = len };
}

static void check_length(struct reading *self, const struct csv_row *row, enum column column,
        size_t most)
{
    if (row->cells[column].len > most)
        line_fault(self, row->line, columns[column].name,
                fan_arena_printf(self->call->arena, "up to %zu bytes", most), "too long");
}

static struct fan_template_row template_of(struct reading *self, size_t first)
{
    const struct csv_row *row = &self->rows[first];
    struct fan_bytes kind = fan_bytes_trim(row->cells[COLUMN_KIND]);
    struct fan_template_row out = {
        .name = fan_bytes_trim(row->cells[COLUMN_NAME]),
        .kind = (enum fan_kind)(fan_kind_of(kind) > 0 ? fan_kind_of(kind) : 0),
        .description = row->cells[COLUMN_DESCRIPTION],
        .category = row->cells[COLUMN_CATEGORY],
        .tags = tags_of(self, row),
        .version = { .content = content_of(self, first),
                .note = row->cells[COLUMN_NOTE],
                .author = self->call->caller.user },
    };

    if (!out.name.len)
        line_fault(self, row->line, "name", "a text", "missing");
    if (!out.kind)
        line_fault(self, row->line, "kind", "sms, whatsapp, email, …",
                "there is no such kind of channel");
    check_length(self, row, COLUMN_NAME, 200);
    check_length(self, row, COLUMN_DESCRIPTION, 4000);
    check_length(self, row, COLUMN_CATEGORY, 100);
    check_length(self, row, COLUMN_NOTE, 1000);
    return out;
}

/* ---- into the database ---- */

static enum fan_err renew(struct reading *self, uint64_t line, struct fan_template_row *row)
{
    struct call *call = self->call;
    struct fan_template_row before;
    bool same = false;
    int64_t number;
    enum fan_err err = fan_template_hold(call->db, call->caller.account, row->id, call->arena,
            &before, call->why);

    if (err)
        return err;
    if (before.kind != row->kind)
        line_fault(self, line, "kind", fan_kind_name((int)before.kind),
                "the template of this name is of another kind");
    if (before.archived)
        line_fault(self, line, "name", "another name, or to take it back",
                "the template of this name is archived");
    err = call_check(call);
    if (!err)
        err = fan_template_update(call->db, call->caller.account, row, call->arena, call->why);
    if (!err)
        err = fan_template_same(call->db, call->caller.account, row->id, row->version.content,
                call->arena, &same, call->why);
    self->unchanged += same;
    if (err || same)
        return err;
    self->versions++;
    return fan_template_add_version(call->db, call->caller.account, row->id, &row->version,
            call->arena, &number, call->why);
}

static enum fan_err keep(struct reading *self, uint64_t line, struct fan_template_row *row)
{
    struct call *call = self->call;
    enum fan_err err = fan_template_find(call->db, call->caller.account, row->name, call->arena,
            &row->id, call->why);

    if (err)
        return err;
    if (row->id)
        return renew(self, line, row);
    self->created++;
    return fan_template_insert(call->db, call->caller.account, row, call->arena, &row->id,
            call->why);
}

/* All of the file or, when anything in it is wrong, nothing. */
static enum fan_err keep_all(struct reading *self)
{
    struct call *call = self->call;
    struct fan_template_row *found = fan_arena_array(call->arena, self->len, sizeof *found);
    struct fan_text_fields fields;
    enum fan_err err = content_fields(call, &fields);

    if (err)
        return err;
    for (size_t i = 0; i < self->len; i++) {
        if (self->rows[i].taken)
            continue;
        found[i] = template_of(self, i);
        if (found[i].kind)
            content_check(call, found[i].kind, found[i].version.content, &fields,
                    fan_arena_printf(call->arena, "lines[%llu].",
                            (unsigned long long)self->rows[i].line));
    }
    err = call_check(call);
    for (size_t i = 0; i < self->len && !err; i++)
        if (!self->rows[i].taken)
            err = keep(self, self->rows[i].line, &found[i]);
    return err ? err : call_check(call);
}

enum fan_err import_templates(struct call *call)
{
    struct reading self = {
        .call = call,
        .rows = fan_arena_array(call->arena, ROWS_MAX, sizeof *self.rows),
    };
    enum fan_err err = read_rows(&self);

    if (!err)
        err = keep_all(&self);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_add_i64(&call->json, "rows", (int64_t)self.len);
    fan_json_add_i64(&call->json, "created", self.created);
    fan_json_add_i64(&call->json, "versions", self.versions);
    fan_json_add_i64(&call->json, "unchanged", self.unchanged);
    fan_json_object_close(&call->json);
    return FAN_OK;
}
