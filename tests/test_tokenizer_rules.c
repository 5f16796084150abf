/*
 * What tokenizer files can ask for, and what is refused in which words: small files of each
 * kind, written here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/pretok.h"
#include "text_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Byte-level: the letters, "ab", a space (U+0120) and " a". */
#define BYTES                                                                                  \
    "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\xc4\xa0\":3,\"\xc4\xa0"                            \
    "a\":4,\"<\":5,\"s\":6,"                                                                   \
    "\">\":7,\"\xc3\xa2\":8,\"\xc4\xa2\":9,\"\xc4\xa5\":10},"                                  \
    "\"merges\":[\"a b\",\"\xc4\xa0 a\"]"
#define DECODER             "\"decoder\":{\"type\":\"ByteLevel\"},"
#define BYTE_LEVEL(options) "\"pre_tokenizer\":{\"type\":\"ByteLevel\"" options "}"

static struct tokenizer *open_json(const char *json)
{
    char *path = write_file("tokenizer.json", json, strlen(json));
    struct tokenizer *t = open_tokenizer(path);

    free(path);
    return t;
}

static void refuse_json(const char *json, const char *message)
{
    char *path = write_file("refused.json", json, strlen(json));
    char *whole = xasprintf("'%s': %s", path, message);

    assert_no_tokenizer(path, whole);
    free(whole);
    free(path);
}

static void test_special_tokens(void **state)
{
    struct tokenizer *t = open_json("{" BYTE_LEVEL(
        "") "," DECODER "\"model\":{" BYTES "},\"added_tokens\":["
            "{\"id\":11,\"content\":\"<s>\",\"special\":true},"
            "{\"id\":12,\"content\":\"<l>\",\"special\":true,\"lstrip\":true},"
            "{\"id\":13,\"content\":\"<r>\",\"special\":true,\"rstrip\":true},"
            "{\"id\":14,\"content\":\"<w>\",\"special\":true,\"single_word\":true},"
            "{\"id\":15,\"content\":\"<u>\"},"
            "{\"id\":16,\"content\":\"<s>a\",\"special\":true}]}");

    (void) state;
    assert_ids(t, "b<s>b", TOKENIZE_SPECIAL, "1 11 1");
    assert_ids(t, "b<s>b", 0, "1 5 6 7 1");
    assert_ids(t, "<s><s>", TOKENIZE_SPECIAL, "11 11");
    assert_ids(t, "b<s>a", TOKENIZE_SPECIAL, "1 16"); /* the longest */
    assert_ids(t, "b<u>b", 0, "1 15 1");              /* not special: always found */
    assert_ids(t, "b  <l>  b", TOKENIZE_SPECIAL, "1 12 3 3 1");
    assert_ids(t, "b  <r> \xe2\x80\x83 b", TOKENIZE_SPECIAL, "1 3 3 13 1");
    assert_ids(t, "b \xe2\x80\x83<l>b", TOKENIZE_SPECIAL, "1 12 1");
    assert_ids(t, "b <w> b", TOKENIZE_SPECIAL, "1 3 14 3 1");
    assert_ids(t, "<w>", TOKENIZE_SPECIAL, "14");
    assert_true(tokenizer_is_special(t, 11));
    assert_false(tokenizer_is_special(t, 15));
    tokenizer_free(t);
}

/* A letter beside it makes <w> plain text: here text without tokens, which is said. */
static void test_single_word(void **state)
{
    static const char *const texts[] = {"a<w>", "<w>a", "\xc3\xa9<w>", "<w>_"};
    struct tokenizer *t = open_json("{" BYTE_LEVEL(
        "") "," DECODER "\"model\":{" BYTES "},\"added_tokens\":["
            "{\"id\":11,\"content\":\"<w>\",\"special\":true,\"single_word\":true}]}");
    struct ids ids = IDS_INIT;

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err err = ERR_INIT;
        assert_false(
            tokenizer_encode(t, texts[i], strlen(texts[i]), TOKENIZE_SPECIAL, &ids, &err));
        assert_non_null(strstr(err.text, "this tokenizer has no token for the byte 0x"));
    }
    ids_release(&ids);
    tokenizer_free(t);
}

/* An added token that the vocabulary has, too, can still be made by merging. */
static void test_added_again(void **state)
{
    struct tokenizer *t =
        open_json("{" BYTE_LEVEL("") "," DECODER "\"model\":{" BYTES "},\"added_tokens\":["
                                     "{\"id\":0,\"content\":\"a\",\"special\":true},"
                                     "{\"id\":2,\"content\":\"ab\",\"special\":true}]}");

    (void) state;
    assert_ids(t, "a ab a", 0, "0 3 2 4");
    assert_ids(t, "abb", 0, "2 1");
    assert_ids(t, "abb", TOKENIZE_SPECIAL, "2 1");
    assert_true(tokenizer_is_special(t, 0));
    tokenizer_free(t);
    refuse_json("{" DECODER "\"model\":{" BYTES
                "},\"added_tokens\":[{\"id\":0,\"content\":\"zz\"}]}",
                "added token 'zz' takes the id 0 of another token");
}

static void test_prefix_space(void **state)
{
    struct tokenizer *t = open_json("{" BYTE_LEVEL(
        ",\"add_prefix_space\":true") "," DECODER "\"model\":{" BYTES "},\"added_tokens\":["
                                      "{\"id\":11,\"content\":\"<s>\",\"special\":true}]}");
    static const int32_t ids[] = {4, 1};
    struct str text = STR_INIT;

    (void) state;
    assert_ids(t, "a", 0, "4");
    assert_ids(t, " a", 0, "4");
    assert_ids(t, "a<s>a", TOKENIZE_SPECIAL, "4 11 4");
    tokenizer_decode(t, ids, 2, &text);
    assert_string_equal(text.text, " ab"); /* byte-level decoders keep it */
    str_release(&text);
    tokenizer_free(t);
}

/* --- SentencePiece in a tokenizer.json --- */

#define U "\xe2\x96\x81"
#define CHARS                                                                                  \
    "\"unk_token\":\"<unk>\",\"vocab\":{\"<unk>\":0,\"<s>\":1,\"" U "\":2,\"a\":3,\"b\":4,"    \
    "\"ab\":5,\"" U "a\":6,\"" U U "\":7,\"<0xC3>\":8,\"<0xA9>\":9},"                          \
    "\"merges\":[\"a b\",\"" U " a\",\"" U " " U "\"]"
#define ADDED                                                                                  \
    "\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"special\":true},"                     \
    "{\"id\":1,\"content\":\"<s>\",\"special\":true}]"
#define METASPACE(options) "\"pre_tokenizer\":{\"type\":\"Metaspace\"" options "}," ADDED

static void check_json(const char *json, const char *text, const char *ids)
{
    struct tokenizer *t = open_json(json);

    assert_ids(t, text, TOKENIZE_SPECIAL, ids);
    tokenizer_free(t);
}

static void test_metaspace(void **state)
{
    (void) state;
    /* cut before every space: " " and " a", never "  " */
    check_json("{" METASPACE("") ",\"model\":{" CHARS "}}", "a  a", "6 2 6");
    check_json("{" METASPACE(",\"split\":false") ",\"model\":{" CHARS "}}", "a  b", "6 7 4");
    check_json("{" METASPACE(",\"prepend_scheme\":\"never\"") ",\"model\":{" CHARS "}}", "a a",
               "3 6");
    check_json("{" METASPACE(",\"prepend_scheme\":\"first\"") ",\"model\":{" CHARS "}}",
               "a<s>a", "6 1 3");
    check_json("{" METASPACE(",\"prepend_scheme\":\"always\"") ",\"model\":{" CHARS "}}",
               "a<s>a", "6 1 6");
    check_json("{\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"" U "\"}," ADDED
               ",\"model\":{\"byte_fallback\":true," CHARS "}}",
               " a", "2 6");
}

static void test_unknown_characters(void **state)
{
    (void) state;
    check_json("{" METASPACE("") ",\"model\":{\"byte_fallback\":true," CHARS "}}", "a\xc3\xa9",
               "6 8 9");
    check_json("{" METASPACE("") ",\"model\":{\"byte_fallback\":true," CHARS "}}", "a\xc3\xaa",
               "6 0"); /* no token for 0xaa: no half of the character either */
    check_json("{" METASPACE("") ",\"model\":{" CHARS "}}", "a\xc3\xa9xy", "6 0 0 0");
    check_json("{" METASPACE("") ",\"model\":{\"fuse_unk\":true," CHARS "}}", "a\xc3\xa9xya",
               "6 0 3");
    check_json("{" METASPACE("") ",\"model\":{\"fuse_unk\":true," CHARS "}}", "ax<unk>x",
               "6 0 0 2 0"); /* not with an <unk> that the text has */
}

/* --- refusals --- */

static void test_refusals(void **state)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"[]", "the file does not hold an object"},
        {"{}", "'model' is missing"},
        {"{\"model\":1}", "'model' is not an object"},
        {"{" DECODER "\"model\":{}}", "'vocab' is missing"},
        {"{" DECODER "\"model\":{\"vocab\":{}}}", "'vocab' is empty"},
        {"{" DECODER "\"model\":{\"vocab\":{\"a\":0}}}", "'merges' is missing"},
        {"{\"model\":{\"type\":\"WordPiece\"}}",
         "the tokenizer's model is of type 'WordPiece'; only BPE is supported"},
        {"{" DECODER "\"model\":{\"end_of_word_suffix\":\"</w>\"," BYTES "}}",
         "'end_of_word_suffix' of the tokenizer's model is not supported"},
        {"{" DECODER "\"model\":{\"continuing_subword_prefix\":\"##\"," BYTES "}}",
         "'continuing_subword_prefix' of the tokenizer's model is not supported"},
        {"{\"normalizer\":{\"type\":\"Lowercase\"}," DECODER "\"model\":{" BYTES "}}",
         "the normalizer is of type 'Lowercase', which is not supported"},
        {"{\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"_\"}," DECODER "\"model\":{" BYTES
         "}}",
         "Prepend in a byte-level tokenizer is not supported"},
        {"{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},"
         "\"content\":\"y\"}," DECODER "\"model\":{" BYTES "}}",
         "Replace in a byte-level tokenizer is not supported"},
        {"{\"pre_tokenizer\":{\"type\":\"Sequence\"}," DECODER "\"model\":{" BYTES "}}",
         "the pre_tokenizer's 'pretokenizers' is not a list"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" "
         "\"}}," DECODER "\"model\":{" BYTES "}}",
         "the pre-tokenizer's Split has no regex"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"MergedWithNext\","
         "\"pattern\":{\"Regex\":\" \"}}," DECODER "\"model\":{" BYTES "}}",
         "the pre-tokenizer's Split behaves as 'MergedWithNext', which is not supported"},
        {"{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"},\"model\":{" CHARS
         "}}",
         "the pre-tokenizer writes spaces as '_', which is not supported"},
        {"{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Metaspace\"}"
         ","
         "{\"type\":\"Digits\"}]},\"model\":{" CHARS "}}",
         "Digits before SentencePiece's merging is not supported"},
        {"{\"post_processor\":{\"type\":\"BertProcessing\"}," DECODER "\"model\":{" BYTES "}}",
         "the post_processor is of type 'BertProcessing', which is not supported"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a\"}}," DECODER
         "\"model\":{" BYTES "}}",
         "the pre-tokenizer's regex '(a': missing closing parenthesis"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_json(cases[i].json, cases[i].message);
}

static void test_too_many_regexes(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    str_adds(&s, "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[");
    for (int i = 0; i < 9; i++)
        str_addf(&s, "%s{\"type\":\"Digits\"}", i > 0 ? "," : "");
    str_adds(&s, "]}," DECODER "\"model\":{" BYTES "}}");
    refuse_json(s.text, "the pre-tokenizer has more than 8 steps");
    str_release(&s);
}

/* Files of the hostile collection: the whole line. */
static void test_hostile_files(void **state)
{
    static const struct {
        const char *name, *file, *message;
    } cases[] = {
        {"gguf/scores-short.gguf", "", "tokenizer.ggml.scores has 10 entries for 284 tokens"},
        {"gguf/tokens-empty.gguf", "", "tokenizer.ggml.tokens is empty"},
        {"gguf/tokens-u32.gguf", "",
         "key 'tokenizer.ggml.tokens' has type array of u32, not array of string"},
        {"gguf/nokey-ggml-tokens.gguf", "", "key 'tokenizer.ggml.tokens' is missing"},
        {"gguf/model-unknown.gguf", "",
         "tokenizer.ggml.model is 'xyz', which is not supported"},
        {"gguf/bos-range.gguf", "", "the BOS token's id 100000 is not below 284"},
        {"gguf/merge-nospace.gguf", "",
         "merge 0 of tokenizer.ggml.merges is not two parts with a space between"},
        {"hf/tj-id-dup", "/tokenizer.json", "two tokens have the id 5"},
        {"hf/tj-merge-int", "/tokenizer.json", "merge 19 is not two parts"},
        {"hf/tj-merge-result", "/tokenizer.json", "merge 19 joins, or makes, what is no token"},
        {"hf/tj-added-empty", "/tokenizer.json", "added token 276 is empty"},
        {"hf/tj-added-range", "/tokenizer.json",
         "added token 9999 is beyond the vocabulary of 278"},
        {"hf/tj-pre-unknown", "/tokenizer.json",
         "the pre_tokenizer is of type 'Magic', which is not supported"},
        {"hf/tj-regex-bad", "",
         "the pre-tokenizer's regex '[': missing terminating ] for character class"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *name = xasprintf("malformed/%s", cases[i].name), *path = data_path(name);
        char *message = xasprintf("'%s%s': %s", path, cases[i].file, cases[i].message);
        assert_no_tokenizer(path, message);
        free(message);
        free(path);
        free(name);
    }
}

/* --- regexes --- */

static void test_adapted_regexes(void **state)
{
    static const struct {
        const char *regex, *adapted, *message;
    } cases[] = {
        {"a\\h", "a[0-9a-fA-F]", NULL},
        {"[\\h_]", "[0-9a-fA-F_]", NULL},
        {"\\H", "[^0-9a-fA-F]", NULL},
        {"\\w", "[\\p{L}\\p{M}\\p{Nd}\\p{Pc}]", NULL},
        {"[]a]\\d[^]b]", "[]a]\\d[^]b]", NULL},
        {"[[:alpha:]x]", "[[:alpha:]x]", NULL},
        {"[a[bc]]", NULL, "a class inside a class is not supported"},
        {"[a-z&&[^b]]", NULL, "&& inside [...] is not supported"},
        {"[\\W]", NULL, "\\W inside [...] is not supported"},
        {"a\\Kb", NULL, "\\K is not supported"},
        {"\\Qa\\E", NULL, "\\Q is not supported"},
        {"(*UTF)a", NULL, "(*...) is not supported"},
        {"[[:x", NULL, "[: without :]"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct str out = STR_INIT;
        bool ok = regex_adapt(&out, cases[i].regex, &err);
        assert_int_equal(ok, cases[i].adapted != NULL);
        assert_string_equal(ok ? out.text : err.text, ok ? cases[i].adapted : cases[i].message);
        str_release(&out);
    }
}

static void test_evil_regex(void **state)
{
    static const char *const regexes[] = {"(a+)+$", "(a|aa)+$", "(.*a){20}$", "(?R)?a(?R)?c"};
    char text[3000];
    struct ids ids = IDS_INIT;

    (void) state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        struct err err = ERR_INIT;
        char *json = xasprintf("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":"
                               "\"%s\"}}," DECODER "\"model\":{" BYTES "}}",
                               regexes[i]);
        struct tokenizer *t = open_json(json);
        double began = clock_measure();
        if (!tokenizer_encode(t, text, sizeof text, 0, &ids, &err))
            assert_string_equal(
                err.text, "the pre-tokenizer's regex takes too long at byte 0 of the text; "
                          "the tokenizer's file may be damaged");
        print_message("%s: %.3f s, %s\n", regexes[i], clock_measure() - began,
                      *err.text ? "given up" : "done");
        assert_true(i > 0 || *err.text);
        assert_true(clock_measure() - began < 10);
        tokenizer_free(t);
        free(json);
    }
    ids_release(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_tokens), cmocka_unit_test(test_single_word),
        cmocka_unit_test(test_added_again),    cmocka_unit_test(test_prefix_space),
        cmocka_unit_test(test_metaspace),      cmocka_unit_test(test_unknown_characters),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_too_many_regexes),
        cmocka_unit_test(test_hostile_files),  cmocka_unit_test(test_adapted_regexes),
        cmocka_unit_test(test_evil_regex),
    };
    return cmocka_run_group_tests_name("tokenizer_files", tests, NULL, temp_remove);
}
