#include "actors/cli/supervise.h"

#include "proto/err.h"

uint32_t fan_backoff_ms(uint32_t failures, uint32_t most_ms, uint32_t random)
{
    uint32_t doubled = failures > 1 ? failures - 1 : 0;
    uint32_t pause = most_ms;

    if (doubled < 8 && (uint32_t)FAN_BACKOFF_LEAST_MS << doubled < most_ms)
        pause = FAN_BACKOFF_LEAST_MS << doubled;
    return pause - pause / 5 + random % (2 * pause / 5 + 1);
}

void fan_slot_init(struct fan_slot *slot, struct fan_slot_rules rules)
{
    *slot = (struct fan_slot){ .rules = rules, .state = FAN_SLOT_WAITING };
}

static void enter(struct fan_slot *slot, enum fan_slot_state state, fan_time now)
{
    slot->state = state;
    slot->since = now;
}

static bool running(const struct fan_slot *slot)
{
    return slot->pid != 0;
}

void fan_slot_started(struct fan_slot *slot, pid_t pid, fan_time now)
{
    FAN_ASSERT(slot->state == FAN_SLOT_WAITING);
    slot->pid = pid;
    slot->started = now;
    slot->killed = false;
    enter(slot, FAN_SLOT_STARTING, now);
}

void fan_slot_ready(struct fan_slot *slot, fan_time now)
{
    if (slot->state == FAN_SLOT_STARTING && !slot->rules.once)
        enter(slot, FAN_SLOT_READY, now);
}

void fan_slot_stopping(struct fan_slot *slot, fan_time now)
{
    enter(slot, running(slot) ? FAN_SLOT_STOPPING : FAN_SLOT_DONE, now);
}

void fan_slot_ended(struct fan_slot *slot, bool well, fan_time now, uint32_t random)
{
    bool was_healthy = running(slot) && now - slot->started >= FAN_HEALTHY_AFTER;

    slot->pid = 0;
    if (slot->state == FAN_SLOT_STOPPING || (well && slot->rules.once)) {
        enter(slot, FAN_SLOT_DONE, now);
        return;
    }
    slot->failures = was_healthy ? 1 : slot->failures + 1;
    slot->restarts++;
    slot->not_before =
            now + fan_backoff_ms(slot->failures, slot->rules.restart_ms, random) * FAN_MS;
    enter(slot, FAN_SLOT_WAITING, now);
}

static bool open_gate(const struct fan_slot *slot)
{
    return slot->state == (slot->rules.once ? FAN_SLOT_DONE : FAN_SLOT_READY);
}

bool fan_slot_may_start(const struct fan_slot *slots, size_t count, size_t i, fan_time now)
{
    if (slots[i].state != FAN_SLOT_WAITING || now < slots[i].not_before)
        return false;
    for (size_t k = 0; k < count; k++) {
        const struct fan_slot_rules *other = &slots[k].rules;

        if (other->gate && other->wave < slots[i].rules.wave && !open_gate(&slots[k]))
            return false;
    }
    return true;
}

bool fan_slots_ready(const struct fan_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i].state != FAN_SLOT_READY && slots[i].state != FAN_SLOT_DONE)
            return false;
    }
    return true;
}

bool fan_slot_may_stop(const struct fan_slot *slots, size_t count, size_t i)
{
    if (slots[i].state == FAN_SLOT_STOPPING || slots[i].state == FAN_SLOT_DONE)
        return false;
    for (size_t k = 0; k < count; k++) {
        if (slots[k].rules.leave < slots[i].rules.leave && running(&slots[k]))
            return false;
    }
    return true;
}

bool fan_slot_overdue(const struct fan_slot *slot, fan_time now)
{
    return slot->state == FAN_SLOT_STOPPING && running(slot) &&
            now - slot->since >= slot->rules.stop_ms * FAN_MS;
}

bool fan_slots_gone(const struct fan_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (running(&slots[i]))
            return false;
    }
    return true;
}

bool fan_slot_storm(const struct fan_slot *slot)
{
    return slot->failures >= FAN_STORM_FAILURES;
}

const char *fan_slot_state_name(enum fan_slot_state state)
{
    static const char *const names[] = { "unknown", "waiting", "starting", "ready", "stopping",
        "done" };

    return names[state <= FAN_SLOT_DONE ? state : 0];
}
