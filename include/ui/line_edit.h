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

struct line_edit_state; /* a text and a cursor to come back to */

struct line_edit {
    struct str text; /* valid UTF-8; may hold \n and \t */
    size_t at;       /* byte of the cursor, at the begin of a character */

    struct str killed; /* what was cut out last, for C-y */
    struct line_edit_state *undo;
    int n_undo, cap_undo;
    int typed;    /* characters typed since the last state was kept */
    bool cutting; /* the last key cut: the next one adds to `killed` */
};
#define LINE_EDIT_INIT                                                                         \
    {                                                                                          \
        STR_INIT, 0, STR_INIT, NULL, 0, 0, 0, false                                            \
    }

void line_edit_release(struct line_edit *l);
/* The cursor at its end; what was before can be got back by undoing. */
void line_edit_set(struct line_edit *l, const char *text);
void line_edit_forget(struct line_edit *l); /* nothing to undo */
void line_edit_insert(struct line_edit *l, const char *text, size_t n);
void line_edit_paste(struct line_edit *l, const char *text,
                     size_t n); /* can be undone as one */
/* Puts text in place of the n bytes before the cursor. */
void line_edit_replace(struct line_edit *l, size_t n, const char *text);
/* A key that edits or moves, or `typed` when it is not "". False: it is none of these, or there
 * is no line above or below to go to. */
bool line_edit_key(struct line_edit *l, const char *key, const char *typed);

/* What is shown: line ends as ↵ and a line end, tabs as →, other characters that cannot be
 * shown as escapes (base/safe.h). Returns the byte in `out` where the cursor is. */
size_t line_edit_show(const struct line_edit *l, struct str *out);
/* Puts the cursor on the character that byte `at` of what is shown belongs to. */
void line_edit_point(struct line_edit *l, size_t at);

#endif
