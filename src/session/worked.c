/* A cell worked: by its op's file, then the changes that act on it, then the comparison. */
#include "session/worked_parts.h"

#include "base/mem.h"
#include "engine/function.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static working_function *const family[OP_COUNT] = {
    [OP_EMBED] = work_embed,   [OP_POS_EMBED] = work_embed, [OP_ADD] = work_pair,
    [OP_MUL] = work_pair,      [OP_LAYERNORM] = work_norm,  [OP_RMSNORM] = work_norm,
    [OP_LINEAR] = work_linear, [OP_ROPE] = work_rope,       [OP_SCORES] = work_scores,
    [OP_SCALE] = work_scores,  [OP_MASK] = work_scores,     [OP_SOFTMAX] = work_softmax,
    [OP_MIX] = work_mix,       [OP_GELU] = work_act,        [OP_SILU] = work_act,
    [OP_RESULT] = work_result,
};

void worked_release(struct worked *w)
{
    for (int i = 0; i < w->n_lines; i++)
        free(w->line[i].text);
    free(w->line);
    free(w->fact);
    for (int i = 0; i < w->n_tables; i++) {
        free(w->table[i].term);
        free(w->table[i].part);
    }
    memset(w, 0, sizeof *w);
}

static bool check_cell(const struct session *s, int value, const int cell[3], struct err *err)
{
    const struct value *v = &s->program->value[value];
    int shape[3], n = run_shape(s->run, value, shape);

    for (int i = 0; i < n; i++) {
        bool grows = v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY;
        if (cell[i] < 0 || cell[i] >= (grows ? s->ids.n : shape[i]))
            return err_set(err, "%s has %s 0 to %d, not %d", v->name, axis_name(v->axis[i]),
                           (grows ? s->ids.n : shape[i]) - 1, cell[i]);
    }
    for (int i = 0; i < n; i++) {
        if (cell[i] >= shape[i])
            return err_set(err, "%s is not computed at position %d yet; step on or run",
                           v->name, cell[i]);
    }
    return true;
}

static void take_cell(struct working *k, const int cell[3])
{
    const struct value *v = &k->p->value[k->value];

    if (program_is_stage(k->p, k->value)) {
        k->head = cell[0];
        k->pos = cell[1];
        k->at = cell[2];
    } else {
        k->pos = cell[0];
        k->head = v->n_axis == 3 ? cell[1] : 0;
        k->at = v->n_axis > 1 ? cell[v->n_axis - 1] : 0;
    }
    while (k->op->out[k->out] != k->value)
        k->out++;
}

/* The changes made to this cell, one after the other. */
static void work_changes(struct working *k, const int cell[3])
{
    float x = (float) k->w->result;

    for (int i = 0; i < run_n_patches(k->s->run); i++) {
        float before = x;
        if (run_patch_cell(k->s->run, i, k->value, cell, &x))
            work_say(k, false, WORKED_DIM "changed by: " WORKED_PLAIN "%s: %s → %s",
                     run_patch_text(k->s->run, i, NULL), NUM((double) before), NUM((double) x));
    }
    if (x != (float) k->w->result)
        work_fact(k, "before_changes", k->w->result);
    k->w->result = (double) x;
    k->w->size += fabs((double) x);
}

static bool far(double a, double b, double size)
{
    if (isnan(a) || isnan(b))
        return isnan(a) != isnan(b);
    if (isinf(a) || isinf(b))
        return a != b;
    return fabs(a - b) > 1e-4 * fabs(b) + 1e-5 * size + (double) FLT_MIN;
}

static void compare(struct working *k, const int cell[3])
{
    struct worked *w = k->w;

    work_changes(k, cell);
    w->differs = far(w->result, w->actual, w->size);
    if (w->differs)
        work_say(k, false, "the run has %s there: %s away", NUM(w->actual),
                 NUM(w->actual - w->result));
}

/* The op whose function makes the cell: each head's own part is what the output projection, the
 * op after the mix, makes of that head. */
static int acting_op(const struct working *k)
{
    int op = k->p->value[k->value].op, after;

    if (k->op->code != OP_RESULT)
        return op;
    program_attention(k->p, k->op->layer, &after);
    return after;
}

/* The op's own working would be wrong: what stands in its place, and what came of it. */
static void work_replaced(struct working *k)
{
    double number;
    const struct function *f = run_function(k->s->run, acting_op(k), &number);
    char given[WORKED_NUMBER + 16] = "";

    if (f && f->number)
        snprintf(given, sizeof given, " with %s = %s", f->number, NUM(number));
    if (f)
        work_say(k, false, "this op is replaced: " WORKED_STRONG "%s" WORKED_PLAIN ", %s%s",
                 f->name, f->formula, given);
    else
        work_say(k, false, "this op is replaced by another function");
    k->w->result = k->w->actual;
    work_say(k, false, "in its place the run has " WORKED_STRONG "%s", NUM(k->w->actual));
    if (f)
        work_say(k, true, WORKED_DIM "%s", f->help);
}

static void work_token(struct working *k)
{
    int id = k->s->ids.id[k->pos];

    k->w->result = id;
    work_say(k, false, "position %d holds token " WORKED_STRONG "%d" WORKED_PLAIN " %s", k->pos,
             id, LABEL(k, id));
}

bool worked_cell(const struct session *s, int value, const int cell[3], struct worked *w,
                 struct err *err)
{
    const struct program *p = s->program;
    struct working k = {.s = s, .p = p, .value = program_resolve(p, value), .w = w, .err = err};
    struct region g = {{0, 0, 0}, {1, 1, 1}};
    float actual;

    memset(w, 0, sizeof *w);
    w->value = value;
    w->next = -1;
    for (int i = 0; i < p->value[value].n_axis; i++)
        w->cell[i] = g.first[i] = cell[i];
    if (!check_cell(s, value, cell, err) || !run_read(s->run, value, &g, &actual, err))
        return false;
    w->actual = (double) actual;
    if (p->value[k.value].life == LIFE_TOKENS) {
        k.pos = cell[0];
        work_token(&k);
        return true;
    }
    k.op = &p->op[p->value[k.value].op];
    take_cell(&k, w->cell);
    w->replaced = run_replaced(s->run, acting_op(&k));
    if (w->replaced) {
        work_replaced(&k);
        return true;
    }
    if (!family[k.op->code](&k)) {
        worked_release(w);
        return false;
    }
    if (w->next < 0 && w->n_tables > 0 &&
        !worked_origin(s, &w->table[0], 0, &w->next, w->next_cell))
        w->next = -1;
    compare(&k, w->cell);
    return true;
}
