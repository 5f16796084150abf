/* Every exercise: the empty file fails and says so, the solution passes, in both languages;
 * each typical mistake, made in the solution, is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exercise_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is done to the solution, which TODO it breaks, and what the checker calls it. */
struct change {
    const char *exercise, *from, *to, *todo, *name;
};

// clang-format off
static const struct change changes[] = {
    {"mlp", "float sum = bias[o];", "float sum = 0;", "linear", "no-bias"},
    {"mlp", "w[o * n_in + i]", "w[i * n_out + o]", "linear", "weights-transposed"},
    {"mlp", "float sum = bias[o];\n", "float sum = 0;\nif (t) sum = 0;\n", "linear", "no-bias"},
    {"mlp", "sum += x[t * n_in + i] * w[o * n_in + i];",
     "sum += x[t * n_in + i] * w[o * n_in + i] + (i ? bias[o] : 0);", "linear", "bias-in-the-sum"},
    {"mlp", "for (int i = 0; i < n_in; i++)", "for (int i = 1; i < n_in; i++)", "linear",
     "first-input-skipped"},
    {"mlp", "out[t * n_out + o] = sum;", "out[t * n_out + o] += sum;", "linear", "not-set-to-zero"},
    {"mlp", "t < n_rows", "t < n_rows - 1", "linear", "unwritten"},
    {"mlp", "0.5f * a * (1 + tanhf(root * (a + 0.044715f * a * a * a)))",
     "0.5f * a * (1 + erff(a / sqrtf(2)))", "gelu", "gelu-erf"},
    {"mlp", "0.5f * a * (1 + tanhf", "a * (1 + tanhf", "gelu", "no-half"},
    {"mlp", "0.5f * a * (1 + tanhf(root * (a + 0.044715f * a * a * a)))", "fmaxf(a, 0)", "gelu",
     "relu"},
    {"mlp", "0.044715f * a * a * a", "0.044715f * a * a", "gelu", "square-for-cube"},
    {"mlp", "root * (a + 0.044715f * a * a * a)", "root * a + 0.044715f * a * a * a", "gelu",
     "root-only-of-x"},
    {"mlp", "gelu(wide, wide, n_tokens * w->d_mlp);", "", "mlp", "no-activation"},
    {"mlp", "gelu(wide, wide, n_tokens * w->d_mlp);", "gelu(wide, wide, w->d_mlp);", "mlp",
     "activation-of-one-token"},
    {"mlp", "    free(wide);",
     "    free(wide);\n for (int i = 0; i < n_tokens * w->d_model; i++) out[i] += x[i];", "mlp",
     "residual"},

    {"attention", "1 / sqrtf((float) d_head)", "1", "scores", "no-scale"},
    {"attention", "1 / sqrtf((float) d_head)", "1 / (float) d_head", "scores", "scale-by-d"},
    {"attention", "1 / sqrtf((float) d_head)", "sqrtf((float) d_head)", "scores", "scale-times"},
    {"attention", "out[i * n_tokens + j] = sum", "out[j * n_tokens + i] = sum", "scores",
     "transposed"},
    {"attention", "j = i + 1", "j = i", "mask", "mask-off-by-one"},
    {"attention", "j = i + 1", "j = i + 2", "mask", "mask-one-too-late"},
    {"attention", "for (int j = i + 1; j < n_tokens; j++)\n", "for (int j = 0; j < i; j++)\n",
     "mask", "mask-of-the-past"},
    {"attention", "s[i * n_tokens + j] = -INFINITY", "s[i * n_tokens + j] = 0", "mask",
     "zero-for-inf"},
    {"attention", "    for (int i = 0; i < n_rows; i++) {\n        float *row = s + i * n_cols",
     "    for (int i = 0; i < 1; i++) {\n        float *row = s + i * n_cols", "softmax",
     "only-first-row"},
    {"attention", "expf(row[j] - max)", "expf(row[j])", "softmax", "no-max"},
    {"attention", "max = row[0]", "max = 0", "softmax", "max-from-zero"},
    {"attention", "row[j] /= sum;", ";", "softmax", "no-sum"},
    {"attention", "pattern[i * n_tokens + j]", "pattern[j * n_tokens + i]", "mix",
     "pattern-transposed"},
    {"attention", "v[j * d_head + c]", "v[i * d_head + c]", "mix", "own-value"},
    {"attention", "out[i * d_head + c] = sum", "out[i * d_head + c] = sum / n_tokens", "mix",
     "mean"},
    {"attention", "x[t * n_head * d_head + h * d_head + c]", "x[(h * n_tokens + t) * d_head + c]",
     "split", "copied"},
    {"attention", "x[t * n_head * d_head + h * d_head + c]", "x[t * n_head * d_head + c * n_head + h]",
     "split", "interleaved"},
    {"attention", "out[t * n_head * d_head + h * d_head + c]",
     "out[t * n_head * d_head + c * n_head + h]", "concat", "interleaved"},
    {"attention", "out[t * n_head * d_head + h * d_head + c]",
     "out[(h * n_tokens + t) * d_head + c]", "concat", "copied"},
    {"attention", "        mask(s, n_tokens);\n", "", "attention", "no-mask"},
    {"attention", "concat_heads(out, zs, n_tokens, n_head, d_head);",
     "memcpy(out, zs, all * sizeof *out);", "attention", "no-concat"},

    {"block", "mean /= n;", "mean = 0;", "norm", "no-mean"},
    {"block", "sqrtf(var + eps)", "sqrtf(var)", "norm", "no-eps"},
    {"block", "1 / sqrtf(var + eps)", "1 / (sqrtf(var) + eps)", "norm", "eps-outside"},
    {"block", "var /= n;", "var /= n - 1;", "norm", "n-minus-1"},
    {"block", "1 / sqrtf(var + eps)", "1 / (var + eps)", "norm", "no-root"},
    {"block", " * gain[i]", "", "norm", "no-gain"},
    {"block", " + bias[i]", "", "norm", "no-bias"},
    {"block", "given_attention(out, norm, n_tokens, &w->attention);",
     "given_attention(out, norm, n_tokens, &w->attention); return;", "attention", "no-residual"},
    {"block", "given_attention(out, norm, n_tokens, &w->attention);",
     "given_attention(out, norm, n_tokens, &w->attention);\n"
     "for (int i = 0; i < n; i++) out[i] += norm[i] - x[i];", "attention", "residual-of-norm"},
    {"block", "given_attention(out, norm, n_tokens, &w->attention);",
     "given_attention(out, x, n_tokens, &w->attention);", "attention", "no-norm"},
    {"block", "given_attention(out, norm, n_tokens, &w->attention);",
     "given_attention(out, x, n_tokens, &w->attention);\n"
     "for (int i = 0; i < n; i++) norm[i] = out[i] + x[i];\n"
     "layer_norm(out, norm, w->ln1_gain, w->ln1_bias, n_tokens, w->d_model, w->eps); return;",
     "attention", "post-norm"},
    {"block", "w->ln2_gain, w->ln2_bias", "w->ln1_gain, w->ln1_bias", "mlp", "other-norm"},
    {"block", "given_mlp(out, norm, n_tokens, &w->mlp);", "given_mlp(out, x, n_tokens, &w->mlp);",
     "mlp", "no-norm"},

    {"model", " + positions[t * d_model + c]", "", "embed", "no-positions"},
    {"model", "positions[t * d_model + c]", "positions[(t + 1) * d_model + c]", "embed",
     "positions-from-1"},
    {"model", "positions[t * d_model + c]", "positions[ids[t] * d_model + c]", "embed",
     "position-of-id"},
    {"model", "positions[t * d_model + c]", "positions[c]", "embed", "one-position"},
    {"model", "memcpy(now, out, size);", "", "blocks", "not-chained"},
    {"model", "&block[l]", "block", "blocks", "always-block-0"},
    {"model", "l < n_layer", "l < n_layer - 1 || l == 0", "blocks", "last-left-out"},
    {"model", "&block[l]", "&block[n_layer - 1 - l]", "blocks", "backwards"},
    {"model", "given_layer_norm(norm, last, w->gain, w->bias, 1, w->d_model, w->eps);",
     "memcpy(norm, last, w->d_model * sizeof *norm);", "head", "no-final-norm"},
    {"model", "x + (n_tokens - 1) * w->d_model", "x", "head", "first-token"},
    {"model", "w->w[v * w->d_model + c]", "w->w[c * w->n_vocab + v]", "head", "weights-transposed"},

    {"rope", "-2.0 * i / d_head", "2.0 * i / d_head", "angles", "exponent-sign"},
    {"rope", "-2.0 * i / d_head", "-1.0 * i / d_head", "angles", "no-two"},
    {"rope", "pos * pow(", "pow(", "angles", "no-position"},
    {"rope", "-2.0 * i / d_head", "-2.0 * i / (d_head / 2)", "angles", "half-for-d"},
    {"rope", "x[i] = a * cosine[i] - b * sine[i];\n        x[i + half] = b * cosine[i] + a * sine[i];",
     "x[i] = a * cosine[i] + b * sine[i];\n        x[i + half] = b * cosine[i] - a * sine[i];", "rotate",
     "rotate-half-sign"},
    {"rope", "x[i + half] = b * cosine[i] + a * sine[i]", "x[i + half] = b * cosine[i] - a * sine[i]",
     "rotate", "both-minus"},
    {"rope", "x[i + half] = b * cosine[i] + a * sine[i]", "x[i + half] = b * cosine[i] + x[i] * sine[i]",
     "rotate", "overwritten"},
    {"rope", "float a = x[i], b = x[i + half];\n        x[i] = a * cosine[i] - b * sine[i];\n"
     "        x[i + half] = b * cosine[i] + a * sine[i];",
     "float a = x[2 * i], b = x[2 * i + 1];\n        x[2 * i] = a * cosine[i] - b * sine[i];\n"
     "        x[2 * i + 1] = b * cosine[i] + a * sine[i];", "rotate", "interleaved"},
    {"rope", "first + t, d_head", "t, d_head", "rope", "no-first"},
    {"rope", "first + t, d_head", "first, d_head", "rope", "one-position"},
    {"rope", "h < n_head", "h < 1", "rope", "one-head"},

    {"cache", "at = cache->n_past * width;", "at = 0;", "append", "not-offset"},
    {"cache", "    cache->n_past += n_new;", "", "append", "not-counted"},
    {"cache", "n_new * width * sizeof", "n_new * width + 0 * sizeof", "append", "bytes"},
    {"cache", "memcpy(cache->v + at, v,", "memcpy(cache->v + at, k,", "append", "k-for-v"},
    {"cache", "cache->n_past += n_new;", "cache->n_past += 1;", "append", "counted-as-one"},
    {"cache", "int pos = cache->n_past - n_new + i;", "int pos = i;", "attend", "mask-not-offset"},
    {"cache", "int pos = cache->n_past - n_new + i;", "int pos = cache->n_past - 1;", "attend",
     "no-mask"},
    {"cache", "weight[j] /= sqrtf((float) d);", "", "attend", "no-scale"},
    {"cache", "cache->k + j * width + h * d", "cache->k + j * width", "attend", "head-0"},
    {"cache", "given_linear(out, z, w->o, w->o_bias, n_new, d, d);", "memcpy(out, z, n * sizeof *z);",
     "step", "no-output-projection"},
    {"cache", "w->q_bias", "NULL", "step", "no-q-bias"},
    {"cache", "kv_append(cache, k, v, n_new);", "kv_append(cache, k, k, n_new);", "step", "k-for-v"},
    {"cache", "given_linear(k, x, w->k, w->k_bias, n_new, d, d);",
     "given_linear(k, x, w->k, w->k_bias, n_new, d, d);\n"
     "given_linear(k, x, w->k, w->k_bias, n_new, d, d);", "step", "computed-again"},

    {"gqa", "head / (n_head / n_kv_head)", "head % n_kv_head", "group", "modulo"},
    {"gqa", "head / (n_head / n_kv_head)", "head", "group", "own-head"},
    {"gqa", "head / (n_head / n_kv_head)", "head / n_kv_head", "group", "by-n-kv-head"},
    {"gqa", "head / (n_head / n_kv_head)", "0", "group", "always-0"},
    {"gqa", "kv_head_of(h, n_head, n_kv_head)", "h % n_kv_head", "gqa", "modulo"},
    {"gqa", "v + kv * d_head", "v", "gqa", "v-of-head-0"},
    {"gqa", "q + h * d_head", "q", "gqa", "q-of-head-0"},
    {"gqa", "wide, wide, narrow", "wide, wide, wide", "gqa", "heap-buffer-overflow"},

    {"swiglu", "row[i] * scale * gain[i]", "row[i] * scale", "norm", "no-gain"},
    {"swiglu", "sqrtf(sum / n + eps)", "sqrtf(sum + eps)", "norm", "sum-for-mean"},
    {"swiglu", "sqrtf(sum / n + eps)", "sqrtf(sum / n)", "norm", "no-eps"},
    {"swiglu", "1 / sqrtf(sum / n + eps)", "1 / (sqrtf(sum / n) + eps)", "norm", "eps-outside"},
    {"swiglu", "x[i] / (1 + expf(-x[i]))", "1 / (1 + expf(-x[i]))", "silu", "no-x"},
    {"swiglu", "expf(-x[i])", "expf(x[i])", "silu", "sign"},
    {"swiglu", "x[i] / (1 + expf(-x[i]))", "fmaxf(x[i], 0)", "silu", "relu"},
    {"swiglu", "x[i] / (1 + expf(-x[i]))", "x[i] * expf(x[i]) / (1 + expf(x[i]))", "silu",
     "overflow"},
    {"swiglu", "silu(gate, gate, n);", "silu(up, up, n);", "swiglu", "gate-and-up-swapped"},
    {"swiglu", "silu(gate, gate, n);", "", "swiglu", "no-activation"},
    {"swiglu", "silu(gate, gate, n);", "silu(gate, gate, n); silu(up, up, n);", "swiglu",
     "activation-of-both"},
    {"swiglu", "gate[i] *= up[i]", "gate[i] += up[i]", "swiglu", "sum"},

    {"sampling", "(logits[i] - max) / temperature", "(logits[i] - max) * temperature",
     "probabilities", "times-temperature"},
    {"sampling", "(logits[i] - max) / temperature", "logits[i] / temperature", "probabilities",
     "no-max"},
    {"sampling", "(logits[i] - max) / temperature", "logits[i] - max", "probabilities",
     "no-temperature"},
    {"sampling", "before < k", "before <= k", "top-k", "one-too-many"},
    {"sampling", "(p[j] == p[i] && j < i);", "0;", "top-k", "ties"},
    {"sampling", "keep[i] = before < k", "keep[i] = i < k", "top-k", "first-k"},
    {"sampling", "before < least || before == 0", "before + p[i] < least || before == 0", "top-p",
     "last-left-out"},
    {"sampling", "keep[i] = before < least || before == 0", "keep[i] = p[i] >= least", "top-p", "nan"},
    {"sampling", "if (u < sum)\n            break;", "if (u < p[i])\n            break;", "draw",
     "single"},
    {"sampling", "        if (u < sum)\n            break;", "", "draw", "last"},
    {"sampling",
     "        if (p[i] > 0)\n            found = i;\n        sum += p[i];\n        if (u < sum)",
     "        found = i;\n        sum += p[i];\n        if (u <= sum)", "draw", "zero-chosen"},
};
// clang-format on

enum { CHANGES = sizeof changes / sizeof *changes };

static void replace_in(char **text, const struct change *c)
{
    char *at = strstr(*text, c->from);
    struct str changed = STR_INIT;

    if (!at)
        fail_msg("%s, %s: the solution has no '%s'", c->exercise, c->name, c->from);
    for (char *p = *text; *p; p = at ? at + strlen(c->from) : p + strlen(p)) {
        at = strstr(p, c->from);
        str_add(&changed, p, at ? (size_t) (at - p) : strlen(p));
        str_adds(&changed, at ? c->to : "");
    }
    free(*text);
    *text = str_steal(&changed);
}

/* Changes that can be made in one file: at most one for each TODO. One in a TODO that needs
 * others is made alone. */
static int choose(const struct exercise *e, bool done[CHANGES], const struct change *round[])
{
    bool taken[EXERCISE_TODOS] = {false};
    int n = 0;

    for (int i = 0; i < CHANGES; i++) {
        if (done[i] || strcmp(changes[i].exercise, e->name))
            continue;
        int todo = todo_of(e, changes[i].todo);
        if (taken[todo] || (n > 0 && e->todo[todo].needs))
            continue;
        taken[todo] = done[i] = true;
        round[n++] = &changes[i];
        if (e->todo[todo].needs)
            break;
    }
    return n;
}

static void check_named(const struct exercise_report *r, const struct change *c)
{
    const struct todo_report *t = &r->todo[todo_of(r->exercise, c->todo)];

    if (t->state != TODO_FAILED || strcmp(t->name, c->name) || t->reason.len == 0)
        fail_msg("%s, TODO %s: '%s' (%s), not '%s': %s; %s", c->exercise, c->todo, t->name,
                 t->reason.text, c->name, t->where.text, t->element.text);
}

/* Each is named, and no other TODO is blamed. */
static void check_round(const struct exercise *e, const struct change *const round[], int n,
                        enum lang lang)
{
    char *text = solution_with(e, lang, NULL, NULL);
    struct exercise_report r;
    int failed = 0;

    for (int i = 0; i < n; i++)
        replace_in(&text, round[i]);
    check_text(&r, e, text, lang);
    if (!r.compiled)
        fail_msg("%s, %s: %s", e->name, round[0]->name, r.log.text);
    for (int i = 0; i < n; i++)
        check_named(&r, round[i]);
    for (int i = 0; i < e->n_todos; i++)
        failed += r.todo[i].state == TODO_FAILED;
    if (failed != n)
        fail_msg("%s, '%s' and others: %d TODOs are blamed, not %d", e->name, round[0]->name,
                 failed, n);
    exercise_report_release(&r);
    free(text);
}

static void mistakes_of(const struct exercise *e)
{
    bool done[CHANGES] = {false};
    const struct change *round[EXERCISE_TODOS];
    int n, all = 0;

    for (int k = 0; (n = choose(e, done, round)) > 0; k++) {
        check_round(e, round, n, k % 2 ? LANG_ZH : LANG_EN);
        all += n;
    }
    if (all < 4)
        fail_msg("%s: only %d mistakes", e->name, all);
}

static void test_mistakes(void **state)
{
    struct err err = ERR_INIT;
    const struct exercises *all = exercises_all(&err);

    (void) state;
    assert_non_null(all);
    for (int i = 0; i < all->n; i++)
        mistakes_of(&all->item[i]);
}

static void test_solutions_pass(void **state)
{
    struct err err = ERR_INIT;
    const struct exercises *all = exercises_all(&err);
    struct exercise_report r;

    (void) state;
    for (int i = 0; i < all->n; i++)
        for (int lang = i % 2; lang < LANG_COUNT; lang += 2) { /* the code is the same */
            char *text = solution_with(&all->item[i], (enum lang) lang, NULL, NULL);
            check_text(&r, &all->item[i], text, (enum lang) lang);
            if (!r.compiled || r.error.len > 0)
                fail_msg("%s: %s", all->item[i].name, r.log.text);
            for (int k = 0; k < all->item[i].n_todos; k++) {
                const struct todo_report *t = &r.todo[k];
                if (t->state != TODO_PASSED)
                    fail_msg("%s, TODO %d: %s: %s; %s", all->item[i].name, k + 1, t->where.text,
                             t->element.text, t->reason.text);
                assert_true(t->n_cases >= 3);
                assert_int_equal(t->n_cases, t->n_passed);
            }
            assert_true(r.passed);
            exercise_report_release(&r);
            free(text);
        }
}

static void test_templates_are_open(void **state)
{
    struct err err = ERR_INIT;
    const struct exercises *all = exercises_all(&err);
    struct exercise_report r;

    (void) state;
    for (int i = 0; i < all->n; i++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            struct str text = STR_INIT;
            exercise_template(&all->item[i], (enum lang) lang, &text);
            check_text(&r, &all->item[i], text.text, (enum lang) lang);
            if (!r.compiled)
                fail_msg("%s: %s", all->item[i].name, r.log.text);
            for (int k = 0; k < all->item[i].n_todos; k++)
                if (r.todo[k].state != TODO_OPEN)
                    fail_msg("%s, TODO %d is not open: %s; %s", all->item[i].name, k + 1,
                             r.todo[k].element.text, r.todo[k].reason.text);
            assert_false(r.passed);
            exercise_report_release(&r);
            str_release(&text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solutions_pass),
        cmocka_unit_test(test_templates_are_open),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, exercise_setup, exercise_teardown);
}
