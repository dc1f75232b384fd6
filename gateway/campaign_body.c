#include "gateway/campaign_body.h"

#include "actors/lib/decide/retry.h"
#include "gateway/content.h"
#include "gateway/variants.h"
#include "sql/store/account.h"
#include "sql/store/channel.h"
#include "sql/store/tag.h"
#include "sql/store/template.h"

enum { TAGS_MAX = 100, UNKNOWN_WAIT_MAX = 7 * 24 * 3600, GRACE_MAX = 366 * 86400 };

/* ---- the fields that only people read ---- */

enum detail_type { DETAIL_TEXT, DETAIL_BOOL, DETAIL_TIME, DETAIL_WORD };

static const char *const event_types[] = { "In-Person", "Virtual", NULL };

static const struct detail {
    const char *name;
    enum detail_type type;
    const char *const *words;
} details[] = {
    { "campaign_type", DETAIL_TEXT, NULL },
    { "festival_type", DETAIL_TEXT, NULL },
    { "greeting_text", DETAIL_TEXT, NULL },
    { "include_image", DETAIL_BOOL, NULL },
    { "image_theme", DETAIL_TEXT, NULL },
    { "event_type", DETAIL_WORD, event_types },
    { "event_date", DETAIL_TIME, NULL },
    { "owner_name", DETAIL_TEXT, NULL },
    { "owner_email", DETAIL_TEXT, NULL },
};

enum { DETAILS = sizeof details / sizeof *details };

/* Note what is wrong with the field; its value is then taken as it stands in the body. */
static void check_detail(struct body *body, const struct detail *detail)
{
    switch (detail->type) {
    case DETAIL_TEXT:
        body_text(body, detail->name, 1000);
        break;
    case DETAIL_BOOL:
        body_bool(body, detail->name, false);
        break;
    case DETAIL_TIME:
        body_time(body, detail->name, 0);
        break;
    case DETAIL_WORD:
        body_word(body, detail->name, detail->words);
    }
}

static void read_details(struct body *body, struct fan_campaign *campaign)
{
    const struct fan_json *before = NULL;
    struct fan_json_writer json;
    struct fan_buffer *text = content_begin(body->call, &json);

    if (campaign->details.at && fan_json_parse(campaign->details, body->call->arena, &before, NULL))
        before = NULL;
    for (size_t i = 0; i < DETAILS; i++) {
        const char *name = details[i].name;

        check_detail(body, &details[i]);
        content_add(&json, name,
                body_has(body, name) ? body_value(body, name) : fan_json_get(before, name));
    }
    fan_json_object_close(&json);
    campaign->details = fan_buffer_bytes(text);
}

/* ---- the content ---- */

/* A content of its own, in variants perhaps, or a template's, which is taken when it is launched.
 */
static enum fan_err read_content(struct body *body, struct fan_campaign *campaign)
{
    bool given = content_given(body), has_variants = body_value(body, "variants") != NULL;

    if (body_has(body, "template_id")) {
        campaign->template = body_i64(body, "template_id", 1, FAN_ID_MAX, 0);
        campaign->template_version = 0;
    }
    if (body_has(body, "template_version"))
        campaign->template_version = body_i64(body, "template_version", 1, INT32_MAX, 0);
    if (campaign->template_version && !campaign->template)
        body_fault(body, "template_version", "a template_id beside it", "of which template?");
    if (campaign->template && (given || has_variants))
        body_fault(body, "template_id", "null, to give the campaign a content of its own",
                "the content is the template's");
    if (has_variants && given)
        body_fault(body, "variants", "each with its own content", "not together with another");
    if (has_variants)
        return variants_read(body, campaign);
    if (campaign->template)
        campaign->content = FAN_LIT("{}");
    else if (!variants_stored(body->call, campaign->content) || body_has(body, "variants"))
        campaign->content =
                content_read(body, body_has(body, "variants") ? FAN_NO_BYTES : campaign->content);
    else if (given)
        body_fault(body, "variants", "null, to give the campaign one content",
                "the campaign has variants");
    return FAN_OK;
}

static enum fan_err check_template(struct body *body, const struct fan_campaign *campaign)
{
    struct call *call = body->call;
    struct fan_template_row row;
    enum fan_err err = fan_template_get(call->db, call->caller.account, campaign->template,
            campaign->template_version, call->arena, &row, call->why);

    if (err == FAN_NOT_FOUND) {
        body_fault(body, campaign->template_version ? "template_version" : "template_id",
                "what a template of yours has", call->why->text);
        return FAN_OK;
    }
    if (err)
        return err;
    if (row.archived && body_has(body, "template_id"))
        body_fault(body, "template_id", "a template that is not archived", "it is archived");
    if (campaign->kind && row.kind != campaign->kind)
        body_fault(body, "template_id",
                fan_arena_printf(call->arena, "a template for %s",
                        fan_kind_name((int)campaign->kind)),
                fan_arena_printf(call->arena, "it is for %s", fan_kind_name((int)row.kind)));
    return FAN_OK;
}

/* The content needs the kind of channel and the account's fields. */
static enum fan_err check_content(struct body *body, const struct fan_campaign *campaign)
{
    struct fan_text_fields fields;
    enum fan_err err;

    if (campaign->template)
        return check_template(body, campaign);
    err = content_fields(body->call, &fields);
    if (!err && campaign->kind)
        content_check(body->call, campaign->kind, campaign->content, &fields, "");
    return err;
}

/* ---- channel and audience ---- */

static enum fan_err read_channel(struct body *body, struct fan_campaign *campaign, bool is_new)
{
    struct call *call = body->call;
    struct fan_bytes word = body_text(body, "channel", 20);
    int64_t id = body_i64(body, "channel_id", 1, FAN_ID_MAX, 0);
    struct fan_channel channel;
    enum fan_err err;

    if (word.at && fan_kind_of(word) <= 0)
        body_fault(body, "channel", "sms, whatsapp, email, …", "there is no such kind of channel");
    else if (word.at && !id) {
        campaign->kind = (enum fan_kind)fan_kind_of(word);
        err = fan_channel_preferred(call->db, call->caller.account, campaign->kind, call->arena,
                &campaign->channel, call->why);
        if (!err && !campaign->channel)
            body_fault(body, "channel", "a kind that a channel of yours has",
                    "there is no enabled channel of this kind");
        return err;
    }
    if (!id) {
        if (is_new && !word.at)
            body_fault(body, "channel_id", "a channel's id, or channel: its kind", "missing");
        return FAN_OK;
    }
    err = fan_channel_get(call->db, call->caller.account, id, call->arena, &channel, call->why);
    if (err == FAN_NOT_FOUND) {
        body_fault(body, "channel_id", "the id of a channel of yours", "there is no such channel");
        return FAN_OK;
    }
    if (!err && word.at && fan_kind_of(word) != (int)channel.kind)
        body_fault(body, "channel", fan_kind_name((int)channel.kind),
                "the channel is another kind");
    if (!err) {
        campaign->kind = channel.kind;
        campaign->channel = id;
    }
    return err;
}

static bool read_tags(struct body *body, struct fan_texts *names)
{
    const struct fan_json *audience = body_value(body, "audience");
    bool flat = body_texts(body, "target_tags", TAGS_MAX, names);
    struct body inner;

    if (!audience)
        return flat;
    if (flat)
        body_fault(body, "target_tags", "", "not together with audience");
    if (fan_json_type(audience) != FAN_JSON_OBJECT) {
        body_fault(body, "audience", "{\"tags\": [\"…\"]}", "not an object");
        return false;
    }
    body_begin(&inner, body->call, audience, "audience.");
    flat = body_texts(&inner, "tags", TAGS_MAX, names);
    body_end(&inner);
    return flat;
}

static enum fan_err read_audience(struct body *body, struct fan_campaign *campaign)
{
    struct call *call = body->call;
    struct fan_texts names = { .len = 0 };
    enum fan_err err;

    if (!read_tags(body, &names))
        return FAN_OK;
    err = fan_tags_find(call->db, call->caller.account, names, call->arena, &campaign->tags,
            call->why);
    for (size_t i = 0; !err && i < campaign->tags.len; i++)
        if (!campaign->tags.at[i])
            call_fault(call, fan_arena_printf(call->arena, "audience.tags[%zu]", i),
                    "a tag that a contact or an import has", "there is no tag %.*s",
                    FAN_BYTES_ARG(names.at[i]));
    return err;
}

/* ---- when, and the rest ---- */

static void read_times(struct body *body, struct fan_campaign *campaign)
{
    bool given = body_has(body, "scheduled_at");

    campaign->scheduled_at = body_time(body, "scheduled_at", campaign->scheduled_at);
    campaign->start_date = body_time(body, "start_date", campaign->start_date);
    campaign->end_date = body_time(body, "end_date", campaign->end_date);
    if (given && campaign->scheduled_at && campaign->scheduled_at <= fan_clock_now())
        body_fault(body, "scheduled_at", "an instant in the future", "it has passed");
    if (campaign->start_date && campaign->end_date && campaign->end_date < campaign->start_date)
        body_fault(body, "end_date", "an instant after start_date", "before start_date");
    if (campaign->end_date && campaign->scheduled_at > campaign->end_date)
        body_fault(body, "scheduled_at", "an instant before end_date", "after end_date");
    campaign->state = campaign->scheduled_at ? FAN_CAMPAIGN_SCHEDULED : FAN_CAMPAIGN_DRAFT;
}

static enum fan_err read_sender(struct body *body, struct fan_campaign *campaign)
{
    struct call *call = body->call;
    int64_t sender = body_i64(body, "sender_id", 1, FAN_ID_MAX, 0);
    bool exists = true;
    enum fan_err err = FAN_OK;

    if (sender)
        err = fan_user_exists(call->db, call->caller.account, sender, call->arena, &exists,
                call->why);
    if (!err && !exists)
        body_fault(body, "sender_id", "the id of a user of yours", "there is no such user");
    if (body_has(body, "sender_id"))
        campaign->sender = sender;
    return err;
}

static void read_name(struct body *body, struct fan_campaign *campaign, bool is_new)
{
    struct fan_bytes name = body_text(body, "name", 200), title = body_text(body, "title", 200);

    if (name.at || title.at)
        campaign->name = name.at ? name : title;
    else if (is_new && !body_value(body, "name") && !body_value(body, "title"))
        body_fault(body, "name", "a text (or title)", "missing");
    if (body_has(body, "description"))
        campaign->description = body_text(body, "description", 4000);
}

static void read_policy(struct body *body, struct fan_campaign *campaign)
{
    static const char *const policies[] = { "at_most_once", "at_least_once", NULL };
    static const char *const presets[] = { "fast", "patient", NULL };
    static const char *const lanes[] = { "urgent", "normal", NULL };
    int policy = body_word(body, "delivery_policy", policies);
    int lane = body_word(body, "lane", lanes);
    int preset = body_word(body, "retry", presets);
    int64_t wait;

    if (policy >= 0)
        campaign->at_least_once = policy == 1;
    if (lane >= 0)
        campaign->lane = lane == 0 ? FAN_LANE_URGENT : FAN_LANE_NORMAL;
    if (body_has(body, "late_start_grace_seconds"))
        campaign->late_start_grace =
                (int32_t)body_i64(body, "late_start_grace_seconds", 0, GRACE_MAX, -1);
    if (preset >= 0)
        campaign->retry = (enum fan_retry_preset)(FAN_RETRY_FAST + preset);
    if (body_has(body, "unknown_wait_seconds")) {
        wait = body_i64(body, "unknown_wait_seconds", 0, UNKNOWN_WAIT_MAX, -1);
        campaign->unknown_wait = wait < 0 ? -1 : wait * FAN_SECOND;
    }
    campaign->enabled = body_bool(body, "enabled", campaign->enabled);
}

enum fan_err campaign_body_read(struct call *call, struct fan_campaign *campaign, bool is_new)
{
    struct body body;
    enum fan_err err;

    body_begin(&body, call, call->body, "");
    read_name(&body, campaign, is_new);
    read_times(&body, campaign);
    read_policy(&body, campaign);
    read_details(&body, campaign);
    err = read_channel(&body, campaign, is_new);
    if (!err)
        err = read_content(&body, campaign);
    if (!err)
        err = read_audience(&body, campaign);
    if (!err)
        err = read_sender(&body, campaign);
    if (!err)
        err = check_content(&body, campaign);
    body_end(&body);
    return err ? err : call_check(call);
}

/* ---- writing ---- */

static void write_template(struct fan_json_writer *json, const struct fan_campaign *campaign)
{
    if (!campaign->template)
        return;
    fan_json_add_i64(json, "template_id", campaign->template);
    if (campaign->template_version)
        fan_json_add_i64(json, "template_version", campaign->template_version);
    else
        fan_json_add_null(json, "template_version");
}

static void write_details(struct call *call, const struct fan_campaign *campaign)
{
    const struct fan_json *detail = NULL;

    if (fan_json_parse(campaign->details, call->arena, &detail, NULL))
        detail = NULL;
    for (size_t i = 0; i < DETAILS; i++)
        content_add(&call->json, details[i].name, fan_json_get(detail, details[i].name));
}

static void write_audience(struct fan_json_writer *json, const struct fan_campaign *campaign)
{
    fan_json_object_open(json, "audience");
    fan_json_array_open(json, "tags");
    for (size_t i = 0; i < campaign->tag_names.len; i++)
        fan_json_add_text(json, NULL, campaign->tag_names.at[i]);
    fan_json_array_close(json);
    fan_json_object_close(json);
}

static void write_times(struct fan_json_writer *json, const struct fan_campaign *campaign)
{
    fan_json_add_time(json, "scheduled_at", campaign->scheduled_at);
    fan_json_add_time(json, "start_date", campaign->start_date);
    fan_json_add_time(json, "end_date", campaign->end_date);
    fan_json_add_time(json, "created_at", campaign->created_at);
    fan_json_add_time(json, "updated_at", campaign->updated_at);
    fan_json_add_time(json, "started_at", campaign->started_at);
    fan_json_add_time(json, "ended_at", campaign->ended_at);
    fan_json_add_time(json, "paused_at", campaign->paused_at);
}

static void write_retry(struct fan_json_writer *json, const struct fan_campaign *campaign)
{
    enum fan_retry_preset preset =
            campaign->retry ? campaign->retry : fan_retry_preset_for(campaign->kind);

    fan_json_add_text(json, "retry", fan_bytes_of(fan_retry_preset_name((int)preset)));
    if (campaign->unknown_wait < 0)
        fan_json_add_null(json, "unknown_wait_seconds");
    else
        fan_json_add_i64(json, "unknown_wait_seconds", campaign->unknown_wait / FAN_SECOND);
}

void campaign_write(struct call *call, const struct fan_campaign *campaign)
{
    struct fan_json_writer *json = &call->json;

    fan_json_add_i64(json, "id", campaign->id);
    fan_json_add_i64(json, "display_id", campaign->display_id);
    fan_json_add_text(json, "name", campaign->name);
    fan_json_add_text(json, "description", campaign->description);
    fan_json_add_text(json, "channel", fan_bytes_of(fan_kind_name((int)campaign->kind)));
    fan_json_add_i64(json, "channel_id", campaign->channel);
    fan_json_add_text(json, "status", fan_bytes_of(fan_campaign_state_name((int)campaign->state)));
    write_template(json, campaign);
    content_write(call, campaign->content);
    variants_write(call, campaign->content);
    write_details(call, campaign);
    write_audience(json, campaign);
    write_times(json, campaign);
    fan_json_add_text(json, "delivery_policy",
            campaign->at_least_once ? FAN_LIT("at_least_once") : FAN_LIT("at_most_once"));
    write_retry(json, campaign);
    fan_json_add_text(json, "lane", fan_bytes_of(fan_lane_name((int)campaign->lane)));
    if (campaign->late_start_grace < 0)
        fan_json_add_null(json, "late_start_grace_seconds");
    else
        fan_json_add_i64(json, "late_start_grace_seconds", campaign->late_start_grace);
    fan_json_add_text(json, "hold_reason", campaign->hold_reason);
    fan_json_add_bool(json, "enabled", campaign->enabled);
    fan_json_add_bool(json, "archived", campaign->archived);
    if (campaign->sender)
        fan_json_add_i64(json, "sender_id", campaign->sender);
    else
        fan_json_add_null(json, "sender_id");
}
