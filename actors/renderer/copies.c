#include "actors/renderer/renderer.h"
#include "proto/fault.h"

static struct fan_bytes address_of(const struct fan_person *person, enum fan_kind kind)
{
    return kind == FAN_KIND_EMAIL ? person->email : person->phone;
}

static bool is_deadly(const struct fan_chunk_planned *chunk, size_t position)
{
    size_t crashes = 0;

    for (size_t i = 0; i < chunk->crashed.len; i++)
        crashes += chunk->crashed.at[i] == (fan_id)position;
    return crashes >= FAN_CRASHES_MOST;
}

/* Why this person gets no copy, before any is written; 0: no reason. */
static int refusal(const struct compiled *compiled, const struct fan_person *person,
        enum fan_kind kind)
{
    if (!compiled->variants)
        return FAN_REASON_TEMPLATE;
    if (person->contact == 0 || address_of(person, kind).len == 0)
        return FAN_REASON_NO_ADDRESS;
    return person->suppressed ? FAN_REASON_SUPPRESSED : 0;
}

/* A copy that the author is to blame for has failed; one that the recipient is the reason for is
 * skipped. */
static int16_t state_for(int reason)
{
    switch (reason) {
    case 0:
        return FAN_MESSAGE_PENDING;
    case FAN_REASON_TEMPLATE:
    case FAN_REASON_TOO_LONG:
    case FAN_REASON_POISON:
        return FAN_MESSAGE_FAILED;
    default:
        return FAN_MESSAGE_SKIPPED;
    }
}

/* Returns the reason why there is no copy, 0 when there is one. */
static int write_copy(struct fan_turn *turn, const struct compiled *compiled,
        const struct fan_choice *choice, const struct fan_person *person, struct fan_value *values,
        struct pen *pen, struct fan_bytes *body, int16_t *format)
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
    const struct fan_template *template = fan_choice_for(choice, person->language);
    const struct fan_text_view view = {
        .machine = pen->machine,
        .values = values,
        .now = pen->now,
        .language = person->language,
        .zone = person->time_zone,
    };
    struct fan_rendering copy;
    struct fan_buffer out;
    int reason;

    if (fan_text_values(template, &compiled->fields, &about, turn->arena, values, &turn->why))
        return FAN_REASON_TEMPLATE;
    reason = fan_template_render(template, &view, &pen->scratch, &copy, &turn->why);
    if (reason == FAN_REASON_TEMPLATE && !pen->failed) {
        pen->failed = true;
        fan_log(turn, FAN_WARN, "copy.failed", "run %lld: %s", (long long)compiled->run,
                turn->why.text);
    }
    if (reason)
        return reason;
    fan_buffer_init(&out, 2 * FAN_RENDERED_MAX);
    *format = (int16_t)fan_content_write(&copy.content, &out);
    *body = fan_bytes_dup(fan_buffer_bytes(&out), turn->arena);
    reason = out.overflowed ? FAN_REASON_TOO_LONG : 0;
    fan_buffer_fini(&out);
    return reason;
}

enum fan_err write_copies(struct fan_turn *turn, const struct compiled *compiled,
        const struct fan_chunk_planned *chunk, const struct fan_person *people, struct pen *pen,
        struct fan_chunk_written *out)
{
    size_t count = chunk->contacts.len;
    const struct fan_choice *choice =
            compiled->variants ? fan_variants_choice(compiled->variants, chunk->variant) : NULL;
    struct fan_value *values =
            fan_arena_array(turn->arena, fan_text_slots(&compiled->fields), sizeof *values);

    *out = (struct fan_chunk_written){
        .count = count,
        .contacts = fan_arena_array(turn->arena, count, sizeof *out->contacts),
        .states = fan_arena_array(turn->arena, count, sizeof *out->states),
        .reasons = fan_arena_array(turn->arena, count, sizeof *out->reasons),
        .formats = fan_arena_array(turn->arena, count, sizeof *out->formats),
        .addresses = fan_arena_array(turn->arena, count, sizeof *out->addresses),
        .bodies = fan_arena_array(turn->arena, count, sizeof *out->bodies),
    };
    pen->now = fan_clock_now();
    pen->failed = false;
    fan_text_occasion_values(&compiled->fields, &compiled->occasion, turn->arena, values);
    for (size_t i = 0; i < count; i++) {
        int reason = refusal(compiled, &people[i], chunk->kind);

        if (!reason && is_deadly(chunk, i))
            reason = FAN_REASON_POISON;
        FAN_FAULT("renderer.copying");
        out->contacts[i] = chunk->contacts.at[i];
        out->formats[i] = FAN_BODY_TEXT;
        out->addresses[i] = address_of(&people[i], chunk->kind);
        if (!reason) {
            mark_writing(pen->mark, (uint32_t)i);
            FAN_FAULT("renderer.writing");
            FAN_FAULT_ABOUT("renderer.writing", out->addresses[i]);
            reason = write_copy(turn, compiled, choice, &people[i], values, pen, &out->bodies[i],
                    &out->formats[i]);
        }
        out->reasons[i] = (int16_t)reason;
        out->states[i] = state_for(reason);
    }
    mark_written(pen->mark);
    return FAN_OK;
}
