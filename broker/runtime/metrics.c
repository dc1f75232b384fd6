#include "broker/runtime/metrics.h"

#include "broker/runtime/clock.h"
#include "proto/err.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum type { COUNTER, GAUGE, HISTOGRAM };

static const char *const type_names[] = { "counter", "gauge", "histogram" };

static const double bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100 };

enum { BOUNDS = sizeof(bounds) / sizeof(bounds[0]) };

struct fan_metric {
    struct fan_metric *next;
    char *labels;
    double value;             /* of a histogram: the sum */
    uint64_t count;           /* of a histogram */
    uint64_t buckets[BOUNDS]; /* each its own; they are added up when printed */
};

/* All series of one name; the text format wants them together. */
struct family {
    struct family *next;
    char *name;
    char *help;
    enum type type;
    struct fan_metric *first;
};

struct fan_metrics {
    struct family *first;
    struct fan_metric *cpu, *memory, *descriptors, *descriptors_max;
};

static void *copy(const void *at, size_t size)
{
    void *to = malloc(size);

    if (!to)
        fan_die("out of memory: %zu bytes for metrics", size);
    return memcpy(to, at, size);
}

static char *copy_text(const char *text)
{
    return copy(text, strlen(text) + 1);
}

static struct family *family_of(struct fan_metrics *metrics, const char *name, const char *help,
        enum type type)
{
    struct family **at = &metrics->first;

    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, name) != 0)
            continue;
        FAN_ASSERT((*at)->type == type);
        return *at;
    }
    *at = copy(&(struct family){ .type = type }, sizeof(**at));
    (*at)->name = copy_text(name);
    (*at)->help = copy_text(help);
    return *at;
}

static struct fan_metric *series_of(struct family *family, const char *labels)
{
    struct fan_metric **at = &family->first;

    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->labels, labels) == 0)
            return *at;
    }
    *at = copy(&(struct fan_metric){ 0 }, sizeof(**at));
    (*at)->labels = copy_text(labels);
    return *at;
}

struct fan_metric *fan_metric_counter(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help)
{
    return series_of(family_of(metrics, name, help, COUNTER), labels);
}

struct fan_metric *fan_metric_gauge(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help)
{
    return series_of(family_of(metrics, name, help, GAUGE), labels);
}

struct fan_metric *fan_metric_histogram(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help)
{
    return series_of(family_of(metrics, name, help, HISTOGRAM), labels);
}

void fan_metric_add(struct fan_metric *metric, double amount)
{
    metric->value += amount;
}

void fan_metric_set(struct fan_metric *metric, double value)
{
    metric->value = value;
}

void fan_metric_observe(struct fan_metric *metric, double seconds)
{
    size_t i = 0;

    while (i < BOUNDS && seconds > bounds[i])
        i++;
    if (i < BOUNDS)
        metric->buckets[i]++;
    metric->count++;
    metric->value += seconds;
}

/* ---- what every process tells about itself ---- */

static double cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128] = "";
    const char *resident; /* pages; the second number */

    if (!file)
        return 0;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    resident = strchr(line, ' ');
    return resident ? strtod(resident, NULL) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", ".." and the one that reads the folder */
}

static double most_descriptors(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

struct fan_metrics *fan_metrics_new(const char *process)
{
    struct fan_metrics *metrics = copy(&(struct fan_metrics){ 0 }, sizeof(*metrics));
    char labels[256];

    snprintf(labels, sizeof(labels), "process=\"%s\",version=\"%s\"", process, FAN_VERSION);
    fan_metric_set(fan_metric_gauge(metrics, "fanfare_process_info", labels, "Who this is."), 1);
    fan_metric_set(fan_metric_gauge(metrics, "process_start_time_seconds", "",
                           "When it started, in seconds since 1970."),
            (double)fan_clock_now() / FAN_SECOND);
    metrics->cpu = fan_metric_counter(metrics, "process_cpu_seconds_total", "",
            "User and system CPU time.");
    metrics->memory =
            fan_metric_gauge(metrics, "process_resident_memory_bytes", "", "Resident memory.");
    metrics->descriptors =
            fan_metric_gauge(metrics, "process_open_fds", "", "Open file descriptors.");
    metrics->descriptors_max =
            fan_metric_gauge(metrics, "process_max_fds", "", "File descriptors it may open.");
    return metrics;
}

void fan_metrics_free(struct fan_metrics **metrics)
{
    if (!*metrics)
        return;
    while ((*metrics)->first) {
        struct family *family = (*metrics)->first;

        (*metrics)->first = family->next;
        while (family->first) {
            struct fan_metric *series = family->first;

            family->first = series->next;
            free(series->labels);
            free(series);
        }
        free(family->name);
        free(family->help);
        free(family);
    }
    free(*metrics);
    *metrics = NULL;
}

/* ---- the text format ---- */

static void print_number(struct fan_buffer *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fan_buffer_printf(out, "%.0f\n", value);
    else
        fan_buffer_printf(out, "%.15g\n", value);
}

/* name{labels} and the space behind it; either part of the labels may be empty. */
static void print_name(struct fan_buffer *out, const char *name, const char *ending,
        const char *labels, const char *more)
{
    fan_buffer_printf(out, "%s%s", name, ending);
    if (*labels || *more)
        fan_buffer_printf(out, "{%s%s%s}", labels, *labels && *more ? "," : "", more);
    fan_buffer_add_char(out, ' ');
}

static void print_histogram(struct fan_buffer *out, const char *name,
        const struct fan_metric *series)
{
    uint64_t below = 0;
    char le[32];

    for (size_t i = 0; i < BOUNDS; i++) {
        below += series->buckets[i];
        snprintf(le, sizeof(le), "le=\"%g\"", bounds[i]);
        print_name(out, name, "_bucket", series->labels, le);
        print_number(out, (double)below);
    }
    print_name(out, name, "_bucket", series->labels, "le=\"+Inf\"");
    print_number(out, (double)series->count);
    print_name(out, name, "_sum", series->labels, "");
    print_number(out, series->value);
    print_name(out, name, "_count", series->labels, "");
    print_number(out, (double)series->count);
}

static void print_family(struct fan_buffer *out, const struct family *family)
{
    fan_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
            type_names[family->type]);
    for (const struct fan_metric *series = family->first; series; series = series->next) {
        if (family->type == HISTOGRAM) {
            print_histogram(out, family->name, series);
            continue;
        }
        print_name(out, family->name, "", series->labels, "");
        print_number(out, series->value);
    }
}

void fan_metrics_print(struct fan_metrics *metrics, struct fan_buffer *out)
{
    fan_metric_set(metrics->cpu, cpu_seconds());
    fan_metric_set(metrics->memory, resident_bytes());
    fan_metric_set(metrics->descriptors, open_descriptors());
    fan_metric_set(metrics->descriptors_max, most_descriptors());
    for (const struct family *family = metrics->first; family; family = family->next)
        print_family(out, family);
}
