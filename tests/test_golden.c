/*
 * The engine against the golden values, for both shipped models and both prompts, in every form
 * in which the same numbers can be had: at once, op by op, in chunks, from the cache, whole and
 * as regions.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "golden.h"
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

struct fixture {
    struct golden golden;
    struct rig rig;
    struct worst all; /* over all forms of this prompt */
};

static void open_fixture(struct fixture *f, const char *model, const char *prompt)
{
    *f = (struct fixture){.all.n = 0};
    if (!golden_open(&f->golden, model, prompt))
        fail_msg("no golden values of %s %s", model, prompt);
    rig_open(&f->rig, model, &(struct run_options){0});
}

static void close_fixture(struct fixture *f)
{
    char title[96];
    snprintf(title, sizeof title, "%s, %s prompt, all forms", f->golden.model,
             f->golden.prompt);
    assert_true(worst_report(&f->all, title, TOLERANCE, true));
    rig_close(&f->rig);
    golden_release(&f->golden);
}

static void report_form(struct fixture *f, const struct worst *w, const char *form)
{
    char title[128];
    snprintf(title, sizeof title, "%s, %s prompt, %s", f->golden.model, f->golden.prompt, form);
    bool ok = worst_report(w, title, TOLERANCE, false);
    worst_merge(&f->all, w);
    assert_true(ok);
}

static float *fetch(void *user, const char *name, size_t *n)
{
    const struct run *run = user;
    return program_find(run_program(run), name) < 0 ? NULL : rig_read(run, name, n);
}

static void compare_run(struct fixture *f, const char *form)
{
    struct worst w = {.n = 0};
    golden_compare(&f->golden, fetch, f->rig.run, &w);
    report_form(f, &w, form);
}

/* --- at once, and in chunks --- */

static void check_chunks(struct fixture *f)
{
    static const int chunk[] = {0, 1, 7, 32, 256};
    for (int i = 0; i < N(chunk); i++) {
        char form[32];
        snprintf(form, sizeof form, chunk[i] ? "chunks of %d" : "at once", chunk[i]);
        rig_renew(&f->rig, &(struct run_options){.chunk = chunk[i]});
        rig_feed(f->rig.run, f->golden.ids, f->golden.n_ids);
        compare_run(f, form);
    }
}

/* --- op by op --- */

/* Reads what the op at `op` has just made, by every name it has. */
static void compare_made(struct fixture *f, int op, struct worst *w)
{
    const struct run *run = f->rig.run;
    const struct program *p = run_program(run);
    for (int i = 0; i < p->n_values; i++) {
        const struct npz_array *want = npz_find(&f->golden.values, p->value[i].name);
        size_t n;
        if (p->value[program_resolve(p, i)].op != op || !want || !want->f)
            continue;
        float *got = rig_read_value(run, i, &n);
        if (n != want->n)
            worst_missing(w, want->name, "has another size");
        else
            worst_add_f32(w, want->name, got, want->f, n);
        free(got);
    }
}

static void check_steps(struct fixture *f, bool staged)
{
    struct err err = ERR_INIT;
    struct worst w = {.n = 0};
    rig_renew(&f->rig, &(struct run_options){.staged = staged});
    struct run *run = f->rig.run;
    assert_true(run_begin(run, f->golden.ids, f->golden.n_ids, &err));
    int steps = 0;
    for (int op = 0; run_step(run); op = run_pc(run), steps++) {
        for (int made = op; made < run_pc(run); made++)
            compare_made(f, made, &w);
    }
    int n_layer = run_program(run)->hp.n_layer, n_steps = run_program(run)->n_steps;
    assert_int_equal(steps, staged ? n_steps : n_steps - 4 * n_layer);
    report_form(f, &w, staged ? "op by op" : "op by op, attention as one");
    run_commit(run);
    compare_run(f, staged ? "op by op, afterwards" : "op by op, attention as one, afterwards");
}

/* --- from the cache --- */

static void check_cached(struct fixture *f)
{
    const struct golden *g = &f->golden;
    int n = g->n_ids, half = n / 2, third = n / 3;
    int32_t other[256];
    rig_renew(&f->rig, &(struct run_options){0});
    struct run *run = f->rig.run;

    rig_feed(run, g->ids, half);
    rig_feed(run, g->ids + half, n - half);
    compare_run(f, "the first half cached");

    /* an edit from a third of the prompt on, a pass dropped half-way, and back */
    struct err err = ERR_INIT;
    rig_ids(other, n, run_program(run)->hp.n_vocab, 3);
    run_truncate(run, third);
    rig_feed(run, other, n - third);
    run_truncate(run, third);
    assert_int_equal(run_n_past(run), third);
    assert_true(run_begin(run, other, 2, &err));
    run_until(run, run_program(run)->n_steps / 2);
    run_truncate(run, third);
    rig_feed(run, g->ids + third, n - third);
    compare_run(f, "edited and put back");

    rig_feed(run, other, 9);
    run_truncate(run, n);
    compare_run(f, "truncated");
}

/* --- regions --- */

static void random_region(struct region *g, const int shape[3], int n_axis, struct rng *rng)
{
    for (int i = 0; i < 3; i++) {
        int size = i < n_axis ? shape[i] : 1;
        g->first[i] = (int) (rng_u64(rng) % (uint64_t) size);
        g->count[i] = 1 + (int) (rng_u64(rng) % (uint64_t) (size - g->first[i]));
    }
}

static void compare_region(struct fixture *f, const struct npz_array *want, int value,
                           const struct region *g, struct worst *w)
{
    struct err err = ERR_INIT;
    int b = want->n_dims > 1 ? want->shape[1] : 1, c = want->n_dims > 2 ? want->shape[2] : 1;
    size_t n = (size_t) g->count[0] * (size_t) g->count[1] * (size_t) g->count[2];
    float *got = xcalloc(n, sizeof *got), *expect = xcalloc(n, sizeof *expect), *to = expect;
    for (int i = g->first[0]; i < g->first[0] + g->count[0]; i++)
        for (int j = g->first[1]; j < g->first[1] + g->count[1]; j++)
            for (int k = g->first[2]; k < g->first[2] + g->count[2]; k++)
                *to++ = want->f[((size_t) i * b + j) * c + k];
    if (!run_read(f->rig.run, value, g, got, &err))
        worst_missing(w, want->name, err.text);
    worst_add_f32(w, want->name, got, expect, n);
    free(got);
    free(expect);
}

static void check_regions(struct fixture *f)
{
    struct worst w = {.n = 0};
    struct rng rng;
    struct region g;
    rng_seed(&rng, 8);
    rig_renew(&f->rig, &(struct run_options){.chunk = 50});
    rig_feed(f->rig.run, f->golden.ids, f->golden.n_ids);
    for (int i = 0; i < f->golden.values.n; i++) {
        const struct npz_array *a = &f->golden.values.array[i];
        int value = program_find(f->rig.program, a->name);
        if (value < 0 || !a->f)
            continue;
        for (int trial = 0; trial < 6; trial++) {
            random_region(&g, a->shape, a->n_dims, &rng);
            compare_region(f, a, value, &g, &w);
        }
        /* one number: the last */
        for (int axis = 0; axis < 3; axis++) {
            g.first[axis] = axis < a->n_dims ? a->shape[axis] - 1 : 0;
            g.count[axis] = 1;
        }
        compare_region(f, a, value, &g, &w);
    }
    report_form(f, &w, "regions");
}

/* --- what holds exactly --- */

static void check_mask_of(const struct run *run, int layer)
{
    int heads = run_program(run)->hp.n_head, pos = run_n_past(run);
    char name[48];
    size_t n;
    snprintf(name, sizeof name, "blocks.%d.attn.scores", layer);
    float *scores = rig_read(run, name, &n);
    snprintf(name, sizeof name, "blocks.%d.attn.pattern", layer);
    float *pattern = rig_read(run, name, &n);
    assert_int_equal(n, (size_t) heads * (size_t) pos * (size_t) pos);
    for (int row = 0; row < heads * pos; row++) {
        double sum = 0;
        for (int key = 0; key < pos; key++) {
            size_t at = (size_t) row * (size_t) pos + (size_t) key;
            if (key > row % pos) {
                assert_true(scores[at] == -INFINITY);
                assert_true(pattern[at] == 0);
            } else {
                assert_true(isfinite(scores[at]));
            }
            sum += (double) pattern[at];
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
    free(scores);
    free(pattern);
}

static void check_mask(struct fixture *f)
{
    for (int chunk = 0; chunk <= 32; chunk += 32) {
        rig_renew(&f->rig, &(struct run_options){.chunk = chunk});
        rig_feed(f->rig.run, f->golden.ids, f->golden.n_ids);
        for (int layer = 0; layer < f->rig.program->hp.n_layer; layer++)
            check_mask_of(f->rig.run, layer);
    }
}

/* --- greedy decoding --- */

static int largest_logit(const struct run *run, int pos)
{
    struct err err = ERR_INIT;
    int n = run_program(run)->hp.n_vocab, best = 0;
    struct region last = {{pos, 0, 0}, {1, n, 1}};
    float *logits = xcalloc((size_t) n, sizeof *logits);
    if (!run_read(run, rig_value(run, "logits"), &last, logits, &err))
        fail_msg("%s", err.text);
    for (int i = 1; i < n; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    free(logits);
    return best;
}

/* Before each pass is committed (the pass's own logits), or after it. */
static void check_greedy(struct fixture *f, int chunk)
{
    struct err err = ERR_INIT;
    const struct golden *g = &f->golden;
    rig_renew(&f->rig, &(struct run_options){.chunk = chunk});
    struct run *run = f->rig.run;
    rig_feed(run, g->ids, g->n_ids);
    for (int i = 0; i < g->n_greedy; i++) {
        int32_t id = (int32_t) largest_logit(run, g->n_ids + i - 1);
        if (id != g->greedy[i])
            fail_msg("greedy token %d is %d and not %d", i, id, g->greedy[i]);
        assert_true(run_begin(run, &id, 1, &err));
        run_until(run, run_program(run)->n_steps);
        int early = largest_logit(run, g->n_ids + i);
        run_commit(run);
        assert_int_equal(early, largest_logit(run, g->n_ids + i));
    }
    printf("%s, %s prompt, chunk %d: %d greedy tokens as they should be\n", g->model, g->prompt,
           chunk, g->n_greedy);
}

static void check_all(const char *model, const char *prompt)
{
    struct fixture f;
    open_fixture(&f, model, prompt);
    check_chunks(&f);
    check_steps(&f, true);
    check_steps(&f, false);
    check_cached(&f);
    check_regions(&f);
    check_mask(&f);
    check_greedy(&f, 0);
    check_greedy(&f, 7);
    close_fixture(&f);
}

static void test_gpt2_short(void **state)
{
    (void) state;
    check_all("tiny-gpt2", "short");
}

static void test_gpt2_long(void **state)
{
    (void) state;
    check_all("tiny-gpt2", "long");
}

static void test_llama_short(void **state)
{
    (void) state;
    check_all("tiny-llama", "short");
}

static void test_llama_long(void **state)
{
    (void) state;
    check_all("tiny-llama", "long");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpt2_short),
        cmocka_unit_test(test_gpt2_long),
        cmocka_unit_test(test_llama_short),
        cmocka_unit_test(test_llama_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
