#include "sql/store/waiting.h"

#include "sql/queries.h"

enum { AT_ONCE = 100 };

enum fan_err fan_imports_waiting(struct fan_db *db, struct fan_arena *arena,
        const struct fan_waiting_import **out, size_t *count, struct fan_why *why)
{
    struct fan_waiting_import *waiting;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *count = 0;
    fan_args_begin(&args, arena);
    fan_arg_i64(&args, 1 * FAN_SECOND);
    fan_arg_i64(&args, AT_ONCE);
    err = fan_db_run(db, &fan_q_waiting_imports, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = waiting = fan_arena_array(arena, *count, sizeof *waiting);
    for (int i = 0; i < rows.count; i++)
        waiting[i] =
                (struct fan_waiting_import){ fan_row_i64(&rows, i, 0), fan_row_i64(&rows, i, 1) };
    return FAN_OK;
}
