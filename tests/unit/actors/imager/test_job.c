/* actors/imager/job.c */
#include "actors/imager/imager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct fan_image_request plain = { .asker = 7,
    .request = 1,
    .festival = FAN_LIT("diwali"),
    .theme = FAN_LIT("night"),
    .size = FAN_LIT("banner"),
    .name = FAN_LIT("Asha"),
    .format = FAN_PICTURE_JPEG };
static const struct fan_route ours = { .account = 1 };

static struct job *job_of(const struct fan_image_request *request, const struct fan_route *route)
{
    struct fan_why why = { 0 };
    struct job *job = NULL;

    if (job_new(request, route, &job, &why))
        fail_msg("%s: %s", why.field, why.text);
    return job;
}

static bool same_key(const struct fan_image_request *request, const struct fan_route *route)
{
    struct job *one = job_of(&plain, &ours), *other = job_of(request, route);
    bool same = memcmp(one->key, other->key, sizeof one->key) == 0;

    job_free(&one);
    job_free(&other);
    return same;
}

static void whoever_asks_and_when_the_picture_is_the_same(void **state)
{
    struct fan_image_request request = plain;

    request.asker = 8;
    request.request = 99;
    assert_true(same_key(&request, &ours));
    request.preview = true;
    assert_true(same_key(&request, &ours));
}

static void what_shows_something_else_has_another_key(void **state)
{
    struct fan_image_request others[8];

    for (size_t i = 0; i < 8; i++)
        others[i] = plain;
    others[0].festival = FAN_LIT("holi");
    others[1].theme = FAN_LIT("modern");
    others[2].size = FAN_LIT("story");
    others[3].language = FAN_LIT("hi");
    others[4].greeting = FAN_LIT("Hello");
    others[5].format = FAN_PICTURE_PNG;
    others[6].logo = FAN_LIT("01234567890123456789012345678901");
    /* the same letters, parted elsewhere */
    others[7].name = FAN_LIT("As");
    others[7].campaign = FAN_LIT("ha");
    for (size_t i = 0; i < 8; i++)
        assert_false(same_key(&others[i], &ours));
    assert_false(same_key(&plain, &(struct fan_route){ .account = 2 }));
}

static void a_job_outlives_the_frame_that_it_came_in(void **state)
{
    char name[] = "Asha";
    struct fan_image_request request = plain;
    struct job *job;

    request.name = (struct fan_bytes){ name, 4 };
    job = job_of(&request, &ours);
    memset(name, 'x', 4);
    assert_true(fan_bytes_eq_text(job->order.name, "Asha"));
    job_free(&job);
    assert_null(job);
    job_free(&job);
}

static void what_is_no_request_is_refused_by_its_field(void **state)
{
    struct fan_image_request request = plain;
    struct fan_why why = { 0 };
    struct job *job;

    request.format = FAN_PICTURE_SVG;
    assert_int_equal(job_new(&request, &ours, &job, &why), FAN_INVALID);
    assert_string_equal(why.field, "format");
    request = plain;
    request.logo = FAN_LIT("short");
    assert_int_equal(job_new(&request, &ours, &job, &why), FAN_INVALID);
    assert_string_equal(why.field, "logo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_asks_and_when_the_picture_is_the_same),
        cmocka_unit_test(what_shows_something_else_has_another_key),
        cmocka_unit_test(a_job_outlives_the_frame_that_it_came_in),
        cmocka_unit_test(what_is_no_request_is_refused_by_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
