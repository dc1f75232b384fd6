#include "sql/store/upkeep.h"

#include "sql/queries.h"

void fan_upkeep_add_analyze(struct fan_batch *batch)
{
    struct fan_args args;

    fan_args_begin(&args, fan_batch_arena(batch));
    fan_batch_add(batch, &fan_q_upkeep_analyze, &args);
}
