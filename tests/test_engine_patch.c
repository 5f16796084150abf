/* Patches and replaced ops against the oracle with the same change made to it by hand. */
#include "base/mem.h"
#include "change.h"
#include "rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(a) ((int) (sizeof(a) / sizeof *(a)))

enum { CTX = 16, LAYERS = 3, HEADS = 4, D_HEAD = 6, D_MODEL = HEADS * D_HEAD };

/* --- one patch at a time --- */

struct form {
    bool llama, staged;
    int chunk;
};

static const struct form forms[] = {
    {false, true, 5}, {false, false, CTX}, {true, true, CTX}, {true, false, 5}};

static void make(struct rig *g, const struct form *f)
{
    struct hparams hp;
    if (f->llama)
        rig_llama(&hp, LAYERS, HEADS, 2, D_HEAD);
    else
        rig_gpt2(&hp, LAYERS, HEADS, D_HEAD);
    rig_make(g, &hp, DTYPE_F32, &(struct run_options){.chunk = f->chunk, .staged = f->staged});
}

static int add_patch(struct run *run, const struct change *c)
{
    struct err err = ERR_INIT;
    int id = run_patch(run, c->kind, rig_value(run, c->name), &c->region, (float) c->factor,
                       NULL, &err);
    if (id < 0)
        fail_msg("%s: %s", c->name, err.text);
    return id;
}

static void compare_changed(struct rig *g, const int32_t *ids, const struct changes *changes,
                            struct worst *w)
{
    struct ref ref = {0};
    ref_forward(&ref, g->model, ids, CTX, change_value, (void *) changes);
    rig_compare(g->run, &ref, w);
    ref_release(&ref);
}

static const struct change single[] = {
    // clang-format off
    {"blocks.1.attn.z", PATCH_ZERO, {{0, 2, 0}, {-1, 1, -1}}, 0, NULL}, /* a head */
    {"blocks.0.attn.z", PATCH_SCALE, {{3, 0, 0}, {4, 2, -1}}, 0.5, NULL},
    {"blocks.1.mlp_out", PATCH_SCALE, {{2, 5, 0}, {-1, 3, 1}}, 3, NULL},
    {"blocks.1.attn_out", PATCH_SET, {{0, 0, 0}, {-1, -1, -1}}, 0.25, NULL},
    {"blocks.0.attn.pattern", PATCH_ZERO, {{1, 7, 2}, {1, 1, 1}}, 0, NULL}, /* an edge */
    {"blocks.1.attn.pattern", PATCH_ZERO, {{0, 0, 0}, {2, -1, 1}}, 0, NULL},
    {"blocks.2.attn.pattern", PATCH_SCALE, {{0, 0, 0}, {-1, -1, -1}}, 0.5, NULL},
    {"blocks.2.attn.pattern", PATCH_SET, {{0, 0, 0}, {-1, -1, -1}}, 0.125, NULL},
    {"blocks.1.attn.scores", PATCH_SET, {{2, 4, 0}, {1, -1, 2}}, -INFINITY, NULL},
    {"blocks.1.attn.scores", PATCH_SET, {{3, 0, 0}, {1, -1, -1}}, 0, NULL},
    {"blocks.0.attn.scores_raw", PATCH_SCALE, {{0, 0, 0}, {1, -1, -1}}, 2, NULL},
    {"blocks.2.attn.scores_scaled", PATCH_SET, {{3, 5, 1}, {1, 6, 3}}, 1.5, NULL},
    {"blocks.0.attn.q", PATCH_ZERO, {{4, 1, 0}, {3, 1, -1}}, 0, NULL},
    {"blocks.1.attn.k", PATCH_SCALE, {{0, 0, 0}, {-1, 1, -1}}, -1, NULL},
    {"blocks.1.attn.v", PATCH_ZERO, {{4, 0, 0}, {2, -1, -1}}, 0, NULL},
    {"blocks.1.attn.rot_q", PATCH_SCALE, {{0, 3, 0}, {-1, 1, -1}}, 1.5, NULL},
    {"blocks.1.attn.rot_k", PATCH_ZERO, {{6, 0, 0}, {1, 1, -1}}, 0, NULL},
    {"embed", PATCH_SCALE, {{5, 0, 0}, {2, -1, 1}}, 0, NULL},
    {"pos_embed", PATCH_ZERO, {{0, 0, 0}, {-1, -1, 1}}, 0, NULL},
    {"blocks.0.resid_post", PATCH_ZERO, {{3, 0, 0}, {1, -1, 1}}, 0, NULL},
    {"blocks.2.resid_post", PATCH_SCALE, {{0, 0, 0}, {-1, 4, 1}}, 2, NULL},
    {"blocks.2.resid_mid", PATCH_SCALE, {{9, 0, 0}, {-1, -1, 1}}, 0.5, NULL},
    {"blocks.2.ln1.out", PATCH_SET, {{1, 0, 0}, {1, 12, 1}}, 1, NULL},
    {"blocks.0.ln2.out", PATCH_ZERO, {{0, 0, 0}, {-1, 3, 1}}, 0, NULL},
    {"blocks.0.mlp.pre", PATCH_SET, {{0, 10, 0}, {-1, 20, 1}}, -2, NULL},
    {"blocks.1.mlp.pre_linear", PATCH_SCALE, {{0, 0, 0}, {7, -1, 1}}, 2, NULL},
    {"blocks.1.mlp.act", PATCH_ZERO, {{0, 8, 0}, {-1, 8, 1}}, 0, NULL},
    {"blocks.1.mlp.post", PATCH_ZERO, {{0, 30, 0}, {-1, 1, 1}}, 0, NULL}, /* a neuron */
    {"ln_final.out", PATCH_SCALE, {{0, 0, 0}, {-1, -1, 1}}, 0.1, NULL},
    {"logits", PATCH_SET, {{0, 5, 0}, {-1, 1, 1}}, 9, NULL},
    // clang-format on
};

static void test_each_patch(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        int32_t ids[CTX];
        int done = 0;
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 21);
        for (int i = 0; i < N(single); i++) {
            struct worst w = {.n = 0};
            char title[128];
            if (program_find(g.program, single[i].name) < 0)
                continue;
            int id = add_patch(g.run, &single[i]);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &(struct changes){&single[i], 1, 0}, &w);
            snprintf(title, sizeof title, "%s, %s", forms[f].llama ? "llama" : "gpt2",
                     run_patch_text(g.run, 0, NULL));
            if (worst_of_all(&w) > TOLERANCE || w.n == 0)
                assert_true(worst_report(&w, title, TOLERANCE, false));
            run_unpatch(g.run, id);
            assert_int_equal(run_n_past(g.run), 0);
            done++;
        }
        printf("%s, %s, chunk %d: %d patches as the oracle's\n",
               forms[f].llama ? "llama" : "gpt2",
               forms[f].staged ? "staged" : "attention as one", forms[f].chunk, done);
        rig_close(&g);
    }
}

/* --- several at once, while stepping --- */

static const struct change several[] = {
    {"blocks.0.attn.z", PATCH_ZERO, {{0, 1, 0}, {-1, 1, -1}}, 0, NULL},
    {"blocks.1.attn.pattern", PATCH_ZERO, {{0, 3, 1}, {2, -1, 1}}, 0, NULL},
    {"blocks.1.attn.v", PATCH_SCALE, {{0, 0, 0}, {-1, 1, -1}}, 2, NULL},
    {"blocks.1.resid_post", PATCH_SCALE, {{2, 0, 0}, {5, -1, 1}}, 0.5, NULL},
    {"blocks.2.mlp.post", PATCH_SET, {{0, 0, 0}, {-1, 9, 1}}, 1, NULL},
};

static void test_stepping_with_patches(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct ref ref = {0};
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        struct changes changes = {several, N(several), 0};
        int32_t ids[CTX];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 22);
        for (int i = 0; i < N(several); i++)
            add_patch(g.run, &several[i]);
        assert_int_equal(run_n_patches(g.run), N(several));
        ref_forward(&ref, g.model, ids, CTX, change_value, &changes);
        rig_feed(g.run, ids, 4);
        assert_true(run_begin(g.run, ids + 4, 5, &err));
        do
            rig_compare(g.run, &ref, &w);
        while (run_step(g.run));
        for (int op = g.program->n_steps; op >= 0; op -= 5) {
            run_rewind(g.run, op);
            rig_compare(g.run, &ref, &w);
        }
        run_commit(g.run);
        rig_feed(g.run, ids + 9, CTX - 9);
        rig_compare(g.run, &ref, &w);
        assert_true(worst_report(&w, "stepping with patches", TOLERANCE, false));
        ref_release(&ref);
        rig_close(&g);
    }
}

/* A patch acts on what is computed from then on; taking it away takes back what it touched. */
static void test_from_now_on(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        int id[N(several)];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 23);
        for (int i = 0; i < N(several); i++) {
            run_truncate(g.run, 0);
            rig_feed(g.run, ids, 6);
            int one = add_patch(g.run, &several[i]);
            assert_int_equal(run_n_past(g.run), 6);
            rig_feed(g.run, ids + 6, CTX - 6);
            compare_changed(&g, ids, &(struct changes){&several[i], 1, 6}, &w);
            run_unpatch(g.run, one);
            assert_int_equal(run_n_past(g.run), 6);
            rig_feed(g.run, ids + 6, CTX - 6);
            compare_changed(&g, ids, &(struct changes){NULL, 0, 0}, &w);
        }
        run_truncate(g.run, 0);
        for (int i = 0; i < 3; i++)
            id[i] = add_patch(g.run, &several[i]);
        run_unpatch(g.run, id[1]);
        rig_feed(g.run, ids, CTX);
        struct change left[2] = {several[0], several[2]};
        compare_changed(&g, ids, &(struct changes){left, 2, 0}, &w);
        run_unpatch(g.run, -1);
        assert_int_equal(run_n_patches(g.run), 0);
        rig_feed(g.run, ids, CTX);
        compare_changed(&g, ids, &(struct changes){NULL, 0, 0}, &w);
        assert_true(worst_report(&w, "from now on, and back", TOLERANCE, false));
        rig_close(&g);
    }
}

/* --- numbers from elsewhere --- */

static void test_set_to_data(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        struct region region;
    } row[] = {{"blocks.1.attn.z", {{2, 1, 0}, {5, 2, D_HEAD}}},
               {"blocks.0.resid_post", {{4, 3, 0}, {2, 7, 1}}},
               {"blocks.1.attn.pattern", {{1, 5, 0}, {2, 4, 4}}},
               {"blocks.0.attn.v", {{0, 1, 2}, {CTX, 1, 3}}}};
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        double data[512];
        float floats[512];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 24);
        for (int i = 0; i < N(row); i++) {
            struct change c = {row[i].name, PATCH_SET, row[i].region, 0, data};
            for (int j = 0; j < 512; j++)
                data[j] = (double) (floats[j] = (float) (j % 13) / 13.0f);
            int value = rig_value(g.run, c.name);
            assert_true(run_patch(g.run, PATCH_SET, value, &c.region, 0, floats, &err) >= 0);
            memset(floats, 0, sizeof floats); /* the run has its own copy */
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &(struct changes){&c, 1, 0}, &w);
            run_unpatch(g.run, -1);
        }
        assert_true(worst_report(&w, "set to data", TOLERANCE, false));
        rig_close(&g);
    }
}

/* The numbers of a value's region in an oracle's pass. */
static double *region_of(const struct ref_value *v, const struct region *g)
{
    int shape[3] = {1, 1, 1}, cell[3];
    for (int i = 0; i < v->n_axis; i++)
        shape[i] = v->shape[i];
    double *out = xcalloc(v->n, sizeof *out), *to = out;
    const double *x = v->data;
    for (cell[0] = 0; cell[0] < shape[0]; cell[0]++)
        for (cell[1] = 0; cell[1] < shape[1]; cell[1]++)
            for (cell[2] = 0; cell[2] < shape[2]; cell[2]++, x++)
                if (change_inside(g, cell))
                    *to++ = *x;
    return out;
}

static void test_copy_from_another_run(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        struct region region;
    } row[] = {{"blocks.1.attn.z", {{2, 1, 0}, {5, 2, -1}}},
               {"blocks.0.resid_post", {{0, 0, 0}, {-1, -1, 1}}},
               {"blocks.1.attn.pattern", {{2, 0, 0}, {1, -1, -1}}},
               {"blocks.2.mlp.post", {{7, 0, 0}, {1, -1, 1}}}};
    for (int f = 0; f < N(forms); f++) {
        struct rig g, other;
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        struct ref ref = {0};
        int32_t ids[CTX], corrupt[CTX];
        make(&g, &forms[f]);
        make(&other, &forms[f]);
        rig_ids(ids, CTX, 61, 25);
        rig_ids(corrupt, CTX, 61, 26);
        rig_feed(other.run, corrupt, CTX);
        ref_forward(&ref, g.model, corrupt, CTX, NULL, NULL);
        for (int i = 0; i < N(row); i++) {
            double *data = region_of(ref_find(&ref, row[i].name), &row[i].region);
            struct change c = {row[i].name, PATCH_SET, row[i].region, 0, data};
            int value = rig_value(g.run, c.name);
            assert_true(run_patch_from(g.run, other.run, value, &c.region, &err) >= 0);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &(struct changes){&c, 1, 0}, &w);
            run_unpatch(g.run, -1);
            free(data);
        }
        assert_true(worst_report(&w, "copied from another run", TOLERANCE, false));
        ref_release(&ref);
        rig_close(&g);
        rig_close(&other);
    }
}

/* Each position to the mean over the region's positions, as they were without the patch. */
static void test_mean(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        struct region region;
        int per_row; /* numbers of the region at one position */
    } row[] = {{"blocks.1.attn.z", {{0, 2, 0}, {CTX, 1, D_HEAD}}, D_HEAD},
               {"blocks.0.mlp_out", {{3, 0, 0}, {8, D_MODEL, 1}}, D_MODEL}};
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct worst w = {.n = 0};
        struct ref ref = {0};
        int32_t ids[CTX];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 27);
        ref_forward(&ref, g.model, ids, CTX, NULL, NULL);
        for (int i = 0; i < N(row); i++) {
            double *data = region_of(ref_find(&ref, row[i].name), &row[i].region);
            int rows = row[i].region.count[0], n = row[i].per_row;
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int t = 0; t < rows; t++)
                    sum += data[t * n + j];
                for (int t = 0; t < rows; t++)
                    data[t * n + j] = sum / rows;
            }
            struct change c = {row[i].name, PATCH_MEAN, row[i].region, 0, data};
            rig_feed(g.run, ids, CTX); /* whose mean it is */
            add_patch(g.run, &c);
            run_truncate(g.run, 0);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &(struct changes){&c, 1, 0}, &w);
            run_unpatch(g.run, -1);
            run_truncate(g.run, 0);
            free(data);
        }
        assert_true(worst_report(&w, "mean", TOLERANCE, false));
        ref_release(&ref);
        rig_close(&g);
    }
}

/* --- replaced ops --- */

static void identity(const struct op_call *call, void *user)
{
    size_t width = program_width(run_program(call->run), call->op->out[0]);
    memcpy(call->out[0], call->in[0], width * (size_t) call->rows * sizeof(float));
    ++*(int *) user;
}

static void uniform(const struct op_call *call, void *user)
{
    float *out = call->out[0];
    for (int head = 0; head < HEADS; head++)
        for (int i = 0; i < call->rows; i++)
            for (int key = 0; key < call->n_key; key++) {
                int seen = call->pos0 + i + 1;
                *out++ = key < seen ? 1.0f / (float) seen : 0.0f;
            }
    ++*(int *) user;
}

/* The same two changes to the oracle. */
static void replace_in_oracle(struct ref *r, struct ref_value *v, void *user)
{
    const char *name = user;
    if (strcmp(v->name, name) != 0)
        return;
    if (strstr(name, "attn.pattern")) {
        for (size_t i = 0; i < v->n; i++) {
            size_t key = i % CTX, query = i / CTX % CTX;
            v->data[i] = key <= query ? 1.0 / (double) (query + 1) : 0;
        }
    } else {
        char from[48];
        snprintf(from, sizeof from, "%.9smlp.pre", name);
        memcpy(v->data, ref_find(r, from)->data, v->n * sizeof *v->data);
    }
}

static void test_replaced_ops(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        char act[48];
        snprintf(act, sizeof act, "blocks.1.%s", forms[f].llama ? "mlp.act" : "mlp.post");
        char pattern[] = "blocks.1.attn.pattern", *name[] = {act, pattern};
        op_function *fn[] = {identity, uniform};
        struct rig g;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 28);
        for (int i = 0; i < 2; i++) {
            struct ref ref = {0};
            int calls = 0, op = g.program->value[rig_value(g.run, name[i])].op;
            run_replace(g.run, op, fn[i], &calls);
            assert_int_equal(run_n_past(g.run), 0);
            rig_feed(g.run, ids, CTX);
            assert_true(calls > 0);
            ref_forward(&ref, g.model, ids, CTX, replace_in_oracle, name[i]);
            rig_compare(g.run, &ref, &w);
            run_replace(g.run, op, NULL, NULL);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &(struct changes){NULL, 0, 0}, &w);
            ref_release(&ref);
        }
        assert_true(worst_report(&w, "replaced ops", TOLERANCE, false));
        rig_close(&g);
    }
}

/* --- what is said --- */

static void test_texts(void **state)
{
    (void) state;
    static const struct {
        struct change change;
        const char *text;
    } row[] = {
        {{"blocks.2.attn.z", PATCH_ZERO, {{0, 3, 0}, {-1, 1, -1}}, 0, NULL},
         "zero blocks.2.attn.z[:, 3, :]"},
        {{"blocks.0.attn.pattern", PATCH_ZERO, {{1, 7, 2}, {1, 1, 1}}, 0, NULL},
         "zero blocks.0.attn.pattern[1, 7, 2]"},
        {{"blocks.0.mlp_out", PATCH_SCALE, {{4, 0, 0}, {-1, -1, -1}}, 0.5, NULL},
         "scale blocks.0.mlp_out[4:, :] by 0.5"},
        {{"blocks.0.mlp_out", PATCH_SET, {{4, 2, 0}, {3, 5, 1}}, 1, NULL},
         "set blocks.0.mlp_out[4:7, 2:7] to 1"},
    };
    struct rig g;
    make(&g, &forms[0]);
    for (int i = 0; i < N(row); i++) {
        int id = add_patch(g.run, &row[i].change), of;
        assert_string_equal(run_patch_text(g.run, i, &of), row[i].text);
        assert_int_equal(of, id);
    }
    rig_close(&g);
}

static void test_refused(void **state)
{
    (void) state;
    static const struct change row[] = {
        {"tokens", PATCH_ZERO, {{0, 0, 0}, {-1, -1, -1}}, 0, NULL},
        {"blocks.0.ln1.scale", PATCH_ZERO, {{0, 0, 0}, {-1, -1, -1}}, 0, NULL},
        {"blocks.0.attn.result", PATCH_ZERO, {{0, 0, 0}, {-1, -1, -1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{0, 4, 0}, {-1, 1, -1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{-1, 0, 0}, {1, 1, 1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{0, INT32_MIN, 0}, {1, -1, 1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{0, 0, 3}, {1, 1, 4}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{CTX, 0, 0}, {1, 1, 1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{1, 0, 0}, {INT32_MAX, 1, 1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_ZERO, {{0, 0, 0}, {0, 1, 1}}, 0, NULL},
        {"blocks.0.attn.z", PATCH_MEAN, {{0, 0, 0}, {-1, -1, -1}}, 0, NULL}, /* not computed */
        {"blocks.0.attn.pattern", PATCH_MEAN, {{0, 0, 0}, {-1, -1, -1}}, 0, NULL},
    };
    struct rig g, other;
    struct err err = ERR_INIT;
    make(&g, &forms[0]);
    make(&other, &forms[0]);
    for (int i = 0; i < N(row); i++) {
        struct err why = ERR_INIT;
        int value = rig_value(g.run, row[i].name);
        assert_int_equal(run_patch(g.run, row[i].kind, value, &row[i].region, 0, NULL, &why),
                         -1);
        assert_true(strlen(why.text) > 0);
    }
    float x[8] = {0};
    struct region open = {{0, 0, 0}, {-1, 1, 1}};
    int z = rig_value(g.run, "blocks.0.attn.z");
    assert_int_equal(run_patch(g.run, PATCH_SET, z, &open, 0, x, &err), -1);
    assert_int_equal(run_patch_from(g.run, other.run, z, NULL, &err), -1);
    assert_int_equal(run_n_patches(g.run), 0);
    rig_close(&g);
    rig_close(&other);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_patch),
        cmocka_unit_test(test_stepping_with_patches),
        cmocka_unit_test(test_from_now_on),
        cmocka_unit_test(test_set_to_data),
        cmocka_unit_test(test_copy_from_another_run),
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_replaced_ops),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
