/* Neurons and what they promote, the cost of a pass, and the cache against computing again:
 * each against plain C from the model's weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "session/cost.h"
#include "session/neurons.h"
#include "session_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session *computed(const char *model)
{
    struct session *s = open_plain(model, TEXT);

    OK(session_run(s, 0, NULL, &err));
    return s;
}

static void read_row(struct neuron_row *row, const struct session *s, int layer, int pos)
{
    do
        OK(neuron_row_step(row, s, layer, pos, &err));
    while (!row->ready);
}

/* --- rows --- */

static double act_of(const struct hparams *hp, double x)
{
    if (hp->act == ACT_SILU)
        return x / (1 + exp(-x));
    if (hp->act == ACT_GELU_ERF)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static void test_row(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = computed(models[m]);
        const struct hparams *hp = &s->program->hp;
        struct neuron_row row = {0};
        double worst = 0;

        read_row(&row, s, 2, 5);
        assert_int_equal(row.n, hp->d_mlp);
        assert_int_equal(row.linear != NULL, hp->gated);
        int active = 0;
        for (int i = 0; i < row.n; i++) {
            double act = act_of(hp, (double) row.pre[i]);
            double post = hp->gated ? act * (double) row.linear[i] : act;
            worst = fmax(worst, fabs((double) row.act[i] - act));
            worst = fmax(worst, fabs((double) row.post[i] - post));
            worst = fmax(worst, fabs((double) neuron_act(hp, row.pre[i]) - act));
            active += row.pre[i] > 0;
            if (i > 0)
                assert_true(fabsf(row.post[row.order[i]]) <= fabsf(row.post[row.order[i - 1]]));
            assert_int_equal(neuron_row_rank(&row, row.order[i]), i);
        }
        print_message("%s: largest difference %.2g\n", models[m], worst);
        assert_true(worst < 1e-5);
        assert_int_equal(row.n_active, active);
        assert_int_equal(neuron_row_rank(&row, -1), 0);
        neuron_row_release(&row);
        session_free(s);
    }
}

static void test_row_changes(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct neuron_row row = {0};

    FAILS(neuron_row_step(&row, s, 0, 3, &err),
          "the MLP of layer 0 is not computed yet for position 3");
    OK(session_run(s, 0, NULL, &err));
    read_row(&row, s, 0, 3);
    float before = row.post[0];
    read_row(&row, s, 1, 3);
    assert_true(row.post[0] != before);
    OK(give(s, "Tim gave the red ball", &err));
    FAILS(neuron_row_step(&row, s, 1, 3, &err),
          "the MLP of layer 1 is not computed yet for position 3");
    assert_int_equal(row.n, 0);
    neuron_row_release(&row);
    session_free(s);
}

/* --- tokens --- */

/* Effects of a neuron in double, one weight at a time. */
static double *effects(const struct session *s, int layer, int neuron)
{
    const struct hparams *hp = &s->program->hp;
    const float *gain = model_vector(s->model, W_LN_FINAL_GAIN, -1);
    int d = hp->d_model;
    double *dir = xcalloc((size_t) d, sizeof *dir), mean = 0;
    double *effect = xcalloc((size_t) hp->n_vocab, sizeof *effect);
    float *row = xcalloc((size_t) hp->d_mlp, sizeof *row);
    float *head = xcalloc((size_t) d, sizeof *head);

    for (int i = 0; i < d; i++) {
        matrix_row(model_matrix(s->model, W_MLP_DOWN, layer), i, row);
        dir[i] = (double) row[neuron];
        mean += dir[i] / d;
    }
    for (int t = 0; t < hp->n_vocab; t++) {
        matrix_row(model_matrix(s->model, W_LM_HEAD, -1), t, head);
        for (int i = 0; i < d; i++)
            effect[t] += (double) head[i] * (double) gain[i] *
                         (dir[i] - (hp->norm == NORM_LAYER ? mean : 0));
    }
    free(dir);
    free(row);
    free(head);
    return effect;
}

/* The list holds the largest of sign * effect, in order. */
static double check_list(const struct neuron_token *list, const double *effect, int n,
                         double sign)
{
    double worst = 0;

    for (int k = 0; k < NEURON_TOKENS; k++) {
        int above = 0;
        assert_in_range(list[k].id, 0, n - 1);
        for (int t = 0; t < n; t++)
            above += sign * effect[t] > sign * effect[list[k].id] + 1e-5;
        assert_true(above <= k);
        for (int j = 0; j < k; j++)
            assert_int_not_equal(list[j].id, list[k].id);
        worst = fmax(worst, fabs((double) list[k].effect - effect[list[k].id]));
    }
    return worst;
}

static void test_tokens(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = computed(models[m]);
        struct neuron_tokens *t = neuron_tokens_new();
        int n = s->program->hp.n_vocab, asked[12];
        double worst = 0;

        assert_null(neuron_tokens_find(t, 1, 0));
        assert_false(neuron_tokens_step(t, s));
        for (int i = 0; i < 12; i++)
            asked[i] = i * 7;
        neuron_tokens_want(t, s, 1, asked, 12);
        while (neuron_tokens_step(t, s))
            ;
        for (int i = 0; i < 12; i++) {
            const struct neuron_effect *e = neuron_tokens_find(t, 1, asked[i]);
            double *effect = effects(s, 1, asked[i]);
            assert_non_null(e);
            worst = fmax(worst, check_list(e->up, effect, n, 1));
            worst = fmax(worst, check_list(e->down, effect, n, -1));
            free(effect);
        }
        print_message("%s: largest difference %.2g\n", models[m], worst);
        assert_true(worst < 1e-5);
        neuron_tokens_want(t, s, 1, asked, 12);
        assert_false(neuron_tokens_step(t, s)); /* known already */
        assert_null(neuron_tokens_find(t, 0, asked[0]));
        OK(session_load(s, models[1 - m], &err));
        neuron_tokens_want(t, s, 1, asked, 1); /* of the other model */
        assert_null(neuron_tokens_find(t, 1, asked[0]));
        neuron_tokens_free(t);
        session_free(s);
    }
}

/* What the final norm's bias adds to each logit; not touched by its scale. */
static double *bias_logits(const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    const float *bias = model_vector(s->model, W_LN_FINAL_BIAS, -1);
    double *out = xcalloc((size_t) hp->n_vocab, sizeof *out);
    float *head = xcalloc((size_t) hp->d_model, sizeof *head);

    for (int t = 0; bias && t < hp->n_vocab; t++) {
        matrix_row(model_matrix(s->model, W_LM_HEAD, -1), t, head);
        for (int i = 0; i < hp->d_model; i++)
            out[t] += (double) head[i] * (double) bias[i];
    }
    free(head);
    return out;
}

static double final_scale(const struct session *s)
{
    struct region last = {{s->ids.n - 1, 0, 0}, {1, 1, 1}};
    float scale = 0;

    OK(run_read(s->run, program_find(s->program, "ln_final.scale"), &last, &scale, &err));
    return (double) scale;
}

/* A neuron of the last layer made larger by 1: the logits, times the final norm's scale and
 * without its bias, change by the effect. */
static void test_effect(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = computed(models[m]);
        int layer = s->program->hp.n_layer - 1, pos = s->ids.n - 1;
        int value = program_value(s->program, layer, "mlp.post");
        struct neuron_row row = {0};

        read_row(&row, s, layer, pos);
        int neuron = row.order[0];
        struct region g = {{pos, neuron, 0}, {1, 1, 1}};
        double *effect = effects(s, layer, neuron), *bias = bias_logits(s), worst = 0;
        double scale = final_scale(s);
        float *before = logits_of(s);
        OK(session_ablate(s, PATCH_SET, value, &g, row.post[neuron] + 1, &err));
        OK(session_run(s, 0, NULL, &err));
        float *after = logits_of(s);
        for (int t = 0; t < s->program->hp.n_vocab; t++) {
            double change = ((double) after[t] - bias[t]) * final_scale(s) -
                            ((double) before[t] - bias[t]) * scale;
            worst = fmax(worst, fabs(change - effect[t]));
        }
        print_message("%s: largest difference %.2g\n", models[m], worst);
        assert_true(worst < 1e-4);
        free(before);
        free(after);
        free(effect);
        free(bias);
        neuron_row_release(&row);
        session_free(s);
    }
}

/* --- cost --- */

static double closed_form(const struct hparams *hp, int n_past, int n_new)
{
    double d = hp->d_model, q = (double) hp->n_head * hp->d_head, sum = 0;
    double kv = (double) hp->n_kv_head * hp->d_head;

    for (int p = n_past; p < n_past + n_new; p++)
        sum += hp->n_layer *
               (2 * d * q + 2 * d * kv + (hp->gated ? 3 : 2) * d * hp->d_mlp + 2 * q * (p + 1));
    return sum + d * hp->n_vocab;
}

static void test_cost(void **state)
{
    (void) state;
    static const int passes[][2] = {{0, 1}, {0, 13}, {12, 1}, {7, 5}, {1023, 1}};

    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], NULL);
        for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
            struct cost c = cost_of(s->program, passes[i][0], passes[i][1]);
            assert_true(c.total == closed_form(&s->program->hp, passes[i][0], passes[i][1]));
            assert_true(c.total == c.linear + c.attention + c.head);
        }
        session_free(s);
    }
}

/* --- the cache against computing again --- */

static bool verified(struct session *s, struct err *err)
{
    bool more = false;

    return session_verify_begin(s, err) && session_verify_step(s, 0, &more, err) && !more;
}

static void test_verify(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        int id;

        FAILS(verified(s, &err), "the cache is empty; run first");
        OK(session_generate(s, &id, &err) && session_run(s, 0, NULL, &err));
        assert_null(session_verified(s));
        OK(verified(s, &err));
        const struct verify *v = session_verified(s);
        assert_non_null(v);
        assert_int_equal(v->n_pos, s->ids.n);
        print_message("%s: K %.2g V %.2g logits %.2g\n", models[m], (double) v->k[v->k_layer],
                      (double) v->v[v->v_layer], (double) v->logits);
        assert_true(v->k[v->k_layer] < 1e-4F && v->v[v->v_layer] < 1e-4F && v->logits < 1e-4F);
        OK(session_generate(s, &id, &err) && session_run(s, 0, NULL, &err));
        assert_null(session_verified(s)); /* the tokens are others now */
        session_free(s);
    }
}

/* In slices, with changes in between, and never finished. */
static void test_verify_slices(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    bool more = true;
    int slices = 0, id;

    OK(session_run(s, 0, NULL, &err));
    OK(session_verify_begin(s, &err));
    for (; more; slices++) {
        assert_true(session_verifying(s));
        assert_null(session_verified(s));
        OK(session_verify_step(s, 1e-9, &more, &err));
    }
    assert_true(slices > s->program->hp.n_layer && !session_verifying(s));
    assert_true(session_verified(s)->logits < 1e-4F);
    OK(session_verify_begin(s, &err));
    OK(session_verify_step(s, 1e-9, &more, &err));
    OK(session_generate(s, &id, &err) && session_run(s, 0, NULL, &err));
    FAILS(session_verify_step(s, 1e-9, &more, &err),
          "the run has changed; verify begins again");
    assert_false(session_verifying(s));
    OK(session_verify_begin(s, &err));
    OK(session_load(s, "tiny-gpt2", &err)); /* what it computes with is gone */
    assert_false(session_verifying(s));
    OK(session_run(s, 0, NULL, &err) && session_verify_begin(s, &err));
    session_free(s);
}

static void write_zeros(const struct op_call *call, void *user)
{
    const int *width = user;

    for (int i = 0; i < call->rows * *width; i++)
        call->out[0][i] = 0;
}

/* A cache that is not what the tokens give is found out, and where. */
static void test_verify_differs(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct region g = {{3, 0, 0}, {1, -1, 1}};
    int value = program_value(s->program, 0, "mlp_out"), width = s->program->hp.d_model;

    OK(session_ablate(s, PATCH_SCALE, value, &g, 0.5F, &err)); /* known: done again, too */
    OK(session_run(s, 0, NULL, &err));
    OK(verified(s, &err));
    assert_true(session_verified(s)->logits < 1e-4F);
    session_restore(s, -1);
    run_replace(s->run, s->program->value[value].op, write_zeros, &width);
    OK(session_run(s, 0, NULL, &err));
    OK(verified(s, &err));
    const struct verify *v = session_verified(s);
    assert_true(v->k[0] < 1e-4F && v->v[0] < 1e-4F);
    assert_true(v->k[1] > 1e-2F && v->v[1] > 1e-2F && v->logits > 1e-3F);
    assert_true(v->k_layer > 0 && v->v_layer > 0);
    interrupt_set();
    FAILS(verified(s, &err), "interrupted at op 0 of 70; verify begins again");
    interrupt_clear();
    assert_null(session_verified(s));
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row),           cmocka_unit_test(test_row_changes),
        cmocka_unit_test(test_tokens),        cmocka_unit_test(test_effect),
        cmocka_unit_test(test_cost),          cmocka_unit_test(test_verify),
        cmocka_unit_test(test_verify_slices), cmocka_unit_test(test_verify_differs),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
