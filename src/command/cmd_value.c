/* A value as text: its shape, statistics and the numbers around the cursor. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "command/place.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value seen as a table: one head of it, or all when it has no heads. */
struct table {
    int value, head;        /* head: index on its axis */
    int axis_row, axis_col; /* -1: there is none */
    int head_axis;
    int rows, cols;
    struct region all;
};

static void table_init(struct table *t, const struct session *s, const struct selected *sel)
{
    const struct program *p = s->program;
    int shape[3] = {1, 1, 1}, n = run_shape(s->run, sel->value, shape);

    memset(t, 0, sizeof *t);
    t->value = sel->value;
    t->head_axis = value_head_axis(p, sel->value);
    t->head = sel->head >= 0 ? sel->head : value_head(s, sel->value);
    t->axis_row = t->axis_col = -1;
    for (int i = 0; i < n; i++) {
        t->all.count[i] = shape[i];
        if (i == t->head_axis) {
            t->all.first[i] = t->head;
            t->all.count[i] = 1;
        } else if (t->axis_row < 0) {
            t->axis_row = i;
        } else {
            t->axis_col = i;
        }
    }
    t->rows = t->axis_row < 0 ? 1 : shape[t->axis_row];
    t->cols = t->axis_col < 0 ? 1 : shape[t->axis_col];
}

static bool table_read(const struct session *s, const struct table *t, int row, int rows,
                       int col, int cols, float *out, struct err *err)
{
    struct region r = t->all;

    if (t->axis_row >= 0) {
        r.first[t->axis_row] = row;
        r.count[t->axis_row] = rows;
    }
    if (t->axis_col >= 0) {
        r.first[t->axis_col] = col;
        r.count[t->axis_col] = cols;
    }
    return run_read(s->run, t->value, &r, out, err);
}

#define BLOCK_FLOATS ((size_t) 1 << 20)

/* Of the whole table, in blocks of rows. */
static bool table_stats(const struct session *s, const struct table *t, struct stats *all,
                        struct err *err)
{
    size_t most = BLOCK_FLOATS / (size_t) t->cols;
    int step = most < 1 ? 1 : most > (size_t) t->rows ? t->rows : (int) most;
    float *block = xcalloc((size_t) step * (size_t) t->cols, sizeof *block);
    bool ok = true;

    memset(all, 0, sizeof *all);
    for (int row = 0; ok && row < t->rows; row += step) {
        struct stats part;
        int n = t->rows - row < step ? t->rows - row : step;
        ok = table_read(s, t, row, n, 0, t->cols, block, err);
        if (ok)
            stats_of(&part, block, (size_t) n * (size_t) t->cols);
        if (ok)
            stats_add(all, &part);
    }
    free(block);
    return ok;
}

static void axis_print(enum axis axis, int n, struct str *out)
{
    if (axis == AXIS_ONE)
        str_addf(out, "%d", n);
    else
        str_addf(out, "%s %d", axis_name(axis), n);
}

static void title(const struct session *s, const struct table *t, const struct stats *st,
                  struct str *out)
{
    const struct value *v = &s->program->value[t->value];

    str_adds(out, v->name);
    if (t->head_axis >= 0)
        str_addf(out, "  %s %d", axis_name(v->axis[t->head_axis]), t->head);
    str_adds(out, "  [");
    if (t->axis_row >= 0)
        axis_print(v->axis[t->axis_row], t->rows, out);
    if (t->axis_col >= 0)
        str_adds(out, ", ");
    if (t->axis_col >= 0)
        axis_print(v->axis[t->axis_col], t->cols, out);
    str_addf(out, "]\nmin %.6g  max %.6g  mean %.6g  std %.6g  norm %.6g", (double) st->min,
             (double) st->max, st->mean, st->std, st->norm);
    if (st->n_inf)
        str_addf(out, "  infinite %zu", st->n_inf);
    if (st->n_nan)
        str_addf(out, "  NaN %zu", st->n_nan);
    str_addc(out, '\n');
}

/* n of `total` in view, so that `at` is among them. */
static int window(int at, int n, int total)
{
    int first = at - n + 1;

    if (first > total - n)
        first = total - n;
    return first < 0 ? 0 : first;
}

#define LABEL_CELLS  14
#define NUMBER_CELLS 10

static void number(float x, bool whole, bool large, struct str *out)
{
    if (isinf(x) || isnan(x))
        str_addf(out, "%*s", NUMBER_CELLS, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
    else if (whole)
        str_addf(out, "%*.0f", NUMBER_CELLS, (double) x);
    else
        str_addf(out, large ? "%*.2e" : "%*.4f", NUMBER_CELLS, (double) x);
}

static void row_label(const struct session *s, const struct table *t, int row, struct str *out)
{
    const struct value *v = &s->program->value[t->value];
    char text[96], label[64];

    if (t->axis_row >= 0 && v->axis[t->axis_row] == AXIS_POS && row < s->ids.n)
        snprintf(text, sizeof text, "%d %s", row,
                 tokenizer_label(s->tokenizer, s->ids.id[row], label, sizeof label));
    else
        snprintf(text, sizeof text, "%d", row);
    pad_print(text, LABEL_CELLS, out);
}

/* The columns' numbers, and their tokens where they are keys. */
static void column_heads(const struct session *s, bool keys, int col0, int cols,
                         struct str *out)
{
    char label[64];

    str_addf(out, "%*s", LABEL_CELLS, "");
    for (int c = 0; c < cols; c++)
        str_addf(out, "%*d", NUMBER_CELLS, col0 + c);
    if (keys)
        str_addf(out, "\n%*s", LABEL_CELLS, "");
    for (int c = 0; keys && c < cols; c++) {
        int used;
        tokenizer_label(s->tokenizer, s->ids.id[col0 + c], label, sizeof label);
        size_t n = utf8_fit(label, strlen(label), NUMBER_CELLS - 2, &used);
        str_addf(out, "%*s%.*s", NUMBER_CELLS - used, "", (int) n, label);
    }
    str_addc(out, '\n');
}

/* The part of the table that is printed: around the cursor. */
struct part {
    int row, rows, col, cols;
};

static void part_init(struct part *p, const struct command_env *env, const struct table *t,
                      int rows, bool keys)
{
    const struct cursor_at *at = &env->session->at;
    int room = (env->width - LABEL_CELLS) / NUMBER_CELLS;

    p->rows = rows > t->rows ? t->rows : rows;
    p->cols = room < 1 ? 1 : room > t->cols ? t->cols : room;
    p->row = window(at->query, p->rows, t->rows);
    p->col = window(keys ? at->key : 0, p->cols, t->cols);
}

static bool numbers(struct command_env *env, const struct table *t, int rows, bool large,
                    struct err *err)
{
    const struct session *s = env->session;
    const struct value *v = &s->program->value[t->value];
    bool keys = t->axis_col >= 0 && v->axis[t->axis_col] == AXIS_KEY;
    struct part p;

    part_init(&p, env, t, rows, keys);
    float *x = xcalloc((size_t) p.rows * (size_t) p.cols, sizeof *x);
    bool ok = table_read(s, t, p.row, p.rows, p.col, p.cols, x, err);
    if (ok)
        column_heads(s, keys, p.col, p.cols, env->out);
    for (int r = 0; ok && r < p.rows; r++) {
        row_label(s, t, p.row + r, env->out);
        for (int c = 0; c < p.cols; c++)
            number(x[(size_t) r * (size_t) p.cols + (size_t) c], v->life == LIFE_TOKENS, large,
                   env->out);
        str_addc(env->out, '\n');
    }
    free(x);
    if (ok && (p.rows < t->rows || p.cols < t->cols))
        str_addf(env->out, "rows %d to %d of %d, columns %d to %d of %d\n", p.row,
                 p.row + p.rows - 1, t->rows, p.col, p.col + p.cols - 1, t->cols);
    return ok;
}

bool value_print(struct command_env *env, const struct selected *sel, int rows, struct err *err)
{
    const struct session *s = env->session;
    struct table t;
    struct stats st;

    if (run_ready(s->run, sel->value) == 0)
        return err_set(err, "%s is not computed yet; step or run first",
                       s->program->value[sel->value].name);
    table_init(&t, s, sel);
    if (!table_stats(s, &t, &st, err))
        return false;
    title(s, &t, &st, env->out);
    bool large = fabs((double) st.min) >= 1e4 || fabs((double) st.max) >= 1e4 ||
                 (st.max < 1e-3f && st.min > -1e-3f && (st.max != 0 || st.min != 0));
    return numbers(env, &t, rows, large, err);
}
