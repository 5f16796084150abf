#include "session/sheet.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int value_head(const struct session *s, int value)
{
    const struct program *p = s->program;
    int axis = value_head_axis(p, value);

    if (axis < 0)
        return 0;
    if (p->value[value].axis[axis] == AXIS_HEAD)
        return s->at.head;
    return s->at.head / (p->hp.n_head / p->hp.n_kv_head);
}

void sheet_init(struct sheet *t, const struct session *s, int value, int head)
{
    int shape[3], n = run_shape(s->run, value, shape);

    *t = (struct sheet){.value = value, .row_axis = -1, .col_axis = -1};
    t->head_axis = value_head_axis(s->program, value);
    t->head = head >= 0 ? head : value_head(s, value);
    for (int i = 0; i < n; i++) {
        if (i == t->head_axis)
            continue;
        if (t->row_axis < 0)
            t->row_axis = i;
        else
            t->col_axis = i;
    }
    t->rows = t->row_axis < 0 ? 1 : shape[t->row_axis];
    t->cols = t->col_axis < 0 ? 1 : shape[t->col_axis];
}

static enum axis kind(const struct session *s, int value, int axis)
{
    return axis < 0 ? AXIS_ONE : s->program->value[value].axis[axis];
}

enum axis sheet_row_kind(const struct sheet *t, const struct session *s)
{
    return kind(s, t->value, t->row_axis);
}

enum axis sheet_col_kind(const struct sheet *t, const struct session *s)
{
    return kind(s, t->value, t->col_axis);
}

bool sheet_read(const struct sheet *t, const struct session *s, int row, int rows, int col,
                int cols, float *out, struct err *err)
{
    struct region g = {{0, 0, 0}, {1, 1, 1}};

    if (t->head_axis >= 0)
        g.first[t->head_axis] = t->head;
    if (t->row_axis >= 0) {
        g.first[t->row_axis] = row;
        g.count[t->row_axis] = rows;
    }
    if (t->col_axis >= 0) {
        g.first[t->col_axis] = col;
        g.count[t->col_axis] = cols;
    }
    return run_read(s->run, t->value, &g, out, err);
}

#define BLOCK_FLOATS ((size_t) 1 << 20)

bool sheet_stats(const struct sheet *t, const struct session *s, struct stats *all,
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
        ok = sheet_read(t, s, row, n, 0, t->cols, block, err);
        if (ok)
            stats_of(&part, block, (size_t) n * (size_t) t->cols);
        if (ok)
            stats_add(all, &part);
    }
    free(block);
    return ok;
}

static int inside(int at, int n)
{
    return at >= n ? (n > 0 ? n - 1 : 0) : at;
}

int sheet_row(const struct sheet *t, const struct session *s)
{
    return inside(s->at.query, t->rows);
}

int sheet_col(const struct sheet *t, const struct session *s)
{
    bool keys = sheet_col_kind(t, s) == AXIS_KEY;

    return inside(keys ? s->at.key : s->at.column, t->cols);
}

int *sheet_col_cursor(const struct sheet *t, struct session *s)
{
    return sheet_col_kind(t, s) == AXIS_KEY ? &s->at.key : &s->at.column;
}
