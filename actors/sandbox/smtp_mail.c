#include "actors/sandbox/smtp_mail.h"

static void flaw(struct fan_smtp_mail *mail, const char *text)
{
    if (!mail->flaw)
        mail->flaw = text;
}

static void take_message_id(struct fan_smtp_mail *mail, struct fan_bytes value)
{
    struct fan_bytes local;

    if (mail->token_len)
        flaw(mail, "there are two Message-IDs");
    if (!fan_bytes_starts(value, FAN_LIT("<")) || !fan_bytes_ends(value, FAN_LIT(">")) ||
            !memchr(value.at, '@', value.len)) {
        flaw(mail, "the Message-ID is malformed");
        return;
    }
    (void)fan_bytes_split((struct fan_bytes){ value.at + 1, value.len - 2 }, '@', &local);
    mail->token_len = local.len < sizeof(mail->token) ? local.len : sizeof(mail->token);
    memcpy(mail->token, local.at, mail->token_len);
}

static void take_header(struct fan_smtp_mail *mail, struct fan_bytes line)
{
    struct fan_bytes name, value;

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return; /* a folded line: none of those we read is */
    value = fan_bytes_split(line, ':', &name);
    if (!value.at || name.len == 0) {
        flaw(mail, "a header is malformed");
        return;
    }
    value = fan_bytes_trim(value);
    if (fan_bytes_eq_nocase(name, FAN_LIT("From")))
        mail->from = value.len > 0;
    else if (fan_bytes_eq_nocase(name, FAN_LIT("Date")))
        mail->date = value.len > 0;
    else if (fan_bytes_eq_nocase(name, FAN_LIT("Message-ID")))
        take_message_id(mail, value);
}

void fan_smtp_mail_line(struct fan_smtp_mail *mail, struct fan_bytes line)
{
    mail->size += line.len;
    if (line.len > FAN_SMTP_LINE)
        flaw(mail, "a line is longer than 998 bytes");
    mail->bare = !fan_bytes_ends(line, FAN_LIT("\r\n"));
    if (mail->bare) {
        flaw(mail, "a line does not end in CRLF");
        return;
    }
    line.len -= 2;
    if (line.len > 0 && memchr(line.at, '\r', line.len))
        flaw(mail, "there is a CR without LF");
    if (mail->body)
        return;
    if (line.len == 0)
        mail->body = true;
    else
        take_header(mail, line);
}

const char *fan_smtp_mail_flaw(const struct fan_smtp_mail *mail)
{
    if (mail->flaw)
        return mail->flaw;
    if (!mail->from)
        return "there is no From";
    if (!mail->date)
        return "there is no Date";
    return mail->token_len ? NULL : "there is no Message-ID";
}
