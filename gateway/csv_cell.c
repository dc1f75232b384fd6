#include "gateway/csv_cell.h"

/* A spreadsheet would run a cell that begins like a formula; a quote in front makes it text. A text
 * that looks quoted like that already gets another one, so that one can be taken away again. */
static bool is_formula(struct fan_bytes cell)
{
    while (cell.len && cell.at[0] == '\'') {
        cell.at++;
        cell.len--;
    }
    return cell.len && cell.at[0] && strchr("=+-@\t\r", cell.at[0]);
}

void csv_cell_add(struct fan_buffer *out, struct fan_bytes cell)
{
    fan_buffer_add_char(out, '"');
    if (is_formula(cell))
        fan_buffer_add_char(out, '\'');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.at[i] == '"')
            fan_buffer_add_char(out, '"');
        fan_buffer_add_char(out, cell.at[i]);
    }
    fan_buffer_add_char(out, '"');
}

struct fan_bytes csv_cell_plain(struct fan_bytes cell)
{
    if (cell.len > 1 && cell.at[0] == '\'' && is_formula(cell))
        return (struct fan_bytes){ .at = cell.at + 1, .len = cell.len - 1 };
    return cell;
}
