#include "proto/words.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Every set of words: numbers below @first and from @end on have none. */
static const struct words {
    const char *what;
    const char *(*name)(int number);
    int first;
    int end;
} words[] = {
    { "kind", fan_kind_name, 1, FAN_KIND_COUNT },
    { "lane", fan_lane_name, 1, FAN_LANE_COUNT },
    { "message state", fan_message_state_name, 0, FAN_MESSAGE_STATE_COUNT },
    { "progress", fan_progress_name, 0, FAN_PROGRESS_READ + 1 },
    { "chunk state", fan_chunk_state_name, 0, FAN_CHUNK_DONE + 1 },
    { "run state", fan_run_state_name, 0, FAN_RUN_STATE_COUNT },
    { "campaign state", fan_campaign_state_name, 0, FAN_CAMPAIGN_STATE_COUNT },
    { "outcome class", fan_outcome_class_name, 1, FAN_OUTCOME_CLASS_COUNT },
    { "reason", fan_reason_name, 1, FAN_REASON_COUNT },
    { "import state", fan_import_state_name, 0, FAN_IMPORT_STATE_COUNT },
    { "health state", fan_health_state_name, 0, FAN_HEALTH_STATE_COUNT },
    { "health reason", fan_health_reason_name, 1, FAN_HEALTH_REASON_COUNT },
    { "retry preset", fan_retry_preset_name, 1, FAN_RETRY_PRESET_COUNT },
};

/* FAN_MESSAGE_UNKNOWN is truly called so. */
static bool has_word(const struct words *set, int number)
{
    return strcmp(set->name(number), "unknown") != 0 ||
            (set->name == fan_message_state_name && number == FAN_MESSAGE_UNKNOWN);
}

static void every_number_has_a_word_of_its_own(void **state)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (int n = words[i].first; n < words[i].end; n++) {
            assert_true(has_word(&words[i], n));
            for (int other = words[i].first; other < n; other++)
                assert_string_not_equal(words[i].name(n), words[i].name(other));
        }
    }
}

static void other_numbers_are_unknown(void **state)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_string_equal(words[i].name(-1), "unknown");
        assert_string_equal(words[i].name(words[i].end), "unknown");
        assert_string_equal(words[i].name(1 << 30), "unknown");
        if (words[i].first == 1)
            assert_string_equal(words[i].name(0), "unknown");
    }
}

static void a_word_gives_its_number_back(void **state)
{
    for (int n = 1; n < FAN_KIND_COUNT; n++)
        assert_int_equal(fan_kind_of(fan_bytes_of(fan_kind_name(n))), n);
    for (int n = 0; n < FAN_MESSAGE_STATE_COUNT; n++)
        assert_int_equal(fan_message_state_of(fan_bytes_of(fan_message_state_name(n))), n);
    for (int n = 0; n < FAN_CAMPAIGN_STATE_COUNT; n++)
        assert_int_equal(fan_campaign_state_of(fan_bytes_of(fan_campaign_state_name(n))), n);
}

static void what_is_no_word_has_no_number(void **state)
{
    assert_int_equal(fan_kind_of(FAN_LIT("fax")), -1);
    assert_int_equal(fan_kind_of(FAN_LIT("unknown")), -1);
    assert_int_equal(fan_kind_of(FAN_LIT("SMS")), -1);
    assert_int_equal(fan_kind_of(FAN_LIT("smsx")), -1);
    assert_int_equal(fan_kind_of(FAN_NO_BYTES), -1);
    assert_int_equal(fan_message_state_of(FAN_LIT("sent ")), -1);
    assert_int_equal(fan_campaign_state_of(FAN_LIT("")), -1);
}

/* Rows hold these numbers: the order of an enumeration cannot change. */
static void stored_numbers_stay_what_they_are(void **state)
{
    assert_int_equal(fan_kind_of(FAN_LIT("chat")), 7);
    assert_int_equal(fan_message_state_of(FAN_LIT("unknown")), 2);
    assert_int_equal(fan_message_state_of(FAN_LIT("expired")), 8);
    assert_int_equal(fan_campaign_state_of(FAN_LIT("cancelled")), 7);
    assert_string_equal(fan_run_state_name(5), "cancelled");
    assert_string_equal(fan_chunk_state_name(3), "done");
    assert_string_equal(fan_outcome_class_name(7), "channel_pause");
    assert_string_equal(fan_reason_name(11), "expired");
    assert_string_equal(fan_import_state_name(3), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_a_word_of_its_own),
        cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(a_word_gives_its_number_back),
        cmocka_unit_test(what_is_no_word_has_no_number),
        cmocka_unit_test(stored_numbers_stay_what_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
