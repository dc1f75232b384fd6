#include "broker/runtime/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { PACKETS = 20000, PATIENCE_MS = 20000 };

struct scene {
    struct fan_loop *loop;
    struct fan_socket *from, *to;
    struct fan_timer *patience;
    char endpoint[64];
    int sent, got, burst;
};

static void give_up(void *context)
{
    struct scene *scene = context;

    scene->patience = NULL;
    fan_loop_stop(scene->loop);
}

static void scene_init(struct scene *scene, enum fan_socket_type from, enum fan_socket_type to,
        int room)
{
    struct fan_why why;

    *scene = (struct scene){ .loop = fan_loop_new() };
    snprintf(scene->endpoint, sizeof scene->endpoint, "ipc:///tmp/fan-socket-%d", getpid());
    scene->from = fan_socket_new(from, room);
    scene->to = fan_socket_new(to, room);
    assert_int_equal(fan_socket_bind(scene->from, scene->endpoint, &why), FAN_OK);
    assert_int_equal(fan_socket_connect(scene->to, scene->endpoint, &why), FAN_OK);
    scene->patience = fan_loop_after(scene->loop, PATIENCE_MS, give_up, scene);
}

static void scene_fini(struct scene *scene)
{
    fan_loop_cancel(&scene->patience);
    fan_socket_close(&scene->from, FAN_LINGER_NONE);
    fan_socket_close(&scene->to, FAN_LINGER_NONE);
    fan_loop_free(&scene->loop);
}

static void send_all(void *context, struct fan_socket *socket)
{
    struct scene *scene = context;
    struct fan_packet *packet;

    while (scene->sent < PACKETS) {
        packet = fan_packet_new(FAN_LIT("a packet"));
        if (!fan_socket_send(socket, &packet)) {
            fan_packet_free(&packet);
            return;
        }
        scene->sent++;
    }
}

static void receive_some(void *context, struct fan_socket *socket)
{
    struct scene *scene = context;
    struct fan_packet *packet;

    for (int i = 0; i < scene->burst && (packet = fan_socket_receive(socket)) != NULL; i++) {
        fan_packet_free(&packet);
        if (++scene->got == PACKETS)
            fan_loop_stop(scene->loop);
    }
}

static void who_was_refused_hears_of_room(void **state)
{
    static const int bursts[] = { 1, 7, 1000 };

    for (int i = 0; i < 3; i++) {
        struct scene scene;

        scene_init(&scene, FAN_SOCKET_PUSH, FAN_SOCKET_PULL, 4);
        scene.burst = bursts[i];
        fan_socket_watch(scene.from, scene.loop, send_all, &scene);
        fan_socket_watch(scene.to, scene.loop, receive_some, &scene);
        fan_loop_run(scene.loop);
        assert_int_equal(scene.sent, PACKETS);
        assert_int_equal(scene.got, PACKETS);
        scene_fini(&scene);
    }
}

static void a_push_without_a_peer_takes_nothing(void **state)
{
    struct fan_socket *socket = fan_socket_new(FAN_SOCKET_PUSH, 4);
    struct fan_packet *packet = fan_packet_new(FAN_LIT("a packet"));
    struct fan_why why;

    assert_int_equal(fan_socket_connect(socket, "ipc:///tmp/fan-nobody-there", &why), FAN_OK);
    assert_false(fan_socket_send(socket, &packet));
    assert_true(fan_bytes_eq_text(fan_packet_bytes(packet), "a packet"));
    fan_packet_free(&packet);
    fan_packet_free(&packet);
    fan_socket_close(&socket, FAN_LINGER_NONE);
    fan_socket_close(&socket, FAN_LINGER_NONE);
}

static void close_it(void *context, struct fan_socket *socket)
{
    struct scene *scene = context;

    fan_socket_close(&scene->to, FAN_LINGER_NONE);
    fan_loop_stop(scene->loop);
}

static void a_socket_may_be_closed_by_its_own_call(void **state)
{
    struct scene scene;

    scene_init(&scene, FAN_SOCKET_PUSH, FAN_SOCKET_PULL, 4);
    fan_socket_watch(scene.to, scene.loop, close_it, &scene);
    fan_loop_run(scene.loop);
    assert_null(scene.to);
    scene_fini(&scene);
}

static void an_address_that_is_taken_is_named(void **state)
{
    struct fan_socket *socket = fan_socket_new(FAN_SOCKET_PULL, 4);
    struct fan_why why;

    assert_int_equal(fan_socket_bind(socket, "tcp://203.0.113.1:1", &why), FAN_UNAVAILABLE);
    assert_non_null(strstr(why.text, "203.0.113.1"));
    fan_socket_close(&socket, FAN_LINGER_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_refused_hears_of_room),
        cmocka_unit_test(a_push_without_a_peer_takes_nothing),
        cmocka_unit_test(a_socket_may_be_closed_by_its_own_call),
        cmocka_unit_test(an_address_that_is_taken_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
