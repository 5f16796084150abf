/* config.json of an HF folder, one key changed at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/model.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder with the weights of `model` and its configuration changed by the members of
 * `change` (null removes a key). */
static struct model *open_changed(const char *model, const char *change, struct err *err)
{
    const char *tests = getenv("TESTS_DIR") ? getenv("TESTS_DIR") : "tests";
    char dir[] = "/tmp/gptscope-test-XXXXXX",
         *good = xasprintf("%s/data/models/%s", tests, model);
    char *whole = realpath(good, NULL), *config, *to;
    json_t *o, *changes = json_parse(change, strlen(change), err);
    struct model *m;
    struct dirent *e;
    DIR *d;

    assert_true(whole && mkdtemp(dir) && changes);
    config = file_join(whole, "config.json");
    o = json_parse_file(config, 1 << 20, err);
    assert_non_null(o);
    assert_int_equal(json_object_update(o, changes), 0);
    to = file_join(dir, "config.json");
    assert_int_equal(json_dump_file(o, to, 0), 0);
    free(to);
    d = opendir(whole);
    assert_non_null(d);
    while ((e = readdir(d))) {
        char *from = file_join(whole, e->d_name);
        to = file_join(dir, e->d_name);
        if (strstr(e->d_name, "safetensors"))
            assert_int_equal(symlink(from, to), 0);
        free(from);
        free(to);
    }
    closedir(d);
    m = model_open(dir, err);
    d = opendir(dir);
    assert_non_null(d);
    while ((e = readdir(d))) {
        to = file_join(dir, e->d_name);
        if (e->d_name[0] != '.')
            assert_int_equal(unlink(to), 0);
        free(to);
    }
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
    json_decref(o);
    json_decref(changes);
    free(config);
    free(whole);
    free(good);
    return m;
}

static const struct {
    const char *model, *change, *part; /* part of the message */
} refused[] = {
    {"small-gpt2", "{\"activation_function\": \"relu\"}", "activation_function 'relu'"},
    {"small-gpt2", "{\"activation_function\": 7}", "'activation_function'"},
    {"small-gpt2", "{\"n_inner\": 33}", "h.0.mlp.c_fc.weight"},
    {"small-gpt2", "{\"scale_attn_weights\": false}", "'scale_attn_weights' is false"},
    {"small-gpt2", "{\"scale_attn_by_inverse_layer_idx\": true}", "by_inverse_layer_idx"},
    {"small-gpt2", "{\"add_cross_attention\": true}", "'add_cross_attention' is true"},
    {"small-gpt2", "{\"tie_word_embeddings\": false}", "'lm_head.weight' (lm_head) is missing"},
    {"small-gpt2", "{\"tie_word_embeddings\": \"no\"}", "'tie_word_embeddings'"},
    {"small-gpt2", "{\"n_layer\": 1}", "has no place in a gpt2 model of 1 layers"},
    {"small-gpt2", "{\"n_positions\": null}", "'n_positions' is missing"},
    {"small-gpt2", "{\"n_embd\": 2147483647, \"n_head\": 1}", "d_model is 2147483647"},
    {"small-gpt2", "{\"layer_norm_epsilon\": 0}", "norm_eps is 0"},
    {"small-gpt2", "{\"layer_norm_epsilon\": \"1e-5\"}", "'layer_norm_epsilon'"},
    {"small-gpt2", "{\"model_type\": \"llama\"}", "'num_hidden_layers' is missing"},
    {"small-gpt2", "{\"model_type\": null, \"architectures\": [\"X\"]}", "model type 'X'"},
    {"small-gpt2", "{\"model_type\": null, \"architectures\": \"X\"}", "neither"},
    {"small-llama", "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}", "'linear'"},
    {"small-llama", "{\"rope_scaling\": {\"rope_type\": \"llama3\"}}", "'llama3'"},
    {"small-llama", "{\"rope_scaling\": 2}", "'rope_scaling' is not an object"},
    {"small-llama", "{\"rope_parameters\": {\"rope_theta\": -1}}", "rope_theta is -1"},
    {"small-llama", "{\"rope_theta\": 0}", "rope_theta is 0"},
    {"small-llama", "{\"attention_bias\": true}", "'attention_bias' is true"},
    {"small-llama", "{\"mlp_bias\": true}", "'mlp_bias' is true"},
    {"small-llama", "{\"hidden_act\": \"gelu\"}", "hidden_act 'gelu'"},
    {"small-llama", "{\"head_dim\": 6}", "q_proj.weight"},
    {"small-llama", "{\"head_dim\": 5}", "rope_dim is 5"},
    {"small-llama", "{\"num_attention_heads\": 3}", "'hidden_size' 16 is not a multiple"},
    {"small-llama", "{\"num_key_value_heads\": 3}", "n_kv_head 3"},
    {"small-llama", "{\"num_key_value_heads\": 1}", "k_proj.weight"},
};

static void test_refused(void **state)
{
    size_t i;

    (void) state;
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct err err = ERR_INIT;
        struct model *m = open_changed(refused[i].model, refused[i].change, &err);
        if (m)
            fail_msg("%s: accepted", refused[i].change);
        if (!strstr(err.text, refused[i].part))
            fail_msg("%s: '%s' does not say '%s'", refused[i].change, err.text,
                     refused[i].part);
    }
}

static struct model *open_ok(const char *model, const char *change)
{
    struct err err = ERR_INIT;
    struct model *m = open_changed(model, change, &err);

    if (!m)
        fail_msg("%s: %s", change, err.text);
    return m;
}

static void check_act(const char *change, enum act_kind act)
{
    struct model *m = open_ok("small-gpt2", change);

    assert_int_equal(model_hparams(m)->act, act);
    model_free(m);
}

static void test_gpt2(void **state)
{
    (void) state;
    check_act("{}", ACT_GELU_TANH);
    check_act("{\"activation_function\": \"gelu\"}", ACT_GELU_ERF);
    check_act("{\"activation_function\": \"gelu_pytorch_tanh\"}", ACT_GELU_TANH);
    check_act("{\"activation_function\": null}", ACT_GELU_TANH);
    check_act("{\"n_inner\": 32}", ACT_GELU_TANH);
    check_act("{\"model_type\": null}", ACT_GELU_TANH);
    check_act("{\"tie_word_embeddings\": null}", ACT_GELU_TANH);
}

static void check_theta(const char *change, float theta)
{
    struct model *m = open_ok("small-llama", change);
    const struct hparams *hp = model_hparams(m);

    assert_true(hp->rope_theta == theta);
    assert_int_equal(hp->d_head, 4);
    assert_int_equal(hp->rope_dim, 4);
    assert_false(hp->qk_interleaved);
    model_free(m);
}

static void test_llama(void **state)
{
    struct model *a = open_ok("small-llama", "{}");
    struct model *b = open_ok("small-llama", "{\"tie_word_embeddings\": true}");

    (void) state;
    check_theta("{\"rope_theta\": 5000}", 5000);
    check_theta("{\"rope_theta\": null}", 10000);
    check_theta("{\"rope_theta\": null, \"rope_parameters\": "
                "{\"rope_type\": \"default\", \"rope_theta\": 500000}}",
                500000);
    check_theta("{\"rope_scaling\": {\"type\": \"default\"}}", 10000);
    check_theta("{\"head_dim\": 4}", 10000);
    /* Tied: the head is the embedding, whatever else the file holds. */
    assert_int_equal(model_n_weights(b), model_n_weights(a) - 1);
    assert_ptr_not_equal(model_matrix(a, W_LM_HEAD, -1)->data,
                         model_matrix(a, W_TOK_EMBD, -1)->data);
    assert_ptr_equal(model_matrix(b, W_LM_HEAD, -1)->data,
                     model_matrix(b, W_TOK_EMBD, -1)->data);
    model_free(a);
    model_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gpt2),
        cmocka_unit_test(test_llama),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
