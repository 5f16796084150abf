/* A value as text: its shape, statistics and the numbers around the cursor. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "command/data.h"
#include "session/sheet.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void axis_print(enum axis axis, int n, struct str *out)
{
    if (axis == AXIS_ONE)
        str_addf(out, "%d", n);
    else
        str_addf(out, "%s %d", axis_name(axis), n);
}

static void title(const struct session *s, const struct sheet *t, const struct stats *st,
                  struct str *out)
{
    const struct value *v = &s->program->value[t->value];

    str_adds(out, v->name);
    if (t->head_axis >= 0)
        str_addf(out, "  %s %d", axis_name(v->axis[t->head_axis]), t->head);
    str_adds(out, "  [");
    if (t->row_axis >= 0)
        axis_print(v->axis[t->row_axis], t->rows, out);
    if (t->col_axis >= 0)
        str_adds(out, ", ");
    if (t->col_axis >= 0)
        axis_print(v->axis[t->col_axis], t->cols, out);
    str_addf(out, "]\nmin %.6g  max %.6g  mean %.6g  std %.6g  norm %.6g", (double) st->min,
             (double) st->max, st->mean, st->std, st->norm);
    if (st->n_inf)
        str_addf(out, "  infinite %zu", st->n_inf);
    if (st->n_nan)
        str_addf(out, "  NaN %zu", st->n_nan);
    if (st->n_zero)
        str_addf(out, "  zeros %zu", st->n_zero);
    str_addc(out, '\n');
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

static void row_label(const struct session *s, const struct sheet *t, int row, struct str *out)
{
    const struct value *v = &s->program->value[t->value];
    char text[96], label[64];

    if (t->row_axis >= 0 && v->axis[t->row_axis] == AXIS_POS && row < s->ids.n)
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

static void part_init(struct part *p, const struct command_env *env, const struct sheet *t,
                      int rows)
{
    int room = (env->width - LABEL_CELLS) / NUMBER_CELLS;

    p->rows = rows > t->rows ? t->rows : rows;
    p->cols = room < 1 ? 1 : room > t->cols ? t->cols : room;
    p->row = data_window(sheet_row(t, env->session), p->rows, t->rows);
    p->col = data_window(sheet_col(t, env->session), p->cols, t->cols);
}

static bool numbers(struct command_env *env, const struct sheet *t, int rows, bool large,
                    struct err *err)
{
    const struct session *s = env->session;
    const struct value *v = &s->program->value[t->value];
    bool keys = t->col_axis >= 0 && v->axis[t->col_axis] == AXIS_KEY;
    struct part p;

    part_init(&p, env, t, rows);
    float *x = xcalloc((size_t) p.rows * (size_t) p.cols, sizeof *x);
    bool ok = sheet_read(t, s, p.row, p.rows, p.col, p.cols, x, err);
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
    struct sheet t;
    struct stats st;

    if (run_ready(s->run, sel->value) == 0)
        return err_set(err, "%s is not computed yet; step or run first",
                       s->program->value[sel->value].name);
    sheet_init(&t, s, sel->value, sel->head);
    if (!sheet_stats(&t, s, &st, err))
        return false;
    title(s, &t, &st, env->out);
    bool large = fabs((double) st.min) >= 1e4 || fabs((double) st.max) >= 1e4 ||
                 (st.max < 1e-3f && st.min > -1e-3f && (st.max != 0 || st.min != 0));
    return numbers(env, &t, rows, large, err);
}
