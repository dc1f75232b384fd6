#include "broker/runtime/endpoint.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void each_endpoint_follows_from_the_base(void **state)
{
    static const struct {
        const char *base;
        enum fan_endpoint which;
        uint32_t worker;
        const char *name; /* NULL: refused */
    } cases[] = {
        { "ipc:///run/b", FAN_ENDPOINT_IN, 0, "ipc:///run/b.in" },
        { "ipc:///run/b", FAN_ENDPOINT_PUB, 0, "ipc:///run/b.pub" },
        { "ipc:///run/b", FAN_ENDPOINT_BUS, 0, "ipc:///run/b.bus" },
        { "ipc:///run/b", FAN_ENDPOINT_WORKER, 7, "ipc:///run/b.w7" },
        { "tcp://10.0.0.1:5550", FAN_ENDPOINT_IN, 0, "tcp://10.0.0.1:5550" },
        { "tcp://10.0.0.1:5550", FAN_ENDPOINT_PUB, 0, "tcp://10.0.0.1:5551" },
        { "tcp://10.0.0.1:5550", FAN_ENDPOINT_BUS, 0, "tcp://10.0.0.1:5552" },
        { "tcp://[::1]:5550", FAN_ENDPOINT_WORKER, 0, "tcp://[::1]:5560" },
        { "tcp://host:65530", FAN_ENDPOINT_WORKER, 0, NULL },
        { "tcp://host:0", FAN_ENDPOINT_IN, 0, NULL },
        { "tcp://host:70000", FAN_ENDPOINT_IN, 0, NULL },
        { "tcp://host", FAN_ENDPOINT_IN, 0, NULL },
        { "tcp://:5550", FAN_ENDPOINT_IN, 0, NULL },
        { "ipc://", FAN_ENDPOINT_IN, 0, NULL },
        { "ipc:///tmp/0123456789012345678901234567890123456789012345678901234567890123456789"
          "012345678901234567890123456789",
                FAN_ENDPOINT_IN, 0, NULL },
        { "inproc://b", FAN_ENDPOINT_IN, 0, NULL },
        { "", FAN_ENDPOINT_IN, 0, NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[FAN_ENDPOINT_TEXT];
        struct fan_why why;
        enum fan_err err = fan_endpoint_name(fan_bytes_of(cases[i].base), cases[i].which,
                cases[i].worker, name, &why);

        assert_int_equal(err, cases[i].name ? FAN_OK : FAN_INVALID);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
    }
}

static void the_ports_above_a_base_bound_its_workers(void **state)
{
    assert_int_equal(fan_endpoint_workers(FAN_LIT("tcp://host:65500")), 25);
    assert_int_equal(fan_endpoint_workers(FAN_LIT("tcp://host:65530")), 0);
    assert_true(fan_endpoint_workers(FAN_LIT("ipc:///run/b")) > 1000);
}

static void an_endpoint_on_every_interface_is_seen_at_the_broker_s_host(void **state)
{
    static const char *const cases[][3] = {
        { "tcp://broker-1:5550", "tcp://*:5563", "tcp://broker-1:5563" },
        { "tcp://broker-1:5550", "tcp://0.0.0.0:5563", "tcp://broker-1:5563" },
        { "tcp://[fd00::1]:5550", "tcp://[::]:5563", "tcp://[fd00::1]:5563" },
        { "tcp://broker-1:5550", "tcp://10.0.0.9:5563", "tcp://10.0.0.9:5563" },
        { "ipc:///run/b", "ipc:///run/b.w3", "ipc:///run/b.w3" },
        { "ipc:///run/b", "", "" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char seen[FAN_ENDPOINT_TEXT];

        fan_endpoint_seen_from(fan_bytes_of(cases[i][0]), fan_bytes_of(cases[i][1]), seen);
        assert_string_equal(seen, cases[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_endpoint_follows_from_the_base),
        cmocka_unit_test(the_ports_above_a_base_bound_its_workers),
        cmocka_unit_test(an_endpoint_on_every_interface_is_seen_at_the_broker_s_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
