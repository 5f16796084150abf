/*
 * What the map and the program view share: where the pass stands, the op under the cursor,
 * breakpoints, shapes.
 */
#ifndef GPTSCOPE_VIEW_OPS_H
#define GPTSCOPE_VIEW_OPS_H

#include "view/view.h"

/* Ops done, in the pass there is or the one that comes next; all when all is computed. */
int ops_done(const struct session *s);
/* STYLE_DONE, STYLE_CURRENT or STYLE_TODO of the ops [op, end). */
enum style ops_style(const struct session *s, int op, int end);
/* "✓", "▶" or " " by that style. */
const char *ops_style_mark(enum style style);
/* The op's mark: "●" a breakpoint, "○" one with a condition, " " none. */
const char *ops_break_mark(const struct session *s, int op);
/* "8×10×10": what the op makes in this pass or the next one. Returns out. */
char *ops_shape(const struct session *s, int op, char *out, size_t size);
/* A few words about an op for the message line. */
void ops_tip(const struct session *s, int op, char *out, size_t size);
/* Paints a row that the cursor is on. */
void ops_paint_cursor(struct canvas *c, struct rect r, int y);

#endif
