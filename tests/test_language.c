/* The language: short forms and what they are noted as, texts over several lines, the history,
 * claims, completion by type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command/parse.h"
#include "command_fixture.h"

#include <stdlib.h>
#include <string.h>

/* What a short form was noted as. */
static void noted(const char *line, const char *in_full)
{
    struct fixture f;

    open_fixture(&f, TEXT, false);
    if (!command_run(&f.env, line, &f.err))
        fail_msg("%s: %s", line, f.err.text);
    const char *last = f.env.journal.text.text + f.env.journal.last;
    assert_int_equal(strncmp(last, in_full, strlen(in_full)), 0);
    assert_string_equal(last + strlen(in_full), "\n");
    close_fixture(&f);
}

static void test_short_forms(void **state)
{
    (void) state;
    static const char *const forms[][2] = {
        {"step la", "step layer"},
        {"step l 2", "step layer 2"},
        {"ru", "run"},
        {"view att", "view attention"},
        {"view 2", "view 2"},
        {"set tem 0.5", "set temp 0.5"},
        {"set sca row", "set scale row-max"},
        {"set ascii of", "set ascii off"},
        {"unset the; cycle sca", "cycle scale"},
        {"stage ma", "stage masked"},
        {"layer la", "layer last"},
        {"until L2.soft", "until L2.softmax"},
        {"until soft", "until softmax"},
        {"until L1.mlp_u", "until L1.mlp_up"},
        {"break L1.soft", "break L1.softmax"},
        {"break ent < 0.5", "break entropy < 0.5"},
        {"break softmax; break 1 of", "break 1 off"},
        {"break softmax; unbreak al", "unbreak all"},
        {"op soft", "op softmax"},
        {"op la", "op last"},
        {"point em", "point embed"},
        {"ablate ml 1", "ablate mlp 1"},
        {"run; ablate ml mea", "ablate mlp mean"},
        {"show att", "show attention"},
        {"show ablat", "show ablations"},
        {"run; replace L1.soft uni", "replace L1.softmax uniform"},
        {"replace mas win 3", "replace mask window 3"},
        {"run; mark b", "mark b"}, /* a label, although no other way begins so */
        {"run; mark c", "mark c"}, /* and no short form of clear */
        {"echo  a   \"b\"", "echo  a   \"b\""},
        {"echo \"a\nb\"", "echo \"a\\nb\""},
        {"echo \"a\\\nb\"", "echo \"ab\""},
        {"echo \"a\\\\\nb\"", "echo \"a\\\\\\nb\""},
        {"echo a \\\n b", "echo a  b"},
        {"echo a\\\nb", "echo ab"},
        {"echo a\\", "echo a\\ "}, /* it does not join the next line of a recording */
        {"prompt \"Tom\r\ngave\"", "prompt \"Tom\\ngave\""},
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        noted(forms[i][0], forms[i][1]);
}

/* Text over several lines. */
static void test_lines(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, NULL, false);
    assert_true(command_run(
        &f.env, "prompt \"Tom\n gave\" # a \"comment\necho \\\n two\necho \\\r\n x", &f.err));
    assert_string_equal(f.session->prompt.text, "Tom\n gave");
    assert_non_null(strstr(f.out.text, "two\nx\n"));
    assert_true(command_run(&f.env, "prompt Tom \\\ngave\\", &f.err));
    assert_string_equal(f.session->prompt.text, "Tom gave\\");
    assert_false(words_open("step layer"));
    assert_false(words_open("echo \"a\nb\""));
    assert_false(words_open("echo \"a\"b"));
    assert_false(words_open("# not \"open \\"));
    assert_false(words_open("echo \"a\\\\\""));
    assert_true(words_open("echo \"a\n"));
    assert_true(words_open("echo \"a\\"));
    assert_true(words_open("step; echo \\"));
    assert_true(words_open("echo a\\"));
    struct str one = STR_INIT;
    words_one_line("step # one\n\necho \"a\nb\" \\\n c;run", &one);
    assert_string_equal(one.text, "step; echo \"a\\nb\"  c; run");
    str_release(&one);
    close_fixture(&f);
}

/* In -c several commands are counted. */
static void test_numbered(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, NULL, false);
    assert_false(command_string(&f.env, " stpe ; ", &f.err));
    assert_string_equal(f.err.text, "there is no command 'stpe'; did you mean 'step'?");
    f.err = (struct err) ERR_INIT;
    assert_false(command_string(&f.env, "echo \"a", &f.err));
    assert_string_equal(f.err.text, "the quote at column 6 is not closed");
    f.err = (struct err) ERR_INIT;
    assert_false(command_string(&f.env, "stpe; echo \"", &f.err));
    assert_string_equal(f.err.text,
                        "command 1: there is no command 'stpe'; did you mean 'step'?");
    f.err = (struct err) ERR_INIT;
    assert_false(command_string(&f.env, "stpe; echo", &f.err));
    assert_string_equal(f.err.text,
                        "command 1: there is no command 'stpe'; did you mean 'step'?");
    f.err = (struct err) ERR_INIT;
    assert_false(command_string(&f.env, ";;echo a\n# b\n; echo \"c", &f.err));
    assert_string_equal(f.err.text, "command 2: the quote at column 8 is not closed");
    close_fixture(&f);
}

/* The program says what stands in an op's place. */
static void test_listed(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    assert_true(
        command_run(&f.env, "replace L1.mask window 3; op L1.mask; replace gelu relu", &f.err));
    assert_non_null(strstr(f.out.text, " = window(attn.scores_scaled, 3)\n"));
    str_clear(&f.out);
    assert_true(command_run(&f.env, "op L2.gelu; show ablations; clear 1; op L1.mask", &f.err));
    assert_non_null(strstr(f.out.text, " = relu(mlp.pre)\n"));
    assert_non_null(
        strstr(f.out.text, "   1  replace L1.mask: window 3\n   2  replace gelu: relu\n"));
    assert_non_null(strstr(f.out.text, " = mask(attn.scores_scaled)\n"));
    close_fixture(&f);
}

static void test_history(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    journal_begin(&f.env.journal, f.session, "tiny-gpt2");
    assert_true(
        command_run(&f.env, "step 2; layer 1; history; history 1; history \"ay\"", &f.err));
    assert_non_null(strstr(f.out.text, "    1  load \"tiny-gpt2\"\n"
                                       "    2  prompt \"" TEXT "\"\n"
                                       "    3  step 2\n"
                                       "    4  layer 1\n"
                                       "    4  layer 1\n"
                                       "    4  layer 1\n"));
    str_clear(&f.out);
    assert_true(command_run(&f.env, "again 3; again", &f.err));
    assert_non_null(strstr(f.out.text, "step 2\n   2 *"));
    assert_int_equal(run_pc(f.session->run), 6);
    str_clear(&f.out);
    assert_true(command_run(&f.env, "history 2", &f.err));
    assert_string_equal(f.out.text, "    5  step 2\n    6  step 2\n");
    f.env.json = true;
    str_clear(&f.out);
    assert_true(command_run(&f.env, "history 1; again 4", &f.err));
    assert_non_null(strstr(f.out.text,
                           "{\"command\": \"history 1\", \"result\": {\"commands\": "
                           "[{\"number\": 6, \"line\": \"step 2\"}]}}\n"));
    assert_non_null(strstr(f.out.text, "{\"command\": \"layer 1\""));
    assert_null(strstr(f.out.text, "again"));
    str_clear(&f.out);
    assert_true(command_run(&f.env, "echo \"\xe2\x80\xae\x1b\"", &f.err));
    f.env.json = false;
    str_clear(&f.out);
    assert_true(command_run(&f.env, "calc log(-1); calc -log(-1)", &f.err));
    assert_string_equal(f.out.text, "nan\nnan\n");
    str_clear(&f.out);
    assert_true(command_run(&f.env, "history 3", &f.err)); /* fit for a terminal */
    assert_non_null(strstr(f.out.text, "\\u202e\\x1b"));
    close_fixture(&f);
}

static void test_one_token(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, "T", false);
    assert_true(command_run(&f.env, "run; verify; headscores 1", &f.err));
    assert_non_null(strstr(f.out.text, "the token is computed\n1 position computed again"));
    assert_non_null(
        strstr(f.out.text, "means of so many queries         0         0         0"));
    close_fixture(&f);
}

static void expect_json(struct fixture *f, const char *line, const char *result)
{
    str_clear(&f->out);
    f->err = (struct err) ERR_INIT;
    command_run(&f->env, line, &f->err);
    if (!strstr(f->out.text, result))
        fail_msg("%s gives %s", line, f->out.text);
}

static void test_expect(void **state)
{
    (void) state;
    static const char *const good[] = {
        "expect L0.H3.pattern[7,6] >= 0.98",
        "expect L0.H3.pattern[7,6] = 0.98 within 0.005",
        "expect L0.H3.pattern[7,6] != 0.9",
        "expect L0.H3.scores[6,7] = -inf",
        "expect tok(argmax(logits[last])) = \" thanked\"",
        "expect entropy(L0.H3.pattern[7]) < 0.2 and argmax(L0.H3.pattern[7]) = 6",
        "expect \"n = 10\"",
        "expect prob(\" thanked\") = 0.2355 within 0.00005",
        "expect rank(logits[last], id(\" was\")) = 2",
        "expect entropy(probs[last]) = 1.9 within 0.03",
    };
    struct fixture f;

    open_fixture(&f, TEXT, false);
    assert_true(command_run(&f.env, "run", &f.err));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!command_run(&f.env, good[i], &f.err))
            fail_msg("%s: %s", good[i], f.err.text);
    f.env.json = true;
    expect_json(
        &f, "expect n = 10",
        "\"result\": {\"claim\": \"n = 10\", \"holds\": true, \"left\": \"10\", \"right\": "
        "\"10\"}");
    expect_json(&f, "expect n > 11", "\"error\": \"expected n > 11, but it is 10 and 11\"");
    expect_json(&f, "replace gelu",
                "\"result\": {\"functions\": [{\"name\": \"zero\", \"ops\": [");
    expect_json(&f, "replace gelu relu",
                "{\"ablations\": [{\"number\": 1, \"kind\": \"replace\", \"value\": "
                "\"blocks.0.mlp.post\"");
    expect_json(&f, "replace gelu relu",
                "\"x\": null, \"note\": null, \"text\": \"replace gelu: relu\"");
    expect_json(&f, "replace scale by 8", "\"x\": 8.0, ");
    close_fixture(&f);
}

/* --- completion --- */

static void test_complete(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    /* Inside quotes, and after a line that is joined. */
    completes(f.session, "view \"att", "\"attention\"", "\"attention\"");
    completes(f.session, "set sca", "scale", "scale");
    completes(f.session, "se\\\nt sca", "scale", "scale");
    completes(f.session, "set scale \"r", "\"row-max\"", "\"row-max\"");
    completes(f.session, "set tem", "temp", "temp");
    completes(f.session, "set hea ", "duplicate", "thumbs"); /* a name in short */
    /* Values: after commas, in a layer, in a head, in a range. */
    completes(f.session, "dump q,patt", "q,pattern", "q,pattern");
    completes(f.session, "dump logits,L2.H", "logits,L2.H0.", "logits,L2.H5.");
    completes(f.session, "patch L2.H3.p", "L2.H3.pattern", "L2.H3.pattern");
    completes(f.session, "show L2.", "L2.H0.", "L2.attn.q");
    completes(f.session, "show L2.H3.ln", NULL, NULL); /* it has no heads */
    completes(f.session, "show L", "L0.", "L3.");
    completes(f.session, "dump L1-", "L1-2.", "L1-3.");
    completes(f.session, "dump L0-3.patt", "L0-3.pattern", "L0-3.pattern");
    completes(f.session, "dump L*.H*.sc", "L*.H*.scores", "L*.H*.scores_raw");
    /* Places and heads. */
    completes(f.session, "ablate L", "L0.", "L3.");
    completes(f.session, "ablate L2.", "L2.H0", "L2.mlp");
    completes(f.session, "ablate L2.H3.", "L2.H3.edge", "L2.H3.edge");
    completes(f.session, "select L2.H3.s", "L2.H3.scores", "L2.H3.scores_scaled");
    completes(f.session, "scale L1.ml", "L1.mlp", "L1.mlp.post");
    completes(f.session, "edge H", "H0", "H5");
    completes(f.session, "layer ", "0", "last");
    completes(f.session, "head 5", "5", "5");
    completes(f.session, "stage so", "softmax", "softmax");
    /* Ops and functions. */
    completes(f.session, "break L1.so", "L1.softmax", "L1.softmax");
    completes(f.session, "replace la", "layernorm", "layernorm");
    completes(f.session, "replace L2.soft", "L2.softmax", "L2.softmax");
    completes(f.session, "replace gelu ", "erf", "silu");
    completes(f.session, "replace L1.mask ", "none", "window");
    completes(f.session, "replace so ", "hardmax", "uniform");
    /* Tokens: of the prompt, then of the vocabulary. */
    completes(f.session, "append ", "\" Anna\"", "\" ball\"");
    completes(f.session, "append \" thank", "\" thank\"", "\" thanked\"");
    completes(f.session, "append \xc2\xb7thanke", "\xc2\xb7thanked", "\xc2\xb7thanked");
    completes(f.session, "break token \" bal", "\" ball\"", "\" ball\"");
    completes(f.session, "steer 1 1 ma", "ma", "mark");
    /* Models and numbers. */
    completes(f.session, "load tiny", "tiny-gpt2", "tiny-llama");
    assert_true(command_run(&f.env, "run; branch \" blue\" 3; ablate; break L1", &f.err));
    completes(f.session, "branches ", "1", "back");
    completes(f.session, "clear ", "1", "1");
    completes(f.session, "unbreak ", "1", "all");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_forms), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_numbered),    cmocka_unit_test(test_history),
        cmocka_unit_test(test_one_token),   cmocka_unit_test(test_expect),
        cmocka_unit_test(test_listed),      cmocka_unit_test(test_complete),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
