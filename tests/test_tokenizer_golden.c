/*
 * Ids that other programs gave. The built-in models' cases lie in tests/data; thousands of
 * strings for five well-known vocabularies lie outside the project (see shared_path), and
 * their tests are skipped where they are not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "text_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* What comes back from encoding and decoding. */
enum back {
    BACK_EXACT,
    BACK_NFC,  /* the text in Unicode's form C */
    BACK_WORDS /* SentencePiece: U+2581 is a space. Held for plain text: encoding puts a space
                  after special tokens, too */
};

struct tally {
    const char *name;
    enum back back;
    int n, n_wrong, n_plain, n_not_back;
};

static void report(struct tally *tally, const char *what, const char *text, int *count)
{
    if ((*count)++ < 3)
        print_message("%s: %s: %s\n", tally->name, what, text);
}

/* What decoding must give. */
static char *text_back(enum back back, const char *text, size_t n, size_t *n_back)
{
    uint8_t *nfc = NULL;
    struct str s = STR_INIT;

    if (back == BACK_NFC) {
        utf8proc_ssize_t len = utf8proc_map((const uint8_t *) text, (utf8proc_ssize_t) n, &nfc,
                                            UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        assert_true(len >= 0);
        *n_back = (size_t) len;
        return (char *) nfc;
    }
    for (size_t i = 0; i < n; i++) {
        bool mark =
            back == BACK_WORDS && n - i >= 3 && memcmp(text + i, "\xe2\x96\x81", 3) == 0;
        str_addc(&s, mark ? ' ' : text[i]);
        i += mark ? 2 : 0;
    }
    *n_back = s.len;
    return str_steal(&s);
}

static void check_back(const struct tokenizer *t, struct tally *tally, const struct ids *ids,
                       const char *text, size_t n)
{
    size_t n_back, n_stream, n_want;
    char *back = decode_whole(t, ids, &n_back), *stream = decode_stream(t, ids, &n_stream);
    char *want = text_back(tally->back, text, n, &n_want);

    if (n_back != n_want || memcmp(back, want, n_want) != 0)
        report(tally, "does not come back", text, &tally->n_not_back);
    else if (n_stream != n_want || memcmp(stream, want, n_want) != 0)
        report(tally, "does not come back one by one", text, &tally->n_not_back);
    free(back);
    free(stream);
    free(want);
}

static void check_case(const struct tokenizer *t, struct tally *tally, const json_t *o)
{
    const json_t *text = json_object_get(o, "text"), *want = json_object_get(o, "ids_plain");
    const char *s = json_string_value(text);
    size_t n = json_string_length(text);
    struct ids ids = encode(t, s, n, TOKENIZE_SPECIAL), plain = encode(t, s, n, 0);

    tally->n++;
    if (!ids_equal(&ids, json_object_get(o, "ids")))
        report(tally, "other ids", s, &tally->n_wrong);
    tally->n_plain += want != NULL;
    if (want && !ids_equal(&plain, want))
        report(tally, "other ids when special tokens are plain text", s, &tally->n_wrong);
    if (tally->back != BACK_WORDS)
        check_back(t, tally, &ids, s, n);
    check_back(t, tally, &plain, s, n);
    ids_release(&ids);
    ids_release(&plain);
}

static void check_tally(const struct tally *tally)
{
    static const char *const forms[] = {"as they are", "in form C", "with U+2581 as a space"};

    print_message("%s: %d texts, %d also with special tokens as plain text, %d wrong; all but "
                  "%d come back %s\n",
                  tally->name, tally->n, tally->n_plain, tally->n_wrong, tally->n_not_back,
                  forms[tally->back]);
    assert_true(tally->n > 0);
    assert_int_equal(tally->n_wrong, 0);
    assert_int_equal(tally->n_not_back, 0);
}

static void check_lines(const struct tokenizer *t, struct tally *tally, const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    assert_non_null(f);
    while ((n = getline(&line, &cap, f)) > 0) {
        struct err err = ERR_INIT;
        json_t *o = json_parse(line, (size_t) n, &err);
        if (!o)
            fail_msg("%s: %s", path, err.text);
        check_case(t, tally, o);
        json_decref(o);
    }
    free(line);
    fclose(f);
}

struct vocab_file {
    const char *name;
    enum back back;
    const char *lines[2];
};

static void check_vocab(const struct vocab_file *f)
{
    char *name = xasprintf("vocab/%s", f->name), *path = shared_path(name);
    int n_checked = 0;

    free(name);
    for (int i = 0; path && i < 2 && f->lines[i]; i++) {
        name = xasprintf("tokenizer/%s.jsonl", f->lines[i]);
        char *lines = shared_path(name);
        free(name);
        if (!lines)
            continue;
        struct tokenizer *t = open_tokenizer(path);
        struct tally tally = {.name = f->name, .back = f->back};
        check_lines(t, &tally, lines);
        check_tally(&tally);
        tokenizer_free(t);
        free(lines);
        n_checked++;
    }
    free(path);
    if (n_checked == 0)
        skip();
}

static void test_vocab(void **state)
{
    check_vocab(*state);
}

static void test_builtins(void **state)
{
    static const char *const names[] = {"tiny-gpt2", "tiny-llama"};
    struct err err = ERR_INIT;
    char *path = data_path("tokenizer-cases.json");
    json_t *cases = json_parse_file(path, 1 << 20, &err), *o;

    (void) state;
    if (!cases)
        fail_msg("%s", err.text);
    for (size_t m = 0; m < 2; m++) {
        struct tokenizer *t = open_tokenizer(names[m]);
        struct tally tally = {.name = names[m]};
        size_t i;
        json_array_foreach(cases, i, o)
        {
            check_case(t, &tally, o);
        }
        check_tally(&tally);
        tokenizer_free(t);
    }
    json_decref(cases);
    free(path);
}

static const struct vocab_file files[] = {
    {"ggml-vocab-gpt-2.gguf", BACK_EXACT, {"gpt2", "hf-published-gpt2"}},
    {"gpt2-tokenizer.json", BACK_EXACT, {"gpt2", "hf-published-gpt2"}},
    {"llama3-vocab.gguf.gz", BACK_EXACT, {"llama3", "hf-published-llama3"}},
    {"llama3-tokenizer.json.gz", BACK_EXACT, {"llama3", "hf-published-llama3"}},
    {"qwen2_5-vocab.gguf.gz", BACK_NFC, {"qwen2_5", "hf-published-qwen2_5"}},
    {"qwen2_5-tokenizer.json.gz", BACK_NFC, {"qwen2_5", "hf-published-qwen2_5"}},
    {"llama2-tokenizer.model", BACK_WORDS, {"llama2", "hf-published-llama2"}},
    {"ggml-vocab-llama-spm.gguf", BACK_WORDS, {"llama2", "hf-published-llama2"}},
    {"ggml-vocab-phi-3.gguf", BACK_WORDS, {"hf-published-phi3"}},
    {"mistral-tokenizer.json", BACK_WORDS, {"mistral"}},
};

int main(void)
{
    enum { N = sizeof files / sizeof *files };
    struct CMUnitTest tests[N + 1] = {cmocka_unit_test(test_builtins)};

    for (int i = 0; i < N; i++)
        tests[i + 1] =
            (struct CMUnitTest){files[i].name, test_vocab, NULL, NULL, (void *) &files[i]};
    return cmocka_run_group_tests_name("tokenizer_golden", tests, NULL, temp_remove);
}
