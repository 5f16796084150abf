/* Programs: what the builders make, and that a pass's memory plan never lets two values that
 * are alive at the same time share a float. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/run_state.h"
#include "model/synth.h"

#include <stdio.h>
#include <string.h>

static const char *const shape_specs[] = {
    "gpt2:n_layer=2,d_model=12,n_head=3,d_mlp=20,n_vocab=50,n_ctx=16",
    "llama-1b:n_layer=3,d_model=16,n_head=4,n_kv_head=2,d_head=4,d_mlp=20,n_vocab=50,n_ctx=16",
    "llama-1b:n_layer=1,d_model=6,n_head=1,n_kv_head=1,d_head=6,d_mlp=7,n_vocab=11,n_ctx=16",
};
enum { N_SHAPES = sizeof shape_specs / sizeof *shape_specs };

struct made {
    struct model *model;
    struct program *program;
};

static struct made make(const char *spec)
{
    struct err err = ERR_INIT;
    struct hparams hp;
    struct made m = {0};
    if (!shape_parse(&hp, spec, &err))
        fail_msg("%s", err.text);
    m.model = model_synth(&hp, DTYPE_F32, 1, &err);
    if (!m.model)
        fail_msg("%s", err.text);
    m.program = program_build(m.model, &err);
    if (!m.program)
        fail_msg("%s", err.text);
    return m;
}

static void unmake(struct made *m)
{
    program_free(m->program);
    model_free(m->model);
}

static void test_order(void **state)
{
    (void) state;
    for (int s = 0; s < N_SHAPES; s++) {
        struct made m = make(shape_specs[s]);
        const struct program *p = m.program;
        for (int i = 0; i < p->n_ops; i++) {
            const struct op *op = &p->op[i];
            assert_true(op->n_in >= 1 && op->n_out >= 1);
            assert_non_null(op_info(op->code)->help);
            for (int k = 0; k < op->n_in; k++) {
                assert_true(p->value[op->in[k]].op < i);
                assert_int_equal(p->value[op->in[k]].same_as, -1);
                if (i < p->n_steps)
                    assert_true(p->value[op->in[k]].last_use >= i);
            }
            for (int k = 0; k < op->n_out; k++)
                assert_int_equal(p->value[op->out[k]].op, i);
        }
        for (int i = 0; i < p->n_values; i++)
            assert_int_equal(program_find(p, p->value[i].name), i);
        unmake(&m);
    }
}

static void expect_names(const struct program *p, const char *const *name)
{
    for (; *name; name++)
        if (program_find(p, *name) < 0)
            fail_msg("no value %s", *name);
}

static void test_names(void **state)
{
    (void) state;
    static const char *const both[] = {"tokens",
                                       "embed",
                                       "blocks.0.resid_pre",
                                       "blocks.0.resid_mid",
                                       "blocks.0.resid_post",
                                       "blocks.0.ln1.scale",
                                       "blocks.0.ln1.normalized",
                                       "blocks.0.ln1.out",
                                       "blocks.0.ln2.out",
                                       "blocks.0.attn.q",
                                       "blocks.0.attn.k",
                                       "blocks.0.attn.v",
                                       "blocks.0.attn.scores_raw",
                                       "blocks.0.attn.scores_scaled",
                                       "blocks.0.attn.scores",
                                       "blocks.0.attn.pattern",
                                       "blocks.0.attn.z",
                                       "blocks.0.attn.result",
                                       "blocks.0.attn_out",
                                       "blocks.0.mlp.pre",
                                       "blocks.0.mlp.post",
                                       "blocks.0.mlp_out",
                                       "ln_final.out",
                                       "logits",
                                       "probs",
                                       "cache.0.k",
                                       "cache.0.v",
                                       NULL};
    static const char *const gpt2[] = {"pos_embed", "blocks.0.ln1.mean", "ln_final.mean", NULL};
    static const char *const llama[] = {"blocks.0.attn.rot_q",     "blocks.0.attn.rot_k",
                                        "blocks.0.mlp.pre_linear", "blocks.0.mlp.act",
                                        "blocks.2.resid_pre",      NULL};
    struct made a = make(shape_specs[0]), b = make(shape_specs[1]);
    expect_names(a.program, both);
    expect_names(a.program, gpt2);
    expect_names(b.program, both);
    expect_names(b.program, llama);
    assert_int_equal(program_find(b.program, "blocks.0.ln1.mean"), -1);
    unmake(&a);
    unmake(&b);
}

static void test_blocks(void **state)
{
    (void) state;
    struct made m = make(shape_specs[1]);
    const struct program *p = m.program;
    for (int layer = 0; layer < p->hp.n_layer; layer++) {
        int after, first = program_attention(p, layer, &after);
        assert_int_equal(p->op[first].code, OP_SCORES);
        assert_int_equal(p->op[after - 1].code, OP_MIX);
        assert_int_equal(after - first, 5);
        assert_true(p->block_begin[layer] < first && after < p->block_begin[layer + 1]);
        assert_int_equal(p->op[first].layer, layer);
    }
    for (int i = p->block_begin[p->hp.n_layer]; i < p->n_steps; i++)
        assert_true(p->op[i].last_row);
    unmake(&m);
}

/* The pcs at which a value's place must hold it: from the op that makes it to its last reader.
 */
static bool alive(const struct program *p, int value, int op)
{
    return p->value[value].op <= op && op <= p->value[value].last_use;
}

static size_t floats_of(const struct program *p, int value, int rows, int n_key)
{
    size_t n = program_width(p, value);
    n *= p->op[p->value[value].op].last_row ? 1 : (size_t) rows;
    return program_is_stage(p, value) ? n * (size_t) n_key : n;
}

static bool stages_in_place(const struct program *p, int a, int b)
{
    return program_is_stage(p, a) && program_is_stage(p, b) &&
           p->value[a].layer == p->value[b].layer;
}

static void check_plan(const struct run *r, int rows, int n_key)
{
    const struct program *p = r->program;
    const struct plan *plan = &r->plan;
    int pairs = 0;
    for (int a = 0; a < p->n_values; a++) {
        if (plan->offset[a] == SIZE_MAX)
            continue;
        size_t end_a = plan->offset[a] + floats_of(p, a, rows, n_key);
        assert_true(end_a <= plan->floats);
        for (int b = 0; b < a; b++) {
            if (plan->offset[b] == SIZE_MAX || stages_in_place(p, a, b))
                continue;
            bool together = false;
            for (int op = 0; op < p->n_steps; op++)
                together = together || (alive(p, a, op) && alive(p, b, op));
            if (!together)
                continue;
            pairs++;
            size_t end_b = plan->offset[b] + floats_of(p, b, rows, n_key);
            if (plan->offset[a] < end_b && plan->offset[b] < end_a)
                fail_msg("%s and %s share memory", p->value[a].name, p->value[b].name);
        }
    }
    assert_true(pairs > 0);
}

static void test_plan(void **state)
{
    (void) state;
    static const int sizes[][2] = {{1, 1}, {1, 9}, {7, 7}, {5, 16}, {16, 16}};
    for (int s = 0; s < N_SHAPES; s++) {
        struct made m = make(shape_specs[s]);
        for (int variant = 0; variant < 4; variant++) {
            struct run r = {.program = m.program, .lean = variant & 1};
            size_t before = 0;
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                plan_make(&r.plan, &r, sizes[i][0], sizes[i][1], variant & 2);
                check_plan(&r, sizes[i][0], sizes[i][1]);
                assert_true(r.plan.floats > 0);
            }
            before = r.plan.floats;
            plan_make(&r.plan, &r, 1, 1, variant & 2);
            assert_true(r.plan.floats < before);
            plan_release(&r.plan);
        }
        unmake(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
