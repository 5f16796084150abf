/*
 * Passes against the oracle: reading at every op, going back, beginning anew, what is refused,
 * and what it costs.
 */
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rng.h"
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

enum { CTX = 16, PAST = 6, NEW = 7 };

/* Each test runs for both families and for both ways of stepping. */
struct form {
    bool llama, staged, lean;
};

static const struct form forms[] = {{.staged = true},
                                    {.staged = false},
                                    {.llama = true, .staged = true},
                                    {.llama = true, .staged = false}};

static void make(struct rig *g, const struct form *f, int chunk)
{
    struct hparams hp;
    if (f->llama)
        rig_llama(&hp, 3, 4, 2, 6);
    else
        rig_gpt2(&hp, 3, 4, 6);
    rig_make(g, &hp, DTYPE_F32,
             &(struct run_options){.chunk = chunk, .staged = f->staged, .lean = f->lean});
}

static void check_ok(const struct worst *w, const char *what, const struct form *f)
{
    char title[96];
    snprintf(title, sizeof title, "%s, %s, %s", what, f->llama ? "llama" : "gpt2",
             f->staged ? "staged" : "attention as one");
    assert_true(worst_report(w, title, TOLERANCE, false));
}

/* --- reading while stepping --- */

/* At every op every value can be read for the positions that have it: all of them once its op
 * has run, the committed ones before. */
static void test_read_at_every_op(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct rig g;
        struct ref ref = {0};
        struct err err = ERR_INIT;
        struct worst w = {.n = 0};
        int32_t ids[CTX];
        make(&g, &forms[i], CTX);
        rig_ids(ids, CTX, g.program->hp.n_vocab, 1);
        ref_forward(&ref, g.model, ids, CTX, NULL, NULL);
        rig_feed(g.run, ids, PAST);
        assert_true(run_begin(g.run, ids + PAST, NEW, &err));
        do {
            for (int v = 0; v < g.program->n_values; v++) {
                int op = g.program->value[program_resolve(g.program, v)].op;
                bool made = op < run_pc(g.run);
                if (op < g.program->n_steps)
                    assert_int_equal(run_ready(g.run, v), PAST + (made ? NEW : 0));
                rig_compare_value(g.run, v, &ref, &w);
            }
        } while (run_step(g.run));
        check_ok(&w, "read at every op", &forms[i]);
        ref_release(&ref);
        rig_close(&g);
    }
}

/* --- going back --- */

struct snapshot {
    float **value;
    size_t *n;
};

static struct snapshot take_snapshot(const struct run *run)
{
    int count = run_program(run)->n_values;
    struct snapshot s = {xcalloc((size_t) count, sizeof *s.value),
                         xcalloc((size_t) count, sizeof *s.n)};
    for (int v = 0; v < count; v++)
        s.value[v] = rig_read_value(run, v, &s.n[v]);
    return s;
}

static void release_snapshot(struct snapshot *s, int count)
{
    for (int v = 0; v < count; v++)
        free(s->value[v]);
    free(s->value);
    free(s->n);
}

static void check_same(const struct snapshot *a, const struct snapshot *b,
                       const struct program *p, int op)
{
    for (int v = 0; v < p->n_values; v++) {
        if (a->n[v] != b->n[v] ||
            memcmp(a->value[v], b->value[v], a->n[v] * sizeof **a->value) != 0)
            fail_msg("%s differs after going back to op %d", p->value[v].name, op);
    }
}

/* Going back to any op from any later one gives exactly the numbers of going forward. */
static void check_back(struct rig *g, const int32_t *ids)
{
    struct err err = ERR_INIT;
    const struct program *p = g->program;
    struct snapshot *at = xcalloc((size_t) p->n_steps + 1, sizeof *at);
    struct rng rng;
    rng_seed(&rng, 4);
    assert_true(run_begin(g->run, ids, NEW, &err));
    do
        at[run_pc(g->run)] = take_snapshot(g->run);
    while (run_step(g->run));

    for (int trial = 0; trial < 40; trial++) {
        int pc = run_pc(g->run), to = (int) (rng_u64(&rng) % (uint64_t) (pc + 1));
        if (!at[to].value) /* inside attention that runs as one op */
            continue;
        run_rewind(g->run, to);
        assert_int_equal(run_pc(g->run), to);
        assert_int_equal(run_n_new(g->run), NEW);
        struct snapshot now = take_snapshot(g->run);
        check_same(&at[to], &now, p, to);
        release_snapshot(&now, p->n_values);
        for (int steps = (int) (rng_u64(&rng) % 20); steps > 0; steps--)
            run_step(g->run);
    }
    run_commit(g->run);
    struct snapshot end = take_snapshot(g->run);
    check_same(&at[p->n_steps], &end, p, p->n_steps);
    release_snapshot(&end, p->n_values);
    for (int op = 0; op <= p->n_steps; op++)
        if (at[op].value)
            release_snapshot(&at[op], p->n_values);
    free(at);
}

static void test_back(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct rig g;
        int32_t ids[CTX];
        make(&g, &forms[i], CTX);
        rig_ids(ids, CTX, g.program->hp.n_vocab, 2);
        rig_feed(g.run, ids, PAST);
        check_back(&g, ids + PAST);
        rig_close(&g);
    }
}

/* "One op back" from behind an attention that ran as one arrives before it, not behind it. */
static void test_back_over_attention(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct rig g;
        struct err err = ERR_INIT;
        int32_t ids[CTX];
        int after;
        make(&g, &forms[i], CTX);
        rig_ids(ids, CTX, g.program->hp.n_vocab, 2);
        int scores = program_attention(g.program, 1, &after);
        assert_true(run_begin(g.run, ids, NEW, &err));
        run_until(g.run, g.program->n_steps);
        for (int op = after; op >= scores; op--) {
            run_until(g.run, g.program->n_steps);
            run_rewind(g.run, op);
            assert_true(run_pc(g.run) <= op);
            assert_true(run_pc(g.run) == op || run_pc(g.run) == scores);
        }
        run_rewind(g.run, 0);
        assert_int_equal(run_pc(g.run), 0);
        rig_close(&g);
    }
}

/* --- any order of doing things --- */

struct walk {
    struct rig rig;
    struct rng rng;
    int32_t ids[CTX]; /* what the run should hold */
    struct ref ref;   /* of these */
    struct worst worst;
};

static int below(struct walk *k, int n)
{
    return n < 1 ? 0 : (int) (rng_u64(&k->rng) % (uint64_t) n);
}

static void new_ids(struct walk *k, int from)
{
    rig_ids(k->ids + from, CTX - from, k->rig.program->hp.n_vocab, (unsigned) below(k, 1000));
    ref_forward(&k->ref, k->rig.model, k->ids, CTX, NULL, NULL);
}

static void walk_step(struct walk *k)
{
    struct err err = ERR_INIT;
    struct run *run = k->rig.run;
    int past = run_n_past(run), room = CTX - past;
    switch (below(k, 8)) {
    case 0:
        run_truncate(run, below(k, past + 1));
        new_ids(k, run_n_past(run));
        break;
    case 1:
        run_commit(run);
        break;
    case 2:
        run_truncate(run, past);
        rig_feed(run, k->ids + past, below(k, room + 1));
        break;
    case 3:
        run_rewind(run, below(k, run_pc(run) + 1));
        break;
    case 4:
    case 5:
        if (room > 0)
            assert_true(run_begin(run, k->ids + past, 1 + below(k, room < 5 ? room : 5), &err));
        break;
    default:
        run_until(run, below(k, k->rig.program->n_steps + 1));
        run_step(run);
    }
}

static void test_any_order(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct walk k = {.ref = {0}};
        make(&k.rig, &forms[i], 5);
        rng_seed(&k.rng, 77);
        new_ids(&k, 0);
        for (int step = 0; step < 120; step++) {
            walk_step(&k);
            for (int reads = 0; reads < 6; reads++)
                rig_compare_value(k.rig.run, below(&k, k.rig.program->n_values), &k.ref,
                                  &k.worst);
        }
        check_ok(&k.worst, "any order", &forms[i]);
        ref_release(&k.ref);
        rig_close(&k.rig);
    }
}

/* --- what is refused --- */

static void check_refused(struct run *run, const int32_t *ids, int n, const char *why)
{
    struct err err = ERR_INIT;
    assert_false(run_begin(run, ids, n, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_refused(void **state)
{
    (void) state;
    struct rig g;
    struct err err = ERR_INIT;
    int32_t ids[CTX + 1], bad[2] = {3, 61}, negative[1] = {-1};
    make(&g, &forms[0], 8);
    rig_ids(ids, CTX + 1, 61, 5);
    rig_feed(g.run, ids, 4);
    struct snapshot before = take_snapshot(g.run);
    check_refused(g.run, bad, 2, "61");
    check_refused(g.run, negative, 1, "-1");
    check_refused(g.run, ids, 0, "0");
    check_refused(g.run, ids, 9, "9");
    assert_false(run_feed(g.run, ids, CTX, &err));
    assert_non_null(strstr(err.text, "full"));
    assert_int_equal(run_n_past(g.run), 4);
    assert_false(run_in_pass(g.run));
    assert_false(run_step(g.run));
    struct snapshot after = take_snapshot(g.run);
    check_same(&before, &after, g.program, 0);
    release_snapshot(&before, g.program->n_values);
    release_snapshot(&after, g.program->n_values);

    rig_feed(g.run, ids + 4, CTX - 4);
    check_refused(g.run, ids, 1, "full");
    assert_int_equal(run_n_past(g.run), CTX);
    struct run_options too_long = {.n_ctx = CTX + 1};
    assert_null(run_new(g.model, g.program, g.compute, &too_long, &err));
    assert_non_null(strstr(err.text, "16"));
    rig_close(&g);
}

static void test_refused_regions(void **state)
{
    (void) state;
    static const struct region wrong[] = {
        {{0, 0, 0}, {5, 1, 1}},         {{-1, 0, 0}, {1, 1, 1}},        {{4, 0, 0}, {1, 1, 1}},
        {{0, 3, 0}, {1, 2, 1}},         {{0, 0, 6}, {1, 1, 1}},         {{0, 0, 0}, {1, 1, -1}},
        {{INT32_MAX, 0, 0}, {1, 1, 1}}, {{1, 0, 0}, {INT32_MAX, 1, 1}},
    };
    struct rig g;
    int32_t ids[4];
    float out[64];
    make(&g, &forms[0], 8);
    rig_ids(ids, 4, 61, 5);
    rig_feed(g.run, ids, 4);
    for (int i = 0; i < N(wrong); i++) {
        struct err err = ERR_INIT;
        assert_false(
            run_read(g.run, rig_value(g.run, "blocks.0.attn.q"), &wrong[i], out, &err));
        assert_true(strlen(err.text) > 0);
    }
    rig_close(&g);
}

static void test_interrupted_feed(void **state)
{
    (void) state;
    struct rig g;
    struct err err = ERR_INIT;
    int32_t ids[CTX];
    make(&g, &forms[0], 4);
    rig_ids(ids, CTX, 61, 5);
    rig_feed(g.run, ids, 4);
    interrupt_set();
    assert_false(run_feed(g.run, ids + 4, 8, &err));
    interrupt_clear();
    assert_true(strlen(err.text) > 0);
    assert_int_equal(run_n_past(g.run), 4);
    rig_feed(g.run, ids + 4, 8);
    assert_int_equal(run_n_past(g.run), 12);
    rig_close(&g);
}

/* --- smaller promises --- */

static void test_log_sum_exp(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct rig g;
        struct ref ref = {0};
        int32_t ids[CTX];
        make(&g, &forms[i], 5);
        rig_ids(ids, CTX, 61, 6);
        rig_feed(g.run, ids, CTX);
        ref_forward(&ref, g.model, ids, CTX, NULL, NULL);
        for (int layer = 0; layer < 3; layer++) {
            char name[48];
            snprintf(name, sizeof name, "blocks.%d.attn.scores", layer);
            const double *scores = ref_find(&ref, name)->data;
            for (int row = 0; row < 4 * CTX; row++) {
                double sum = 0;
                for (int key = 0; key < CTX; key++)
                    sum += exp(scores[row * CTX + key]);
                double got = (double) run_lse(g.run, layer, row / CTX, row % CTX);
                assert_true(worst_diff(got, log(sum)) < 1e-5);
            }
        }
        ref_release(&ref);
        rig_close(&g);
    }
}

static void test_version(void **state)
{
    (void) state;
    struct rig g;
    struct err err = ERR_INIT;
    int32_t ids[4];
    uint64_t seen;
    make(&g, &forms[0], 8);
    rig_ids(ids, 4, 61, 5);
    seen = run_version(g.run);
    assert_true(run_begin(g.run, ids, 4, &err));
    assert_true(run_version(g.run) != seen);
    while (seen = run_version(g.run), run_step(g.run))
        assert_true(run_version(g.run) != seen);
    run_rewind(g.run, 3);
    assert_true(run_version(g.run) != seen);
    seen = run_version(g.run);
    run_commit(g.run);
    assert_true(run_version(g.run) != seen);
    seen = run_version(g.run);
    free(rig_read(g.run, "logits", &(size_t){0}));
    assert_true(run_version(g.run) == seen);
    run_truncate(g.run, 2);
    assert_true(run_version(g.run) != seen);
    rig_close(&g);
}

/* What is kept: k and v; the residual stream at each block's input and at the end, q, and the
 * log-sum-exp: nothing of the size of positions x positions. */
static void test_memory(void **state)
{
    (void) state;
    size_t arena[2];
    for (int staged = 0; staged < 2; staged++) {
        struct rig g;
        struct hparams hp;
        struct run_memory m;
        int32_t ids[64];
        rig_llama(&hp, 3, 4, 2, 6);
        hp.n_ctx = 64;
        rig_make(&g, &hp, DTYPE_F32, &(struct run_options){.staged = staged});
        rig_ids(ids, 64, 61, 5);
        run_memory(g.run, &m);
        assert_int_equal(m.cache, 0);
        assert_int_equal(m.kept, 0);
        struct err err = ERR_INIT;
        assert_true(run_begin(g.run, ids, 64, &err));
        while (run_step(g.run))
            ;
        run_commit(g.run);
        run_memory(g.run, &m);
        size_t position = sizeof(float) * 3 * 2 * 2 * 6;
        assert_int_equal(m.cache, 64 * position);
        size_t resid = 4 * 24, q = 3 * 24, lse = 3 * 4;
        assert_int_equal(m.kept, 64 * sizeof(float) * (resid + q + lse));
        arena[staged] = m.arena;
        rig_close(&g);
    }
    size_t scores = sizeof(float) * 4 * 64 * 64;
    printf("arena of a pass of 64 tokens: %zu bytes, staged %zu\n", arena[0], arena[1]);
    assert_true(arena[1] > arena[0]);
    assert_true(arena[1] <= arena[0] + scores);
    assert_true(arena[0] < scores);
}

/* Keeping nothing changes no number of the pass. */
static void test_lean(void **state)
{
    (void) state;
    for (int i = 0; i < N(forms); i++) {
        struct rig full, lean;
        struct form f = forms[i];
        struct err err = ERR_INIT;
        struct run_memory m;
        int32_t ids[CTX];
        float a[61], b[61], row[24];
        struct region last = {{CTX - 1, 0, 0}, {1, 61, 1}}, first = {{0, 0, 0}, {1, 24, 1}};
        make(&full, &f, 5);
        f.lean = true;
        make(&lean, &f, 5);
        rig_ids(ids, CTX, 61, 5);
        rig_feed(full.run, ids, CTX);
        rig_feed(lean.run, ids, CTX);
        int logits = rig_value(full.run, "logits");
        assert_true(run_read(full.run, logits, &last, a, &err));
        assert_true(run_read(lean.run, logits, &last, b, &err));
        assert_memory_equal(a, b, sizeof a);
        assert_false(
            run_read(lean.run, rig_value(lean.run, "blocks.1.resid_mid"), &first, row, &err));
        assert_non_null(strstr(err.text, "kept"));
        run_memory(lean.run, &m);
        assert_true(m.kept <= CTX * 3 * 4 * sizeof(float));
        rig_close(&full);
        rig_close(&lean);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_at_every_op),
        cmocka_unit_test(test_back),
        cmocka_unit_test(test_back_over_attention),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_regions),
        cmocka_unit_test(test_interrupted_feed),
        cmocka_unit_test(test_log_sum_exp),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_lean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
