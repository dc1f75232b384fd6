#include "actors/lib/liquid/lexer.h"

#include "actors/lib/liquid/scan.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char at(struct fan_bytes text, size_t place)
{
    return place < text.len ? text.at[place] : '\0';
}

static size_t number_length(struct fan_bytes text)
{
    size_t len = *text.at == '-' ? 1 : 0;

    while (is_digit(at(text, len)))
        len++;
    if (at(text, len) == '.' && is_digit(at(text, len + 1)))
        for (len++; is_digit(at(text, len));)
            len++;
    return len;
}

static size_t id_length(struct fan_bytes text)
{
    size_t len = 0;

    while (len < text.len && (fan_scan_is_word(text.at[len]) || text.at[len] == '-'))
        len++;
    return len + (at(text, len) == '?');
}

static size_t string_length(struct fan_bytes text)
{
    const char *end = memchr(text.at + 1, *text.at, text.len - 1);

    return end ? (size_t)(end - text.at) + 1 : 0;
}

static size_t compare_length(struct fan_bytes text)
{
    static const char *const words[] = { "==", "!=", "<>", "<=", ">=", "<", ">" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (fan_bytes_starts(text, fan_bytes_of(words[i])))
            return strlen(words[i]);
    if (fan_bytes_starts(text, FAN_LIT("contains")) && fan_scan_is_space(at(text, 8)))
        return 8;
    return 0;
}

static struct fan_token token(enum fan_token_type type, struct fan_bytes text, size_t len)
{
    return (struct fan_token){ len ? type : FAN_TOKEN_WRONG, { text.at, len ? len : 1 } };
}

static struct fan_token mark(struct fan_bytes text)
{
    static const char marks[] = "|.:,[]()";
    const char *found = *text.at ? strchr(marks, *text.at) : NULL;

    if (fan_bytes_starts(text, FAN_LIT("..")))
        return token(FAN_TOKEN_DOTDOT, text, 2);
    return token((enum fan_token_type)(FAN_TOKEN_PIPE + (found ? found - marks : 0)), text,
            found ? 1 : 0);
}

static struct fan_token read(struct fan_bytes text)
{
    size_t compare;
    char c = at(text, 0);

    if (!text.len)
        return (struct fan_token){ .type = FAN_TOKEN_END };
    compare = compare_length(text);
    if (compare)
        return token(FAN_TOKEN_COMPARE, text, compare);
    if (c == '\'' || c == '"')
        return token(FAN_TOKEN_STRING, text, string_length(text));
    if (is_digit(c) || (c == '-' && is_digit(at(text, 1))))
        return token(FAN_TOKEN_NUMBER, text, number_length(text));
    if (fan_scan_is_word(c))
        return token(FAN_TOKEN_ID, text, id_length(text));
    return mark(text);
}

void fan_lexer_step(struct fan_lexer *lexer)
{
    lexer->token = lexer->next;
    while (lexer->rest.len && fan_scan_is_space(*lexer->rest.at))
        lexer->rest.at++, lexer->rest.len--;
    lexer->next = read(lexer->rest);
    lexer->rest.at += lexer->next.text.len;
    lexer->rest.len -= lexer->next.text.len;
}

void fan_lexer_begin(struct fan_lexer *lexer, struct fan_bytes text)
{
    *lexer = (struct fan_lexer){ .rest = text };
    fan_lexer_step(lexer);
    fan_lexer_step(lexer);
}
