/*
 * A line that is being edited: text and a cursor that moves by whole characters as a reader
 * sees them (grapheme clusters). Knows nothing of terminals: keys come by name.
 *
 *     struct line_edit l = LINE_EDIT_INIT;
 *     line_edit_set(&l, "set temp ");
 *     if (line_edit_key(&l, "C-w", "")) ...
 *     line_edit_release(&l);
 */
#ifndef GPTSCOPE_UI_LINE_EDIT_H
#define GPTSCOPE_UI_LINE_EDIT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct line_edit {
    struct str text; /* valid UTF-8; may hold \n and \t */
    size_t at;       /* byte of the cursor, at the begin of a character */
};
#define LINE_EDIT_INIT                                                                         \
    {                                                                                          \
        STR_INIT, 0                                                                            \
    }

void line_edit_release(struct line_edit *l);
void line_edit_set(struct line_edit *l, const char *text); /* the cursor at its end */
void line_edit_insert(struct line_edit *l, const char *text, size_t n);
/* Puts text in place of the n bytes before the cursor. */
void line_edit_replace(struct line_edit *l, size_t n, const char *text);
/* A key that edits or moves, or `typed` when it is not "". False: it is none of these. */
bool line_edit_key(struct line_edit *l, const char *key, const char *typed);

/* What is shown: line ends as ↵ and tabs as →, other characters that cannot be shown as
 * escapes (base/safe.h). Returns the byte in `out` where the cursor is. */
size_t line_edit_show(const struct line_edit *l, struct str *out);

#endif
