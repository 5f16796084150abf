/* What the screen sums up of two runs, held against values read one by one; in pieces, and
 * after changes. */
#include "session_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "session/mark.h"
#include "view/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 24, HEAD = 1, LAYER = 1 };

static const char sentence[] = "Tom gave the red ball to Anna. ";

/* A text of n sentences, computed, marked; then a head zeroed in a layer. */
static struct session *ablated(int model, int n)
{
    struct str text = STR_INIT;
    struct region head = {{0, HEAD, 0}, {-1, 1, -1}};

    for (int i = 0; i < n; i++)
        str_adds(&text, sentence);
    struct session *s = open_computed(model, text.text);
    OK(mark_take(s, NULL, &err));
    OK(session_ablate(s, PATCH_ZERO, program_value(s->program, LAYER, "attn.z"), &head, 0,
                      &err));
    OK(session_run(s, 0, NULL, &err));
    s->at.layer = LAYER + 1;
    str_release(&text);
    return s;
}

static float difference(const struct session *s, int layer, int head, int query, int col)
{
    int value = session_stage_value(s, layer, s->at.stage);
    struct region one = {{head, query, col}, {1, 1, 1}};
    float now, mark;

    if (s->at.stage == STAGE_MIX)
        one = (struct region){{query, head, col}, {1, 1, 1}};
    OK(run_read(s->run, value, &one, &now, &err));
    OK(run_read(s->mark->run, value, &one, &mark, &err));
    return now == mark ? 0 : now - mark;
}

/* The map in as many drawings as it takes. */
static const struct compare_map *map_of(struct view_cache *c, const struct session *s,
                                        double budget, int *drawings)
{
    const struct compare_map *m;
    struct err why = ERR_INIT;

    *drawings = 0;
    do {
        cache_budget(c, budget);
        m = cache_compare_map(c, s, SIDE, SIDE, &why);
        if (!m)
            fail_msg("%s", why.text);
        ++*drawings;
        if (budget > 0)
            cache_budget(c, 10), m = cache_compare_map(c, s, SIDE, SIDE, &why);
    } while (m->done < m->ready);
    return m;
}

static void check_map(const struct session *s, const struct compare_map *m)
{
    double worst = 0;
    float most = 0;

    for (int row = 0; row < m->rows; row++)
        for (int col = 0; col < m->cols; col++) {
            float want = NAN, got = m->v[row * m->cols + col];
            for (int q = row * m->pool_q; q < (row + 1) * m->pool_q && q < m->n; q++)
                for (int k = col * m->pool; k < (col + 1) * m->pool && k < m->n_col; k++) {
                    if (s->at.stage != STAGE_MIX && k > q)
                        continue;
                    float v = difference(s, s->at.layer, s->at.head, q, k);
                    if (isnan(want) || fabsf(v) > fabsf(want))
                        want = v;
                }
            assert_int_equal(isnan(want), isnan(got));
            if (isnan(want))
                continue;
            worst = fmax(worst, fabs(fabs((double) want) - fabs((double) got)));
            most = fmaxf(most, fabsf(got));
        }
    assert_true(worst < 1e-5);
    assert_true(fabsf(most - m->most) < 1e-6F);
    assert_true(m->limit > 0 && m->limit <= (m->most > 0 ? m->most : 1));
}

static void test_map(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = ablated(m, 4);
        for (int stage = 0; stage < STAGE_COUNT; stage++) {
            struct view_cache *whole = cache_new(), *pieces = cache_new();
            int once, often;
            s->at.stage = (enum stage) stage;
            const struct compare_map *a = map_of(whole, s, 0, &once);
            assert_int_equal(once, 1);
            assert_true(a->rows <= SIDE && a->cols <= SIDE && (a->pool > 1 || stage == 4));
            assert_int_equal(a->done, s->ids.n);
            check_map(s, a);
            const struct compare_map *b = map_of(pieces, s, 1e-9, &often);
            size_t n = (size_t) a->rows * (size_t) a->cols * sizeof *a->v;
            for (size_t i = 0; i < n / sizeof *a->v; i++)
                assert_true(fabsf(a->v[i] - b->v[i]) < 1e-5F ||
                            (isnan(a->v[i]) && isnan(b->v[i])));
            cache_free(whole);
            cache_free(pieces);
        }
        session_free(s);
    }
}

/* A budget that is used up at once leaves the map as it was, and says that there is more. */
static void test_late(void **state)
{
    (void) state;
    struct session *s = ablated(0, 3);
    struct view_cache *c = cache_new();
    struct err why = ERR_INIT;

    cache_budget(c, 1e-12);
    const struct compare_map *m = cache_compare_map(c, s, SIDE, SIDE, &why);
    assert_true(m && m->done == 0 && cache_more(c));
    const struct compare_heads *h = cache_compare_heads(c, s, &why);
    assert_true(h && h->to_do == s->ids.n * s->program->hp.n_layer && cache_more(c));
    cache_budget(c, 0);
    m = cache_compare_map(c, s, SIDE, SIDE, &why);
    assert_true(m->done == s->ids.n && !cache_more(c));

    /* what was made stays while the text only grows, and while nothing changes */
    int id;
    OK(session_generate(s, &id, &err));
    OK(session_run(s, 0, NULL, &err));
    cache_budget(c, 1e-12);
    m = cache_compare_map(c, s, SIDE, SIDE, &why);
    assert_true(m->done == m->ready && m->n == s->ids.n - 1 && !cache_more(c));
    /* it does not when the run is another one */
    session_restore(s, -1);
    OK(session_run(s, 0, NULL, &err));
    cache_budget(c, 0);
    m = cache_compare_map(c, s, SIDE, SIDE, &why);
    assert_true(m->most < 1e-5F);
    OK(give(s, "Anna lost the blue cup in Rome. Anna lost the blue cup", &err));
    OK(session_run(s, 0, NULL, &err));
    check_map(s, cache_compare_map(c, s, SIDE, SIDE, &why));
    OK(mark_take(s, NULL, &err));
    m = cache_compare_map(c, s, SIDE, SIDE, &why);
    assert_true(m->most == 0 && m->limit == 1);
    cache_free(c);
    session_free(s);
}

static void test_heads(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = ablated(m, 2);
        struct view_cache *c = cache_new();
        struct err why = ERR_INIT;
        const struct compare_heads *h = cache_compare_heads(c, s, &why);
        assert_int_equal(h->to_do, 0);
        for (int layer = 0; layer < h->n_layer; layer++)
            for (int head = 0; head < h->n_head; head++) {
                float want = 0;
                for (int q = 0; q < s->ids.n; q++)
                    for (int k = 0; k <= q; k++)
                        want = fmaxf(want, fabsf(difference(s, layer, head, q, k)));
                float got = h->most[layer * h->n_head + head];
                assert_true(fabsf(got - want) < 1e-5F && got <= h->largest);
                assert_true(layer > LAYER || got < 1e-5F);
            }
        assert_true(h->largest > 0.001F);
        cache_free(c);
        session_free(s);
    }
}

static void test_resid_and_logits(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = ablated(m, 2);
        struct view_cache *c = cache_new();
        struct err why = ERR_INIT;
        struct diff d;
        struct logit_diff want;
        for (s->at.query = 0; s->at.query < s->ids.n; s->at.query += 5) {
            const struct compare_resid *r = cache_compare_resid(c, s, &why);
            assert_true(r && r->pos == s->at.query);
            OK(diff_open(&d, s, &err));
            for (int layer = 0; layer < r->n_layer; layer++) {
                struct diff_length l;
                int value = program_value(s->program, layer, "resid_post");
                OK(diff_length(&d, value, r->pos, &l, &err));
                assert_true(fabs(l.change - r->length[layer].change) < 1e-4);
                assert_true(layer != LAYER || r->length[layer].change > 0.01);
            }
        }
        const struct logit_diff *got = cache_logit_diff(c, s, &why);
        OK(diff_logits(&d, s->ids.n - 1, &want, &err));
        assert_true(got && got->pos == s->ids.n - 1 && fabs(got->kl - want.kl) < 1e-9);
        assert_int_equal(got->up[0].id, want.up[0].id);
        assert_ptr_equal(cache_logit_diff(c, s, &why), got);
        mark_clear(s);
        assert_null(cache_logit_diff(c, s, &why));
        assert_null(cache_compare_resid(c, s, &why));
        assert_null(cache_compare_map(c, s, SIDE, SIDE, &why));
        assert_null(cache_compare_heads(c, s, &why));
        cache_free(c);
        session_free(s);
    }
}

/* What stands in for other views, and what a click on it means. */
static void test_views(void **state)
{
    (void) state;
    struct caps caps = {.colors = 256};
    struct session *s = ablated(0, 1);
    struct canvas *c = canvas_new(90, 40, &caps, NULL);
    struct screen st;
    struct hit h = {.line = ""};
    struct rect all = canvas_all(c);

    screen_init(&st);
    int attention = view_find("attention");
    assert_ptr_equal(view_now(s, attention), &view_table[attention]);
    s->comparing = true;
    assert_ptr_not_equal(view_now(s, attention), &view_table[attention]);
    assert_ptr_equal(view_now(s, view_find("map")), &view_table[view_find("map")]);
    const struct view *map = view_now(s, attention), *heads = view_now(s, view_find("heads"));
    map->draw(s, &st, c, all);
    map->hit(s, &st, c, all, 12 + 6 * 2 + 1, 1 + 3, &h); /* names, six columns a key */
    assert_string_equal(h.line, "select 3,2");
    assert_non_null(strstr(h.tip, "now - mark"));
    h = (struct hit){.line = ""};
    heads->draw(s, &st, c, all);
    heads->hit(s, &st, c, all, 3 + 6 * 4 + 1, 3, &h);
    assert_string_equal(h.line, "select L2.H4");
    h = (struct hit){.line = ""};
    heads->hit(s, &st, c, all, 0, 0, &h);
    assert_string_equal(h.line, "");
    screen_release(&st);
    canvas_free(c);
    session_free(s);
}

static void test_numbers(void **state)
{
    (void) state;
    static const struct {
        double v;
        int width;
        const char *text;
    } row[] = {{0.0341, 5, "+.034"},    {-0.5, 5, "-.500"},    {0, 5, "    0"},
               {-0.00001, 5, " .000"},  {12.3456, 5, "+12.3"}, {-1234.5, 5, "-1234"},
               {-INFINITY, 5, " -inf"}, {123456, 5, " +1e5"},  {1, 5, "+1.00"}};
    char out[24];

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        compare_number(out, sizeof out, row[i].v, row[i].width);
        assert_string_equal(out, row[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),   cmocka_unit_test(test_late),
        cmocka_unit_test(test_heads), cmocka_unit_test(test_resid_and_logits),
        cmocka_unit_test(test_views), cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
