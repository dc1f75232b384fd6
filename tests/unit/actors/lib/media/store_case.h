/*
 * store_case — what tests of both kinds of store do with one.
 */
#ifndef FAN_TEST_STORE_CASE_H
#define FAN_TEST_STORE_CASE_H

#include "actors/lib/media/media.h"
#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

enum { ACCOUNT = 7 };

/* What an operation ended with. */
struct ending {
    struct fan_loop *loop;
    bool over;
    enum fan_err err;
    struct fan_why why;
    struct fan_buffer bytes;
};

static inline void on_late(void *context)
{
    (void)context;
    fail_msg("it does not end");
}

static inline void ended(struct ending *ending, enum fan_err err, const struct fan_why *why)
{
    ending->over = true;
    ending->err = err;
    ending->why = *why;
    fan_loop_stop(ending->loop);
}

static inline void on_done(void *context, enum fan_err err, const struct fan_why *why)
{
    ended(context, err, why);
}

static inline void on_got(void *context, enum fan_err err, struct fan_bytes bytes,
        const struct fan_why *why)
{
    struct ending *ending = context;

    fan_buffer_clear(&ending->bytes);
    fan_buffer_add_bytes(&ending->bytes, bytes);
    ended(ending, err, why);
}

/* Run until it has ended: never at once. */
static inline enum fan_err wait_for(struct ending *ending)
{
    struct fan_timer *late = fan_loop_after(ending->loop, 20000, on_late, NULL);

    assert_false(ending->over);
    fan_loop_run(ending->loop);
    fan_loop_cancel(&late);
    assert_true(ending->over);
    ending->over = false;
    return ending->err;
}

/* A picture of @len bytes that differs from others by @seed; free it. */
static inline struct fan_bytes picture(size_t len, unsigned seed)
{
    static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\x38\0\0\x02\x1c\x08\x06";
    char *at = malloc(len);

    assert_non_null(at);
    for (size_t i = 0; i < len; i++)
        at[i] = (char)(i * 31 + seed * 7 + (i >> 8));
    memcpy(at, head, sizeof head - 1);
    return (struct fan_bytes){ at, len };
}

static inline enum fan_err receive(struct fan_media *media, struct fan_bytes file,
        struct fan_media_incoming **incoming, struct fan_media_object *object, struct fan_why *why)
{
    enum fan_err err = fan_media_begin(media, incoming, why);

    for (size_t at = 0; !err && at < file.len; at += 1000)
        err = fan_media_add(*incoming,
                (struct fan_bytes){ file.at + at, file.len - at < 1000 ? file.len - at : 1000 },
                why);
    return err ? err : fan_media_end(*incoming, object, why);
}

static inline struct fan_media_object put(struct fan_media *media, struct fan_bytes file,
        struct ending *ending)
{
    struct fan_media_incoming *incoming;
    struct fan_media_object object = { .bytes = 0 };
    struct fan_why why;

    assert_int_equal(receive(media, file, &incoming, &object, &why), FAN_OK);
    fan_media_keep(&incoming, ACCOUNT, on_done, ending);
    assert_null(incoming);
    assert_int_equal(wait_for(ending), FAN_OK);
    return object;
}

static inline enum fan_err look(struct fan_media *media, const struct fan_media_object *object,
        fan_id account, struct ending *ending)
{
    fan_media_exists(media, account, object, on_done, ending);
    return wait_for(ending);
}

/* Both kinds of store do this. */
static inline void check_store(struct fan_media *media, struct ending *ending)
{
    struct fan_bytes file = picture(70000, 1), other = picture(70000, 2);
    struct fan_media_object object = put(media, file, ending);

    assert_int_equal(object.type, FAN_MEDIA_PNG);
    assert_int_equal(object.bytes, 70000);
    assert_int_equal(object.width, 1080);
    assert_int_equal(object.height, 540);
    assert_int_equal(look(media, &object, ACCOUNT, ending), FAN_OK);
    assert_int_equal(look(media, &object, ACCOUNT + 1, ending), FAN_NOT_FOUND);

    struct fan_media_object again = put(media, file, ending), second = put(media, other, ending);
    assert_memory_equal(again.hash, object.hash, FAN_MEDIA_HASH);
    assert_memory_not_equal(second.hash, object.hash, FAN_MEDIA_HASH);

    fan_media_get(media, ACCOUNT, &object, on_got, ending);
    assert_int_equal(wait_for(ending), FAN_OK);
    assert_true(fan_bytes_eq(fan_buffer_bytes(&ending->bytes), file));

    for (int i = 0; i < 2; i++) {
        fan_media_remove(media, ACCOUNT, &object, on_done, ending);
        assert_int_equal(wait_for(ending), FAN_OK);
    }
    assert_int_equal(look(media, &object, ACCOUNT, ending), FAN_NOT_FOUND);
    fan_media_get(media, ACCOUNT, &object, on_got, ending);
    assert_int_equal(wait_for(ending), FAN_NOT_FOUND);
    assert_int_equal(look(media, &second, ACCOUNT, ending), FAN_OK);
    free((void *)(uintptr_t)file.at);
    free((void *)(uintptr_t)other.at);
}

#endif
