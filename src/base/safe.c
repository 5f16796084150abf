#include "base/safe.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#define MARKS_MAX 4

struct range {
    uint32_t first, last;
};

/* Marks and letters that draw nothing (Unicode: Default_Ignorable_Code_Point; format
 * characters are known by their category). A variation selector is here because terminals
 * disagree about the width of what it follows. */
static const struct range INVISIBLE[] = {
    {0x034f, 0x034f}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},
    {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xffa0, 0xffa0}, {0xe0100, 0xe01ef},
};

bool safe_visible(uint32_t cp)
{
    if (cp < 0x7f)
        return cp >= 0x20;
    if (cp < 0xa0)
        return false;
    for (size_t i = 0; i < sizeof INVISIBLE / sizeof *INVISIBLE; i++) {
        if (cp >= INVISIBLE[i].first && cp <= INVISIBLE[i].last)
            return false;
    }
    switch (utf8proc_category((utf8proc_int32_t) cp)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return true;
    }
}

/* The visible form of a code point that is not: \n \x1b \u202e \U000e0001. */
static size_t escape(char out[16], uint32_t cp)
{
    const char *fmt = cp < 0x80 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x";

    if (cp == '\n' || cp == '\t' || cp == '\r')
        return (size_t) snprintf(out, 16, "\\%c", cp == '\n' ? 'n' : cp == '\t' ? 't' : 'r');
    return (size_t) snprintf(out, 16, fmt, (unsigned) cp);
}

/*
 * One step: reads the character at s (n > 0), writes its safe form, which may be empty, to out
 * and its length to *n_out. Returns how many bytes were read. *marks counts the combining marks
 * seen in a row.
 */
static size_t safe_step(const char *s, size_t n, enum safe_space space, int *marks,
                        char out[16], size_t *n_out)
{
    uint32_t cp;
    int len = utf8_decode(s, n, &cp);

    if (len == 0) {
        *marks = 0;
        *n_out = (size_t) snprintf(out, 16, "\\x%02x", (unsigned) (unsigned char) s[0]);
        return 1;
    }
    *marks = safe_visible(cp) && utf8_cp_width(cp) == 0 ? *marks + 1 : 0;
    if (!safe_visible(cp)) {
        *n_out = escape(out, cp);
    } else if (*marks > MARKS_MAX) {
        *n_out = 0;
    } else if (cp == ' ' && space == SAFE_SPACE_DOT) {
        *n_out = (size_t) utf8_encode(0xb7, out);
    } else {
        memcpy(out, s, (size_t) len);
        *n_out = (size_t) len;
    }
    return (size_t) len;
}

void safe_add(struct str *out, const char *bytes, size_t n, enum safe_space space)
{
    char piece[16];
    int marks = 0;

    str_add(out, "", 0);
    for (size_t at = 0; at < n;) {
        size_t n_piece;
        at += safe_step(bytes + at, n - at, space, &marks, piece, &n_piece);
        str_add(out, piece, n_piece);
    }
}

void safe_copy(char *out, size_t size, const char *bytes, size_t n, enum safe_space space)
{
    size_t used = 0;
    char piece[16];
    int marks = 0;

    for (size_t at = 0; at < n;) {
        size_t n_piece;
        at += safe_step(bytes + at, n - at, space, &marks, piece, &n_piece);
        if (n_piece >= size - used)
            break;
        memcpy(out + used, piece, n_piece);
        used += n_piece;
    }
    out[used] = '\0';
}
