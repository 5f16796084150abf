/* Any value: numbers around the cursor, and statistics of what is shown. */
#include "base/mem.h"
#include "tensor/stats.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS = 40, STAT_FLOATS = 1 << 18 };

/* A value as rows x columns: the middle axis, if there are three, at the cursor's head. */
struct sheet {
    int value, n_row, n_col;
    int row_axis, col_axis, head_axis; /* -1: none */
    int head;
};

static int shown_value(const struct session *s, const struct screen *st)
{
    int pc = run_pc(s->run);

    if (st->value >= 0 && st->value < s->program->n_values)
        return st->value;
    if (session_done(s) || pc > s->program->n_steps)
        pc = s->program->n_steps;
    return s->program->op[pc > 0 ? pc - 1 : 0].out[0];
}

static bool sheet_init(struct sheet *t, const struct session *s, int value)
{
    const struct value *v = &s->program->value[value];
    int shape[3];

    *t = (struct sheet){.value = value, .row_axis = -1, .col_axis = -1, .head_axis = -1};
    run_shape(s->run, value, shape);
    for (int i = 0; i < v->n_axis; i++) {
        if (v->axis[i] == AXIS_POS)
            t->row_axis = i;
        else if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD)
            t->head_axis = i;
        else
            t->col_axis = i;
    }
    t->n_row = t->row_axis >= 0 ? shape[t->row_axis] : 1;
    t->n_col = t->col_axis >= 0 ? shape[t->col_axis] : 1;
    if (t->head_axis >= 0) {
        t->head = s->at.head;
        if (v->axis[t->head_axis] == AXIS_KV_HEAD)
            t->head /= s->program->hp.n_head / s->program->hp.n_kv_head;
    }
    return t->n_row > 0 && t->n_col > 0;
}

static bool sheet_read(const struct session *s, const struct sheet *t, int row, int rows,
                       int col, int cols, float *out)
{
    struct region g = {{0, 0, 0}, {1, 1, 1}};
    struct err err = ERR_INIT;

    if (t->row_axis >= 0) {
        g.first[t->row_axis] = row;
        g.count[t->row_axis] = rows;
    }
    if (t->col_axis >= 0) {
        g.first[t->col_axis] = col;
        g.count[t->col_axis] = cols;
    }
    if (t->head_axis >= 0)
        g.first[t->head_axis] = t->head;
    return run_read(s->run, t->value, &g, out, &err);
}

static void draw_histogram(struct canvas *c, struct rect r, int y, const float *x, size_t n,
                           const struct stats *st)
{
    float bin[BINS] = {0};
    int bins = r.w - 22 < BINS ? r.w - 22 : BINS;
    char low[16], high[16];

    if (bins < 4 || !(st->max > st->min))
        return;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        int k = (int) ((x[i] - st->min) / (st->max - st->min) * (float) bins);
        bin[k < bins ? k : bins - 1]++;
    }
    int at = r.x + canvas_printf(c, r, r.x, y, STYLE_AXIS, "%8s ",
                                 draw_number(low, sizeof low, (double) st->min, -7));
    draw_spark(c, r, at, y, bins, bin, bins, false);
    canvas_printf(c, r, at + bins + 1, y, STYLE_AXIS, "%s",
                  draw_number(high, sizeof high, (double) st->max, -7));
}

/* Statistics of the whole sheet when it is small, else of the cursor's row. */
static double draw_stats(const struct session *s, const struct sheet *t, struct canvas *c,
                         struct rect r, int row)
{
    bool all = (size_t) t->n_row * (size_t) t->n_col <= STAT_FLOATS;
    size_t n = (size_t) (all ? t->n_row : 1) * (size_t) t->n_col;
    float *x = xmalloc(n * sizeof *x);
    struct stats st = {0};

    if (sheet_read(s, t, all ? 0 : row, all ? t->n_row : 1, 0, t->n_col, x)) {
        stats_of(&st, x, n);
        int at = r.x;
        at += canvas_printf(c, r, at, r.y + 1, STYLE_TEXT, "%s: mean %.4g  std %.4g",
                            all ? "all" : "row", st.mean, st.std);
        if (st.n_nan > 0)
            at += canvas_printf(c, r, at, r.y + 1, STYLE_ERROR, "  NaN %zu", st.n_nan);
        if (st.n_inf > 0)
            canvas_printf(c, r, at, r.y + 1, STYLE_DIM, "  infinite %zu", st.n_inf);
        draw_histogram(c, r, r.y + 2, x, n, &st);
    }
    free(x);
    double limit = fabs((double) st.min) > fabs((double) st.max) ? fabs((double) st.min)
                                                                 : fabs((double) st.max);
    return limit;
}

static void draw_numbers(const struct session *s, const struct sheet *t, struct canvas *c,
                         struct rect r, int row, int col, double limit)
{
    enum { CELL = 8 };
    int rows = r.h - 1 < t->n_row ? r.h - 1 : t->n_row;
    int cols = (r.w - 5) / CELL < t->n_col ? (r.w - 5) / CELL : t->n_col;
    int top = scroll_around(row, t->n_row, rows), left = scroll_around(col, t->n_col, cols);
    struct scale scale = {s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, true,
                          limit};

    if (rows < 1 || cols < 1)
        return;
    float *x = xmalloc((size_t) rows * (size_t) cols * sizeof *x);
    bool ok = sheet_read(s, t, top, rows, left, cols, x);
    for (int j = 0; ok && j < cols; j++)
        canvas_printf(c, r, r.x + 5 + j * CELL, r.y,
                      left + j == col ? STYLE_SELECTED : STYLE_AXIS, "%7d", left + j);
    for (int i = 0; ok && i < rows; i++) {
        int y = r.y + 1 + i;
        canvas_printf(c, r, r.x, y, top + i == row ? STYLE_SELECTED : STYLE_AXIS, "%4d",
                      top + i);
        for (int j = 0; j < cols; j++) {
            double v = (double) x[i * cols + j];
            char number[16];
            struct look look = isfinite(v)
                                   ? draw_heat_look(c, &scale, scale_at(&scale, v, limit))
                                   : canvas_look(c, STYLE_DIM);
            if (top + i == row && left + j == col)
                look = canvas_look(c, STYLE_CURSOR);
            draw_number(number, sizeof number, v, 7);
            canvas_put(c, r, r.x + 5 + j * CELL, y, look, number, 7);
        }
    }
    free(x);
}

void tensor_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    struct sheet t;
    int value = shown_value(s, st), x = r.x;
    const struct value *v = &s->program->value[value];

    x += canvas_printf(c, r, x, r.y, STYLE_TITLE, "%s ", v->name);
    if (!sheet_init(&t, s, value)) {
        canvas_text(c, r, x, r.y, STYLE_DIM, "not computed yet");
        return;
    }
    if (t.head_axis >= 0)
        x += canvas_printf(c, r, x, r.y, STYLE_SELECTED, "%s %d ",
                           axis_name(v->axis[t.head_axis]), t.head);
    canvas_printf(c, r, x, r.y, STYLE_DIM, "[%d, %d]", t.n_row, t.n_col);
    int row = s->at.query < t.n_row ? s->at.query : t.n_row - 1;
    int col = s->at.key < t.n_col ? s->at.key : t.n_col - 1;
    double limit = draw_stats(s, &t, c, r, row);
    if (r.h > 5)
        draw_numbers(s, &t, c, (struct rect){r.x, r.y + 3, r.w, r.h - 3}, row, col, limit);
}
