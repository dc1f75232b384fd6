/*
 * callback_load — sends ready-made HTTP requests over kept connections, and measures the answers.
 *
 *   callback_load <port> <connections> <a second> <file>
 *
 * The file holds requests one after the other, each behind its length (u32, little-endian). Every
 * connection has one request under way. With a rate, each request has an instant at which it is
 * due, and its time counts from there, also while no connection is free; with rate 0 they go out
 * as fast as answers come. Each file is sent once. Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_CAP = 4096, READY_MOST = 256, STATUSES = 600 };

struct client {
    int fd;
    double due; /* of the request under way, seconds; < 0: none is */
    size_t len; /* bytes of the answer so far */
    char answer[ANSWER_CAP];
};

struct load {
    const char *at, *end; /* what is left of the file */
    double rate, began;
    size_t sent, answered, lost, count;
    size_t statuses[STATUSES];
    float *took; /* seconds; took[answered] */
    struct client *clients;
    size_t clients_len;
    struct client **idle; /* idle[idle_len] */
    size_t idle_len;
    uint16_t port;
    int epoll;
};

static void die(const char *what)
{
    fprintf(stderr, "callback_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void read_file(struct load *load, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    void *at;

    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED)
        die(path);
    load->at = at;
    load->end = load->at + st.st_size;
    for (const char *p = load->at; p < load->end; load->count++)
        p += 4 +
                (uint32_t)((unsigned char)p[0] | (unsigned char)p[1] << 8 |
                        (unsigned char)p[2] << 16);
    load->took = calloc(load->count + 1, sizeof *load->took);
}

static void make_connection(struct load *load, struct client *client)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(load->port) };
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = client };
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        die("epoll");
    client->due = -1;
    client->len = 0;
    load->idle[load->idle_len++] = client;
}

/* The connection ended without an answer to what was asked. */
static void reconnect(struct load *load, struct client *client)
{
    close(client->fd);
    if (client->due >= 0)
        load->lost++;
    else
        for (size_t i = 0; i < load->idle_len; i++)
            if (load->idle[i] == client)
                load->idle[i] = load->idle[--load->idle_len];
    make_connection(load, client);
}

static void send_next(struct load *load, struct client *client, double due)
{
    uint32_t len;

    memcpy(&len, load->at, 4);
    if (send(client->fd, load->at + 4, len, MSG_NOSIGNAL) != (ssize_t)len)
        len = (uint32_t)len; /* the end of the connection is seen when it is read */
    load->at += 4 + len;
    load->sent++;
    client->due = due;
    client->len = 0;
}

/* Send what is due, as far as there are connections. Returns seconds until more is; < 0: none. */
static double send_due(struct load *load)
{
    double at = now();

    while (load->at < load->end) {
        double due = load->rate > 0 ? load->began + (double)load->sent / load->rate : at;

        if (due > at)
            return due - at;
        if (!load->idle_len)
            return -1;
        send_next(load, load->idle[--load->idle_len], due);
    }
    return -1;
}

/* Whether the answer is whole; one that cannot be read is not. */
static bool is_whole(struct client *client)
{
    const char *head, *length;

    client->answer[client->len] = '\0';
    head = strstr(client->answer, "\r\n\r\n");
    if (!head)
        return false;
    length = strcasestr(client->answer, "\r\nContent-Length: ");
    return length &&
            client->len >= (size_t)(head + 4 - client->answer) + strtoul(length + 18, NULL, 10);
}

static void take_answer(struct load *load, struct client *client)
{
    int status = (int)strtol(client->answer + 9, NULL, 10);

    load->statuses[status > 0 && status < STATUSES ? status : 0]++;
    load->took[load->answered++] = (float)(now() - client->due);
    client->due = -1;
    client->len = 0;
    load->idle[load->idle_len++] = client;
}

static void on_ready(struct load *load, struct client *client)
{
    for (;;) {
        ssize_t n = recv(client->fd, client->answer + client->len, ANSWER_CAP - 1 - client->len, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            reconnect(load, client);
            return;
        }
        client->len += (size_t)n;
        if (client->due >= 0 && is_whole(client)) {
            take_answer(load, client);
            return; /* nothing more can have come */
        }
    }
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void report(struct load *load, double seconds)
{
    const char *comma = "";
    size_t n = load->answered;

    qsort(load->took, n, sizeof *load->took, compare);
    printf("{\"sent\":%zu,\"answered\":%zu,\"lost\":%zu,\"seconds\":%.3f,\"per_second\":%.0f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"statuses\":{",
            load->sent, n, load->lost, seconds, (double)n / seconds,
            n ? load->took[n / 2] * 1e3 : 0, n ? load->took[n * 99 / 100] * 1e3 : 0,
            n ? load->took[n - 1] * 1e3 : 0);
    for (int i = 0; i < STATUSES; i++) {
        if (!load->statuses[i])
            continue;
        printf("%s\"%d\":%zu", comma, i, load->statuses[i]);
        comma = ",";
    }
    printf("}}\n");
}

static void run(struct load *load)
{
    struct epoll_event ready[READY_MOST];

    load->began = now();
    while (load->answered + load->lost < load->count) {
        double wait = send_due(load);
        struct timespec most = { .tv_sec = 1 };
        int n;

        if (wait >= 0 && wait < 1)
            most = (struct timespec){ .tv_nsec = (long)(wait * 1e9) };
        n = epoll_pwait2(load->epoll, ready, READY_MOST, &most, NULL);
        for (int i = 0; i < n; i++)
            on_ready(load, ready[i].data.ptr);
    }
    report(load, now() - load->began);
}

int main(int argc, char **argv)
{
    struct load load = { 0 };

    if (argc != 5) {
        fprintf(stderr, "callback_load <port> <connections> <a second> <file>\n");
        return 2;
    }
    load.port = (uint16_t)strtoul(argv[1], NULL, 10);
    load.clients_len = strtoul(argv[2], NULL, 10);
    load.rate = strtod(argv[3], NULL);
    read_file(&load, argv[4]);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.clients = calloc(load.clients_len, sizeof *load.clients);
    load.idle = calloc(load.clients_len, sizeof(struct client *));
    for (size_t i = 0; i < load.clients_len; i++)
        make_connection(&load, &load.clients[i]);
    run(&load);
    return 0;
}
