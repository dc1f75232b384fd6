#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/sandbox/smtp_session.h"

#include <stdio.h>

#define HELLO "EHLO x\r\n"
#define ENVELOPE "MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
#define HEADERS "From: a@b.c\r\nDate: today\r\nMessage-ID: <7.tok@b.c>\r\n"

struct fixture {
    struct fan_smtp_rules rules;
    enum fan_fault fault;
    struct fan_buffer out;
    char noted[512]; /* one line a verdict */
};

static enum fan_fault fault_of(void *context, struct fan_bytes to)
{
    return ((struct fixture *)context)->fault;
}

static void note(void *context, const struct fan_smtp_verdict *verdict)
{
    struct fixture *fixture = context;
    size_t len = strlen(fixture->noted);

    snprintf(fixture->noted + len, sizeof(fixture->noted) - len, "%.*s %.*s %s %d\n",
            FAN_BYTES_ARG(verdict->to), FAN_BYTES_ARG(verdict->token), verdict->verdict,
            verdict->status);
}

static uint64_t serial(void *context)
{
    return 0xabc;
}

static struct fixture *start(struct fixture *fixture, const char *username)
{
    *fixture = (struct fixture){
        .rules = { .username = username,
                .password = "word",
                .size_cap = 2000,
                .context = fixture,
                .fault = fault_of,
                .note = note,
                .serial = serial },
    };
    fan_buffer_init(&fixture->out, 65536);
    return fixture;
}

/* The codes of all replies to @text, fed in pieces of @piece bytes: "220 250 354 ". */
static const char *talk(struct fixture *fixture, const char *text, size_t piece)
{
    static char codes[512];
    struct fan_smtp_session *session = fan_smtp_session_new(&fixture->rules, &fixture->out);
    struct fan_bytes rest = FAN_NO_BYTES, line;
    size_t taken = 0, given = 0, len = strlen(text);

    while (given < len) {
        given = given + piece < len ? given + piece : len;
        taken += fan_smtp_session_feed(session, (struct fan_bytes){ text + taken, given - taken },
                &fixture->out);
    }
    fan_smtp_session_free(&session);
    codes[0] = '\0';
    for (rest = fan_buffer_bytes(&fixture->out); rest.len > 0;) {
        rest = fan_bytes_split(rest, '\n', &line);
        if (line.len > 3 && line.at[3] == ' ')
            strncat(strncat(codes, line.at, 3), " ", 2);
    }
    fan_buffer_fini(&fixture->out);
    return codes;
}

static void a_mail_is_taken_whatever_the_pieces(void **state)
{
    static const char text[] = HELLO ENVELOPE HEADERS "\r\nHi\r\n..\r\n.\r\nQUIT\r\n";
    struct fixture fixture;

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        assert_string_equal(talk(start(&fixture, ""), text, piece), "220 250 250 250 354 250 221 ");
        assert_string_equal(fixture.noted, "ann@example.org 7.tok accepted 250\n");
    }
}

static void commands_have_an_order(void **state)
{
    static const struct {
        const char *text, *codes;
    } cases[] = {
        { "MAIL FROM:<a@b.c>\r\n", "220 503 " },
        { HELLO "RCPT TO:<a@b.c>\r\n", "220 250 503 " },
        { HELLO "DATA\r\n", "220 250 503 " },
        { HELLO "MAIL FROM:<a@b.c>\r\nDATA\r\n", "220 250 250 503 " },
        { HELLO "MAIL FROM:<a@b.c>\r\nMAIL FROM:<a@b.c>\r\n", "220 250 250 503 " },
        { HELLO "MAIL FROM:<a@b.c>\r\nRSET\r\nMAIL FROM:<>\r\n", "220 250 250 250 250 " },
        { HELLO "MAIL FROM:<a@b.c> BODY=8BITMIME SIZE=2001\r\n", "220 250 552 " },
        { HELLO "MAIL FROM:<a@b.c> SIZE=2000\r\n", "220 250 250 " },
        { HELLO "MAIL FROM:a@b.c\r\n", "220 250 501 " },
        { HELLO "MAIL TO:<a@b.c>\r\n", "220 250 501 " },
        { HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<ann>\r\n", "220 250 250 501 " },
        { HELLO "NOOP\n", "220 250 500 " },
        { HELLO "SMELL\r\n", "220 250 500 " },
        { HELLO "AUTH PLAIN x\r\n", "220 250 503 " },
        { HELLO "vrfy ann\r\nquit\r\nNOOP\r\n", "220 250 252 221 " },
    };
    struct fixture fixture;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(talk(start(&fixture, ""), cases[i].text, 9999), cases[i].codes);
}

static void a_login_opens_the_door(void **state)
{
    static const struct {
        const char *text, *codes;
    } cases[] = {
        { HELLO "MAIL FROM:<a@b.c>\r\n", "220 250 530 " },
        { HELLO "AUTH PLAIN AG5hbWUAd29yZA==\r\nMAIL FROM:<a@b.c>\r\n", "220 250 235 250 " },
        { HELLO "AUTH PLAIN\r\nAG5hbWUAd29yZA==\r\n", "220 250 334 235 " },
        { HELLO "AUTH LOGIN\r\nbmFtZQ==\r\nd29yZA==\r\n", "220 250 334 334 235 " },
        { HELLO "AUTH LOGIN bmFtZQ==\r\nd29yZA==\r\n", "220 250 334 235 " },
        { HELLO "AUTH LOGIN\r\nbmFtZQ==\r\nbmFtZQ==\r\n", "220 250 334 334 535 " },
        { HELLO "AUTH LOGIN\r\nd29yZA==\r\nd29yZA==\r\n", "220 250 334 334 535 " },
        { HELLO "AUTH PLAIN AG5hbWU=\r\nMAIL FROM:<a@b.c>\r\n", "220 250 535 530 " },
        { HELLO "AUTH PLAIN ???\r\n", "220 250 535 " },
        { HELLO "AUTH LOGIN\r\n*\r\nNOOP\r\n", "220 250 334 501 250 " },
        { HELLO "AUTH CRAM-MD5\r\n", "220 250 504 " },
    };
    struct fixture fixture;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(talk(start(&fixture, "name"), cases[i].text, 9999), cases[i].codes);
}

static void a_mail_with_a_flaw_is_refused(void **state)
{
    static const char *const mails[] = {
        "From: a@b.c\r\nDate: today\r\n\r\nHi\r\n.\r\n",
        "From: a@b.c\r\nMessage-ID: <7.tok@b.c>\r\n\r\nHi\r\n.\r\n",
        "Date: today\r\nMessage-ID: <7.tok@b.c>\r\n\r\nHi\r\n.\r\n",
        HEADERS "Message-ID: <8.tok@b.c>\r\n\r\nHi\r\n.\r\n",
        HEADERS "no colon\r\n\r\nHi\r\n.\r\n",
        HEADERS "\r\nbare\nline feed\r\n.\r\n",
        HEADERS "\r\nbare\rcarriage return\r\n.\r\n",
        "From: a@b.c\r\nDate: today\r\nMessage-ID: 7.tok\r\n\r\nHi\r\n.\r\n",
    };
    struct fixture fixture;
    char text[1024];

    for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
        snprintf(text, sizeof(text), HELLO ENVELOPE "%sNOOP\r\n", mails[i]);
        assert_string_equal(talk(start(&fixture, ""), text, 9999), "220 250 250 250 354 554 250 ");
        assert_non_null(strstr(fixture.noted, "refused 554\n"));
    }
}

static void a_dot_ends_a_mail_only_alone_between_crlf(void **state)
{
    static const char text[] = HELLO ENVELOPE HEADERS "\r\nHi\n.\r\n.\nMAIL FROM:<e@v.e>\r\n"
                                                      ".\r\nNOOP\r\n";
    struct fixture fixture;

    assert_string_equal(talk(start(&fixture, ""), text, 9999), "220 250 250 250 354 554 250 ");
}

static void faults_become_replies(void **state)
{
    static const struct {
        enum fan_fault fault;
        const char *codes, *noted;
    } cases[] = {
        { FAN_FAULT_THROTTLED, "220 250 250 451 503 ", "ann@example.org  throttled 451\n" },
        { FAN_FAULT_REJECTED, "220 250 250 550 503 ", "ann@example.org  refused 550\n" },
    };
    struct fixture fixture;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(&fixture, "")->fault = cases[i].fault;
        assert_string_equal(talk(&fixture, HELLO ENVELOPE, 9999), cases[i].codes);
        assert_string_equal(fixture.noted, cases[i].noted);
    }
    start(&fixture, "")->fault = FAN_FAULT_SERVER;
    assert_string_equal(talk(&fixture, HELLO ENVELOPE HEADERS "\r\nHi\r\n.\r\n", 9999),
            "220 250 250 250 354 451 ");
    start(&fixture, "")->fault = FAN_FAULT_SILENT;
    talk(&fixture, HELLO ENVELOPE HEADERS "\r\nHi\r\n.\r\n", 9999);
    assert_string_equal(fixture.noted, "ann@example.org 7.tok accepted 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_is_taken_whatever_the_pieces),
        cmocka_unit_test(commands_have_an_order),
        cmocka_unit_test(a_login_opens_the_door),
        cmocka_unit_test(a_mail_with_a_flaw_is_refused),
        cmocka_unit_test(a_dot_ends_a_mail_only_alone_between_crlf),
        cmocka_unit_test(faults_become_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
