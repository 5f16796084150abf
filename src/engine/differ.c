#include "engine/differ.h"

#include "base/mem.h"
#include "engine/differ_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- sides --- */

static int side_positions(const struct differ_side *s)
{
    if (s->run)
        return run_n_past(s->run) + run_n_new(s->run);
    return s->dumped->n_pos;
}

static void map_values(struct differ *d, int side)
{
    const struct run *run = d->side[side].run;
    if (!run)
        return;
    d->map[side] = xcalloc((size_t) d->program->n_values, sizeof *d->map[side]);
    for (int i = 0; i < d->program->n_values; i++)
        d->map[side][i] = program_find(run_program(run), d->program->value[i].name);
}

static void find_extras(struct differ *d)
{
    struct arrays *a = d->side[0].dumped ? d->side[0].dumped->arrays : NULL;
    struct arrays *b = d->side[1].dumped ? d->side[1].dumped->arrays : NULL;
    for (int i = 0; a && b && i < arrays_count(a); i++) {
        const struct array *x = arrays_at(a, i);
        int j = d->side[0].dumped->known[i] ? -1 : arrays_find(b, x->name);
        const struct array *y = j < 0 ? NULL : arrays_at(b, j);
        if (!y || x->refused || y->refused || x->count == 0 || x->n_dims != y->n_dims ||
            memcmp(x->dim, y->dim, sizeof x->dim) != 0 || x->fortran != y->fortran)
            continue;
        int cols = x->n_dims ? (int) x->dim[x->fortran ? 0 : x->n_dims - 1] : 1;
        if (x->count / (size_t) cols > 1 << 30)
            continue;
        VEC_ROOM(d->extra, d->n_extra, d->cap_extra);
        d->extra[d->n_extra++] =
            (struct differ_extra){{i, j}, (int) (x->count / (size_t) cols), cols};
    }
}

struct differ *differ_new(const struct differ_side side[2], const struct program *p,
                          const struct differ_options *o, struct err *err)
{
    struct differ *d = xcalloc(1, sizeof *d);
    d->program = p;
    d->tol = o->tol > 0 ? o->tol : DIFFER_TOL;
    d->row_of = xcalloc((size_t) p->n_values, sizeof *d->row_of);
    d->rms = xcalloc((size_t) p->n_values, sizeof *d->rms);
    for (int i = 0; i < p->n_values; i++)
        d->row_of[i] = -1;
    int n[2];
    for (int i = 0; i < 2; i++) {
        d->side[i] = side[i];
        map_values(d, i);
        n[i] = side_positions(&side[i]);
    }
    /* a dump whose positions nothing tells has those of the other side */
    for (int i = 0; i < 2; i++)
        if (n[i] == 0 && side[i].dumped)
            n[i] = side[i].dumped->n_pos = n[1 - i];
    d->n_pos = n[0] < n[1] ? n[0] : n[1];
    d->only = o->only;
    differ_pair_all(d);
    if (!o->only)
        find_extras(d);
    if (d->n_pos > 0 || d->n_extra > 0)
        return d;
    err_set(err, "there is nothing to compare: no array has the name of a value");
    differ_free(d);
    return NULL;
}

void differ_free(struct differ *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->n; i++) {
        free(d->row[i]->heads);
        free(d->row[i]);
    }
    for (int i = 0; i < d->program->n_values; i++)
        free(d->rms[i]);
    free(d->rms);
    free(d->row);
    free(d->row_of);
    free(d->pair);
    free(d->paired[0]);
    free(d->paired[1]);
    free(d->extra);
    free(d->map[0]);
    free(d->map[1]);
    free(d);
}

int differ_positions(const struct differ *d)
{
    return d->n_pos;
}

double differ_tol(const struct differ *d)
{
    return d->tol;
}

const struct program *differ_program(const struct differ *d)
{
    return d->program;
}

int differ_count(const struct differ *d)
{
    return d->n;
}

const struct differ_row *differ_at(const struct differ *d, int i)
{
    return d->row[i];
}

int differ_first(const struct differ *d)
{
    for (int i = 0; i < d->n; i++)
        if (d->row[i]->state == DIFFER_OTHER)
            return i;
    return -1;
}

/* The index of the axis of positions (of a stage: of queries), or -1. */
static int pos_axis(const struct value *v)
{
    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] == AXIS_POS)
            return i;
    return -1;
}

int differ_compared(const struct differ *d, int *positions)
{
    int n = 0;
    *positions = 0;
    for (int i = 0; i < d->n; i++) {
        const struct differ_row *row = d->row[i];
        const struct value *v = row->value < 0 ? NULL : &d->program->value[row->value];
        bool only_tokens = d->only && d->only->n == 1;
        if (row->state == DIFFER_MISFIT || (v && v->life == LIFE_TOKENS && !only_tokens))
            continue;
        n++;
        int axis = v ? pos_axis(v) : -1, count = axis < 0 ? 0 : row->shape[axis];
        *positions = count > *positions ? count : *positions;
    }
    return n;
}

int differ_axes(const struct differ *d, const struct differ_row *row, int axis[3])
{
    int n = 0, lost = row->head < 0 ? -1 : value_head_axis(d->program, row->value);
    for (int i = 0; i < row->n_axis; i++)
        if (i != lost)
            axis[n++] = i;
    return n;
}

int differ_head_index(const struct differ_row *row, int n, int head)
{
    for (int i = 0; row->heads && i < n; i++)
        if (row->heads[i] == head)
            return i;
    return row->heads ? 0 : head;
}

int differ_group(const struct differ *d, const struct differ_row *row)
{
    const struct value *v = &d->program->value[row->value];
    int axis = value_head_axis(d->program, row->value);
    return axis >= 0 && v->axis[axis] == AXIS_KV_HEAD
               ? 1
               : d->program->hp.n_head / d->program->hp.n_kv_head;
}

bool differ_feeds(const struct differ *d, const struct differ_row *row,
                  const struct differ_row *by)
{
    int a = differ_group(d, row), b = differ_group(d, by);
    if (row->head < 0 || by->head < 0)
        return true;
    return a == b ? row->head == by->head : row->head / a == by->head / b;
}

/* --- one value --- */

static void misfit(struct differ_row *row, const struct differ *d, int side)
{
    struct str text = STR_INIT;
    dumped_misfit_print(d->side[side].dumped, row->item[side], side ? " in B" : " in A", &text);
    snprintf(row->why, sizeof row->why, "%s", text.text);
    str_release(&text);
    row->state = DIFFER_MISFIT;
}

/* The two runs' shapes may be another. */
static bool runs_fit(struct differ_row *row, const struct differ *d)
{
    int shape[2][3];
    if (!d->side[0].run || !d->side[1].run)
        return true;
    for (int i = 0; i < 2; i++)
        run_shape(d->side[i].run, d->map[i][row->value], shape[i]);
    const struct value *v = &d->program->value[row->value];
    for (int i = 0; i < v->n_axis; i++) {
        if (v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY || shape[0][i] == shape[1][i])
            continue;
        snprintf(row->why, sizeof row->why, "%s is %d in A and %d in B", axis_name(v->axis[i]),
                 shape[0][i], shape[1][i]);
        row->state = DIFFER_MISFIT;
        return false;
    }
    return true;
}

/* The heads that the row compares: those that both sides have, of those that are wanted. */
static bool set_heads(struct differ_row *row, const struct differ *d)
{
    const struct value *v = &d->program->value[row->value];
    int axis = value_head_axis(d->program, row->value),
        n = axis < 0 ? 0 : program_axis(d->program, v->axis[axis], 0);
    if (d->side[0].run && d->side[1].run && !d->only)
        return true;
    row->heads = xcalloc((size_t) n + 1, sizeof *row->heads);
    for (int h = 0; h < n; h++) {
        bool both = row->head < 0 || row->head == h;
        for (int i = 0; i < 2; i++)
            both = both &&
                   (!d->side[i].dumped || dumped_head(d->side[i].dumped, row->item[i], h) >= 0);
        if (both && differ_wanted(d, row->value, h))
            row->heads[row->n_heads++] = h;
    }
    bool some = row->n_heads > 0 || n == 0;
    if (some && row->n_heads == n) {
        free(row->heads);
        row->heads = NULL;
        row->n_heads = 0;
    }
    if (some)
        return true;
    snprintf(row->why, sizeof row->why, "the sides have no head in common");
    row->state = DIFFER_MISFIT;
    return false;
}

/* What the layouts have in common. */
static bool set_shape(struct differ_row *row, const struct differ *d)
{
    const struct value *v = &d->program->value[row->value];
    int begin = 0, end = d->n_pos, keys = d->n_pos;
    for (int i = 0; i < 2; i++) {
        const struct layout *l = &row->layout[i];
        if (d->side[i].run) {
            int ready = run_ready(d->side[i].run, d->map[i][row->value]);
            end = ready < end ? ready : end;
            keys = ready < keys ? ready : keys;
            continue;
        }
        begin = l->first_pos > begin ? l->first_pos : begin;
        end = l->first_pos + l->n_pos < end ? l->first_pos + l->n_pos : end;
    }
    row->n_axis = v->n_axis;
    row->first_pos = begin;
    for (int i = 0; i < 3; i++)
        row->shape[i] = i >= v->n_axis           ? 1
                        : v->axis[i] == AXIS_POS ? end - begin
                        : v->axis[i] == AXIS_KEY ? keys
                        : row->heads && i == value_head_axis(d->program, row->value)
                            ? row->n_heads
                            : program_axis(d->program, v->axis[i], 0);
    if (end > begin)
        return true;
    snprintf(row->why, sizeof row->why, "the sides have no position in common");
    row->state = DIFFER_MISFIT;
    return false;
}

/* The row with each way to read both sides until one agrees; if none does, the first. */
static bool try_layouts(struct differ *d, struct differ_row *row, struct err *err)
{
    struct layout way[2][LAYOUTS];
    struct differ_row first = *row;
    int n[2] = {1, 1};
    memset(way, 0, sizeof way);
    for (int i = 0; i < 2; i++) {
        way[i][0].repeat = 1;
        if (d->side[i].dumped)
            n[i] = dumped_layouts(d->side[i].dumped, row->item[i], way[i], LAYOUTS);
        if (n[i] == 0) {
            misfit(row, d, i);
            return true;
        }
    }
    for (int i = 0; i < n[0] * n[1]; i++) {
        struct differ_row one = first;
        one.layout[0] = way[0][i % n[0]];
        one.layout[1] = way[1][i / n[0]];
        for (int side = 0; side < 2; side++)
            one.fit[side] = one.layout[side].fit;
        if (set_shape(&one, d) && !differ_scan(d, &one, err))
            return false;
        if (i == 0 || one.state == DIFFER_SAME)
            *row = one;
        if (row->state == DIFFER_SAME)
            break;
    }
    return true;
}

/* What a name stands for, too: TransformerLens' "normalized" with gain and bias. */
static bool try_other(struct differ *d, struct differ_row *row, struct err *err)
{
    int other = -1;
    for (int i = 0; i < 2; i++)
        if (d->side[i].dumped && row->item[i] >= 0 && other < 0)
            other = d->side[i].dumped->item[row->item[i]].or_value;
    if (other < 0 || row->state != DIFFER_OTHER)
        return true;
    struct differ_row one = *row;
    one.other_value = other;
    if (!differ_scan(d, &one, err))
        return false;
    if (one.state == DIFFER_SAME)
        *row = one;
    return true;
}

static struct differ_row *new_row(struct differ *d, int value, const char *name)
{
    struct differ_row *row = xcalloc(1, sizeof *row);
    VEC_ROOM(d->row, d->n, d->cap);
    d->row[d->n++] = row;
    row->value = value;
    row->name = name;
    row->other_value = row->item[0] = row->item[1] = row->head = row->before = -1;
    return row;
}

static struct differ_row *pair_row(struct differ *d, const struct differ_pair *pair)
{
    const struct value *v = &d->program->value[pair->value];
    struct differ_row *row = new_row(d, pair->value, v->name);
    memcpy(row->item, pair->item, sizeof row->item);
    row->head = pair->head;
    if (row->head >= 0) {
        value_head_name(v, row->head, row->head_name, sizeof row->head_name);
        row->name = row->head_name;
    }
    return row;
}

/* For what is compared later and reads the value. Its first row counts, and all of heads. */
static void note_row(struct differ *d, struct differ_row *row)
{
    int *last = &d->row_of[program_resolve(d->program, row->value)];
    if (row->state == DIFFER_MISFIT || (*last >= 0 && row->head < 0))
        return;
    row->before = *last;
    *last = d->n - 1;
}

static const struct differ_row *compare_extra(struct differ *d, struct err *err)
{
    const struct differ_extra *x = &d->extra[d->next_extra++];
    const struct array *array = arrays_at(d->side[0].dumped->arrays, x->array[0]);
    struct differ_row *row = new_row(d, -1, array->name);
    row->n_axis = 2;
    row->shape[0] = x->rows;
    row->shape[1] = x->cols;
    row->shape[2] = 1;
    return differ_scan_extra(d, x, row, err) ? row : NULL;
}

const struct differ_row *differ_next(struct differ *d, struct err *err)
{
    while (d->next < d->n_pairs) {
        const struct differ_pair *pair = &d->pair[d->next++];
        if (d->n_pos == 0 || !differ_wanted(d, pair->value, pair->head))
            continue;
        struct differ_row *row = pair_row(d, pair);
        if (runs_fit(row, d) && set_heads(row, d) &&
            (!try_layouts(d, row, err) || !try_other(d, row, err)))
            return NULL;
        note_row(d, row);
        return row;
    }
    return d->next_extra < d->n_extra ? compare_extra(d, err) : NULL;
}
