#include "actors/sandbox/smtp_session.h"

#include "actors/lib/hash/hash.h"
#include "actors/sandbox/smtp_mail.h"
#include "proto/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECIPIENTS_MAX = 100, ADDRESS_CAP = 320, SECRET_CAP = 1024, ID_TEXT = 24 };

enum state {
    WANTS_HELLO,
    READY,
    AUTH_PLAIN, /* waits for the answer to an empty challenge */
    AUTH_NAME,
    AUTH_WORD,
    HAS_SENDER,
    HAS_RECIPIENT,
    IN_MAIL,
};

struct recipient {
    char at[ADDRESS_CAP];
    size_t len;
    enum fan_fault fault;
};

struct fan_smtp_session {
    const struct fan_smtp_rules *rules;
    struct fan_buffer *out; /* while bytes are fed */
    enum state state;
    bool trusted; /* logged in */
    bool ended, cut;
    bool name_right; /* of AUTH LOGIN */
    struct recipient to[RECIPIENTS_MAX];
    size_t to_len;
    struct fan_smtp_mail mail;
};

#define REPLY(session, ...) fan_buffer_printf((session)->out, __VA_ARGS__)

static struct fan_bytes address_of(const struct recipient *recipient)
{
    return (struct fan_bytes){ recipient->at, recipient->len };
}

static void note(const struct fan_smtp_session *session, struct fan_bytes to,
        struct fan_bytes token, const char *verdict, struct fan_bytes id, int status)
{
    const struct fan_smtp_rules *rules = session->rules;

    rules->note(rules->context,
            &(struct fan_smtp_verdict){ .to = to,
                    .token = token,
                    .verdict = verdict,
                    .id = id,
                    .status = status });
}

static void forget_mail(struct fan_smtp_session *session)
{
    session->to_len = 0;
    session->mail = (struct fan_smtp_mail){ 0 };
    if (session->state > READY)
        session->state = READY;
}

/* ---- hello and login ---- */

static void on_ehlo(struct fan_smtp_session *session, struct fan_bytes name)
{
    if (name.len == 0) {
        REPLY(session, "501 5.5.4 say who you are\r\n");
        return;
    }
    forget_mail(session);
    session->state = READY;
    REPLY(session, "250-sandbox.fanfare.example\r\n250-PIPELINING\r\n250-SIZE %u\r\n",
            session->rules->size_cap);
    if (*session->rules->username)
        REPLY(session, "250-AUTH PLAIN LOGIN\r\n");
    REPLY(session, "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
}

static void on_helo(struct fan_smtp_session *session, struct fan_bytes name)
{
    (void)name;
    forget_mail(session);
    session->state = READY;
    REPLY(session, "250 sandbox.fanfare.example\r\n");
}

static void judge_login(struct fan_smtp_session *session, bool right)
{
    session->state = READY;
    session->trusted = right;
    REPLY(session, right ? "235 2.7.0 welcome\r\n" : "535 5.7.8 wrong name or password\r\n");
}

/* "\0name\0password" in base64. */
static void take_plain(struct fan_smtp_session *session, struct fan_bytes text)
{
    struct fan_buffer plain;
    struct fan_bytes who, name, word;
    bool right;

    fan_buffer_init(&plain, SECRET_CAP);
    right = fan_base64_read(text, &plain);
    word = fan_bytes_split(fan_bytes_split(fan_buffer_bytes(&plain), '\0', &who), '\0', &name);
    judge_login(session,
            right && fan_bytes_eq_text(name, session->rules->username) && word.at &&
                    fan_bytes_eq_text(word, session->rules->password));
    fan_buffer_fini(&plain);
}

static bool is_base64_of(struct fan_bytes text, const char *wanted)
{
    struct fan_buffer plain;
    bool same;

    fan_buffer_init(&plain, SECRET_CAP);
    same = fan_base64_read(text, &plain) && fan_bytes_eq_text(fan_buffer_bytes(&plain), wanted);
    fan_buffer_fini(&plain);
    return same;
}

static void on_auth(struct fan_smtp_session *session, struct fan_bytes text)
{
    struct fan_bytes mechanism, initial = fan_bytes_split(text, ' ', &mechanism);

    if (!*session->rules->username || session->trusted || session->state != READY) {
        REPLY(session, "503 5.5.1 no login now\r\n");
    } else if (fan_bytes_eq_nocase(mechanism, FAN_LIT("PLAIN")) && initial.at) {
        take_plain(session, initial);
    } else if (fan_bytes_eq_nocase(mechanism, FAN_LIT("PLAIN"))) {
        session->state = AUTH_PLAIN;
        REPLY(session, "334 \r\n");
    } else if (fan_bytes_eq_nocase(mechanism, FAN_LIT("LOGIN")) && initial.at) {
        session->name_right = is_base64_of(initial, session->rules->username);
        session->state = AUTH_WORD;
        REPLY(session, "334 UGFzc3dvcmQ6\r\n");
    } else if (fan_bytes_eq_nocase(mechanism, FAN_LIT("LOGIN"))) {
        session->state = AUTH_NAME;
        REPLY(session, "334 VXNlcm5hbWU6\r\n");
    } else {
        REPLY(session, "504 5.5.4 PLAIN or LOGIN\r\n");
    }
}

/* A line that belongs to a login and is no command. */
static void take_login(struct fan_smtp_session *session, struct fan_bytes line)
{
    if (fan_bytes_eq_text(line, "*")) {
        session->state = READY;
        REPLY(session, "501 5.7.0 login given up\r\n");
    } else if (session->state == AUTH_PLAIN) {
        take_plain(session, line);
    } else if (session->state == AUTH_NAME) {
        session->name_right = is_base64_of(line, session->rules->username);
        session->state = AUTH_WORD;
        REPLY(session, "334 UGFzc3dvcmQ6\r\n");
    } else {
        judge_login(session, is_base64_of(line, session->rules->password) && session->name_right);
    }
}

/* ---- the envelope ---- */

/* "FROM:<address> PARAMETER…": the address without brackets, and what follows it. */
static bool split_path(struct fan_bytes text, struct fan_bytes word, struct fan_bytes *address,
        struct fan_bytes *parameters)
{
    struct fan_bytes head, rest = fan_bytes_split(text, ':', &head);

    rest = fan_bytes_trim(rest);
    if (!fan_bytes_eq_nocase(head, word) || !fan_bytes_starts(rest, FAN_LIT("<")))
        return false;
    rest.at++, rest.len--;
    *parameters = fan_bytes_split(rest, '>', address);
    return parameters->at;
}

static bool is_address(struct fan_bytes text)
{
    struct fan_bytes local, domain = fan_bytes_split(text, '@', &local);

    return local.len > 0 && domain.len > 0 && text.len <= ADDRESS_CAP &&
            !memchr(text.at, ' ', text.len) && !memchr(domain.at, '@', domain.len);
}

static bool size_fits(const struct fan_smtp_session *session, struct fan_bytes parameters)
{
    while (parameters.len > 0) {
        struct fan_bytes one, name, value;
        int64_t size;

        parameters = fan_bytes_split(fan_bytes_trim(parameters), ' ', &one);
        value = fan_bytes_split(one, '=', &name);
        if (fan_bytes_eq_nocase(name, FAN_LIT("SIZE")) && fan_bytes_i64(value, &size) &&
                size > session->rules->size_cap)
            return false;
    }
    return true;
}

static void on_mail(struct fan_smtp_session *session, struct fan_bytes text)
{
    struct fan_bytes address, parameters;

    if (session->state != READY) {
        REPLY(session, "503 5.5.1 not now\r\n");
    } else if (*session->rules->username && !session->trusted) {
        REPLY(session, "530 5.7.0 log in first\r\n");
    } else if (!split_path(text, FAN_LIT("FROM"), &address, &parameters) ||
            (address.len > 0 && !is_address(address))) {
        REPLY(session, "501 5.1.7 MAIL FROM:<address>\r\n");
    } else if (!size_fits(session, parameters)) {
        REPLY(session, "552 5.3.4 a mail may have %u bytes\r\n", session->rules->size_cap);
    } else {
        session->state = HAS_SENDER;
        REPLY(session, "250 2.1.0 fine\r\n");
    }
}

static void refuse_recipient(struct fan_smtp_session *session, struct fan_bytes to,
        const char *verdict, int status, const char *code, const char *text)
{
    note(session, to, FAN_NO_BYTES, verdict, fan_bytes_of(code), status);
    REPLY(session, "%s %s\r\n", code, text);
}

static void take_recipient(struct fan_smtp_session *session, struct fan_bytes to)
{
    const struct fan_smtp_rules *rules = session->rules;
    enum fan_fault fault = rules->fault(rules->context, to);
    struct recipient *recipient = &session->to[session->to_len];
    struct fan_bytes name;

    (void)fan_bytes_split(to, '@', &name);
    if (fault == FAN_FAULT_THROTTLED) {
        refuse_recipient(session, to, "throttled", 451, "451 4.7.1", "greylisted, try again");
    } else if (fault == FAN_FAULT_REJECTED || fan_bytes_eq_nocase(name, FAN_LIT("nobody"))) {
        refuse_recipient(session, to, "refused", 550, "550 5.1.1", "no such mailbox");
    } else if (fan_bytes_eq_nocase(name, FAN_LIT("full"))) {
        refuse_recipient(session, to, "refused", 452, "452 4.2.2", "the mailbox is full");
    } else {
        memcpy(recipient->at, to.at, to.len);
        recipient->len = to.len;
        recipient->fault = fault;
        session->to_len++;
        session->state = HAS_RECIPIENT;
        REPLY(session, "250 2.1.5 fine\r\n");
    }
}

static void on_rcpt(struct fan_smtp_session *session, struct fan_bytes text)
{
    struct fan_bytes address, parameters;

    if (session->state != HAS_SENDER && session->state != HAS_RECIPIENT)
        REPLY(session, "503 5.5.1 MAIL first\r\n");
    else if (!split_path(text, FAN_LIT("TO"), &address, &parameters))
        REPLY(session, "501 5.5.4 RCPT TO:<address>\r\n");
    else if (!is_address(address))
        refuse_recipient(session, address, "refused", 501, "501 5.1.3", "this is no address");
    else if (session->to_len == RECIPIENTS_MAX)
        REPLY(session, "452 4.5.3 too many recipients\r\n");
    else
        take_recipient(session, address);
}

/* ---- the mail ---- */

static void on_data(struct fan_smtp_session *session, struct fan_bytes text)
{
    if (session->state != HAS_RECIPIENT) {
        REPLY(session, "503 5.5.1 RCPT first\r\n");
    } else if (text.len > 0) {
        REPLY(session, "501 5.5.4 DATA alone\r\n");
    } else {
        session->state = IN_MAIL;
        REPLY(session, "354 end with a dot alone\r\n");
    }
}

static bool any_recipient_has(const struct fan_smtp_session *session, enum fan_fault fault)
{
    for (size_t i = 0; i < session->to_len; i++)
        if (session->to[i].fault == fault)
            return true;
    return false;
}

static void note_all(const struct fan_smtp_session *session, const char *verdict, const char *id,
        int status)
{
    struct fan_bytes token = { session->mail.token, session->mail.token_len };

    for (size_t i = 0; i < session->to_len; i++)
        note(session, address_of(&session->to[i]), token, verdict, fan_bytes_of(id), status);
}

static void accept(struct fan_smtp_session *session)
{
    const struct fan_smtp_rules *rules = session->rules;
    bool silent = any_recipient_has(session, FAN_FAULT_SILENT);
    char id[ID_TEXT];

    snprintf(id, sizeof(id), "%" PRIX64, rules->serial(rules->context));
    note_all(session, "accepted", id, silent ? 0 : 250);
    session->cut = silent;
    REPLY(session, "250 2.0.0 Ok: queued as %s\r\n", id);
}

static void end_mail(struct fan_smtp_session *session)
{
    const char *flaw = fan_smtp_mail_flaw(&session->mail);

    if (session->mail.size > session->rules->size_cap) {
        note_all(session, "refused", "552 5.3.4", 552);
        REPLY(session, "552 5.3.4 a mail may have %u bytes\r\n", session->rules->size_cap);
    } else if (flaw) {
        note_all(session, "refused", "554 5.6.0", 554);
        REPLY(session, "554 5.6.0 %s\r\n", flaw);
    } else if (any_recipient_has(session, FAN_FAULT_SERVER)) {
        note_all(session, "failed", "451 4.3.0", 451);
        REPLY(session, "451 4.3.0 something broke\r\n");
    } else {
        accept(session);
    }
    forget_mail(session);
}

/* Only CRLF, dot, CRLF ends a mail: who also takes a bare LF lets one mail smuggle in another. */
static void take_mail_line(struct fan_smtp_session *session, struct fan_bytes line)
{
    if (fan_bytes_eq_text(line, ".\r\n") && !session->mail.bare) {
        end_mail(session);
        return;
    }
    if (line.at[0] == '.')
        line.at++, line.len--;
    fan_smtp_mail_line(&session->mail, line);
}

/* ---- commands ---- */

static void on_rset(struct fan_smtp_session *session, struct fan_bytes text)
{
    (void)text;
    forget_mail(session);
    REPLY(session, "250 2.0.0 forgotten\r\n");
}

static void on_noop(struct fan_smtp_session *session, struct fan_bytes text)
{
    (void)text;
    REPLY(session, "250 2.0.0 here\r\n");
}

static void on_vrfy(struct fan_smtp_session *session, struct fan_bytes text)
{
    (void)text;
    REPLY(session, "252 2.1.5 try it\r\n");
}

static void on_quit(struct fan_smtp_session *session, struct fan_bytes text)
{
    (void)text;
    session->ended = true;
    REPLY(session, "221 2.0.0 goodbye\r\n");
}

static const struct {
    const char *word;
    void (*fn)(struct fan_smtp_session *session, struct fan_bytes text);
    bool early; /* may come before the hello */
} commands[] = {
    { "EHLO", on_ehlo, true },
    { "HELO", on_helo, true },
    { "AUTH", on_auth, false },
    { "MAIL", on_mail, false },
    { "RCPT", on_rcpt, false },
    { "DATA", on_data, false },
    { "RSET", on_rset, true },
    { "NOOP", on_noop, true },
    { "VRFY", on_vrfy, false },
    { "QUIT", on_quit, true },
};

static void take_command(struct fan_smtp_session *session, struct fan_bytes line)
{
    struct fan_bytes word, text = fan_bytes_split(line, ' ', &word);

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!fan_bytes_eq_nocase(word, fan_bytes_of(commands[i].word)))
            continue;
        if (session->state == WANTS_HELLO && !commands[i].early)
            REPLY(session, "503 5.5.1 EHLO first\r\n");
        else
            commands[i].fn(session, fan_bytes_trim(text));
        return;
    }
    REPLY(session, "500 5.5.2 unknown command\r\n");
}

static void take_line(struct fan_smtp_session *session, struct fan_bytes line)
{
    if (session->state == IN_MAIL) {
        take_mail_line(session, line);
    } else if (!fan_bytes_ends(line, FAN_LIT("\r\n"))) {
        REPLY(session, "500 5.5.2 commands end in CRLF\r\n");
    } else {
        line.len -= 2;
        if (session->state >= AUTH_PLAIN && session->state <= AUTH_WORD)
            take_login(session, line);
        else
            take_command(session, line);
    }
}

size_t fan_smtp_session_feed(struct fan_smtp_session *session, struct fan_bytes in,
        struct fan_buffer *out)
{
    size_t taken = 0;

    session->out = out;
    while (taken < in.len && !session->ended && !session->cut) {
        const char *at = in.at + taken;
        const char *end = memchr(at, '\n', in.len - taken);

        if (!end)
            break;
        take_line(session, (struct fan_bytes){ at, (size_t)(end + 1 - at) });
        taken = (size_t)(end + 1 - in.at);
    }
    return taken;
}

struct fan_smtp_session *fan_smtp_session_new(const struct fan_smtp_rules *rules,
        struct fan_buffer *out)
{
    struct fan_smtp_session *session = calloc(1, sizeof(*session));

    if (!session)
        fan_die("out of memory: an SMTP connection");
    session->rules = rules;
    fan_buffer_add_text(out, "220 sandbox.fanfare.example ESMTP\r\n");
    return session;
}

void fan_smtp_session_free(struct fan_smtp_session **session)
{
    free(*session);
    *session = NULL;
}

bool fan_smtp_session_ended(const struct fan_smtp_session *session)
{
    return session->ended;
}

bool fan_smtp_session_cut(const struct fan_smtp_session *session)
{
    return session->cut;
}
