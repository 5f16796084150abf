/* Values as data: where they are from, their statistics, and numbers nested as their shape. */
#include "command/data.h"

#include "base/mem.h"
#include "session/sheet.h"

#include <stdlib.h>

static json_t *data_stats(const struct stats *st)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "n", (json_int_t) st->n,
                     "min", result_number((double) st->min), "max",
                     result_number((double) st->max), "mean", result_number(st->mean), "std",
                     result_number(st->std), "norm", result_number(st->norm), "n_infinite",
                     (json_int_t) st->n_inf, "n_nan", (json_int_t) st->n_nan, "n_zero",
                     (json_int_t) st->n_zero);
}

/* The rows that are given; all columns are. */
struct part {
    int row, rows;
};

static struct part find_part(const struct session *s, const struct sheet *t, int rows)
{
    int most = rows > 0 ? rows : DATA_SMALL / (t->cols > 0 ? t->cols : 1);
    struct part p;

    if (rows == 0 && most < DATA_ROWS)
        most = DATA_ROWS;
    p.rows = most < t->rows ? most : t->rows;
    p.row = data_window(sheet_row(t, s), p.rows, t->rows);
    return p;
}

static json_t *axes(const struct session *s, const struct sheet *t, const struct part *p)
{
    json_t *list = json_array();

    if (t->row_axis >= 0)
        json_array_append_new(
            list, data_part(axis_name(sheet_row_kind(t, s)), t->rows, p->row, p->rows));
    if (t->col_axis >= 0)
        json_array_append_new(list,
                              data_part(axis_name(sheet_col_kind(t, s)), t->cols, 0, t->cols));
    return list;
}

/* Ids are whole numbers. */
static json_t *number_of(const struct value *v, float x)
{
    return v->life == LIFE_TOKENS ? json_integer((json_int_t) x) : result_number((double) x);
}

static json_t *numbers(const struct value *v, const struct sheet *t, const float *x, int rows)
{
    json_t *list = json_array();

    if (t->col_axis >= 0) {
        json_decref(list);
        return data_table(x, rows, t->cols);
    }
    for (int i = 0; i < rows; i++)
        json_array_append_new(list, number_of(v, x[i]));
    return list;
}

json_t *data_value(const struct session *s, int value, int head, int rows, struct err *err)
{
    const struct value *v = &s->program->value[value];
    struct sheet t;
    struct stats st;

    if (run_ready(s->run, value) == 0) {
        err_set(err, "%s is not computed yet; step or run first", v->name);
        return NULL;
    }
    sheet_init(&t, s, value, head);
    if (!sheet_stats(&t, s, &st, err))
        return NULL;
    struct part p = find_part(s, &t, rows);
    float *x = xcalloc((size_t) p.rows * (size_t) t.cols, sizeof *x);
    json_t *o = NULL;
    if (sheet_read(&t, s, p.row, p.rows, 0, t.cols, x, err))
        o = data_join(data_value_name(s->program, value, t.head_axis < 0 ? -1 : t.head),
                      json_pack("{s:o, s:o, s:o}", "axes", axes(s, &t, &p), "statistics",
                                data_stats(&st), "data", numbers(v, &t, x, p.rows)));
    free(x);
    return o;
}

json_t *data_values(const struct session *s, const struct selection *sel, int rows,
                    struct err *err)
{
    json_t *list = json_array();

    for (int i = 0; i < sel->n; i++) {
        json_t *one = data_value(s, sel->item[i].value, sel->item[i].head, rows, err);
        if (!one) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, one);
    }
    return json_pack("{s:o}", "values", list);
}

json_t *data_cell(const struct session *s, int value)
{
    struct err err = ERR_INIT;
    struct sheet t;
    float x;

    sheet_init(&t, s, value, -1);
    json_t *o = data_value_name(s->program, value, t.head_axis < 0 ? -1 : t.head);
    bool there = t.rows > 0 && t.cols > 0;
    bool known = there && sheet_read(&t, s, sheet_row(&t, s), 1, sheet_col(&t, s), 1, &x, &err);
    json_t *shape = json_array();
    if (t.row_axis >= 0)
        json_array_append_new(shape, json_integer(t.rows));
    if (t.col_axis >= 0)
        json_array_append_new(shape, json_integer(t.cols));
    return data_join(o,
                     json_pack("{s:o, s:o, s:o, s:o}", "shape", shape, "row",
                               data_index(there ? sheet_row(&t, s) : -1), "column",
                               data_index(there ? sheet_col(&t, s) : -1), "number",
                               known ? number_of(&s->program->value[value], x) : json_null()));
}
