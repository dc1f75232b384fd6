/* sql/store/lost: whose a message is that a provider has, on a real database as the sender's role.
 */
#include "sql/store/lost.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

static struct world w;
static fan_id lost, other; /* two messages with one text to one person */

static int make(void **state)
{
    world_open(&w);
    lost = fan_message_id(world_chunk(&w, 1, 1), 0);
    other = fan_message_id(world_chunk(&w, 2, 1), 0);
    world_exec(&w, "UPDATE message SET contact_id = 1, body = 'Hello'");
    world_exec(&w, "UPDATE message SET state = 2 WHERE id = %lld", (long long)lost);
    return 0;
}

static int drop(void **state)
{
    world_close(&w);
    return 0;
}

static bool is_its(void)
{
    bool out;

    assert_int_equal(fan_lost_is_its(w.sender, 1, lost, FAN_LIT("SM1"), w.arena, &out, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.sender, &w.why), FAN_OK);
    return out;
}

static void what_is_found_is_the_lost_ones_only_when_no_other_can_be_meant(void **state)
{
    static const struct {
        const char *other;
        bool is_its;
    } cases[] = {
        { "state = 0, provider_id = NULL", false },  /* under way */
        { "state = 2, provider_id = NULL", false },  /* in doubt, as we are */
        { "state = 7, provider_id = NULL", false },  /* for ever */
        { "state = 3, provider_id = 'SM1'", false }, /* its own */
        { "state = 3, provider_id = NULL", false },  /* a callback said so, and nobody its id */
        { "state = 3, provider_id = 'SM2', attempt = 1", false }, /* and the one before? */
        { "state = 3, provider_id = 'SM2', attempt = 0", true },
        { "state = 5, provider_id = NULL", true }, /* it never left */
        { "state = 0, body = 'Good morning'", true },
        { "state = 0, contact_id = 2, body = 'Hello'", true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world_exec(&w, "UPDATE message SET %s WHERE id = %lld", cases[i].other, (long long)other);
        assert_int_equal(is_its(), cases[i].is_its);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_the_lost_ones_only_when_no_other_can_be_meant),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
