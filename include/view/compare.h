/*
 * The run less the mark, summed up for the screen and drawn: what the attention, heads and
 * logits views show while runs are compared, and the compare view, which has all of it.
 */
#ifndef GPTSCOPE_VIEW_COMPARE_H
#define GPTSCOPE_VIEW_COMPARE_H

#include "session/diff.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

/* now - mark of one head at one stage, pooled by the largest |x| to fit. */
struct compare_map {
    int n, n_col;   /* positions that both have; keys, or channels in STAGE_MIX */
    int rows, cols; /* pixels: queries down; keys or channels across */
    int pool_q, pool;
    int ready, done; /* queries computed in both; queries [0, done) are in v */
    float *v;        /* [rows, cols]; NAN: masked, or to do */
    float limit; /* 99th percentile of |v|, or the largest where that is 0; 1: no difference */
    float most;  /* largest |v|; infinite where an edge is out in one only */
};

/* Of each head's pattern, the largest |now - mark|. */
struct compare_heads {
    int n_layer, n_head;
    float *most;   /* [n_layer, n_head] */
    int *ready;    /* [n_layer] queries computed in both */
    int *from;     /* [n_layer] queries [from, ready) are counted */
    float largest; /* of all */
    int to_do;     /* queries of all layers not counted yet */
};

/* |now - mark| and |mark| of resid_post at one position. */
struct compare_resid {
    int pos, n_layer;
    struct diff_length *length; /* [n_layer]; change < 0: to do */
};

/* Borrowed from the cache. NULL without a mark, or when values cannot be read (err says so).
 * cache_logit_diff also gives NULL (err empty) while there are no logits to compare. */
const struct compare_map *cache_compare_map(struct view_cache *c, const struct session *s,
                                            int max_rows, int max_cols, struct err *err);
const struct compare_heads *cache_compare_heads(struct view_cache *c, const struct session *s,
                                                struct err *err);
const struct compare_resid *cache_compare_resid(struct view_cache *c, const struct session *s,
                                                struct err *err);
const struct logit_diff *cache_logit_diff(struct view_cache *c, const struct session *s,
                                          struct err *err);

view_draw compare_map_draw, compare_heads_draw, compare_logits_draw;
view_hit compare_map_hit, compare_heads_hit;
view_title compare_map_title, compare_heads_title, compare_logits_title;

/* One number as a colour map's place, signed or not, with a glyph that says its sign where
 * there are no colours. */
void compare_heat(struct canvas *c, struct rect clip, int x, int y, int cells,
                  const struct scale *scale, double at);
/* "+.034", "-.5", ".000" for what is less, "0" for nothing; at most `width` cells,
 * right-aligned. */
char *compare_number(char *out, size_t size, double v, int width);
/* Says why there is nothing to see. */
void compare_nothing(const struct session *s, struct canvas *c, struct rect r,
                     const struct err *err);

#endif
