/* Attribution of logits against plain C in double: every part from the values that the run
 * gives and the model's weights, with the mean taken away and the norm applied part by part;
 * and what patches of every place do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "rig.h"
#include "session/attribution.h"
#include "session_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE 1e-4

static double largest; /* difference, by the size of what is compared */

static void near(double got, double want, const char *what)
{
    double diff = fabs(got - want) / fmax(1, fabs(want));

    if (!(diff <= CLOSE))
        fail_msg("%s: %.7g and not %.7g", what, got, want);
    largest = fmax(largest, diff);
}

/* --- plain C --- */

/* One position of a value, as doubles; yours. */
static double *read_row(const struct session *s, const char *name, int pos, size_t *n)
{
    int value = program_find(s->program, name);
    const struct value *v = &s->program->value[value];
    struct region g = {{pos, 0, 0}, {1, 1, 1}};

    *n = program_width(s->program, value);
    for (int i = 1; i < v->n_axis; i++)
        g.count[i] = program_axis(s->program, v->axis[i], 1);
    float *x = xcalloc(*n, sizeof *x);
    double *y = xcalloc(*n, sizeof *y);
    OK(run_read(s->run, value, &g, x, &err));
    for (size_t i = 0; i < *n; i++)
        y[i] = (double) x[i];
    free(x);
    return y;
}

static double *read_layer(const struct session *s, int layer, const char *suffix, int pos,
                          size_t *n)
{
    char name[64];

    snprintf(name, sizeof name, "blocks.%d.%s", layer, suffix);
    return read_row(s, name, pos, n);
}

struct plain {
    const struct session *s;
    int d;
    double scale, *u;
};

static void plain_init(struct plain *p, const struct session *s, int pos, int token,
                       int against)
{
    const struct hparams *hp = &s->program->hp;
    const struct matrix *w = model_matrix(s->model, W_LM_HEAD, -1);
    double mean = 0, squares = 0;
    size_t n;

    *p = (struct plain){s, hp->d_model, 0, xcalloc((size_t) hp->d_model, sizeof(double))};
    float *row = xcalloc((size_t) p->d, sizeof *row);
    double *x = read_layer(s, hp->n_layer - 1, "resid_post", pos, &n);
    for (int i = 0; hp->norm == NORM_LAYER && i < p->d; i++)
        mean += x[i] / p->d;
    for (int i = 0; i < p->d; i++)
        squares += (x[i] - mean) * (x[i] - mean) / p->d;
    p->scale = sqrt(squares + (double) hp->norm_eps);
    for (int k = 0; k < (against < 0 ? 1 : 2); k++) {
        matrix_row(w, k ? against : token, row);
        for (int i = 0; i < p->d; i++)
            p->u[i] += (k ? -1 : 1) * (double) row[i];
    }
    free(row);
    free(x);
}

/* A part through the norm, its mean taken away first, times the unembedding. */
static double see(const struct plain *p, const double *c)
{
    const float *gain = model_vector(p->s->model, W_LN_FINAL_GAIN, -1);
    double mean = 0, sum = 0;

    for (int i = 0; p->s->program->hp.norm == NORM_LAYER && i < p->d; i++)
        mean += c[i] / p->d;
    for (int i = 0; i < p->d; i++)
        sum += (c[i] - mean) / p->scale * (double) gain[i] * p->u[i];
    return sum;
}

static double see_vector(const struct plain *p, const float *x, bool normed)
{
    double *c = xcalloc((size_t) p->d, sizeof *c), sum = 0;

    for (int i = 0; i < p->d; i++) {
        c[i] = (double) x[i];
        sum += c[i] * p->u[i];
    }
    if (normed)
        sum = see(p, c);
    free(c);
    return sum;
}

/* z of one head times its columns of the output matrix. */
static double see_head(const struct plain *p, int layer, int head, int pos)
{
    const struct hparams *hp = &p->s->program->hp;
    const struct matrix *w = model_matrix(p->s->model, W_O, layer);
    size_t n;
    double *z = read_layer(p->s, layer, "attn.z", pos, &n);
    double *c = xcalloc((size_t) p->d, sizeof *c);
    float *row = xcalloc((size_t) w->n_in, sizeof *row);

    for (int o = 0; o < p->d; o++) {
        matrix_row(w, o, row);
        for (int i = head * hp->d_head; i < (head + 1) * hp->d_head; i++)
            c[o] += z[i] * (double) row[i];
    }
    double sum = see(p, c);
    free(row);
    free(c);
    free(z);
    return sum;
}

static double see_value(const struct plain *p, int layer, const char *name, int pos)
{
    size_t n;
    double *c =
        layer < 0 ? read_row(p->s, name, pos, &n) : read_layer(p->s, layer, name, pos, &n);
    double sum = see(p, c);

    free(c);
    return sum;
}

static double plain_part(const struct plain *p, const struct attribution_part *part, int pos)
{
    switch (part->kind) {
    case FROM_EMBED:
        return see_value(p, -1, "embed", pos);
    case FROM_POS_EMBED:
        return see_value(p, -1, "pos_embed", pos);
    case FROM_HEAD:
        return see_head(p, part->layer, part->head, pos);
    case FROM_ATTN_BIAS:
        return see_vector(p, model_vector(p->s->model, W_O_BIAS, part->layer), true);
    case FROM_MLP:
        return see_value(p, part->layer, "mlp_out", pos);
    case FROM_NORM_BIAS:
        return see_vector(p, model_vector(p->s->model, W_LN_FINAL_BIAS, -1), false);
    default:
        return NAN;
    }
}

static double logit(const struct session *s, int pos, int token)
{
    float x;
    struct region g = {{pos, token, 0}, {1, 1, 1}};

    OK(run_read(s->run, program_find(s->program, "logits"), &g, &x, &err));
    return (double) x;
}

/* Every part but those of patches; which parts there are. */
static void check(const struct session *s, int pos, int token, int against, const char *what)
{
    const struct hparams *hp = &s->program->hp;
    bool gpt2 = hp->arch == ARCH_GPT2;
    struct attribution a;
    struct plain p;
    double sum = 0, actual = logit(s, pos, token) - (against < 0 ? 0 : logit(s, pos, against));
    int n = 0;

    OK(attribution_of(&a, s, pos, token, against, &err));
    plain_init(&p, s, pos, token, against);
    for (int i = 0; i < a.n; i++) {
        sum += a.part[i].amount;
        if (a.part[i].kind == FROM_PATCH)
            continue;
        near(a.part[i].amount, plain_part(&p, &a.part[i], pos), what);
        n++;
    }
    assert_int_equal(n, 1 + hp->n_layer * (hp->n_head + 1) + (gpt2 ? 2 + hp->n_layer : 0));
    near(a.sum, sum, what);
    near(a.sum, actual, what);
    near(a.scale, p.scale, what);
    assert_true(a.actual == actual);
    free(p.u);
    attribution_release(&a);
}

static void plain_c(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        largest = 0;
        for (int pos = 0; pos < s->ids.n; pos++) {
            check(s, pos, s->ids.id[pos], -1, models[m]);
            check(s, pos, 17 * pos, 2047 - pos, models[m]);
        }
        printf("%s: %d positions, largest difference %.2g (at most %.0e)\n", models[m],
               s->ids.n, largest, CLOSE);
        session_free(s);
    }
}

/* --- patches --- */

static const struct region all = {{0, 0, 0}, {-1, -1, -1}};

static int value_of(const struct session *s, const char *name)
{
    int value = program_find(s->program, name);

    if (value < 0)
        fail_msg("no value %s", name);
    return value;
}

static void patch(struct session *s, enum patch_kind kind, const char *name, float factor)
{
    OK(session_ablate(s, kind, value_of(s, name), &all, factor, &err));
    OK(session_run(s, 0, NULL, &err));
}

/* The one patch of an attribution, its sum with all others. */
static double patch_amount(const struct attribution *a, int patches)
{
    int n = 0;

    for (int i = 0; i < a->n; i++)
        n += a->part[i].kind == FROM_PATCH;
    assert_int_equal(n, patches);
    return attribution_sum(a, FROM_PATCH, -1, -1);
}

/* The sum of the parts before the first patch. */
static double before_patch(const struct attribution *a)
{
    double sum = 0;

    for (int i = 0; i < a->n && a->part[i].kind != FROM_PATCH; i++)
        sum += a->part[i].amount;
    return sum;
}

static struct session *patched(int m, enum patch_kind kind, const char *name, float factor,
                               struct attribution *a)
{
    struct session *s = open_computed(m, TEXT);

    patch(s, kind, name, factor);
    check(s, 6, 42, -1, name);
    check(s, 9, 42, 43, name);
    OK(attribution_of(a, s, 9, 42, -1, &err));
    return s;
}

/* What is patched before the stream shows in the parts; what is patched in the stream is a part
 * of a known size. */
static void patches(void **state)
{
    (void) state;
    struct attribution a;

    largest = 0;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = patched(m, PATCH_ZERO, "blocks.1.mlp_out", 0, &a);
        near(patch_amount(&a, 0), 0, "mlp");
        near(attribution_sum(&a, FROM_MLP, 1, -1), 0, "mlp");
        attribution_release(&a);
        session_free(s);

        s = patched(m, PATCH_SCALE, "blocks.2.attn_out", 0.25F, &a);
        double attn =
            attribution_sum(&a, FROM_HEAD, 2, -1) + attribution_sum(&a, FROM_ATTN_BIAS, 2, -1);
        near(patch_amount(&a, 1), -0.75 * attn, "attn_out");
        attribution_release(&a);
        session_free(s);

        s = patched(m, PATCH_SCALE, "blocks.1.resid_mid", 3, &a);
        near(patch_amount(&a, 1), 2 * before_patch(&a), "resid_mid");
        attribution_release(&a);
        session_free(s);

        s = patched(m, PATCH_SCALE, "blocks.2.resid_post", 0.5F, &a);
        near(patch_amount(&a, 1), -0.5 * before_patch(&a), "resid_post");
        attribution_release(&a);
        session_free(s);

        s = patched(m, PATCH_SCALE, "ln_final.out", 0.5F, &a);
        near(patch_amount(&a, 1), -0.5 * before_patch(&a), "ln_final.out");
        attribution_release(&a);
        session_free(s);

        s = patched(m, PATCH_ADD, "logits", 3, &a);
        near(patch_amount(&a, 1), 3, "logits");
        attribution_release(&a);
        session_free(s);
    }
    printf("largest difference %.2g (at most %.0e)\n", largest, CLOSE);
}

/* A patch of other positions is none here. */
static void elsewhere(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    struct region one = {{4, 0, 0}, {1, -1, -1}};
    struct attribution a;

    OK(session_ablate(s, PATCH_ZERO, value_of(s, "blocks.0.resid_mid"), &one, 0, &err));
    OK(session_run(s, 0, NULL, &err));
    OK(attribution_of(&a, s, 9, 42, -1, &err));
    near(patch_amount(&a, 0), 0, "none here");
    attribution_release(&a);
    OK(attribution_of(&a, s, 4, 42, -1, &err));
    near(patch_amount(&a, 1), -before_patch(&a), "here");
    struct str name = STR_INIT;
    for (int i = 0; i < a.n; i++)
        if (a.part[i].kind == FROM_PATCH)
            attribution_name(s, &a.part[i], &name);
    assert_string_equal(name.text, "patch of L0 resid_mid");
    str_release(&name);
    attribution_release(&a);
    check(s, 4, 7, 8, "here");
    session_free(s);
}

/* Heads, edges, embeddings and positions that are changed: all in the parts. */
static void before_stream(void **state)
{
    (void) state;
    static const struct {
        enum patch_kind kind;
        const char *name;
        float factor;
    } cases[] = {
        {PATCH_ZERO, "embed", 0},
        {PATCH_SCALE, "blocks.1.attn.q", 2},
        {PATCH_SCALE, "blocks.1.attn.pattern", 0.5F},
        {PATCH_ADD, "blocks.2.attn.scores", 0.5F},
        {PATCH_SCALE, "blocks.3.attn.z", -1},
        {PATCH_MEAN, "blocks.0.attn.z", 0},
        {PATCH_MEAN, "blocks.3.mlp_out", 0},
        {PATCH_ADD, "blocks.2.ln2.out", 0.1F},
    };
    struct region head = {{0, 1, 0}, {-1, 1, -1}};

    largest = 0;
    for (int m = 0; m < N_MODELS; m++) {
        struct attribution a;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct session *s = patched(m, cases[i].kind, cases[i].name, cases[i].factor, &a);
            patch_amount(&a, 0);
            attribution_release(&a);
            session_free(s);
        }
        struct session *s = open_computed(m, TEXT);
        OK(session_ablate(s, PATCH_ZERO, value_of(s, "blocks.2.attn.z"), &head, 0, &err));
        OK(session_run(s, 0, NULL, &err));
        check(s, 9, 42, -1, "one head");
        OK(attribution_of(&a, s, 9, 42, -1, &err));
        assert_true(attribution_sum(&a, FROM_HEAD, 2, 1) == 0);
        assert_true(attribution_sum(&a, FROM_HEAD, 2, 2) != 0);
        attribution_release(&a);
        session_free(s);
    }
    printf("largest difference %.2g (at most %.0e)\n", largest, CLOSE);
}

static void halve(const struct op_call *call, void *user)
{
    const struct hparams *hp = &run_program(call->run)->hp;

    (void) user;
    for (size_t i = 0; i < (size_t) call->rows * (size_t) hp->d_model; i++)
        call->out[0][i] = 0.5F * (call->in[0][i] + call->in[1][i]);
}

/* An op that does something else is a change, too. */
static void replaced(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct attribution a;
        run_replace(s->run, s->program->value[value_of(s, "blocks.1.resid_post")].op, halve,
                    NULL);
        OK(session_run(s, 0, NULL, &err));
        check(s, 8, 42, 41, "replaced");
        OK(attribution_of(&a, s, 8, 42, -1, &err));
        near(patch_amount(&a, 1), -0.5 * before_patch(&a), "replaced");
        attribution_release(&a);
        session_free(s);
    }
}

/* --- other shapes --- */

static void check_made(const struct hparams *hp, enum dtype dtype, const char *what)
{
    enum { N = 9 };
    struct rig g;
    int32_t ids[N];

    rig_make(&g, hp, dtype, &(struct run_options){.staged = true});
    rig_ids(ids, N, hp->n_vocab, 3);
    rig_feed(g.run, ids, N);
    struct session s = {
        .model = g.model, .program = g.program, .run = g.run, .compute = g.compute};
    s.ids = (struct ids){.id = ids, .n = N};
    largest = 0;
    for (int pos = 0; pos < N; pos++) {
        struct attribution a;
        OK(attribution_of(&a, &s, pos, 5, pos, &err));
        near(a.sum, logit(&s, pos, 5) - logit(&s, pos, pos), what);
        attribution_release(&a);
        for (int token = 0; token < hp->n_vocab; token += 20)
            check(&s, pos, token, -1, what);
    }
    printf("%s: largest difference %.2g (at most %.0e)\n", what, largest, CLOSE);
    rig_close(&g);
}

static void other_shapes(void **state)
{
    (void) state;
    struct hparams hp;

    rig_gpt2(&hp, 2, 5, 8);
    hp.tied = false;
    check_made(&hp, DTYPE_F32, "untied head, 5 heads");
    rig_gpt2(&hp, 2, 2, 32);
    check_made(&hp, DTYPE_Q8_0, "Q8_0");
    rig_llama(&hp, 3, 6, 2, 8);
    hp.tied = false;
    check_made(&hp, DTYPE_BF16, "6 heads on 2 kv heads, untied, BF16");
    rig_llama(&hp, 1, 4, 4, 16);
    check_made(&hp, DTYPE_F16, "one layer, F16");
}

/* --- what fails --- */

static void fails(void **state)
{
    (void) state;
    struct session *s = open_plain(models[0], "");
    struct attribution a;

    FAILS(attribution_of(&a, s, 0, 1, -1, &err),
          "there are no tokens yet; give a prompt first");
    OK(session_prompt(s, TEXT, strlen(TEXT), &err));
    FAILS(attribution_of(&a, s, 0, 1, -1, &err), "nothing is computed yet; run first");
    OK(session_run(s, 0, NULL, &err));
    OK(session_append(s, 5, &err));
    FAILS(attribution_of(&a, s, 10, 1, -1, &err),
          "logits is not computed at position 10 yet; run first");
    interrupt_set();
    FAILS(attribution_of(&a, s, 9, 1, -1, &err), "interrupted at layer 0");
    interrupt_clear();
    check(s, 9, 1, 2, "after the interrupt");
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_c),   cmocka_unit_test(patches),
        cmocka_unit_test(elsewhere), cmocka_unit_test(before_stream),
        cmocka_unit_test(replaced),  cmocka_unit_test(other_shapes),
        cmocka_unit_test(fails),
    };

    return cmocka_run_group_tests_name("attribution", tests, session_setup, session_teardown);
}
