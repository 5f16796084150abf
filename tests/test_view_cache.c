/* What views keep from one drawing to the next, held against values read one by one. */
#include "view_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float cell(struct fixture *f, int query, int col)
{
    const struct cursor_at *at = &f->s->at;
    if (at->stage == STAGE_MIX)
        return read_one(f, at->layer, at->stage, query, at->head, col);
    return read_one(f, at->layer, at->stage, at->head, query, col);
}

static const struct attn_grid *grid(struct fixture *f, int rows, int cols)
{
    struct attn_want want = {.rows = rows, .cols = cols};
    const struct attn_grid *g = cache_attention(f->cache, f->s, &want, &f->err);
    if (!g)
        fail_msg("%s", f->err.text);
    return g;
}

/* The largest |x| of the values that a pixel stands for; NAN when all are masked. */
static float pooled(struct fixture *f, const struct attn_grid *g, int row, int col)
{
    float most = NAN;
    for (int q = row * g->pool_q; q < (row + 1) * g->pool_q && q < g->n_query; q++)
        for (int k = col * g->pool; k < (col + 1) * g->pool && k < g->n_col; k++) {
            bool masked =
                f->s->at.stage != STAGE_MIX && f->s->at.stage >= STAGE_MASKED && k > q;
            float v = masked ? NAN : cell(f, q, k);
            if (!isnan(v) && (isnan(most) || fabsf(v) > fabsf(most)))
                most = v;
        }
    return most;
}

static void grid_is_exact(struct fixture *f, int rows, int cols)
{
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        f->s->at.stage = (enum stage) stage;
        const struct attn_grid *g = grid(f, rows, cols);
        assert_true(g->rows <= rows && g->cols <= cols);
        assert_int_equal(g->ready, f->s->ids.n);
        float most = 0;
        for (int i = 0; i < g->rows; i++, most = 0) {
            for (int j = 0; j < g->cols; j++) {
                float v = g->v[i * g->cols + j];
                same(v, pooled(f, g, i, j));
                most = !isnan(v) && fabsf(v) > most ? fabsf(v) : most;
            }
            same(g->row_max[i], most);
        }
        assert_true(g->limit > 0);
        assert_int_equal(g->is_signed, stage != STAGE_PATTERN);
    }
}

static void attention_maps(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        begin(&f, models[m], text);
        run(&f);
        f.s->at.layer = 2;
        f.s->at.head = 3;
        grid_is_exact(&f, 100, 100); /* a pixel a value */
        assert_int_equal(grid(&f, 100, 100)->pool_q, 1);
        grid_is_exact(&f, 5, 100);
        grid_is_exact(&f, 100, 4);
        grid_is_exact(&f, 1, 1);
        end(&f);
    }
}

static void hidden_sink(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-gpt2", text);
    run(&f);
    f.s->at.stage = STAGE_PATTERN;
    f.s->set.hide_sink = true;
    const struct attn_grid *g = grid(&f, 100, 100);
    for (int i = 0; i < g->rows; i++) {
        float sum = 0;
        assert_true(isnan(g->v[i * g->cols]));
        for (int j = 1; j <= i; j++)
            sum += g->v[i * g->cols + j];
        if (i > 0)
            assert_true(fabsf(sum - 1) < 1e-3F);
    }
    f.s->set.hide_sink = false; /* the switch is seen without a change of the run */
    g = grid(&f, 100, 100);
    same(g->v[3 * g->cols], cell(&f, 3, 0));
    end(&f);
}

/* Half-way through a pass and after every change the map says what can be read, not what was.
 */
static void follows_the_run(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-llama", "Tom gave the red ball");
    f.s->at.stage = STAGE_PATTERN;
    f.s->at.layer = 1;
    assert_int_equal(grid(&f, 50, 50)->ready, 0);
    assert_true(isnan(grid(&f, 50, 50)->v[0]));
    int value = session_stage_value(f.s, 1, STAGE_PATTERN), seen = 0;
    while (session_step(f.s, &f.err)) {
        int ready = run_ready(f.s->run, value);
        assert_int_equal(grid(&f, 50, 50)->ready, ready);
        assert_int_equal(isnan(grid(&f, 50, 50)->v[0]), ready == 0);
        const struct heads_summary *h = cache_heads(f.cache, f.s, 4, &f.err);
        assert_non_null(h);
        assert_int_equal(h->head[1 * h->n_head].ready, ready > 0);
        seen += ready > 0;
    }
    assert_true(seen > 0);
    int n = f.s->ids.n;
    f.s->at.layer = 0;
    same(grid(&f, 50, 50)->v[0], 1);
    f.s->at.head = 1;
    same(grid(&f, 50, 50)->v[(n - 1) * n + 1], cell(&f, n - 1, 1));
    session_truncate(f.s, 2);
    assert_int_equal(grid(&f, 50, 50)->n_query, 2);
    assert_true(session_prompt(f.s, "Anna", 4, &f.err));
    run(&f);
    assert_int_equal(grid(&f, 50, 50)->ready, f.s->ids.n);
    end(&f);
}

static void no_tokens(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-gpt2", "");
    struct attn_want want = {.rows = 10, .cols = 10};
    assert_null(cache_attention(f.cache, f.s, &want, &f.err));
    const struct heads_summary *h = cache_heads(f.cache, f.s, 8, &f.err);
    assert_non_null(h);
    assert_false(h->head[0].ready);
    assert_null(cache_next(f.cache, f.s));
    end(&f);
}

/* --- the next token --- */

static void next_token(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-gpt2", "Tom gave the red ball to Anna. Anna");
    assert_null(cache_next(f.cache, f.s));
    run(&f);
    const struct sample_trace *t = cache_next(f.cache, f.s);
    assert_non_null(t);
    char label[64];
    tokenizer_label(f.s->tokenizer, t->candidate[0].id, label, sizeof label);
    assert_string_equal(label, "·thanked");
    assert_ptr_equal(cache_next(f.cache, f.s), t);
    double p = t->candidate[0].prob[SAMPLE_TEMP];
    f.s->set.sampler.temp = 3; /* a setting is seen at once */
    t = cache_next(f.cache, f.s);
    assert_true(t->candidate[0].prob[SAMPLE_TEMP] < p);
    assert_true(session_prompt(f.s, "Tom gave", 8, &f.err));
    run(&f);
    t = cache_next(f.cache, f.s);
    tokenizer_label(f.s->tokenizer, t->candidate[0].id, label, sizeof label);
    assert_string_not_equal(label, "·thanked");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_maps),  cmocka_unit_test(hidden_sink),
        cmocka_unit_test(follows_the_run), cmocka_unit_test(no_tokens),
        cmocka_unit_test(next_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
