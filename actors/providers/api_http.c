/*
 * api_http — any HTTP API that takes one message with one request.
 *
 * The channel describes the request: method, URL, headers and body are texts in which {address},
 * {text}, {subject}, {media_url} and {message_id} stand for the message's. They are written as the
 * place demands: percent-encoded in URLs and forms, escaped in JSON. A request depends on nothing
 * but the channel and the message, so that each attempt has the same bytes.
 *
 * An API that drops the second of two requests with one idempotency key makes the channel a keyed
 * one: the key is {message_id}, so a message in doubt may be sent again while its key lives.
 *
 * source  draft-ietf-httpapi-idempotency-key-header (409: under way, 422: another body)
 */
#include "actors/lib/driver/driver.h"
#include "actors/lib/hash/hash.h"
#include "proto/json.h"

enum { ID_CAP = 256, CODE_CAP = 64, HEADERS_MOST = 8, PATH_MOST = 8 };

#define STATUSES "^[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*$"
#define HEADER "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"
#define PATH "^[A-Za-z0-9_@-]+([.][A-Za-z0-9_@-]+){0,7}$"

static const struct fan_provider_field fields[] = {
    { .name = "url",
            .doc = "where requests go; may name fields behind the host",
            .required = true,
            .pattern = "^https?://[^/?#{} ]+([/?][^# ]*)?$",
            .example = "https://api.example.com/v1/messages" },
    { .name = "method",
            .doc = "of requests",
            .otherwise = "POST",
            .pattern = "^(POST|PUT|PATCH|GET)$",
            .example = "POST" },
    { .name = "body_type",
            .doc = "how fields are written into the body",
            .otherwise = "json",
            .pattern = "^(json|form)$",
            .example = "json" },
    { .name = "body",
            .doc = "the request's body; a GET has none",
            .otherwise = "{\"to\":\"{address}\",\"text\":\"{text}\",\"id\":\"{message_id}\"}",
            .example = "{\"to\":\"{address}\",\"text\":\"{text}\"}" },
    { .name = "headers",
            .doc = "further headers, a line each; may name address and message_id",
            .example = "X-Campaign: {message_id}" },
    { .name = "success_statuses",
            .doc = "HTTP statuses that say it was taken",
            .otherwise = "200-299",
            .pattern = STATUSES,
            .example = "200,202" },
    { .name = "unprocessed_statuses",
            .doc = "statuses from 500 on that the API documents as not processed",
            .pattern = STATUSES,
            .example = "503" },
    { .name = "id_path",
            .doc = "where the message's id stands in a JSON answer; without it none is expected",
            .pattern = PATH,
            .example = "data.messages.0.id" },
    { .name = "code_path",
            .doc = "where the error's code stands in a JSON answer",
            .pattern = PATH,
            .example = "error.code" },
    { .name = "bearer_token",
            .doc = "sent as Authorization: Bearer",
            .readers = FAN_READER_SENDER,
            .pattern = "^[!-~]+$",
            .example = "s3cret" },
    { .name = "username",
            .doc = "of a login by Basic authentication",
            .pattern = "^[^:]+$",
            .example = "fanfare" },
    { .name = "password", .doc = "its password", .readers = FAN_READER_SENDER },
    { .name = "signature_header",
            .doc = "carries sha256= and the body's HMAC in hexadecimal",
            .pattern = HEADER,
            .example = "X-Signature" },
    { .name = "signature_secret", .doc = "its key", .readers = FAN_READER_SENDER },
    { .name = "idempotency_header",
            .doc = "carries a key by which the API drops repeated requests",
            .pattern = HEADER,
            .example = "Idempotency-Key" },
    { .name = "idempotency_ttl_s",
            .doc = "seconds for which the API remembers a key",
            .pattern = "^[1-9][0-9]{0,6}$",
            .example = "86400" },
    { .name = "idempotency_busy_statuses",
            .doc = "statuses that say that a request with the key is still under way",
            .otherwise = "409",
            .pattern = STATUSES,
            .example = "409" },
    { .name = "idempotency_reused_statuses",
            .doc = "statuses that say that the key came with another request before",
            .otherwise = "422",
            .pattern = STATUSES,
            .example = "422" },
    { .name = NULL },
};

static struct fan_bytes field(const struct fan_channel_view *channel, const char *name)
{
    return fan_channel_field(channel, fields, name);
}

static bool keyed(const struct fan_channel_view *channel)
{
    return field(channel, "idempotency_header").len > 0;
}

/* ---- templates ---- */

/* How a value is written where it stands. */
enum place { IN_URL, IN_FORM, IN_JSON, IN_HEADER };

struct value {
    const char *name;
    struct fan_bytes text;
    bool in_headers; /* may stand there: it is a short one, without line ends */
};

enum { VALUES = 5 };

static void values_of(const struct fan_sending *sending, struct value out[VALUES])
{
    const struct fan_content *content = &sending->content;

    out[0] = (struct value){ "address", sending->address, true };
    out[1] = (struct value){ "text", content->text, false };
    out[2] = (struct value){ "subject", content->subject, false };
    out[3] = (struct value){ "media_url", content->media_url, false };
    out[4] = (struct value){ "message_id", sending->token, true };
}

/* The name of a field that begins at @text, which begins with '{'; absent: it is a brace. */
static struct fan_bytes name_at(struct fan_bytes text)
{
    size_t len = 1;

    while (len < text.len && ((text.at[len] >= 'a' && text.at[len] <= 'z') || text.at[len] == '_'))
        len++;
    if (len == 1 || len == text.len || text.at[len] != '}')
        return FAN_NO_BYTES;
    return (struct fan_bytes){ text.at + 1, len - 1 };
}

static const struct value *find(const struct value values[VALUES], struct fan_bytes name)
{
    for (int i = 0; i < VALUES; i++)
        if (fan_bytes_eq_text(name, values[i].name))
            return &values[i];
    return NULL;
}

static void add_escaped(struct fan_buffer *out, struct fan_bytes text, struct fan_arena *arena)
{
    struct fan_buffer *quoted = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_bytes inside;

    fan_json_quote(quoted, text);
    inside = fan_buffer_bytes(quoted);
    if (inside.len >= 2)
        fan_buffer_add(out, inside.at + 1, inside.len - 2);
}

static void add_value(struct fan_buffer *out, struct fan_bytes text, enum place place,
        struct fan_arena *arena)
{
    if (!text.at)
        return;
    switch (place) {
    case IN_URL:
    case IN_FORM:
        fan_buffer_add_percent(out, text);
        break;
    case IN_JSON:
        add_escaped(out, text, arena);
        break;
    case IN_HEADER:
        fan_buffer_add_bytes(out, text);
        break;
    }
}

/* @what: the setting that the template is, for complaints. fails FAN_INVALID: a field that is not
 * there, or that may not stand in a header */
static enum fan_err fill(struct fan_bytes template, const struct value values[VALUES],
        enum place place, const char *what, struct fan_arena *arena, struct fan_buffer *out,
        struct fan_why *why)
{
    for (size_t i = 0; i < template.len; i++) {
        struct fan_bytes rest = { template.at + i, template.len - i };
        struct fan_bytes name = rest.at[0] == '{' ? name_at(rest) : FAN_NO_BYTES;
        const struct value *value = name.at ? find(values, name) : NULL;

        if (!name.at) {
            fan_buffer_add_char(out, rest.at[0]);
            continue;
        }
        if (!value || (place == IN_HEADER && !value->in_headers))
            return fan_fail_field(why, FAN_INVALID, what, "%s has no field {%.*s}: there %s",
                    place == IN_HEADER ? "a header" : "it", FAN_BYTES_ARG(name),
                    place == IN_HEADER ? "are address and message_id"
                                       : "are address, text, subject, media_url and message_id");
        add_value(out, value->text, place, arena);
        i += name.len + 1;
    }
    return FAN_OK;
}

static enum fan_err filled(struct fan_bytes template, const struct value values[VALUES],
        enum place place, const char *what, struct fan_arena *arena, struct fan_bytes *out,
        struct fan_why *why)
{
    struct fan_buffer *text = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    enum fan_err err = fill(template, values, place, what, arena, text, why);

    if (!err && text->overflowed)
        err = fan_fail_field(why, FAN_INVALID, what, "the request would be too long");
    *out = fan_buffer_bytes(text);
    return err;
}

/* ---- the request ---- */

static bool is_line(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' && text.at[i] != '\t')
            return false;
    return true;
}

static bool is_name(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", text.at[i]))
            return false;
    return text.len > 0;
}

/* What we write ourselves, or what frames a request, is nobody else's. */
static bool is_ours(const struct fan_channel_view *channel, struct fan_bytes name)
{
    static const char *const names[] = { "Content-Length", "Transfer-Encoding", "Host",
        "Connection", "Expect", "Authorization" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (fan_bytes_eq_nocase(name, fan_bytes_of(names[i])))
            return true;
    return fan_bytes_eq_nocase(name, field(channel, "signature_header")) ||
            fan_bytes_eq_nocase(name, field(channel, "idempotency_header"));
}

static enum fan_err add_header(const struct fan_channel_view *channel, struct fan_bytes line,
        const struct value values[VALUES], struct fan_arena *arena, struct fan_request *out,
        struct fan_why *why)
{
    struct fan_bytes name, value = fan_bytes_split(line, ':', &name), text;
    enum fan_err err;

    if (!value.at || !is_name(name))
        return fan_fail_field(why, FAN_INVALID, "headers", "each line is a name, ':' and a value");
    if (is_ours(channel, name))
        return fan_fail_field(why, FAN_INVALID, "headers", "%.*s is not set here",
                FAN_BYTES_ARG(name));
    err = filled(fan_bytes_trim(value), values, IN_HEADER, "headers", arena, &text, why);
    if (err)
        return err;
    if (!is_line(text))
        return fan_fail_field(why, FAN_INVALID, "headers", "a header has no line ends");
    fan_request_header(out, arena, "%.*s: %.*s", FAN_BYTES_ARG(name), FAN_BYTES_ARG(text));
    return FAN_OK;
}

static enum fan_err add_headers(const struct fan_channel_view *channel,
        const struct value values[VALUES], struct fan_arena *arena, struct fan_request *out,
        struct fan_why *why)
{
    struct fan_bytes lines = field(channel, "headers"), line;
    enum fan_err err = FAN_OK;

    for (int count = 0; lines.len > 0 && !err;) {
        lines = fan_bytes_split(lines, '\n', &line);
        line = fan_bytes_trim(line);
        if (line.len == 0)
            continue;
        if (++count > HEADERS_MOST)
            return fan_fail_field(why, FAN_INVALID, "headers", "there are more than %d",
                    HEADERS_MOST);
        err = add_header(channel, line, values, arena, out, why);
    }
    return err;
}

static bool has_header(const struct fan_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_len; i++) {
        struct fan_bytes key;

        (void)fan_bytes_split(request->headers[i], ':', &key);
        if (fan_bytes_eq_nocase(key, fan_bytes_of(name)))
            return true;
    }
    return false;
}

static void sign(const struct fan_channel_view *channel, struct fan_arena *arena,
        struct fan_request *out)
{
    struct fan_bytes header = field(channel, "signature_header");
    struct fan_buffer *hex = fan_arena_buffer(arena, 128);
    unsigned char mac[FAN_SHA256_SIZE];

    if (header.len == 0)
        return;
    fan_hmac_sha256(field(channel, "signature_secret"), out->body.at ? out->body : FAN_LIT(""),
            mac);
    fan_buffer_add_hex(hex, (struct fan_bytes){ (const char *)mac, sizeof mac });
    fan_request_header(out, arena, "%.*s: sha256=%.*s", FAN_BYTES_ARG(header),
            FAN_BYTES_ARG(fan_buffer_bytes(hex)));
}

static void log_in(const struct fan_channel_view *channel, struct fan_arena *arena,
        struct fan_request *out)
{
    struct fan_bytes token = field(channel, "bearer_token");

    if (token.len > 0) {
        fan_request_header(out, arena, "Authorization: Bearer %.*s", FAN_BYTES_ARG(token));
        return;
    }
    out->username = field(channel, "username");
    out->password = field(channel, "password");
}

static enum fan_err add_body(const struct fan_channel_view *channel,
        const struct value values[VALUES], struct fan_arena *arena, struct fan_request *out,
        struct fan_why *why)
{
    bool form = fan_bytes_eq(field(channel, "body_type"), FAN_LIT("form"));
    enum fan_err err;

    if (fan_bytes_eq(out->method, FAN_LIT("GET")))
        return FAN_OK;
    err = filled(field(channel, "body"), values, form ? IN_FORM : IN_JSON, "body", arena,
            &out->body, why);
    if (!err && !has_header(out, "Content-Type"))
        fan_request_header(out, arena, "Content-Type: %s",
                form ? "application/x-www-form-urlencoded" : "application/json");
    return err;
}

static enum fan_err send(const struct fan_sending *sending, struct fan_arena *arena,
        struct fan_request *out, struct fan_why *why)
{
    const struct fan_channel_view *channel = sending->channel;
    struct value values[VALUES];
    enum fan_err err;

    values_of(sending, values);
    *out = (struct fan_request){ .method = field(channel, "method") };
    err = filled(field(channel, "url"), values, IN_URL, "url", arena, &out->url, why);
    if (!err)
        err = add_headers(channel, values, arena, out, why);
    if (!err)
        err = add_body(channel, values, arena, out, why);
    if (err)
        return err;
    log_in(channel, arena, out);
    sign(channel, arena, out);
    if (keyed(channel))
        fan_request_header(out, arena, "%.*s: %.*s",
                FAN_BYTES_ARG(field(channel, "idempotency_header")), FAN_BYTES_ARG(sending->token));
    return FAN_OK;
}

/* ---- its settings together ---- */

static enum fan_err both(const struct fan_channel_view *channel, const char *one, const char *other,
        struct fan_why *why)
{
    bool has = field(channel, one).len > 0;

    if (has == (field(channel, other).len > 0))
        return FAN_OK;
    return fan_fail_field(why, FAN_INVALID, has ? other : one, "%s and %s go together", one, other);
}

static enum fan_err check_request(const struct fan_channel_view *channel, struct fan_arena *arena,
        struct fan_why *why)
{
    /* What would end a JSON string, were it not escaped. */
    const struct fan_sending sample = { .channel = channel,
        .token = FAN_LIT("1-512-x"),
        .address = FAN_LIT("+a"),
        .content = { .text = FAN_LIT("a\"\n"),
                .subject = FAN_LIT("a\""),
                .media_url = FAN_LIT("a\"") } };
    struct fan_request request;
    const struct fan_json *json;
    enum fan_err err = send(&sample, arena, &request, why);

    if (err)
        return err;
    if (request.body.at && fan_bytes_eq(field(channel, "body_type"), FAN_LIT("json")) &&
            fan_json_parse(request.body, arena, &json, NULL))
        return fan_fail_field(why, FAN_INVALID, "body",
                "it is no JSON: fields stand inside of strings, as in {\"to\":\"{address}\"}");
    return FAN_OK;
}

static enum fan_err check(const struct fan_channel_view *channel, struct fan_why *why)
{
    struct fan_arena *arena;
    enum fan_err err = both(channel, "username", "password", why);

    if (!err)
        err = both(channel, "signature_header", "signature_secret", why);
    if (!err)
        err = both(channel, "idempotency_header", "idempotency_ttl_s", why);
    if (!err && field(channel, "username").len > 0 && field(channel, "bearer_token").len > 0)
        err = fan_fail_field(why, FAN_INVALID, "bearer_token",
                "either a bearer token or a username, not both");
    if (err)
        return err;
    arena = fan_arena_new();
    err = check_request(channel, arena, why);
    fan_arena_free(&arena);
    return err;
}

/* ---- the answer ---- */

/* "200,202-204"; what is not of that form was refused with the settings. */
static bool is_among(struct fan_bytes statuses, int status)
{
    while (statuses.len > 0) {
        struct fan_bytes range, first, last;
        int64_t from, to;

        statuses = fan_bytes_split(statuses, ',', &range);
        last = fan_bytes_split(range, '-', &first);
        if (!fan_bytes_i64(first, &from))
            return false;
        if (!last.at || !fan_bytes_i64(last, &to))
            to = from;
        if (status >= from && status <= to)
            return true;
    }
    return false;
}

/* What stands at a dotted path, as text; numbers lead into arrays. Absent: nothing of use. */
static struct fan_bytes at_path(const struct fan_json *json, struct fan_bytes path, size_t cap,
        struct fan_arena *arena)
{
    struct fan_bytes text;

    for (int depth = 0; path.len > 0 && depth < PATH_MOST; depth++) {
        struct fan_bytes step;
        int64_t index;

        path = fan_bytes_split(path, '.', &step);
        if (fan_json_type(json) == FAN_JSON_ARRAY)
            json = fan_bytes_i64(step, &index) && index >= 0 ? fan_json_at(json, (size_t)index)
                                                             : NULL;
        else
            json = fan_json_get(json, fan_bytes_cstr(step, arena));
    }
    text = fan_json_type(json) == FAN_JSON_INTEGER
            ? fan_bytes_of(fan_arena_printf(arena, "%lld", (long long)fan_json_i64(json, 0)))
            : fan_json_text(json);
    return text.len > 0 && text.len <= cap ? text : FAN_NO_BYTES;
}

static void accept(const struct fan_channel_view *channel, const struct fan_json *answer,
        struct fan_arena *arena, struct fan_outcome *out)
{
    struct fan_bytes path = field(channel, "id_path");
    struct fan_bytes id = path.len > 0 ? at_path(answer, path, ID_CAP, arena) : FAN_NO_BYTES;

    *out = (struct fan_outcome){ .outcome = FAN_AMBIGUOUS, .delay_ms = -1 };
    if (path.len > 0 && !id.at)
        return;
    out->outcome = FAN_ACCEPTED;
    out->provider_id = id;
}

/* Of a request with a key that the API knows already: what became of the first one is not said. */
static bool is_doubtful(const struct fan_sending *sending, const struct fan_response *response,
        struct fan_outcome *out)
{
    const struct fan_channel_view *channel = sending->channel;

    if (!keyed(channel))
        return false;
    if (is_among(field(channel, "idempotency_busy_statuses"), response->status)) {
        *out = (struct fan_outcome){ .outcome = FAN_RETRY_LATER,
            .delay_ms = response->retry_after_ms,
            .busy = true };
        return true;
    }
    if (sending->attempt == 0 ||
            !is_among(field(channel, "idempotency_reused_statuses"), response->status))
        return false;
    *out = (struct fan_outcome){ .outcome = FAN_AMBIGUOUS, .delay_ms = -1 };
    return true;
}

static void judge(const struct fan_sending *sending, const struct fan_response *response,
        struct fan_arena *arena, struct fan_outcome *out)
{
    const struct fan_channel_view *channel = sending->channel;
    const struct fan_json *answer = NULL;
    struct fan_bytes code = field(channel, "code_path");

    fan_outcome_by_status(response, out);
    if (response->status == 0)
        return;
    if (response->complete && fan_json_parse(response->body, arena, &answer, NULL))
        answer = NULL;
    if (is_among(field(channel, "success_statuses"), response->status)) {
        if (response->complete)
            accept(channel, answer, arena, out);
        else
            *out = (struct fan_outcome){ .outcome = FAN_AMBIGUOUS, .delay_ms = -1 };
        return;
    }
    if (!is_doubtful(sending, response, out) &&
            is_among(field(channel, "unprocessed_statuses"), response->status))
        *out = (struct fan_outcome){ .outcome = FAN_RETRY_LATER,
            .delay_ms = response->retry_after_ms };
    if (code.len > 0 && answer)
        out->code = at_path(answer, code, CODE_CAP, arena);
    if (!out->code.at && response->status >= 300)
        out->code = fan_bytes_of(fan_arena_printf(arena, "%d", response->status));
}

const struct fan_provider fan_provider_api_http = {
    .name = "http",
    .kind = FAN_KIND_API,
    .summary = "any HTTP API that takes a message with one request",
    .fields = fields,
    .limits = { .rate = 50, .connections = 16 },
    .check = check,
    .send = send,
    .judge = judge,
    .keyed = keyed,
};
