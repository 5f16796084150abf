/* The log of merges: where it begins, that each step is one merge that the vocabulary has, and
 * that it ends where encoding does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "text/tokenizer_state.h"
#include "text_fixture.h"

#include <stdlib.h>
#include <string.h>

/* The cuts after a step are those before it, but for one. */
static void assert_one_less(const struct merge_step *a, const struct merge_step *b)
{
    int gone = 0;

    assert_int_equal(b->n_pieces, a->n_pieces - 1);
    for (int i = 0; i <= a->n_pieces; i++) {
        if (gone == 0 && (i > b->n_pieces || a->cuts[i] != b->cuts[i]))
            gone = 1;
        else
            assert_int_equal(a->cuts[i], b->cuts[i - gone]);
    }
    assert_int_equal(gone, 1);
}

/* The step's tokens are `left` and `right` of the text, and merge with the rank it says. */
static void assert_merge(const struct tokenizer *t, const char *text,
                         const struct merge_step *s)
{
    const struct pair *p = pairs_find(&t->vocab.merges, s->left, s->right);
    const char *bytes;
    size_t n;
    bool found = false;

    assert_non_null(p);
    assert_int_equal(p->rank, s->rank);
    assert_int_equal(p->result, s->result);
    assert_true(tokenizer_bytes(t, s->result, &bytes, &n));
    for (int i = 0; i < s->n_pieces; i++)
        found = found || ((size_t) (s->cuts[i + 1] - s->cuts[i]) == n &&
                          memcmp(text + s->cuts[i], bytes, n) == 0);
    assert_true(found);
}

/* Each piece at the end is the token that encoding gives. */
static void assert_ends(const struct tokenizer *t, const char *text, const struct merge_step *s,
                        const struct ids *ids)
{
    assert_int_equal(s->n_pieces, ids->n);
    for (int i = 0; i < ids->n; i++) {
        const char *bytes;
        size_t n;
        assert_true(tokenizer_bytes(t, ids->id[i], &bytes, &n));
        assert_int_equal(s->cuts[i + 1] - s->cuts[i], n);
        assert_memory_equal(text + s->cuts[i], bytes, n);
    }
}

/* `ids` as encoding gives them for the text alone. */
static void check_log(const struct tokenizer *t, const char *text, size_t n,
                      const struct ids *ids, int n_first)
{
    struct merge_log log = MERGE_LOG_INIT;
    struct err err = ERR_INIT;

    if (!tokenizer_merges(t, text, n, &log, &err))
        fail_msg("%s: %s", text, err.text);
    assert_true(log.n > 0);
    text = log.text;
    n = log.n_text;
    assert_int_equal(log.step[0].result, -1);
    assert_int_equal(log.step[0].left, -1);
    assert_int_equal(log.step[0].rank, -1);
    assert_int_equal(log.step[0].n_pieces, n_first);
    for (int i = 0; i < log.n; i++) {
        assert_int_equal(log.step[i].cuts[0], 0);
        assert_int_equal(log.step[i].cuts[log.step[i].n_pieces], n);
        if (i > 0) {
            assert_one_less(&log.step[i - 1], &log.step[i]);
            assert_merge(t, text, &log.step[i]);
        }
    }
    assert_ends(t, text, &log.step[log.n - 1], ids);
    merge_log_release(&log);
}

static const char *const texts[] = {
    "Tom gave the red ball to Anna.",
    "  two  spaces\n\nand lines\t",
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80 caf\xc3\xa9",
    "\xff\xfe broken \xe2\x82",
    "aaaaaaaaaaaaaaaaaaaaaaa",
    "x",
};

static void test_byte_level(void **state)
{
    struct tokenizer *t = open_tokenizer("tiny-gpt2");

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strlen(texts[i]);
        struct ids ids = encode(t, texts[i], n, 0);
        check_log(t, texts[i], n, &ids, (int) n);
        ids_release(&ids);
    }
    tokenizer_free(t);
}

/* In one piece, merges go in the order of their ranks unless one makes the next possible. */
static void test_order(void **state)
{
    struct tokenizer *t = open_tokenizer("tiny-gpt2");
    struct merge_log log = MERGE_LOG_INIT;
    struct err err = ERR_INIT;

    (void) state;
    assert_true(tokenizer_merges(t, " the", 4, &log, &err));
    assert_int_equal(log.n, 4);
    assert_int_equal(log.step[3].n_pieces, 1);
    for (int i = 2; i < log.n; i++) {
        const struct merge_step *a = &log.step[i - 1], *b = &log.step[i];
        bool made = b->left == a->result || b->right == a->result;
        assert_true(made || a->rank <= b->rank);
    }
    merge_log_release(&log);
    tokenizer_free(t);
}

static void test_limits(void **state)
{
    struct tokenizer *t = open_tokenizer("tiny-gpt2");
    struct merge_log log = MERGE_LOG_INIT;
    struct err err = ERR_INIT;
    char text[2049];

    (void) state;
    memset(text, 'a', sizeof text);
    assert_false(tokenizer_merges(t, text, sizeof text, &log, &err));
    assert_string_equal(err.text, "the text is longer than 2048 bytes; choose a part of it");
    assert_int_equal(log.n, 0);
    assert_true(tokenizer_merges(t, text, 2048, &log, &err));
    merge_log_release(&log);
    assert_true(tokenizer_merges(t, "", 0, &log, &err));
    assert_int_equal(log.n, 1);
    assert_int_equal(log.step[0].n_pieces, 0);
    merge_log_release(&log);
    tokenizer_free(t);
}

/* Characters that are no tokens are bytes from the start; the space put first is in the log. */
static void test_sentencepiece(void **state)
{
    static const char json[] =
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"special\":true}],"
        "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"always\","
        "\"split\":false},"
        "\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"unk_token\":\"<unk>\",\"vocab\":{"
        "\"<unk>\":0,\"<0xC3>\":1,\"<0xA9>\":2,\"\xe2\x96\x81\":3,\"a\":4,\"b\":5,\"c\":6,"
        "\"ab\":7,\"\xe2\x96\x81"
        "ab\":8,\"\xe2\x82\xac\":9,\"c\xe2\x82\xac\":10},"
        "\"merges\":[\"a b\",\"\xe2\x96\x81 ab\",\"c \xe2\x82\xac\"]}}";
    char *path = write_file("merges.json", json, strlen(json));
    struct tokenizer *t = open_tokenizer(path);
    static const char text[] = "abc\xe2\x82\xac\xc3\xa9 ab";
    struct ids ids = encode_text(t, text, 0);

    (void) state;
    assert_ids(t, text, 0, "8 10 1 2 8");
    check_log(t, text, strlen(text), &ids, 10);
    ids_release(&ids);
    tokenizer_free(t);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_byte_level),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sentencepiece),
    };
    return cmocka_run_group_tests_name("text_merges", tests, NULL, temp_remove);
}
