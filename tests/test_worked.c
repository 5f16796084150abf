/* Any cell of any value, worked out, against what the run has there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "model/synth.h"
#include "rig.h"
#include "session/worked.h"
#include "session_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What separates the two, by what rounding explains: 1 is all of that. */
static double distance(const struct worked *w)
{
    if (isinf(w->actual))
        return w->result == w->actual ? 0 : INFINITY;
    return fabs(w->result - w->actual) / (1e-4 * fabs(w->actual) + 1e-5 * w->size + 1e-12);
}

struct tally {
    double worst, plain; /* plain: the largest difference */
    int cells;
};

static void check_cell(const struct session *s, int value, const int cell[3],
                       struct tally *tally)
{
    struct worked w;
    struct err err = ERR_INIT;

    if (!worked_cell(s, value, cell, &w, &err))
        fail_msg("%s[%d, %d, %d]: %s", s->program->value[value].name, cell[0], cell[1], cell[2],
                 err.text);
    double d = distance(&w);
    if (!(d <= 1) || w.differs)
        fail_msg("%s[%d, %d, %d]: worked %.9g, the run has %.9g (size %g)",
                 s->program->value[value].name, cell[0], cell[1], cell[2], w.result, w.actual,
                 w.size);
    assert_true(w.n_lines > 0);
    for (int i = 0; i < w.n_tables; i++) {
        const struct worked_table *t = &w.table[i];
        assert_true(t->n <= t->n_all);
        for (int j = 1; j < t->n; j++)
            assert_true(fabs(t->term[j - 1].product) >= fabs(t->term[j].product));
    }
    tally->worst = fmax(tally->worst, d);
    if (isfinite(w.actual))
        tally->plain = fmax(tally->plain, fabs(w.result - w.actual));
    tally->cells++;
    worked_release(&w);
}

/* Random cells, and the corners. */
static void check_value(const struct session *s, int value, int n, struct rng *rng,
                        struct tally *tally)
{
    int shape[3], cell[3] = {0, 0, 0};

    run_shape(s->run, value, shape);
    check_cell(s, value, cell, tally);
    check_cell(s, value, (int[3]){shape[0] - 1, shape[1] - 1, shape[2] - 1}, tally);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < 3; j++)
            cell[j] = (int) (rng_uniform(rng) * shape[j]);
        check_cell(s, value, cell, tally);
    }
}

static void check_session(const struct session *s, int n, const char *what)
{
    struct tally tally = {0, 0, 0};
    struct rng rng;

    rng_seed(&rng, 5);
    for (int v = 0; v < s->program->n_values; v++)
        check_value(s, v, n, &rng, &tally);
    print_message("%s: %d cells, largest difference %.2g, by tolerance %.2g\n", what,
                  tally.cells, tally.plain, tally.worst);
}

static void test_builtin(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        OK(session_run(s, 0, NULL, &err));
        check_session(s, 40, models[m]);
        session_free(s);
    }
}

/* One position at a time, and what follows it typed later: the same numbers. */
static void test_chunks(void **state)
{
    (void) state;
    struct settings set;

    settings_init(&set);
    set.chunk = 3;
    struct session *s = open_set("tiny-llama", TEXT, &set);
    OK(session_run(s, 0, NULL, &err));
    check_session(s, 4, "in chunks");
    session_free(s);
}

/* Files of other layouts: interleaved q and k, in-major weights, shards, narrow numbers. */
static void test_files(void **state)
{
    (void) state;
    static const char *const file[] = {"small-gpt2", "small-gpt2.gguf", "small-llama",
                                       "small-llama.gguf"};
    char path[512];

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/data/models/%s", getenv("TESTS_DIR"), file[i]);
        struct session *s = open_plain(path, "Tom gave");
        OK(session_run(s, 0, NULL, &err));
        check_session(s, 40, file[i]);
        session_free(s);
    }
}

/* Shapes that the files have not: a made-up model has no tokenizer. */
static void check_made(const struct hparams *hp, enum dtype dtype, const char *what)
{
    enum { N = 9 };
    struct rig g;
    int32_t ids[N];

    rig_make(&g, hp, dtype, &(struct run_options){.staged = true});
    rig_ids(ids, N, hp->n_vocab, 3);
    rig_feed(g.run, ids, N);
    struct session s = {.model = g.model, .program = g.program, .run = g.run};
    s.ids = (struct ids){.id = ids, .n = N};
    check_session(&s, 60, what);
    rig_close(&g);
}

static void test_shapes(void **state)
{
    (void) state;
    struct hparams hp;

    rig_llama(&hp, 1, 6, 2, 8);
    hp.rope_dim = 4;
    hp.qk_interleaved = true;
    check_made(&hp, DTYPE_F32, "one layer, half of each head turns");
    hp.qk_interleaved = false;
    hp.act = ACT_GELU_TANH;
    check_made(&hp, DTYPE_BF16, "the same in another order");
    rig_gpt2(&hp, 1, 4, 16);
    hp.act = ACT_GELU_ERF;
    check_made(&hp, DTYPE_Q8_0, "one layer, Q8_0, erf");
    rig_gpt2(&hp, 2, 1, 32);
    check_made(&hp, DTYPE_F16, "one head, F16");
}

/* --- what was changed says so --- */

static const char *find_line(const struct worked *w, const char *part)
{
    for (int i = 0; i < w->n_lines; i++)
        if (strstr(w->line[i].text, part))
            return w->line[i].text;
    return NULL;
}

static void work(const struct session *s, const char *name, int a, int b, int c,
                 struct worked *w)
{
    int value = program_find(s->program, name);

    assert_true(value >= 0);
    OK(worked_cell(s, value, (int[3]){a, b, c}, w, &err));
}

static void test_changes(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    struct worked w;
    struct region head = {{0, 3, 0}, {-1, 1, -1}}, edge = {{2, 8, 6}, {1, 1, 1}},
                  all = {{0, 0, 0}, {-1, -1, -1}};

    OK(session_ablate(s, PATCH_ZERO, program_value(s->program, 1, "attn.z"), &head, 0, &err));
    OK(session_ablate(s, PATCH_SET, program_value(s->program, 2, "attn.scores"), &edge,
                      -INFINITY, &err));
    OK(session_ablate(s, PATCH_SCALE, program_value(s->program, 0, "mlp_out"), &all, 0.5F,
                      &err));
    OK(session_ablate(s, PATCH_ADD, program_value(s->program, 0, "mlp_out"), &all, 2, &err));
    OK(session_run(s, 0, NULL, &err));
    check_session(s, 12, "with changes");

    work(s, "blocks.1.attn.z", 7, 3, 5, &w);
    assert_true(w.result == 0 && w.actual == 0 && !w.differs);
    assert_non_null(find_line(&w, "zero blocks.1.attn.z[:, 3, :]"));
    worked_release(&w);
    work(s, "blocks.1.attn.z", 7, 2, 5, &w);
    assert_null(find_line(&w, "changed"));
    worked_release(&w);
    work(s, "blocks.2.attn.pattern", 2, 8, 6, &w);
    assert_true(w.result == 0);
    assert_non_null(find_line(&w, "L2.scores is changed by"));
    worked_release(&w);
    work(s, "blocks.0.mlp_out", 7, 2, 0, &w);
    assert_non_null(find_line(&w, "scale blocks.0.mlp_out"));
    assert_non_null(find_line(&w, "add to blocks.0.mlp_out"));
    worked_release(&w);
    session_free(s);
}

static void all_ones(const struct op_call *call, void *user)
{
    const struct program *p = run_program(call->run);
    size_t n = program_width(p, call->op->out[0]) * (size_t) call->rows;

    (void) user;
    for (size_t i = 0; i < n; i++)
        call->out[0][i] = 1;
}

static void test_replaced(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    int value = program_value(s->program, 1, "mlp.post");
    struct worked w;

    run_replace(s->run, s->program->value[value].op, all_ones, NULL);
    OK(session_run(s, 0, NULL, &err));
    work(s, "blocks.1.mlp.post", 4, 4, 0, &w);
    assert_true(w.replaced && w.result == 1 && w.actual == 1);
    assert_non_null(find_line(&w, "replaced"));
    worked_release(&w);
    work(s, "blocks.1.mlp_out", 4, 4, 0, &w);
    assert_false(w.replaced || w.differs);
    worked_release(&w);
    session_free(s);
}

/* While a pass is open: what is done is worked, what is to do is refused. */
static void test_stepping(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], "Tom gave the");
        struct rng rng;
        struct tally tally = {0, 0, 0};

        rng_seed(&rng, 1);
        for (int op = 0; op < s->program->n_steps - 1; op++) {
            OK(session_step(s, &err));
            for (int i = 0; i < s->program->op[op].n_out; i++)
                check_value(s, s->program->op[op].out[i], 2, &rng, &tally);
        }
        session_free(s);
    }
    struct session *s = open_plain("tiny-llama", "Tom gave the");
    struct worked w;
    OK(session_step(s, &err));
    FAILS(worked_cell(s, program_find(s->program, "logits"), (int[3]){1, 4, 0}, &w, &err),
          "logits is not computed at position 1 yet; step on or run");
    FAILS(worked_cell(s, program_find(s->program, "logits"), (int[3]){1, 999999, 0}, &w, &err),
          "logits has vocab 0 to 2047, not 999999");
    session_free(s);
}

/* --- what it costs --- */

static void test_cost(void **state)
{
    (void) state;
    static const char *const name[] = {"blocks.5.attn.q",
                                       "blocks.5.attn.pattern",
                                       "blocks.5.attn.z",
                                       "blocks.5.ln2.out",
                                       "blocks.5.mlp.pre",
                                       "blocks.5.mlp.post",
                                       "blocks.5.mlp_out",
                                       "blocks.5.resid_mid",
                                       "blocks.5.attn_out",
                                       "logits",
                                       "probs",
                                       "blocks.5.attn.result"};
    enum { N = 512 };
    struct hparams hp;
    struct err err = ERR_INIT;
    struct rig g;
    int32_t ids[N];

    assert_true(shape_parse(&hp, "gpt2:n_layer=6", &err));
    rig_make(&g, &hp, DTYPE_F16, &(struct run_options){.staged = true});
    rig_ids(ids, N, hp.n_vocab, 3);
    rig_feed(g.run, ids, N);
    struct session s = {.model = g.model, .program = g.program, .run = g.run};
    s.ids = (struct ids){.id = ids, .n = N};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        double best = INFINITY;
        for (int j = 0; j < 5; j++) {
            struct worked w;
            double begin = clock_measure();
            work(&s, name[i], i == 1 ? 3 : N - 1, i == 1 ? N - 1 : 3, 5, &w);
            best = fmin(best, clock_measure() - begin);
            worked_release(&w);
        }
        print_message("%s: %.0f us\n", name[i], best * 1e6);
        assert_true(best < 0.05); /* far from making a matrix anew, on any machine */
    }
    rig_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),  cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_files),    cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_changes),  cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_stepping), cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
