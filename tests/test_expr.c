/* Expressions over live values: what they give, and what they refuse. */
#include "session/expr.h"
#include "session/mark.h"

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

static double number_of(const struct session *s, const char *text)
{
    struct expr_value v;

    OK(expr_eval(s, text, &v, &err));
    assert_int_equal(v.kind, EXPR_NUMBER);
    return v.x;
}

static void test_arithmetic(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        double x;
    } cases[] = {
        {"1 + 2 * 3", 7},
        {"(1 + 2) * 3", 9},
        {"7 - 2 - 1", 4},
        {"8 / 4 / 2", 1},
        {"-2 ^ 2", 4},
        {"-(2 + 1)", -3},
        {"2 ^ 3 * 2", 16},
        {".5 + 1e2", 100.5},
        {"sqrt(16) + abs(-1)", 5},
        {"1 < 2", 1},
        {"2 <= 1", 0},
        {"3 = 3", 1},
        {"1 < 2 and 2 < 3", 1},
        {"1 < 2 and 3 < 2", 0},
        {"3 != 3", 0},
        {"round(2.6)", 3},
        {"n", 10},
        {"last", 9},
        {"d_model", 192},
        {"n_head * d_head", 192},
    };
    struct session *s = open_computed(0, TEXT);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (number_of(s, cases[i].text) != cases[i].x)
            fail_msg("%s = %g", cases[i].text, number_of(s, cases[i].text));
    session_free(s);
}

/* The run's own numbers, and what is computed from rows of them. */
static void test_values(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        int value = program_value(s->program, 1, "attn.pattern");
        struct region g = {{2, 8, 0}, {1, 1, s->ids.n}};
        float row[64];
        double entropy = 0;

        OK(run_read(s->run, value, &g, row, &err));
        for (int i = 0; i < s->ids.n; i++)
            entropy -= row[i] > 0 ? (double) row[i] * log((double) row[i]) : 0;
        assert_true(number_of(s, "L1.H2.pattern[8,6]") == (double) row[6]);
        assert_true(number_of(s, "blocks.1.attn.pattern[2,8,6]") == (double) row[6]);
        assert_true(fabs(number_of(s, "sum(L1.H2.pattern[8])") - 1) < 1e-5);
        assert_true(number_of(s, "len(L1.H2.pattern[8])") == s->ids.n);
        assert_true(fabs(number_of(s, "entropy(L1.H2.pattern[8])") - entropy) < 1e-12);
        assert_true(number_of(s, "max(L1.H2.scores[3]) >= L1.H2.scores[3,0]") == 1);
        assert_true(isinf(number_of(s, "L1.H2.scores[3,4]")));
        assert_true(number_of(s, "L1.H2.scores[3,4] = L1.H2.scores[3,5]") == 1);
        double off = number_of(s, "abs(sum(probs[last]) - 1)");
        printf("%s: sum of probs off by %.2g (1e-5)\n", models[m], off);
        assert_true(off < 1e-5);
        session_free(s);
    }
}

static void test_rows(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    /* a LayerNorm, worked by hand */
    double off =
        number_of(s, "norm((blocks.0.resid_pre[3] - mean(blocks.0.resid_pre[3])) / "
                     "sqrt(var(blocks.0.resid_pre[3]) + 0.00001) - L0.ln1.normalized[3])");
    double score = number_of(s, "dot(L0.H1.q[3], L0.H1.k[2]) / sqrt(d_head) - "
                                "L0.H1.scores_scaled[3,2]");

    printf("norm off by %.2g (1e-4), score by %.2g (1e-4)\n", off, score);
    assert_true(off < 1e-4 && fabs(score) < 1e-4);
    assert_true(fabs(number_of(s, "cosine(embed[7], embed[9])") - 1) < 1e-12);
    assert_true(number_of(s, "rank(logits[last], argmax(logits[last]))") == 1);
    assert_true(number_of(s, "prob(\" thanked\")") == number_of(s, "max(probs[last])"));
    assert_true(number_of(s, "prob(at(9), 6)") == number_of(s, "probs[6, id(\" Anna\")]"));
    session_free(s);
}

/* What the run's numbers are made of, and the marked run beside the present one. */
static void test_weights(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);

    assert_true(number_of(s, "norm(weight(\"tok_embd\", tokens[7]) - embed[7])") == 0);
    assert_true(number_of(s, "weight(\"pos_embd\", 3, 5)") == number_of(s, "pos_embed[3,5]"));
    double q = number_of(s, "dot(weight(\"q\", 0, 32), L0.ln1.out[5]) + "
                            "weight(\"q_bias\", 0, 32) - L0.H1.q[5,0]");
    double norm = number_of(s, "norm(L0.ln1.normalized[5] * weight(\"ln1_gain\", 0) + "
                               "weight(\"ln1_bias\", 0) - L0.ln1.out[5])");
    printf("q off by %.2g (1e-5), norm by %.2g (1e-5)\n", q, norm);
    assert_true(fabs(q) < 1e-5 && norm < 1e-5);
    session_free(s);
}

static void test_marked(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    struct expr_value v;
    double x = number_of(s, "embed[3,0]");

    FAILS(expr_eval(s, "marked(\"n\")", &v, &err),
          "nothing is marked; mark keeps the present run to compare with");
    OK(mark_take(s, NULL, &err));
    OK(give(s, "Tom gave a hat", &err));
    OK(session_pass(s, &err));
    assert_true(number_of(s, "marked(\"n\")") == 10 && number_of(s, "n") < 10);
    assert_true(number_of(s, "marked(\"embed[3,0]\")") == x);
    assert_true(number_of(s, "embed[3,0]") != x);
    assert_true(number_of(s, "marked(\"at(7) = \\\" Anna\\\"\")") == 1);
    FAILS(expr_eval(s, "marked(n)", &v, &err), "marked takes an expression in quotes");
    session_free(s);
}

/* What the stream says on its way, and what passes cost. */
static void test_lens_and_cost(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        double off = number_of(s, "norm(lens(2 * n_layer, 4) - probs[4])");
        double sum = number_of(s, "abs(sum(lens(3)) - 1)");
        printf("%s: last point off by %.2g (1e-5), sum by %.2g (1e-12)\n", models[m], off, sum);
        assert_true(off < 1e-5 && sum < 1e-12);
        assert_true(number_of(s, "len(lens(3, 4))") == number_of(s, "n_vocab"));
        session_free(s);
    }
    struct session *s = open_computed(0, TEXT);
    assert_true(number_of(s, "mults(0, 1)") ==
                number_of(s, "12 * n_layer * d_model^2 + 2 * n_layer * d_model + "
                             "d_model * n_vocab"));
    assert_true(number_of(s, "mults(9, 1) - mults(0, 1)") ==
                number_of(s, "2 * 9 * n_layer * d_model"));
    assert_true(number_of(s, "seconds(0, 10)") > 0);
    assert_true(number_of(s, "seconds(9, 1)") > 0);
    assert_int_equal(run_n_past(s->run), s->ids.n); /* as it was */
    session_free(s);
}

static void test_texts(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    struct str out = STR_INIT;
    struct expr_value v;

    OK(expr_eval(s, "tok(argmax(logits[last]))", &v, &err));
    expr_print(&v, -1, &out);
    assert_string_equal(out.text, " thanked");
    expr_release(&v);
    assert_true(number_of(s, "at(7) = \" Anna\"") == 1);
    str_clear(&out);
    OK(expr_eval(s, "L1.H2.pattern[1] * 0 + 0.25", &v, &err));
    expr_print(&v, 2, &out);
    assert_string_equal(out.text,
                        "[0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]");
    expr_release(&v);
    str_release(&out);
    session_free(s);
}

static void test_claims(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    struct expr_claim c;

    OK(expr_check(s, "sum(L1.H2.pattern[8]) > 0.99 and argmax(logits[last]) = id(\" thanked\")",
                  &c, &err));
    assert_true(c.holds);
    OK(expr_check(s, "1 < 2 and 3 > 4 and 5 < 6", &c, &err));
    assert_false(c.holds);
    OK(expr_check(s, "3 = 3.04 within 0.05 and 3 != 3.1 within 0.05", &c, &err));
    assert_true(c.holds);
    OK(expr_check(s, "1 < 2 and 3 > 4 and 5 < 6", &c, &err));
    assert_string_equal(c.left, "3");
    assert_string_equal(c.right, "4");
    FAILS(expr_check(s, "1 + 1", &c, &err),
          "'1 + 1' compares nothing; a claim is like L1.H4.pattern[8,7] > 0.9");
    session_free(s);
}

// clang-format off
static const struct {
    const char *text, *message;
} refused[] = {
    {"", "'' ends where a number or a name is expected"},
    {"1 2", "'2' is too much in '1 2'"},
    {"(1", "'(1' ends where ) is expected"},
    {"\"a", "a quote is not closed in '\"a'"},
    {"1 + \"a\"", "'+' takes numbers, not a text"},
    {"L1.H2.pattern[1] = 1",
     "'=' compares two numbers or two texts, in 'L1.H2.pattern[1] = 1'"},
    {"L1.H2.pattern[8,99]", "L1.H2.pattern has key 0 to 9, not 99"},
    {"L1.H2.pattern[8,-1]", "L1.H2.pattern has key 0 to 9, not -1"},
    {"L1.H2.pattern[0.5]", "an index is a whole number, not 0.5"},
    {"L1.H2.pattern[1,1,1]", "L1.H2.pattern takes 2 indices, not 3"},
    {"L*.pattern[1]", "'*' takes"},
    {"dot(embed[1], logits[1])", "the rows have 192 and 2048 numbers"},
    {"embed[1] + logits[1]", "'+' takes rows of one length, not of 192 and 2048"},
    {"1 < 2 within 3", "within goes with = and !=, in '1 < 2 within 3'"},
    {"sum()", "a number or a name is expected before ')' in 'sum()'"},
    {"sum(1, 2)", "sum(a) has another number of arguments in 'sum(1, 2)'"},
    {"sum(\"a\")", "sum takes numbers, not a text"},
    {"lens(9)", "the stream has points 0 to 8"},
    {"lens(embed[1])", "the stream has points 0 to 8"},
    {"lens(1, 10)", "there are positions 0 to 9"},
    {"mults(3, 0)",
     "a pass is new tokens, 1 or more, after past ones, 0 or more, in all at "
     "most 256"},
    {"seconds(10, 1)", "there are 10 tokens to measure with; 10 + 1 are asked for"},
    {"tok(99999)", "there is no token 99999"},
    {"id(\"xyzzyx\")", "'xyzzyx' is 5 tokens, not one"},
    {"weight(\"ln_gain\", 0)",
     "this model has no weight 'ln_gain'; did you mean 'ln1_gain'?"},
    {"weight(1)", "weight takes a name in quotes, like \"q\" or \"tok_embd\""},
    {"weight(\"q\")", "'q' is in each layer: weight(\"q\", layer, ...)"},
    {"weight(\"q\", 9, 0)", "the layer is a whole number from 0 to 3"},
    {"weight(\"q\", 0)", "this weight has 192 rows: weight takes the number of one"},
    {"weight(\"q\", 0, 192)", "the row of this weight is a whole number from 0 to 191"},
    {"weight(\"q\", 0, 0, -1)",
     "the column of this weight is a whole number from 0 to 191"},
    {"weight(\"ln1_gain\", 0, 0, 0)",
     "this weight is one row: weight takes no more than a place in it"},
    {"params(\"heads\")", "a model has no part 'heads'; did you mean 'head'?"},
    {"params(1)", "params takes a name in quotes, like \"attention\" or \"total\""},
    {"headscore(\"L0\", \"sink\")", "a head is like L0.H3, not 'L0'"},
    {"headscore(\"L0.H9\", \"sink\")", "the last head is L3.H5"},
    {"headscore(\"L0.H3\", \"cook\")",
     "a job is previous, induction, duplicate, sink or self"},
    {"headscore(\"L0.H3\", \"sink\", 0.5)",
     "headscore takes a length and a number of sequences from 1 on"},
    {"headscore(\"L0.H3\", \"sink\", 200)",
     "a sequence has 2 to 128 ids here, which are then repeated, not 200"},
    {"marked(1)", "nothing is marked; mark keeps the present run to compare with"},
    {"nothing[1]",
     "no value 'nothing'; names are like blocks.0.attn.pattern, L0.H1.pattern, "
     "logits"},
};
// clang-format on

static void test_faults(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct err err = ERR_INIT;
        struct expr_value v;
        if (expr_eval(s, refused[i].text, &v, &err))
            fail_msg("'%s' did not fail", refused[i].text);
        if (strcmp(refused[i].text, "L*.pattern[1]"))
            assert_string_equal(err.text, refused[i].message);
    }
    session_free(s);
}

/* Sizes of the parts, what heads do, and the run that was marked. */
static void test_of_model(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    struct expr_value v;

    assert_true(number_of(s, "params(\"embedding\")") == 2048 * 192);
    assert_true(number_of(s, "params(\"positions\")") == 256 * 192);
    assert_true(number_of(s, "params(\"mlp\")") == 4 * (2 * 192 * 768 + 768 + 192));
    assert_true(number_of(s,
                          "params(\"total\") - params(\"embedding\") - params(\"positions\") - "
                          "params(\"attention\") - params(\"mlp\") - params(\"norms\") - "
                          "params(\"head\")") == 0);
    double off = number_of(s, "headscore(\"L0.H3\", \"sink\") - (L0.H3.pattern[1,0] + "
                              "L0.H3.pattern[2,0] + L0.H3.pattern[3,0] + L0.H3.pattern[4,0] + "
                              "L0.H3.pattern[5,0] + L0.H3.pattern[6,0] + L0.H3.pattern[7,0] + "
                              "L0.H3.pattern[8,0] + L0.H3.pattern[9,0]) / 9");
    printf("mean weight on token 0 off by %.2g (1e-6)\n", off);
    assert_true(fabs(off) < 1e-6);
    assert_true(number_of(s, "headscore(\"L2.H0\", \"induction\", 20)") > 0.8);
    assert_true(number_of(s, "headscore(\"L2.H0\", \"induction\", 20, 3)") > 0.8);
    assert_true(isnan(number_of(s, "rope_theta")));
    assert_true(fabs(number_of(s, "norm_eps") - 1e-5) < 1e-11);
    FAILS(expr_eval(s, "marked(\"n\")", &v, &err),
          "nothing is marked; mark keeps the present run to compare with");
    OK(mark_take(s, NULL, &err));
    double before = number_of(s, "prob(\" thanked\")");
    OK(session_prompt(s, "Tom", 3, &err));
    OK(session_run(s, 0, NULL, &err));
    assert_true(number_of(s, "marked(\"prob(\\\" thanked\\\")\")") == before);
    assert_true(number_of(s, "marked(\"n\")") == 10 && number_of(s, "n") == 2);
    FAILS(expr_eval(s, "marked(\"n +\")", &v, &err),
          "'n +' ends where a number or a name is expected");
    session_free(s);
}

/* Nesting without end is refused, not followed. */
static void test_deep(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    char deep[4001];
    struct expr_value v;

    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    FAILS(expr_eval(s, deep, &v, &err), "brackets stand in each other more than 64 deep");
    memset(deep, '-', sizeof deep - 1);
    FAILS(expr_eval(s, deep, &v, &err), "too many minus signs");
    OK(session_prompt(s, "", 0, &err));
    FAILS(expr_eval(s, "argmax(tokens)", &v, &err), "argmax takes a row with something in it");
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_values),
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_texts),
        cmocka_unit_test(test_claims),     cmocka_unit_test(test_faults),
        cmocka_unit_test(test_deep),       cmocka_unit_test(test_weights),
        cmocka_unit_test(test_marked),     cmocka_unit_test(test_lens_and_cost),
        cmocka_unit_test(test_of_model),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
