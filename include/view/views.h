/*
 * The views' drawing functions, one file each (src/view/view_NAME.c); view_table in view.c
 * lists them.
 */
#ifndef GPTSCOPE_VIEW_VIEWS_H
#define GPTSCOPE_VIEW_VIEWS_H

#include "view/view.h"

typedef void view_draw(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r);
typedef void view_title(const struct session *s, char *out, size_t size);
typedef void view_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                      struct rect r, int x, int y, struct hit *h);

view_draw map_draw, attention_draw, heads_draw, logits_draw, explain_draw, program_draw,
    cache_draw, mlp_draw, tensor_draw, model_draw, tokens_draw, log_draw, help_draw;
view_hit explain_hit, logits_hit, map_hit, mlp_hit, program_hit, tensor_hit, cache_hit;
view_hit model_hit;
view_title attention_title, explain_title;
view_title heads_title;
view_hit attention_hit, heads_hit;
view_draw compare_draw;
view_title compare_title;
view_hit compare_hit;
view_draw residual_draw;
view_title residual_title;
view_hit residual_hit;
view_draw lesson_draw;
view_title lesson_title;
view_hit lesson_hit;
/* Rows that the open lesson wants, frame included, in a window w wide with h rows for panels.
 */
int lesson_height(const struct session *s, int w, int h);

/* The token strip of the screen: all of r, scrolled around the cursor. After each token its
 * surprisal, as part of log(n_vocab): that of a guess. */
void tokens_draw_strip(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r);
/* How the cursor's word is merged from its first pieces; the row st->scroll is chosen. */
void merges_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r);
/* Lines that the strip wants at this width, at most `most`. */
int tokens_strip_height(const struct session *s, int w, int most);

void tokens_strip_hit(const struct session *s, const struct screen *st, struct rect r, int x,
                      int y, struct hit *h);

typedef void view_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                      struct rect r, int x, int y, struct hit *h);
view_hit tokens_hit, log_hit, help_hit;

/* The line being edited, in the rows above the footer. */
void entry_draw(const struct screen *st, struct canvas *c);

/* The footer: its keys, and the one drawn at column x (NULL: none) on a screen w wide. */
void footer_draw(const struct screen *st, struct canvas *c, struct rect line);
const struct hint *footer_at(const struct screen *st, int w, int x);

/* Whether a key does in this view what h says: it is the view's own, or everywhere and the
 * view has no other use for it. */
bool hint_holds(const struct hint *all, const struct hint *h, const char *view);

/* The value that the tensor view shows: the one chosen, or what the last op made. */
int tensor_value(const struct session *s, const struct screen *st);

/* Lines that the heads view has a use for at this width. */
int heads_lines(const struct session *s, int w);
/* Text in lines of at most r.w cells, broken at spaces; returns the lines used.
 * c may be NULL: then they are only counted. */
int draw_paragraph(struct canvas *c, struct rect r, int x, int y, enum style style,
                   const char *text);
/* First row to show of n in h rows: `want` and what the user has scrolled this view by. */
int scroll_rows(const struct screen *st, const char *view, int want, int n, int h);
/* First row to show of n, in a panel of h rows, so that row `at` is well inside. */
int scroll_around(int at, int n, int h);

#endif
