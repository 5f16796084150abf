/* A sweep against run_read, value by value and chunk by chunk: all values of several models,
 * prompts around the size of a chunk, budgets that are too small, patches, replaced ops, heads,
 * parts of values, passes that are not finished. */
#include "base/mem.h"
#include "base/rng.h"
#include "sweep_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(a)  ((int) (sizeof(a) / sizeof *(a)))
#define CLOSE 1e-5 /* of a sweep's numbers to those of run_read; relative above 1 */

static struct worst all;

static struct sweep *open_sweep(const struct run *r, size_t budget)
{
    struct err err = ERR_INIT;
    struct sweep *s = sweep_new(r, budget, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

/* --- what is read --- */

static void compare(struct sweep *s, const struct run *r, int value, const struct region *g)
{
    struct err err = ERR_INIT;
    const char *name = run_program(r)->value[value].name;
    float *got = xcalloc(form_floats(g), sizeof *got),
          *want = xcalloc(form_floats(g), sizeof *want);
    if (!sweep_read(s, value, g, got, &err) || !run_read(r, value, g, want, &err))
        fail_msg("%s: %s", name, err.text);
    worst_add_f32(&all, name, got, want, form_floats(g));
    free(got);
    free(want);
}

static void by_value(const struct run *r, size_t budget, bool wanted)
{
    struct sweep *s = open_sweep(r, budget);
    for (int i = 0; wanted && i < run_program(r)->n_values; i++)
        sweep_want(s, i);
    for (int i = 0; i < run_program(r)->n_values; i++) {
        struct region g = form_whole(r, i);
        compare(s, r, i, &g);
    }
    sweep_free(s);
}

/* One head of what has heads, a part of the positions and of the last axis. */
static void by_part(const struct run *r, size_t budget, unsigned seed)
{
    struct sweep *s = open_sweep(r, budget);
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < run_program(r)->n_values; i++) {
            struct region g = form_whole(r, i);
            for (int k = 0; k < 3; k++) {
                int n = g.count[k];
                g.first[k] = n ? (int) (rng_u64(&rng) % (uint64_t) n) : 0;
                g.count[k] = n ? 1 + (int) (rng_u64(&rng) % (uint64_t) (n - g.first[k])) : 0;
            }
            sweep_want(s, i);
            compare(s, r, i, &g);
        }
    sweep_free(s);
}

/* --- a dump of everything, side by side --- */

struct gathered {
    const struct dump_job *job;
    char **bytes;
    size_t *done;
};

static bool gather(void *user, int array, const void *data, size_t bytes, struct err *err)
{
    struct gathered *g = user;
    (void) err;
    assert_true(g->done[array] + bytes <= dump_array_bytes(&g->job->array[array]));
    memcpy(g->bytes[array] + g->done[array], data, bytes);
    g->done[array] += bytes;
    return true;
}

static void compare_array(const struct dump_array *a, const char *bytes)
{
    struct err err = ERR_INIT;
    size_t n = dump_array_count(a);
    float *want = xcalloc(n, sizeof *want);
    struct region g = a->region;
    for (int i = a->n_value_axis; i < 3; i++)
        g.count[i] = 1;
    if (!run_read(a->run, a->value, &g, want, &err))
        fail_msg("%s: %s", a->name, err.text);
    worst_add_f32(&all, a->name, (const float *) (const void *) bytes, want, n);
    free(want);
}

static void side_by_side(const struct run *r, int head)
{
    struct err err = ERR_INIT;
    int n = run_program(r)->n_values;
    struct dump_job job = {.array = xcalloc((size_t) n * 2, sizeof *job.array)};
    for (int i = 1; i < n; i++) {
        form_array(&job, r, i, -1);
        if (head >= 0 && i % 3 == 0)
            form_array(&job, r, i, head);
    }
    struct gathered g = {&job, xcalloc((size_t) job.n, sizeof *g.bytes),
                         xcalloc((size_t) job.n, sizeof *g.done)};
    for (int i = 0; i < job.n; i++)
        g.bytes[i] = xmalloc(dump_array_bytes(&job.array[i]));
    if (!dump_job_begin(&job, &err) || !dump_each(&job, gather, &g, &err))
        fail_msg("%s", err.text);
    dump_job_end(&job);
    for (int i = 0; i < job.n; i++) {
        assert_int_equal(g.done[i], dump_array_bytes(&job.array[i]));
        compare_array(&job.array[i], g.bytes[i]);
        free(g.bytes[i]);
    }
    free(g.bytes);
    free(g.done);
    free(job.array);
}

/* --- runs --- */

static const size_t budgets[] = {0, 3000, 40000, 300000, SWEEP_BUDGET};

static void every_way(const struct run *r)
{
    for (int i = 0; i < N(budgets); i++)
        by_value(r, budgets[i], true);
    by_value(r, SWEEP_BUDGET, false);
    by_part(r, 40000, 3);
    side_by_side(r, -1);
    side_by_side(r, 1);
}

static void report(const char *title)
{
    bool fine = worst_report(&all, title, CLOSE, false);
    print_message("%s: the largest difference is %.2g\n", title, worst_of_all(&all));
    all = (struct worst){0};
    assert_true(fine);
}

static void test_shapes(void **state)
{
    static const int lengths[] = {1, 2, 63, 64, 65, 0};
    (void) state;
    for (int f = 0; f < N(forms); f++)
        for (int i = 0; i < N(lengths); i++) {
            struct rig g;
            form_make(&g, &forms[f], i % 2 ? 29 : 512);
            form_feed(g.run, lengths[i] ? lengths[i] : forms[f].n_ctx);
            every_way(g.run);
            rig_close(&g);
        }
    report("made-up shapes");
}

static void test_models(void **state)
{
    static const char *const models[] = {"tiny-gpt2", "tiny-llama"};
    (void) state;
    for (int i = 0; i < N(models); i++) {
        struct rig g;
        rig_open(&g, models[i], &(struct run_options){.chunk = 100});
        form_feed(g.run, 130);
        by_value(g.run, 1 << 20, true);
        by_part(g.run, SWEEP_BUDGET, 9);
        side_by_side(g.run, 2);
        rig_close(&g);
    }
    report("built-in models");
}

/* --- changed runs --- */

static void change(struct run *r, enum patch_kind kind, const char *name, struct region g,
                   float factor)
{
    struct err err = ERR_INIT;
    if (run_patch(r, kind, rig_value(r, name), &g, factor, NULL, &err) < 0)
        fail_msg("%s: %s", name, err.text);
}

/* Of each query and key the same, however many of them a call has. */
static void striped_scores(const struct op_call *call, void *user)
{
    float *out = call->out[0];
    (void) user;
    for (int h = 0; h < run_program(call->run)->hp.n_head; h++)
        for (int i = 0; i < call->rows; i++)
            for (int j = 0; j < call->n_key; j++)
                *out++ = (float) ((h + 3 * (call->pos0 + i) + 5 * j) % 7) - 3;
}

static void test_changes(void **state)
{
    const struct region head = {{0, 1, 0}, {-1, 1, -1}}, edge = {{1, 40, 3}, {1, 1, 1}};
    const struct region part = {{30, 2, 0}, {40, 5, 1}}, heads = {{1, 0, 0}, {1, -1, -1}};
    (void) state;
    for (int f = 1; f < 4; f++) {
        struct rig g;
        form_make(&g, &forms[f], 512);
        form_feed(g.run, 80);
        change(g.run, PATCH_MEAN, "blocks.0.mlp_out", (struct region){{0, 0, 0}, {-1, -1, 1}},
               0);
        run_truncate(g.run, 50); /* the first 50 as they were, the rest with the mean */
        form_feed(g.run, 30);
        every_way(g.run);
        run_truncate(g.run, 0);
        change(g.run, PATCH_ZERO, "blocks.0.attn.z", head, 0);
        change(g.run, PATCH_SET, "blocks.0.attn.scores", edge, -INFINITY);
        change(g.run, PATCH_SCALE, "blocks.0.resid_post", part, 2);
        change(g.run, PATCH_ADD, "blocks.0.attn.scores_raw", heads, 0.5f);
        form_feed(g.run, 80);
        every_way(g.run);
        run_unpatch(g.run, -1);
        run_replace(g.run, form_act_op(g.program, 0), form_halve, NULL);
        run_replace(g.run, program_attention(g.program, 0, NULL), striped_scores, NULL);
        form_feed(g.run, 80);
        every_way(g.run);
        rig_close(&g);
    }
    report("patches and functions");
}

/* The sweep was there before the run went on. */
static void test_version(void **state)
{
    struct rig g;
    (void) state;
    form_make(&g, &forms[1], 512);
    form_feed(g.run, 30);
    struct sweep *s = open_sweep(g.run, SWEEP_BUDGET);
    int act = rig_value(g.run, "blocks.0.mlp.post"), out = rig_value(g.run, "blocks.0.mlp_out");
    sweep_want(s, act);
    sweep_want(s, out);
    struct region r = form_whole(g.run, act), some = {{0, 0, 0}, {10, r.count[1], 1}};
    compare(s, g.run, act, &some);
    change(g.run, PATCH_ZERO, "blocks.0.mlp.pre", (struct region){{0, 0, 0}, {-1, -1, 1}}, 0);
    run_truncate(g.run, 0);
    form_feed(g.run, 45);
    r = form_whole(g.run, act);
    compare(s, g.run, act, &r);
    r = form_whole(g.run, out);
    compare(s, g.run, out, &r);
    sweep_free(s);
    rig_close(&g);
    report("a run that goes on");
}

static void test_open_pass(void **state)
{
    struct err err = ERR_INIT;
    (void) state;
    for (int f = 1; f < 4; f++) {
        struct rig g;
        form_make(&g, &forms[f], 512);
        form_feed(g.run, 67);
        int32_t ids[20];
        rig_ids(ids, 20, g.program->hp.n_vocab, 8);
        assert_true(run_begin(g.run, ids, 20, &err));
        for (int op = 0; op <= g.program->n_steps; op += 3) {
            run_until(g.run, op);
            by_value(g.run, 40000, true);
            side_by_side(g.run, -1);
        }
        rig_close(&g);
    }
    report("passes that are not finished");
}

static void test_refusals(void **state)
{
    struct err err = ERR_INIT;
    struct rig g;
    const float *p;
    float x;
    (void) state;
    form_make(&g, &forms[3], 512);
    form_feed(g.run, 600);
    struct sweep *s = open_sweep(g.run, 40000);
    int z = rig_value(g.run, "blocks.0.attn.z");
    struct region beyond = {{0, 0, 0}, {601, 4, 8}};
    assert_false(sweep_read(s, z, &beyond, &x, &err));
    assert_non_null(strstr(err.text, "blocks.0.attn.z has 600 along axis pos"));
    int size = sweep_rows(s, z);
    struct region over = {{size - 1, 0, 0}, {2, 4, 8}};
    assert_false(sweep_view(s, z, &over, &p, &err));
    assert_non_null(strstr(err.text, "reaches over a chunk"));
    struct region large = {{0, 0, 0}, {4, 600, 600}};
    assert_false(sweep_view(s, rig_value(g.run, "blocks.0.attn.pattern"), &large, &p, &err));
    assert_non_null(strstr(err.text, "too many for a view"));
    sweep_free(s);
    rig_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),    cmocka_unit_test(test_models),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_version),
        cmocka_unit_test(test_open_pass), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
