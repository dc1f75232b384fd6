/*
 * httplimit — how many form posts a second one libcurl multi handle makes: no Fanfare, no database.
 *
 *   httplimit URL COUNT CONNECTIONS
 */
#include "common.h"

#include <curl/curl.h>

struct flight {
    CURL *easy;
    char form[256];
    size_t answer_len;
};

static CURLM *multi;
static long wanted, started, finished, bad;

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct flight *flight = context;

    (void)data;
    flight->answer_len += size * count;
    return size * count;
}

static void open_flight(struct flight *flight, const char *url, struct curl_slist *headers)
{
    CURL *easy = flight->easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, flight);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERPWD, "AC1:secret");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void start(struct flight *flight)
{
    int len = snprintf(flight->form, sizeof flight->form,
            "From=%%2B15550000000&To=%%2B1555%07ld&Body=Hi+First%ld%%2C+Running+Shoes+is+on+sale+"
            "in+Nairobi%%21",
            started % 10000000, started);

    flight->answer_len = 0;
    curl_easy_setopt(flight->easy, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(flight->easy, CURLOPT_POSTFIELDS, flight->form);
    curl_multi_add_handle(multi, flight->easy);
    started++;
}

static void reap(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURLcode failed = message->data.result;
        struct flight *flight;
        long status = 0;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight);
        curl_easy_getinfo(flight->easy, CURLINFO_RESPONSE_CODE, &status);
        bad += failed || status != 201 || flight->answer_len == 0;
        finished++;
        curl_multi_remove_handle(multi, flight->easy);
        if (started < wanted)
            start(flight);
    }
}

int main(int argc, char **argv)
{
    struct curl_slist *headers = NULL;
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
    headers = curl_slist_append(headers, "Content-Type: application/x-www-form-urlencoded");
    headers = curl_slist_append(headers, "Expect:");
    flights = allocate((size_t)connections * sizeof *flights);
    began = now();
    for (int i = 0; i < connections && started < wanted; i++) {
        open_flight(&flights[i], argv[1], headers);
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
