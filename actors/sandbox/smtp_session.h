/*
 * smtp_session — one SMTP connection's words: bytes in, replies out. Pure: no sockets, no clock.
 *
 * As strict as relays that face bulk senders: commands in order, login where one is set, lines that
 * end in CRLF and are not too long, and a mail with From, Date and Message-ID.
 *
 * source  RFC 5321, RFC 4954 (AUTH), RFC 1870 (SIZE), RFC 2920 (PIPELINING), RFC 3463 (codes)
 */
#ifndef FAN_ACTORS_SANDBOX_SMTP_SESSION_H
#define FAN_ACTORS_SANDBOX_SMTP_SESSION_H

#include "actors/sandbox/faults.h"
#include "proto/arena.h"
#include "proto/buffer.h"

/* What became of one recipient of a mail. */
struct fan_smtp_verdict {
    struct fan_bytes to,
            token; /* token: what stands before '@' in Message-ID; absent before the mail came */
    const char *verdict; /* accepted, refused, throttled or failed */
    struct fan_bytes id; /* of an accepted mail; else the reply's code */
    int status;          /* 0: the answer will not leave */
};

struct fan_smtp_rules {
    const char *username, *password; /* "": no login is asked for */
    uint32_t size_cap;               /* bytes of a mail */
    void *context;
    /** What goes wrong with this recipient. */
    enum fan_fault (*fault)(void *context, struct fan_bytes to);
    /** Told before the reply is written. */
    void (*note)(void *context, const struct fan_smtp_verdict *verdict);
    /** A fresh id for an accepted mail. */
    uint64_t (*serial)(void *context);
};

struct fan_smtp_session;

/** @out gets the greeting. */
struct fan_smtp_session *fan_smtp_session_new(const struct fan_smtp_rules *rules,
        struct fan_buffer *out);
void fan_smtp_session_free(struct fan_smtp_session **session);

/** Take what can be taken from @in, write replies to @out; returns how many bytes were taken. */
size_t fan_smtp_session_feed(struct fan_smtp_session *session, struct fan_bytes in,
        struct fan_buffer *out);

/** The connection is to be closed: after the replies (QUIT), or at once without them. */
bool fan_smtp_session_ended(const struct fan_smtp_session *session);
bool fan_smtp_session_cut(const struct fan_smtp_session *session);

#endif
