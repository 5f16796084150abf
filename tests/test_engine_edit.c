/* Adding to values, knocking out edges of attention, and copies of a run. */
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

static void compare_changed(struct rig *g, const int32_t *ids, const struct change *c, int n,
                            struct worst *w)
{
    struct changes changes = {c, n, 0};
    struct ref ref = {0};
    ref_forward(&ref, g->model, ids, CTX, change_value, &changes);
    rig_compare(g->run, &ref, w);
    ref_release(&ref);
}

/* --- add --- */

/* The same row at every position of the region, which the oracle takes as so many numbers. */
static double *repeat(const float *row, int width, int positions)
{
    double *out = xcalloc((size_t) (width * positions), sizeof *out);
    for (int i = 0; i < width * positions; i++)
        out[i] = (double) row[i % width];
    return out;
}

static void test_add_row(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        struct region region;
        int width, positions;
    } row[] = {{"blocks.1.resid_post", {{0, 0, 0}, {-1, -1, -1}}, D_MODEL, CTX},
               {"blocks.2.resid_post", {{0, 0, 0}, {-1, -1, -1}}, D_MODEL, CTX},
               {"embed", {{4, 3, 0}, {6, 9, 1}}, 9, 6},
               {"blocks.1.attn.z", {{2, 1, 0}, {-1, 2, -1}}, 2 * D_HEAD, CTX - 2},
               {"blocks.1.attn.v", {{0, 1, 0}, {7, 1, -1}}, D_HEAD, 7},
               {"blocks.0.mlp_out", {{9, 0, 0}, {1, -1, -1}}, D_MODEL, 1},
               {"logits", {{0, 0, 0}, {-1, -1, -1}}, 61, CTX}};
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        float data[64];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 31);
        for (int j = 0; j < N(data); j++)
            data[j] = (float) (j % 7) / 3.0f - 1;
        for (int i = 0; i < N(row); i++) {
            double *all = repeat(data, row[i].width, row[i].positions);
            struct change c = {row[i].name, PATCH_ADD, row[i].region, -1.5, all};
            int value = rig_value(g.run, c.name);
            if (run_patch_row(g.run, value, &c.region, -1.5f, data, &err) < 0)
                fail_msg("%s: %s", c.name, err.text);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, &c, 1, &w);
            run_unpatch(g.run, -1);
            free(all);
        }
        assert_true(worst_report(&w, "a row added", TOLERANCE, false));
        rig_close(&g);
    }
}

/* Of one number, of numbers for each position, in attention, and on top of one another. */
static void test_add(void **state)
{
    (void) state;
    static double data[3 * D_MODEL];
    static float floats[3 * D_MODEL];
    static const struct change row[] = {
        {"blocks.1.attn_out", PATCH_ADD, {{0, 2, 0}, {-1, 5, 1}}, 0.5, NULL},
        {"blocks.0.attn.scores_scaled", PATCH_ADD, {{1, 6, 2}, {2, -1, 3}}, 1.25, NULL},
        {"blocks.2.attn.scores", PATCH_ADD, {{0, 0, 0}, {1, -1, 1}}, -2, NULL},
        {"blocks.1.attn.pattern", PATCH_ADD, {{3, 4, 0}, {1, 3, 2}}, 0.25, NULL},
        {"blocks.0.resid_post", PATCH_ADD, {{5, 0, 0}, {3, D_MODEL, 1}}, 2, data},
    };
    for (int j = 0; j < N(data); j++)
        data[j] = (double) (floats[j] = (float) (j % 11) / 11.0f);
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 32);
        for (int i = 0; i < N(row); i++) { /* one more each time */
            const struct change *c = &row[i];
            int id = run_patch(g.run, PATCH_ADD, rig_value(g.run, c->name), &c->region,
                               (float) c->factor, c->data ? floats : NULL, &err);
            if (id < 0)
                fail_msg("%s: %s", c->name, err.text);
            run_truncate(g.run, 0);
            rig_feed(g.run, ids, CTX);
            compare_changed(&g, ids, row, i + 1, &w);
        }
        assert_string_equal(run_patch_text(g.run, 0, NULL),
                            "add to blocks.1.attn_out[:, 2:7] 0.5");
        assert_string_equal(run_patch_text(g.run, 4, NULL),
                            "add to blocks.0.resid_post[5:8, :] 2 times data");
        assert_true(worst_report(&w, "added", TOLERANCE, false));
        rig_close(&g);
    }
}

/* --- edges --- */

static void read_row(struct run *run, const char *name, int head, int query, float *out)
{
    struct err err = ERR_INIT;
    struct region r = {{head, query, 0}, {1, 1, CTX}};
    if (!run_read(run, rig_value(run, name), &r, out, &err))
        fail_msg("%s", err.text);
}

/* The rest of the row has the weight then: w_j / (1 - w_k), with w as it was. */
static void test_edge(void **state)
{
    (void) state;
    static const int edge[][2] = {{7, 3}, {15, 0}, {1, 1}, {9, 9}};
    double worst = 0;
    for (int f = 0; f < N(forms); f++)
        for (int i = 0; i < N(edge); i++) {
            struct rig g;
            struct worst w = {.n = 0};
            struct err err = ERR_INIT;
            int query = edge[i][0], key = edge[i][1];
            struct change c = {"blocks.1.attn.scores",
                               PATCH_SET,
                               {{2, query, key}, {1, 1, 1}},
                               -INFINITY,
                               NULL};
            int32_t ids[CTX];
            float before[CTX], after[CTX];
            make(&g, &forms[f]);
            rig_ids(ids, CTX, 61, 33);
            rig_feed(g.run, ids, CTX);
            read_row(g.run, "blocks.1.attn.pattern", 2, query, before);
            float lse = run_lse(g.run, 1, 2, query);
            assert_true(run_patch(g.run, c.kind, rig_value(g.run, c.name), &c.region, -INFINITY,
                                  NULL, &err) >= 0);
            run_truncate(g.run, query);
            rig_feed(g.run, ids + query, CTX - query);
            compare_changed(&g, ids, &c, 1, &w);
            read_row(g.run, "blocks.1.attn.pattern", 2, query, after);
            for (int j = 0; j < CTX; j++) {
                double want = j == key ? 0 : (double) before[j] / (1 - (double) before[key]);
                worst = fmax(worst, fabs((double) after[j] - want));
            }
            double left = log(1 - (double) before[key]);
            worst =
                fmax(worst, fabs((double) run_lse(g.run, 1, 2, query) - (double) lse - left));
            assert_true(worst_report(&w, "an edge out", TOLERANCE, false));
            rig_close(&g);
        }
    printf("rows without an edge: largest difference %.2g\n", worst);
    assert_true(worst < 1e-5);
}

static int knock(struct run *run, const char *name, struct region r, float to, struct err *err)
{
    return run_patch(run, PATCH_SET, rig_value(run, name), &r, to, NULL, err);
}

static void test_a_key_stays(void **state)
{
    (void) state;
    static const char scores[] = "blocks.1.attn.scores", raw[] = "blocks.1.attn.scores_raw";
    struct rig g;
    struct err err = ERR_INIT;
    make(&g, &forms[0]);
    assert_int_equal(
        knock(g.run, scores, (struct region){{2, 0, 0}, {1, 1, 1}}, -INFINITY, &err), -1);
    assert_string_equal(err.text, "query 0 of L1.H2 would have no key left to look at: one of "
                                  "keys 0 to 0 must stay");
    assert_true(knock(g.run, scores, (struct region){{2, 2, 0}, {1, 1, 1}}, -INFINITY, &err) >=
                0);
    assert_true(knock(g.run, raw, (struct region){{2, 2, 2}, {1, 1, 1}}, -INFINITY, &err) >= 0);
    assert_int_equal(
        knock(g.run, scores, (struct region){{0, 2, 1}, {-1, 1, 1}}, -INFINITY, &err), -1);
    assert_string_equal(err.text, "query 2 of L1.H2 would have no key left to look at: one of "
                                  "keys 0 to 2 must stay");
    /* key 2 comes back: then key 1 may go */
    assert_true(knock(g.run, scores, (struct region){{2, 2, 2}, {1, 1, 1}}, 0.5F, &err) >= 0);
    assert_true(knock(g.run, scores, (struct region){{2, 2, 1}, {1, 1, 1}}, -INFINITY, &err) >=
                0);
    assert_int_equal(
        knock(g.run, scores, (struct region){{0, 5, 0}, {1, -1, -1}}, -INFINITY, &err), -1);
    assert_int_equal(run_n_patches(g.run), 4);
    rig_close(&g);
}

/* --- copies --- */

static void same_values(const struct run *a, const struct run *b)
{
    for (int i = 0; i < run_program(a)->n_values; i++) {
        size_t n, m;
        float *x = rig_read_value(a, i, &n), *y = rig_read_value(b, i, &m);
        assert_int_equal(n, m);
        for (size_t j = 0; j < n; j++)
            if (x[j] != y[j] && !(fabsf(x[j] - y[j]) < 1e-5F))
                fail_msg("%s: %g is not %g", run_program(a)->value[i].name, (double) x[j],
                         (double) y[j]);
        free(x);
        free(y);
    }
}

static const struct change changed[] = {
    {"blocks.0.attn.z", PATCH_ZERO, {{0, 1, 0}, {-1, 1, -1}}, 0, NULL},
    {"blocks.1.attn.pattern", PATCH_SCALE, {{0, 3, 1}, {2, -1, 1}}, 0.5, NULL},
};

static int calls;

static void halve(const struct op_call *call, void *user)
{
    size_t n = program_width(run_program(call->run), call->op->out[0]) * (size_t) call->rows;
    (void) user;
    for (size_t i = 0; i < n; i++)
        call->out[0][i] = call->in[0][i] / 2;
    calls++;
}

/* A copy has the same numbers; what happens to one does not happen to the other. */
static void test_copy(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct err err = ERR_INIT;
        int32_t ids[CTX];
        float row[D_MODEL];
        struct rig again = {0};
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 34);
        rig_feed(g.run, ids, 6);
        for (int i = 0; i < N(changed); i++)
            run_patch(g.run, changed[i].kind, rig_value(g.run, changed[i].name),
                      &changed[i].region, (float) changed[i].factor, NULL, &err);
        for (int i = 0; i < D_MODEL; i++)
            row[i] = (float) i / 10;
        run_patch_row(g.run, rig_value(g.run, "blocks.1.resid_post"), NULL, 1, row, &err);
        rig_feed(g.run, ids + 6, 5);
        assert_true(run_begin(g.run, ids + 11, 2, &err)); /* not part of the copy */
        run_step(g.run);
        struct run *copy = run_copy(g.run, &err);
        assert_non_null(copy);
        assert_int_equal(run_n_past(copy), 11);
        assert_false(run_in_pass(copy));
        assert_int_equal(run_n_patches(copy), 3);
        run_truncate(g.run, 11);
        same_values(g.run, copy);
        rig_feed(g.run, ids + 11, 2); /* both go on to the same */
        rig_feed(copy, ids + 11, 2);
        same_values(g.run, copy);

        run_unpatch(g.run, -1); /* the copy keeps its patches, and what they did */
        assert_int_equal(run_n_past(g.run), 6);
        assert_int_equal(run_n_patches(copy), 3);
        int id;
        run_patch_text(copy, 2, &id);
        run_unpatch(copy, id);
        assert_int_equal(run_n_past(copy), 6);
        assert_string_equal(run_patch_text(copy, 1, NULL),
                            "scale blocks.1.attn.pattern[0:2, 3:, 1] by 0.5");
        rig_feed(copy, ids + 6, CTX - 6);
        struct run *twice = run_copy(copy, &err);
        run_free(copy);
        make(&again, &forms[f]); /* by hand, the same story */
        rig_feed(again.run, ids, 6);
        for (int i = 0; i < N(changed); i++)
            run_patch(again.run, changed[i].kind, rig_value(again.run, changed[i].name),
                      &changed[i].region, (float) changed[i].factor, NULL, &err);
        rig_feed(again.run, ids + 6, CTX - 6);
        same_values(again.run, twice);
        run_free(twice);
        rig_close(&again);
        rig_close(&g);
    }
}

static void test_copy_replaced(void **state)
{
    (void) state;
    struct rig g;
    struct err err = ERR_INIT;
    int32_t ids[CTX];
    make(&g, &forms[1]);
    rig_ids(ids, CTX, 61, 35);
    int act = g.program->value[rig_value(g.run, "blocks.1.mlp.post")].op;
    run_replace(g.run, act, halve, NULL);
    rig_feed(g.run, ids, 5);
    struct run *copy = run_copy(g.run, &err);
    int before = calls;
    rig_feed(copy, ids + 5, 4);
    assert_true(calls > before);
    rig_feed(g.run, ids + 5, 4);
    same_values(g.run, copy);
    struct compute *other = compute_new(1);
    assert_true(run_use(copy, other, &err));
    rig_feed(copy, ids + 9, 3);
    run_free(copy);
    compute_free(other);
    rig_close(&g);
}

/* Patches of another run, which a smaller context may have no room for. */
static void test_patches_of(void **state)
{
    (void) state;
    struct rig g;
    struct err err = ERR_INIT;
    float row[D_MODEL] = {1, 2, 3};
    struct region far = {{12, 0, 0}, {1, -1, -1}};
    make(&g, &forms[0]);
    int value = rig_value(g.run, "blocks.1.resid_post");
    assert_true(run_patch_row(g.run, value, NULL, 3, row, &err) >= 0);
    struct run *small =
        run_new(g.model, g.program, g.compute, &(struct run_options){.n_ctx = 10}, &err);
    assert_true(run_patches_of(small, g.run, &err));
    assert_string_equal(run_patch_text(small, 0, NULL),
                        "add to blocks.1.resid_post[:, :] 3 times a row");
    assert_true(run_patch(g.run, PATCH_ZERO, value, &far, 0, NULL, &err) >= 0);
    assert_false(run_patches_of(small, g.run, &err));
    assert_string_equal(err.text, "blocks.1.resid_post has 10 along axis pos; there is no 12");
    assert_int_equal(run_n_patches(small), 1);
    run_free(small);
    rig_close(&g);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_row),    cmocka_unit_test(test_add),
        cmocka_unit_test(test_edge),       cmocka_unit_test(test_a_key_stays),
        cmocka_unit_test(test_copy),       cmocka_unit_test(test_copy_replaced),
        cmocka_unit_test(test_patches_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
