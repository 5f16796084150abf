/* Names of values: every form that is accepted, and what is said to those that are not. */
#include "base/str.h"
#include "engine/select.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N(a) ((int) (sizeof(a) / sizeof *(a)))

static struct rig gpt2, llama; /* 4 layers; 4 heads, and 4 heads on 2 key heads */

static int open_rigs(void **state)
{
    struct hparams hp;
    (void) state;
    rig_gpt2(&hp, 4, 4, 8);
    rig_make(&gpt2, &hp, DTYPE_F32, &(struct run_options){0});
    rig_llama(&hp, 4, 4, 2, 8);
    rig_make(&llama, &hp, DTYPE_F32, &(struct run_options){0});
    return 0;
}

static int close_rigs(void **state)
{
    (void) state;
    rig_close(&gpt2);
    rig_close(&llama);
    return 0;
}

/* "blocks.0.attn.q blocks.0.attn.k:H1", with ":H" for a single head */
static void list(struct str *out, const struct selection *s, const struct program *p)
{
    for (int i = 0; i < s->n; i++) {
        str_addf(out, "%s%s", i ? " " : "", p->value[s->item[i].value].name);
        if (s->item[i].head >= 0)
            str_addf(out, ":H%d", s->item[i].head);
    }
}

struct row {
    const char *text, *want;
};

static void check_rows(const struct program *p, const struct row *row, int n)
{
    for (int i = 0; i < n; i++) {
        struct err err = ERR_INIT;
        struct selection s;
        struct str got = STR_INIT;
        if (!selection_parse(&s, p, row[i].text, &err))
            fail_msg("'%s': %s", row[i].text, err.text);
        list(&got, &s, p);
        if (strcmp(got.text, row[i].want) != 0)
            fail_msg("'%s' is '%s' and not '%s'", row[i].text, got.text, row[i].want);
        str_release(&got);
        selection_release(&s);
        assert_int_equal(s.n, 0);
    }
}

static void test_names_and_globs(void **state)
{
    (void) state;
    static const struct row rows[] = {
        {"logits", "logits"},
        {"blocks.2.attn.pattern", "blocks.2.attn.pattern"},
        {"blocks.1.resid_pre", "blocks.1.resid_pre"},
        {"blocks.*.attn.z", "blocks.0.attn.z blocks.1.attn.z blocks.2.attn.z blocks.3.attn.z"},
        {"blocks.?.mlp_out",
         "blocks.0.mlp_out blocks.1.mlp_out blocks.2.mlp_out blocks.3.mlp_out"},
        {"blocks.[13].attn.q", "blocks.1.attn.q blocks.3.attn.q"},
        {"*embed", "embed pos_embed"},
        {"cache.*.v", "cache.0.v cache.1.v cache.2.v cache.3.v"},
        {"blocks.0.ln2.*", "blocks.0.ln2.out blocks.0.ln2.normalized blocks.0.ln2.scale "
                           "blocks.0.ln2.mean"},
        /* program order, no doubles, blanks and empty parts skipped */
        {"logits, embed,,blocks.0.attn.q , embed,*.0.attn.q,", "embed blocks.0.attn.q logits"},
    };
    check_rows(gpt2.program, rows, N(rows));
}

static void test_short_forms(void **state)
{
    (void) state;
    static const struct row rows[] = {
        {"L2.attn.pattern", "blocks.2.attn.pattern"},
        {"L2.pattern", "blocks.2.attn.pattern"},
        {"L0.post", "blocks.0.mlp.post"},
        {"L0.resid_post", "blocks.0.resid_post"},
        {"L0-2.attn.q", "blocks.0.attn.q blocks.1.attn.q blocks.2.attn.q"},
        {"L1-1.q", "blocks.1.attn.q"},
        {"L*.mlp_out", "blocks.0.mlp_out blocks.1.mlp_out blocks.2.mlp_out blocks.3.mlp_out"},
        {"L3.H1.pattern", "blocks.3.attn.pattern:H1"},
        {"L3.H3.attn.z", "blocks.3.attn.z:H3"},
        {"L0-1.H1-2.z", "blocks.0.attn.z:H1 blocks.0.attn.z:H2 blocks.1.attn.z:H1 "
                        "blocks.1.attn.z:H2"},
        {"L0.H*.pattern", "blocks.0.attn.pattern"},
        {"L1.H0.k", "blocks.1.attn.k:H0"},
        {"L1.ln1.s*", "blocks.1.ln1.scale"},
        {"L0.H1.pattern,L0.pattern", "blocks.0.attn.pattern"},
        {"L0.H2.pattern,L0.H1.pattern,L0.H2.pattern",
         "blocks.0.attn.pattern:H1 blocks.0.attn.pattern:H2"},
        {"L0.H1.attn.scores_*", "blocks.0.attn.scores_raw:H1 blocks.0.attn.scores_scaled:H1"},
        {"L0.H1.attn*", "blocks.0.attn.q:H1 blocks.0.attn.k:H1 blocks.0.attn.v:H1 "
                        "blocks.0.attn.scores_raw:H1 blocks.0.attn.scores_scaled:H1 "
                        "blocks.0.attn.scores:H1 blocks.0.attn.pattern:H1 blocks.0.attn.z:H1 "
                        "blocks.0.attn.result:H1"},
    };
    check_rows(gpt2.program, rows, N(rows));
}

static void test_transformerlens(void **state)
{
    (void) state;
    static const struct row rows[] = {
        {"hook_embed", "embed"},
        {"hidden_states.2", "blocks.1.resid_post"},
        {"attentions.3,transformer.h.0.mlp", "blocks.0.mlp_out blocks.3.attn.pattern"},
        {"hook_pos_embed", "pos_embed"},
        {"blocks.0.hook_resid_pre", "blocks.0.resid_pre"},
        {"blocks.1.hook_resid_mid", "blocks.1.resid_mid"},
        {"blocks.0.ln1.hook_scale", "blocks.0.ln1.scale"},
        {"blocks.0.ln1.hook_normalized", "blocks.0.ln1.normalized"},
        {"blocks.0.attn.hook_q", "blocks.0.attn.q"},
        {"blocks.3.attn.hook_attn_scores", "blocks.3.attn.scores"},
        {"blocks.*.attn.hook_attn_scores", "blocks.0.attn.scores blocks.1.attn.scores "
                                           "blocks.2.attn.scores blocks.3.attn.scores"},
        {"blocks.0.attn.hook_pattern", "blocks.0.attn.pattern"},
        {"blocks.0.attn.hook_result", "blocks.0.attn.result"},
        {"blocks.0.hook_attn_out", "blocks.0.attn_out"},
        {"blocks.0.mlp.hook_pre", "blocks.0.mlp.pre"},
        {"blocks.0.hook_mlp_out", "blocks.0.mlp_out"},
        {"ln_final.hook_normalized", "ln_final.normalized"},
        {"unembed.hook_out", "logits"},
    };
    check_rows(gpt2.program, rows, N(rows));
}

static void test_llama_cpp(void **state)
{
    (void) state;
    static const struct row plain[] = {
        {"inp_embd", "embed"},
        {"pos_embd", "pos_embed"},
        {"Qcur-0", "blocks.0.attn.q"},
        {"Kcur-1", "blocks.1.attn.k"},
        {"ffn_up-2", "blocks.2.mlp.pre"},
        {"ffn_gelu-2", "blocks.2.mlp.post"},
        {"attn_out-1", "blocks.1.attn_out"},
        {"l_out-*", "blocks.0.resid_post blocks.1.resid_post blocks.2.resid_post "
                    "blocks.3.resid_post"},
        {"kq_soft_max-0-1", "blocks.0.attn.pattern blocks.1.attn.pattern"},
    };
    static const struct row gated[] = {
        {"Qcur-0", "blocks.0.attn.rot_q"},
        {"Kcur-3", "blocks.3.attn.rot_k"},
        {"Vcur-0", "blocks.0.attn.v"},
        {"attn_norm-0", "blocks.0.ln1.out"},
        {"kq-1", "blocks.1.attn.scores_raw"},
        {"kq_soft_max-2", "blocks.2.attn.pattern"},
        {"kqv_out-0", "blocks.0.attn.z"},
        {"ffn_inp-0", "blocks.0.resid_mid"},
        {"ffn_norm-0", "blocks.0.ln2.out"},
        {"ffn_gate-0", "blocks.0.mlp.pre"},
        {"ffn_up-0", "blocks.0.mlp.pre_linear"},
        {"ffn_silu-0", "blocks.0.mlp.act"},
        {"ffn_out-0", "blocks.0.mlp_out"},
        {"result_norm", "ln_final.out"},
        {"result_output", "logits"},
    };
    check_rows(gpt2.program, plain, N(plain));
    check_rows(llama.program, gated, N(gated));
}

static void test_errors(void **state)
{
    (void) state;
    static const struct row rows[] = {
        {"blocks.0.attn.patern",
         "no value 'blocks.0.attn.patern'; did you mean blocks.0.attn.pattern?"},
        {"logit", "no value 'logit'; did you mean logits?"},
        {"embed,Logits", "no value 'Logits'; did you mean logits?"},
        {"attn.pattern", "no value 'attn.pattern'; did you mean blocks.*.attn.pattern?"},
        {"pattern", "no value 'pattern'; did you mean blocks.*.attn.pattern?"},
        {"L1.patern", "no value 'L1.patern'; did you mean L1.attn.pattern?"},
        {"L1.H2.atn.pattern", "no value 'L1.H2.atn.pattern'; did you mean L1.attn.pattern?"},
        {"L0.out", "'L0.out': say which one: ln1.out or ln2.out"},
        {"xyzzy", "no value 'xyzzy'; names are like blocks.0.attn.pattern, L0.H1.pattern, "
                  "logits"},
        {"blocks.*.attn.paterns*", "no value matches 'blocks.*.attn.paterns*'; did you mean "
                                   "blocks.0.attn.pattern or blocks.1.attn.pattern or "
                                   "blocks.2.attn.pattern?"},
        {"L4.pattern", "'L4.pattern': no layer 4; the model has layers 0 to 3"},
        {"L2-9.pattern", "'L2-9.pattern': no layer 9; the model has layers 0 to 3"},
        {"blocks.7.attn.q", "'blocks.7.attn.q': no layer 7; the model has layers 0 to 3"},
        {"l_out-4", "'l_out-4': no layer 4; the model has layers 0 to 3"},
        {"L0.H4.pattern", "'L0.H4.pattern': no head 4 in blocks.0.attn.pattern, which has "
                          "heads 0 to 3"},
        {"L0.H0.mlp_out", "'L0.H0.mlp_out': blocks.0.mlp_out has no heads"},
        {"L0.H1", "'L0.H1': a head is named as in L0.H1.pattern"},
        {"ffn_silu-0", "'ffn_silu-0': this family of models has no such value"},
        {"", "no value is named; names are like blocks.*.attn.pattern,logits"},
        {" , ,", "no value is named; names are like blocks.*.attn.pattern,logits"},
    };
    for (int i = 0; i < N(rows); i++) {
        struct err err = ERR_INIT;
        struct selection s;
        assert_false(selection_parse(&s, gpt2.program, rows[i].text, &err));
        assert_string_equal(err.text, rows[i].want);
        assert_int_equal(s.n, 0);
        assert_null(s.item);
    }
    struct err err = ERR_INIT;
    struct selection s;
    assert_false(selection_parse(&s, llama.program, "L0.H2.k", &err));
    assert_non_null(strstr(err.text, "heads 0 to 1"));
}

/* Nothing that a user can type may do worse than be refused. */
static void test_odd_texts(void **state)
{
    (void) state;
    static const char *const odd[] = {
        "L",
        "L.",
        "L0",
        "L0.",
        "L0.H",
        "L0.H.",
        "L0.H1.",
        "L-1.q",
        "L99999999999999999999.q",
        "L3-1.q",
        "L0-.q",
        "L*",
        "L*.H*",
        "hook_",
        ".",
        "..",
        "[",
        "blocks.[",
        "\x1b[2J",
        "\xff\xfe",
        "blocks.99999999999999999999.q",
        "Qcur-",
        "Qcur",
        "Qcur--1",
        "kq-99999999999",
        "%s%n",
        "blocks..q",
        "L0.H0-99999.q",
    };
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (int i = 0; i <= N(odd); i++) {
        struct err err = ERR_INIT;
        struct selection s;
        const char *text = i < N(odd) ? odd[i] : longest;
        if (selection_parse(&s, gpt2.program, text, &err))
            fail_msg("'%s' named something", text);
        assert_true(strlen(err.text) > 0);
        for (const char *c = err.text; *c; c++)
            assert_true((unsigned char) *c >= 0x20);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_globs), cmocka_unit_test(test_short_forms),
        cmocka_unit_test(test_transformerlens), cmocka_unit_test(test_llama_cpp),
        cmocka_unit_test(test_errors),          cmocka_unit_test(test_odd_texts),
    };
    return cmocka_run_group_tests(tests, open_rigs, close_rigs);
}
