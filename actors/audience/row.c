#include "actors/audience/row.h"

#include "actors/lib/person/email.h"
#include "actors/lib/person/phone.h"
#include "proto/buffer.h"

enum {
    TEXT_CAP = 1024,       /* bytes of a field; an index key must stay below 2,700 */
    EXTERNAL_ID_CAP = 255, /* bytes */
    RECORD_CAP = 4096,     /* bytes of a record that are kept with its errors */
};

static const char *const names[FAN_COLUMN_COUNT] = {
    [FAN_COLUMN_EXTERNAL_ID] = "external_id",
    [FAN_COLUMN_PHONE] = "phone",
    [FAN_COLUMN_EMAIL] = "email",
    [FAN_COLUMN_FIRST_NAME] = "first_name",
    [FAN_COLUMN_LAST_NAME] = "last_name",
    [FAN_COLUMN_COMPANY] = "company",
    [FAN_COLUMN_COUNTRY] = "country",
    [FAN_COLUMN_LANGUAGE] = "language",
    [FAN_COLUMN_TIME_ZONE] = "time_zone",
};

/* ---- the plan ---- */

static int target_of(struct fan_bytes field)
{
    if (field.len == 0)
        return ROW_NOWHERE;
    if (fan_bytes_eq_text(field, "tags"))
        return ROW_TAGS;
    for (int i = 0; i < FAN_COLUMN_COUNT; i++) {
        if (fan_bytes_eq_text(field, names[i]))
            return i;
    }
    return ROW_ATTRIBUTES;
}

void row_plan_init(struct row_plan *plan, const struct fan_import_held *import,
        struct fan_arena *arena)
{
    size_t len = import->mapping.len;
    struct fan_bytes *attributes = fan_arena_array(arena, len, sizeof *attributes);

    *plan = (struct row_plan){
        .arena = arena,
        .delimiter = import->delimiter.len ? import->delimiter.at[0] : ',',
        .columns = import->columns,
        .targets = fan_arena_array(arena, import->columns, sizeof *plan->targets),
        .attributes.at = attributes,
    };
    for (size_t i = 0; i < plan->columns; i++) {
        int target = i < len ? target_of(import->mapping.at[i]) : ROW_NOWHERE;

        if (target == ROW_ATTRIBUTES) {
            target += (int)plan->attributes.len;
            attributes[plan->attributes.len++] = import->mapping.at[i];
        }
        plan->targets[i] = target;
    }
    if (import->default_country.len == 2)
        memcpy(plan->default_country, import->default_country.at, 2);
}

/* ---- what was wrong ---- */

/* One record under way. */
struct reading {
    struct row_plan *plan;
    const struct fan_csv_record *record;
    struct row_errors *errors;
    size_t first_error;
    struct fan_bytes text; /* the record as it stood in the file; absent until somebody asks */
};

static void add_cell(struct fan_buffer *out, struct fan_bytes cell, char delimiter)
{
    bool plain = true;

    for (size_t i = 0; i < cell.len && plain; i++)
        plain = cell.at[i] != delimiter && !strchr("\"\r\n", cell.at[i]);
    if (plain) {
        fan_buffer_add_bytes(out, cell);
        return;
    }
    fan_buffer_add_char(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.at[i] == '"')
            fan_buffer_add_char(out, '"');
        fan_buffer_add_char(out, cell.at[i]);
    }
    fan_buffer_add_char(out, '"');
}

/* The record in the file's own form, as far as it fits; absent when a part of it is no text. */
static struct fan_bytes text_of(struct reading *in)
{
    const struct fan_csv_record *record = in->record;
    struct fan_buffer out;

    if (in->text.at)
        return in->text;
    fan_buffer_init(&out, RECORD_CAP);
    for (size_t i = 0; i < record->count && !out.overflowed; i++) {
        if (i)
            fan_buffer_add_char(&out, in->plan->delimiter);
        add_cell(&out, record->fields[i], in->plan->delimiter);
    }
    if (fan_bytes_utf8(fan_buffer_bytes(&out)) && !memchr(out.at ? out.at : "", 0, out.len))
        in->text = fan_bytes_dup(fan_buffer_bytes(&out), in->plan->arena);
    fan_buffer_fini(&out);
    return in->text;
}

static void note(struct reading *in, struct fan_bytes field, const char *reason)
{
    struct row_errors *errors = in->errors;
    struct fan_arena *arena = in->plan->arena;

    if (errors->len == errors->room) {
        size_t room = errors->room ? 2 * errors->room : 64;
        struct fan_import_error *grown = fan_arena_array(arena, room, sizeof *grown);

        if (errors->len)
            memcpy(grown, errors->at, errors->len * sizeof *grown);
        errors->at = grown;
        errors->room = room;
    }
    errors->at[errors->len++] = (struct fan_import_error){
        .line = (int64_t)in->record->line,
        .field = field,
        .reason = fan_bytes_dup(fan_bytes_of(reason), arena),
        .warning = true,
        .record = text_of(in),
    };
}

/* What was wrong with the record so far is why it is rejected. */
static bool reject(struct reading *in, const char *otherwise)
{
    if (in->errors->len == in->first_error)
        note(in, FAN_LIT(""), otherwise);
    for (size_t i = in->first_error; i < in->errors->len; i++)
        in->errors->at[i].warning = false;
    return false;
}

/* ---- cells ---- */

/* Two letters are a country only if telephone numbers belong there. */
static bool is_country(struct row_plan *plan, const char country[3])
{
    unsigned first = (unsigned)(country[0] - 'A'), second = (unsigned)(country[1] - 'A');
    signed char *known;

    if (first >= ROW_LETTERS || second >= ROW_LETTERS)
        return false;
    known = &plan->countries[first][second];
    if (*known == 0)
        *known = fan_phone_country(country) ? 1 : -1;
    return *known > 0;
}

/* Upper-case a country's two letters; any other word for it stays as it is. */
static void settle_country(struct row_plan *plan, struct row *row, char country[3])
{
    struct fan_bytes *text = &row->columns[FAN_COLUMN_COUNTRY];
    char code[3] = "";

    memcpy(country, plan->default_country, 3);
    if (text->len != 2)
        return;
    for (size_t i = 0; i < 2; i++)
        code[i] = text->at[i] >= 'a' && text->at[i] <= 'z' ? (char)(text->at[i] - 32) : text->at[i];
    if (!is_country(plan, code))
        return;
    memcpy(country, code, 3);
    *text = fan_bytes_dup((struct fan_bytes){ code, 2 }, plan->arena);
}

static void settle_phone(struct reading *in, struct row *row)
{
    struct fan_bytes *text = &row->columns[FAN_COLUMN_PHONE];
    struct fan_why why = { 0 };
    struct fan_phone phone;
    char country[3];

    settle_country(in->plan, row, country);
    if (!text->at)
        return;
    if (fan_phone_normalise(*text, country, &phone, &why)) {
        note(in, FAN_LIT("phone"), why.text);
        *text = FAN_NO_BYTES;
        return;
    }
    if (phone.doubtful)
        note(in, FAN_LIT("phone"), "no such range of numbers is known; taken as it is");
    *text = fan_bytes_dup(fan_bytes_of(phone.e164), in->plan->arena);
}

static void settle_email(struct reading *in, struct row *row)
{
    struct fan_bytes *text = &row->columns[FAN_COLUMN_EMAIL];
    struct fan_why why = { 0 };

    if (!text->at || !fan_email_normalise(*text, in->plan->arena, text, &why))
        return;
    note(in, FAN_LIT("email"), why.text);
    *text = FAN_NO_BYTES;
}

static const char *flaw_of(int target, struct fan_bytes text)
{
    if (target == FAN_COLUMN_EXTERNAL_ID && text.len > EXTERNAL_ID_CAP)
        return "longer than 255 bytes";
    if (target < ROW_ATTRIBUTES && text.len > TEXT_CAP)
        return "longer than 1,024 bytes";
    return memchr(text.at, 0, text.len) ? "there is a NUL character in it" : NULL;
}

static struct fan_bytes name_of(const struct row_plan *plan, int target)
{
    if (target < FAN_COLUMN_COUNT)
        return fan_bytes_of(names[target]);
    return target == ROW_TAGS ? FAN_LIT("tags") : plan->attributes.at[target - ROW_ATTRIBUTES];
}

static void take_cell(struct reading *in, int target, struct fan_bytes cell, struct row *row)
{
    struct fan_bytes text = fan_bytes_trim(cell);
    const char *flaw = text.len ? flaw_of(target, text) : NULL;

    if (target == ROW_NOWHERE || text.len == 0)
        return;
    if (flaw) {
        note(in, name_of(in->plan, target), flaw);
        return;
    }
    text = fan_bytes_dup(text, in->plan->arena);
    if (target < FAN_COLUMN_COUNT)
        row->columns[target] = text;
    else if (target == ROW_TAGS)
        row->tags = text;
    else
        row->attributes[target - ROW_ATTRIBUTES] = text;
}

bool row_read(struct row_plan *plan, const struct fan_csv_record *record, struct row *out,
        struct row_errors *errors)
{
    struct reading in = { plan, record, errors, errors->len, FAN_NO_BYTES };

    *out = (struct row){ .tags = FAN_NO_BYTES };
    if (record->error)
        return reject(&in, record->error);
    if (record->count != plan->columns)
        return reject(&in,
                fan_arena_printf(plan->arena, "it has %zu columns, and the header %zu",
                        record->count, plan->columns));
    out->attributes = fan_arena_array(plan->arena, plan->attributes.len, sizeof *out->attributes);
    for (size_t i = 0; i < record->count; i++)
        take_cell(&in, plan->targets[i], record->fields[i], out);
    settle_phone(&in, out);
    settle_email(&in, out);
    for (int i = 0; i < FAN_COLUMN_KEYS; i++) {
        if (out->columns[i].at)
            return true;
    }
    return reject(&in, "there is no external id, phone number or e-mail address");
}
