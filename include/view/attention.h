/*
 * Parts of the attention view: how the map lies in its panel, what a cell means, and the inset
 * with legend, cursor and magnifier in the triangle that the causal mask leaves empty.
 *
 *     label  key names or ruler
 *     0 Tom  1.0  ∙   ∙   ┌──────────┐
 *     1 gave .93 .07  ∙   │ inset    │
 *     2 the  .71 .20 .09  └──────────┘
 *     legend, where there is no inset
 */
#ifndef GPTSCOPE_VIEW_ATTENTION_H
#define GPTSCOPE_VIEW_ATTENTION_H

#include "view/cache.h"
#include "view/draw.h"
#include "view/view.h"

struct attn_fit {
    struct attn_want want; /* pixels that fit, and where a window begins */
    int cell;              /* columns a value */
    bool number;           /* written out */
    bool half;             /* two queries a line */
    int label;             /* columns for the queries' names */
    int legend;            /* lines below the map */
    struct rect inset;     /* w 0: none */
    int magnified;         /* cells a side in the inset: 0, 3 or 5 */
};
void attention_fit(struct attn_fit *f, const struct session *s, const struct canvas *c,
                   struct rect r);

/* The column of a key, or channel, on the screen; the line of a query; from r's corner. */
int attention_x(const struct attn_fit *f, const struct attn_grid *g, int key);
int attention_line(const struct attn_fit *f, const struct attn_grid *g, int query);
/* What x,y of the screen means; -1: no query, or no key. A pooled pixel that holds the cursor
 * means the cursor's. */
void attention_at(const struct attn_fit *f, const struct attn_grid *g, const struct session *s,
                  struct rect r, int x, int y, int *query, int *key);

/* The exact value of a cell, as it is shown. NULL, or why there is none: "masked". */
const char *attention_value(const struct session *s, const struct attn_grid *g, int query,
                            int key, float *v);
/* "[8,6] ·Anna → ·Anna 0.6412" */
void attention_tip(const struct session *s, const struct attn_grid *g, int query, int key,
                   char *out, size_t size);
/* The masked part of the map holds no values at any key beyond the query; not so when the mask
 * is replaced by one that shows what comes later. */
bool attention_masks(const struct session *s);
struct scale attention_scale(const struct session *s, const struct attn_grid *g);

/* The first position of the pass at work, or of the last one while generating; 0: all are of
 * one pass. Rows before it came from the cache. */
int attention_new_from(const struct session *s);
/* A look for rows from the cache, next to new ones. */
struct look attention_dim(const struct canvas *c, struct look look);

enum { INSET_W = 32 };
int attention_inset_lines(const struct session *s); /* without the magnifier */
int attention_magnifier_width(int side);
void attention_draw_inset(const struct session *s, struct canvas *c, const struct attn_fit *f,
                          const struct attn_grid *g);
/* The same in f->legend lines below the map. */
void attention_draw_legend(const struct session *s, struct canvas *c, struct rect r,
                           const struct attn_fit *f, const struct attn_grid *g);

#endif
