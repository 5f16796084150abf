/*
 * UTF-8 and the width of text in terminal cells (utf8proc's tables).
 */
#ifndef GPTSCOPE_BASE_UTF8_H
#define GPTSCOPE_BASE_UTF8_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point of at most n bytes. Returns its length in bytes; 0 when the bytes are
 * not valid UTF-8 (overlong, surrogate, above U+10FFFF, cut off) or n is 0. */
int utf8_decode(const char *s, size_t n, uint32_t *cp);
int utf8_encode(uint32_t cp, char out[4]); /* bytes written, 1 to 4 */
bool utf8_valid(const char *s, size_t n);
/* How many bytes at the end of s[0..n) are the beginning of a character that is not complete.
 */
size_t utf8_tail(const char *s, size_t n);
/* Adds the bytes as UTF-8: exact, but a NUL or a byte that is not part of a whole character is
 * written as \xNN. */
void utf8_print(const char *s, size_t n, struct str *out);

int utf8_cp_width(uint32_t cp);          /* 0, 1 or 2 cells */
int utf8_width(const char *s, size_t n); /* cells of a valid, safe string */
/* Bytes of the longest prefix that fits in `cells` cells; *used gets its width (may be NULL).
 */
size_t utf8_fit(const char *s, size_t n, int cells, int *used);

#endif
