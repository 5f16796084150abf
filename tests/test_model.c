/* Models: built in, from GGUF, from HF folders, from a seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/builtin.h"
#include "model/model.h"
#include "model/roles.h"
#include "model/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *data_path(const char *name)
{
    const char *dir = getenv("TESTS_DIR");

    return xasprintf("%s/data/%s", dir ? dir : "tests", name);
}

static struct model *open_ok(const char *spec)
{
    struct err err = ERR_INIT;
    struct model *m = model_open(spec, &err);

    if (!m)
        fail_msg("%s", err.text);
    return m;
}

static struct model *open_data(const char *name)
{
    char *path = data_path(name);
    struct model *m = open_ok(path);

    free(path);
    return m;
}

static long long n_params(const struct model *m)
{
    long long n = 0;
    int i;

    for (i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        n += (long long) w.rows * w.cols;
    }
    return n;
}

/* Every weight of the family is there with its shape, and no other is. */
static void check_complete(const struct model *m)
{
    const struct hparams *hp = model_hparams(m);
    int role, layer;

    for (layer = -1; layer < hp->n_layer; layer++)
        for (role = 0; role < W_COUNT; role++) {
            const struct role *r = &roles[role];
            bool there = r->global == (layer < 0) && role_in((enum weight_role) role, hp->arch);
            const struct matrix *w = model_matrix(m, (enum weight_role) role, layer);
            const float *v = model_vector(m, (enum weight_role) role, layer);
            assert_int_equal(w != NULL, there && !r->vector);
            assert_int_equal(v != NULL, there && r->vector);
            if (!w)
                continue;
            assert_int_equal(w->n_out, role_dim(hp, r->rows));
            assert_int_equal(w->n_in, role_dim(hp, r->cols));
        }
}

static void test_builtin_gpt2(void **state)
{
    struct model *m = open_ok("tiny-gpt2");
    const struct hparams *hp = model_hparams(m);

    (void) state;
    check_complete(m);
    assert_int_equal(hp->arch, ARCH_GPT2);
    assert_int_equal(hp->n_layer, 4);
    assert_int_equal(hp->d_model, 192);
    assert_int_equal(hp->n_head, 6);
    assert_int_equal(hp->d_head, 32);
    assert_int_equal(hp->n_vocab, 2048);
    assert_int_equal(hp->n_ctx, 256);
    assert_true(hp->tied && hp->learned_pos && !hp->gated && !hp->qk_interleaved);
    assert_int_equal(n_params(m), 2222208);
    assert_string_equal(hp->name, "tiny-gpt2");
    assert_string_equal(model_path(m), "tiny-gpt2");
    assert_int_equal(model_source(m), MODEL_GGUF);
    assert_non_null(model_gguf(m));
    assert_int_equal(model_matrix(m, W_Q, 0)->dtype, DTYPE_F16);
    model_free(m);
}

static void test_builtin_llama(void **state)
{
    struct model *m = open_ok("tiny-llama");
    const struct hparams *hp = model_hparams(m);

    (void) state;
    check_complete(m);
    assert_int_equal(hp->arch, ARCH_LLAMA);
    assert_int_equal(hp->n_head, 8);
    assert_int_equal(hp->n_kv_head, 2);
    assert_int_equal(hp->d_head, 24);
    assert_int_equal(hp->rope_dim, 24);
    assert_int_equal(hp->d_mlp, 512);
    assert_true(hp->tied && hp->gated && hp->qk_interleaved && !hp->learned_pos);
    assert_true(hp->rope_theta == 10000);
    assert_int_equal(n_params(m), 1943232);
    model_free(m);
}

static void test_builtin_table(void **state)
{
    (void) state;
    assert_string_equal(builtins[0].name, "tiny-gpt2");
    assert_ptr_equal(builtin_find("tiny-llama"), &builtins[1]);
    assert_null(builtin_find("tiny"));
    assert_null(builtins[2].name);
    assert_int_equal((uintptr_t) builtins[0].data % 64, 0);
    assert_int_equal((uintptr_t) builtins[1].data % 64, 0);
}

/* --- the same weights in two formats --- */

/* Row of a llama's q or k in HF's order of channels: GGUF permutes the rows of a head. */
static int file_row(const struct hparams *hp, int role, int row)
{
    int half = hp->rope_dim / 2, channel = row % hp->d_head;

    if (!hp->qk_interleaved || (role != W_Q && role != W_K) || channel >= hp->rope_dim)
        return row;
    return row - channel + 2 * (channel % half) + channel / half;
}

static float largest_difference(const struct model *a, const struct model *b)
{
    const struct hparams *hp = model_hparams(a);
    float most = 0, *x = xcalloc(1 << 16, sizeof *x), *y = xcalloc(1 << 16, sizeof *y);
    int role, layer, i, j;

    for (layer = -1; layer < hp->n_layer; layer++)
        for (role = 0; role < W_COUNT; role++) {
            const struct matrix *w = model_matrix(a, (enum weight_role) role, layer);
            const struct matrix *u = model_matrix(b, (enum weight_role) role, layer);
            const float *v = model_vector(a, (enum weight_role) role, layer);
            const float *t = model_vector(b, (enum weight_role) role, layer);
            assert_int_equal(w != NULL, u != NULL);
            assert_int_equal(v != NULL, t != NULL);
            for (i = 0; w && i < w->n_out; i++) {
                matrix_row(w, file_row(hp, role, i), x);
                matrix_row(u, file_row(model_hparams(b), role, i), y);
                for (j = 0; j < w->n_in; j++)
                    most = fmaxf(most, fabsf(x[j] - y[j]));
            }
            for (i = 0; v && i < role_dim(hp, roles[role].rows); i++)
                most = fmaxf(most, fabsf(v[i] - t[i]));
        }
    free(x);
    free(y);
    return most;
}

static void check_same(const char *gguf, const char *hf)
{
    struct model *a = open_data(gguf), *b = open_data(hf);

    check_complete(a);
    check_complete(b);
    assert_int_equal(model_source(b), MODEL_HF);
    assert_non_null(model_folder(b));
    assert_int_equal(n_params(a), n_params(b));
    assert_true(largest_difference(a, b) == 0);
    model_free(a);
    model_free(b);
}

static void test_same_gpt2(void **state)
{
    (void) state;
    check_same("models/small-gpt2.gguf", "models/small-gpt2");
    check_same("models/small-gpt2.gguf", "models/small-gpt2/model.safetensors");
}

static void test_same_llama(void **state)
{
    (void) state;
    check_same("models/small-llama.gguf", "models/small-llama");
}

/* The HF folders that the built-in files were made from lie beside the project, or not. */
static void check_original(const char *name)
{
    const char *dir = getenv("TESTS_DIR");
    char *path = xasprintf("%s/../../shared/models/%s", dir ? dir : "tests", name);
    struct model *a, *b;

    if (!file_is_dir(path)) {
        print_message("skipped: %s is not there\n", path);
        free(path);
        skip();
    }
    a = open_ok(name);
    b = open_ok(path);
    assert_true(largest_difference(a, b) == 0);
    model_free(a);
    model_free(b);
    free(path);
}

static void test_original_gpt2(void **state)
{
    (void) state;
    check_original("tiny-gpt2");
}

static void test_original_llama(void **state)
{
    (void) state;
    check_original("tiny-llama");
}

/* --- errors --- */

static void check_refused(const char *spec, const char *part)
{
    struct err err = ERR_INIT;
    struct model *m = model_open(spec, &err);

    assert_null(m);
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
}

static void test_refused(void **state)
{
    char *config = data_path("models/small-gpt2/config.json");

    (void) state;
    check_refused("no-such-model", "tiny-gpt2, tiny-llama");
    check_refused("/dev/null", "/dev/null");
    check_refused(config, "not a GGUF file");
    check_refused("/", "config.json");
    free(config);
}

/* --- shapes and synthetic models --- */

static void check_shape(const char *spec, long long params)
{
    struct hparams hp;
    struct err err = ERR_INIT;

    if (!shape_parse(&hp, spec, &err))
        fail_msg("%s", err.text);
    assert_string_equal(hp.name, spec);
    if (params) {
        struct model *m = model_synth(&hp, DTYPE_F16, 1, &err);
        if (!m)
            fail_msg("%s", err.text);
        check_complete(m);
        assert_int_equal(n_params(m), params);
        model_free(m);
    }
}

static void test_shapes(void **state)
{
    const struct shape *s;
    struct hparams hp;
    struct err err = ERR_INIT;

    (void) state;
    for (s = shapes; s->name; s++)
        check_shape(s->name, 0);
    check_shape("tiny-gpt2", 2222208);
    check_shape("tiny-llama", 1943232);
    check_shape("gpt2:n_layer=1,n_vocab=100,n_ctx=16", 7178496);
    assert_true(shape_parse(&hp, "gpt2:d_model=64,n_head=2", &err));
    assert_int_equal(hp.d_head, 32);
    assert_int_equal(hp.n_kv_head, 2);
    assert_int_equal(hp.d_mlp, 256);
    assert_true(shape_parse(&hp, "llama-1b", &err));
    assert_int_equal(hp.n_head * hp.d_head, 2048);
}

static void check_bad_shape(const char *spec, const char *part)
{
    struct hparams hp;
    struct err err = ERR_INIT;

    assert_false(shape_parse(&hp, spec, &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
}

static void test_bad_shapes(void **state)
{
    (void) state;
    check_bad_shape("gpt5", "gpt2-medium");
    check_bad_shape("gpt2:n_layers=2", "n_layer");
    check_bad_shape("gpt2:n_layer", "n_layer");
    check_bad_shape("gpt2:n_layer=", "number");
    check_bad_shape("gpt2:n_layer=2x", "number");
    check_bad_shape("gpt2:n_layer=99999999999999999999", "number");
    check_bad_shape("gpt2:n_layer=-1", "number");
    check_bad_shape("gpt2:", "n_layer");
    check_bad_shape("gpt2:n_head=7", "n_head 7");
    check_bad_shape("llama-1b:n_kv_head=5", "n_kv_head 5");
    check_bad_shape("llama-1b:d_head=3", "rope_dim");
    check_bad_shape("gpt2:n_head=1000", "d_head");
}

static struct model *synth(const char *spec, enum dtype dtype, unsigned long long seed)
{
    struct hparams hp;
    struct err err = ERR_INIT;
    struct model *m = NULL;

    if (!shape_parse(&hp, spec, &err) || !(m = model_synth(&hp, dtype, seed, &err)))
        fail_msg("%s", err.text);
    return m;
}

static void test_synth(void **state)
{
    struct model *a = synth("tiny-llama", DTYPE_F32, 7), *b = synth("tiny-llama", DTYPE_F32, 7);
    struct model *c = synth("tiny-llama", DTYPE_F32, 8), *d = synth("tiny-llama", DTYPE_F16, 7);
    const struct matrix *w = model_matrix(a, W_TOK_EMBD, -1);
    size_t i, n = (size_t) w->n_out * (size_t) w->n_in;
    double sum = 0, squares = 0, products = 0;
    const float *x = w->data;

    (void) state;
    assert_true(largest_difference(a, b) == 0);
    assert_true(largest_difference(a, c) > 0.05f);
    assert_true(largest_difference(a, d) < 1e-4f);
    for (i = 0; i < n; i++) {
        sum += x[i];
        squares += (double) x[i] * x[i];
        products += (double) x[i] * x[(i + 1) % n];
    }
    assert_true(fabs(sum / (double) n) < 2e-4);
    assert_true(fabs(sqrt(squares / (double) n) / 0.02 - 1) < 0.01);
    assert_true(fabs(products / squares) < 0.01);
    assert_true(model_vector(a, W_LN1_GAIN, 0)[5] == 1);
    assert_int_equal(model_source(a), MODEL_SYNTH);
    assert_null(model_gguf(a));
    model_free(a);
    model_free(b);
    model_free(c);
    model_free(d);
}

static void test_synth_blocks(void **state)
{
    struct model *m = synth("tiny-gpt2", DTYPE_Q8_0, 7);
    struct hparams hp;
    struct err err = ERR_INIT;

    (void) state;
    check_complete(m);
    assert_int_equal(model_weight_info(m, 0).bytes, 2048 * 192 / 32 * 34);
    model_free(m);
    assert_true(shape_parse(&hp, "tiny-gpt2:d_model=36", &err));
    assert_null(model_synth(&hp, DTYPE_Q8_0, 7, &err));
    assert_non_null(strstr(err.text, "whole blocks"));
}

/* --- the role table and hyper-parameters --- */

static void test_role_names(void **state)
{
    char buf[ROLE_NAME_SIZE];
    int role;

    (void) state;
    assert_string_equal(role_tensor_name("blk.N.attn_q.weight", 12, buf),
                        "blk.12.attn_q.weight");
    assert_string_equal(role_tensor_name("output.weight", -1, buf), "output.weight");
    assert_true(role_name_matches("h.N.attn.bias", "h.11.attn.bias"));
    assert_false(role_name_matches("h.N.attn.bias", "h..attn.bias"));
    assert_false(role_name_matches("h.N.attn.bias", "h.1.attn.bias2"));
    assert_false(role_name_matches("h.N.attn.bias", "h.1.attn.bia"));
    for (role = 0; role < W_COUNT; role++)
        assert_non_null(weight_role_name((enum weight_role) role));
}

static void test_hparams(void **state)
{
    struct hparams good, hp;
    struct err err = ERR_INIT;

    (void) state;
    assert_true(shape_parse(&good, "tiny-llama", &err));
    hp = good;
    hp.norm_eps = NAN;
    assert_false(hparams_check(&hp, &err));
    hp = good;
    hp.rope_theta = -1;
    assert_false(hparams_check(&hp, &err));
    hp = good;
    hp.n_kv_head = 3;
    assert_false(hparams_check(&hp, &err));
    hp = good;
    hp.n_ctx = 0;
    assert_false(hparams_check(&hp, &err));
    hp = good;
    hp.rope_dim = 26;
    assert_false(hparams_check(&hp, &err));
    assert_non_null(strstr(err.text, "rope_dim is 26"));
}

static void test_found(void **state)
{
    char *dir = data_path("models");
    struct found_model *list;
    int i, n, gguf = 0, hf = 0;

    (void) state;
    setenv("GPTSCOPE_MODELS", dir, 1);
    n = found_models(&list);
    for (i = 0; i < n; i++) {
        if (strncmp(list[i].path, dir, strlen(dir)) != 0)
            continue;
        gguf += strcmp(list[i].what, "gguf") == 0;
        hf += strcmp(list[i].what, "hf") == 0;
        assert_true(list[i].bytes > 10000);
    }
    assert_int_equal(gguf, 2);
    assert_int_equal(hf, 2);
    found_models_free(list, n);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_gpt2),   cmocka_unit_test(test_builtin_llama),
        cmocka_unit_test(test_builtin_table),  cmocka_unit_test(test_same_gpt2),
        cmocka_unit_test(test_same_llama),     cmocka_unit_test(test_original_gpt2),
        cmocka_unit_test(test_original_llama), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_shapes),         cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_synth),          cmocka_unit_test(test_synth_blocks),
        cmocka_unit_test(test_role_names),     cmocka_unit_test(test_hparams),
        cmocka_unit_test(test_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
