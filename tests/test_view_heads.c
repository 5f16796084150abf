/* What heads do, held against weights read one by one, and against a cache made anew. */
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

/* The means over the queries that count for each job, computed one by one. */
struct jobs {
    float mean[JOB_COUNT], max;
    int n[JOB_COUNT];
};

static void add_job(struct jobs *j, struct fixture *f, enum head_job job, const int at[3],
                    int key)
{
    j->mean[job] += read_one(f, at[0], STAGE_PATTERN, at[1], at[2], key);
    j->n[job]++;
}

static struct jobs jobs_of(struct fixture *f, int layer, int head)
{
    struct jobs j = {0};
    int n = f->s->ids.n;
    const int32_t *id = f->s->ids.id;
    for (int q = 1; q < n; q++) {
        const int at[3] = {layer, head, q};
        int same_at = -1;
        float most = 0;
        for (int k = 0; k <= q; k++) {
            float p = read_one(f, layer, STAGE_PATTERN, head, q, k);
            most = p > most ? p : most;
            if (k < q && id[k] == id[q])
                same_at = k;
        }
        j.max += most / (float) (n - 1);
        add_job(&j, f, JOB_PREVIOUS, at, q - 1);
        add_job(&j, f, JOB_SINK, at, 0);
        add_job(&j, f, JOB_SELF, at, q);
        if (same_at > 0)
            add_job(&j, f, JOB_DUPLICATE, at, same_at);
        if (same_at >= 0 && same_at + 1 < q - 1)
            add_job(&j, f, JOB_INDUCTION, at, same_at + 1);
    }
    for (int i = 0; i < JOB_COUNT; i++)
        j.mean[i] = j.n[i] > 0 ? j.mean[i] / (float) j.n[i] : 0;
    return j;
}

static void head_jobs(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        begin(&f, models[m], text);
        run(&f);
        const struct heads_summary *h = cache_heads(f.cache, f.s, 6, &f.err);
        assert_non_null(h);
        for (int i = 0; i < h->n_layer * h->n_head; i++) {
            const struct head_summary *got = &h->head[i];
            struct jobs want = jobs_of(&f, i / h->n_head, i % h->n_head);
            for (int j = 0; j < JOB_COUNT; j++)
                same(got->job[j], want.mean[j]);
            same(got->max, want.max);
            assert_true(got->entropy >= 0 && got->entropy <= 1.00001F);
            for (int j = 0; j < JOB_COUNT; j++) {
                if (want.n[j] < 3)
                    assert_int_not_equal(got->tag, j); /* too few to tell */
                else if (got->tag < 0)
                    assert_true(want.mean[j] < 0.41F);
                else
                    assert_true(want.mean[j] <= want.mean[got->tag] + 1e-5F);
            }
        }
        end(&f);
    }
}

static void clearest_head(void **state)
{
    (void) state;
    struct fixture f;
    int layer = -1, head = -1;
    begin(&f, "tiny-gpt2", "");
    assert_false(heads_clearest(cache_heads(f.cache, f.s, 0, &f.err), &layer, &head));
    assert_int_equal(layer, -1);
    const char once[] = "Tom gave the red ball to Anna. Anna";
    assert_true(session_prompt(f.s, once, strlen(once), &f.err));
    run(&f); /* a single repeat shows no induction: the previous-token head is clearest */
    assert_true(heads_clearest(cache_heads(f.cache, f.s, 0, &f.err), &layer, &head));
    assert_int_equal(layer, 0);
    assert_int_equal(head, 3);
    const char twice[] = "Tom gave the red ball to Anna. Anna gave the red ball";
    assert_true(session_prompt(f.s, twice, strlen(twice), &f.err));
    run(&f);
    const struct heads_summary *h = cache_heads(f.cache, f.s, 0, &f.err);
    assert_true(heads_clearest(h, &layer, &head));
    assert_int_equal(h->head[layer * h->n_head + head].tag, JOB_INDUCTION);
    end(&f);
}

/* The heads that these two models are known for, on a made-up text twice in a row. */
static void known_heads(void **state)
{
    (void) state;
    static const struct {
        int model, layer, head;
        enum head_job job;
    } known[] = {
        {0, 0, 3, JOB_PREVIOUS},  {0, 2, 0, JOB_INDUCTION}, {0, 2, 3, JOB_INDUCTION},
        {0, 2, 5, JOB_INDUCTION}, {1, 1, 4, JOB_PREVIOUS},  {1, 1, 7, JOB_PREVIOUS},
        {1, 2, 3, JOB_INDUCTION}, {1, 3, 4, JOB_INDUCTION}, {1, 3, 5, JOB_INDUCTION},
        {1, 3, 6, JOB_INDUCTION}, {1, 3, 7, JOB_INDUCTION},
    };
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        int32_t ids[100];
        begin(&f, models[m], "");
        for (int j = 0; j < 50; j++)
            ids[j] = ids[j + 50] = 300 + j * 1237 % 1700;
        if (!session_prompt_ids(f.s, ids, 100, &f.err))
            fail_msg("%s", f.err.text);
        run(&f);
        const struct heads_summary *h = cache_heads(f.cache, f.s, 0, &f.err);
        assert_non_null(h);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (known[i].model != m)
                continue;
            const struct head_summary *head =
                &h->head[known[i].layer * h->n_head + known[i].head];
            printf("%s L%dH%d %s %.2f\n", models[m], known[i].layer, known[i].head,
                   head_job_name(known[i].job), (double) head->job[known[i].job]);
            assert_int_equal(head->tag, known[i].job);
            assert_int_equal(head->n[JOB_INDUCTION], 50);
        }
        end(&f);
    }
}

/* A picture has a colour wherever a query sees a key, however few tokens there are. */
static void thumbs_have_no_gaps(void **state)
{
    (void) state;
    static const char *const prompts[] = {"Tom", "Tom gave the", text};
    for (int i = 0; i < 3; i++)
        for (int side = 1; side <= THUMB_MAX; side += 3) {
            struct fixture f;
            begin(&f, "tiny-gpt2", prompts[i]);
            run(&f);
            int n = f.s->ids.n;
            const struct heads_summary *h = cache_heads(f.cache, f.s, side, &f.err);
            assert_non_null(h);
            assert_int_equal(h->thumb, side);
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++) {
                    float v = h->pixel[y * side + x];
                    if (x <= y)
                        assert_false(isnan(v));
                    if (x > y + side / n + 1)
                        assert_true(isnan(v));
                    assert_true(isnan(v) || (v >= 0 && v <= 1.00001F));
                }
            if (n <= side) /* token 0 has only itself to look at */
                same(h->pixel[0], 1);
            end(&f);
        }
}

/* --- a token more, a token less --- */

static void same_heads(const struct heads_summary *got, const struct heads_summary *want)
{
    assert_int_equal(got->done, want->done);
    for (int i = 0; i < want->n_layer * want->n_head; i++) {
        const struct head_summary *a = &got->head[i], *b = &want->head[i];
        for (int j = 0; j < JOB_COUNT; j++) {
            same(a->job[j], b->job[j]);
            assert_int_equal(a->n[j], b->n[j]);
        }
        same(a->max, b->max);
        same(a->entropy, b->entropy);
        assert_int_equal(a->tag, b->tag);
        assert_int_equal(a->strongest, b->strongest);
        same(a->strongest_weight, b->strongest_weight);
    }
    for (int i = 0; i < want->n_layer * want->n_head * want->thumb * want->thumb; i++)
        same(got->pixel[i], want->pixel[i]);
}

static void same_grid(const struct attn_grid *got, const struct attn_grid *want)
{
    assert_true(got->rows == want->rows && got->cols == want->cols && got->pool == want->pool);
    for (int i = 0; i < want->rows * want->cols; i++)
        same(got->v[i], want->v[i]);
    for (int i = 0; i < want->rows; i++)
        same(got->row_max[i], want->row_max[i]);
    same(got->limit, want->limit);
}

/* What is kept and brought up to date is what a new cache makes; with a budget of nothing, a
 * piece at a time. */
static void check_kept(struct fixture *f)
{
    struct view_cache *fresh = cache_new(), *kept = f->cache;
    const struct heads_summary *h;
    const struct attn_grid *g;
    struct attn_want want = {.rows = 24, .cols = 24};
    int drawings = 0;
    do {
        cache_budget(kept, 1e-9);
        h = cache_heads(kept, f->s, 7, &f->err);
        g = cache_attention(kept, f->s, &want, &f->err);
        assert_true(h && g && drawings++ < 10000);
    } while (cache_more(kept));
    assert_int_equal(h->done, h->want);
    same_heads(h, cache_heads(fresh, f->s, 7, &f->err));
    same_grid(g, cache_attention(fresh, f->s, &want, &f->err));
    cache_free(fresh);
}

static void kept_up_to_date(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        begin(&f, models[m], text);
        f.s->at.layer = 1;
        for (int i = 0; i < 170; i++) {
            f.s->at.stage = (enum stage)(i / 8 % STAGE_COUNT);
            if (i % 13 == 12)
                session_truncate(f.s, f.s->ids.n - i % 5);
            if (i == 100)
                session_truncate(f.s, 40);
            if (i == 140)
                assert_true(session_prompt(f.s, text + 4, strlen(text) - 4, &f.err));
            assert_true(session_append(f.s, 300 + i * 37 % 50, &f.err));
            if (i % 11 == 3) { /* half-way through a pass, too */
                assert_true(session_layer(f.s, &f.err));
                check_kept(&f);
            }
            run(&f);
            check_kept(&f);
        }
        end(&f);
    }
}

/* With room for so many tokens only the last queries are counted. */
static void a_window_slides(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-llama", text);
    assert_true(session_set(f.s, "ctx", "100000", &f.err));
    for (int i = 0; i < 130; i++) {
        if (i % 31 == 30)
            session_truncate(f.s, f.s->ids.n - 3 - i / 4);
        assert_true(session_append(f.s, 300 + i * 37 % 50, &f.err));
        run(&f);
        check_kept(&f);
        const struct heads_summary *h = cache_heads(f.cache, f.s, 7, &f.err);
        assert_int_equal(h->n_query, f.s->ids.n < 50 ? f.s->ids.n : 50);
        float sum = 0;
        for (int q = f.s->ids.n - h->n_query; q < f.s->ids.n; q++)
            sum += q > 0 ? read_one(&f, 1, STAGE_PATTERN, 4, q, q - 1) : 0;
        int n = f.s->ids.n <= 50 ? f.s->ids.n - 1 : 50;
        same(h->head[1 * h->n_head + 4].job[JOB_PREVIOUS], sum / (float) n);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_jobs),       cmocka_unit_test(clearest_head),
        cmocka_unit_test(known_heads),     cmocka_unit_test(thumbs_have_no_gaps),
        cmocka_unit_test(kept_up_to_date), cmocka_unit_test(a_window_slides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
