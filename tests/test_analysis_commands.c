/* The commands of the group analysis: their tables fit and are safe, their data is whole and
 * says the same, on both models, for one token and for a full context, and in a pass that is
 * open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/utf8.h"
#include "command_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

static const char *const lines[] = {
    "lens",
    "lens first 1",
    "lens last 9",
    "lens embed",
    "lens L1.attn 2",
    "lens L3.mlp 40",
    "attribute",
    "attribute all",
    "attribute 5 6 at 0 heads",
    "attribute list 100 at last",
    "attribute at first mlps layers \" ball\"",
    "headscores",
    "headscores induction 100",
    "headscores entropy 3",
    "headscores random 5 6 2",
    "headscores largest random 2",
    "rollout",
    "rollout 0 0",
    "rollout last 2",
    "entropy",
    "entropy first",
    "entropy L3.H5",
    "similarity",
    "similarity last",
    "similarity L1.H1.k",
    "similarity logits last 2",
    "similarity attn_out 0",
    "nearest",
    "nearest 5 3 unembed",
};

static void begin(struct fixture *f, int model, const char *text)
{
    char line[64];

    open_fixture(f, NULL, false);
    snprintf(line, sizeof line, "load %s", models[model]);
    assert_true(command_run(&f->env, line, &f->err));
    if (!session_prompt(f->session, text, strlen(text), &f->err))
        fail_msg("%s", f->err.text);
    assert_true(command_run(&f->env, "run", &f->err));
    str_clear(&f->out);
}

static void run(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
}

static void assert_fits(const char *line, const char *text)
{
    assert_safe(text);
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (utf8_width(text, (int) n) > 80)
            fail_msg("%s: '%.*s' is wider than 80", line, (int) n, text);
        text += n + (text[n] != '\0');
    }
}

/* What a command finds, as data; yours. */
static json_t *data(struct fixture *f, const char *line)
{
    f->env.json = true;
    run(f, line);
    f->env.json = false;
    json_t *all = json_parse(f->out.text, f->out.len, &f->err);
    if (!all)
        fail_msg("%s: %s", line, f->err.text);
    json_t *o = json_object_get(all, "result");
    if (!o)
        fail_msg("%s gives no result", line);
    json_incref(o);
    json_decref(all);
    return o;
}

static json_t *at(const json_t *list, size_t i)
{
    json_t *o = json_array_get(list, i);

    assert_non_null(o);
    return o;
}

static double number(const json_t *o, const char *key)
{
    const json_t *x = json_object_get(o, key);

    if (!json_is_number(x))
        fail_msg("no number '%s'", key);
    return json_number_value(x);
}

static size_t count(const json_t *o, const char *key)
{
    const json_t *x = json_object_get(o, key);

    if (!json_is_array(x))
        fail_msg("no list '%s'", key);
    return json_array_size(x);
}

/* A text of about n tokens, some of them wide. */
static void long_text(struct fixture *f, struct str *text, int n)
{
    struct ids ids = IDS_INIT;

    while (ids.n < n) {
        ids.n = 0;
        str_adds(text, " Anna gave the ball to \xe6\xb5\x8b\xe8\xaf\x95.");
        assert_true(
            tokenizer_encode(f->session->tokenizer, text->text, text->len, 0, &ids, &f->err));
    }
    ids_release(&ids);
}

/* --- every line --- */

static void run_all(struct fixture *f)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run(f, lines[i]);
        assert_fits(lines[i], f->out.text);
        json_decref(data(f, lines[i]));
    }
}

static void fits(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        begin(&f, m, "T");
        run_all(&f);
        close_fixture(&f);
        begin(&f, m, "Tom gave the red ball to Anna. Anna");
        run_all(&f);
        close_fixture(&f);
    }
}

static void full_context(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        struct str text = STR_INIT;
        begin(&f, m, "T");
        int n = run_n_ctx(f.session->run);
        long_text(&f, &text, n - 12);
        assert_true(session_prompt(f.session, text.text, text.len, &f.err));
        while (f.session->ids.n < n)
            assert_true(session_append(f.session, 300, &f.err));
        assert_true(command_run(&f.env, "run; query last", &f.err));
        run_all(&f);
        json_t *o = data(&f, "similarity");
        assert_int_equal(count(o, "cosine"), n);
        json_decref(o);
        str_release(&text);
        close_fixture(&f);
    }
}

/* --- data --- */

static void lens_data(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        begin(&f, m, "Tom gave the red ball to Anna. Anna");
        json_t *few = data(&f, "lens 4 5"), *many = data(&f, "lens 4 2048");
        assert_int_equal(count(few, "points"), 9);
        for (size_t i = 0; i < 9; i++) {
            json_t *a = at(json_object_get(few, "points"), i);
            json_t *b = at(json_object_get(many, "points"), i);
            const json_t *next = NULL;
            double sum = 0, entropy = 0;
            assert_int_equal(count(a, "tokens"), 5);
            assert_int_equal(count(b, "tokens"), 2048);
            for (size_t j = 0; j < 2048; j++) {
                const json_t *t = at(json_object_get(b, "tokens"), j);
                double p = number(t, "p");
                sum += p;
                entropy -= p > 0 ? p * log(p) : 0;
                if ((int) number(t, "id") == f.session->ids.id[5]) {
                    next = t;
                    assert_true(fabs(number(b, "rank_next") - (double) (j + 1)) <= 1);
                }
                if (j < 5)
                    assert_true(fabs(p - number(at(json_object_get(a, "tokens"), j), "p")) <
                                1e-5);
            }
            assert_true(fabs(sum - 1) < 1e-4);
            assert_true(fabs(entropy - number(a, "entropy")) < 1e-3);
            assert_true(fabs(number(next, "p") - number(a, "p_next")) < 1e-5);
        }
        json_t *one = data(&f, "lens L1.mlp 5");
        assert_int_equal(count(one, "positions"), 10);
        json_t *a = at(json_object_get(one, "positions"), 4);
        json_t *b = at(json_object_get(few, "points"), 4);
        assert_true(number(a, "kl") == number(b, "kl"));
        assert_true(
            json_is_null(json_object_get(at(json_object_get(one, "positions"), 9), "p_next")));
        json_decref(one);
        json_decref(few);
        json_decref(many);
        close_fixture(&f);
    }
}

static void attribute_data(void **state)
{
    (void) state;
    struct fixture f;

    for (int m = 0; m < 2; m++) {
        begin(&f, m, "Tom gave the red ball to Anna. Anna");
        json_t *o = data(&f, "attribute \" Anna\" \" Tom\" at 5");
        double sum = 0;
        for (size_t i = 0; i < count(o, "parts"); i++)
            sum += number(at(json_object_get(o, "parts"), i), "amount");
        assert_true(fabs(sum - number(o, "logit")) < 1e-4);
        assert_true(fabs(number(o, "difference")) < 1e-4);
        json_decref(o);
        /* the likeliest token, after the last position or the cursor's */
        o = data(&f, "attribute");
        json_t *token = json_object_get(o, "token");
        assert_int_equal(number(json_object_get(o, "after"), "position"), 9);
        json_t *top = data(&f, "lens 9 1");
        json_t *last = at(json_object_get(top, "points"), 8);
        assert_int_equal(number(token, "id"),
                         number(at(json_object_get(last, "tokens"), 0), "id"));
        json_decref(o);
        json_decref(top);
        run(&f, "set logits-at cursor; query 3");
        o = data(&f, "attribute");
        assert_int_equal(number(json_object_get(o, "after"), "position"), 3);
        json_decref(o);
        run(&f, "set logits-at last; patch L1.resid_mid scale 2; attribute list 3");
        assert_non_null(strstr(f.out.text, "patch of L1 resid_mid"));
        run(&f, "attribute layers");
        assert_non_null(strstr(f.out.text, "sum of"));
        close_fixture(&f);
    }
}

static void other_data(void **state)
{
    (void) state;
    struct fixture f;
    double sum = 0;

    begin(&f, 1, "Tom gave the red ball to Anna. Anna");
    json_t *o = data(&f, "rollout 7 2");
    assert_int_equal(count(o, "tokens"), 8);
    for (size_t i = 0; i < 8; i++)
        sum += number(at(json_object_get(o, "tokens"), i), "weight");
    assert_true(fabs(sum - 1) < 1e-5);
    json_decref(o);
    o = data(&f, "entropy 7");
    json_t *one = data(&f, "entropy L2.H3");
    const json_t *grid = json_object_get(o, "entropy");
    double x = json_number_value(at(at(grid, 2), 3));
    assert_true(fabs(number(at(json_object_get(one, "queries"), 7), "entropy") - x) < 1e-5);
    assert_true(fabs(number(o, "most") - log(8)) < 1e-6);
    json_decref(one);
    json_decref(o);
    o = data(&f, "similarity L2.H3.q");
    one = data(&f, "similarity L2.H3.q 4");
    for (size_t i = 0; i < count(one, "nearest"); i++) {
        const json_t *row = at(json_object_get(one, "nearest"), i);
        size_t pos = (size_t) number(row, "position");
        double want = json_number_value(at(at(json_object_get(o, "cosine"), 4), pos));
        assert_true(fabs(number(row, "cosine") - want) < 1e-6);
    }
    assert_int_equal(count(one, "nearest"), 9);
    assert_int_equal(number(o, "head"), 3);
    json_decref(one);
    json_decref(o);
    o = data(&f, "nearest \" ball\" 7");
    assert_int_equal(count(o, "nearest"), 7);
    json_decref(o);
    o = data(&f, "headscores sink 1");
    assert_int_equal(count(o, "heads"), 32);
    for (size_t i = 1; i < 32; i++)
        assert_true(number(at(json_object_get(o, "heads"), i), "sink") <=
                    number(at(json_object_get(o, "heads"), i - 1), "sink"));
    json_decref(o);
    close_fixture(&f);
}

/* The text's numbers are the data's. */
static void same_numbers(void **state)
{
    (void) state;
    struct fixture f;
    char want[64];

    begin(&f, 0, "Tom gave the red ball to Anna. Anna");
    json_t *o = data(&f, "headscores random 3 20 2");
    const json_t *first = at(json_object_get(o, "heads"), 0);
    run(&f, "headscores random 3 20 2");
    snprintf(want, sizeof want, "L%d.H%d   %-15s%11.3f%10.3f", (int) number(first, "layer"),
             (int) number(first, "head"), json_string_value(json_object_get(first, "job")),
             number(first, "previous"), number(first, "induction"));
    if (!strstr(f.out.text, want))
        fail_msg("no '%s' in\n%s", want, f.out.text);
    json_decref(o);
    o = data(&f, "rollout");
    run(&f, "rollout");
    snprintf(want, sizeof want, "%.5f #",
             number(at(json_object_get(o, "tokens"), 5), "weight"));
    assert_non_null(strstr(f.out.text, want));
    json_decref(o);
    close_fixture(&f);
}

/* --- in the middle of a pass --- */

static void open_pass(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, "Tom gave the red ball", false);
    run(&f, "step layer 2");
    json_t *o = data(&f, "lens last");
    assert_int_equal(count(o, "points"), 3);
    assert_true(json_is_null(json_object_get(at(json_object_get(o, "points"), 0), "kl")));
    json_decref(o);
    o = data(&f, "entropy");
    assert_true(json_is_number(at(at(json_object_get(o, "entropy"), 0), 0)));
    assert_true(json_is_null(at(at(json_object_get(o, "entropy"), 1), 0)));
    assert_true(json_is_null(at(at(json_object_get(o, "mean"), 1), 0)));
    json_decref(o);
    o = data(&f, "headscores");
    assert_int_equal(count(o, "heads"), 6);
    json_decref(o);
    run(&f, "rollout last 0");
    run(&f, "similarity");
    assert_false(command_run(&f.env, "attribute", &f.err));
    assert_true(run_in_pass(f.session->run)); /* none of them ended it */
    close_fixture(&f);
}

/* What the lens leaves out is said. */
static void left_out(void **state)
{
    (void) state;
    struct fixture f;

    begin(&f, 0, "Tom gave the red ball");
    run(&f, "lens");
    assert_null(strstr(f.out.text, "left out"));
    run(&f, "patch logits add 1; run; lens");
    assert_non_null(strstr(f.out.text, "left out"));
    close_fixture(&f);
}

/* Where the final norm lets nothing through, no part reaches the logit. */
static void nothing_through(void **state)
{
    (void) state;
    struct fixture f;

    begin(&f, 0, "Tom gave");
    str_clear(&f.out);
    run(&f, "replace ln_final.out zero; run; attribute");
    assert_non_null(strstr(f.out.text, "0.00000; sum of 36 parts 0.00000; difference 0.0e+00"));
    assert_non_null(strstr(f.out.text, "patch of ln_final.out"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits),
        cmocka_unit_test(full_context),
        cmocka_unit_test(lens_data),
        cmocka_unit_test(attribute_data),
        cmocka_unit_test(other_data),
        cmocka_unit_test(same_numbers),
        cmocka_unit_test(open_pass),
        cmocka_unit_test(left_out),
        cmocka_unit_test(nothing_through),
    };

    return cmocka_run_group_tests_name("analysis commands", tests, fixture_setup,
                                       fixture_teardown);
}
