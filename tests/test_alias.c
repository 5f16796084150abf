/* What others' names stand for, and the shape of the model that a dump alone tells. */
#include "base/mem.h"
#include "engine/dumped.h"
#include "own_dump.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { POS = 7 };
static char path[] = "/tmp/gptscope-alias-XXXXXX";

/* --- names --- */

// clang-format off
static const struct {
    int arch;
    const char *name, *value; /* NULL: none */
    enum alias_of of;
} names[] = {
    {ARCH_GPT2, "blocks.1.attn.q", "blocks.1.attn.q", ALIAS_OWN},
    {ARCH_GPT2, "blocks.1.attn.hook_q", "blocks.1.attn.q", ALIAS_TLENS},
    {ARCH_GPT2, "blocks.1.attn.hook_attn_scores", "blocks.1.attn.scores", ALIAS_TLENS},
    {ARCH_GPT2, "blocks.0.hook_resid_pre", "blocks.0.resid_pre", ALIAS_TLENS},
    {ARCH_GPT2, "hook_embed", "embed", ALIAS_TLENS},
    {ARCH_GPT2, "ln_final.hook_scale", "ln_final.scale", ALIAS_TLENS},
    {ARCH_GPT2, "hidden_states.0", "blocks.0.resid_pre", ALIAS_HF},
    {ARCH_GPT2, "hidden_states_1", "blocks.0.resid_post", ALIAS_HF},
    {ARCH_GPT2, "hidden_states[2]", "ln_final.out", ALIAS_HF},
    {ARCH_GPT2, "hidden_states.3", NULL, ALIAS_OWN},
    {ARCH_GPT2, "attentions_1", "blocks.1.attn.pattern", ALIAS_HF},
    {ARCH_GPT2, "attentions.2", NULL, ALIAS_OWN},
    {ARCH_GPT2, "last_hidden_state", "ln_final.out", ALIAS_HF},
    {ARCH_GPT2, "input_ids", "tokens", ALIAS_HF},
    {ARCH_GPT2, "transformer.h.1.mlp", "blocks.1.mlp_out", ALIAS_HF},
    {ARCH_GPT2, "h.1.mlp.c_fc.output", "blocks.1.mlp.pre", ALIAS_HF},
    {ARCH_GPT2, "transformer.h.0", "blocks.0.resid_post", ALIAS_HF},
    {ARCH_GPT2, "transformer.h.0.ln_2", "blocks.0.ln2.out", ALIAS_HF},
    {ARCH_GPT2, "transformer.h.0.attn.c_attn", "blocks.0.attn.q", ALIAS_HF},
    {ARCH_GPT2, "past_key_values.1.key", "blocks.1.attn.k", ALIAS_HF},
    {ARCH_GPT2, "transformer.ln_f", "ln_final.out", ALIAS_HF},
    {ARCH_GPT2, "transformer.h.99999999999999999999.mlp", NULL, ALIAS_OWN},
    {ARCH_GPT2, "model.layers.0.mlp.gate_proj", "blocks.0.mlp.pre", ALIAS_HF},
    {ARCH_GPT2, "model.layers.0.mlp.up_proj", NULL, ALIAS_OWN},
    {ARCH_LLAMA, "model.layers.0.mlp.up_proj", "blocks.0.mlp.pre_linear", ALIAS_HF},
    {ARCH_LLAMA, "model.embed_tokens", "embed", ALIAS_HF},
    {ARCH_LLAMA, "model.layers.1.self_attn.o_proj", "blocks.1.attn_out", ALIAS_HF},
    {ARCH_LLAMA, "model.layers.1.post_attention_layernorm", "blocks.1.ln2.out", ALIAS_HF},
    {ARCH_LLAMA, "model.norm", "ln_final.out", ALIAS_HF},
    {ARCH_LLAMA, "past_key_values.0.key", "blocks.0.attn.rot_k", ALIAS_HF},
    {ARCH_LLAMA, "l_out-1", "blocks.1.resid_post", ALIAS_LLAMA_CPP},
    {ARCH_LLAMA, "Qcur-0", "blocks.0.attn.rot_q", ALIAS_LLAMA_CPP},
    {ARCH_GPT2, "Qcur-0 (reshaped)", "blocks.0.attn.q", ALIAS_LLAMA_CPP},
    {ARCH_GPT2, "kq_soft_max-1", "blocks.1.attn.pattern", ALIAS_LLAMA_CPP},
    {ARCH_GPT2, "ffn_up-0", "blocks.0.mlp.pre", ALIAS_LLAMA_CPP},
    {ARCH_LLAMA, "ffn_up-0", "blocks.0.mlp.pre_linear", ALIAS_LLAMA_CPP},
    {ARCH_LLAMA, "result_output", "logits", ALIAS_LLAMA_CPP},
    {ARCH_LLAMA, "l_out-2", NULL, ALIAS_OWN},
    {ARCH_LLAMA, "l_out-x", NULL, ALIAS_OWN},
    {ARCH_LLAMA, "", NULL, ALIAS_OWN},
    {ARCH_LLAMA, "my_tensor", NULL, ALIAS_OWN},
};

/* Arrays of single heads. */
static const struct {
    int arch;
    const char *name, *value; /* NULL: none */
    enum alias_of of;
    int head;
} heads[] = {
    {ARCH_GPT2, "L1.H2.attn.pattern", "blocks.1.attn.pattern", ALIAS_OWN, 2},
    {ARCH_GPT2, "L0.H0.attn.k", "blocks.0.attn.k", ALIAS_OWN, 0},
    {ARCH_GPT2, "blocks.1.attn.pattern.0", "blocks.1.attn.pattern", ALIAS_OWN, 0},
    {ARCH_GPT2, "blocks.1.attn.hook_pattern.2", "blocks.1.attn.pattern", ALIAS_TLENS, 2},
    {ARCH_LLAMA, "L1.H3.attn.rot_q", "blocks.1.attn.rot_q", ALIAS_OWN, 3},
    {ARCH_LLAMA, "L1.H1.attn.rot_k", "blocks.1.attn.rot_k", ALIAS_OWN, 1},
    {ARCH_LLAMA, "cache.1.k.1", "cache.1.k", ALIAS_OWN, 1},
    {ARCH_LLAMA, "L1.H2.attn.rot_k", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L1.H3.attn.pattern", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L2.H0.attn.pattern", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L1.H.attn.pattern", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L1.H99999999999999999999.attn.z", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L1.H0.mlp.post", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "L1.H0.blocks.1.attn.q", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "blocks.1.mlp_out.0", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "blocks.1.attn.pattern.3", NULL, ALIAS_OWN, -1},
    {ARCH_GPT2, "blocks.1.attn.pattern.", NULL, ALIAS_OWN, -1},
};
// clang-format on

static void shape_of(int arch, struct hparams *hp)
{
    if (arch == ARCH_GPT2)
        rig_gpt2(hp, 2, 3, 8);
    else
        rig_llama(hp, 2, 4, 2, 8);
}

static void open_rig(struct rig *g, int arch, int32_t *ids)
{
    struct hparams hp;
    shape_of(arch, &hp);
    rig_make(g, &hp, DTYPE_F32, &(struct run_options){0});
    rig_ids(ids, POS, hp.n_vocab, 9);
    rig_feed(g->run, ids, POS);
}

static void test_names(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err err = ERR_INIT;
        struct hparams hp;
        struct alias a;
        shape_of(names[i].arch, &hp);
        struct program *p = program_of_shape(&hp, &err);
        assert_non_null(p);
        bool found = alias_find(p, names[i].name, &a);
        const char *value = found ? p->value[a.value].name : NULL;
        if (found != (names[i].value != NULL) || (found && strcmp(value, names[i].value) != 0))
            fail_msg("'%s' is %s", names[i].name, found ? value : "nothing");
        assert_true(!found || a.of == names[i].of);
        assert_true(!found || a.head == -1);
        program_free(p);
    }
}

static void test_head_names(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct err err = ERR_INIT;
        struct hparams hp;
        struct alias a;
        shape_of(heads[i].arch, &hp);
        struct program *p = program_of_shape(&hp, &err);
        assert_non_null(p);
        bool found = alias_find(p, heads[i].name, &a);
        const char *value = found ? p->value[a.value].name : NULL;
        if (found != (heads[i].value != NULL) ||
            (found && (strcmp(value, heads[i].value) != 0 || a.head != heads[i].head ||
                       a.of != heads[i].of)))
            fail_msg("'%s' is %s, head %d", heads[i].name, found ? value : "nothing", a.head);
        program_free(p);
    }
}

/* --- shapes of models from dumps alone --- */

static void test_shape(void **state)
{
    static const enum own_file file[] = {OWN_NPZ, OWN_NPZ_PACKED, OWN_SAFETENSORS};
    (void) state;
    for (int arch = 0; arch < ARCH_COUNT; arch++)
        for (int whose = 0; whose < OWN_NAMES; whose++) {
            struct err err = ERR_INIT;
            struct rig g;
            struct ref ref = {0};
            struct hparams hp;
            int32_t ids[POS];
            open_rig(&g, arch, ids);
            ref_forward(&ref, g.model, ids, POS, NULL, NULL);
            struct own_dump own = {path, (enum own_names) whose, file[whose], OWN_F32};
            own_dump_write(&own, &ref, &g.program->hp);
            struct arrays *a = arrays_open(path, NULL, &err);
            assert_non_null(a);
            dumped_shape(a, NULL, &hp);
            assert_int_equal(hp.arch, arch);
            assert_int_equal(hp.n_layer, 2);
            assert_int_equal(hp.d_model, g.program->hp.d_model);
            assert_int_equal(hp.d_mlp, 64);
            assert_int_equal(hp.n_head, g.program->hp.n_head);
            struct program *p = program_of_shape(&hp, &err);
            if (!p)
                fail_msg("%s", err.text);
            program_free(p);
            arrays_free(a);
            ref_release(&ref);
            rig_close(&g);
        }
}

/* Names and shapes that fit nothing still give a shape that a program takes. */
static void test_odd_shapes(void **state)
{
    static const struct {
        const char *name;
        int shape[3], n_dims;
    } odd[] = {{"blocks.0.attn.q", {3, 16777215, 1}, 2},
               {"blocks.300.attn.q", {2, 3, 5}, 3},
               {"blocks.0.attn.pattern", {7, 2, 2}, 3},
               {"blocks.0.attn.k", {1, 99999, 2}, 3},
               {"embed", {4, 7, 1}, 2},
               {"logits", {3, 1, 1}, 1},
               {"x", {0, 0, 0}, 3},
               {"blocks.0.attn.z", {2, 17000, 3}, 3}};
    (void) state;
    for (int arch = 0; arch < 2; arch++)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            struct err err = ERR_INIT;
            struct hparams hp;
            struct str npy = STR_INIT;
            size_t n = 1;
            for (int k = 0; k < odd[i].n_dims; k++)
                n *= (size_t) odd[i].shape[k];
            struct own_zip *z = own_zip_open(path, true);
            char *zeros = xcalloc(n + 1, 1);
            own_npy(&npy, "|u1", false, odd[i].shape, odd[i].n_dims, zeros, n);
            own_zip_add(z, odd[i].name, &npy);
            if (arch)
                own_zip_add(z, "blocks.0.attn.rot_q", &npy);
            own_zip_close(z);
            struct arrays *a = arrays_open(path, NULL, &err);
            if (!a)
                fail_msg("%s", err.text);
            dumped_shape(a, a, &hp);
            struct program *p = program_of_shape(&hp, &err);
            if (!p)
                fail_msg("%s: %s", odd[i].name, err.text);
            program_free(p);
            arrays_free(a);
            str_release(&npy);
            free(zeros);
        }
}

static int enter(void **state)
{
    (void) state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int leave(void **state)
{
    (void) state;
    return unlink(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_head_names),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_odd_shapes),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
