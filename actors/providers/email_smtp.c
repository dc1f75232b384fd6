/*
 * email_smtp — e-mail handed to an SMTP relay.
 *
 * source  RFC 5321, RFC 3463 (codes), RFC 2369 and RFC 8058 (List-Unsubscribe)
 *
 * The Message-ID carries the token, the same one in every attempt, so that receivers can tell a
 * repeated mail. Nothing comes back but mails to the envelope's sender.
 */
#include "actors/lib/driver/driver.h"
#include "actors/lib/mime/mime.h"

static const struct fan_provider_field fields[] = {
    { .name = "host",
            .doc = "the relay",
            .required = true,
            .pattern = "^[A-Za-z0-9.:_-]+$",
            .example = "smtp.example.com" },
    { .name = "port",
            .doc = "587 for starttls, 465 for tls",
            .otherwise = "587",
            .pattern = "^[1-9][0-9]{0,4}$",
            .example = "587" },
    { .name = "tls",
            .doc = "starttls (required, never skipped), tls from the first byte, or none",
            .otherwise = "starttls",
            .pattern = "^(starttls|tls|none)$",
            .example = "starttls" },
    { .name = "username", .doc = "to log in with; none: no login" },
    { .name = "password", .doc = "to log in with", .readers = FAN_READER_SENDER },
    { .name = "from_email",
            .doc = "the sender's address",
            .required = true,
            .pattern = "^[^@ <>,;:\"]+@[A-Za-z0-9.-]+$",
            .example = "news@example.com" },
    { .name = "from_name", .doc = "the sender's name" },
    { .name = "reply_to",
            .doc = "where answers go; none: to the sender",
            .pattern = "^[^@ <>,;:\"]+@[A-Za-z0-9.-]+$",
            .example = "help@example.com" },
    { .name = "ehlo_name",
            .doc = "what we call ourselves",
            .otherwise = "localhost",
            .pattern = "^[A-Za-z0-9.-]+$",
            .example = "mail.example.com" },
    { .name = "message_id_domain",
            .doc = "of Message-ID; none: the sender's",
            .pattern = "^[A-Za-z0-9.-]+$",
            .example = "example.com" },
    { .name = "return_path",
            .doc = "the envelope's sender, where bounces go; {token} stands for "
                   "the message; none: the sender",
            .pattern = "^[^@ <>,;:\"]+@[A-Za-z0-9.-]+$",
            .example = "bounce+{token}@example.com" },
    { .name = "unsubscribe_mailto",
            .doc = "an address for List-Unsubscribe, beside its link; "
                   "{token} stands for the message",
            .pattern = "^[^@ <>,;:\"]+@[A-Za-z0-9.-]+$",
            .example = "unsubscribe+{token}@example.com" },
    { .name = NULL },
};

/* What a reply means by its enhanced code, or by its code alone. The first row that matches holds.
 */
static const struct reply_rule {
    int code;             /* 0: any that may carry this enhanced code */
    const char *enhanced; /* a prefix of it; NULL: whatever it is */
    enum fan_outcome_class outcome;
    bool suppress;
} rules[] = {
    { 0, ".2.2", FAN_RECIPIENT_DEFERRED, false }, /* mailbox full, 4.2.2 as well as 5.2.2 */
    { 454, NULL, FAN_RETRY_LATER, false },
    { 530, NULL, FAN_CHANNEL_PAUSE, false }, /* login wanted or refused */
    { 534, NULL, FAN_CHANNEL_PAUSE, false },
    { 535, NULL, FAN_CHANNEL_PAUSE, false },
    { 538, NULL, FAN_CHANNEL_PAUSE, false },
    { 0, "5.1.1", FAN_RECIPIENT_PERMANENT, true }, /* no such mailbox, system, address */
    { 0, "5.1.2", FAN_RECIPIENT_PERMANENT, true },
    { 0, "5.1.3", FAN_RECIPIENT_PERMANENT, true },
    { 0, "5.1.6", FAN_RECIPIENT_PERMANENT, true },
    { 0, "5.1.10", FAN_RECIPIENT_PERMANENT, true },
    { 0, "5.2.1", FAN_RECIPIENT_PERMANENT, true },
    { 0, "5.3.4", FAN_CONTENT_PERMANENT, false },  /* too large */
    { 554, "5.6.", FAN_CONTENT_PERMANENT, false }, /* content refused */
    { 0, "5.7.1", FAN_CHANNEL_PAUSE, false },      /* policy, SPF, DKIM, DMARC, reverse DNS */
    { 0, "5.7.25", FAN_CHANNEL_PAUSE, false },
    { 0, "5.7.26", FAN_CHANNEL_PAUSE, false },
    { 0, "5.7.515", FAN_CHANNEL_PAUSE, false },
    { 0 },
};

static struct fan_bytes field(const struct fan_channel_view *channel, const char *name)
{
    return fan_channel_field(channel, fields, name);
}

static bool tls_is(const struct fan_channel_view *channel, const char *mode)
{
    return fan_bytes_eq_text(field(channel, "tls"), mode);
}

static enum fan_err check(const struct fan_channel_view *channel, struct fan_why *why)
{
    int64_t port = 0;

    if (!fan_bytes_i64(field(channel, "port"), &port) || port > 65535)
        return fan_fail_field(why, FAN_INVALID, "port", "a port is a number from 1 to 65535");
    if (port == 465 && tls_is(channel, "starttls"))
        return fan_fail_field(why, FAN_INVALID, "tls",
                "port 465 speaks TLS from the first byte: set tls to \"tls\"");
    return FAN_OK;
}

/* ---- sending ---- */

/* @pattern with the message's token in the place of every {token}. */
static struct fan_bytes fill_token(struct fan_bytes pattern, const struct fan_sending *sending,
        struct fan_arena *arena)
{
    const struct fan_bytes place = FAN_LIT("{token}");
    struct fan_buffer *out = fan_arena_buffer(arena, 4096);

    while (pattern.len > 0) {
        if (fan_bytes_starts(pattern, place)) {
            fan_buffer_add_bytes(out, sending->token);
            pattern.at += place.len, pattern.len -= place.len;
            continue;
        }
        fan_buffer_add_char(out, *pattern.at++);
        pattern.len--;
    }
    return fan_buffer_bytes(out);
}

static struct fan_bytes message_id(const struct fan_sending *sending, struct fan_arena *arena)
{
    struct fan_bytes domain = field(sending->channel, "message_id_domain"), before;

    if (domain.len == 0)
        domain = fan_bytes_split(field(sending->channel, "from_email"), '@', &before);
    return fan_bytes_of(fan_arena_printf(arena, "%.*s@%.*s", FAN_BYTES_ARG(sending->token),
            FAN_BYTES_ARG(domain)));
}

static struct fan_bytes envelope_sender(const struct fan_sending *sending, struct fan_arena *arena)
{
    struct fan_bytes pattern = field(sending->channel, "return_path");

    return pattern.len > 0 ? fill_token(pattern, sending, arena)
                           : field(sending->channel, "from_email");
}

static struct fan_bytes relay_url(const struct fan_channel_view *channel, struct fan_arena *arena)
{
    struct fan_bytes host = field(channel, "host");
    bool v6 = host.len > 0 && memchr(host.at, ':', host.len);

    return fan_bytes_of(fan_arena_printf(arena, "%s://%s%.*s%s:%.*s",
            tls_is(channel, "tls") ? "smtps" : "smtp", v6 ? "[" : "", FAN_BYTES_ARG(host),
            v6 ? "]" : "", FAN_BYTES_ARG(field(channel, "port"))));
}

/* What was written from a contact's data may hold line breaks, which no header may. */
static struct fan_bytes on_one_line(struct fan_bytes text, struct fan_arena *arena)
{
    char *out;

    if (!text.at)
        return text;
    text = fan_bytes_trim(text);
    out = fan_bytes_cstr(text, arena);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)out[i] < ' ')
            out[i] = ' ';
    return (struct fan_bytes){ out, text.len };
}

static bool is_address(struct fan_bytes text)
{
    struct fan_bytes local, domain = fan_bytes_split(text, '@', &local);

    if (local.len == 0 || domain.len == 0 || memchr(domain.at, '@', domain.len))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f ||
                strchr("<>,;:\"\\", text.at[i]))
            return false;
    return true;
}

static enum fan_err check_content(const struct fan_sending *sending, struct fan_why *why)
{
    const struct fan_content *content = &sending->content;

    if (!is_address(sending->address))
        return fan_fail_field(why, FAN_INVALID, "address", "this is no e-mail address");
    if (content->text.len == 0 && content->html.len == 0)
        return fan_fail_field(why, FAN_INVALID, "text", "there is neither text nor HTML");
    if (fan_bytes_trim(content->subject).len == 0)
        return fan_fail_field(why, FAN_INVALID, "subject", "a mail needs a subject");
    return FAN_OK;
}

static enum fan_err write_mail(const struct fan_sending *sending, struct fan_arena *arena,
        struct fan_bytes *out, struct fan_why *why)
{
    const struct fan_channel_view *channel = sending->channel;
    struct fan_bytes mailto = field(channel, "unsubscribe_mailto");
    struct fan_buffer *text = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_mail mail = {
        .from_name = field(channel, "from_name"),
        .from_email = field(channel, "from_email"),
        .to_name = on_one_line(sending->contact_name, arena),
        .to_email = sending->address,
        .reply_to = field(channel, "reply_to"),
        .subject = on_one_line(sending->content.subject, arena),
        .date = sending->now,
        .message_id = message_id(sending, arena),
        .text = sending->content.text,
        .html = sending->content.html,
        .unsubscribe_url = sending->unsubscribe_url,
    };
    enum fan_err err;

    if (mail.unsubscribe_url.at && mailto.len > 0)
        mail.unsubscribe_mailto = fill_token(mailto, sending, arena);
    err = fan_mime_build(&mail, text, why);
    *out = fan_buffer_bytes(text);
    return err;
}

static enum fan_err send(const struct fan_sending *sending, struct fan_arena *arena,
        struct fan_request *out, struct fan_why *why)
{
    const struct fan_channel_view *channel = sending->channel;
    enum fan_err err = check_content(sending, why);

    if (err)
        return err;
    *out = (struct fan_request){
        .url = relay_url(channel, arena),
        .username = field(channel, "username"),
        .password = field(channel, "password"),
        .ehlo = field(channel, "ehlo_name"),
        .mail_from = envelope_sender(sending, arena),
        .mail_to = sending->address,
        .starttls = tls_is(channel, "starttls"),
    };
    return write_mail(sending, arena, &out->body, why);
}

/* ---- the answer ---- */

static bool is_enhanced(struct fan_bytes word, char class)
{
    size_t dots = 0;

    if (word.len < 5 || word.len > 11 || word.at[0] != class || word.at[1] != '.')
        return false;
    for (size_t i = 1; i < word.len; i++) {
        if (word.at[i] == '.')
            dots++;
        else if (word.at[i] < '0' || word.at[i] > '9')
            return false;
    }
    return dots == 2;
}

/* The enhanced code behind @code in the last reply line that carries it: "5.1.1", or absent. */
static struct fan_bytes find_enhanced(struct fan_bytes lines, const char *code)
{
    struct fan_bytes found = FAN_NO_BYTES;

    while (lines.len > 0) {
        struct fan_bytes line, word;

        lines = fan_bytes_split(lines, '\n', &line);
        if (line.len < 5 || memcmp(line.at, code, 3) != 0)
            continue;
        line = fan_bytes_trim((struct fan_bytes){ line.at + 4, line.len - 4 });
        (void)fan_bytes_split(line, ' ', &word);
        if (is_enhanced(word, code[0]))
            found = word;
    }
    return found;
}

static bool rule_matches(const struct reply_rule *rule, int code, struct fan_bytes enhanced)
{
    struct fan_bytes prefix = fan_bytes_of(rule->enhanced);

    if (rule->code && rule->code != code)
        return false;
    if (!rule->enhanced)
        return true;
    if (enhanced.len > 0 && prefix.at[0] == '.') /* temporary or permanent */
        enhanced.at++, enhanced.len--;
    return prefix.at[prefix.len - 1] == '.' ? fan_bytes_starts(enhanced, prefix)
                                            : fan_bytes_eq(enhanced, prefix);
}

/* Whether a relay refused us before it was told of any mail: with its greeting (521 and 554 mean
 * that there is no service for us), or our name. That is about nobody in particular. */
static bool is_turned_away(const struct fan_response *response, const char *code)
{
    struct fan_bytes lines = response->headers, line;
    bool greeted = fan_bytes_starts(lines, FAN_LIT("220"));

    if (response->status < 500)
        return false;
    if (fan_bytes_starts(lines, fan_bytes_of(code)))
        return response->status == 521 || response->status == 554;
    while (greeted && lines.len > 0) {
        lines = fan_bytes_split(lines, '\n', &line);
        if (fan_bytes_starts(line, FAN_LIT("250")))
            return false;
    }
    return greeted;
}

static void judge_refusal(const struct fan_response *response, struct fan_arena *arena,
        struct fan_outcome *out)
{
    const char *code = fan_arena_printf(arena, "%d", response->status);
    struct fan_bytes enhanced = find_enhanced(response->headers, code);
    const struct reply_rule *rule = rules;

    while (rule->outcome && !rule_matches(rule, response->status, enhanced))
        rule++;
    out->outcome = is_turned_away(response, code) ? FAN_CHANNEL_PAUSE
            : rule->outcome                       ? rule->outcome
            : response->status < 500              ? FAN_RETRY_LATER
                                                  : FAN_RECIPIENT_PERMANENT;
    out->suppress = rule->suppress;
    out->throttled = response->status == 421;
    out->code = fan_bytes_of(fan_arena_printf(arena, "%s%s%.*s", code, enhanced.at ? " " : "",
            FAN_BYTES_ARG(enhanced)));
}

static void judge(const struct fan_sending *sending, const struct fan_response *response,
        struct fan_arena *arena, struct fan_outcome *out)
{
    int status = response->status;

    *out = (struct fan_outcome){ .delay_ms = -1 };
    if (status >= 400 && status < 600) {
        judge_refusal(response, arena, out);
        return;
    }
    if (response->complete && status >= 200 && status < 300) {
        out->outcome = FAN_ACCEPTED;
        out->provider_id = message_id(sending, arena);
        return;
    }
    /* No word on the mail itself. Only what never left may be sent again. */
    out->outcome = response->began ? FAN_AMBIGUOUS : FAN_RETRY_LATER;
}

const struct fan_provider fan_provider_email_smtp = {
    .name = "smtp",
    .kind = FAN_KIND_EMAIL,
    .summary = "e-mail through an SMTP relay",
    .fields = fields,
    .limits = { .rate = 50, .connections = 16 },
    .check = check,
    .send = send,
    .judge = judge,
};
