#include "engine/differ.h"

#include "base/mem.h"
#include "engine/differ_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the order --- */

/* Statistics of a norm before what is made of them, each head's result after z. */
static long order_key(const struct program *p, int value)
{
    int op = p->value[value].op, at = 0;
    if (op < 0)
        return -1;
    if (p->op[op].code == OP_RESULT)
        return 16L * p->value[p->op[op].in[0]].op + 8;
    for (int i = 0; i < p->op[op].n_out; i++)
        if (p->op[op].out[i] == program_resolve(p, value))
            at = p->op[op].n_out - i;
    return 16L * op + at;
}

static bool wanted(const struct selection *only, int value)
{
    bool any = !only;
    for (int i = 0; only && i < only->n; i++)
        any = any || only->item[i].value == value;
    return any;
}

static void put_in_order(struct differ *d, const struct selection *only)
{
    const struct program *p = d->program;
    long *key = xcalloc((size_t) p->n_values, sizeof *key);
    d->order = xcalloc((size_t) p->n_values, sizeof *d->order);
    for (int i = 0; i < p->n_values; i++) {
        if (!wanted(only, i))
            continue;
        long k = order_key(p, i);
        int at = d->n_order++;
        for (; at > 0 && key[at - 1] > k; at--) {
            key[at] = key[at - 1];
            d->order[at] = d->order[at - 1];
        }
        key[at] = k;
        d->order[at] = i;
    }
    free(key);
}

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
    put_in_order(d, o->only);
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
    for (int i = 0; i < d->n; i++)
        free(d->row[i]);
    for (int i = 0; i < d->program->n_values; i++)
        free(d->rms[i]);
    free(d->rms);
    free(d->row);
    free(d->row_of);
    free(d->order);
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

/* --- one value --- */

/* The item of a dump for a value, by any of its names; -1: none. */
static int find_item(const struct differ *d, int side, int value, bool any)
{
    const struct dumped *x = d->side[side].dumped;
    int item = dumped_find(x, value, 0), resolved = program_resolve(d->program, value);
    for (int i = 0; any && item < 0 && i < x->n; i++)
        if (program_resolve(d->program, x->item[i].value) == resolved)
            item = i;
    return item;
}

static bool has(const struct differ *d, int side, int value)
{
    if (d->side[side].run)
        return d->map[side][value] >= 0 &&
               run_ready(d->side[side].run, d->map[side][value]) > 0;
    return find_item(d, side, value, false) >= 0;
}

/* Both have it, or one has it and the other under another of its names. */
static bool both_have(const struct differ *d, int value)
{
    bool own[2] = {has(d, 0, value), has(d, 1, value)};
    bool live = d->side[0].run && d->side[1].run;
    if (live)
        return own[0] && own[1] && d->program->value[value].same_as < 0;
    if (own[0] && own[1])
        return true;
    for (int i = 0; i < 2; i++)
        if (own[i] && d->side[i].dumped && d->side[1 - i].dumped &&
            find_item(d, 1 - i, value, true) >= 0)
            return true;
    return false;
}

static void misfit(struct differ_row *row, const struct differ *d, int side)
{
    const struct value *v = &d->program->value[row->value];
    const struct dumped *x = d->side[side].dumped;
    struct str text = STR_INIT;
    array_shape_print(arrays_at(x->arrays, x->item[row->item[side]].array), &text);
    str_addf(&text, " in %s does not fit [", side ? "B" : "A");
    for (int i = 0; i < v->n_axis; i++)
        str_addf(&text, "%s%s %d", i ? ", " : "", axis_name(v->axis[i]),
                 program_axis(d->program, v->axis[i], x->n_pos));
    str_addc(&text, ']');
    snprintf(row->why, sizeof row->why, "shape %s", text.text);
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

static struct differ_row *add_row(struct differ *d, int value, const char *name)
{
    struct differ_row *row = xcalloc(1, sizeof *row);
    VEC_ROOM(d->row, d->n, d->cap);
    d->row[d->n++] = row;
    row->value = value;
    row->name = name;
    row->other_value = row->item[0] = row->item[1] = -1;
    return row;
}

static const struct differ_row *compare_extra(struct differ *d, struct err *err)
{
    const struct differ_extra *x = &d->extra[d->next_extra++];
    const struct array *array = arrays_at(d->side[0].dumped->arrays, x->array[0]);
    struct differ_row *row = add_row(d, -1, array->name);
    row->n_axis = 2;
    row->shape[0] = x->rows;
    row->shape[1] = x->cols;
    row->shape[2] = 1;
    return differ_scan_extra(d, x, row, err) ? row : NULL;
}

const struct differ_row *differ_next(struct differ *d, struct err *err)
{
    while (d->next < d->n_order) {
        int value = d->order[d->next++], resolved = program_resolve(d->program, value);
        if (d->n_pos == 0 || !both_have(d, value))
            continue;
        struct differ_row *row = add_row(d, value, d->program->value[value].name);
        for (int i = 0; i < 2; i++)
            if (d->side[i].dumped)
                row->item[i] = find_item(d, i, value, true);
        if (runs_fit(row, d) && (!try_layouts(d, row, err) || !try_other(d, row, err)))
            return NULL;
        if (row->state != DIFFER_MISFIT && d->row_of[resolved] < 0)
            d->row_of[resolved] = d->n - 1;
        return row;
    }
    return d->next_extra < d->n_extra ? compare_extra(d, err) : NULL;
}

/* --- what only one side has --- */

bool differ_only(const struct differ *d, int side, int array)
{
    const struct dumped *x = d->side[side].dumped;
    for (int i = 0; i < d->n_extra; i++)
        if (d->extra[i].array[side] == array)
            return false;
    if (arrays_at(x->arrays, array)->type == ARRAY_TEXT)
        return false;
    for (int i = 0; x->known[array] && i < x->n; i++)
        if (x->item[i].array == array && both_have(d, x->item[i].value))
            return false;
    return true;
}
