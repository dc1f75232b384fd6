#include "actors/sender/journal.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { OWNER = 0xabc, SLOTS = 4, BOOT_AT = 8 /* in the file, behind the magic */ };

static char folder[64];

static int make(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/fan-journal-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    return remove(path);
}

static int drop(void **state)
{
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct journal *create(uint64_t owner)
{
    struct fan_why why = { 0 };
    struct journal *journal = NULL;

    assert_int_equal(journal_create(folder, owner, SLOTS, &journal, &why), FAN_OK);
    return journal;
}

static struct journal_slot *hold(struct journal *journal, fan_id chunk)
{
    struct journal_slot *slot = journal_take(journal);

    assert_non_null(slot);
    slot->used = 2;
    slot->account = 7;
    slot->chunk = chunk;
    slot->epoch = 3;
    slot->size = 5;
    slot->opened = 4;
    for (int p = 0; p < 5; p++)
        slot->items[p] = chunk * 512 + p;
    journal_begin(slot);
    return slot;
}

static void answer(struct journal_slot *slot, uint32_t position, int state, int outcome,
        struct fan_bytes id)
{
    const struct journal_answer said = { .state = state,
        .outcome = outcome,
        .free = state == FAN_MESSAGE_RETRY,
        .id = id };

    journal_answered(slot, position, &said);
}

/* A sender that dies in the middle: one message answered, one started, two opened. */
static void live_and_die(void)
{
    struct journal_slot *slot = hold(create(OWNER), 42);

    journal_started(slot, 0);
    answer(slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, FAN_LIT("SM123"));
    journal_started(slot, 1);
    _exit(0); /* nothing is closed, flushed or unlocked on purpose */
}

/* Let @life happen in another process, to its end. */
static void in_a_child(void (*life)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        life();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int files_named(const char *suffix)
{
    char command[160];
    FILE *list;
    int count = -1;

    snprintf(command, sizeof command, "ls %s | grep -c '%s$'", folder, suffix);
    list = popen(command, "r");
    assert_non_null(list);
    assert_int_equal(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

/* Write @len bytes over the journal of OWNER, at @at. */
static void overwrite(off_t at, const void *bytes, size_t len)
{
    char path[160];
    int fd;

    snprintf(path, sizeof path, "%s/sender-%016x.journal", folder, OWNER);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void a_dead_writers_journal_says_what_it_knew(void **state)
{
    const struct journal_slot *slot;
    struct journal_left left;

    in_a_child(live_and_die);
    assert_true(journal_find_left(folder, &left));
    assert_int_equal(left.owner, OWNER);
    assert_true(left.same_boot);
    assert_int_equal(left.slots_len, SLOTS);
    slot = &left.slots[0];
    assert_int_equal(slot->used, 1);
    assert_int_equal(slot->chunk, 42);
    assert_int_equal(slot->epoch, 3);
    assert_int_equal(slot->opened, 4);
    assert_true(journal_answer_counts(slot, 0));
    assert_int_equal(slot->records[0].state, FAN_MESSAGE_SENT);
    assert_memory_equal(slot->records[0].id, "SM123", 5);
    assert_int_equal(slot->records[1].word, JOURNAL_STARTED);
    assert_int_equal(slot->records[2].word, JOURNAL_NOTHING);
    assert_int_equal(left.slots[1].used, 0);
    journal_left_close(&left, true);
    assert_false(journal_find_left(folder, &left));
}

static void what_was_never_started_is_said_by_what_is_missing(void **state)
{
    static struct journal_slot slot = { .opened = 5, .epoch = 3 };

    for (uint32_t p = 0; p < 5; p++)
        slot.items[p] = 100 + p;
    journal_started(&slot, 0);
    answer(&slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, FAN_NO_BYTES);
    journal_started(&slot, 1);
    answer(&slot, 2, FAN_MESSAGE_SKIPPED, 0, FAN_NO_BYTES);
    assert_int_equal(journal_begun(&slot), 3);
    assert_int_equal(journal_says(&slot, 0, true, true), FAN_MESSAGE_SENT);
    assert_int_equal(journal_says(&slot, 1, true, true), FAN_MESSAGE_PENDING);
    assert_int_equal(journal_says(&slot, 2, true, false), FAN_MESSAGE_SKIPPED);
    assert_int_equal(journal_says(&slot, 2, true, true), FAN_MESSAGE_RETRY);
    assert_int_equal(journal_says(&slot, 3, true, true), FAN_MESSAGE_RETRY);
    assert_int_equal(journal_says(&slot, 3, true, false), FAN_MESSAGE_PENDING);
    assert_int_equal(journal_says(&slot, 3, false, true), FAN_MESSAGE_PENDING);
}

static void whose_request_was_being_written_is_told_until_it_is_started(void **state)
{
    static struct journal_slot slot = { .opened = 5, .epoch = 3 };

    assert_int_equal(journal_died_writing(&slot), -1);
    journal_writing(&slot, 0);
    assert_int_equal(journal_died_writing(&slot), 0);
    journal_started(&slot, 0);
    assert_int_equal(journal_died_writing(&slot), -1);
    journal_writing(&slot, 4);
    assert_int_equal(journal_died_writing(&slot), 4);
    slot.writing = 6; /* beyond what was opened, or of a torn page */
    assert_int_equal(journal_died_writing(&slot), -1);
    slot.writing = UINT32_MAX;
    assert_int_equal(journal_died_writing(&slot), -1);
}

static void a_file_that_is_gone_under_it_breaks_it_and_ends_nothing(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 9);
    char path[128];

    snprintf(path, sizeof path, "%s/sender-%016x.journal", folder, OWNER);
    journal_started(slot, 0);
    assert_false(journal_is_broken(journal));
    assert_int_equal(truncate(path, 0), 0);
    journal_started(slot, 4);
    assert_true(journal_is_broken(journal));
    assert_int_equal(slot->records[4].word, JOURNAL_STARTED);
    answer(slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, FAN_LIT("id"));
    journal_remove(&journal);
}

/* A sender that dies when its disk had failed under it: a page of records is missing. */
static void live_lose_a_page_and_die(void)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = journal_take(journal);

    slot->size = slot->opened = 100;
    slot->epoch = 3;
    journal_begin(slot);
    for (uint32_t p = 0; p < 64; p++)
        journal_started(slot, p);
    overwrite(8192, (const char[4096]){ 0 }, 4096);
    _exit(0);
}

static void a_page_that_is_missing_does_not_say_that_nothing_was_begun(void **state)
{
    const struct journal_slot *slot;
    struct journal_left left;
    int missing = 0;

    in_a_child(live_lose_a_page_and_die);
    assert_true(journal_find_left(folder, &left));
    assert_true(left.same_boot);
    slot = &left.slots[0];
    assert_int_equal(journal_begun(slot), 64);
    for (uint32_t p = 0; p < 64; p++) {
        missing += slot->records[p].word == JOURNAL_NOTHING;
        assert_int_equal(journal_says(slot, p, true, true), FAN_MESSAGE_PENDING);
    }
    assert_true(missing > 0);
    assert_int_equal(journal_says(slot, 64, true, true), FAN_MESSAGE_RETRY);
    journal_left_close(&left, true);
}

static void what_was_opened_last_may_be_missing_too(void **state)
{
    static struct journal_slot slot = { .opened = 0, .epoch = 3 };

    for (uint32_t p = 0; p < 8; p++)
        journal_started(&slot, p);
    assert_int_equal(journal_begun(&slot), 8);
    slot.begun = 0; /* the one is lost, or the other */
    assert_int_equal(journal_begun(&slot), 8);
}

/* A sender whose journal broke, and that knows it. */
static void live_break_and_die(void)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 42);
    const size_t page = 4096, third = 3 * page;
    char path[160];

    snprintf(path, sizeof path, "%s/sender-%016x.journal", folder, OWNER);
    journal_started(slot, 0);
    if (truncate(path, (off_t)third))
        _exit(1);
    for (uint32_t p = 4; p < 200; p++)
        journal_started(slot, p);
    if (!journal_is_broken(journal))
        _exit(2);
    if (truncate(path, (off_t)(page + SLOTS * sizeof(struct journal_slot))))
        _exit(3);
    _exit(0);
}

static void a_broken_one_says_only_what_was_answered(void **state)
{
    struct journal_left left;

    in_a_child(live_break_and_die);
    assert_true(journal_find_left(folder, &left));
    assert_false(left.same_boot);
    assert_int_equal(journal_says(&left.slots[0], 3, left.same_boot, true), FAN_MESSAGE_PENDING);
    journal_left_close(&left, true);
}

static void a_look_at_a_good_disk_finds_nothing(void **state)
{
    struct journal *journal = create(OWNER);

    journal_started(hold(journal, 9), 0);
    journal_look(journal);
    assert_false(journal_is_broken(journal));
    journal_remove(&journal);
}

static void one_that_finds_no_room_leaves_nothing_behind(void **state)
{
    const struct rlimit little = { 64 * 1024, RLIM_INFINITY };
    struct journal *journal = NULL;
    struct fan_why why = { 0 };
    struct rlimit before;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    assert_int_equal(journal_create(folder, OWNER, SLOTS, &journal, &why), FAN_UNAVAILABLE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(why.text, "given room"));
    assert_null(journal);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void a_slot_that_says_too_much_is_read_within_its_bounds(void **state)
{
    static struct journal_slot slot = { .opened = UINT32_MAX };

    assert_int_equal(journal_opened(&slot), JOURNAL_POSITIONS);
    assert_int_equal(journal_begun(&slot), 0);
}

static void a_living_writers_journal_is_left_alone(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_left left;

    assert_false(journal_find_left(folder, &left));
    journal_remove(&journal);
    assert_null(journal);
    assert_false(journal_find_left(folder, &left));
    assert_int_equal(files_named("journal"), 0);
}

static void of_two_who_find_a_journal_one_gets_it(void **state)
{
    struct journal_left first, second;

    in_a_child(live_and_die);
    assert_true(journal_find_left(folder, &first));
    assert_false(journal_find_left(folder, &second));
    journal_left_close(&first, false);
    assert_true(journal_find_left(folder, &second));
    journal_left_close(&second, true);
}

static void after_another_boot_it_says_so(void **state)
{
    struct journal_left left;

    in_a_child(live_and_die);
    overwrite(BOOT_AT, "another boot", 13);
    assert_true(journal_find_left(folder, &left));
    assert_false(left.same_boot);
    assert_true(journal_answer_counts(&left.slots[0], 0));
    journal_left_close(&left, true);
}

static void a_boot_without_a_name_is_never_the_same(void **state)
{
    struct journal_left left;

    in_a_child(live_and_die);
    overwrite(BOOT_AT, "", 1);
    assert_true(journal_find_left(folder, &left));
    assert_false(left.same_boot);
    journal_left_close(&left, true);
}

static void a_damaged_file_is_set_aside(void **state)
{
    struct journal_left left;

    in_a_child(live_and_die);
    overwrite(0, "NOT OURS", 8);
    assert_false(journal_find_left(folder, &left));
    assert_int_equal(files_named("journal.refused"), 1);
    assert_int_equal(files_named("journal"), 0);
}

static void a_file_that_was_cut_off_is_set_aside(void **state)
{
    struct journal_left left;
    char path[160];

    in_a_child(live_and_die);
    snprintf(path, sizeof path, "%s/sender-%016x.journal", folder, OWNER);
    assert_int_equal(truncate(path, 10000), 0);
    assert_false(journal_find_left(folder, &left));
    assert_int_equal(files_named("journal.refused"), 1);
    assert_int_equal(close(creat(path, 0600)), 0);
    assert_false(journal_find_left(folder, &left));
}

static void there_may_be_no_folder(void **state)
{
    struct journal_left left;

    assert_false(journal_find_left("/tmp/fan-journal-nowhere", &left));
}

static void slots_are_taken_and_come_back_clean(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slots[SLOTS];

    for (int i = 0; i < SLOTS; i++)
        slots[i] = hold(journal, i + 1);
    assert_null(journal_take(journal));
    journal_started(slots[2], 4);
    journal_release(slots[2]);
    assert_ptr_equal(journal_take(journal), slots[2]);
    assert_int_equal(slots[2]->records[4].word, JOURNAL_NOTHING);
    assert_int_equal(slots[2]->chunk, 0);
    journal_remove(&journal);
}

/* What a page may hold that was not written with its neighbours. */
static void a_record_of_another_claim_counts_for_nothing(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 42);

    answer(slot, 1, FAN_MESSAGE_SENT, FAN_ACCEPTED, FAN_NO_BYTES);
    assert_true(journal_answer_counts(slot, 1));
    slot->epoch++;
    assert_false(journal_answer_counts(slot, 1));
    slot->epoch--;
    slot->items[1]++;
    assert_false(journal_answer_counts(slot, 1));
    slot->items[1]--;
    slot->records[1].state = FAN_MESSAGE_PENDING;
    assert_false(journal_answer_counts(slot, 1));
    journal_remove(&journal);
}

static void an_answer_says_whether_its_try_was_free(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 42);

    answer(slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, FAN_LIT("SM123"));
    answer(slot, 1, FAN_MESSAGE_RETRY, FAN_RETRY_LATER, FAN_NO_BYTES);
    assert_int_equal(slot->records[0].free, 0);
    assert_int_equal(slot->records[1].free, 1);
    assert_memory_equal(slot->records[0].id, "SM123", 5);
    journal_remove(&journal);
}

static void no_record_crosses_a_page(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 42);

    for (uint32_t p = 0; p < JOURNAL_POSITIONS; p++) {
        uintptr_t from = (uintptr_t)&slot->records[p];
        assert_int_equal(from / 4096, (from + sizeof slot->records[p] - 1) / 4096);
    }
    journal_remove(&journal);
}

static void of_an_id_that_is_too_long_nothing_is_kept(void **state)
{
    struct journal *journal = create(OWNER);
    struct journal_slot *slot = hold(journal, 42);
    char id[JOURNAL_ID];

    memset(id, 'i', sizeof id);
    answer(slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, (struct fan_bytes){ id, sizeof id });
    assert_int_equal(slot->records[0].id_len, 0);
    answer(slot, 0, FAN_MESSAGE_SENT, FAN_ACCEPTED, (struct fan_bytes){ id, sizeof id - 1 });
    assert_int_equal(slot->records[0].id_len, sizeof id - 1);
    assert_true(journal_answer_counts(slot, 0));
    journal_remove(&journal);
}

static void a_journal_that_cannot_be_made_says_why(void **state)
{
    struct fan_why why = { 0 };
    struct journal *journal = NULL;

    assert_int_equal(journal_create("/proc/nowhere", OWNER, SLOTS, &journal, &why),
            FAN_UNAVAILABLE);
    assert_non_null(strstr(why.text, "/proc/nowhere"));
    assert_null(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(a_dead_writers_journal_says_what_it_knew),
        TEST(what_was_never_started_is_said_by_what_is_missing),
        TEST(a_slot_that_says_too_much_is_read_within_its_bounds),
        TEST(a_living_writers_journal_is_left_alone),
        TEST(of_two_who_find_a_journal_one_gets_it),
        TEST(after_another_boot_it_says_so),
        TEST(a_boot_without_a_name_is_never_the_same),
        TEST(a_damaged_file_is_set_aside),
        TEST(a_file_that_was_cut_off_is_set_aside),
        TEST(there_may_be_no_folder),
        TEST(slots_are_taken_and_come_back_clean),
        TEST(a_record_of_another_claim_counts_for_nothing),
        TEST(whose_request_was_being_written_is_told_until_it_is_started),
        TEST(a_file_that_is_gone_under_it_breaks_it_and_ends_nothing),
        TEST(a_page_that_is_missing_does_not_say_that_nothing_was_begun),
        TEST(what_was_opened_last_may_be_missing_too),
        TEST(a_broken_one_says_only_what_was_answered),
        TEST(a_look_at_a_good_disk_finds_nothing),
        TEST(one_that_finds_no_room_leaves_nothing_behind),
        TEST(an_answer_says_whether_its_try_was_free),
        TEST(no_record_crosses_a_page),
        TEST(of_an_id_that_is_too_long_nothing_is_kept),
        TEST(a_journal_that_cannot_be_made_says_why),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
