#include "broker/runtime/actor_inside.h"

#include <stdlib.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct scene {
    struct fan_actor actor;
    int calls;
    enum fan_err answers[8]; /* of the calls, in order */
    size_t waiting[8];       /* frames in the outbox when a call began */
    struct fan_trace seen;
    char trace_id[16];
};

static const struct fan_role role = { .name = "test" };

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){ .actor = { .role = &role, .incarnation = 5 } };
    scene->actor.lasting = fan_arena_new();
    scene->actor.arena = fan_arena_new();
    scene->actor.metrics = fan_metrics_new("test");
    scene->actor.call_meter.name = "call";
    fan_buffer_init(&scene->actor.scratch, FAN_FRAME_MAX);
}

static void scene_fini(struct scene *scene)
{
    free(scene->actor.outbox.out);
    fan_buffer_fini(&scene->actor.scratch);
    fan_metrics_free(&scene->actor.metrics);
    fan_arena_free(&scene->actor.arena);
    fan_arena_free(&scene->actor.lasting);
}

static enum fan_err play(struct fan_turn *turn, void *context)
{
    struct scene *scene = context;
    const struct fan_chunk_done event = { .chunk = 1 };
    int call = scene->calls++;

    scene->waiting[call] = turn->actor->outbox.len;
    memcpy(scene->trace_id, turn->trace.trace_id.at, sizeof scene->trace_id);
    assert_int_equal(fan_arena_used(turn->arena), 0);
    fan_arena_alloc(turn->arena, 100);
    assert_int_equal(fan_emit_chunk_done(turn, &turn->route, &event), FAN_OK);
    if (scene->answers[call])
        return fan_fail(&turn->why, scene->answers[call], "as the scene wants");
    return FAN_OK;
}

static bool printed(struct scene *scene, const char *line)
{
    struct fan_buffer page;
    bool found;

    fan_buffer_init(&page, 1 << 20);
    fan_metrics_print(scene->actor.metrics, &page);
    fan_buffer_add_char(&page, '\0');
    found = strstr(page.at, line) != NULL;
    fan_buffer_fini(&page);
    return found;
}

static void a_turn_that_met_somebody_faster_is_repeated_from_the_start(void **state)
{
    struct scene scene;
    struct fan_why why;

    scene_init(&scene);
    scene.answers[0] = scene.answers[1] = FAN_CONFLICT;
    assert_int_equal(fan_actor_turn(&scene.actor, &(struct fan_route){ 0 }, play, &scene, &why),
            FAN_OK);
    assert_int_equal(scene.calls, 3);
    assert_int_equal(scene.waiting[2], 0); /* what the undone attempts had emitted is gone */
    assert_true(printed(&scene, "fanfare_turns_total{turn=\"call\",result=\"ok\"} 1"));
    scene_fini(&scene);
}

static void a_turn_is_repeated_three_times_and_then_given_up(void **state)
{
    struct scene scene;
    struct fan_why why;

    scene_init(&scene);
    for (int i = 0; i < 8; i++)
        scene.answers[i] = FAN_CONFLICT;
    assert_int_equal(fan_actor_turn(&scene.actor, &(struct fan_route){ 0 }, play, &scene, &why),
            FAN_CONFLICT);
    assert_int_equal(scene.calls, 4);
    assert_string_equal(why.text, "as the scene wants");
    assert_int_equal(scene.actor.outbox.len, 0);
    assert_true(printed(&scene, "fanfare_turns_total{turn=\"call\",result=\"conflict\"} 1"));
    scene_fini(&scene);
}

static void other_failures_are_not_repeated(void **state)
{
    struct scene scene;

    scene_init(&scene);
    scene.answers[0] = FAN_INVALID;
    assert_int_equal(fan_actor_turn(&scene.actor, &(struct fan_route){ 0 }, play, &scene, NULL),
            FAN_INVALID);
    assert_int_equal(scene.calls, 1);
    scene_fini(&scene);
}

static void a_frame_s_trace_goes_on_and_a_root_turn_begins_one(void **state)
{
    struct scene scene;
    struct fan_errand errand = { .fn = play, .context = &scene };
    static const char trace_id[] = "0123456789abcdef";
    char first[16];

    scene_init(&scene);
    errand.meter = &scene.actor.call_meter;
    assert_int_equal(fan_turn_run(&scene.actor, &errand, NULL), FAN_OK);
    memcpy(first, scene.trace_id, sizeof first);
    assert_int_equal(fan_turn_run(&scene.actor, &errand, NULL), FAN_OK);
    assert_memory_not_equal(first, scene.trace_id, sizeof first);
    errand.trace.trace_id = (struct fan_bytes){ trace_id, 16 };
    assert_int_equal(fan_turn_run(&scene.actor, &errand, NULL), FAN_OK);
    assert_memory_equal(trace_id, scene.trace_id, 16);
    scene_fini(&scene);
}

static enum fan_err emit_too_much(struct fan_turn *turn, void *context)
{
    const struct fan_bytes body = { context, 262144 };
    const struct fan_copy copies[] = {
        { .message = 1, .contact = 1, .format = 1, .body = body },
        { .message = 2, .contact = 2, .format = 1, .body = body },
        { .message = 3, .contact = 3, .format = 1, .body = body },
        { .message = 4, .contact = 4, .format = 1, .body = body },
    };
    const struct fan_send_request request = { .chunk = 1, .copies = { copies, 4 } };

    return fan_emit_send_request(turn, &turn->route, &request);
}

static void a_message_that_does_not_fit_into_a_frame_is_refused(void **state)
{
    struct scene scene;
    char *body = calloc(1, 262144);

    scene_init(&scene);
    assert_int_equal(fan_actor_turn(&scene.actor, &(struct fan_route){ 0 }, emit_too_much, body,
                             NULL),
            FAN_TOO_LARGE);
    scene.answers[0] = FAN_OK;
    assert_int_equal(fan_actor_turn(&scene.actor, &(struct fan_route){ 0 }, play, &scene, NULL),
            FAN_OK);
    free(body);
    scene_fini(&scene);
}

static void each_message_has_a_place_of_its_own_among_all(void **state)
{
    bool seen[FAN_MESSAGES] = { false };

    for (const struct fan_schema *const *schema = fan_schemas; *schema; schema++) {
        int index = fan_dispatch_index((*schema)->number);

        assert_in_range(index, 0, FAN_MESSAGES - 1);
        assert_false(seen[index]);
        seen[index] = true;
    }
    assert_int_equal(fan_dispatch_index(0xffff), -1);
}

static enum fan_err on_render(struct fan_turn *turn, const struct fan_render_request *message)
{
    *(fan_id *)turn->state = message->chunk;
    return FAN_OK;
}

static void a_handler_is_found_by_the_number_of_its_message(void **state)
{
    const struct fan_handlers on = { .render_request = on_render };
    const struct fan_render_request message = { .chunk = 77 };
    struct fan_arena *arena = fan_arena_new();
    fan_id chunk = 0;
    struct fan_turn turn = { .state = &chunk };
    struct fan_ids numbers = fan_dispatch_numbers(&on, FAN_PIPE, arena);

    assert_int_equal(numbers.len, 1);
    assert_int_equal(numbers.at[0], FAN_MSG_render_request);
    assert_int_equal(fan_dispatch_numbers(&on, FAN_NEWS, arena).len, 0);
    assert_true(fan_dispatch_handles(&on, FAN_MSG_render_request));
    assert_false(fan_dispatch_handles(&on, FAN_MSG_send_request));
    assert_int_equal(fan_dispatch_call(&on, FAN_MSG_render_request, &turn, &message), FAN_OK);
    assert_int_equal(chunk, 77);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_that_met_somebody_faster_is_repeated_from_the_start),
        cmocka_unit_test(a_turn_is_repeated_three_times_and_then_given_up),
        cmocka_unit_test(other_failures_are_not_repeated),
        cmocka_unit_test(a_frame_s_trace_goes_on_and_a_root_turn_begins_one),
        cmocka_unit_test(a_message_that_does_not_fit_into_a_frame_is_refused),
        cmocka_unit_test(each_message_has_a_place_of_its_own_among_all),
        cmocka_unit_test(a_handler_is_found_by_the_number_of_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
