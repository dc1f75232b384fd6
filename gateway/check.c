/*
 * A campaign's audience before it is launched: how many would get it, and why others would not.
 *
 * Everybody is written to, for himself, by the functions that write copies: so blank copies, texts
 * that are too long for one recipient and Liquid that fails on one are found, too. A large audience
 * is looked at in evenly spread parts, so that the answer takes about a tenth of a second; Liquid
 * that computes for long is given one second, and the answer says how many were looked at by then.
 */
#include "gateway/preview.h"
#include "gateway/templates.h"

#include "actors/lib/text/segments.h"
#include "actors/lib/text/variant.h"
#include "gateway/content.h"
#include "sql/store/check.h"
#include "sql/store/contact.h"

enum { LOOKED_AT = 5000, RANGES = 100, EXAMPLES = 10 };

/* How many, and who are the first. */
struct tally {
    int64_t count;
    fan_id examples[EXAMPLES];
};

struct check {
    struct call *call;
    fan_id campaign;
    const struct fan_variants *variants;
    struct fan_text_fields fields;
    struct fan_value *values;
    struct fan_liquid_machine *machine;
    struct fan_arena *arena; /* one person's */
    struct fan_buffer scratch;
    struct tally reasons[FAN_REASON_COUNT];    /* [0]: they get it */
    struct tally *missing;                     /* missing[fields.count] */
    int64_t by_variant[FAN_VARIANTS_MOST + 1]; /* from 1; 0: there are none */
    int64_t *languages; /* of the only variant. [0]: none of the list, then by place */
    int64_t segments;
    char fails[320]; /* what Liquid could not do for the first who fails */
};

static void add(struct tally *tally, fan_id contact)
{
    if (tally->count < EXAMPLES)
        tally->examples[tally->count] = contact;
    tally->count++;
}

/* ---- one person ---- */

static void count_missing(struct check *self, const struct fan_template *template, fan_id contact)
{
    for (size_t i = 0; i < template->slots_len; i++) {
        size_t slot = template->slots[i];

        if (slot < self->fields.count && self->values[slot].type == FAN_VALUE_NIL)
            add(&self->missing[slot], contact);
    }
}

static uint32_t variant_of(const struct check *self, fan_id contact)
{
    const struct fan_ids weights = { self->variants->weights, self->variants->len };

    return weights.len > 1 ? fan_variant_of(self->campaign, contact, weights) : 0;
}

/* Returns the reason why he would not get it; 0: none. */
static int write_copy(struct check *self, const struct fan_check_person *person)
{
    const struct fan_text_person about = {
        .id = person->contact,
        .first_name = person->first_name,
        .last_name = person->last_name,
        .phone = person->phone,
        .email = person->email,
        .company = person->company,
        .country = person->country,
        .language = person->language,
        .external_id = person->external_id,
        .time_zone = person->time_zone,
        .attributes = person->attributes,
    };
    const struct fan_text_view view = {
        .machine = self->machine,
        .values = self->values,
        .now = fan_clock_now(),
        .language = person->language,
        .zone = person->time_zone,
    };
    uint32_t variant = variant_of(self, person->contact);
    const struct fan_choice *choice = fan_variants_choice(self->variants, variant);
    const struct fan_template *template = fan_choice_for(choice, person->language);
    struct fan_rendering copy;
    struct fan_sms_size size;
    struct fan_why why = { 0 };
    int reason;

    self->by_variant[variant]++;
    if (!variant)
        self->languages[fan_choice_find(choice, person->language) + 1]++;
    if (fan_text_values(template, &self->fields, &about, self->arena, self->values, &why))
        return FAN_REASON_TEMPLATE;
    count_missing(self, template, person->contact);
    reason = fan_template_render(template, &view, &self->scratch, &copy, &why);
    if (reason == FAN_REASON_TEMPLATE && !self->fails[0])
        memcpy(self->fails, why.text, sizeof self->fails);
    if (!reason && template->kind == FAN_KIND_SMS) {
        fan_sms_measure(copy.content.text, &size);
        self->segments += (int64_t)size.segments;
    }
    return reason;
}

/* Returns how many were looked at. */
static size_t look_at(struct check *self, const struct fan_check_people *people)
{
    fan_time until = fan_clock_elapsed() + FAN_SECOND;
    size_t i;

    for (i = 0; i < people->len && (i == 0 || fan_clock_elapsed() < until); i++) {
        const struct fan_check_person *person = &people->at[i];
        int reason = person->reason;

        if (!reason)
            reason = write_copy(self, person);
        FAN_ASSERT(reason >= 0 && reason < FAN_REASON_COUNT);
        add(&self->reasons[reason], person->contact);
        fan_arena_reset(self->arena);
    }
    return i;
}

/* ---- the answer ---- */

static void write_examples(struct fan_json_writer *json, const struct tally *tally)
{
    fan_json_array_open(json, "contact_ids");
    for (int64_t i = 0; i < tally->count && i < EXAMPLES; i++)
        fan_json_add_i64(json, NULL, tally->examples[i]);
    fan_json_array_close(json);
}

static void write_reasons(struct check *self)
{
    struct fan_json_writer *json = &self->call->json;

    fan_json_add_i64(json, "sendable", self->reasons[0].count);
    fan_json_array_open(json, "not_sendable");
    for (int reason = 1; reason < FAN_REASON_COUNT; reason++) {
        if (!self->reasons[reason].count)
            continue;
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "reason", fan_bytes_of(fan_reason_name(reason)));
        fan_json_add_i64(json, "count", self->reasons[reason].count);
        write_examples(json, &self->reasons[reason]);
        if (reason == FAN_REASON_TEMPLATE)
            fan_json_add_text(json, "fails", fan_bytes_of(self->fails));
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

static void write_fields(struct check *self, const bool *used)
{
    struct fan_json_writer *json = &self->call->json;

    fan_json_array_open(json, "fields");
    for (size_t slot = 0; slot < self->fields.count; slot++) {
        if (!used[slot])
            continue;
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "field", self->fields.names[slot]);
        fan_json_add_text(json, "fallback", self->fields.fallbacks[slot]);
        fan_json_add_i64(json, "missing", self->missing[slot].count);
        write_examples(json, &self->missing[slot]);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

static void write_languages(struct check *self)
{
    const struct fan_choice *choice = self->variants->at[0].choice;
    struct fan_json_writer *json = &self->call->json;

    fan_json_array_open(json, "languages");
    for (size_t i = 0; i <= choice->languages_len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "language", i ? choice->languages[i - 1].tag : FAN_NO_BYTES);
        fan_json_add_i64(json, "count", self->languages[i]);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

static void write_variants(struct check *self)
{
    struct fan_json_writer *json = &self->call->json;

    fan_json_array_open(json, "variants");
    for (size_t i = 0; i < self->variants->len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "name", self->variants->at[i].name);
        fan_json_add_i64(json, "count", self->by_variant[i + 1]);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

static void write_answer(struct check *self, enum fan_kind kind, int64_t audience, size_t checked,
        bool exact)
{
    struct fan_json_writer *json = &self->call->json;
    bool *used = fan_arena_array(self->call->arena, fan_text_slots(&self->fields), sizeof *used);

    for (size_t i = 0; i < self->variants->len; i++)
        fan_choice_uses(self->variants->at[i].choice, used);
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "audience", audience);
    fan_json_add_i64(json, "checked", (int64_t)checked);
    fan_json_add_bool(json, "exact", exact);
    write_reasons(self);
    write_fields(self, used);
    if (self->variants->len > 1)
        write_variants(self);
    else
        write_languages(self);
    if (kind == FAN_KIND_SMS)
        fan_json_add_i64(json, "sms_segments", self->segments);
    fan_json_object_close(json);
}

/* ---- the whole ---- */

static enum fan_err begin(struct check *self, const struct fan_campaign *campaign)
{
    struct call *call = self->call;
    struct fan_text_occasion occasion;
    struct fan_bytes content;
    struct fan_why why;
    enum fan_err err = campaign_content(call, campaign, &content);

    if (!err)
        err = content_fields(call, &self->fields);
    if (!err)
        err = preview_occasion(call, campaign, &occasion);
    if (err)
        return err;
    if (fan_variants_compile(campaign->kind, content, &self->fields, call->arena, &self->variants,
                &why))
        return call_refuse(call, 409, "the content cannot be sent: %s: %s", why.field, why.text);
    self->values =
            fan_arena_array(call->arena, fan_text_slots(&self->fields), sizeof *self->values);
    self->missing = fan_arena_array(call->arena, self->fields.count, sizeof *self->missing);
    self->languages = fan_arena_array(call->arena, self->variants->at[0].choice->languages_len + 1,
            sizeof *self->languages);
    fan_text_occasion_values(&self->fields, &occasion, call->arena, self->values);
    return FAN_OK;
}

enum fan_err check_campaign_audience(struct call *call)
{
    struct check self = { .call = call, .campaign = call->ids[0] };
    struct fan_check_sample sample;
    struct fan_check_people people;
    struct fan_campaign campaign;
    int64_t audience = 0;
    size_t checked;
    enum fan_err err = fan_campaign_get(call->db, call->caller.account, call->ids[0], call->arena,
            &campaign, call->why);

    if (!err)
        err = begin(&self, &campaign);
    if (!err)
        err = fan_contact_count_tagged(call->db, call->caller.account, campaign.tags, call->arena,
                &audience, call->why);
    if (err)
        return err;
    sample = (struct fan_check_sample){
        .kind = campaign.kind,
        .tags = campaign.tags,
        .each = audience <= LOOKED_AT ? LOOKED_AT : LOOKED_AT / RANGES,
        .ranges = audience <= LOOKED_AT ? 1 : RANGES,
    };
    err = fan_check_people(call->db, call->caller.account, &sample, call->arena, &people,
            call->why);
    if (err)
        return err;
    self.machine = fan_liquid_machine_new();
    self.arena = fan_arena_new();
    fan_buffer_init(&self.scratch, FAN_RENDERED_MAX);
    checked = look_at(&self, &people);
    write_answer(&self, campaign.kind, audience, checked,
            audience <= LOOKED_AT && checked == people.len);
    fan_buffer_fini(&self.scratch);
    fan_arena_free(&self.arena);
    fan_liquid_machine_free(&self.machine);
    return FAN_OK;
}
