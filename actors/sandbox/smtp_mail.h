/*
 * smtp_mail — a mail as it comes in after DATA: watched line by line, nothing kept but what is
 * judged. Pure.
 */
#ifndef FAN_ACTORS_SANDBOX_SMTP_MAIL_H
#define FAN_ACTORS_SANDBOX_SMTP_MAIL_H

#include "proto/bytes.h"

enum { FAN_SMTP_LINE = 1000 /* bytes, with CRLF */, FAN_SMTP_TOKEN = 128 };

struct fan_smtp_mail {
    uint64_t size;
    bool bare;        /* the line before ended in LF alone */
    bool body;        /* the empty line after the headers has come */
    bool from, date;  /* these headers were there */
    const char *flaw; /* the first one; NULL: none */
    char token[FAN_SMTP_TOKEN];
    size_t token_len;
};

/** Look at a line of the mail, with its end. */
void fan_smtp_mail_line(struct fan_smtp_mail *mail, struct fan_bytes line);

/** What is wrong with it as a whole, or NULL. */
const char *fan_smtp_mail_flaw(const struct fan_smtp_mail *mail);

#endif
