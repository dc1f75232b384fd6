#include "proto/fault.h"

#ifdef FAN_TEST_BUILD

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PLAN_SIZE = 4096, RULES = 64, NAME = 48, PATH = 512 };

/* The file, as its writer sees it. */
struct plan {
    _Atomic uint32_t version; /* odd while it is written */
    char text[PLAN_SIZE - sizeof(uint32_t)];
};

struct rule {
    char id[NAME], site[NAME], process[NAME], action[NAME];
    bool random; /* every nth pass on average, not the nth */
    unsigned nth, ms, times;
    unsigned passes;
    unsigned next; /* number of the next mark */
};

/* A fault's place stands anywhere, in any thread, and nobody can hand it anything: so this is
 * static, alone in the whole tree, and in test builds only. */
static struct {
    pthread_mutex_t lock;
    bool opened;
    const char *dir;
    const struct plan *plan; /* NULL: nobody asks for faults */
    uint32_t version;        /* of the rules */
    struct rule rules[RULES];
    size_t rules_len;
    uint64_t seed, random;
    char process[NAME];
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- who we are ---- */

/* What follows --name among the program's words, or the program's own name. */
static void find_name(void)
{
    char words[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, words, sizeof words - 1);
    const char *program = program_invocation_short_name;

    if (fd >= 0)
        close(fd);
    words[len > 0 ? len : 0] = '\0';
    if (strncmp(program, "fanfare-", 8) == 0)
        program += 8;
    snprintf(self.process, NAME, "%s", program);
    for (const char *at = words; at < words + len; at += strlen(at) + 1) {
        if (strcmp(at, "--name") == 0 && at + 7 < words + len)
            snprintf(self.process, NAME, "%s", at + 7);
    }
}

static void open_plan(void)
{
    char path[PATH];
    int fd;

    self.opened = true;
    self.dir = getenv("FAN_FAULT_DIR");
    if (!self.dir)
        return;
    snprintf(path, sizeof path, "%s/plan", self.dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    self.plan = mmap(NULL, PLAN_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (self.plan == MAP_FAILED)
        self.plan = NULL;
    find_name();
}

/* ---- drawing ---- */

static uint64_t draw(void) /* splitmix64 */
{
    uint64_t z = self.random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Each start of a process draws anew, and the same when all is done again. */
static void begin_drawing(uint64_t seed)
{
    char path[PATH];
    unsigned start = 0;
    int fd;

    do {
        snprintf(path, sizeof path, "%s/start.%s.%u", self.dir, self.process, ++start);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    } while (fd < 0 && errno == EEXIST);
    if (fd >= 0)
        close(fd);
    self.seed = seed;
    self.random = seed * 1000003 + start;
    for (const char *at = self.process; *at; at++)
        self.random = self.random * 31 + (unsigned char)*at;
}

/* ---- the plan ---- */

static unsigned number(const char *text, unsigned otherwise)
{
    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void keep(char to[NAME], const char *text)
{
    snprintf(to, NAME, "%s", text ? text : "");
}

static bool read_rule(char *text, struct rule *rule)
{
    enum { ID, PLACE, NTH, ACTION, MS, TIMES, WORDS };
    char *words[WORDS] = { NULL }, *slash;

    for (int i = 0; i < WORDS && text; i++)
        words[i] = strsep(&text, ":");
    if (!words[ACTION])
        return false;
    slash = strchr(words[NTH], '/');
    *rule = (struct rule){
        .random = slash != NULL,
        .nth = number(slash ? slash + 1 : words[NTH], 0),
        .ms = number(words[MS], 0),
        .times = number(words[TIMES], 1),
        .next = 1,
    };
    keep(rule->id, words[ID]);
    keep(rule->action, words[ACTION]);
    keep(rule->site, strsep(&words[PLACE], "@"));
    keep(rule->process, words[PLACE]);
    return rule->nth > 0;
}

static bool is_for_us(const struct rule *rule)
{
    return strncmp(self.process, rule->process, strlen(rule->process)) == 0;
}

static void read_plan(char *text)
{
    char *rest = NULL;

    self.rules_len = 0;
    for (char *word = strtok_r(text, ",", &rest); word && self.rules_len < RULES;
            word = strtok_r(NULL, ",", &rest)) {
        struct rule *rule = &self.rules[self.rules_len];
        uint64_t seed = strtoull(word + (strlen(word) > 5 ? 5 : 0), NULL, 10);

        if (strncmp(word, "seed=", 5) == 0 && (seed != self.seed || !self.random))
            begin_drawing(seed);
        else if (read_rule(word, rule) && is_for_us(rule))
            self.rules_len++;
    }
}

/* Keep up with the plan. Returns whether anything is asked for. */
static bool is_asked(void)
{
    char text[sizeof self.plan->text + 1];
    uint32_t version;

    if (!self.opened)
        open_plan();
    if (!self.plan)
        return false;
    version = atomic_load(&self.plan->version);
    if (version != self.version && version % 2 == 0) {
        memcpy(text, self.plan->text, sizeof self.plan->text);
        text[sizeof text - 1] = '\0';
        if (atomic_load(&self.plan->version) == version) {
            read_plan(text);
            self.version = version;
        }
    }
    return self.rules_len > 0;
}

/* ---- firing ---- */

static bool matches(const struct rule *rule, const char *site)
{
    size_t len = strlen(rule->site);

    return len && rule->site[len - 1] == '*' ? strncmp(rule->site, site, len - 1) == 0
                                             : strcmp(rule->site, site) == 0;
}

/* Leave the mark; false: it has happened as often as it should. */
static bool mark(struct rule *rule, const char *site)
{
    char path[PATH];
    int fd;

    for (; rule->next <= (rule->times ? rule->times : 1); rule->next++) {
        snprintf(path, sizeof path, "%s/%s.%u", self.dir, rule->id, rule->next);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
            continue;
        dprintf(fd, "%s %s %d\n", site, self.process, (int)getpid());
        close(fd);
        rule->next++;
        return true;
    }
    return rule->times == 0;
}

static bool fires(struct rule *rule, const char *site)
{
    if (!matches(rule, site))
        return false;
    if (rule->random ? draw() % rule->nth != 0 : ++rule->passes < rule->nth)
        return false;
    rule->passes = 0;
    return mark(rule, site);
}

static bool act(const struct rule *rule)
{
    struct timespec wait = { rule->ms / 1000, rule->ms % 1000 * 1000000L };

    if (strcmp(rule->action, "kill") == 0)
        raise(SIGKILL);
    else if (strcmp(rule->action, "stop") == 0)
        raise(SIGSTOP);
    else if (strcmp(rule->action, "exit") == 0)
        _exit(1);
    else if (strcmp(rule->action, "sleep") == 0)
        nanosleep(&wait, NULL);
    return strcmp(rule->action, "fail") == 0;
}

void fan_fault_about(const char *site, struct fan_bytes what)
{
    char name[NAME];

    snprintf(name, sizeof name, "%s/%.*s", site, FAN_BYTES_ARG(what));
    (void)fan_fault(name);
}

bool fan_fault(const char *site)
{
    struct rule fired = { .times = 0 };
    bool found = false;

    pthread_mutex_lock(&self.lock);
    for (size_t i = 0; is_asked() && i < self.rules_len; i++) {
        if (!fires(&self.rules[i], site))
            continue;
        fired = self.rules[i]; /* the latest, should there be several */
        found = true;
    }
    pthread_mutex_unlock(&self.lock);
    return found && act(&fired);
}

#endif
