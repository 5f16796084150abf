/* Other functions in the places of ops: against the oracle with the same function written out
 * plainly, and as a session remembers them. */
#include "base/mem.h"
#include "command/place.h"
#include "engine/function.h"
#include "plain_function.h"
#include "rig.h"
#include "session/lens.h"
#include "session/mark.h"
#include "session/worked.h"
#include "session_fixture.h"

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

enum { CTX = 16, LAYERS = 3, HEADS = 4, D_HEAD = 6 };

/* --- numbers, against the oracle --- */

struct form {
    bool llama, staged;
    int chunk;
};

static const struct form forms[] = {
    {false, true, 5}, {false, false, CTX}, {true, true, CTX}, {true, false, 5}};

static void make(struct rig *g, const struct form *f)
{
    struct hparams hp;
    if (f->llama)
        rig_llama(&hp, LAYERS, HEADS, 2, D_HEAD);
    else
        rig_gpt2(&hp, LAYERS, HEADS, D_HEAD);
    rig_make(g, &hp, DTYPE_F32, &(struct run_options){.chunk = f->chunk, .staged = f->staged});
}

static const struct {
    const char *op;
    int layer;
    const char *name;
    double number;
} cases[] = {
    // clang-format off
    {"mask", -1, "none", 0}, {"mask", 1, "none", 0}, {"mask", -1, "window", 3},
    {"mask", 0, "window", 1},
    {"scale", -1, "none", 0}, {"scale", 2, "by", D_HEAD}, {"scale", 1, "zero", 0},
    {"softmax", -1, "uniform", 0}, {"softmax", 1, "hardmax", 0},
    {"softmax", -1, "no-max-subtraction", 0}, {"softmax", 2, "sigmoid", 0},
    {"gelu", -1, "erf", 0}, {"gelu", 1, "relu", 0}, {"gelu", 1, "silu", 0},
    {"gelu", 0, "identity", 0}, {"gelu", 0, "zero", 0},
    {"silu", -1, "tanh", 0}, {"silu", 1, "erf", 0}, {"silu", 1, "relu", 0},
    {"silu", 2, "identity", 0}, {"gate * up", 1, "identity", 0},
    {"ln1", -1, "identity", 0}, {"ln2", 1, "no-centering", 0}, {"ln1", 1, "eps", 0.5},
    {"ln_final", -1, "identity", 0}, {"ln_final", -1, "eps", 2}, {"ln_final", -1, "no-centering", 0},
    {"rope", -1, "none", 0}, {"rope q", 1, "base", 50}, {"rope k", -1, "base", 1000},
    {"q", 1, "no-bias", 0}, {"mlp up", -1, "no-bias", 0}, {"out proj", 1, "no-bias", 0},
    {"mlp down", 0, "no-bias", 0}, {"out proj", 1, "identity", 0}, {"out proj", -1, "zero", 0},
    {"q", 0, "identity", 0}, {"resid_post", 1, "identity", 0}, {"mix", 1, "zero", 0},
    {"pos embed", -1, "zero", 0},
    // clang-format on
};

/* The row of this name that fits an op that is meant; NULL: this model has no such op. */
static const struct function *row_of(const struct program *p, int layer, const char *op,
                                     const char *name)
{
    for (int i = 0; i < p->n_steps; i++)
        for (const struct function *f = function_table; f->name; f++)
            if (function_reaches(p, i, layer, op) && !strcmp(f->name, name) &&
                function_fits(f, p, i))
                return f;
    return NULL;
}

static bool replaced_as_oracle(struct rig *g, const struct form *form, int i,
                               const int32_t *ids, struct worst *w)
{
    const struct function *f = row_of(g->program, cases[i].layer, cases[i].op, cases[i].name);
    struct plain_function plain = {.op = cases[i].op,
                                   .layer = cases[i].layer,
                                   .name = cases[i].name,
                                   .number = cases[i].number,
                                   .model = g->model,
                                   .chunk = form->chunk};
    struct err err = ERR_INIT;
    struct ref ref = {0};

    if (!f)
        return false;
    if (!strcmp(cases[i].name, "no-bias") && form->llama) {
        assert_int_equal(run_put(g->run, cases[i].layer, cases[i].op, f, 0, &err), -1);
        return false; /* none of its products has one */
    }
    int id = run_put(g->run, cases[i].layer, cases[i].op, f, cases[i].number, &err);
    if (id < 0)
        fail_msg("%s %s: %s", cases[i].op, cases[i].name, err.text);
    assert_int_equal(run_n_past(g->run), 0);
    rig_feed(g->run, ids, CTX);
    ref_forward(&ref, g->model, ids, CTX, plain_function, &plain);
    assert_true(plain.calls > 0);
    rig_compare(g->run, &ref, w);
    run_unpatch(g->run, id);
    assert_int_equal(run_n_past(g->run), 0);
    ref_release(&ref);
    return true;
}

static void test_numbers(void **state)
{
    (void) state;
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct ref ref = {0};
        struct worst own = {.n = 0};
        int32_t ids[CTX];
        double most = 0;
        int done = 0;
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 41);
        for (int i = 0; i < N(cases); i++) {
            struct worst w = {.n = 0};
            if (!replaced_as_oracle(&g, &forms[f], i, ids, &w))
                continue;
            done++;
            most = fmax(most, worst_of_all(&w));
            if (worst_of_all(&w) > TOLERANCE || w.n == 0) {
                worst_report(&w, cases[i].name, TOLERANCE, false);
                fail_msg("%s %s", cases[i].op, cases[i].name);
            }
        }
        rig_feed(g.run, ids, CTX); /* all are taken back */
        ref_forward(&ref, g.model, ids, CTX, NULL, NULL);
        rig_compare(g.run, &ref, &own);
        assert_true(worst_report(&own, "taken back", TOLERANCE, false));
        ref_release(&ref);
        print_message("%s, chunk %d: %d functions, largest difference %.2g\n",
                      forms[f].llama ? "llama" : "gpt2", forms[f].chunk, done, most);
        assert_true(done >= 20);
        rig_close(&g);
    }
}

/* Every row of the table is among the cases. */
static void test_all_are_tried(void **state)
{
    (void) state;
    for (const struct function *f = function_table; f->name; f++) {
        bool found = false;
        for (int i = 0; i < N(cases); i++)
            found = found || !strcmp(cases[i].name, f->name);
        if (!found)
            fail_msg("%s is not tried", f->name);
        assert_true(*f->formula && *f->help && f->codes);
    }
}

/* Part of a value is what the whole has there, and stepping gives what running does. */
static void test_parts(void **state)
{
    (void) state;
    static const char *const names[] = {"attn.scores", "attn.pattern", "attn.z", "resid_mid"};
    for (int f = 0; f < N(forms); f++) {
        struct rig g;
        struct err err = ERR_INIT;
        int32_t ids[CTX];
        make(&g, &forms[f]);
        rig_ids(ids, CTX, 61, 42);
        assert_true(
            run_put(g.run, -1, "mask", row_of(g.program, -1, "mask", "none"), 0, &err) >= 0);
        for (int at = 0; at < CTX; at += forms[f].chunk) {
            int n = CTX - at < forms[f].chunk ? CTX - at : forms[f].chunk;
            assert_true(run_begin(g.run, ids + at, n, &err));
            while (run_step(g.run))
                if (run_pc(g.run) % 7 == 0)
                    run_rewind(g.run, run_pc(g.run) - 3), run_until(g.run, run_pc(g.run) + 3);
            run_commit(g.run);
        }
        for (int i = 0; i < N(names); i++) {
            int value = program_value(g.program, 1, names[i]), shape[3];
            size_t n;
            float *all = rig_read_value(g.run, value, &n);
            run_shape(g.run, value, shape);
            for (size_t k = 0; k < n; k += 5) {
                int c = (int) (k % (size_t) shape[2]), b = (int) (k / (size_t) shape[2]);
                struct region one = {{b / shape[1], b % shape[1], c}, {1, 1, 1}};
                float x;
                assert_true(run_read(g.run, value, &one, &x, &err));
                assert_true(worst_diff(x, (double) all[k]) < 1e-5);
            }
            free(all);
        }
        rig_close(&g);
    }
}

/* --- a session's --- */

static int put(struct session *s, int layer, const char *op, const char *name, double number)
{
    OK(session_put(s, layer, op, row_of(s->program, layer, op, name), number, &err));
    return s->n_ablations;
}

static double away(const float *a, const float *b, int n)
{
    double most = 0;

    for (int i = 0; i < n; i++)
        most = fmax(most, fabs((double) a[i] - (double) b[i]));
    return most;
}

/* Kept across remade runs, by the mark, by verify; taken back by clear. */
static void test_remembered(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        int n = s->program->hp.n_vocab;
        bool more;
        float *plain = logits_of(s);

        put(s, -1, "softmax", "uniform", 0);
        assert_int_equal(session_pending(s), s->ids.n);
        put(s, 1, "mask", "window", 2);
        assert_int_equal(put(s, -1, "softmax", "hardmax", 0), 2); /* in the first's place */
        assert_string_equal(run_patch_text(s->run, 0, NULL), "replace L1.mask: window 2");
        assert_string_equal(run_patch_text(s->run, 1, NULL), "replace softmax: hardmax");
        OK(session_run(s, 0, NULL, &err));
        float *changed = logits_of(s);
        assert_true(away(plain, changed, n) > 0.1);
        OK(mark_take(s, NULL, &err));
        OK(session_set(s, "chunk", "3", &err));
        OK(session_set(s, "ctx", "32", &err));
        OK(session_run(s, 0, NULL, &err));
        float *again = logits_of(s);
        double diff = away(changed, again, n);
        OK(session_verify_begin(s, &err));
        OK(session_verify_step(s, 0, &more, &err));
        assert_true(session_verified(s)->logits < 1e-4);
        OK(mark_recompute(s, &err));
        diff = fmax(diff, away(s->mark->logits, again, n));
        session_restore(s, 1);
        session_restore(s, 0);
        assert_int_equal(s->n_ablations, 0);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "taken back");
        int value = program_value(s->program, 2, "attn.pattern");
        struct region row = {{0, 5, 0}, {1, 1, 6}};
        float w[6];
        OK(run_read(s->mark->run, value, &row, w, &err)); /* the mark's is still replaced */
        for (int j = 0; j < 6; j++)
            assert_true(w[j] <= 0 || w[j] >= 1);
        print_message("%s: largest difference in a remade run %.2g\n", models[m], diff);
        assert_true(diff < 1e-4);
        free(plain);
        free(changed);
        free(again);
        session_free(s);
    }
}

/* Without the mask what a pass saw stays, and falls with what it has seen. */
static void test_no_mask(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        int n = s->program->hp.n_vocab, pattern = program_value(s->program, 1, "attn.pattern");
        struct region early = {{0, 2, 0}, {1, 1, s->ids.n}};
        float w[64], sum = 0;

        float *causal = logits_of(s);
        put(s, -1, "mask", "none", 0);
        OK(session_run(s, 0, NULL, &err));
        float *all = logits_of(s);
        assert_true(away(causal, all, n) > 0.01);
        OK(run_read(s->run, pattern, &early, w, &err));
        for (int j = 0; j < s->ids.n; j++)
            sum += w[j];
        assert_true(fabsf(sum - 1) < 1e-5F && w[s->ids.n - 1] > 0);
        OK(session_append(s, 300, &err)); /* the others have not seen it */
        OK(session_run(s, 0, NULL, &err));
        early.count[2] = s->ids.n;
        OK(run_read(s->run, pattern, &early, w, &err));
        assert_true(w[s->ids.n - 1] == 0);
        session_truncate(s, s->ids.n - 1);
        assert_int_equal(run_n_past(s->run), s->ids.n);
        session_truncate(s, 4); /* into a pass: all of it falls */
        assert_int_equal(run_n_past(s->run), 0);
        OK(give(s, TEXT, &err));
        OK(session_run(s, 0, NULL, &err));
        float *again = logits_of(s);
        assert_true(away(all, again, n) < 1e-5);
        OK(session_set(s, "chunk", "1", &err)); /* token by token there is nothing ahead */
        OK(session_run(s, 0, NULL, &err));
        float *single = logits_of(s);
        assert_true(away(causal, single, n) < 1e-4);
        bool more;
        OK(session_verify_begin(s, &err)); /* and the cache is not what one pass makes */
        OK(session_verify_step(s, 0, &more, &err));
        assert_true(session_verified(s)->logits > 0.01F);
        free(causal);
        free(all);
        free(again);
        free(single);
        session_free(s);
    }
}

/* No working of a replaced op is shown, and the others' are right. */
static void test_explained(void **state)
{
    (void) state;
    static const int cells[][3] = {{1, 4, 2}, {2, 3, 3}, {0, 2, 5}, {3, 1, 0}};
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        int replaced = 0, worked = 0;
        for (int i = 0; i < N(cases); i++) {
            if (!row_of(s->program, cases[i].layer, cases[i].op, cases[i].name) ||
                (m == 1 && !strcmp(cases[i].name, "no-bias")))
                continue;
            put(s, cases[i].layer, cases[i].op, cases[i].name, cases[i].number);
            OK(session_run(s, 0, NULL, &err));
            for (int v = 0; v < s->program->n_values; v++)
                for (int c = 0; c < N(cells); c++) {
                    struct err err = ERR_INIT;
                    struct worked w;
                    int shape[3], cell[3], axes = run_shape(s->run, v, shape);
                    for (int k = 0; k < 3; k++)
                        cell[k] = k < axes ? cells[c][k] % shape[k] : 0;
                    if (!worked_cell(s, v, cell, &w, &err))
                        fail_msg("%s: %s", s->program->value[v].name, err.text);
                    if (w.differs)
                        fail_msg("%s %s: %s[%d,%d,%d] is %g and not %g", cases[i].op,
                                 cases[i].name, s->program->value[v].name, cell[0], cell[1],
                                 cell[2], w.actual, w.result);
                    assert_true(!w.replaced || w.n_tables == 0);
                    replaced += w.replaced;
                    worked += !w.replaced;
                    worked_release(&w);
                }
            session_restore(s, -1);
        }
        print_message("%s: %d cells of replaced ops, %d others\n", models[m], replaced, worked);
        assert_true(replaced > 200 && worked > 2000);
        session_free(s);
    }
}

/* The lens reads the stream through what stands in the final norm's place. */
static void test_lens(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct lens *l = lens_new();
        struct lens_cell at_end, final;
        struct err wrong = ERR_INIT;

        put(s, -1, "ln_final", "eps", 3);
        OK(session_run(s, 0, NULL, &err));
        lens_look(l, s);
        while (lens_work(l, s->ids.n - 1, 1, true, &wrong))
            ;
        assert_true(lens_cell(l, lens_n_points(l) - 1, s->ids.n - 1, &at_end));
        assert_true(lens_final(l, s->ids.n - 1, &final));
        float *x = logits_of(s);
        int best = 0;
        double sum = 0;
        for (int i = 0; i < s->program->hp.n_vocab; i++)
            best = x[i] > x[best] ? i : best;
        for (int i = 0; i < s->program->hp.n_vocab; i++)
            sum += exp((double) x[i] - (double) x[best]);
        assert_int_equal(at_end.top[0].id, best);
        assert_true(fabs((double) at_end.top[0].prob - 1 / sum) < 1e-5);
        assert_true(fabs((double) final.top[0].prob - 1 / sum) < 1e-5);
        free(x);
        lens_free(l);
        session_free(s);
    }
}

static void test_refused(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    const struct function *uniform = function_find("uniform"), *zero = function_find("zero");

    FAILS(session_put(s, -1, "rope", zero, 0, &err),
          "there is no op 'rope' that could be replaced");
    FAILS(session_put(s, -1, "logits", zero, 0, &err),
          "there is no op 'logits' that could be replaced");
    FAILS(session_put(s, 1, "mask", uniform, 0, &err), "uniform does not fit L1.mask");
    assert_int_equal(s->n_ablations, 0);
    assert_null(function_find("unifrom"));
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_all_are_tried),
        cmocka_unit_test(test_parts),   cmocka_unit_test(test_remembered),
        cmocka_unit_test(test_no_mask), cmocka_unit_test(test_explained),
        cmocka_unit_test(test_lens),    cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
