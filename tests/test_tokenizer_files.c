/*
 * Real vocabularies against ids from other programs: ../shared/fixtures beside the source
 * folder, which is not part of the project. Without it every test here is skipped.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_LIMIT = 64 << 20 };

/* Whether encoding and decoding give the text back byte for byte. */
enum round_trip {
    EXACT,
    COMPOSED /* NFC changes some texts */,
    SPACES /* U+2581 is a space */
};

static char *fixture(const char *folder, const char *name)
{
    const char *tests = getenv("TESTS_DIR");

    return xasprintf("%s/../../shared/fixtures/%s/%s", tests ? tests : "tests", folder, name);
}

/* The vocabulary's path; a .gz is unpacked to a temporary file that keeps its suffix. */
static char *unpacked(const char *path, bool *temporary)
{
    size_t n = strlen(path);
    const char *json = strstr(path, ".json");

    *temporary = n > 3 && strcmp(path + n - 3, ".gz") == 0;
    if (!*temporary)
        return xstrdup(path);
    char *folder = xstrdup("/tmp/gptscope-vocab-XXXXXX");
    assert_non_null(mkdtemp(folder));
    char *to = xasprintf("%s/vocab.%s", folder, json ? "json" : "gguf");
    char *command = xasprintf("gzip -dc '%s' > '%s'", path, to);
    assert_int_equal(system(command), 0);
    free(command);
    free(folder);
    return to;
}

static void remove_unpacked(char *path)
{
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

static struct tokenizer *open_vocab(const char *name)
{
    char *path = fixture("vocab", name), *plain;
    struct err err = ERR_INIT;
    bool temporary;

    if (!file_exists(path)) {
        print_message("skipped: there is no %s\n", path);
        free(path);
        skip();
    }
    plain = unpacked(path, &temporary);
    struct tokenizer *t = tokenizer_open(plain, &err);
    if (temporary)
        remove_unpacked(plain);
    free(plain);
    free(path);
    if (!t)
        fail_msg("%s", err.text);
    return t;
}

static bool same_ids(const struct ids *ids, const json_t *want)
{
    if ((size_t) ids->n != json_array_size(want))
        return false;
    for (int i = 0; i < ids->n; i++) {
        if (ids->id[i] != json_integer_value(json_array_get(want, (size_t) i)))
            return false;
    }
    return true;
}

static void show(const char *what, const struct ids *ids)
{
    print_message("  %s:", what);
    for (int i = 0; i < ids->n && i < 40; i++)
        print_message(" %d", ids->id[i]);
    print_message("\n");
}

static bool check_ids(const struct tokenizer *t, const json_t *line, const char *key, int flags)
{
    const json_t *text = json_object_get(line, "text"), *want = json_object_get(line, key);
    struct ids ids = IDS_INIT;
    struct err err = ERR_INIT;

    bool ok = tokenizer_encode(t, json_string_value(text), json_string_length(text), flags,
                               &ids, &err);
    bool same = ok && same_ids(&ids, want);
    if (!same) {
        print_message("%s of %.300s\n  wanted: %.300s\n", key,
                      json_dumps(text, JSON_ENCODE_ANY), json_dumps(want, JSON_COMPACT));
        show(ok ? "got" : err.text, &ids);
    }
    ids_release(&ids);
    return same;
}

static bool check_back(const struct tokenizer *t, const json_t *line, int flags)
{
    const json_t *text = json_object_get(line, "text");
    struct ids ids = IDS_INIT;
    struct err err = ERR_INIT;
    struct str back = STR_INIT;

    assert_true(tokenizer_encode(t, json_string_value(text), json_string_length(text), flags,
                                 &ids, &err));
    tokenizer_decode(t, ids.id, ids.n, &back);
    bool same = back.len == json_string_length(text) &&
                memcmp(back.text, json_string_value(text), back.len) == 0;
    if (!same)
        print_message("%.300s came back as '%.300s'\n", json_dumps(text, JSON_ENCODE_ANY),
                      back.text);
    str_release(&back);
    ids_release(&ids);
    return same;
}

static bool comes_back(const json_t *line, enum round_trip kind)
{
    const json_t *note = json_object_get(line, "note");
    const char *text = json_string_value(json_object_get(line, "text"));

    if (kind == COMPOSED && note)
        return false;
    return kind != SPACES || !strstr(text, "\xe2\x96\x81");
}

static int check_line(const struct tokenizer *t, const json_t *line, enum round_trip kind)
{
    int wrong = !check_ids(t, line, "ids", TOKENIZE_SPECIAL);

    if (json_object_get(line, "ids_plain"))
        wrong += !check_ids(t, line, "ids_plain", 0);
    if (comes_back(line, kind)) {
        wrong += !check_back(t, line, TOKENIZE_SPECIAL);
        wrong += !check_back(t, line, 0);
    }
    return wrong;
}

static void check_file(const char *vocab, const char *lines, enum round_trip kind)
{
    struct tokenizer *t = open_vocab(vocab);
    char *path = fixture("tokenizer", lines);
    struct str all = STR_INIT;
    struct err err = ERR_INIT;
    int n = 0, wrong = 0;

    if (!file_read(&all, path, FILE_LIMIT, &err))
        fail_msg("%s", err.text);
    for (char *p = all.text, *end; (end = strchr(p, '\n')); p = end + 1) {
        json_t *line = json_parse(p, (size_t) (end - p), &err);
        if (!line)
            fail_msg("%s line %d: %s", lines, n + 1, err.text);
        wrong += check_line(t, line, kind);
        json_decref(line);
        n++;
    }
    print_message("%s, %s: %d texts, %d wrong\n", vocab, lines, n, wrong);
    assert_true(n >= 46);
    assert_int_equal(wrong, 0);
    str_release(&all);
    free(path);
    tokenizer_free(t);
}

static void test_gpt2(void **state)
{
    (void) state;
    check_file("ggml-vocab-gpt-2.gguf", "gpt2.jsonl", EXACT);
    check_file("gpt2-tokenizer.json", "gpt2.jsonl", EXACT);
    check_file("ggml-vocab-gpt-2.gguf", "hf-published-gpt2.jsonl", EXACT);
    check_file("gpt2-tokenizer.json", "hf-published-gpt2.jsonl", EXACT);
}

static void test_llama3(void **state)
{
    (void) state;
    check_file("llama3-vocab.gguf.gz", "llama3.jsonl", EXACT);
    check_file("llama3-vocab.gguf.gz", "hf-published-llama3.jsonl", EXACT);
    check_file("llama3-tokenizer.json.gz", "llama3.jsonl", EXACT);
    check_file("llama3-tokenizer.json.gz", "hf-published-llama3.jsonl", EXACT);
}

static void test_qwen(void **state)
{
    (void) state;
    check_file("qwen2_5-vocab.gguf.gz", "qwen2_5.jsonl", COMPOSED);
    check_file("qwen2_5-vocab.gguf.gz", "hf-published-qwen2_5.jsonl", EXACT);
    check_file("qwen2_5-tokenizer.json.gz", "qwen2_5.jsonl", COMPOSED);
    check_file("qwen2_5-tokenizer.json.gz", "hf-published-qwen2_5.jsonl", EXACT);
}

static void test_llama2(void **state)
{
    (void) state;
    check_file("ggml-vocab-llama-spm.gguf", "llama2.jsonl", SPACES);
    check_file("ggml-vocab-llama-spm.gguf", "hf-published-llama2.jsonl", SPACES);
    check_file("llama2-tokenizer.model", "llama2.jsonl", SPACES);
    check_file("llama2-tokenizer.model", "hf-published-llama2.jsonl", SPACES);
    check_file("ggml-vocab-phi-3.gguf", "hf-published-phi3.jsonl", SPACES);
}

static void test_mistral(void **state)
{
    (void) state;
    check_file("mistral-tokenizer.json", "mistral.jsonl", SPACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpt2),    cmocka_unit_test(test_llama3),
        cmocka_unit_test(test_qwen),    cmocka_unit_test(test_llama2),
        cmocka_unit_test(test_mistral),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
