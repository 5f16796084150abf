/*
 * Breaking text into lines of so many cells. A line ends at a blank, or between wide characters
 * (Chinese has no blanks), but not before closing and after opening punctuation; a word that is
 * wider than the line is cut.
 *
 *     for (const char *p = text; *p; p = next)
 *         n = wrap_line(p, strlen(p), cells, &next);      // p[0..n) is a line
 */
#ifndef GPTSCOPE_BASE_WRAP_H
#define GPTSCOPE_BASE_WRAP_H

#include "base/str.h"

#include <stddef.h>

/* Bytes of the first line of s[0..n), a valid, safe string; a newline ends it, too. *next gets
 * where the line after it begins. cells is at least 2. */
size_t wrap_line(const char *s, size_t n, int cells, const char **next);
/* Breaks the lines of a list that are wider than cells, all from out->text[from] on, valid and
 * safe; what follows of a line stands below its last column: the text after a gap of two
 * blanks. */
void wrap_rows(struct str *out, size_t from, int cells);

#endif
