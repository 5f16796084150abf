/* What views keep from one drawing to the next, held against values read one by one. */
#include "model/builtin.h"
#include "view/cache.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};
static const char text[] = "Tom gave the red ball to Anna. Anna gave the red ball to Tom.";

struct fixture {
    struct compute *compute;
    struct session *s;
    struct view_cache *cache;
    struct err err;
};

static void begin(struct fixture *f, const char *model, const char *prompt)
{
    struct settings set;
    settings_init(&set);
    memset(f, 0, sizeof *f);
    f->compute = compute_new(1);
    f->s = session_new(model, f->compute, &set, &f->err);
    if (!f->s || !session_prompt(f->s, prompt, strlen(prompt), &f->err))
        fail_msg("%s", f->err.text);
    f->cache = cache_new();
}

static void end(struct fixture *f)
{
    cache_free(f->cache);
    session_free(f->s);
    compute_free(f->compute);
}

static void run(struct fixture *f)
{
    bool more;
    if (!session_run(f->s, 0, &more, &f->err))
        fail_msg("%s", f->err.text);
}

static float read_one(struct fixture *f, int layer, enum stage stage, int a, int b, int c)
{
    struct region one = {{a, b, c}, {1, 1, 1}};
    float v;
    if (!run_read(f->s->run, session_stage_value(f->s, layer, stage), &one, &v, &f->err))
        fail_msg("%s", f->err.text);
    return v;
}

static float cell(struct fixture *f, int query, int col)
{
    const struct cursor_at *at = &f->s->at;
    if (at->stage == STAGE_MIX)
        return read_one(f, at->layer, at->stage, query, at->head, col);
    return read_one(f, at->layer, at->stage, at->head, query, col);
}

static const struct attn_grid *grid(struct fixture *f, int rows, int cols)
{
    const struct attn_grid *g = cache_attention(f->cache, f->s, rows, cols, &f->err);
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

static void same(float a, float b)
{
    if (isnan(a) != isnan(b) || fabsf(a - b) > 1e-5F * (1 + fabsf(b)))
        fail_msg("%g is not %g", (double) a, (double) b);
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
    assert_null(cache_attention(f.cache, f.s, 10, 10, &f.err));
    const struct heads_summary *h = cache_heads(f.cache, f.s, 8, &f.err);
    assert_non_null(h);
    assert_false(h->head[0].ready);
    assert_null(cache_next(f.cache, f.s));
    end(&f);
}

/* --- heads --- */

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

/* The heads that these two models are known for. */
static void known_heads(void **state)
{
    (void) state;
    static const struct {
        const char *model;
        int layer, head;
        enum head_job job;
    } known[] = {{"tiny-gpt2", 0, 3, JOB_PREVIOUS},
                 {"tiny-gpt2", 2, 0, JOB_INDUCTION},
                 {"tiny-llama", 1, 4, JOB_PREVIOUS},
                 {"tiny-llama", 3, 5, JOB_INDUCTION}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct fixture f;
        int32_t ids[100];
        begin(&f, known[i].model, "");
        for (int j = 0; j < 50; j++) /* a made-up text, and the same again */
            ids[j] = ids[j + 50] = 300 + j * 1237 % 1700;
        if (!session_prompt_ids(f.s, ids, 100, &f.err))
            fail_msg("%s", f.err.text);
        run(&f);
        const struct heads_summary *h = cache_heads(f.cache, f.s, 0, &f.err);
        assert_non_null(h);
        const struct head_summary *head = &h->head[known[i].layer * h->n_head + known[i].head];
        printf("%s L%dH%d %s %.2f\n", known[i].model, known[i].layer, known[i].head,
               head_job_name(known[i].job), (double) head->job[known[i].job]);
        assert_int_equal(head->tag, known[i].job);
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
        cmocka_unit_test(head_jobs),       cmocka_unit_test(clearest_head),
        cmocka_unit_test(known_heads),     cmocka_unit_test(thumbs_have_no_gaps),
        cmocka_unit_test(next_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
