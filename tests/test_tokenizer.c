/* The built-in models' tokenizer: texts that come back, streaming, merges, speed. */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "model/synth.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif

#ifdef SANITIZED
static const double megabyte_seconds = 20;
#else
static const double megabyte_seconds = 1;
#endif

static struct tokenizer *open_or_fail(const char *name)
{
    struct err err = ERR_INIT;
    struct tokenizer *t = tokenizer_open(name, &err);

    if (!t)
        fail_msg("%s: %s", name, err.text);
    return t;
}

static json_t *read_cases(void)
{
    const char *tests = getenv("TESTS_DIR");
    char *path = xasprintf("%s/data/tokenizer-cases.json", tests ? tests : "tests");
    struct err err = ERR_INIT;
    json_t *cases = json_parse_file(path, 1 << 20, &err);

    if (!cases)
        fail_msg("%s: %s", path, err.text);
    free(path);
    assert_true(json_array_size(cases) >= 100);
    return cases;
}

static struct ids encode(const struct tokenizer *t, const char *text, size_t n, int flags)
{
    struct ids ids = IDS_INIT;
    struct err err = ERR_INIT;

    if (!tokenizer_encode(t, text, n, flags, &ids, &err))
        fail_msg("%s", err.text);
    return ids;
}

static void assert_comes_back(const struct tokenizer *t, const char *text, size_t n, int flags)
{
    struct ids ids = encode(t, text, n, flags);
    struct str back = STR_INIT;

    tokenizer_decode(t, ids.id, ids.n, &back);
    assert_int_equal(back.len, n);
    assert_memory_equal(back.text, text, n);
    str_release(&back);
    ids_release(&ids);
}

static void test_facts(void **state)
{
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    const char *bytes;
    size_t n;

    (void) state;
    assert_string_equal(tokenizer_kind(t), "byte-level BPE");
    assert_int_equal(tokenizer_n_vocab(t), 2048);
    assert_int_equal(tokenizer_eos(t), 2047);
    assert_false(tokenizer_adds_bos(t));
    assert_true(tokenizer_is_end(t, 2047));
    assert_false(tokenizer_is_end(t, 0));
    assert_true(tokenizer_is_special(t, 2047));
    assert_false(tokenizer_is_special(t, 0));
    assert_false(tokenizer_is_special(t, -1));
    assert_true(tokenizer_bytes(t, 2047, &bytes, &n));
    assert_int_equal(n, strlen("<|endoftext|>"));
    assert_false(tokenizer_bytes(t, 2048, &bytes, &n));
    assert_int_equal(n, 0);
    assert_false(tokenizer_bytes(t, INT32_MIN, &bytes, &n));
    tokenizer_free(t);
}

/* Special tokens are read from text only on demand. */
static void test_special(void **state)
{
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    const char *text = "a<|endoftext|>b";
    struct ids with = encode(t, text, strlen(text), TOKENIZE_SPECIAL);
    struct ids without = encode(t, text, strlen(text), 0);
    struct ids bos = encode(t, "a", 1, TOKENIZE_BOS);

    (void) state;
    assert_int_equal(with.n, 3);
    assert_int_equal(with.id[1], 2047);
    assert_true(without.n > 3);
    for (int i = 0; i < without.n; i++)
        assert_int_not_equal(without.id[i], 2047);
    assert_int_equal(bos.n, 1); /* this file's tokenizer adds none */
    ids_release(&with);
    ids_release(&without);
    ids_release(&bos);
    tokenizer_free(t);
}

/* --- any bytes --- */

static void add_random(struct str *s, struct rng *r)
{
    static const char *const words[] = {" the",
                                        "'s",
                                        "\r\n",
                                        "  ",
                                        "\t",
                                        "123",
                                        "<|endoftext|>",
                                        "\xc2\x85",
                                        "\xe2\x80\x8d",
                                        "\xf0\x9f\x91\xa9"};
    char utf8[4];
    uint32_t cp;

    switch (rng_u64(r) % 4) {
    case 0:
        str_addc(s, (char) rng_u64(r));
        break;
    case 1:
        str_adds(s, words[rng_u64(r) % (sizeof words / sizeof *words)]);
        break;
    case 2:
        cp = (uint32_t) (rng_u64(r) % 0x3000);
        str_add(s, utf8, (size_t) utf8_encode(cp, utf8));
        break;
    default:
        str_addc(s, (char) (' ' + rng_u64(r) % 95));
    }
}

static void test_any_bytes(void **state)
{
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    struct rng r;

    (void) state;
    rng_seed(&r, 1);
    for (int round = 0; round < 2000; round++) {
        struct str s = STR_INIT;
        for (uint64_t n = rng_u64(&r) % 40; n > 0; n--)
            add_random(&s, &r);
        assert_comes_back(t, s.text, s.len, 0);
        assert_comes_back(t, s.text, s.len, TOKENIZE_SPECIAL);
        str_release(&s);
    }
    tokenizer_free(t);
}

/* --- streaming --- */

static void feed(struct decoder *d, int id, struct str *all)
{
    struct str part = STR_INIT;

    decoder_feed(d, id, &part);
    assert_true(utf8_valid(part.text, part.len));
    str_add(all, part.text, part.len);
    str_release(&part);
}

static void test_streaming(void **state)
{
    static const char text[] = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 na\xc3\xafve "
                               "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xd0\x9f\xd1\x80!";
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    struct ids ids = encode(t, text, strlen(text), 0);
    struct str all = STR_INIT;
    struct decoder d;

    (void) state;
    assert_true(ids.n > 20); /* most characters are several tokens */
    decoder_init(&d, t);
    for (int i = 0; i < ids.n; i++) {
        feed(&d, ids.id[i], &all);
        assert_memory_equal(all.text, text, all.len);
    }
    decoder_finish(&d, &all);
    assert_string_equal(all.text, text);
    str_clear(&all);
    decoder_init(&d, t);
    feed(&d, ids.id[0], &all); /* the first byte of an emoji, and then no more */
    assert_int_equal(all.len, 0);
    decoder_finish(&d, &all);
    assert_string_equal(all.text, "\xef\xbf\xbd");
    str_release(&all);
    ids_release(&ids);
    tokenizer_free(t);
}

/* SentencePiece's first token loses its blank at the beginning of a text, not after a prompt.
 */
static void test_streaming_after(void **state)
{
    const char *dir = getenv("TESTS_DIR"), *bytes;
    char path[512];
    int word = 0;
    size_t n;
    struct decoder d;
    struct str begun = STR_INIT, after = STR_INIT;

    (void) state;
    snprintf(path, sizeof path, "%s/data/malformed/gguf/ok-llama-spm.gguf",
             dir ? dir : "tests");
    struct tokenizer *t = open_or_fail(path);
    while (!tokenizer_bytes(t, word, &bytes, &n) || n < 2 || bytes[0] != ' ')
        assert_true(++word < tokenizer_n_vocab(t));
    decoder_init(&d, t);
    decoder_feed(&d, word, &begun);
    decoder_init_after(&d, t, word);
    decoder_feed(&d, word, &after);
    assert_memory_equal(after.text, bytes, n);
    assert_int_equal(after.len, n);
    assert_string_equal(begun.text, after.text + 1);
    str_release(&begun);
    str_release(&after);
    tokenizer_free(t);
}

static void test_streaming_nonsense(void **state)
{
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    struct decoder d;
    struct str all = STR_INIT;
    struct rng r;

    (void) state;
    rng_seed(&r, 2);
    decoder_init(&d, t);
    for (int i = 0; i < 50000; i++)
        feed(&d, (int) (rng_u64(&r) % 2100) - 20, &all);
    decoder_finish(&d, &all);
    assert_true(utf8_valid(all.text, all.len));
    str_release(&all);
    tokenizer_free(t);
}

/* --- merges --- */

static void assert_joins(const struct tokenizer *t, const struct merge_step *s)
{
    const char *left, *right, *both;
    size_t n_left, n_right, n;

    assert_true(tokenizer_bytes(t, s->left, &left, &n_left));
    assert_true(tokenizer_bytes(t, s->right, &right, &n_right));
    assert_true(tokenizer_bytes(t, s->result, &both, &n));
    assert_int_equal(n, n_left + n_right);
    assert_memory_equal(both, left, n_left);
    assert_memory_equal(both + n_left, right, n_right);
}

/* Each step takes one cut away and no other. */
static void assert_one_less(const struct merge_step *before, const struct merge_step *s)
{
    int gone = 0;

    assert_int_equal(s->n_pieces, before->n_pieces - 1);
    for (int i = 0, k = 0; i <= before->n_pieces; i++) {
        if (k <= s->n_pieces && s->cuts[k] == before->cuts[i])
            k++;
        else
            gone++;
    }
    assert_int_equal(gone, 1);
}

static void check_merges(const struct tokenizer *t, const char *text, size_t n)
{
    struct merge_log log = MERGE_LOG_INIT;
    struct err err = ERR_INIT;
    struct ids ids = encode(t, text, n, 0);

    assert_true(tokenizer_merges(t, text, n, &log, &err));
    assert_int_equal(log.n_text, n);
    assert_int_equal(log.step[0].n_pieces, n); /* byte-level: it starts as bytes */
    for (int i = 1; i < log.n; i++) {
        assert_joins(t, &log.step[i]);
        assert_one_less(&log.step[i - 1], &log.step[i]);
    }
    const struct merge_step *last = &log.step[log.n - 1];
    assert_int_equal(last->n_pieces, ids.n);
    for (int i = 0; i < ids.n; i++) {
        const char *bytes;
        size_t len;
        tokenizer_bytes(t, ids.id[i], &bytes, &len);
        assert_int_equal(len, last->cuts[i + 1] - last->cuts[i]);
        assert_memory_equal(bytes, log.text + last->cuts[i], len);
    }
    merge_log_release(&log);
    ids_release(&ids);
}

static void test_merges(void **state)
{
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    struct merge_log log = MERGE_LOG_INIT;
    struct err err = ERR_INIT;
    json_t *cases = read_cases(), *c;
    char *big = xcalloc(1, 5000);
    size_t i;

    (void) state;
    check_merges(t, "", 0);
    check_merges(t, "\xff\xfe the", 6);
    json_array_foreach(cases, i, c)
    {
        const json_t *text = json_object_get(c, "text");
        check_merges(t, json_string_value(text), json_string_length(text));
    }
    assert_false(tokenizer_merges(t, big, 5000, &log, &err));
    assert_non_null(strstr(err.text, "longer than"));
    free(big);
    json_decref(cases);
    tokenizer_free(t);
}

/* --- speed --- */

static void test_speed(void **state)
{
    static const char sentence[] =
        "Tom gave the red ball to Anna. She didn't thank him in 1994, "
        "but smiled -- na\xc3\xafvely?\n";
    double start = clock_measure();
    struct tokenizer *t = open_or_fail("tiny-gpt2");
    double opened = clock_measure() - start;
    struct str s = STR_INIT;

    (void) state;
    while (s.len < 1 << 20)
        str_adds(&s, sentence);
    start = clock_measure();
    struct ids ids = encode(t, s.text, s.len, TOKENIZE_SPECIAL);
    double took = clock_measure() - start;
    print_message("opened in %.2f ms, %.1f MB/s\n", opened * 1e3, (double) s.len / took / 1e6);
    assert_true(took < megabyte_seconds);
    ids_release(&ids);
    str_release(&s);
    tokenizer_free(t);
}

/* --- a model without text --- */

static void test_synthetic(void **state)
{
    struct hparams hp;
    struct err err = ERR_INIT;
    struct ids ids = IDS_INIT;
    char label[32];

    (void) state;
    if (!shape_parse(&hp, "gpt2:n_layer=1,n_vocab=70,n_ctx=8", &err))
        fail_msg("%s", err.text);
    struct model *m = model_synth(&hp, DTYPE_F32, 1, &err);
    assert_non_null(m);
    struct tokenizer *t = tokenizer_of(m, &err);
    assert_non_null(t);
    assert_int_equal(tokenizer_n_vocab(t), 70);
    assert_string_equal(tokenizer_label(t, 69, label, sizeof label), "<69>");
    assert_false(tokenizer_encode(t, "a", 1, 0, &ids, &err));
    assert_non_null(strstr(err.text, "no tokenizer"));
    tokenizer_free(t);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),           cmocka_unit_test(test_special),
        cmocka_unit_test(test_any_bytes),       cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_streaming_after), cmocka_unit_test(test_streaming_nonsense),
        cmocka_unit_test(test_merges),          cmocka_unit_test(test_speed),
        cmocka_unit_test(test_synthetic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
