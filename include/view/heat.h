/*
 * One map of numbers for pictures in files: a cell for each number, or for several where there
 * are more numbers than pixels. Given row by row, so that no more than the cells is in memory.
 *
 *     struct heat h;
 *     heat_init(&h, n_query, n_key, 1, 1);
 *     h.causal = true;
 *     heat_row(&h, 0, x, false, SCALE_SQRT);
 *     heat_color(theme, &scale, *heat_at(&h, 3, 2));
 *
 * Pooled cells have the largest number, or the largest |x| where numbers have a sign; one NaN
 * makes its cell NaN. A masked number is left out of its cell; a cell of nothing else is
 * masked.
 */
#ifndef GPTSCOPE_VIEW_HEAT_H
#define GPTSCOPE_VIEW_HEAT_H

#include "tensor/stats.h"
#include "view/draw.h"

#include <stdint.h>

#define HEAT_NAN_RGB 0xff00ff

struct heat {
    int rows, cols;           /* numbers */
    int first_row, first_col; /* what the first ones count: positions, channels */
    bool causal;              /* masked where the column is beyond the row */
    int pool_r, pool_c;       /* numbers in a cell; 1 is exact */
    int h, w;                 /* cells */
    float *v;                 /* [h, w] -INFINITY: masked. By SCALE_ROW_MAX: parts of row_max */
    float *row_max;           /* [h] of |x|, the last row's of each */
};

void heat_init(struct heat *m, int rows, int cols, int pool_r, int pool_c);
void heat_release(struct heat *m);
/* x[cols] of one row; each row once. */
void heat_row(struct heat *m, int row, const float *x, bool is_signed, enum color_scale kind);
const float *heat_at(const struct heat *m, int row, int col); /* of cells */
bool heat_masked(float v);
bool heat_hides(const struct heat *m, int row, int col); /* a number under the causal mask */

/* Numbers of one scale, without those that are masked. */
struct heat_range {
    struct stats stats;
    size_t n_masked; /* by the causal mask, or -inf */
    uint64_t *bin;   /* of |x|; made with the first numbers */
};
void heat_range_add(struct heat_range *r, const struct heat *m, int row, const float *x);
void heat_range_release(struct heat_range *r);
/* The 99th percentile of |x|, rounded up to three digits, so that what is printed is what is
 * drawn; the largest |x| where that is 0; 1 where all are 0. */
double heat_range_limit(const struct heat_range *r);

/* COLOR_NONE: masked. */
uint32_t heat_color(const struct theme *t, const struct scale *s, float v);
/* The cells as PNG, a pixel each; masked ones are transparent. */
bool heat_png(const struct heat *m, const struct theme *t, const struct scale *s,
              struct str *out, struct err *err);

#endif
