#include "broker/runtime/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct page {
    struct fan_metrics *metrics;
    struct fan_buffer out;
};

static int set_up(void **state)
{
    static struct page page;

    page.metrics = fan_metrics_new("renderer");
    fan_buffer_init(&page.out, 1 << 20);
    *state = &page;
    return 0;
}

static int tear_down(void **state)
{
    struct page *page = *state;

    fan_buffer_fini(&page->out);
    fan_metrics_free(&page->metrics);
    assert_null(page->metrics);
    fan_metrics_free(&page->metrics);
    return 0;
}

static const char *print(struct page *page)
{
    fan_buffer_clear(&page->out);
    fan_metrics_print(page->metrics, &page->out);
    fan_buffer_add_char(&page->out, '\0');
    return page->out.at;
}

static void assert_line(struct page *page, const char *line)
{
    if (!strstr(print(page), line))
        fail_msg("\"%s\" is not in\n%s", line, print(page));
}

/* The value that stands behind @name and a space. */
static double value_of(struct page *page, const char *name)
{
    const char *at = strstr(print(page), name);

    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

static void a_counter_grows_by_label(void **state)
{
    struct page *page = *state;
    struct fan_metric *sms =
            fan_metric_counter(page->metrics, "fanfare_sent_total", "kind=\"sms\"", "Sent.");
    struct fan_metric *mail =
            fan_metric_counter(page->metrics, "fanfare_sent_total", "kind=\"email\"", "Sent.");

    fan_metric_add(sms, 1);
    fan_metric_add(sms, 2);
    assert_ptr_equal(sms,
            fan_metric_counter(page->metrics, "fanfare_sent_total", "kind=\"sms\"", "Sent."));
    assert_ptr_not_equal(sms, mail);
    assert_line(page,
            "# HELP fanfare_sent_total Sent.\n# TYPE fanfare_sent_total counter\n"
            "fanfare_sent_total{kind=\"sms\"} 3\nfanfare_sent_total{kind=\"email\"} 0\n");
}

static void series_of_one_name_stand_together(void **state)
{
    struct page *page = *state;

    fan_metric_gauge(page->metrics, "a", "x=\"1\"", "A.");
    fan_metric_gauge(page->metrics, "b", "", "B.");
    fan_metric_gauge(page->metrics, "a", "x=\"2\"", "A.");
    assert_line(page, "a{x=\"1\"} 0\na{x=\"2\"} 0\n# HELP b B.\n");
}

static void a_gauge_is_what_it_was_set_to(void **state)
{
    struct page *page = *state;
    struct fan_metric *gauge = fan_metric_gauge(page->metrics, "fanfare_open", "", "Open.");

    fan_metric_set(gauge, 7);
    fan_metric_add(gauge, -0.5);
    assert_line(page, "\nfanfare_open 6.5\n");
    fan_metric_set(gauge, 1234567890.25);
    assert_line(page, "\nfanfare_open 1234567890.25\n");
}

static void a_histogram_counts_what_is_not_above_its_bounds(void **state)
{
    struct page *page = *state;
    struct fan_metric *took =
            fan_metric_histogram(page->metrics, "took_seconds", "q=\"x\"", "Took.");

    fan_metric_observe(took, 0.00005);
    fan_metric_observe(took, 0.0001);
    fan_metric_observe(took, 0.3);
    fan_metric_observe(took, 1000);
    assert_line(page,
            "# TYPE took_seconds histogram\ntook_seconds_bucket{q=\"x\",le=\"0.0001\"} 2\n"
            "took_seconds_bucket{q=\"x\",le=\"0.00025\"} 2\n");
    assert_line(page,
            "took_seconds_bucket{q=\"x\",le=\"0.25\"} 2\n"
            "took_seconds_bucket{q=\"x\",le=\"0.5\"} 3\n");
    assert_line(page,
            "took_seconds_bucket{q=\"x\",le=\"100\"} 3\n"
            "took_seconds_bucket{q=\"x\",le=\"+Inf\"} 4\n");
    assert_line(page, "took_seconds_sum{q=\"x\"} 1000.30015\ntook_seconds_count{q=\"x\"} 4\n");
}

static void a_process_tells_about_itself(void **state)
{
    struct page *page = *state;

    assert_line(page, "fanfare_process_info{process=\"renderer\",version=\"");
    assert_true(value_of(page, "\nprocess_resident_memory_bytes ") > 100 * 1024);
    assert_true(value_of(page, "\nprocess_cpu_seconds_total ") > 0);
    assert_true(value_of(page, "\nprocess_open_fds ") >= 3);
    assert_true(value_of(page, "\nprocess_max_fds ") >= value_of(page, "\nprocess_open_fds "));
    assert_true(value_of(page, "\nprocess_start_time_seconds ") > 1.6e9);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_counter_grows_by_label),
        TEST(series_of_one_name_stand_together),
        TEST(a_gauge_is_what_it_was_set_to),
        TEST(a_histogram_counts_what_is_not_above_its_bounds),
        TEST(a_process_tells_about_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
