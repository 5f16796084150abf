/* The mark, and differences of two runs. */
#include "session_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "session/diff.h"
#include "session/mark.h"
#include "session/steer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "Tom gave the red ball to Ben. Ben"

/* The largest difference of any value that both runs have in full. */
static double worst_of(const struct run *a, const struct run *b)
{
    double worst = 0;

    for (int i = 0; i < run_program(a)->n_values; i++) {
        size_t n, m;
        float *x = read_all(a, i, &n), *y = read_all(b, i, &m);
        assert_int_equal(n, m);
        for (size_t j = 0; j < n; j++)
            if (x[j] != y[j])
                worst = fmax(worst, fabs((double) x[j] - (double) y[j]));
        free(x);
        free(y);
    }
    return worst;
}

/* --- the mark --- */

static void test_mark(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct region head = {{0, 1, 0}, {-1, 1, -1}};

        FAILS(mark_take(s, NULL, &err), "nothing is computed yet; run first");
        FAILS(mark_recompute(s, &err), "nothing is computed yet; run first");
        OK(session_run(s, 0, NULL, &err));
        OK(mark_take(s, NULL, &err));
        char label[64];
        snprintf(label, sizeof label, "%d tokens", s->ids.n);
        assert_string_equal(s->mark->label, label);
        struct session *fresh = open_computed(m, TEXT);
        assert_true(worst_of(s->mark->run, fresh->run) < 1e-5);
        float *logits = logits_of(s);
        for (int i = 0; i < s->program->hp.n_vocab; i++)
            assert_true(fabsf(logits[i] - s->mark->logits[i]) < 1e-4F);
        free(logits);

        /* what happens to the session does not happen to the mark */
        OK(session_ablate(s, PATCH_ZERO, program_value(s->program, 1, "attn.z"), &head, 0,
                          &err));
        OK(give(s, OTHER, &err));
        OK(session_set(s, "threads", "1", &err));
        OK(session_set(s, "chunk", "3", &err));
        OK(session_run(s, 0, NULL, &err));
        assert_true(worst_of(s->mark->run, fresh->run) < 1e-5);
        OK(mark_take(s, "with \x1b a head out", &err));
        assert_null(strchr(s->mark->label, '\x1b'));
        assert_int_equal(s->mark->number, 2);
        assert_int_equal(run_n_patches(s->mark->run), 1);
        s->comparing = true;
        OK(session_load(s, models[1 - m],
                        &err)); /* another model's numbers mean nothing here */
        assert_null(s->mark);
        assert_false(s->comparing);
        session_free(fresh);
        session_free(s);
    }
}

/* In one pass or in many, with patches or without, stepped or not: the same numbers. */
static void test_recomputed(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int patched = 0; patched < 2; patched++) {
            struct session *s = open_plain(models[m], TEXT);
            struct region edge = {{2, 5, 1}, {1, 1, 1}};
            OK(session_set(s, "chunk", "3", &err));
            OK(session_run(s, 0, NULL, &err));
            if (patched) {
                int scores = program_value(s->program, 1, "attn.scores");
                OK(session_ablate(s, PATCH_SET, scores, &edge, -INFINITY, &err));
                OK(steer_to_token(s, 2, 2, 11, &err));
                OK(session_run(s, 0, NULL, &err));
            }
            OK(mark_recompute(s, &err));
            assert_int_equal(run_n_past(s->mark->run), s->ids.n);
            assert_int_equal(run_n_patches(s->mark->run), patched * 2);
            assert_non_null(strstr(s->mark->label, "recomputed"));
            double worst = worst_of(s->run, s->mark->run);
            print_message("%s, cached against recomputed%s: largest difference %.2g\n",
                          models[m], patched ? ", patched" : "", worst);
            assert_true(worst < 1e-4);
            session_free(s);
        }
    struct session *s = open_computed(0, TEXT);
    OK(mark_take(s, "first", &err));
    interrupt_set();
    FAILS(mark_recompute(s, &err), "interrupted; the mark is as it was");
    interrupt_clear();
    assert_string_equal(s->mark->label, "first");
    session_free(s);
}

/* --- differences --- */

static void open_diff(struct diff *d, const struct session *s)
{
    OK(diff_open(d, s, &err));
}

/* Against values read one by one from two sessions. */
static void check_diff(const struct session *s, const struct run *mark, const char *what)
{
    struct diff d;
    double worst = 0;

    open_diff(&d, s);
    for (int value = 0; value < s->program->n_values; value++) {
        const struct value *v = &s->program->value[value];
        int shape[3], ready = diff_ready(&d, value);
        struct region r = {{0, 0, 0}, {1, 1, 1}};
        assert_int_equal(ready, d.n);
        run_shape(mark, value, shape);
        size_t n = 1;
        for (int i = 0; i < v->n_axis; i++) {
            bool grows = v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY;
            r.count[i] = grows ? d.n : shape[i];
            n *= (size_t) r.count[i];
        }
        float *got = xcalloc(n, sizeof *got), *a = xcalloc(n, sizeof *a),
              *b = xcalloc(n, sizeof *b);
        OK(diff_read(&d, value, &r, got, &err));
        OK(run_read(s->run, value, &r, a, &err));
        OK(run_read(mark, value, &r, b, &err));
        for (size_t i = 0; i < n; i++) {
            assert_false(isnan(got[i]));
            double want = a[i] == b[i] ? 0 : (double) a[i] - (double) b[i];
            if (isfinite(want))
                worst = fmax(worst, fabs((double) got[i] - want));
        }
        free(got);
        free(a);
        free(b);
    }
    print_message("%s: largest difference of the difference %.2g\n", what, worst);
    assert_true(worst < 1e-4);
}

static void check_heads(const struct session *s, const struct run *mark)
{
    struct diff d;
    int n_head = s->program->hp.n_head;

    open_diff(&d, s);
    for (int layer = 0; layer < s->program->hp.n_layer; layer++) {
        float *most = xcalloc((size_t) n_head, sizeof *most);
        int value = program_value(s->program, layer, "attn.pattern");
        for (int q = 0; q < d.n; q += 3)
            OK(diff_heads(&d, layer, q, d.n - q < 3 ? d.n - q : 3, most, &err));
        for (int h = 0; h < n_head; h++) {
            float want = 0, a, b;
            for (int q = 0; q < d.n; q++)
                for (int k = 0; k <= q; k++) {
                    struct region one = {{h, q, k}, {1, 1, 1}};
                    OK(run_read(s->run, value, &one, &a, &err));
                    OK(run_read(mark, value, &one, &b, &err));
                    want = fmaxf(want, fabsf(a - b));
                }
            assert_true(fabsf(want - most[h]) < 1e-5F);
        }
        free(most);
    }
}

static void check_lengths(const struct session *s, const struct run *mark)
{
    struct diff d;
    int width = s->program->hp.d_model;
    float *a = xcalloc((size_t) width * 2, sizeof *a), *b = a + width;

    open_diff(&d, s);
    for (int layer = 0; layer < s->program->hp.n_layer; layer++) {
        int value = program_value(s->program, layer, "resid_post");
        for (int pos = 0; pos < d.n; pos++) {
            struct region row = {{pos, 0, 0}, {1, width, 1}};
            struct diff_length got;
            double change = 0, own = 0;
            OK(run_read(s->run, value, &row, a, &err));
            OK(run_read(mark, value, &row, b, &err));
            for (int i = 0; i < width; i++) {
                change += pow((double) a[i] - (double) b[i], 2);
                own += pow((double) b[i], 2);
            }
            OK(diff_length(&d, value, pos, &got, &err));
            assert_true(fabs(got.change - sqrt(change)) < 1e-4 * (1 + sqrt(change)));
            assert_true(fabs(got.mark - sqrt(own)) < 1e-4 * (1 + sqrt(own)));
        }
    }
    free(a);
}

static void softmax(double *p, const float *x, int n)
{
    double most = -INFINITY, sum = 0;

    for (int i = 0; i < n; i++)
        most = fmax(most, (double) x[i]);
    for (int i = 0; i < n; i++)
        sum += p[i] = exp((double) x[i] - most);
    for (int i = 0; i < n; i++)
        p[i] /= sum;
}

static void check_list(const struct logit_change *list, int n, const double *now,
                       const double *mark, int n_vocab, int sign)
{
    double before = INFINITY, least = 0;
    int larger = 0;

    for (int i = 0; i < n; i++) {
        int id = list[i].id;
        assert_true(fabs(list[i].p_now - now[id]) < 1e-6);
        assert_true(fabs(list[i].p_mark - mark[id]) < 1e-6);
        least = sign * (list[i].p_now - list[i].p_mark);
        assert_true(least > 0 && least <= before);
        before = least;
    }
    for (int id = 0; id < n_vocab; id++)
        larger += sign * (now[id] - mark[id]) > least + 1e-7;
    assert_true(n < DIFF_TOKENS || larger < n);
}

static void check_logits(const struct session *s, const struct run *mark, const char *what)
{
    struct diff d;
    struct logit_diff got;
    int n = s->program->hp.n_vocab, value = program_find(s->program, "logits");
    float *x = xcalloc((size_t) n * 2, sizeof *x), *y = x + n;
    double *now = xcalloc((size_t) n * 2, sizeof *now), *was = now + n, kl = 0;

    open_diff(&d, s);
    struct region row = {{d.n - 1, 0, 0}, {1, n, 1}};
    OK(run_read(s->run, value, &row, x, &err));
    OK(run_read(mark, value, &row, y, &err));
    softmax(now, x, n);
    softmax(was, y, n);
    for (int i = 0; i < n; i++)
        kl += was[i] * log(was[i] / now[i]);
    OK(diff_logits(&d, d.n - 1, &got, &err));
    assert_int_equal(got.pos, d.n - 1);
    print_message("%s: KL %.6f, by hand %.6f\n", what, got.kl, kl);
    assert_true(fabs(got.kl - kl) < 1e-5);
    check_list(got.up, got.n_up, now, was, n, 1);
    check_list(got.down, got.n_down, now, was, n, -1);
    for (int i = 0; i < n; i++)
        assert_true(now[i] <= now[got.top_now] + 1e-9 && was[i] <= was[got.top_mark] + 1e-9);
    free(x);
    free(now);
}

static void check_all(const struct session *s, const struct run *mark, const char *what)
{
    check_diff(s, mark, what);
    check_heads(s, mark);
    check_lengths(s, mark);
    check_logits(s, mark, what);
}

/* Clean against ablated. */
static void test_diff_ablated(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT), *clean = open_computed(m, TEXT);
        struct region head = {{0, 1, 0}, {-1, 1, -1}};
        struct diff d;

        FAILS(diff_open(&d, s, &err),
              "nothing is marked; mark keeps the present run to compare with");
        OK(mark_take(s, NULL, &err));
        check_all(s, clean->run, "the same");
        struct logit_diff same;
        open_diff(&d, s);
        OK(diff_logits(&d, d.n - 1, &same, &err));
        assert_true(same.kl < 1e-9);
        OK(session_ablate(s, PATCH_ZERO, program_value(s->program, 0, "attn.z"), &head, 0,
                          &err));
        open_diff(&d, s); /* nothing computed: nothing to compare */
        assert_int_equal(diff_ready(&d, program_find(s->program, "logits")), 0);
        OK(session_run(s, 0, NULL, &err));
        check_all(s, clean->run, "a head zeroed");
        session_free(clean);
        session_free(s);
    }
}

/* Two prompts, of which one is longer. */
static void test_diff_prompts(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT), *a = open_computed(m, TEXT);
        struct diff d;

        OK(mark_take(s, NULL, &err));
        OK(give(s, OTHER " gave the", &err));
        OK(session_run(s, 0, NULL, &err));
        open_diff(&d, s);
        assert_int_equal(d.n, a->ids.n < s->ids.n ? a->ids.n : s->ids.n);
        assert_true(d.n_same < d.n && d.n_same > 4);
        assert_true(s->ids.id[d.n_same] != a->ids.id[d.n_same]);
        check_all(s, a->run, "two prompts");
        OK(give(s, "Tom", &err));
        OK(session_run(s, 0, NULL, &err));
        check_all(s, a->run, "one is its beginning");
        session_free(a);
        session_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_recomputed),
        cmocka_unit_test(test_diff_ablated),
        cmocka_unit_test(test_diff_prompts),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
