/* The numbers in results are those of the session: read back from it, or worked out here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "result_fixture.h"
#include "session/diff.h"
#include "session/sheet.h"
#include "session/worked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

/* --- tokens, logits --- */

static void check_surprisal(const struct session *s, const json_t *token, int pos)
{
    int n = s->program->hp.n_vocab, id = s->ids.id[pos], rank = 1;
    float *logits = xcalloc((size_t) n, sizeof *logits);
    double sum = 0;

    assert_true(session_logits_after(s, pos - 1, logits));
    for (int i = 0; i < n; i++) {
        sum += exp((double) logits[i] - (double) logits[id]);
        rank += logits[i] > logits[id];
    }
    near("surprisal", number_at(token, "surprisal"), log(sum));
    near("bits", number_at(token, "bits"), log2(sum));
    assert_int_equal(int_at(token, "rank"), rank);
    free(logits);
}

static void test_tokens(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        open_json(&f, models[m], TEXT);
        json_t *all = result_of(&f, "run; generate 3; tokens");
        assert_int_equal(json_array_size(at(all, "tokens")), f.session->ids.n);
        for (int i = 0; i < f.session->ids.n; i++) {
            const json_t *token = json_array_get(at(all, "tokens"), (size_t) i);
            assert_int_equal(int_at(token, "position"), i);
            assert_int_equal(int_at(token, "id"), f.session->ids.id[i]);
            assert_int_equal(json_is_true(at(token, "added")), i >= f.session->n_prompt);
            assert_string_equal(text_at(token, "state"),
                                i < f.session->ids.n - 1 ? "computed" : "waiting");
            if (i == 0)
                assert_true(null_at(token, "surprisal") && null_at(token, "rank"));
            else
                check_surprisal(f.session, token, i);
        }
        assert_int_equal(int_at(all, "n_pending"), 1);
        assert_string_equal(text_at(all, "tokens/5/text"),
                            m == 0 ? " ball" : text_at(all, "tokens/5/text"));
        json_decref(all);
        close_fixture(&f);
    }
    print_worst("tokens");
}

static void test_logits(void **state)
{
    (void) state;
    struct fixture f;
    struct sample_trace t;

    open_json(&f, "tiny-llama", TEXT);
    int n = f.session->program->hp.n_vocab;
    float *logits = xcalloc((size_t) n, sizeof *logits);
    json_t *got = result_of(&f, "run; set temp 0.7; set top-k 4; logits 6");
    assert_true(session_logits(f.session, logits));
    sample_trace_of(&t, logits, n, &f.session->set.sampler);
    assert_int_equal(json_array_size(at(got, "candidates")), 6);
    assert_int_equal(json_array_size(at(got, "stages")), 3);
    assert_string_equal(text_at(got, "stages/2/name"), sample_stage_name(SAMPLE_TOP_K));
    assert_int_equal(int_at(got, "stages/2/kept"), 4);
    near("entropy", number_at(got, "stages/1/entropy"), t.entropy[SAMPLE_TEMP]);
    assert_int_equal(int_at(got, "after/position"), f.session->ids.n - 1);
    assert_true(null_at(got, "follows"));
    for (int i = 0; i < 6; i++) {
        const json_t *c = json_array_get(at(got, "candidates"), (size_t) i);
        int id = (int) int_at(c, "id");
        assert_int_equal(int_at(c, "rank"), i + 1);
        assert_int_equal(id, t.candidate[i].id);
        same_float("logit", at(c, "logit"), logits[id]);
        near("raw", number_at(c, "prob/0"), t.candidate[i].prob[SAMPLE_RAW]);
        near("temp", number_at(c, "prob/1"), t.candidate[i].prob[SAMPLE_TEMP]);
        near("top-k", number_at(c, "prob/2"), t.candidate[i].prob[SAMPLE_TOP_K]);
    }
    near("cut", number_at(got, "candidates/4/prob/2"), 0);
    json_decref(got);
    sample_trace_release(&t);
    free(logits);
    close_fixture(&f);
    print_worst("logits");
}

static void test_generate(void **state)
{
    (void) state;
    struct fixture f;
    struct str text = STR_INIT;

    open_json(&f, "tiny-gpt2", TEXT);
    int n = f.session->ids.n;
    json_t *got = result_of(&f, "set seed 5; generate 4");
    assert_int_equal(json_array_size(at(got, "tokens")), 4);
    for (int i = 0; i < 4; i++) {
        const json_t *token = json_array_get(at(got, "tokens"), (size_t) i);
        assert_int_equal(int_at(token, "position"), n + i);
        assert_int_equal(int_at(token, "id"), f.session->ids.id[n + i]);
        double u = number_at(token, "draw/u"), low = number_at(token, "draw/low");
        assert_true(u >= low && u < number_at(token, "draw/high"));
        near("p", number_at(token, "draw/high") - low, number_at(token, "draw/p"));
        str_adds(&text, text_at(token, "text"));
    }
    assert_string_equal(text_at(got, "text"), text.text);
    assert_int_equal(int_at(got, "next/index"), 0);
    json_decref(got);
    got = result_of(&f, "set temp 0; generate");
    assert_true(null_at(got, "tokens/0/draw"));
    json_decref(got);
    str_release(&text);
    close_fixture(&f);
}

/* --- values --- */

/* A list of rows against a region of a value with the head's axis at `head`. */
static void check_rows(const struct session *s, const json_t *data, int value, int head,
                       int row, int rows, int col, int cols)
{
    struct sheet t;
    struct err err = ERR_INIT;
    float *x = xcalloc((size_t) rows * (size_t) cols, sizeof *x);

    sheet_init(&t, s, value, head);
    if (!sheet_read(&t, s, row, rows, col, cols, x, &err))
        fail_msg("%s", err.text);
    assert_int_equal(json_array_size(data), rows);
    for (int r = 0; r < rows; r++) {
        const json_t *line = json_array_get(data, (size_t) r);
        assert_int_equal(t.col_axis < 0 ? 1 : (int) json_array_size(line), cols);
        for (int c = 0; c < cols; c++)
            same_float(s->program->value[value].name,
                       t.col_axis < 0 ? line : json_array_get(line, (size_t) c),
                       x[r * cols + c]);
    }
    free(x);
}

static void check_value(struct fixture *f, const char *line)
{
    const struct session *s = f->session;
    json_t *got = result_of(f, line);

    for (size_t i = 0; i < json_array_size(at(got, "values")); i++) {
        const json_t *v = json_array_get(at(got, "values"), i);
        int value = program_find(s->program, text_at(v, "value"));
        int head = null_at(v, "head") ? -1 : (int) int_at(v, "head");
        bool one = json_array_size(at(v, "axes")) == 1;
        assert_true(value >= 0);
        assert_int_equal(int_at(v, "axes/0/size"), run_ready(s->run, value));
        check_rows(s, at(v, "data"), value, head, (int) int_at(v, "axes/0/first"),
                   (int) int_at(v, "axes/0/count"), one ? 0 : (int) int_at(v, "axes/1/first"),
                   one ? 1 : (int) int_at(v, "axes/1/count"));
    }
    json_decref(got);
}

static void test_values(void **state)
{
    (void) state;
    static const char *const lines[] = {"show L1.H2.pattern",
                                        "show L*.H*.scores",
                                        "show L0.attn.scores_raw",
                                        "show tokens,blocks.0.ln1.mean,blocks.0.ln1.scale",
                                        "show probs",
                                        "show ln_final.out 3",
                                        "query 4; show probs 2",
                                        "show cache.1.k",
                                        "show L2.attn.k",
                                        "show L2.attn.z",
                                        "show L*.attn.result",
                                        "show L*.mlp.*",
                                        "show resid_post 1"};

    for (int m = 0; m < 2; m++) {
        struct fixture f;
        open_json(&f, models[m], TEXT);
        json_decref(result_of(&f, "run"));
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (m == 0 || !strstr(lines[i], "ln1.mean"))
                check_value(&f, lines[i]);
        json_t *got = result_of(&f, "query 8; show L1.H2.scores 3");
        assert_int_equal(int_at(got, "values/0/axes/0/first"), 6);
        assert_int_equal(int_at(got, "values/0/axes/0/count"), 3);
        assert_int_equal(int_at(got, "values/0/axes/1/count"), 10);
        assert_int_equal(int_at(got, "values/0/statistics/n"), 100);
        assert_int_equal(int_at(got, "values/0/statistics/n_infinite"), 45);
        assert_true(null_at(got, "values/0/data/0/9"));
        json_decref(got);
        got = result_of(&f, "value L1.mlp.post; query 3; column 7");
        struct region one = {{3, 7, 0}, {1, 1, 1}};
        float *x =
            read_region(f.session, program_value(f.session->program, 1, "mlp.post"), &one);
        same_float("cell", at(got, "number"), *x);
        free(x);
        json_decref(got);
        close_fixture(&f);
    }
}

/* --- one element, worked --- */

static void check_worked(struct fixture *f, const char *line)
{
    struct session *s = f->session;
    json_t *got = result_of(f, line);
    int value, cell[3];
    struct worked w;

    assert_true(session_subject(s, &value, cell));
    assert_true(worked_cell(s, value, cell, &w, &f->err));
    assert_string_equal(text_at(got, "value"), s->program->value[value].name);
    near("result", number_at(got, "result"), w.result);
    same_float("actual", at(got, "actual"), (float) w.actual);
    near("explained", number_at(got, "result"), number_at(got, "actual"));
    assert_false(json_is_true(at(got, "differs")));
    assert_int_equal(json_object_size(at(got, "numbers")), w.n_facts);
    for (size_t i = 0; i < json_array_size(at(got, "tables")); i++) {
        const json_t *t = json_array_get(at(got, "tables"), i);
        double sum = number_at(t, "rest");
        for (size_t k = 0; k < json_array_size(at(t, "terms")); k++)
            sum += number_at(json_array_get(at(t, "terms"), k), "product");
        near("sum", sum, number_at(t, "sum"));
    }
    for (int i = 0; i < w.n_lines; i++)
        assert_true(strpbrk(text_at(got, "lines/0"), "\1\2\3") == NULL);
    worked_release(&w);
    json_decref(got);
}

static void test_explain(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        open_json(&f, models[m], TEXT);
        json_decref(result_of(&f, "run"));
        check_worked(&f, "explain L1.H2.scores_raw 8,6");
        check_worked(&f, "explain L1.H2.pattern 8,6");
        check_worked(&f, "explain L1.ln1.out 3,4");
        check_worked(&f, "explain L2.attn_out 3,4");
        check_worked(&f, "explain L2.mlp.post 3,4");
        check_worked(&f, "explain resid_mid 3,4");
        check_worked(&f, "explain L0.H1.z 7,4");
        check_worked(&f, "explain logits 4,100");
        check_worked(&f, "explain probs 4,100");
        check_worked(&f, m ? "explain L1.H2.rot_q 5,9" : "explain pos_embed 5,9");
        json_t *got = result_of(&f, "explain L1.H2.pattern 8,6");
        double score = number_at(got, "numbers/score"), max = number_at(got, "numbers/max");
        near("weight", exp(score - max) / number_at(got, "numbers/sum_of_exps"),
             number_at(got, "actual"));
        near("scaled", number_at(got, "numbers/raw") / sqrt(f.session->program->hp.d_head),
             number_at(got, "numbers/scaled"));
        assert_int_equal(int_at(got, "cell/query"), 8);
        assert_int_equal(int_at(got, "cell/key"), 6);
        json_decref(got);
        got = result_of(&f, "explain L1.ln1.out 3,4");
        double y = number_at(got, "numbers/x") - (m == 0 ? number_at(got, "numbers/mean") : 0);
        y = y / number_at(got, "numbers/scale") * number_at(got, "numbers/gain") +
            (m == 0 ? number_at(got, "numbers/bias") : 0);
        near("norm", y, number_at(got, "actual"));
        json_decref(got);
        close_fixture(&f);
    }
    print_worst("explain");
}

/* --- the pass, changes, comparisons --- */

static void check_op(const struct session *s, const json_t *op, int i)
{
    const struct program *p = s->program;
    struct str name = STR_INIT;

    op_name(p, i, &name);
    assert_int_equal(int_at(op, "index"), i);
    assert_string_equal(text_at(op, "name"), name.text);
    assert_string_equal(text_at(op, "label"), p->op[i].label);
    assert_string_equal(text_at(op, "opcode"), op_info(p->op[i].code)->name);
    assert_int_equal(json_array_size(at(op, "inputs")), p->op[i].n_in);
    assert_int_equal(json_array_size(at(op, "outputs")), p->op[i].n_out);
    assert_string_equal(text_at(op, "outputs/0"), p->value[p->op[i].out[0]].name);
    assert_int_equal(json_array_size(at(op, "shape")), p->value[p->op[i].out[0]].n_axis);
    if (p->op[i].layer >= 0)
        assert_int_equal(int_at(op, "layer"), p->op[i].layer);
    str_release(&name);
}

static void test_ops(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-llama", TEXT);
    json_t *got = result_of(&f, "break L2.softmax; run");
    int op = run_pc(f.session->run);
    check_op(f.session, at(got, "next"), op);
    assert_string_equal(text_at(got, "next/name"), "L2.softmax");
    assert_string_equal(text_at(got, "next/breakpoint"), "set");
    assert_string_equal(text_at(got, "breakpoint"), "breakpoint 1: L2.softmax");
    assert_int_equal(int_at(got, "pass/ops_done"), op);
    json_decref(got);
    got = result_of(&f, "step 2");
    assert_int_equal(json_array_size(at(got, "ops")), 2);
    check_op(f.session, at(got, "ops/0"), op);
    check_op(f.session, at(got, "ops/1"), op + 1);
    check_op(f.session, at(got, "next"), op + 2);
    json_decref(got);
    got = result_of(&f, "show program");
    assert_int_equal(json_array_size(at(got, "ops")), f.session->program->n_steps);
    for (int i = 0; i < f.session->program->n_steps; i++) {
        const json_t *row = json_array_get(at(got, "ops"), (size_t) i);
        check_op(f.session, row, i);
        assert_string_equal(text_at(row, "state"), i < op + 2    ? "done"
                                                   : i == op + 2 ? "next"
                                                                 : "waiting");
    }
    json_decref(got);
    close_fixture(&f);
}

static void test_changes(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-gpt2", TEXT);
    json_decref(result_of(&f, "run; mark before; ablate L1.H2; ablate edge 8,6"));
    json_t *got = result_of(&f, "patch L1.resid_post add 0.5 3");
    assert_int_equal(json_array_size(at(got, "ablations")), 3);
    assert_string_equal(text_at(got, "ablations/0/kind"), "zero");
    assert_string_equal(text_at(got, "ablations/0/value"), "blocks.1.attn.z");
    assert_int_equal(int_at(got, "ablations/0/head"), 2);
    assert_true(null_at(got, "ablations/0/axes/0/count") && null_at(got, "ablations/0/x"));
    assert_string_equal(text_at(got, "ablations/1/kind"), "set");
    assert_int_equal(int_at(got, "ablations/1/axes/2/first"), 6);
    near("x", number_at(got, "ablations/2/x"), 0.5);
    assert_int_equal(int_at(got, "ablations/2/axes/0/first"), 3);
    json_decref(got);

    struct diff d;
    got = result_of(&f, "compare on; select L3.H1.softmax; show compare");
    assert_true(diff_open(&d, f.session, &f.err));
    struct region map = {{1, 0, 0}, {1, 10, 10}};
    float x[100], most = 0;
    assert_true(
        diff_read(&d, program_value(f.session->program, 3, "attn.pattern"), &map, x, &f.err));
    for (int i = 0; i < 100; i++) {
        const json_t *row = json_array_get(at(got, "map/difference"), (size_t) (i / 10));
        same_float("difference", json_array_get(row, (size_t) (i % 10)), x[i]);
        most = fmaxf(most, fabsf(x[i]));
    }
    same_float("largest", at(got, "heads/heads/19/largest"), most);
    assert_string_equal(text_at(got, "mark/label"), "before");
    assert_int_equal(int_at(got, "now/n_ablations"), 3);
    assert_true(number_at(got, "logits/kl") > 0);
    assert_true(number_at(got, "residual/layers/3/change") > 0);
    json_t *heads = result_of(&f, "show heads");
    assert_true(json_equal(at(heads, "heads"), at(got, "heads/heads")));
    json_decref(heads);
    json_decref(got);
    close_fixture(&f);
    print_worst("changes");
}

static void test_settings_and_model(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-llama", TEXT);
    json_t *got = result_of(&f, "set temp 0.5");
    near("temp", number_at(got, "value"), 0.5);
    json_decref(got);
    got = result_of(&f, "set top-k 7; set mouse");
    assert_true(json_is_true(at(got, "value")));
    json_decref(got);
    got = result_of(&f, "cycle scale");
    assert_string_equal(text_at(got, "value"), "log");
    json_decref(got);
    got = result_of(&f, "set top-k");
    assert_int_equal(int_at(got, "value"), 7);
    json_decref(got);
    got = result_of(&f, "info");
    const struct hparams *hp = &f.session->program->hp;
    assert_int_equal(int_at(got, "hyper_parameters/n_kv_head"), hp->n_kv_head);
    assert_int_equal(int_at(got, "hyper_parameters/d_mlp"), hp->d_mlp);
    json_int_t sum = 0;
    const char *name;
    json_t *n;
    json_object_foreach((json_t *) at(got, "parameters"), name, n)
    {
        if (strcmp(name, "total") && strcmp(name, "12_n_layer_d_model2"))
            sum += json_integer_value(n);
    }
    assert_int_equal(int_at(got, "parameters/total"), sum);
    json_decref(got);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_logits),
        cmocka_unit_test(test_generate), cmocka_unit_test(test_values),
        cmocka_unit_test(test_explain),  cmocka_unit_test(test_ops),
        cmocka_unit_test(test_changes),  cmocka_unit_test(test_settings_and_model),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
