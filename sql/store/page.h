/*
 * store/page — which part of a list is wanted.
 */
#ifndef FAN_SQL_STORE_PAGE_H
#define FAN_SQL_STORE_PAGE_H

#include <stdint.h>

struct fan_page {
    int64_t limit;  /* rows */
    int64_t offset; /* rows before them */
};

#endif
