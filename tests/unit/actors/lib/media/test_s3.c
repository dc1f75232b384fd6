/* actors/lib/media/s3.c, against a server that checks each signature by itself
 * (tests/support/s3.py)
 */
#include "store_case.h"

#include "broker/runtime/clock.h"
#include "broker/runtime/http_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    char endpoint[64];
    pid_t server;
    int control; /* the server ends with it */
    struct fan_loop *loop;
    struct fan_common_settings common;
    struct ending ending;
};

static void run_server(int in, int out)
{
    char path[512];

    snprintf(path, sizeof path, "%s/tests/support/s3.py", getenv("FAN_SOURCE"));
    dup2(in, 0);
    dup2(out, 1);
    execl("/usr/bin/python3", "python3", path, (char *)NULL);
    _exit(127);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int in[2], out[2];
    char port[16] = "";

    strcpy(fixture->dir, "/tmp/fan-media-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    fixture->server = fork();
    if (fixture->server == 0)
        run_server(in[0], out[1]);
    close(in[0]);
    close(out[1]);
    fixture->control = in[1];
    for (size_t len = 0; !strchr(port, '\n'); len++)
        assert_true(len < sizeof port - 1 && read(out[0], port + len, 1) == 1);
    close(out[0]);
    snprintf(fixture->endpoint, sizeof fixture->endpoint, "http://127.0.0.1:%d", atoi(port));
    fixture->loop = fan_loop_new();
    fixture->common = (struct fan_common_settings){ .state_dir = fixture->dir,
        .media_dir = "",
        .media_s3_endpoint = fixture->endpoint,
        .media_s3_bucket = "pictures",
        .media_s3_region = "eu-test-1",
        .media_s3_key = "AKTEST",
        .media_s3_secret = "test/secret+key" };
    fixture->ending.loop = fixture->loop;
    fan_buffer_init(&fixture->ending.bytes, SIZE_MAX);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    close(fixture->control);
    assert_int_equal(waitpid(fixture->server, NULL, 0), fixture->server);
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    fan_loop_free(&fixture->loop);
    fan_buffer_fini(&fixture->ending.bytes);
    free(fixture);
    return 0;
}

static struct fan_media *open_media(struct fixture *fixture)
{
    struct fan_media *media;
    struct fan_why why;

    if (fan_media_open(fixture->loop, &fixture->common, &media, &why))
        fail_msg("%s", why.text);
    return media;
}

static void what_is_put_is_there_until_it_is_removed(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);

    assert_false(fan_media_is_folder(media));
    check_store(media, &fixture->ending);
    fan_media_close(&media);
}

/* ---- links ---- */

static void on_reply(void *context, const struct fan_http_reply *reply)
{
    struct ending *ending = context;
    struct fan_why why = { .err = FAN_OK };

    fan_buffer_clear(&ending->bytes);
    fan_buffer_printf(&ending->bytes, "%d ", reply->status);
    fan_buffer_add_bytes(&ending->bytes, fan_http_reply_header(reply, "Content-Type"));
    ended(ending, FAN_OK, &why);
}

static void assert_answer(struct fixture *fixture, struct fan_bytes url, const char *expected)
{
    const struct fan_http_client_options options = { .connections = 1 };
    struct fan_http_client *client = fan_http_client_new(fixture->loop, &options);
    const struct fan_http_call call = { .method = FAN_LIT("GET"), .url = url };

    fan_http_send(client, &call, NULL, on_reply, &fixture->ending);
    wait_for(&fixture->ending);
    if (!fan_bytes_eq_text(fan_buffer_bytes(&fixture->ending.bytes), expected))
        fail_msg("%.*s", FAN_BYTES_ARG(fan_buffer_bytes(&fixture->ending.bytes)));
    fan_http_client_free(&client);
}

static void a_link_lets_anybody_read_for_a_while(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);
    struct fan_bytes file = picture(5000, 1), link;
    struct fan_media_object object = put(media, file, &fixture->ending);
    struct fan_arena *arena = fan_arena_new();
    fan_time now = fan_clock_now();

    link = fan_media_link(media, ACCOUNT, &object, now, 60, arena);
    assert_answer(fixture, link, "200 image/png");
    link.len--;
    assert_answer(fixture, link, "403 application/xml");
    link = fan_media_link(media, ACCOUNT, &object, now - 120 * FAN_SECOND, 60, arena);
    assert_answer(fixture, link, "403 application/xml");
    fan_arena_free(&arena);
    free((void *)(uintptr_t)file.at);
    fan_media_close(&media);
}

/* ---- failures ---- */

static enum fan_err failure(struct fixture *fixture)
{
    struct fan_media *media = open_media(fixture);
    struct fan_bytes file = picture(5000, 1);
    struct fan_media_incoming *incoming;
    struct fan_media_object object;
    struct fan_why why;

    assert_int_equal(receive(media, file, &incoming, &object, &why), FAN_OK);
    fan_media_keep(&incoming, ACCOUNT, on_done, &fixture->ending);
    wait_for(&fixture->ending);
    free((void *)(uintptr_t)file.at);
    fan_media_close(&media);
    return fixture->ending.err;
}

static void a_storage_that_refuses_says_why(void **state)
{
    struct fixture *fixture = *state;

    fixture->common.media_s3_secret = "another";
    assert_int_equal(failure(fixture), FAN_DENIED);
    assert_non_null(strstr(fixture->ending.why.text, "SignatureDoesNotMatch"));
    assert_null(strstr(fixture->ending.why.text, "another"));
    fixture->common.media_s3_secret = "test/secret+key";
    fixture->common.media_s3_region = "us-east-1";
    assert_int_equal(failure(fixture), FAN_DENIED);
    fixture->common.media_s3_region = "eu-test-1";
    fixture->common.media_s3_bucket = "others";
    assert_int_equal(failure(fixture), FAN_DENIED);
    assert_non_null(strstr(fixture->ending.why.text, "NoSuchBucket"));
    fixture->common.media_s3_bucket = "slow-down";
    assert_int_equal(failure(fixture), FAN_UNAVAILABLE);
    fixture->common.media_s3_bucket = "hang-up";
    assert_int_equal(failure(fixture), FAN_UNCERTAIN);
    fixture->common.media_s3_endpoint = "http://127.0.0.1:1";
    assert_int_equal(failure(fixture), FAN_UNAVAILABLE);
}

static void a_probe_asks_the_storage(void **state)
{
    struct fixture *fixture = *state;
    struct fan_why why = { .err = FAN_OK };

    assert_int_equal(fan_media_probe(&fixture->common, &why), FAN_OK);
    fixture->common.media_s3_key = "AKOTHER";
    assert_int_equal(fan_media_probe(&fixture->common, &why), FAN_DENIED);
    assert_non_null(strstr(why.text, "InvalidAccessKeyId"));
}

static void a_store_that_is_closed_calls_nobody_back(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);
    struct fan_bytes file = picture(5000, 1);
    struct fan_media_incoming *incoming;
    struct fan_media_object object;
    struct fan_why why;

    assert_int_equal(receive(media, file, &incoming, &object, &why), FAN_OK);
    fan_media_exists(media, ACCOUNT, &object, on_done, &fixture->ending);
    fan_media_keep(&incoming, ACCOUNT, on_done, &fixture->ending);
    fan_media_close(&media);
    free((void *)(uintptr_t)file.at);
    assert_false(fixture->ending.over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_there_until_it_is_removed, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_link_lets_anybody_read_for_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_storage_that_refuses_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_probe_asks_the_storage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_is_closed_calls_nobody_back, set_up,
                tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
