/* A second run, from what the first keeps. */
#include "base/mem.h"
#include "engine/run_state.h"

#include <string.h>

static void copy_slots(struct run *to, const struct run *from)
{
    const struct program *p = from->program;

    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        float *x = v->same_as < 0 ? run_slot(from, i, 0) : NULL;
        if (x)
            memcpy(run_slot(to, i, 0), x,
                   (size_t) from->n_past * program_width(p, i) * sizeof *x);
    }
}

static void copy_lse(struct run *to, const struct run *from)
{
    size_t n = (size_t) from->n_past * (size_t) from->program->hp.n_head;

    for (int layer = 0; layer < from->program->hp.n_layer; layer++)
        memcpy(run_lse_at(to, layer, 0), run_lse_at(from, layer, 0), n * sizeof(float));
}

struct run *run_copy(const struct run *r, struct err *err)
{
    struct run_options o = {
        .n_ctx = r->n_ctx, .chunk = r->chunk, .staged = r->staged, .lean = r->lean};
    struct run *copy = run_new(r->model, r->program, r->compute, &o, err);
    size_t n_ops = (size_t) r->program->n_ops;

    if (!copy)
        return NULL;
    if (!run_patches_of(copy, r, err)) {
        run_free(copy);
        return NULL;
    }
    memcpy(copy->replaced, r->replaced, n_ops * sizeof *r->replaced);
    memcpy(copy->replaced_user, r->replaced_user, n_ops * sizeof *r->replaced_user);
    memcpy(copy->function, r->function, n_ops * sizeof *r->function);
    copy->ahead = r->ahead;
    memcpy(copy->number, r->number, n_ops * sizeof *r->number);
    memcpy(copy->tokens, r->tokens, (size_t) r->n_past * sizeof *r->tokens);
    memcpy(copy->pass_end, r->pass_end, (size_t) r->n_past * sizeof *r->pass_end);
    copy_slots(copy, r);
    copy_lse(copy, r);
    copy->n_past = r->n_past;
    return copy;
}

bool run_use(struct run *r, struct compute *c, struct err *err)
{
    if (!compute_reserve(c, r->scratch_floats, err))
        return false;
    r->compute = c;
    return true;
}
