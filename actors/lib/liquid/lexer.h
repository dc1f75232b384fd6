/*
 * lexer — the inside of an output or a tag, cut into tokens.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_LEXER_H
#define FAN_ACTORS_LIB_LIQUID_LEXER_H

#include "proto/bytes.h"

enum fan_token_type {
    FAN_TOKEN_END,
    FAN_TOKEN_ID,
    FAN_TOKEN_STRING, /* its quotes are part of the text */
    FAN_TOKEN_NUMBER,
    FAN_TOKEN_COMPARE, /* == != <> < > <= >= contains */
    FAN_TOKEN_DOTDOT,
    FAN_TOKEN_PIPE,
    FAN_TOKEN_DOT,
    FAN_TOKEN_COLON,
    FAN_TOKEN_COMMA,
    FAN_TOKEN_OPEN_SQUARE,
    FAN_TOKEN_CLOSE_SQUARE,
    FAN_TOKEN_OPEN_ROUND,
    FAN_TOKEN_CLOSE_ROUND,
    FAN_TOKEN_WRONG, /* a character that begins no token */
};

struct fan_token {
    enum fan_token_type type;
    struct fan_bytes text;
};

struct fan_lexer {
    struct fan_bytes rest;
    struct fan_token token; /* the one at hand */
    struct fan_token next;  /* the one behind it */
};

void fan_lexer_begin(struct fan_lexer *lexer, struct fan_bytes text);
/** Go on to the next token. */
void fan_lexer_step(struct fan_lexer *lexer);

#endif
