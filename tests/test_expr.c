/* Expressions over live values: what they give, and what they refuse. */
#include "session/expr.h"

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

static void test_faults(void **state)
{
    (void) state;
    static const struct {
        const char *text, *message;
    } cases[] = {
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
        {"tok(99999)", "there is no token 99999"},
        {"id(\"xyzzyx\")", "'xyzzyx' is 5 tokens, not one"},
        {"nothing[1]",
         "no value 'nothing'; names are like blocks.0.attn.pattern, L0.H1.pattern, "
         "logits"},
    };
    struct session *s = open_computed(0, TEXT);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct expr_value v;
        if (expr_eval(s, cases[i].text, &v, &err))
            fail_msg("'%s' did not fail", cases[i].text);
        if (strcmp(cases[i].text, "L*.pattern[1]"))
            assert_string_equal(err.text, cases[i].message);
    }
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
        cmocka_unit_test(test_deep),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
