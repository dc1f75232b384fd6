#include "tests/support/pg_proxy.h"

#include <endian.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Messages are a letter, a length and a body; only the very first one of a client has no letter. */
enum { ROOM = 1024 * 1024, SETTLE_MS = 200 };

/* One direction of the connection. */
struct lane {
    int from, to;
    bool begun; /* the message without a letter is through */
    size_t len;
    char bytes[ROOM];
};

static struct {
    pthread_t thread;
    int listener;
    char server[108];
    char folder[32];
    char path[64];
    atomic_int cut;
    char text[64];
    atomic_int victim; /* 0: none */
    atomic_bool stopping;
    struct lane up, down;
} proxy;

static int socket_at(const char *path, struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    FAN_ASSERT(fd >= 0);
    return fd;
}

/* The length of the first whole message; 0: it has not come yet. */
static size_t whole_message(const struct lane *lane)
{
    size_t letter = lane->begun;
    uint32_t wire;
    size_t len;

    if (lane->len < letter + 4)
        return 0;
    memcpy(&wire, lane->bytes + letter, 4);
    len = letter + be32toh(wire);
    FAN_ASSERT(len <= ROOM);
    return lane->len >= len ? len : 0;
}

static bool holds(const char *at, size_t len)
{
    return memmem(at, len, proxy.text, strlen(proxy.text)) != NULL;
}

static bool is_cut(enum pg_cut where, const struct lane *lane, size_t len)
{
    return atomic_load(&proxy.cut) == (int)where && lane->begun && holds(lane->bytes, len);
}

static bool pass(struct lane *lane, size_t len)
{
    if (write(lane->to, lane->bytes, len) != (ssize_t)len)
        return false;
    memmove(lane->bytes, lane->bytes + len, lane->len - len);
    lane->len -= len;
    lane->begun = true;
    return true;
}

/* Wait for the server's answers to what went before, and hand them on. */
static void drain(void)
{
    struct pollfd answer = { .fd = proxy.down.from, .events = POLLIN };

    while (poll(&answer, 1, SETTLE_MS) > 0) {
        ssize_t n = read(proxy.down.from, proxy.down.bytes, ROOM);
        if (n <= 0 || write(proxy.down.to, proxy.down.bytes, (size_t)n) != n)
            return;
    }
}

/* Pass everything on, then wait until the server has done it, without telling. */
static void be_deaf(void)
{
    struct pollfd answer = { .fd = proxy.down.from, .events = POLLIN };

    if (write(proxy.up.to, proxy.up.bytes, proxy.up.len) < 0)
        return;
    while (poll(&answer, 1, SETTLE_MS) > 0) {
        if (read(proxy.down.from, proxy.down.bytes, ROOM) <= 0)
            return;
    }
}

static bool cut(void)
{
    int victim = atomic_exchange(&proxy.victim, 0);

    atomic_store(&proxy.cut, PG_CUT_NEVER);
    if (victim)
        kill(victim, SIGKILL);
    return false;
}

/* Take what came and pass on what is whole. False: the line is cut, or was hung up. */
static bool carry(struct lane *lane, bool up)
{
    ssize_t n = read(lane->from, lane->bytes + lane->len, ROOM - lane->len);
    size_t len;

    if (n <= 0)
        return false;
    lane->len += (size_t)n;
    while ((len = whole_message(lane)) > 0) {
        bool request = up && is_cut(PG_CUT_REQUEST, lane, len);
        bool deaf = up && is_cut(PG_CUT_DEAF, lane, len);

        if (request)
            drain();
        if (deaf)
            be_deaf();
        if (request || deaf || (!up && is_cut(PG_CUT_ANSWER, lane, len)))
            return cut();
        if (!pass(lane, len))
            return false;
    }
    return true;
}

static void serve(int client, int server)
{
    struct pollfd ready[2] = {
        { .fd = client, .events = POLLIN },
        { .fd = server, .events = POLLIN },
    };
    bool alive = true;

    proxy.up.from = proxy.down.to = client;
    proxy.up.to = proxy.down.from = server;
    proxy.up.len = proxy.down.len = 0;
    proxy.up.begun = false;
    proxy.down.begun = true;
    while (alive && !atomic_load(&proxy.stopping)) {
        poll(ready, 2, 50);
        if (ready[1].revents)
            alive = carry(&proxy.down, false);
        if (alive && ready[0].revents)
            alive = carry(&proxy.up, true);
    }
    close(server);
    close(client);
}

static void *run(void *unused)
{
    struct pollfd ready = { .fd = proxy.listener, .events = POLLIN };

    (void)unused;
    while (!atomic_load(&proxy.stopping)) {
        struct sockaddr_un address;
        int client, server;

        if (poll(&ready, 1, 50) <= 0)
            continue;
        client = accept(proxy.listener, NULL, NULL);
        server = socket_at(proxy.server, &address);
        if (connect(server, (struct sockaddr *)&address, sizeof address) == 0) {
            serve(client, server);
            continue;
        }
        close(server);
        close(client);
    }
    return NULL;
}

void pg_proxy_start(const char *url, char out[PG_URL])
{
    const char *host = strstr(url, "host=");
    struct sockaddr_un address;

    FAN_ASSERT(host && host[5] == '/'); /* a server with a socket in the file system */
    snprintf(proxy.server, sizeof proxy.server, "%.*s/.s.PGSQL.5432", (int)strcspn(host + 5, "&"),
            host + 5);
    strcpy(proxy.folder, "/tmp/fan-proxy-XXXXXX");
    FAN_ASSERT(mkdtemp(proxy.folder));
    snprintf(proxy.path, sizeof proxy.path, "%s/.s.PGSQL.5432", proxy.folder);
    proxy.listener = socket_at(proxy.path, &address);
    FAN_ASSERT(bind(proxy.listener, (struct sockaddr *)&address, sizeof address) == 0);
    FAN_ASSERT(listen(proxy.listener, 8) == 0);
    atomic_store(&proxy.stopping, false);
    FAN_ASSERT(pthread_create(&proxy.thread, NULL, run, NULL) == 0);
    snprintf(out, PG_URL, "%s&host=%s", url, proxy.folder);
}

void pg_proxy_cut(enum pg_cut where, const char *text)
{
    snprintf(proxy.text, sizeof proxy.text, "%s", text);
    atomic_store(&proxy.cut, where);
}

void pg_proxy_crash(pid_t backend)
{
    atomic_store(&proxy.victim, backend);
}

void pg_proxy_stop(void)
{
    atomic_store(&proxy.stopping, true);
    pthread_join(proxy.thread, NULL);
    close(proxy.listener);
    unlink(proxy.path);
    rmdir(proxy.folder);
}
