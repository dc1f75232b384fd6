/* broker/runtime/http_client.c: mails, against a relay whose recipients say how it behaves. It
 * never replies to QUIT. */
#include "stub.h"

/* ---- the relay ---- */

struct session {
    struct stub *stub;
    FILE *from;
    int fd;
    char line[1024];
    char to[128];
};

static bool read_line(struct session *session)
{
    return fgets(session->line, sizeof(session->line), session->from) != NULL;
}

static bool said(const struct session *session, const char *word)
{
    return strncasecmp(session->line, word, strlen(word)) == 0;
}

static bool is_to(const struct session *session, const char *name)
{
    return strncmp(session->to, name, strlen(name)) == 0;
}

static void take_recipient(struct session *session)
{
    sscanf(session->line, "RCPT TO:<%127[^>]", session->to);
    if (is_to(session, "nobody"))
        stub_say(session->fd, "550 5.1.1 no such user\r\n");
    else if (is_to(session, "grey"))
        stub_say(session->fd, "451-4.7.1 not now,\r\n451 4.7.1 come back later\r\n");
    else
        stub_say(session->fd, "250 ok\r\n");
}

/* false: the connection ends here */
static bool take_message(struct session *session)
{
    size_t len = 0;

    stub_say(session->fd, "354 go on\r\n");
    while (read_line(session) && strcmp(session->line, ".\r\n") != 0) {
        size_t more = strlen(session->line);
        if (len + more < STUB_REQUEST)
            memcpy(session->stub->last + len, session->line, more + 1);
        len += more;
    }
    session->stub->requests++;
    if (is_to(session, "dropped"))
        return false;
    stub_say(session->fd,
            is_to(session, "spam") ? "554 5.7.1 not wanted\r\n" : "250 2.0.0 queued as 42\r\n");
    return true;
}

static void log_in(struct session *session)
{
    stub_say(session->fd, "334 \r\n");
    /* base64 of "\0user\0right" */
    if (read_line(session) && strstr(session->line, "AHVzZXIAcmlnaHQ="))
        stub_say(session->fd, "235 welcome\r\n");
    else
        stub_say(session->fd, "535 5.7.8 no\r\n");
}

static void serve(struct stub *stub, int fd)
{
    struct session session = { .stub = stub, .fd = fd, .from = fdopen(dup(fd), "r") };
    bool open = true;

    stub_say(fd, "220 relay.example\r\n");
    while (open && read_line(&session)) {
        if (said(&session, "EHLO"))
            stub_say(fd, "250-relay.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n");
        else if (said(&session, "AUTH"))
            log_in(&session);
        else if (said(&session, "MAIL"))
            stub_say(fd, "250 ok\r\n");
        else if (said(&session, "RCPT"))
            take_recipient(&session);
        else if (said(&session, "DATA"))
            open = take_message(&session);
        else if (!said(&session, "QUIT"))
            stub_say(fd, "502 what\r\n");
    }
    fclose(session.from);
}

static int open_world(void **state)
{
    static struct world world;

    world_open(&world, serve, 10);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

/* ---- the mails ---- */

static struct fan_http_call mail_to(struct world *world, const char *to)
{
    snprintf(world->url, sizeof(world->url), "smtp://127.0.0.1:%u", world->stub->port);
    return (struct fan_http_call){
        .url = fan_bytes_of(world->url),
        .ehlo = FAN_LIT("fanfare.example"),
        .mail_from = FAN_LIT("news@example.com"),
        .mail_to = fan_bytes_of(to),
        .body = FAN_LIT("Subject: hello\r\n\r\n.a dot\r\n"),
        .total_ms = 3000,
    };
}

static const struct fan_http_reply *send_to(struct world *world, const char *to)
{
    struct fan_http_call call = mail_to(world, to);

    return world_call(world, &call);
}

static void check(const struct fan_http_reply *reply, int status, bool began, bool complete)
{
    assert_int_equal(reply->status, status);
    assert_int_equal(reply->began, began);
    assert_int_equal(reply->complete, complete);
}

static void a_mail_is_taken(void **state)
{
    struct world *world = *state;
    const struct fan_http_reply *reply = send_to(world, "ada@example.com");

    check(reply, 250, true, true);
    assert_string_equal(reply->error, "");
    assert_non_null(strstr(reply->headers.at, "250 2.0.0 queued as 42\r\n"));
    assert_int_equal(world->starts, 1);
    assert_string_equal(world->stub->last, "Subject: hello\r\n\r\n..a dot\r\n");
}

static void a_connection_serves_many_mails(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5; i++)
        check(send_to(world, i == 2 ? "spam@example.com" : "ada@example.com"), i == 2 ? 554 : 250,
                true, true);
    assert_int_equal(world->stub->connections, 1);
    assert_int_equal(world->stub->requests, 5);
}

static void a_refused_recipient_is_told_with_every_line(void **state)
{
    struct world *world = *state;
    int64_t began = fan_clock_elapsed();
    const struct fan_http_reply *reply = send_to(world, "nobody@example.com");

    check(reply, 550, false, true);
    assert_non_null(strstr(reply->headers.at, "550 5.1.1 no such user\r\n"));
    reply = send_to(world, "grey@example.com");
    check(reply, 451, false, true);
    assert_non_null(strstr(reply->headers.at,
            "451-4.7.1 not now,\r\n451 4.7.1 come back later\r\n"));
    assert_int_equal(world->stub->requests, 0);
    /* The relay does not reply to QUIT, and nobody waits for it to. */
    assert_in_range(fan_clock_elapsed() - began, 0, FAN_SECOND);
}

static void a_message_may_be_refused_as_a_whole(void **state)
{
    check(send_to(*state, "spam@example.com"), 554, true, true);
}

static void a_connection_lost_behind_the_dot_leaves_it_open(void **state)
{
    struct world *world = *state;
    const struct fan_http_reply *reply = send_to(world, "dropped@example.com");

    check(reply, 0, true, false);
    assert_string_not_equal(reply->error, "");
    assert_int_equal(world->stub->requests, 1);
}

static void a_login_may_be_refused(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = mail_to(world, "ada@example.com");

    call.username = FAN_LIT("user");
    call.password = FAN_LIT("right");
    check(world_call(world, &call), 250, true, true);
    call.username = FAN_LIT("other");
    check(world_call(world, &call), 535, false, true);
    assert_int_equal(world->starts, 0);
}

static void a_demanded_tls_is_never_done_without(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = mail_to(world, "ada@example.com");

    call.starttls = true;
    check(world_call(world, &call), 0, false, false);
    assert_true(world->outcome.reply.tls_failed);
    assert_int_equal(world->starts, 0);
}

/* The trap: libcurl would send this over the connection that is there, in the clear. */
static void a_connection_in_the_clear_is_not_lent_to_a_call_that_demands_tls(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = mail_to(world, "ada@example.com");

    check(world_call(world, &call), 250, true, true);
    call.starttls = true;
    check(world_call(world, &call), 0, false, false);
    assert_true(world->outcome.reply.tls_failed);
    assert_int_equal(world->stub->requests, 1);
}

static void a_recipient_cannot_be_smuggled_in(void **state)
{
    struct world *world = *state;

    check(send_to(world, "ada@example.com>\r\nRCPT TO:<eve@example.com"), 0, false, false);
    assert_int_equal(world->stub->connections, 0);
}

static void nobody_waits_for_a_relays_farewell(void **state)
{
    struct world *world = *state;
    int64_t began;

    send_to(world, "ada@example.com");
    began = fan_clock_elapsed();
    fan_http_client_free(&world->client);
    assert_in_range(fan_clock_elapsed() - began, 0, FAN_SECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mail_is_taken),
        TEST(a_connection_serves_many_mails),
        TEST(a_refused_recipient_is_told_with_every_line),
        TEST(a_message_may_be_refused_as_a_whole),
        TEST(a_connection_lost_behind_the_dot_leaves_it_open),
        TEST(a_login_may_be_refused),
        TEST(a_demanded_tls_is_never_done_without),
        TEST(a_connection_in_the_clear_is_not_lent_to_a_call_that_demands_tls),
        TEST(a_recipient_cannot_be_smuggled_in),
        TEST(nobody_waits_for_a_relays_farewell),
    };

    return cmocka_run_group_tests_name("http_mail", tests, NULL, NULL);
}
