#include "gateway/upload_inside.h"

#include "actors/lib/person/phone.h"
#include "sql/store/campaign.h"

enum { TAGS_MAX = 100, WISHES_MAX = 64 * 1024 };

static bool says_csv(struct fan_bytes type)
{
    struct fan_bytes name;

    fan_bytes_split(type, ';', &name);
    name = fan_bytes_trim(name);
    return fan_bytes_eq_nocase(name, FAN_LIT("text/csv")) ||
            fan_bytes_eq_nocase(name, FAN_LIT("application/csv"));
}

static void read_tags(struct call *call, struct fan_texts *out)
{
    struct fan_bytes rest = fan_http_query(call->request, "tags"), name;
    struct fan_bytes *names = fan_arena_array(call->lasting, TAGS_MAX, sizeof *names);

    *out = (struct fan_texts){ .at = names };
    while (rest.at && rest.len) {
        rest = fan_bytes_split(rest, ',', &name);
        name = fan_bytes_trim(name);
        if (name.len > 200 || (name.len && out->len == TAGS_MAX)) {
            call_fault(call, "tags", "up to 100 names of up to 200 bytes, between commas",
                    "too many or too long");
            return;
        }
        if (name.len)
            names[out->len++] = name;
    }
}

static void read_country(struct call *call, struct fan_bytes *out)
{
    struct fan_bytes text = fan_http_query(call->request, "default_country");
    const char *country = fan_bytes_cstr(text, call->lasting);

    if (text.len && !fan_phone_country(country))
        call_fault(call, "default_country", "two capital letters, such as IN",
                "there is no such country");
    *out = text;
}

static void read_wishes(struct call *call, const struct fan_json **out)
{
    struct fan_bytes text = fan_http_query(call->request, "mapping");
    struct fan_why why;

    *out = NULL;
    if (!text.len)
        return;
    if (text.len > WISHES_MAX || fan_json_parse(text, call->lasting, out, &why) ||
            fan_json_type(*out) != FAN_JSON_OBJECT)
        call_fault(call, "mapping", "a JSON object such as {\"Mobile\": \"phone\"}",
                "not such an object");
}

static void read_parameters(struct upload *upload)
{
    static const char *const known[] = { "filename", "source", "default_country", "tags",
        "campaign_id", "mapping" };
    struct call *call = upload->call;
    struct fan_bytes name, value;
    size_t cursor = 0;

    while (fan_http_query_next(call->request, &cursor, &name, &value)) {
        bool found = false;

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || fan_bytes_eq_text(name, known[i]);
        if (!found)
            call_fault(call, fan_bytes_cstr(name, call->lasting),
                    "one of filename, source, default_country, tags, campaign_id, mapping",
                    "there is no such parameter");
    }
    upload->file_name = fan_http_query(call->request, "filename");
    upload->source = fan_http_query(call->request, "source");
    upload->campaign = call_query_i64(call, "campaign_id", 1, FAN_ID_MAX, 0);
    read_country(call, &upload->default_country);
    read_tags(call, &upload->tag_names);
    read_wishes(call, &upload->wishes);
}

static enum fan_err check_campaign(struct upload *upload)
{
    struct call *call = upload->call;
    struct fan_campaign campaign;
    enum fan_err err;

    if (!upload->campaign)
        return FAN_OK;
    err = fan_campaign_get(call->db, call->caller.account, upload->campaign, call->arena, &campaign,
            call->why);
    if (!err && campaign.state != FAN_CAMPAIGN_DRAFT && campaign.state != FAN_CAMPAIGN_SCHEDULED)
        err = call_refuse(call, 409, "the campaign is %s: its audience can no longer grow",
                fan_campaign_state_name((int)campaign.state));
    return err;
}

enum fan_err upload_read_query(struct upload *upload)
{
    struct call *call = upload->call;
    enum fan_err err;

    if (!says_csv(fan_http_header(call->request, "Content-Type")))
        return call_refuse(call, 415, "the body must be text/csv");
    read_parameters(upload);
    err = call_check(call);
    return err ? err : check_campaign(upload);
}
