/* Functions in the places of ops: patches that act on ops in place of values. The last one that
 * reaches an op counts. */
#include "base/mem.h"
#include "engine/function.h"
#include "engine/run_state.h"

#include <stdio.h>
#include <string.h>

static bool puts_at(const struct run *r, const struct patch *p, int op)
{
    return p->kind == PATCH_REPLACE &&
           function_reaches(r->program, op, p->put.layer, p->put.name);
}

void replace_refresh(struct run *r)
{
    r->ahead = false;
    for (int op = 0; op < r->program->n_ops; op++) {
        const struct patch *last = NULL;
        for (int i = 0; i < r->n_patches; i++)
            if (puts_at(r, &r->patch[i], op))
                last = &r->patch[i];
        if (!last && !r->function[op])
            continue; /* its own, or put there by run_replace */
        r->function[op] = last ? last->put.function : NULL;
        r->replaced[op] = last ? last->put.function->fn : NULL;
        r->replaced_user[op] = NULL;
        r->number[op] = last ? last->put.number : 0;
        r->ahead = r->ahead || (last && last->put.function->ahead);
    }
}

static void describe(struct patch *p)
{
    const struct put *put = &p->put;
    char number[32] = "", where[24] = "";

    if (put->function->number)
        snprintf(number, sizeof number, " %g", put->number);
    if (put->layer >= 0)
        snprintf(where, sizeof where, "L%d.", put->layer);
    snprintf(p->text, sizeof p->text, "replace %s%.30s: %s%s", where, put->name,
             put->function->name, number);
}

/* A family may have biases that this model has not. */
static bool fits(const struct run *r, const struct function *f, int op)
{
    const struct op *o = &r->program->op[op];

    return function_fits(f, r->program, op) &&
           (strcmp(f->name, "no-bias") || model_vector(r->model, o->bias, o->layer));
}

/* Ops that a name means; the first that the function does not fit. */
static int count_ops(const struct run *r, const struct put *put, int *first, int *unfit)
{
    int n = 0;

    *unfit = -1;
    for (int op = r->program->n_steps - 1; op >= 0; op--) {
        if (!function_reaches(r->program, op, put->layer, put->name))
            continue;
        n++;
        *first = op;
        if (!fits(r, put->function, op))
            *unfit = op;
    }
    return n;
}

int run_put(struct run *r, int layer, const char *name, const struct function *f, double number,
            struct err *err)
{
    struct patch p = {.kind = PATCH_REPLACE, .region = {{0, 0, 0}, {-1, -1, -1}}};
    int first = -1, unfit;

    p.put = (struct put){.layer = layer, .function = f, .number = number};
    snprintf(p.put.name, sizeof p.put.name, "%s", name);
    if (count_ops(r, &p.put, &first, &unfit) == 0) {
        err_set(err, "there is no op '%s' that could be replaced", name);
        return -1;
    }
    if (unfit >= 0) {
        struct str text = STR_INIT;
        op_name(r->program, unfit, &text);
        err_set(err, "%s does not fit %s", f->name, text.text);
        str_release(&text);
        return -1;
    }
    p.value = r->program->op[first].out[0];
    run_truncate(r, 0);
    p.id = r->next_patch++;
    describe(&p);
    VEC_ROOM(r->patch, r->n_patches, r->cap_patches);
    r->patch[r->n_patches++] = p;
    replace_refresh(r);
    return p.id;
}

int run_put_find(const struct run *r, int layer, const char *name)
{
    for (int i = 0; i < r->n_patches; i++) {
        const struct patch *p = &r->patch[i];
        if (p->kind == PATCH_REPLACE && p->put.layer == layer && !strcmp(p->put.name, name))
            return i;
    }
    return -1;
}

void run_replace(struct run *r, int op, op_function *fn, void *user)
{
    run_truncate(r, 0);
    r->replaced[op] = fn;
    r->replaced_user[op] = user;
    r->function[op] = NULL;
    r->number[op] = 0;
}

bool run_replaced(const struct run *r, int op)
{
    return r->replaced[op] != NULL;
}

const struct function *run_function(const struct run *r, int op, double *number)
{
    if (number)
        *number = r->number[op];
    return r->function[op];
}

void run_call_print(const struct run *r, int op, struct str *out)
{
    const struct function *f = r->function[op];
    struct str own = STR_INIT;

    op_call_print(r->program, op, &own);
    if (!f) {
        str_adds(out, own.text);
    } else {
        const char *inputs = strchr(own.text, '(');
        str_addf(out, "%s%.*s", f->name, (int) strlen(inputs) - 1, inputs);
        if (f->number)
            str_addf(out, ", %g", r->number[op]);
        str_addc(out, ')');
    }
    str_release(&own);
}

/* --- masks that show what comes later --- */

bool run_looks_ahead(const struct run *r, int layer)
{
    for (int op = 0; r->ahead && op < r->program->n_steps; op++)
        if (r->function[op] && r->function[op]->ahead &&
            (layer < 0 || r->program->op[op].layer == layer))
            return true;
    return false;
}

int run_pass_end(const struct run *r, int pos)
{
    return r->pass_end[pos];
}

int run_seen(const struct run *r, int layer, int query)
{
    return run_looks_ahead(r, layer) ? run_pass_end(r, query) : query + 1;
}
