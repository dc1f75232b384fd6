/* What dead senders left, and its replay in the order of actors/sender/replay.c. */
#include "tests/sim/sender.h"

#include <stdlib.h>

/* Pages are lost, each by itself. */
static void lose_power(struct sim *sim, struct sim_grave *grave)
{
    grave->same_boot = false;
    sim->lost++;
    for (uint32_t p = 0; p < grave->slot->size; p++) {
        if (sim_chance(sim, 400))
            memset(&grave->slot->records[p], 0, sizeof grave->slot->records[p]);
    }
}

void grave_bury(struct sim *sim, struct journal_slot *slot, uint64_t owner)
{
    struct sim_grave *grave = &sim->grave[sim->graves];

    if (sim->graves == SIM_GRAVES || sim_chance(sim, 100)) { /* the host is gone with its disk */
        free(slot);
        sim->lost++;
        return;
    }
    sim->graves++;
    *grave = (struct sim_grave){ .slot = slot, .owner = owner, .same_boot = true };
    if (sim_chance(sim, 150))
        lose_power(sim, grave);
}

static struct sim_grave *grave_of(struct sim *sim, const struct journal_slot *slot)
{
    for (int i = 0; i < sim->graves; i++) {
        if (sim->grave[i].slot == slot)
            return &sim->grave[i];
    }
    return NULL;
}

static void submit_replay(struct sim *sim, int index, const struct sim_grave *grave,
        enum tx_kind kind)
{
    const struct journal_slot *slot = grave->slot;
    const struct fan_claim claim = { 1, slot->chunk, slot->epoch, grave->owner,
        slot->is_retry != 0 };
    struct tx *tx = tx_new(&claim, kind);

    for (uint32_t p = 0; p < journal_opened(slot); p++) {
        enum fan_message_state state =
                journal_says(slot, p, grave->same_boot, kind == TX_REPLAY_SAY);
        const struct journal_record *record = &slot->records[p];
        bool unsaid = record->word == JOURNAL_NOTHING || record->state != state;
        if (state)
            tx->words[tx->words_len++] =
                    (struct row_word){ slot->items[p], state, 0, unsaid || record->free };
    }
    tx->slot = grave->slot;
    if (kind == TX_REPLAY_END) {
        tx->close = tx->words_len ? 0 : NONE;
        tx->release = 0;
        tx->release_to = grave->same_boot ? (int)journal_begun(slot) : -1;
    }
    tx_submit(sim, index, 0, tx);
}

void grave_read(struct sim *sim, int index, const struct tx *tx)
{
    struct sim_grave *grave = grave_of(sim, tx->slot);

    if (!grave || grave->reader != sim->worker[index].life)
        return;
    if (tx->err) {
        grave->reader = 0;
    } else if (tx->kind == TX_REPLAY_END) {
        submit_replay(sim, index, grave, TX_REPLAY_SAY);
    } else {
        free(grave->slot);
        *grave = sim->grave[--sim->graves];
    }
}

static bool lives(const struct sim *sim, uint64_t life)
{
    for (int i = 0; i < SIM_SENDERS && life; i++) {
        if (sim->worker[i].life == life)
            return true;
    }
    return false;
}

void grave_replay_one(struct sim *sim, int index)
{
    for (int i = 0; i < sim->graves; i++) {
        struct sim_grave *grave = &sim->grave[i];

        if (grave->reader && lives(sim, grave->reader))
            continue;
        grave->reader = sim->worker[index].life;
        submit_replay(sim, index, grave, TX_REPLAY_END);
        return;
    }
}
