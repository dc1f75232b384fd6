/* Deaths: which failures are counted against a run, once each, and until when. */
#include "tests/support/world.h"

#include "sql/store/dead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct world w;
static struct fan_db *gateway;

static int make(void **state)
{
    char url[PG_URL];

    world_open(&w);
    pg_url_as(w.url, "fan_gateway", url);
    gateway = pg_connect(url, FAN_DB_FREE);
    fan_db_account(gateway, 1);
    return 0;
}

static int drop(void **state)
{
    fan_db_free(&gateway);
    world_close(&w);
    return 0;
}

/* The run with at least so many deaths; in_all 0: there is none. */
static struct fan_dead_run counted(int64_t least)
{
    const struct fan_dead_run *list;
    struct fan_dead_run found = { 0 };
    size_t count;

    assert_int_equal(fan_dead_runs(w.scheduler, least, w.arena, &list, &count, &w.why), FAN_OK);
    if (count > 0)
        found = list[0];
    assert_true(count < 2);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    return found;
}

static struct fan_claim_taken opened(fan_id chunk)
{
    struct fan_claim_taken taken;

    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 500, NULL), (int)taken.size);
    return taken;
}

static void add_failed(struct fan_claim_outcomes *list, fan_id message, int reason, int outcome)
{
    world_add_outcome(list, message, FAN_MESSAGE_FAILED);
    list->reasons[list->count - 1] = (int16_t)reason;
    list->outcomes[list->count - 1] = (int16_t)outcome;
}

static void what_is_a_recipients_own_fault_is_no_death(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 8);
    struct fan_claim_taken taken = opened(chunk);
    struct fan_claim_outcomes list = world_outcomes(&w, 8);

    add_failed(&list, fan_message_id(chunk, 0), FAN_REASON_TRIES_USED_UP, FAN_RETRY_LATER);
    add_failed(&list, fan_message_id(chunk, 1), FAN_REASON_TRIES_USED_UP, FAN_CHANNEL_PAUSE);
    add_failed(&list, fan_message_id(chunk, 2), FAN_REASON_TRIES_USED_UP, FAN_RECIPIENT_DEFERRED);
    add_failed(&list, fan_message_id(chunk, 3), FAN_REASON_PROVIDER, FAN_RECIPIENT_PERMANENT);
    add_failed(&list, fan_message_id(chunk, 4), FAN_REASON_PROVIDER, FAN_CONTENT_PERMANENT);
    add_failed(&list, fan_message_id(chunk, 5), FAN_REASON_TEMPLATE, FAN_CONTENT_PERMANENT);
    world_add_outcome(&list, fan_message_id(chunk, 6), FAN_MESSAGE_SENT);
    assert_int_equal(world_record_all(&w, &taken.claim, &list), 7);
    assert_int_equal(counted(1).in_all, 2);
    world_record_all(&w, &taken.claim, &list); /* its answer was lost */
    assert_int_equal(counted(1).in_all, 2);
    assert_int_equal(counted(1).in_minute, 2);
    assert_int_equal(counted(1).recipients, 8);
    assert_true(counted(1).resolved);
    assert_int_equal(counted(3).in_all, 0);
    world_exec(&w, "UPDATE death SET at = at - interval '2 minutes' WHERE message_id %% 2 = 0");
    assert_int_equal(counted(1).in_minute, 1);
}

static void what_another_claim_said_is_not_noted(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 2);
    struct fan_claim_taken old = opened(chunk);
    struct fan_claim_outcomes list = world_outcomes(&w, 1);

    add_failed(&list, fan_message_id(chunk, 0), FAN_REASON_TRIES_USED_UP, FAN_RETRY_LATER);
    world_exec(&w, "UPDATE chunk SET epoch = epoch + 1");
    world_record_all(&w, &old.claim, &list);
    assert_int_equal(counted(1).in_all, 0);
}

static void messages_that_processes_died_of_are_deaths(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 3);
    struct fan_claim_taken taken = opened(chunk);
    struct fan_claim_outcomes none = world_outcomes(&w, 1);
    fan_id unwritten = fan_message_id(chunk, 2);

    world_exec(&w, "UPDATE message SET crashes = 2 WHERE id & 511 = 0");
    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_true(world_take_back(&w, chunk, taken.claim.epoch, false));
    none.crashed = fan_message_id(chunk, 1); /* for the first time */
    world_add_outcome(&none, none.crashed, FAN_MESSAGE_RETRY);
    world_evidence(&w, &taken.claim, &none);
    assert_int_equal(counted(1).in_all, 0);
    none.crashed = none.messages[0] = fan_message_id(chunk, 0);
    world_evidence(&w, &taken.claim, &none);
    assert_int_equal(counted(1).in_all, 1);
    assert_int_equal(fan_dead_note_unwritten(w.renderer, 1, 1, (struct fan_ids){ &unwritten, 1 },
                             w.arena, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    assert_int_equal(counted(1).in_all, 2);
}

static void control(enum fan_run_act act)
{
    struct fan_run_controlled done;

    assert_int_equal(fan_run_control(gateway, 1, WORLD_CAMPAIGN, act, w.arena, &done, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
}

static void who_resumes_a_run_forgives_it_its_deaths(void **state)
{
    world_exec(&w,
            "INSERT INTO death (account_id, run_id, message_id) SELECT 1, 1, generate_series(1, 4);"
            "INSERT INTO death (account_id, run_id, message_id) VALUES (1, 99, 9)");
    assert_int_equal(counted(2).in_all, 4);
    control(FAN_RUN_PAUSE);
    assert_int_equal(counted(2).in_all, 0); /* it is paused */
    assert_int_equal(world_number(&w, "SELECT count(*) FROM death"), 5);
    control(FAN_RUN_RESUME);
    assert_int_equal(counted(2).in_all, 0);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM death"), 1);
}

static void a_run_that_ended_is_forgotten_after_a_while(void **state)
{
    world_exec(&w,
            "INSERT INTO death (account_id, run_id, message_id) VALUES (1, 1, 1), (2, 1, 2);"
            "UPDATE run SET ended_at = now() - interval '2 hours' WHERE account_id = 2");
    assert_int_equal(fan_dead_forget(w.scheduler, w.arena, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    assert_int_equal(world_number(&w, "SELECT sum(account_id)::bigint FROM death"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_a_recipients_own_fault_is_no_death),
        TEST(what_another_claim_said_is_not_noted),
        TEST(messages_that_processes_died_of_are_deaths),
        TEST(who_resumes_a_run_forgives_it_its_deaths),
        TEST(a_run_that_ended_is_forgotten_after_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
