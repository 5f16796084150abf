/* What the mlp and tensor views keep: made at once, in pieces, and while tokens are added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "session_fixture.h"
#include "view/cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- sheets --- */

static void test_sheet(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    const struct hparams *hp = &s->program->hp;
    struct sheet t;
    float one, *all;

    OK(session_run(s, 0, NULL, &err));
    s->at.head = 5;
    s->at.query = 4;
    s->at.key = 2;
    s->at.column = 7;
    int z = program_value(s->program, 1, "attn.z"), n = s->ids.n;
    sheet_init(&t, s, z, -1);
    assert_true(t.rows == n && t.cols == hp->d_head && t.head == 5);
    assert_true(sheet_row(&t, s) == 4 && sheet_col(&t, s) == 7);
    assert_int_equal(sheet_col_kind(&t, s), AXIS_D_HEAD);
    all = xcalloc((size_t) n * program_width(s->program, z), sizeof *all);
    OK(run_read(s->run, z, NULL, all, &err));
    OK(sheet_read(&t, s, 4, 1, 7, 1, &one, &err));
    assert_true(fabsf(one - all[(4 * hp->n_head + 5) * hp->d_head + 7]) < 1e-5F);
    free(all);

    sheet_init(&t, s, session_stage_value(s, 1, STAGE_PATTERN), 3);
    assert_true(t.rows == n && t.cols == n && t.head == 3);
    assert_true(sheet_row(&t, s) == 4 && sheet_col(&t, s) == 2);
    assert_ptr_equal(sheet_col_cursor(&t, s), &s->at.key);
    sheet_init(&t, s, program_find(s->program, "cache.1.k"), -1);
    assert_int_equal(t.head, 5 / (hp->n_head / hp->n_kv_head));
    s->at.column = 99999;
    assert_int_equal(sheet_col(&t, s), hp->d_head - 1);
    sheet_init(&t, s, program_find(s->program, "tokens"), -1);
    assert_true(t.rows == n && t.cols == 1 && sheet_col(&t, s) == 0);
    assert_int_equal(sheet_col_kind(&t, s), AXIS_ONE);
    session_free(s);
}

/* --- the tensor view's statistics --- */

/* Of the whole sheet, read at once. */
static void plain_stats(const struct session *s, const struct sheet *t, struct stats *st,
                        float bin[TENSOR_BINS])
{
    size_t n = (size_t) t->rows * (size_t) t->cols;
    float *x = xcalloc(n, sizeof *x);

    OK(sheet_read(t, s, 0, t->rows, 0, t->cols, x, &err));
    stats_of(st, x, n);
    memset(bin, 0, TENSOR_BINS * sizeof *bin);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        double part =
            ((double) x[i] - (double) st->min) / ((double) st->max - (double) st->min);
        int k = (int) (part * TENSOR_BINS);
        bin[k < TENSOR_BINS ? k : TENSOR_BINS - 1]++;
    }
    free(x);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * fmax(1, fabs(b));
}

static void check_summary(const struct session *s, const struct sheet *t,
                          const struct tensor_summary *sum)
{
    float bin[TENSOR_BINS], moved = 0, counted = 0;
    struct stats st;

    plain_stats(s, t, &st, bin);
    assert_true(sum->all && sum->counted == t->rows && sum->binned == t->rows);
    assert_true(sum->stats.n == st.n && sum->stats.n_inf == st.n_inf);
    assert_true(sum->stats.n_nan == st.n_nan && sum->stats.n_zero == st.n_zero);
    assert_true(near((double) sum->stats.min, (double) st.min) &&
                near((double) sum->stats.max, (double) st.max) &&
                near(sum->stats.mean, st.mean) && near(sum->stats.std, st.std) &&
                near(sum->stats.norm, st.norm));
    for (int i = 0; i < TENSOR_BINS; i++) {
        moved += fabsf(bin[i] - sum->bin[i]);
        counted += sum->bin[i];
    }
    assert_true(moved <= 2 + counted / 500); /* numbers at the edge of a bin */
    assert_int_equal((int) counted, st.n - st.n_inf - st.n_nan);
}

static const char *const values[] = {"blocks.1.mlp.pre",         "blocks.2.attn.pattern",
                                     "blocks.1.attn.scores",     "cache.1.v",
                                     "blocks.0.resid_mid",       "logits",
                                     "blocks.1.attn.scores_raw", "tokens"};

static void test_summary(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct view_cache *c = cache_new();
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            struct sheet t;
            int value = program_find(s->program, values[i]), id;
            session_truncate(s, 7);
            OK(session_run(s, 0, NULL, &err));
            sheet_init(&t, s, value, -1);
            check_summary(s, &t, cache_tensor(c, s, &t));
            for (int j = 0; j < 3; j++) /* added rows are counted, not all again */
                OK(session_generate(s, &id, &err));
            OK(session_run(s, 0, NULL, &err));
            sheet_init(&t, s, value, -1);
            check_summary(s, &t, cache_tensor(c, s, &t));
            OK(give(s, TEXT, &err)); /* other tokens from 7 on */
            OK(session_run(s, 0, NULL, &err));
            sheet_init(&t, s, value, -1);
            check_summary(s, &t, cache_tensor(c, s, &t));
        }
        cache_free(c);
        session_free(s);
    }
}

/* Without any time each drawing goes nowhere; with a little, all is there in the end. */
static void test_pieces(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct view_cache *c = cache_new();
    struct sheet t;
    int drawings = 0;

    OK(session_run(s, 0, NULL, &err));
    sheet_init(&t, s, program_find(s->program, "logits"), -1);
    cache_budget(c, 1e-9);
    assert_int_equal(cache_tensor(c, s, &t)->counted, 0);
    assert_true(cache_more(c));
    const struct tensor_summary *sum;
    do {
        cache_budget(c, 1e-3);
        sum = cache_tensor(c, s, &t);
        drawings++;
    } while (sum->binned < t.rows && drawings < 10000);
    check_summary(s, &t, sum);
    cache_free(c);
    session_free(s);
}

static void test_window(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct view_cache *c = cache_new();
    struct sheet t;
    float one, cell;
    struct err problem = ERR_INIT;
    int ready = 0;

    OK(session_run(s, 0, NULL, &err));
    s->at.column = 100;
    s->at.query = 6;
    sheet_init(&t, s, program_value(s->program, 1, "mlp.post"), -1);
    const float *x = cache_tensor_window(c, s, &t, 2, 8, 96, 10, &ready, &problem);
    assert_non_null(x);
    assert_int_equal(ready, 8);
    OK(sheet_read(&t, s, 6, 1, 100, 1, &one, &err));
    assert_true(fabsf(x[(6 - 2) * 10 + 100 - 96] - one) < 1e-5F);
    assert_true(cache_tensor_cell(c, s, &t, &cell) && cell == one);
    cache_free(c);
    session_free(s);
}

/* --- the MLP's neurons --- */

static void test_neurons(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    struct view_cache *c = cache_new();
    struct err problem = ERR_INIT;
    int drawings = 0, asked[5] = {3, 1, 4, 15, 9};

    assert_null(cache_neurons(c, s, &problem));
    OK(session_run(s, 0, NULL, &err));
    s->at.layer = 1;
    cache_budget(c, 1e-9);
    assert_false(cache_neurons(c, s, &problem)->ready);
    cache_budget(c, 0);
    assert_true(cache_neurons(c, s, &problem)->ready);
    const struct neuron_tokens *t;
    do {
        cache_budget(c, 1e-4);
        t = cache_neuron_tokens(c, s, 1, asked, 5);
        drawings++;
    } while (!neuron_tokens_find(t, 1, 9) && drawings < 10000);
    for (int i = 0; i < 5; i++)
        assert_non_null(neuron_tokens_find(t, 1, asked[i]));
    assert_false(cache_more(c) && drawings == 1);
    cache_free(c);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sheet),   cmocka_unit_test(test_summary),
        cmocka_unit_test(test_pieces),  cmocka_unit_test(test_window),
        cmocka_unit_test(test_neurons),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
