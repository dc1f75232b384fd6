/*
 * smtplimit — how many mails a second one libcurl multi handle hands to a relay, connections kept.
 *
 *   smtplimit smtp://HOST:PORT COUNT CONNECTIONS
 */
#include "common.h"

#include <curl/curl.h>

struct flight {
    CURL *easy;
    char mail[1024];
    size_t len, read;
    struct curl_slist *to;
};

static CURLM *multi;
static long wanted, started, finished, bad;

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    struct flight *flight = context;
    size_t len = flight->len - flight->read;

    if (len > size * count)
        len = size * count;
    memcpy(out, flight->mail + flight->read, len);
    flight->read += len;
    return len;
}

static void open_flight(struct flight *flight, const char *url)
{
    CURL *easy = flight->easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<fanfare@example.com>");
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, flight);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void start(struct flight *flight)
{
    char to[64];

    flight->len = (size_t)snprintf(flight->mail, sizeof flight->mail,
            "From: Fanfare <fanfare@example.com>\r\nTo: <user%ld@example.com>\r\n"
            "Subject: On sale\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "List-Unsubscribe: <https://example.com/u/%ld>\r\n\r\n"
            "Hi First%ld, Running Shoes is on sale in Nairobi!\r\n",
            started, started, started);
    flight->read = 0;
    snprintf(to, sizeof to, "<user%ld@example.com>", started);
    curl_slist_free_all(flight->to);
    flight->to = curl_slist_append(NULL, to);
    curl_easy_setopt(flight->easy, CURLOPT_MAIL_RCPT, flight->to);
    curl_multi_add_handle(multi, flight->easy);
    started++;
}

static void reap(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        struct flight *flight;

        bad += message->data.result != CURLE_OK;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight);
        finished++;
        curl_multi_remove_handle(multi, flight->easy);
        if (started < wanted)
            start(flight);
    }
}

int main(int argc, char **argv)
{
    struct flight *flights;
    int connections, running;
    double began;

    if (argc != 4)
        return 2;
    wanted = atol(argv[2]);
    connections = atoi(argv[3]);
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
    flights = allocate((size_t)connections * sizeof *flights);
    began = now();
    for (int i = 0; i < connections && started < wanted; i++) {
        open_flight(&flights[i], argv[1]);
        start(&flights[i]);
    }
    while (finished < wanted) {
        curl_multi_perform(multi, &running);
        reap();
        if (finished < wanted)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    print_result(wanted, now() - began, cpu_used());
    return bad != 0;
}
