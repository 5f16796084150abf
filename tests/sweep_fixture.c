#include "sweep_fixture.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

const struct form forms[5] = {
    {false, 1, 1, 1, 2, 70, false, true, DTYPE_F32},
    {false, 2, 3, 3, 5, 150, true, false, DTYPE_F32},
    {true, 2, 6, 2, 6, 150, false, false, DTYPE_F16},
    {true, 1, 4, 1, 8, 600, true, true, DTYPE_F32},
    {false, 2, 2, 2, 32, 90, true, false, DTYPE_Q8_0},
};

void form_make(struct rig *g, const struct form *f, int chunk)
{
    struct hparams hp;
    if (f->llama)
        rig_llama(&hp, f->layers, f->heads, f->kv_heads, f->d_head);
    else
        rig_gpt2(&hp, f->layers, f->heads, f->d_head);
    hp.n_ctx = f->n_ctx;
    hp.tied = f->tied;
    rig_make(g, &hp, f->dtype, &(struct run_options){.chunk = chunk, .staged = f->staged});
}

void form_feed(struct run *r, int n)
{
    int32_t *ids = xcalloc((size_t) n, sizeof *ids);
    rig_ids(ids, n, run_program(r)->hp.n_vocab, 5);
    rig_feed(r, ids, n);
    free(ids);
}

struct region form_whole(const struct run *r, int value)
{
    struct region g = {{0, 0, 0}, {0, 0, 0}};
    run_shape(r, value, g.count);
    return g;
}

size_t form_floats(const struct region *g)
{
    return (size_t) g->count[0] * (size_t) g->count[1] * (size_t) g->count[2];
}

/* A value, or one head of it. */
void form_array(struct dump_job *job, const struct run *r, int value, int head)
{
    const struct value *v = &run_program(r)->value[value];
    struct dump_array *a = &job->array[job->n];
    *a = (struct dump_array){.type = DUMP_F32, .run = r, .value = value};
    snprintf(a->name, sizeof a->name, "%s", v->name);
    a->n_value_axis = run_shape(r, value, a->region.count);
    for (int i = a->n_value_axis; i < 3; i++)
        a->region.count[i] = 0; /* as dumps leave it */
    for (int i = 0; i < a->n_value_axis; i++) {
        bool is_head = v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD;
        if (is_head && head >= 0) {
            a->region.first[i] = head % a->region.count[i];
            a->region.count[i] = 1;
            continue;
        }
        a->axis[a->n_axis] = v->axis[i];
        a->shape[a->n_axis++] = a->region.count[i];
    }
    job->n++;
}

int form_act_op(const struct program *p, int layer)
{
    for (int i = p->block_begin[layer];; i++)
        if (p->op[i].code == OP_GELU || p->op[i].code == OP_SILU)
            return i;
}

void form_halve(const struct op_call *call, void *user)
{
    size_t n = program_width(run_program(call->run), call->op->out[0]) * (size_t) call->rows;
    for (size_t i = 0; i < n; i++)
        call->out[0][i] = call->in[0][i] / 2;
    if (user)
        *(long *) user += call->rows;
}
