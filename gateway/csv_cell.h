/*
 * csv_cell — writing CSV that spreadsheets open and do not run.
 */
#ifndef FAN_GATEWAY_CSV_CELL_H
#define FAN_GATEWAY_CSV_CELL_H

#include "proto/buffer.h"

/** Add a quoted cell; one that a spreadsheet would take for a formula begins with a quote mark. */
void csv_cell_add(struct fan_buffer *out, struct fan_bytes cell);

/** What csv_cell_add was given, of a cell that was read. */
struct fan_bytes csv_cell_plain(struct fan_bytes cell);

#endif
