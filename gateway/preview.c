/*
 * The same functions write a preview and a copy that is sent: actors/lib/text.
 */
#include "gateway/preview.h"

#include "gateway/content.h"
#include "gateway/templates.h"

#include "actors/lib/text/variant.h"
#include "sql/store/account.h"
#include "sql/store/channel.h"
#include "sql/store/contact.h"

#include <stddef.h>

/* For whom it is written. */
struct reader {
    fan_id contact; /* 0: nobody's, data alone */
    struct fan_text_person person;
    bool suppressed;
};

/* ---- the reader ---- */

static enum fan_err read_contact(struct body *body, enum fan_kind kind, struct reader *reader)
{
    struct call *call = body->call;
    fan_id id = body_i64(body, "contact_id", 1, FAN_ID_MAX, 0);
    struct fan_contact contact;
    enum fan_err err;

    if (!id)
        return FAN_OK;
    err = fan_contact_get(call->db, call->caller.account, id, call->arena, &contact, call->why);
    if (err == FAN_NOT_FOUND) {
        body_fault(body, "contact_id", "the id of a contact of yours", call->why->text);
        return FAN_OK;
    }
    if (err)
        return err;
    *reader = (struct reader){
        .contact = id,
        .person = {
            .id = id,
            .first_name = contact.first_name,
            .last_name = contact.last_name,
            .phone = contact.phone,
            .email = contact.email,
            .company = contact.company,
            .country = contact.country,
            .language = contact.language,
            .external_id = contact.external_id,
            .time_zone = contact.time_zone,
            .attributes = contact.attributes,
        },
    };
    return fan_contact_suppressed(call->db, call->caller.account, id, kind, call->arena,
            &reader->suppressed, call->why);
}

static const struct {
    const char *name;
    size_t at;
} standard[] = {
#define FIELD(name) \
    { \
#name, offsetof(struct fan_text_person, name) \
    }
    FIELD(first_name),
    FIELD(last_name),
    FIELD(phone),
    FIELD(email),
    FIELD(company),
    FIELD(country),
    FIELD(language),
    FIELD(external_id),
    FIELD(time_zone),
#undef FIELD
};

/* Where a person has a field of everybody's; NULL: it is none. */
static struct fan_bytes *standard_field(struct fan_text_person *person, struct fan_bytes name)
{
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
        if (fan_bytes_eq_text(name, standard[i].name))
            return (struct fan_bytes *)((char *)person + standard[i].at);
    return NULL;
}

static void check_name(struct body *data, const struct fan_text_fields *fields,
        struct fan_bytes name)
{
    struct fan_text_person nobody;
    struct call *call = data->call;
    int slot = fan_text_slot_of(fields, name);
    const char *list = "";

    if ((slot >= 0 && slot != FAN_SLOT_NAME) || standard_field(&nobody, name))
        return;
    for (size_t i = 0; i < fields->count; i++)
        if (i != FAN_SLOT_NAME)
            list = fan_arena_printf(call->arena, "%s%s%.*s", list, *list ? ", " : "one of ",
                    FAN_BYTES_ARG(fields->names[i]));
    name.len = name.len > 64 ? 64 : name.len;
    body_fault(data, fan_bytes_cstr(name, call->arena), list,
            slot < 0 ? "there is no such field" : "is made of first_name and last_name");
}

/* Take a person's own fields from the data; the others are attributes. */
static void take_standard(struct body *data, struct fan_text_person *person)
{
    const struct fan_json *value;
    struct fan_bytes name;
    size_t cursor = 0;

    while (fan_json_next(data->object, &cursor, &name, &value)) {
        struct fan_bytes *field = standard_field(person, name);

        if (field && fan_json_type(value) != FAN_JSON_NULL && !fan_json_text(value).at)
            body_fault(data, fan_bytes_cstr(name, data->call->arena), "a text", "not a text");
        else if (field)
            *field = fan_json_text(value);
    }
}

static void take_attributes(struct body *data, struct fan_text_person *person)
{
    struct fan_arena *arena = data->call->arena;
    const struct fan_json *before = NULL, *value;
    struct fan_json_writer json;
    struct fan_buffer *text = content_begin(data->call, &json);
    struct fan_bytes name;
    size_t cursor = 0;

    if (person->attributes.at && fan_json_parse(person->attributes, arena, &before, NULL))
        before = NULL;
    while (fan_json_next(before, &cursor, &name, &value))
        if (!fan_json_get(data->object, fan_bytes_cstr(name, arena)))
            content_add(&json, fan_bytes_cstr(name, arena), value);
    cursor = 0;
    while (fan_json_next(data->object, &cursor, &name, &value))
        if (!standard_field(person, name))
            content_add(&json, fan_bytes_cstr(name, arena), value);
    fan_json_object_close(&json);
    person->attributes = fan_buffer_bytes(text);
}

/* The data's fields stand over the contact's. */
static void read_data(struct body *body, const struct fan_text_fields *fields,
        struct reader *reader)
{
    const struct fan_json *object = body_value(body, "data"), *value;
    struct fan_bytes name;
    struct body data;
    size_t cursor = 0;

    if (!object)
        return;
    if (fan_json_type(object) != FAN_JSON_OBJECT || fan_json_size(object) > FAN_TEXT_FIELDS_MAX) {
        body_fault(body, "data", "{\"first_name\": \"Anna\"}", "not an object");
        return;
    }
    body_begin(&data, body->call, object, "data.");
    while (fan_json_next(object, &cursor, &name, &value)) {
        check_name(&data, fields, name);
        if (fan_json_type(value) == FAN_JSON_ARRAY || fan_json_type(value) == FAN_JSON_OBJECT)
            body_fault(&data, fan_bytes_cstr(name, body->call->arena),
                    "a text, a number, true or false", "a list or an object");
    }
    take_standard(&data, &reader->person);
    take_attributes(&data, &reader->person);
}

/* ---- the answer ---- */

static void write_parts(struct fan_json_writer *json, const struct fan_content *content)
{
    const struct {
        const char *name;
        struct fan_bytes text;
    } parts[] = {
        { "message", content->text },
        { "subject", content->subject },
        { "html", content->html },
        { "media_url", content->media_url },
    };

    fan_json_object_open(json, "parts");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].text.at)
            fan_json_add_text(json, parts[i].name, parts[i].text);
    if (content->template_name.len) {
        fan_json_object_open(json, "template");
        fan_json_add_text(json, "name", content->template_name);
        fan_json_add_text(json, "language", content->language);
        fan_json_array_open(json, "variables");
        for (size_t i = 0; i < content->variables.len; i++)
            fan_json_add_text(json, NULL, content->variables.at[i]);
        fan_json_array_close(json);
        fan_json_object_close(json);
    }
    fan_json_object_close(json);
}

/* Fields that are used and of which nothing is known. */
static void write_missing(struct fan_json_writer *json, const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_value *values)
{
    fan_json_array_open(json, "missing");
    for (size_t i = 0; i < template->slots_len; i++) {
        size_t slot = template->slots[i];

        if (slot >= fields->count || values[slot].type != FAN_VALUE_NIL)
            continue;
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "field", fields->names[slot]);
        fan_json_add_text(json, "fallback", fields->fallbacks[slot]);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

/* Why a contact would not get this; 0: he would. Data alone has no address to miss. */
static int refusal(const struct reader *reader, enum fan_kind kind)
{
    struct fan_bytes address = kind == FAN_KIND_EMAIL ? reader->person.email : reader->person.phone;

    if (!reader->contact)
        return 0;
    if (!address.len)
        return FAN_REASON_NO_ADDRESS;
    return reader->suppressed ? FAN_REASON_SUPPRESSED : 0;
}

/* What has been written, and what is to be said of it. */
static void write_judged(struct call *call, const struct fan_template *template,
        const struct fan_content *content, int reason)
{
    struct fan_json_writer *json = &call->json;

    fan_json_add_bool(json, "sendable", reason == 0);
    fan_json_add_text(json, "reason",
            reason ? fan_bytes_of(fan_reason_name(reason)) : FAN_NO_BYTES);
    fan_json_add_text(json, "fails",
            reason == FAN_REASON_TEMPLATE ? fan_bytes_of(call->why->text) : FAN_NO_BYTES);
    write_parts(json, content);
    preview_write_sizes(call, template->kind, content, template->text_cap);
}

static enum fan_err write_copy(struct call *call, const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_occasion *occasion,
        const struct reader *reader)
{
    struct fan_value *values = fan_arena_array(call->arena, fan_text_slots(fields), sizeof *values);
    struct fan_rendering copy = { .content = { .text = FAN_NO_BYTES } };
    struct fan_liquid_machine *machine;
    struct fan_text_view view;
    struct fan_buffer scratch;
    int reason = refusal(reader, template->kind), written;
    enum fan_err err =
            fan_text_values(template, fields, &reader->person, call->arena, values, call->why);

    if (err)
        return err;
    fan_text_occasion_values(fields, occasion, call->arena, values);
    machine = fan_liquid_machine_new();
    fan_buffer_init(&scratch, FAN_RENDERED_MAX);
    view = (struct fan_text_view){
        .machine = machine,
        .values = values,
        .now = fan_clock_now(),
        .language = reader->person.language,
        .zone = reader->person.time_zone,
    };
    written = fan_template_render(template, &view, &scratch, &copy, call->why);
    write_judged(call, template, &copy.content, reason ? reason : written);
    write_missing(&call->json, template, fields, values);
    fan_buffer_fini(&scratch);
    fan_liquid_machine_free(&machine);
    return FAN_OK;
}

static void write_choice(struct fan_json_writer *json, const struct fan_choice *choice,
        const struct reader *reader, struct fan_bytes language)
{
    int place = fan_choice_find(choice, language);

    if (reader->contact)
        fan_json_add_i64(json, "contact_id", reader->contact);
    else
        fan_json_add_null(json, "contact_id");
    fan_json_add_text(json, "language", place < 0 ? FAN_NO_BYTES : choice->languages[place].tag);
}

/* The variant that is asked for, else the contact's own, else the first. NULL: there is none such,
 * which was noted. */
static const struct fan_choice *choose_variant(struct call *call,
        const struct fan_variants *variants, fan_id campaign, const struct reader *reader,
        uint32_t variant)
{
    const struct fan_ids weights = { variants->weights, variants->len };

    if (variant > variants->len) {
        call_fault(call, "variant", fan_arena_printf(call->arena, "1 to %zu", variants->len),
                "there is no such variant");
        return NULL;
    }
    if (!variant && reader->contact)
        variant = fan_variant_of(campaign, reader->contact, weights);
    variant = variant ? variant : 1;
    if (variants->len > 1)
        fan_json_add_i64(&call->json, "variant", variant);
    return fan_variants_choice(variants, variant);
}

enum fan_err preview_write(struct body *body, const struct fan_text_occasion *occasion,
        struct fan_bytes content)
{
    struct call *call = body->call;
    struct reader reader = { .contact = 0 };
    struct fan_bytes language = body_text(body, "language", FAN_LANGUAGE_MAX);
    uint32_t variant = (uint32_t)body_i64(body, "variant", 1, FAN_VARIANTS_MOST, 0);
    const struct fan_variants *variants = NULL;
    const struct fan_choice *choice;
    struct fan_text_fields fields;
    struct fan_why why;
    enum fan_err err = content_fields(call, &fields);

    if (!err)
        err = read_contact(body, occasion->kind, &reader);
    if (err)
        return err;
    read_data(body, &fields, &reader);
    body_end(body);
    err = call_check(call);
    if (err)
        return err;
    if (fan_variants_compile(occasion->kind, content, &fields, call->arena, &variants, &why))
        return call_refuse(call, 409, "the content cannot be sent: %s: %s", why.field, why.text);
    choice = choose_variant(call, variants, occasion->campaign, &reader, variant);
    if (!choice)
        return call_check(call);
    if (language.len)
        reader.person.language = language;
    language = reader.person.language;
    write_choice(&call->json, choice, &reader, language);
    return write_copy(call, fan_choice_for(choice, language), &fields, occasion, &reader);
}

/* ---- of what ---- */

static enum fan_err account_occasion(struct call *call, enum fan_kind kind,
        struct fan_text_occasion *out)
{
    struct fan_account account;
    enum fan_err err =
            fan_account_get(call->db, call->caller.account, call->arena, &account, call->why);

    if (err)
        return err;
    *out = (struct fan_text_occasion){
        .account = call->caller.account,
        .kind = kind,
        .account_name = account.name,
        .account_country = account.default_country,
    };
    return FAN_OK;
}

/* A template as it is, or as it would be with the content of the body. */
enum fan_err preview_template(struct call *call)
{
    struct fan_text_occasion occasion;
    const struct fan_json *draft;
    struct fan_template_row row;
    struct body body, inner;
    int64_t version;
    enum fan_err err;

    body_begin(&body, call, call->body, "");
    version = body_i64(&body, "version", 1, INT32_MAX, 0);
    draft = body_value(&body, "content");
    if (draft && version)
        body_fault(&body, "version", "", "not together with content");
    err = fan_template_get(call->db, call->caller.account, call->ids[0], draft ? 0 : version,
            call->arena, &row, call->why);
    if (err)
        return err;
    if (draft && fan_json_type(draft) != FAN_JSON_OBJECT) {
        body_fault(&body, "content", "{\"message\": \"Hello {first_name}\"}", "not an object");
    } else if (draft) {
        body_begin(&inner, call, draft, "content.");
        row.version.content = content_read(&inner, FAN_NO_BYTES);
        body_end(&inner);
        err = template_check(call, &row);
    }
    if (!err)
        err = account_occasion(call, row.kind, &occasion);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_add_text(&call->json, "kind", fan_bytes_of(fan_kind_name((int)row.kind)));
    if (!draft)
        fan_json_add_i64(&call->json, "version", row.version.number);
    err = preview_write(&body, &occasion, row.version.content);
    fan_json_object_close(&call->json);
    return err;
}

enum fan_err campaign_content(struct call *call, const struct fan_campaign *campaign,
        struct fan_bytes *out)
{
    struct fan_template_row row;
    enum fan_err err;

    *out = campaign->content;
    if (!campaign->template)
        return FAN_OK;
    err = fan_template_get(call->db, call->caller.account, campaign->template,
            campaign->template_version, call->arena, &row, call->why);
    *out = err ? FAN_NO_BYTES : row.version.content;
    return err;
}

enum fan_err preview_occasion(struct call *call, const struct fan_campaign *campaign,
        struct fan_text_occasion *out)
{
    struct fan_channel channel;
    enum fan_err err = account_occasion(call, campaign->kind, out);

    if (err)
        return err;
    out->campaign = campaign->id;
    out->campaign_name = campaign->name;
    out->details = campaign->details;
    out->channel = campaign->channel;
    err = fan_channel_get(call->db, call->caller.account, campaign->channel, call->arena, &channel,
            call->why);
    if (!err)
        out->channel_name = channel.name;
    return err == FAN_NOT_FOUND ? FAN_OK : err;
}

enum fan_err preview_campaign(struct call *call)
{
    struct fan_text_occasion occasion;
    struct fan_campaign campaign;
    struct fan_bytes content;
    struct body body;
    enum fan_err err = fan_campaign_get(call->db, call->caller.account, call->ids[0], call->arena,
            &campaign, call->why);

    if (!err)
        err = campaign_content(call, &campaign, &content);
    if (!err)
        err = preview_occasion(call, &campaign, &occasion);
    if (err)
        return err;
    body_begin(&body, call, call->body, "");
    fan_json_object_open(&call->json, NULL);
    fan_json_add_text(&call->json, "kind", fan_bytes_of(fan_kind_name((int)campaign.kind)));
    err = preview_write(&body, &occasion, content);
    fan_json_object_close(&call->json);
    return err;
}
