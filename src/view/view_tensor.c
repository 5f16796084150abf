/* Any value: its statistics and histogram, the exact number under the cursor, and the numbers
 * around it. */
#include "base/mem.h"
#include "session/sheet.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER = 7, CELL = NUMBER + 1, BINS_LEAST = 8 };

int tensor_value(const struct session *s, const struct screen *st)
{
    int pc = run_pc(s->run);

    if (st->value >= 0 && st->value < s->program->n_values)
        return st->value;
    if (session_done(s) || pc > s->program->n_steps)
        pc = s->program->n_steps;
    return s->program->op[pc > 0 ? pc - 1 : 0].out[0];
}

/* Where things are in the panel. */
struct places {
    int stats_y, stats_h; /* lines of statistics; 0: no room */
    int bins_y, bins_h;   /* lines of the histogram, its numbers not counted */
    int cell_y;           /* the number under the cursor; -1: no room */
    struct rect grid;     /* heads of columns, then numbers */
    int heads, label;     /* lines and columns of the grid that name columns and rows */
    int row, rows, col, cols;
};

static void find_window(struct places *p, const struct session *s, const struct sheet *t)
{
    enum axis col = sheet_col_kind(t, s);

    p->heads = p->grid.h >= 5 && (col == AXIS_KEY || col == AXIS_VOCAB) ? 2 : 1;
    p->label = p->grid.w >= 60 ? 14 : p->grid.w >= 30 ? 9 : 5;
    p->rows = p->grid.h - p->heads;
    p->rows = p->rows > t->rows ? t->rows : p->rows;
    p->cols = (p->grid.w - p->label) / CELL;
    p->cols = p->cols > t->cols ? t->cols : p->cols;
    p->row = scroll_around(sheet_row(t, s), t->rows, p->rows);
    p->col = scroll_around(sheet_col(t, s), t->cols, p->cols);
}

static void find_places(struct places *p, const struct session *s, const struct sheet *t,
                        struct rect r)
{
    int y = r.y + 1;

    *p = (struct places){.stats_y = y, .cell_y = -1};
    p->stats_h = r.h < 4 ? 0 : r.w >= 90 || r.h < 14 ? 1 : 2;
    y += p->stats_h;
    p->bins_y = y;
    p->bins_h = r.h < 8 ? 0 : r.h < 16 ? 1 : r.h < 28 ? 2 : 4;
    y += p->bins_h + (p->bins_h > 1);
    if (r.h >= 3)
        p->cell_y = y++;
    p->grid = (struct rect){r.x, y, r.w, r.y + r.h > y ? r.y + r.h - y : 0};
    find_window(p, s, t);
}

/* --- names --- */

static const char *token_label(const struct session *s, int id, char *out, size_t size)
{
    return tokenizer_label(s->tokenizer, id, out, size);
}

/* The token that a row or column stands for, or "". */
static const char *axis_token(const struct session *s, enum axis kind, int at, char *out,
                              size_t size)
{
    if ((kind == AXIS_POS || kind == AXIS_KEY) && at < s->ids.n)
        return token_label(s, s->ids.id[at], out, size);
    return kind == AXIS_VOCAB ? token_label(s, at, out, size) : "";
}

static void draw_name(const struct session *s, const struct sheet *t, struct canvas *c,
                      struct rect r)
{
    const struct value *v = &s->program->value[t->value];
    const struct op *op = v->op >= 0 ? &s->program->op[v->op] : NULL;
    int shape[3], n = run_shape(s->run, t->value, shape);
    int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_TITLE, "%s ", v->name);

    for (int i = 0; i < n; i++) {
        const char *name = axis_name(v->axis[i]);
        x += canvas_printf(c, r, x, r.y, STYLE_AXIS, "%s%s%s", i ? ", " : "[",
                           v->axis[i] == AXIS_ONE ? "" : name,
                           v->axis[i] == AXIS_ONE ? "" : " ");
        x += i == t->head_axis ? canvas_printf(c, r, x, r.y, STYLE_SELECTED, "%d", t->head) +
                                     canvas_printf(c, r, x + (t->head > 9 ? 2 : 1), r.y,
                                                   STYLE_AXIS, " of %d", shape[i])
                               : canvas_printf(c, r, x, r.y, STYLE_AXIS, "%d", shape[i]);
    }
    x += canvas_text(c, r, x, r.y, STYLE_AXIS, "]") + 2;
    if (op && op->out[0] == program_resolve(s->program, t->value) && r.x + r.w - x > 12)
        canvas_fit(c, r, x, r.y, r.x + r.w - x, canvas_look(c, STYLE_DIM),
                   op_info(op->code)->formula);
}

/* --- statistics --- */

static void draw_stats(const struct sheet *t, struct canvas *c, struct rect r,
                       const struct places *p, const struct tensor_summary *sum)
{
    const struct stats *st = &sum->stats;
    struct rect lines = {r.x, p->stats_y, r.w, p->stats_h};
    char text[320], whose[64];
    int n = 0;

    if (!sum->all)
        snprintf(whose, sizeof whose, "row %d", sum->row);
    else if (sum->counted < t->rows)
        snprintf(whose, sizeof whose, "first %d rows", sum->counted);
    else
        snprintf(whose, sizeof whose, "all %zu", st->n);
    n = snprintf(text, sizeof text, "%s: min %.5g  max %.5g  mean %.5g  std %.5g  norm %.5g",
                 whose, (double) st->min, (double) st->max, st->mean, st->std, st->norm);
    if (st->n_zero > 0)
        n += snprintf(text + n, sizeof text - (size_t) n, "  zeros %zu", st->n_zero);
    if (st->n_inf > 0)
        n += snprintf(text + n, sizeof text - (size_t) n, "  infinite %zu", st->n_inf);
    if (st->n_nan > 0)
        snprintf(text + n, sizeof text - (size_t) n, "  NaN %zu", st->n_nan);
    draw_paragraph(c, lines, lines.x, lines.y, st->n_nan > 0 ? STYLE_ERROR : STYLE_TEXT, text);
}

/* A column of eighth blocks, `part` of h lines high, from line `bottom` up. */
static void draw_column(struct canvas *c, struct rect r, int x, int bottom, int h, double part)
{
    static const char *const eighth[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int units = (int) (part * h * 8 + 0.5);

    units = units < 1 && part > 0 ? 1 : units;
    for (int i = 0; i < h && units > 0; i++, units -= 8)
        canvas_text(c, r, x, bottom - i, STYLE_BAR, eighth[units >= 8 ? 7 : units - 1]);
}

/* Bins put together to as many columns as fit; returns how many, and the largest count. */
static int gather_bins(const struct tensor_summary *sum, int room, float *bin, float *most)
{
    int each = 1, n;

    while (TENSOR_BINS % each || TENSOR_BINS / each > room)
        each++;
    n = TENSOR_BINS / each;
    *most = 0;
    for (int i = 0; i < n; i++) {
        bin[i] = 0;
        for (int j = 0; j < each; j++)
            bin[i] += sum->bin[i * each + j];
        *most = bin[i] > *most ? bin[i] : *most;
    }
    return n;
}

static void draw_bins(const struct sheet *t, struct canvas *c, struct rect r,
                      const struct places *p, const struct tensor_summary *sum)
{
    bool tall = p->bins_h > 1;
    int side = tall ? 0 : NUMBER + 2, room = r.w - 2 * side - (tall ? 14 : 0);
    int bottom = p->bins_y + p->bins_h - 1, x = r.x + side;
    float bin[TENSOR_BINS], most;
    char low[16], high[16];

    if (p->bins_h < 1 || room < BINS_LEAST || !(sum->stats.max > sum->stats.min))
        return;
    if (sum->counted < (sum->all ? t->rows : 1) || sum->binned < (sum->all ? t->rows : 1)) {
        canvas_text(c, r, r.x, bottom, STYLE_TODO, "·");
        return;
    }
    int n = gather_bins(sum, room, bin, &most);
    for (int i = 0; i < n; i++)
        draw_column(c, r, x + i, bottom, p->bins_h, most > 0 ? (double) (bin[i] / most) : 0);
    snprintf(low, sizeof low, "%.4g", (double) sum->stats.min);
    snprintf(high, sizeof high, "%.4g", (double) sum->stats.max);
    if (!tall) {
        canvas_printf(c, r, r.x, bottom, STYLE_AXIS, "%*.*s", side - 1, side - 1, low);
        canvas_printf(c, r, x + n + 1, bottom, STYLE_AXIS, "%.*s", side - 1, high);
        return;
    }
    canvas_text(c, r, x, bottom + 1, STYLE_AXIS, low);
    double zero =
        (0 - (double) sum->stats.min) / ((double) sum->stats.max - (double) sum->stats.min) * n;
    if (zero > (double) strlen(low) + 1 && zero < n - (double) strlen(high) - 2)
        canvas_text(c, r, x + (int) zero, bottom + 1, STYLE_AXIS, "0");
    canvas_text(c, r, x + n - (int) strlen(high), bottom + 1, STYLE_AXIS, high);
    canvas_printf(c, r, x + n + 1, p->bins_y, STYLE_DIM, "most %.0f", (double) most);
}

/* --- numbers --- */

static void number_text(const struct session *s, const struct sheet *t, float v, char *out,
                        size_t size)
{
    bool small = v != 0 && fabsf(v) < 5e-5F;

    if (s->program->value[t->value].life == LIFE_TOKENS)
        snprintf(out, size, "%*.0f", NUMBER, (double) v);
    else if (small)
        snprintf(out, size, "%*.*e", NUMBER, v < 0 ? 0 : 1, (double) v);
    else
        draw_number(out, size, (double) v, NUMBER);
}

/* "[9 ·Anna, d_head 3] = 0.123456789" */
static void draw_cell(const struct session *s, const struct sheet *t, struct canvas *c,
                      struct rect r, int y, float v)
{
    enum axis kind[2] = {sheet_row_kind(t, s), sheet_col_kind(t, s)};
    int at[2] = {sheet_row(t, s), sheet_col(t, s)};
    int x = r.x + canvas_text(c, r, r.x, y, STYLE_AXIS, "[");
    char label[64];

    for (int i = 0; i < (kind[1] != AXIS_ONE ? 2 : 1); i++) {
        const char *token = axis_token(s, kind[i], at[i], label, sizeof label);
        x += canvas_printf(c, r, x, y, STYLE_AXIS, "%s%s %d", i ? ", " : "", axis_name(kind[i]),
                           at[i]);
        x += canvas_printf(c, r, x, y, STYLE_TEXT, "%s%s", *token ? " " : "", token);
    }
    x += canvas_text(c, r, x, y, STYLE_AXIS, "] = ");
    canvas_printf(c, r, x, y, STYLE_SELECTED, "%.9g", (double) v);
}

static void draw_heads(const struct session *s, const struct sheet *t, struct canvas *c,
                       const struct places *p)
{
    enum axis kind = sheet_col_kind(t, s);
    struct rect r = p->grid;

    for (int j = 0; j < p->cols; j++) {
        int col = p->col + j, x = r.x + p->label + j * CELL;
        enum style style = col == sheet_col(t, s) ? STYLE_SELECTED : STYLE_AXIS;
        char label[64];
        canvas_printf(c, r, x, r.y, style, "%*d", NUMBER, col);
        if (p->heads > 1)
            canvas_fit(c, r, x, r.y + 1, NUMBER, canvas_look(c, style),
                       axis_token(s, kind, col, label, sizeof label));
    }
}

static void draw_row_name(const struct session *s, const struct sheet *t, struct canvas *c,
                          const struct places *p, int row, int y)
{
    char label[64], text[80];
    enum style style = row == sheet_row(t, s)     ? STYLE_SELECTED
                       : row < run_n_past(s->run) ? STYLE_AXIS
                                                  : STYLE_NEW;

    snprintf(text, sizeof text, "%3d %s", row,
             axis_token(s, sheet_row_kind(t, s), row, label, sizeof label));
    canvas_fit(c, p->grid, p->grid.x, y, p->label - 1, canvas_look(c, style), text);
}

static void draw_row(const struct session *s, const struct sheet *t, struct canvas *c,
                     const struct places *p, int row, int y, const float *x,
                     const struct scale *scale)
{
    for (int j = 0; j < p->cols; j++) {
        double v = (double) x[j];
        char number[32];
        struct look look = isfinite(v)
                               ? draw_heat_look(c, scale, scale_at(scale, v, scale->limit))
                               : canvas_look(c, STYLE_DIM);
        if (row == sheet_row(t, s) && p->col + j == sheet_col(t, s))
            look = canvas_look(c, STYLE_CURSOR);
        number_text(s, t, x[j], number, sizeof number);
        canvas_put(c, p->grid, p->grid.x + p->label + j * CELL, y, look, number,
                   strlen(number));
    }
}

static double largest(const struct tensor_summary *sum)
{
    return fmax(fabs((double) sum->stats.min), fabs((double) sum->stats.max));
}

static void draw_numbers(const struct session *s, const struct screen *st,
                         const struct sheet *t, struct canvas *c, const struct places *p,
                         const struct tensor_summary *sum)
{
    struct err err = ERR_INIT;
    struct scale scale = {s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, true,
                          largest(sum)};
    int ready = 0;

    if (p->rows < 1 || p->cols < 1)
        return;
    const float *x =
        cache_tensor_window(st->cache, s, t, p->row, p->rows, p->col, p->cols, &ready, &err);
    if (!x) {
        canvas_text(c, p->grid, p->grid.x, p->grid.y, STYLE_ERROR, err.text);
        return;
    }
    draw_heads(s, t, c, p);
    for (int i = 0; i < p->rows; i++) {
        int y = p->grid.y + p->heads + i;
        draw_row_name(s, t, c, p, p->row + i, y);
        if (i < ready)
            draw_row(s, t, c, p, p->row + i, y, x + (size_t) i * (size_t) p->cols, &scale);
        else
            canvas_text(c, p->grid, p->grid.x + p->label, y, STYLE_TODO, "·");
    }
}

void tensor_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    struct sheet t;
    struct places p;
    float v;

    sheet_init(&t, s, tensor_value(s, st), -1);
    draw_name(s, &t, c, r);
    if (t.rows < 1 || t.cols < 1) {
        canvas_text(c, r, r.x, r.y + 1, STYLE_TODO, "to do: not computed yet");
        return;
    }
    find_places(&p, s, &t, r);
    if (p.cell_y >= 0 && cache_tensor_cell(st->cache, s, &t, &v))
        draw_cell(s, &t, c, r, p.cell_y, v);
    const struct tensor_summary *sum = cache_tensor(st->cache, s, &t);
    if (p.stats_h > 0)
        draw_stats(&t, c, r, &p, sum);
    draw_bins(&t, c, r, &p, sum);
    draw_numbers(s, st, &t, c, &p, sum);
}

void tensor_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h)
{
    struct sheet t;
    struct places p;
    struct err err = ERR_INIT;
    int ready;

    (void) c;
    sheet_init(&t, s, tensor_value(s, st), -1);
    if (t.rows < 1 || t.cols < 1)
        return;
    find_places(&p, s, &t, r);
    int i = y - p.grid.y - p.heads, j = (x - p.grid.x - p.label) / CELL;
    if (i < 0 || i >= p.rows || x < p.grid.x + p.label || j >= p.cols)
        return;
    const float *v =
        cache_tensor_window(st->cache, s, &t, p.row, p.rows, p.col, p.cols, &ready, &err);
    snprintf(h->line, sizeof h->line, "query %d; column %d", p.row + i, p.col + j);
    if (v && i < ready)
        snprintf(h->tip, sizeof h->tip, "[%d, %d] = %.9g", p.row + i, p.col + j,
                 (double) v[(size_t) i * (size_t) p.cols + (size_t) j]);
}
