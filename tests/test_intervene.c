/* Interventions that a session remembers: means, numbers of the mark, steering. */
#include "session_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "session/diff.h"
#include "session/mark.h"
#include "session/steer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "Tom gave the red ball to Ben. Ben"

/* The mean over the positions there were takes each position's place. */
static void test_mean(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        struct region head = {{0, 1, 0}, {-1, 1, -1}};
        int z = program_value(s->program, 1, "attn.z"), d = s->program->hp.d_head;
        int n_head = s->program->hp.n_head, n = s->ids.n;
        size_t size;
        float *before = read_all(s->run, z, &size);

        OK(session_ablate(s, PATCH_MEAN, z, &head, 0, &err));
        for (int round = 0; round < 2; round++) {
            OK(session_run(s, 0, NULL, &err));
            float *after = read_all(s->run, z, &size);
            for (int c = 0; c < d; c++) {
                double mean = 0;
                for (int i = 0; i < n; i++)
                    mean += (double) before[(i * n_head + 1) * d + c] / n;
                for (int i = 0; i < n; i++)
                    assert_true(fabs((double) after[(i * n_head + 1) * d + c] - mean) < 1e-5);
            }
            free(after);
            OK(session_set(s, "chunk", "4", &err)); /* its data outlives the run */
        }
        session_restore(s, -1);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "mean taken back");
        free(before);
        session_free(s);
    }
}

/* A run whose residual stream after a layer is the mark's goes on as the mark does. */
static void test_patch_from_mark(void **state)
{
    (void) state;
    static const struct region all = {{0, 0, 0}, {-1, -1, -1}};
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        int value = program_value(s->program, 1, "resid_post");
        struct region far = {{99, 0, 0}, {1, -1, -1}};

        FAILS(session_patch_from_mark(s, value, &all, &err),
              "nothing is marked; mark keeps the present run to compare with");
        OK(mark_take(s, NULL, &err));
        float *want = logits_of(s);
        OK(give(s, "Ben lost the old hat in Rome. Rome", &err));
        OK(session_run(s, 0, NULL, &err));
        if (s->ids.n < run_n_past(s->mark->run))
            fail_msg("the other prompt is shorter");
        session_truncate(s, run_n_past(s->mark->run));
        OK(session_patch_from_mark(s, value, &all, &err));
        assert_string_equal(s->ablation[0].note, "from the mark");
        assert_int_equal(s->ablation[0].region.count[0], s->ids.n);
        assert_false(session_patch_from_mark(s, value, &far, &(struct err) ERR_INIT));
        OK(session_set(s, "chunk", "5", &err));
        OK(session_run(s, 0, NULL, &err));
        float *got = logits_of(s);
        double worst = 0;
        for (int i = 0; i < s->program->hp.n_vocab; i++)
            worst = fmax(worst, fabs((double) got[i] - (double) want[i]));
        print_message("%s, patched from the mark: largest difference %.2g\n", models[m], worst);
        assert_true(worst < 1e-4);
        free(want);
        free(got);
        session_free(s);
    }
}

/* What a layer's residual stream is now, less what it was, at each position. */
static void check_steered(struct session *s, int layer, const double *want)
{
    int value = program_value(s->program, layer, "resid_post"), d = s->program->hp.d_model;
    size_t n;
    float *before = read_all(s->mark->run, value, &n);
    OK(session_run(s, 0, NULL, &err));
    float *after = read_all(s->run, value, &n);
    double worst = 0, size = 0;

    for (size_t i = 0; i < n; i++) {
        double x = (double) after[i] - (double) before[i];
        worst = fmax(worst, fabs(x - want[i % (size_t) d]));
        size = fmax(size, fabs(x));
    }
    assert_true(worst < 1e-4 * (1 + size));
    free(before);
    free(after);
}

static void test_steer_token(void **state)
{
    (void) state;
    enum { ID = 300, LAYER = 1 };
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        int d = s->program->hp.d_model;
        int value = program_value(s->program, LAYER, "resid_post");
        float *u = xcalloc((size_t) d, sizeof *u);
        double *want = xcalloc((size_t) d, sizeof *want), own = 0, mean = 0;
        size_t n;

        FAILS(steer_to_token(s, LAYER, 1, ID, &err), "nothing is computed yet; run first");
        OK(session_run(s, 0, NULL, &err));
        OK(mark_take(s, NULL, &err));
        float *r = read_all(s->run, value, &n);
        for (size_t i = 0; i < n; i += (size_t) d) {
            double sum = 0;
            for (int j = 0; j < d; j++)
                sum += (double) r[i + (size_t) j] * (double) r[i + (size_t) j];
            mean += sqrt(sum) / s->ids.n;
        }
        matrix_row(model_matrix(s->model, W_LM_HEAD, -1), ID, u);
        for (int j = 0; j < d; j++)
            own += (double) u[j] * (double) u[j];
        for (int j = 0; j < d; j++)
            want[j] = -0.5 * mean * (double) u[j] / sqrt(own);
        OK(steer_to_token(s, LAYER, -0.5F, ID, &err));
        assert_non_null(strstr(s->ablation[0].note, "toward "));
        check_steered(s, LAYER, want);
        OK(session_set(s, "chunk", "3", &err));
        check_steered(s, LAYER, want);
        free(r);
        free(u);
        free(want);
        session_free(s);
    }
}

static void test_steer_mark(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int last = 0; last < 2; last++) {
            struct session *s = open_computed(m, OTHER), *a = open_computed(m, OTHER);
            int layer = last ? s->program->hp.n_layer - 1 : 0, d = s->program->hp.d_model;
            int value = program_value(s->program, layer, "resid_post"), pos = 1;
            double *want = xcalloc((size_t) d, sizeof *want);
            size_t n;

            FAILS(steer_to_mark(s, layer, 1, pos, &err),
                  "nothing is marked; mark keeps the present run to compare with");
            OK(mark_take(s, NULL, &err));
            FAILS(steer_to_mark(s, layer, 1, pos, &err),
                  "the mark is the same there: no direction to steer in");
            OK(give(s, TEXT, &err));
            OK(session_run(s, 0, NULL, &err));
            struct session *b = open_computed(m, TEXT);
            struct diff both;
            char note[32];
            OK(diff_open(&both, s, &err));
            pos = both.n_same; /* Anna, and not Ben */
            snprintf(note, sizeof note, "mark - now at %d", pos);
            float *x = read_all(a->run, value, &n), *y = read_all(b->run, value, &n);
            for (int j = 0; j < d; j++)
                want[j] = 2 * ((double) x[pos * d + j] - (double) y[pos * d + j]);
            OK(steer_to_mark(s, layer, 2, pos, &err));
            assert_string_equal(s->ablation[0].note, note);
            assert_false(steer_to_mark(s, layer, 2, 40, &(struct err) ERR_INIT));
            OK(session_run(s, 0, NULL, &err));
            mark_clear(s);
            float *after = read_all(s->run, value, &n);
            for (size_t i = 0; i < n; i++)
                assert_true(fabs((double) after[i] - (double) y[i] - want[i % (size_t) d]) <
                            1e-3);
            free(after);
            free(x);
            free(y);
            free(want);
            session_free(a);
            session_free(b);
            session_free(s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_patch_from_mark),
        cmocka_unit_test(test_steer_token),
        cmocka_unit_test(test_steer_mark),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
