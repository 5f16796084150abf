/* Sessions: tokens and their cache, generation, what settings change, ablations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/builtin.h"
#include "session_fixture.h"
#include "tensor/compute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_empty(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", "");
    const char *none = "there are no tokens yet; give a prompt first";
    float *x = xcalloc((size_t) s->program->hp.n_vocab, sizeof *x);
    bool more = true;
    int id;

    assert_int_equal(s->ids.n, 0);
    assert_false(session_done(s));
    FAILS(session_step(s, &err), none);
    FAILS(session_layer(s, &err), none);
    FAILS(session_pass(s, &err), none);
    FAILS(session_until(s, 3, &err), none);
    FAILS(session_generate(s, &id, &err), none);
    FAILS(session_back(s, &err), "this is the beginning: nothing has been computed");
    OK(session_run(s, 0, &more, &err));
    assert_false(more);
    assert_false(session_logits(s, x));
    session_clamp(s);
    assert_int_equal(s->at.query, 0);
    free(x);
    session_free(s);
}

static void test_prompt(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct str text = STR_INIT;

        assert_string_equal(s->prompt.text, TEXT);
        assert_true(s->ids.n > 5);
        assert_int_equal(s->n_prompt, s->ids.n);
        assert_int_equal(session_pending(s), s->ids.n);
        assert_int_equal(s->at.query, s->ids.n - 1);
        assert_int_equal(s->at.key, s->ids.n - 1);
        tokenizer_decode(s->tokenizer, s->ids.id, s->ids.n, &text);
        assert_string_equal(text.text, TEXT);
        OK(session_run(s, 0, NULL, &err));
        assert_true(session_done(s));
        same_as_fresh(s, "run");
        str_release(&text);
        session_free(s);
    }
}

static void test_prefix(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        int n = s->ids.n;

        OK(session_run(s, 0, NULL, &err));
        OK(give(s, TEXT " thanked", &err));
        assert_int_equal(run_n_past(s->run), n);
        assert_int_equal(session_pending(s), s->ids.n - n);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "longer");

        OK(give(s, "Tom gave the red ball", &err));
        assert_true(session_done(s)); /* a prefix: nothing to do */
        same_as_fresh(s, "shorter");

        OK(give(s, "Tom gave the blue ball", &err)); /* T om gave the | blue ball */
        assert_int_equal(run_n_past(s->run), 4);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "changed");

        OK(give(s, "", &err));
        assert_int_equal(run_n_past(s->run), 0);
        session_free(s);
    }
}

static void generate(struct session *s, int n, int *ids)
{
    for (int i = 0; i < n; i++)
        OK(session_generate(s, &ids[i], &err));
}

static void test_generate(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct settings set;
        int a[20], b[20];

        settings_init(&set);
        set.sampler.temp = 0;
        struct session *s = open_set(models[m], TEXT, &set);
        int n = s->ids.n;
        struct str text = STR_INIT;
        generate(s, 2, a);
        assert_int_equal(s->ids.n, n + 2);
        assert_int_equal(s->n_prompt, n);
        assert_int_equal(session_pending(s), 1);
        assert_int_equal(s->at.query, n + 1);
        tokenizer_decode(s->tokenizer, a, 2, &text);
        assert_string_equal(text.text, " thanked Tom");
        str_release(&text);

        OK(session_set(s, "temp", "1.5", &err));
        OK(session_set(s, "seed", "7", &err));
        generate(s, 20, a);
        session_truncate(s, n + 2);
        OK(session_set(s, "seed", "7", &err));
        generate(s, 20, b);
        assert_memory_equal(a, b, sizeof a);
        session_truncate(s, n + 2);
        OK(session_set(s, "seed", "8", &err));
        generate(s, 20, b);
        assert_true(memcmp(a, b, sizeof a) != 0);
        session_free(s);
    }
}

static void test_context(void **state)
{
    (void) state;
    struct settings set;
    int id, n;
    char message[128];
    struct err why = ERR_INIT;

    settings_init(&set);
    set.ctx = 16;
    struct session *s = open_set("tiny-gpt2", TEXT, &set);
    n = s->ids.n;
    for (int i = n; i < 16; i++)
        OK(session_generate(s, &id, &err));
    FAILS(session_generate(s, &id, &err),
          "the context of 16 tokens is full; truncate, or use a shorter prompt");
    FAILS(session_append(s, 1, &err),
          "the context of 16 tokens is full; truncate, or use a shorter prompt");
    assert_false(give(s, TEXT " " TEXT, &why));
    snprintf(message, sizeof message,
             "but the context has room for 16; 'set ctx %d' makes it longer",
             s->program->hp.n_ctx);
    assert_non_null(strstr(why.text, message));
    assert_int_equal(s->ids.n, 16);
    assert_string_equal(s->prompt.text, TEXT);

    FAILS(session_set(s, "ctx", "8", &err),
          "a context of 8 has no room for the 16 tokens there are; truncate first");
    assert_int_equal(s->set.ctx, 16);
    assert_int_equal(run_n_ctx(s->run), 16);
    OK(session_set(s, "ctx", "64", &err));
    assert_int_equal(session_pending(s), 16);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "a longer context");
    session_free(s);
}

static void test_remake(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);

    OK(session_run(s, 0, NULL, &err));
    OK(session_set(s, "chunk", "3", &err));
    assert_int_equal(session_pending(s), s->ids.n);
    OK(session_pass(s, &err));
    assert_int_equal(run_n_past(s->run), 3);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "chunks of 3");
    OK(session_set(s, "threads", "1", &err));
    assert_int_equal(compute_threads(s->compute), 1);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "one thread");
    session_free(s);
}

static void test_load(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct err why = ERR_INIT;
    struct model *before = s->model;

    OK(session_run(s, 0, NULL, &err));
    s->at.head = s->program->hp.n_head - 1;
    assert_false(session_load(s, "no-such-model", &why));
    assert_true(why.text[0] != '\0');
    assert_ptr_equal(s->model, before);
    assert_true(session_done(s));
    OK(session_load(s, "tiny-llama", &err));
    assert_string_equal(s->prompt.text, TEXT);
    assert_true(s->ids.n > 5);
    assert_true(s->at.head < s->program->hp.n_head);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "loaded");
    session_free(s);
}

static void test_tokens(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    int n_vocab = s->program->hp.n_vocab;
    int32_t ids[] = {5, 6, 7}, wrong[] = {5, n_vocab};
    char message[96];

    OK(session_run(s, 0, NULL, &err));
    snprintf(message, sizeof message, "there is no token %d; ids go from 0 to %d", n_vocab,
             n_vocab - 1);
    FAILS(session_prompt_ids(s, wrong, 2, &err), message);
    FAILS(session_append(s, n_vocab, &err), message);
    assert_true(session_done(s));
    session_truncate(s, 4);
    assert_int_equal(s->ids.n, 4);
    assert_int_equal(s->n_prompt, 4);
    assert_string_equal(s->prompt.text, "Tom gave the");
    assert_int_equal(s->at.query, 3);
    assert_true(session_done(s));
    same_as_fresh(s, "truncated");
    OK(session_append(s, 9, &err));
    assert_int_equal(session_pending(s), 1);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "appended");
    OK(session_prompt_ids(s, ids, 3, &err));
    assert_int_equal(s->ids.n, 3);
    session_truncate(s, -1);
    assert_int_equal(s->ids.n, 0);
    session_free(s);
}

/* A copy of a built-in model whose tokenizer puts a BOS first. */
static void write_bos_model(const char *path)
{
    static const char key[] = "tokenizer.ggml.add_bos_token";
    const struct builtin *b = builtin_find("tiny-llama");
    size_t size = (size_t) (b->end - b->data);
    unsigned char *copy = xmalloc(size);
    FILE *file = fopen(path, "wb");

    memcpy(copy, b->data, size);
    unsigned char *at = memmem(copy, size, key, strlen(key));
    assert_non_null(at);
    at[strlen(key) + 4] = 1; /* behind the value's type */
    assert_non_null(file);
    assert_int_equal(fwrite(copy, 1, size, file), size);
    fclose(file);
    free(copy);
}

static void test_bos(void **state)
{
    (void) state;
    char path[] = "/tmp/gptscope-bos-XXXXXX";

    close(mkstemp(path));
    write_bos_model(path);
    struct session *s = open_plain(path, "Tom gave");
    int bos = tokenizer_bos(s->tokenizer), n = s->ids.n;
    assert_int_equal(s->ids.id[0], bos);
    assert_int_equal(n, 4);
    OK(session_run(s, 0, NULL, &err));
    OK(give(s, "Tom gave the", &err));
    assert_int_equal(run_n_past(s->run), n);
    session_truncate(s, n);
    assert_string_equal(s->prompt.text, "Tom gave"); /* without the BOS */
    OK(give(s, "", &err));
    assert_int_equal(s->ids.n, 1);
    session_free(s);
    unlink(path);
}

static void test_ablate(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct region head = {{0, 1, 0}, {-1, 1, -1}};
        int z = program_value(s->program, 1, "attn.z");
        int demand = program_value(s->program, 0, "ln1.scale");
        int n_vocab = s->program->hp.n_vocab;
        struct err why = ERR_INIT;

        OK(session_run(s, 0, NULL, &err));
        float *before = logits_of(s);
        assert_false(session_ablate(s, PATCH_ZERO, demand, &head, 0, &why));
        OK(session_ablate(s, PATCH_ZERO, z, &head, 0, &err));
        assert_int_equal(session_pending(s), s->ids.n);
        OK(session_run(s, 0, NULL, &err));
        float *zeroed = logits_of(s);
        assert_true(memcmp(before, zeroed, (size_t) n_vocab * sizeof *before) != 0);
        OK(session_set(s, "chunk", "2", &err)); /* the ablation outlives the run */
        OK(session_run(s, 0, NULL, &err));
        float *again = logits_of(s);
        double worst = 0;
        for (int i = 0; i < n_vocab; i++)
            worst = fmax(worst, fabs((double) again[i] - (double) zeroed[i]));
        assert_true(worst < 1e-4);
        session_restore(s, -1);
        assert_int_equal(s->n_ablations, 0);
        assert_int_equal(run_n_patches(s->run), 0);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "restored");
        free(before);
        free(zeroed);
        free(again);
        session_free(s);
    }
}

static void test_say(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", NULL);

    session_say(s, "one %d", 1);
    session_say(s, "bad \033[31m%s", "\xe2\x80\xae");
    assert_string_equal(s->message, "bad \\x1b[31m\\u202e");
    assert_string_equal(s->log.text, "one 1\nbad \\x1b[31m\\u202e\n");
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_prefix),  cmocka_unit_test(test_generate),
        cmocka_unit_test(test_context), cmocka_unit_test(test_remake),
        cmocka_unit_test(test_load),    cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_bos),     cmocka_unit_test(test_ablate),
        cmocka_unit_test(test_say),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
