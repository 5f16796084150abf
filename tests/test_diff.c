/* diff and patch ... from FILE in a session, and gptscope diff as a user runs it: what is
 * printed, as text and as data, exit statuses, and the messages for what cannot be compared. */
#include "base/mem.h"
#include "command_fixture.h"
#include "faults.h"
#include "own_dump.h"
#include "shell.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- in a session --- */

static char *run_lines(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
    return f->out.text;
}

static float *logits(struct fixture *f)
{
    float *x = xcalloc((size_t) f->session->program->hp.n_vocab, sizeof *x);
    assert_true(session_logits(f->session, x));
    return x;
}

static double apart(struct fixture *f, const float *x)
{
    double most = 0;
    float *now = logits(f);
    for (int i = 0; i < f->session->program->hp.n_vocab; i++)
        most = fmax(most, fabs((double) (now[i] - x[i])));
    free(now);
    return most;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void test_diff_command(void **state)
{
    struct fixture f;
    (void) state;
    open_fixture(&f, TEXT, false);
    run_lines(&f, "run; dump * pass.npz");
    const char *text = run_lines(&f, "diff pass.npz");
    assert_safe(text);
    assert_true(has(text, "\nthe same: 113 values over 10 positions within 0.0001"));
    /* in the middle of a pass: what there is by then */
    text = run_lines(&f, "truncate 6; append 282; until L1.softmax; diff pass.npz");
    assert_true(has(text, "\nblocks.1.attn.scores         6x7x7"));
    assert_true(has(text, "\nblocks.1.attn.pattern        6x6x6"));
    assert_true(has(text, "\nthe same: "));
    text = run_lines(&f, "prompt " TEXT "; run; ablate L1.H2; diff pass.npz");
    assert_true(has(text, "\nfirst to differ: blocks.1.attn.z at ["));
    assert_true(
        has(text, "made by L1.mix: mix(attn.pattern, attn.v), z_i = sum_j pattern_ij v_j"));
    assert_true(has(text,
                    "  what comes before agrees: blocks.1.attn.v and blocks.1.attn.pattern, "
                    "so look at this op"));
    assert_true(has(text, "\n  only head 2 of 6\n"));
    text = run_lines(&f, "diff pass.npz 1000");
    assert_true(has(text, "the same: 113 values over 10 positions within 1000"));
    close_fixture(&f);
}

static void test_diff_data(void **state)
{
    struct fixture f;
    (void) state;
    open_fixture(&f, TEXT, false);
    run_lines(&f, "run; dump L1.* pass.npz; ablate mlp 1");
    f.env.json = true;
    json_t *line = json_loads(run_lines(&f, "diff pass.npz"), 0, NULL);
    json_t *result = json_object_get(line, "result"), *first = json_object_get(result, "first");
    assert_true(json_is_false(json_object_get(result, "same")));
    assert_string_equal(json_string_value(json_object_get(first, "name")), "blocks.1.mlp_out");
    assert_string_equal(json_string_value(json_object_get(first, "op")), "L1.mlp_down");
    assert_int_equal(json_array_size(json_object_get(first, "suspects")), 1);
    assert_int_equal(json_array_size(json_object_get(first, "at")), 2);
    assert_true(json_array_size(json_object_get(result, "values")) > 20);
    json_decref(line);
    close_fixture(&f);
}

/* Numbers out of a dump do what the mark's do. */
static void test_patch_from_dump(void **state)
{
    static const char other[] = "prompt Tom gave the blue hat to Ben. Anna; ";
    static const char *const values[] = {"L1.mlp_out", "L2.attn.z", "L0.H1.pattern",
                                         "L1-2.resid_post", "embed"};
    (void) state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int pos = -1; pos < 6; pos += 6) {
            struct fixture f;
            char line[256], at[16] = "";
            if (pos >= 0)
                snprintf(at, sizeof at, " %d", pos);
            open_fixture(&f, TEXT, false);
            run_lines(&f, other);
            run_lines(&f, "run; mark; dump * pass.npz; prompt " TEXT "; run");
            float *plain = logits(&f);
            snprintf(line, sizeof line, "patch %s from mark%s", values[i], at);
            run_lines(&f, line);
            float *marked = logits(&f);
            run_lines(&f, "clear");
            assert_true(apart(&f, plain) < 1e-5);
            snprintf(line, sizeof line, "patch %s from pass.npz%s", values[i], at);
            assert_true(has(run_lines(&f, line), ", from pass.npz\n"));
            double off = apart(&f, marked), moved = apart(&f, plain);
            printf("%-16s%-3s off by %.2g of %.2g\n", values[i], at, off, moved);
            assert_true(off < 1e-5);
            assert_true(moved > 1e-3);
            free(plain);
            free(marked);
            close_fixture(&f);
        }
}

/* One position goes anywhere; an own remade run has it again. */
static void test_patch_one_position(void **state)
{
    struct fixture f;
    struct str npy = STR_INIT;
    int shape[] = {1, 192};
    float row[192] = {3, 4};
    (void) state;
    open_fixture(&f, TEXT, false);
    own_npy(&npy, "<f4", false, shape, 2, row, sizeof row);
    FILE *file = fopen("mlp.npy", "wb");
    assert_int_equal(fwrite(npy.text, 1, npy.len, file), npy.len);
    fclose(file);
    run_lines(&f, "run; patch L2.mlp_out from mlp.npy 6");
    struct region g = {{6, 0, 0}, {1, 192, 1}};
    float got[192];
    int value = program_find(f.session->program, "blocks.2.mlp_out");
    assert_true(run_read(f.session->run, value, &g, got, &f.err));
    assert_memory_equal(got, row, sizeof row);
    str_release(&npy);
    close_fixture(&f);
}

/* --- the verb --- */

struct example {
    const char *line;
    int status;
    const char *out, *err; /* exact; NULL: not looked at; "~text": has this in it */
};

#define BALL "Tom gave the red ball to Anna. Anna"

// clang-format off
static const struct example examples[] = {
    {"gptscope dump -p '" BALL "' --select '*' -o a.npz && gptscope diff a.npz -m tiny-gpt2 -q", 0,
     "~the same: 113 values over 10 positions within 0.0001", ""},
    {"gptscope diff tiny-gpt2 a.npz -q", 0, "~the same: 113 values", ""},
    {"gptscope diff a.npz tiny-gpt2 -p '" BALL "' -q", 0, "~the same: 113 values", ""},
    {"gptscope diff a.npz a.npz | head -n 2", 0, "A: a.npz\nB: a.npz\n", ""},
    {"gptscope diff a.npz a.npz -m tiny-gpt2 -q", 0, "~the same: 113 values", ""},
    {"gptscope diff $TESTS_DIR/data/golden/tiny-gpt2.short.npz tiny-gpt2 -q", 0, "~the same: 69 values", ""},
    {"gptscope diff $TESTS_DIR/data/golden/tiny-llama.short.npz tiny-llama -q", 0, "~the same: 84 values", ""},
    {"gptscope diff $TESTS_DIR/data/golden/tiny-gpt2.long.npz tiny-gpt2 -q", 0, "~over 221 positions", ""},
    {"gptscope diff $TESTS_DIR/data/golden/tiny-gpt2.long.npz tiny-gpt2 | grep only", 0,
     "only in A: logits_last, ln_f_last, logits_argmax, logits_max\n", ""},
    {"gptscope diff a.npz a.npz --all | grep -c ok", 0, "113\n", ""},

    /* two models */
    {"gptscope diff tiny-gpt2 tiny-gpt2 -p '" BALL "' -q", 0, "~the same: 102 values", ""},
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom", 1, "~misfit: head is 6 in A and 8 in B", ""},
    {"gptscope diff tiny-gpt2 tiny-llama --ids 51,370 -q", 1, "~first to differ: embed at [", ""},
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom -q --tol 100", 1, "~44 cannot be compared: their shapes do not fit", ""},

    /* a part of the values, a prefix of the tokens */
    {"gptscope diff a.npz tiny-gpt2 --select L1.pattern,logits | grep -c ok", 0, "2\n", ""},
    {"gptscope diff a.npz tiny-gpt2 -p 'Tom gave the red' | sed -n 3p", 0,
     "A goes on for 5 more tokens: the first 5 positions are compared\n", ""},
    {"gptscope dump -p '" BALL "' --select logits --no-sidecar -o l.npy && gptscope diff l.npy tiny-gpt2 -p '" BALL "' --value logits -q",
     0, "~the same: 1 value over 10 positions", ""},

    /* pictures */
    {"gptscope diff a.npz tiny-gpt2 --select L0.pattern -q --picture - | sed -n '2,4p'", 0,
     "~A - B of blocks.0.attn.pattern, head ", ""},
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom -q --picture d.svg >/dev/null; grep -c '<svg' d.svg", 0, "1\n", ""},
    {"gptscope diff a.npz tiny-gpt2 -q --picture d.txt >/dev/null; grep -c 'across' d.txt", 0, "1\n", ""},
    {"gptscope diff a.npz tiny-gpt2 -q --picture d.bmp", 1, NULL,
     "gptscope: 'd.bmp' does not end like a picture: .txt, .ansi, .html, .svg or .png\n"},

    /* usage */
    {"gptscope diff", 2, "",
     "gptscope: two sides are compared, each a dump or a model: gptscope diff A.npz B.npz, or "
     "gptscope diff A.npz -m MODEL; see gptscope help diff\n"},
    {"gptscope diff a.npz", 2, "", "~two sides are compared"},
    {"gptscope diff -m tiny-gpt2", 2, "", "~two sides are compared"},
    {"gptscope diff a.npz b.npz c.npz", 2, "",
     "gptscope: there are two sides, and 'c.npz' is the third; see gptscope help diff\n"},
    {"gptscope diff tiny-gpt2 tiny-llama", 2, "",
     "gptscope: two models need a prompt: -p TEXT or --ids IDS; see gptscope help diff\n"},
    {"gptscope diff tiny-gpt2 tiny-llama -m tiny-gpt2 -p x", 2, "",
     "gptscope: three sides are given, with the model of -m; see gptscope help diff\n"},
    {"gptscope diff a.npz a.npz -p x", 2, "",
     "gptscope: a prompt is given, but no model to run it; see gptscope help diff\n"},
    {"gptscope diff a.npz tiny-gpt2 -p x --ids 1", 2, "",
     "gptscope: a text and --ids are given; one of them says the prompt; see gptscope help diff\n"},
    {"gptscope diff a.npz tiny-gpt2 --tol small", 2, "",
     "gptscope: option '--tol' needs a number above 0, not 'small'; see gptscope help diff\n"},
    {"gptscope diff a.npz tiny-gpt2 --tol nan", 2, "", "~option '--tol' needs a number above 0"},
    {"gptscope diff a.npz tiny-gpt2 --all -q", 2, "",
     "gptscope: --all and --quiet cannot both be; see gptscope help diff\n"},
    {"gptscope diff l.npy tiny-gpt2 -p x", 2, "",
     "gptscope: 'l.npy' does not say which value it holds; --value logits, for one; see gptscope "
     "help diff\n"},

    /* failures */
    {"gptscope diff missing.npz tiny-gpt2", 1, "",
     "gptscope: 'missing.npz': no such file, folder or built-in model\n"},
    {"echo hello >t.npz; gptscope diff t.npz tiny-gpt2", 1, "",
     "gptscope: 't.npz': not a dump: neither npz, npy nor safetensors by its first bytes\n"},
    {"gptscope diff a.npz tiny-gpt2 -p 'Tom gave the blue'", 1, "",
     "gptscope: the tokens differ at position 4: 786 \xc2\xb7red in A, 787 \xc2\xb7" "blue in B; give both "
     "the same prompt\n"},
    {"gptscope dump --ids 51,370,379 --select logits -o p.npz && gptscope diff p.npz tiny-gpt2 --ids 1,51,370,379", 1, "",
     "gptscope: the tokens differ at position 0: 51 T in A, 1 \" in B; B has one more in "
     "front (a beginning-of-text token?)\n"},
    {"gptscope diff l.npy tiny-gpt2 -p Tom --value logits", 1, "",
     "gptscope: 'l.npy' has 10 positions and the other side 2; it holds no tokens to tell which are "
     "the same\n"},
    {"gptscope diff l.npy tiny-gpt2 --value logits", 1, "",
     "gptscope: 'l.npy' holds no tokens; say which they are with -p TEXT or --ids IDS\n"},
    {"gptscope diff l.npy tiny-gpt2 -p Tom --value something", 1, "~A: l.npy",
     "gptscope: nothing is compared: A has something, B has not; 'gptscope help values' lists the "
     "names that are known\n"},
    {"gptscope diff a.npz tiny-gpt2 --select logit", 1, "", "gptscope: no value 'logit'; did you mean logits?\n"},
    {"gptscope diff a.npz tiny-gpt2 -p ''", 1, "", "~the prompt has no tokens"},
    {"gptscope diff a.npz tiny-gpt2 >/dev/full", 1, NULL, "~No space left on device"},
    {"gptscope diff a.npz tiny-gpt2 | head -n 1", 0, "A: a.npz\n", ""},
};
// clang-format on

static bool agrees(const char *want, const struct str *got)
{
    if (!want)
        return true;
    if (want[0] == '~')
        return strstr(got->text, want + 1) != NULL;
    return strcmp(want, got->text) == 0;
}

static void test_verb(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        struct ran r = shell("%s", e->line);
        if (r.status != e->status || !agrees(e->out, &r.out) || !agrees(e->err, &r.err))
            fail_msg("%s\n  status %d\n  stdout: %.600s\n  stderr: %.400s", e->line, r.status,
                     r.out.text, r.err.text);
        ran_release(&r);
    }
}

/* A dump with a planted error, as its maker would look for it: one command. */
static void test_verb_finds(void **state)
{
    const struct fault *fault = faults;
    struct err err = ERR_INIT;
    struct ref ref = {0};
    int32_t ids[] = {51, 370, 379, 259, 786, 1256};
    (void) state;
    while (strcmp(fault->name, "W_O transposed"))
        fault++;
    struct model *m = model_open(fault->model, &err);
    fault_forward(&ref, m, fault, ids, 6);
    own_dump_write(&(struct own_dump){"own.safetensors", OWN_TLENS, OWN_SAFETENSORS, OWN_F32},
                   &ref, model_hparams(m));
    struct ran r = shell("gptscope diff own.safetensors -m %s", fault->model);
    assert_int_equal(r.status, 1);
    assert_true(has(r.out.text, "\nfirst to differ: blocks.1.attn_out at ["));
    assert_true(has(r.out.text,
                    " times the tolerance); made by L1.out_proj: linear(attn.z), x W^T + b, "
                    "with h.1.attn.c_proj.weight\n"));
    assert_true(has(r.out.text,
                    "  what comes before agrees: blocks.1.attn.z, so look at this op, its "
                    "weights and what they are\n"));
    assert_true(has(r.out.text, "\nread from A: axes of length 1 dropped ("));
    ran_release(&r);
    ref_release(&ref);
    model_free(m);
}

/* --- an implementation in numpy --- */

static char *find_python(void)
{
    struct ran r = shell("for p in python3 /usr/bin/python3; do\n"
                         "  $p -c 'import numpy' && echo $p && exit; done");
    char *python =
        r.status == 0 && r.out.len > 0 ? xstrndup(r.out.text, strcspn(r.out.text, "\n")) : NULL;
    ran_release(&r);
    return python;
}

static const struct {
    const char *fault, *verdict;
} numpy[] = {
    {"", "the same: "},
    {"mask", "first to differ: blocks.0.attn.scores at ["},
    {"scale", "first to differ: blocks.0.attn.scores at ["},
    {"transposed", "first to differ: blocks.0.attn_out at ["},
    {"gelu", "first to differ: blocks.0.mlp.post at ["},
    {"heads", "first to differ: blocks.1.attn.z at ["},
    {"eps", "first to differ: blocks.0.ln1.out at ["},
};

static void test_numpy(void **state)
{
    char *python = find_python();
    (void) state;
    if (!python) {
        print_message("numpy is not installed: skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof numpy / sizeof *numpy; i++) {
        struct ran r =
            shell("%s $TESTS_DIR/own_gpt2.py $TESTS_DIR/data/models/small-gpt2 own.npz %s "
                  "&& gptscope diff own.npz $TESTS_DIR/data/models/small-gpt2 -q",
                  python, numpy[i].fault);
        printf("%-10s  %s", numpy[i].fault, r.out.text);
        if (!has(r.out.text, numpy[i].verdict))
            fail_msg("%s: %s%s", numpy[i].fault, r.out.text, r.err.text);
        ran_release(&r);
    }
    free(python);
}

/* Two dumps of nobody's model: names tell the order, and what has no known name goes along. */
static void test_verb_unknown(void **state)
{
    float x[6] = {1, 2, 3, 4, 5, 6};
    int shape[] = {2, 3};
    (void) state;
    for (int i = 0; i < 2; i++) {
        struct own_zip *z = own_zip_open(i ? "v.npz" : "u.npz", false);
        struct str npy = STR_INIT;
        own_npy(&npy, "<f4", false, shape, 2, x, sizeof x);
        own_zip_add(z, "first_thing", &npy);
        str_clear(&npy);
        x[4] += (float) i;
        own_npy(&npy, "<f4", false, shape, 2, x, sizeof x);
        own_zip_add(z, "second_thing", &npy);
        own_zip_add(z, i ? "mine" : "yours\xe2\x80\xae", &npy);
        own_zip_close(z);
        str_release(&npy);
    }
    struct ran r = shell("gptscope diff u.npz v.npz");
    assert_int_equal(r.status, 1);
    assert_true(has(r.out.text, "\nfirst_thing                  2x3"));
    assert_true(has(r.out.text, "\nfirst to differ: second_thing at [1,1] A has 5, B 6 ("));
    assert_true(has(r.out.text, "\nonly in A: yours\\u202e\nonly in B: mine\n"));
    ran_release(&r);
}

int main(void)
{
    const struct CMUnitTest session[] = {
        cmocka_unit_test(test_diff_command),
        cmocka_unit_test(test_diff_data),
        cmocka_unit_test(test_patch_from_dump),
        cmocka_unit_test(test_patch_one_position),
    };
    const struct CMUnitTest verb[] = {
        cmocka_unit_test(test_verb),
        cmocka_unit_test(test_verb_finds),
        cmocka_unit_test(test_verb_unknown),
        cmocka_unit_test(test_numpy),
    };
    return cmocka_run_group_tests(session, fixture_setup, fixture_teardown) +
           cmocka_run_group_tests(verb, shell_enter, shell_leave);
}
