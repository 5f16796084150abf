/*
 * SentencePiece's tokenizer.model, written here field by field; where a text begins and ends
 * by what the files of a folder say; and how a tokenizer fits its model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "text_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- protobuf --- */

static void add_varint(struct str *s, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        str_addc(s, (char) (v | 0x80));
    str_addc(s, (char) v);
}

static void add_number(struct str *s, unsigned field, uint64_t v)
{
    add_varint(s, field << 3);
    add_varint(s, v);
}

static void add_bytes(struct str *s, unsigned field, const void *bytes, size_t n)
{
    add_varint(s, field << 3 | 2);
    add_varint(s, n);
    str_add(s, bytes, n);
}

static void add_piece(struct str *s, const char *text, float score, int type)
{
    struct str piece = STR_INIT;

    add_bytes(&piece, 1, text, strlen(text));
    add_varint(&piece, 2 << 3 | 5);
    str_add(&piece, &score, sizeof score); /* little-endian, as this machine is */
    add_number(&piece, 3, (uint64_t) type);
    add_bytes(s, 1, piece.text, piece.len);
    str_release(&piece);
}

enum { NORMAL = 1, UNKNOWN, CONTROL, USER, UNUSED, BYTE };
#define U "\xe2\x96\x81"

static void add_pieces(struct str *s, float score_of_a)
{
    add_piece(s, "<unk>", 0, UNKNOWN);
    add_piece(s, "<s>", 0, CONTROL);
    add_piece(s, "</s>", 0, CONTROL);
    add_piece(s, "<0xC3>", 0, BYTE);
    add_piece(s, "<0xA9>", 0, BYTE);
    add_piece(s, U, -9, NORMAL);
    add_piece(s, "a", score_of_a, NORMAL);
    add_piece(s, "b", -8, NORMAL);
    add_piece(s, "ab", -2, NORMAL);
    add_piece(s, U "a", -1, NORMAL);
    add_piece(s, "<u>", 0, USER);
    add_piece(s, "bb", -1, UNUSED);
}

static void add_trainer(struct str *s, uint64_t type)
{
    struct str t = STR_INIT;

    add_number(&t, 3, type);
    add_bytes(s, 2, t.text, t.len);
    str_release(&t);
}

/* Fields 3 and 4 of the normalizer: the space in front, and squeezing. */
static void add_normalizer(struct str *s, const char *map, uint64_t prefix, uint64_t squeeze)
{
    struct str t = STR_INIT;

    add_bytes(&t, 2, map, strlen(map));
    add_number(&t, 3, prefix);
    add_number(&t, 4, squeeze);
    add_bytes(s, 3, t.text, t.len);
    str_release(&t);
}

static struct tokenizer *open_model(struct str *s)
{
    char *path = write_file("tokenizer.model", s->text, s->len);
    struct tokenizer *t = open_tokenizer(path);

    free(path);
    str_release(s);
    return t;
}

static void test_merges_by_score(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    add_pieces(&s, -7);
    add_trainer(&s, 2);
    add_normalizer(&s, "", 1, 0);
    struct tokenizer *t = open_model(&s);
    assert_string_equal(tokenizer_kind(t), "SentencePiece BPE");
    assert_ids(t, "ab", 0, "9 7"); /* " a" has the better score */
    assert_ids(t, "bab", 0, "5 7 8");
    assert_ids(t, "bb", 0, "5 7 7"); /* an unused piece is not made */
    assert_ids(t, "a\xc3\xa9", 0, "9 3 4");
    assert_ids(t, "xy", 0, "5 0"); /* unknown characters in a row are one */
    assert_ids(t, "xby", 0, "5 0 7 0");
    assert_ids(t, "b  a", 0, "5 7 5 9");
    assert_ids(t, "a</s>", TOKENIZE_SPECIAL, "9 2");
    assert_ids(t, "a", TOKENIZE_BOS, "1 9");
    assert_true(tokenizer_adds_bos(t));
    assert_true(tokenizer_is_end(t, 2));
    assert_true(tokenizer_is_special(t, 0));
    tokenizer_free(t);
}

static void test_normalizer(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    add_pieces(&s, -7);
    add_trainer(&s, 2);
    add_normalizer(&s, "", 0, 1);
    struct tokenizer *t = open_model(&s);
    assert_ids(t, "  b   a ", 0, "7 9"); /* runs of spaces are one, none at the ends */
    assert_ids(t, "   ", 0, "");
    tokenizer_free(t);
    add_pieces(&s, -7);
    add_trainer(&s, 2);
    t = open_model(&s); /* without a normalizer: SentencePiece's defaults */
    assert_ids(t, "  b   a ", 0, "5 7 9");
    tokenizer_free(t);
}

static void refuse_model(struct str *s, const char *message)
{
    char *path = write_file("refused.model", s->text, s->len);
    char *whole = xasprintf("'%s': %s", path, message);

    assert_no_tokenizer(path, whole);
    free(whole);
    free(path);
    str_release(s);
}

static void test_refusals(void **state)
{
    static const char not_bpe[] =
        "the SentencePiece model is not of type BPE; unigram and word "
        "models are not supported";
    struct str s = STR_INIT;

    (void) state;
    add_pieces(&s, -7);
    add_trainer(&s, 1);
    refuse_model(&s, not_bpe);
    add_pieces(&s, -7);
    refuse_model(&s, not_bpe); /* SentencePiece's default is unigram */
    add_trainer(&s, 2);
    refuse_model(&s, "the SentencePiece model has no tokens");
    add_pieces(&s, -7);
    add_trainer(&s, 2);
    add_normalizer(&s, "map", 1, 1);
    refuse_model(&s, "the SentencePiece model normalizes text by a table of its own, which is "
                     "not supported");
    add_pieces(&s, NAN);
    add_trainer(&s, 2);
    refuse_model(&s, "the score of token 6 is not a finite number");
    str_adds(&s, "\x0a\x7f");
    refuse_model(&s, "this is no SentencePiece model, or it is damaged at byte 2");
}

/* --- the files of a folder --- */

#define BYTE_LEVEL                                                                             \
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":{\"a\":0,\"b\":1},"       \
    "\"merges\":[]},\"added_tokens\":[{\"id\":2,\"content\":\"<s>\",\"special\":true},"        \
    "{\"id\":3,\"content\":\"<e>\",\"special\":true},"                                         \
    "{\"id\":4,\"content\":\"<|im_end|>\",\"special\":true}]"
#define TEMPLATE                                                                               \
    ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"      \
    "{\"id\":\"<s>\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"<s>\":"            \
    "{\"id\":\"<s>\",\"ids\":[2]}}}"

static void put(const char *name, const char *text)
{
    free(write_file(name, text, strlen(text)));
}

static void check_folder(int bos, int eos, bool adds, const char *ids)
{
    char *folder = temp_folder();
    struct tokenizer *t = open_tokenizer(folder);

    assert_int_equal(tokenizer_bos(t), bos);
    assert_int_equal(tokenizer_eos(t), eos);
    assert_int_equal(tokenizer_adds_bos(t), adds);
    assert_true(eos < 0 || tokenizer_is_end(t, eos));
    assert_true(tokenizer_is_end(t, 4)); /* the end of a chat's turn */
    assert_false(tokenizer_is_end(t, 0));
    assert_ids(t, "ab", TOKENIZE_BOS, ids);
    assert_ids(t, "ab", 0, "0 1");
    tokenizer_free(t);
    free(folder);
}

static void test_beginnings_and_ends(void **state)
{
    char *folder = temp_folder();

    (void) state;
    put("tokenizer.json", "{" BYTE_LEVEL "}");
    check_folder(-1, -1, false, "0 1");
    put("tokenizer.json", "{" BYTE_LEVEL TEMPLATE "}");
    check_folder(2, -1, true, "2 0 1");
    put("config.json", "{\"bos_token_id\":0,\"eos_token_id\":[3,1]}");
    put("tokenizer_config.json", "{\"add_bos_token\":false}");
    char *path = file_join(folder, "tokenizer.json");
    struct tokenizer *t = open_tokenizer(path);
    assert_true(tokenizer_is_end(t, 1) && tokenizer_is_end(t, 3));
    assert_int_equal(tokenizer_eos(t), 3);
    tokenizer_free(t);
    check_folder(2, 3, false, "0 1");
    put("config.json", "{}");
    put("tokenizer_config.json",
        "{\"bos_token\":{\"content\":\"<e>\"},\"eos_token\":\"<s>\",\"add_bos_token\":true}");
    check_folder(3, 2, true, "3 0 1");
    put("tokenizer_config.json", "[]");
    assert_no_tokenizer(folder, "~tokenizer_config.json': the file does not hold an object");
    put("tokenizer_config.json", "{");
    assert_no_tokenizer(folder, "~tokenizer_config.json': not valid JSON");
    put("tokenizer_config.json", "{}");
    free(path);
    free(folder);
}

/* --- models of other sizes --- */

/* A folder like the sound one (276 rows), but with this tokenizer. */
static struct model *open_with(const char *json)
{
    static const char *const names[] = {"config.json", "model.safetensors"};
    char *folder = temp_folder();
    struct err err = ERR_INIT;

    for (size_t i = 0; i < 2; i++) {
        char *name = xasprintf("malformed/hf/ok-hf-gpt2/%s", names[i]), *path = data_path(name);
        struct str s = STR_INIT;
        assert_true(file_read(&s, path, 1 << 20, &err));
        free(write_file(names[i], s.text, s.len));
        str_release(&s);
        free(path);
        free(name);
    }
    put("tokenizer.json", json);
    struct model *m = model_open(folder, &err);
    if (!m)
        fail_msg("%s", err.text);
    free(folder);
    return m;
}

static void test_sizes(void **state)
{
    struct err err = ERR_INIT;
    char label[16], *long_json;
    struct model *m = open_with("{" BYTE_LEVEL "}");
    struct tokenizer *t = tokenizer_of(m, &err);

    (void) state;
    assert_non_null(t); /* more rows than tokens: padded */
    assert_int_equal(tokenizer_n_vocab(t), 276);
    assert_string_equal(tokenizer_label(t, 4, label, sizeof label), "<|im_end|>");
    assert_string_equal(tokenizer_label(t, 275, label, sizeof label), "[275]");
    assert_ids(t, "ab", 0, "0 1");
    tokenizer_free(t);
    model_free(m);
    long_json = xasprintf("{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":"
                          "{\"a\":%d},\"merges\":[]}}",
                          276);
    m = open_with(long_json);
    assert_null(tokenizer_of(m, &err));
    if (!strstr(err.text, "': the tokenizer has 277 tokens, but the model only 276"))
        fail_msg("%s", err.text);
    model_free(m);
    free(long_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_by_score), cmocka_unit_test(test_normalizer),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_beginnings_and_ends),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests_name("tokenizer_spm", tests, NULL, temp_remove);
}
