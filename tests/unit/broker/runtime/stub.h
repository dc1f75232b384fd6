/*
 * stub — a server for tests of clients: one thread accepts, one more serves each connection.
 */
#ifndef FAN_TEST_STUB_H
#define FAN_TEST_STUB_H

#include "broker/runtime/clock.h"
#include "broker/runtime/http_client.h"
#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STUB_CONNECTIONS = 256, STUB_REQUEST = 64 * 1024 };

struct stub;
typedef void stub_serve(struct stub *stub, int fd);

struct stub {
    stub_serve *serve;
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_t threads[STUB_CONNECTIONS];
    int fds[STUB_CONNECTIONS];
    atomic_int connections;  /* accepted so far */
    atomic_int requests;     /* whole requests or mails that arrived */
    char last[STUB_REQUEST]; /* the last one */
};

struct stub_connection {
    struct stub *stub;
    int fd;
};

static inline void *stub_connection_main(void *context)
{
    struct stub_connection connection = *(struct stub_connection *)context;

    free(context);
    connection.stub->serve(connection.stub, connection.fd);
    shutdown(connection.fd, SHUT_RDWR); /* closed when the stub stops: its number stays taken */
    return NULL;
}

static inline void *stub_main(void *context)
{
    struct stub *stub = context;

    for (;;) {
        struct stub_connection *connection;
        int fd = accept4(stub->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return NULL;
        connection = malloc(sizeof(*connection));
        *connection = (struct stub_connection){ stub, fd };
        stub->fds[stub->connections] = fd;
        pthread_create(&stub->threads[stub->connections++], NULL, stub_connection_main, connection);
    }
}

static inline struct stub *stub_start(stub_serve *serve)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    struct stub *stub = calloc(1, sizeof(*stub));

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stub->serve = serve;
    stub->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stub->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(stub->fd, 128), 0);
    assert_int_equal(getsockname(stub->fd, (struct sockaddr *)&at, &len), 0);
    stub->port = ntohs(at.sin_port);
    pthread_create(&stub->thread, NULL, stub_main, stub);
    return stub;
}

static inline void stub_stop(struct stub *stub)
{
    shutdown(stub->fd, SHUT_RDWR);
    pthread_join(stub->thread, NULL);
    for (int i = 0; i < stub->connections; i++) {
        shutdown(stub->fds[i], SHUT_RDWR);
        pthread_join(stub->threads[i], NULL);
        close(stub->fds[i]);
    }
    close(stub->fd);
    free(stub);
}

static inline void stub_say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static inline void stub_wait(int ms)
{
    poll(NULL, 0, ms);
}

/* ---- the client's side: one call at a time ---- */

struct outcome {
    bool done;
    struct fan_http_reply reply; /* its texts are in the two arrays */
    char headers[STUB_REQUEST], body[STUB_REQUEST], error[256];
};

struct world {
    struct stub *stub;
    struct fan_loop *loop;
    struct fan_http_client *client;
    struct outcome outcome;
    char url[256];
    int starts;  /* how often a call was about to begin */
    bool refuse; /* to begin */
    int left;    /* calls still under way, where there are many */
};

static inline struct fan_bytes stub_keep(char *to, struct fan_bytes text)
{
    assert_true(text.len < STUB_REQUEST);
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return (struct fan_bytes){ to, text.len };
}

static inline void world_done(void *context, const struct fan_http_reply *reply)
{
    struct world *world = context;
    struct outcome *outcome = &world->outcome;

    outcome->done = true;
    outcome->reply = *reply;
    outcome->reply.headers = stub_keep(outcome->headers, reply->headers);
    outcome->reply.body = stub_keep(outcome->body, reply->body);
    snprintf(outcome->error, sizeof(outcome->error), "%s", reply->error);
    outcome->reply.error = outcome->error;
    fan_loop_stop(world->loop);
}

static inline bool world_starting(void *context)
{
    struct world *world = context;

    world->starts++;
    return !world->refuse;
}

static inline const struct fan_http_reply *world_call(struct world *world,
        const struct fan_http_call *call)
{
    world->outcome.done = false;
    world->starts = 0;
    fan_http_send(world->client, call, world_starting, world_done, world);
    assert_false(world->outcome.done);
    while (!world->outcome.done)
        fan_loop_run(world->loop);
    return &world->outcome.reply;
}

static inline void world_open(struct world *world, stub_serve *serve, uint32_t connections)
{
    *world = (struct world){ .stub = stub_start(serve), .loop = fan_loop_new() };
    world->client = fan_http_client_new(world->loop,
            &(struct fan_http_client_options){ .connections = connections, .answer_cap = 4096 });
}

static inline void world_close(struct world *world)
{
    fan_http_client_free(&world->client);
    stub_stop(world->stub);
    fan_loop_free(&world->loop);
}

#endif
