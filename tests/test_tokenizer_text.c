/*
 * What holds for any tokenizer, on the built-in ones: texts of any bytes come back, streams
 * never show half a character, long texts take no long time, labels are fit for a screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "text/nfc.h"
#include "text_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char *const builtin[] = {"tiny-gpt2", "tiny-llama"};

/* --- bytes --- */

static void assert_comes_back(const struct tokenizer *t, const char *text, size_t n, int flags)
{
    struct ids ids = encode(t, text, n, flags);
    size_t n_back;
    char *back = decode_whole(t, &ids, &n_back);

    assert_int_equal(n_back, n);
    assert_memory_equal(back, text, n);
    free(back);
    ids_release(&ids);
}

/* Bytes at random, with stretches of what a text is made of between them. */
static size_t random_text(struct rng *r, char *text, size_t size)
{
    static const char *const parts[] = {
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "'s",
        "'LL",
        "the",
        " The",
        "<|endoftext|>",
        "<|endo",
        "\xc3\xa9",
        "e\xcc\x81",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "\xf0\x9f\x98\x80",
        "\xe2\x80\x8d",
        "\xe2\x80\x83",
        "\xc2\x85",
        "123",
        "\xc2\xbd",
        "...",
        "\xf0\x9f",
        "\xff",
        "\xc0\x80",
        "\xed\xa0\x80",
        "\xe2\x96\x81",
    };
    size_t n = 0, want = rng_u64(r) % size;

    while (n < want) {
        const char *part = parts[rng_u64(r) % (sizeof parts / sizeof *parts)];
        size_t len = strlen(part);
        if (n + len > want || rng_u64(r) % 3 == 0) {
            text[n++] = (char) rng_u64(r);
        } else {
            memcpy(text + n, part, len);
            n += len;
        }
    }
    return n;
}

static void test_random_bytes(void **state)
{
    char text[64];
    struct rng r;

    (void) state;
    for (size_t m = 0; m < 2; m++) {
        struct tokenizer *t = open_tokenizer(builtin[m]);
        rng_seed(&r, 7);
        for (int i = 0; i < 4000; i++) {
            size_t n = random_text(&r, text, sizeof text);
            assert_comes_back(t, text, n, i % 2 ? TOKENIZE_SPECIAL : 0);
        }
        for (int c = 0; c < 256; c++) {
            text[0] = text[1] = (char) c;
            assert_comes_back(t, text, 1, 0);
            assert_comes_back(t, text, 2, 0);
        }
        tokenizer_free(t);
    }
}

/* --- streams --- */

static void test_stream(void **state)
{
    static const char *const texts[] = {
        "\xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91"
        "\xa7",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4",
        "e\xcc\x81\xcc\x82\xcc\x83 a\xcc\x8a",
        "plain text, "
        "\xc3\xa9t\xc3\xa9",
        "",
    };

    (void) state;
    for (size_t i = 0; i < 2 * sizeof texts / sizeof *texts; i++) {
        struct tokenizer *t = open_tokenizer(builtin[i % 2]);
        struct ids ids = encode_text(t, texts[i / 2], 0);
        size_t n;
        char *back = decode_stream(t, &ids, &n);
        assert_string_equal(back, texts[i / 2]);
        free(back);
        ids_release(&ids);
        tokenizer_free(t);
    }
}

static void test_stream_of_bad_bytes(void **state)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xf0\x9f", "\xef\xbf\xbd"},
        {"\xf0\x9f\x98", "\xef\xbf\xbd"},
        {"\xe2\x82"
         "x",
         "\xef\xbf\xbd\xef\xbf\xbdx"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    struct tokenizer *t = open_tokenizer(builtin[0]);

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ids ids = encode_text(t, cases[i].text, 0);
        size_t n;
        char *out = decode_stream(t, &ids, &n);
        assert_string_equal(out, cases[i].out);
        free(out);
        ids_release(&ids);
    }
    tokenizer_free(t);
}

static void test_stream_of_random_ids(void **state)
{
    struct tokenizer *t = open_tokenizer(builtin[0]);
    struct rng r;

    (void) state;
    rng_seed(&r, 11);
    for (int i = 0; i < 500; i++) {
        struct ids ids = IDS_INIT;
        size_t n, n_whole;
        for (int k = 0; k < 40; k++) /* some of them are no tokens */
            ids_add(&ids, (int32_t) (rng_u64(&r) % 2100) - 10);
        char *out = decode_stream(t, &ids, &n), *whole = decode_whole(t, &ids, &n_whole);
        if (utf8_valid(whole, n_whole))
            assert_string_equal(out, whole);
        free(out);
        free(whole);
        ids_release(&ids);
    }
    tokenizer_free(t);
}

/* --- form C --- */

/* Against utf8proc's own, which takes long for long rows of marks. */
static void assert_nfc(const char *text, size_t n)
{
    struct str got = STR_INIT;
    uint8_t *want = NULL;
    utf8proc_ssize_t len = utf8proc_map((const uint8_t *) text, (utf8proc_ssize_t) n, &want,
                                        UTF8PROC_STABLE | UTF8PROC_COMPOSE);

    nfc_add(&got, text, n);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.text, want, got.len);
    str_release(&got);
    free(want);
}

static void test_nfc(void **state)
{
    static const uint32_t some[] = {'a',   'e',    'q',    0x301,  0x323,  0x302,  0x344,
                                    0xe9,  0x1e69, 0x1100, 0x1161, 0x11a8, 0xac00, 0x212b,
                                    0x958, 0xf73,  0x3a9,  0x345,  0x5b0,  0x1f600};
    char text[400];
    struct rng r;

    (void) state;
    rng_seed(&r, 3);
    for (int i = 0; i < 20000; i++) {
        size_t n = 0;
        for (uint64_t k = rng_u64(&r) % 12; k > 0; k--) {
            uint32_t cp = some[rng_u64(&r) % (sizeof some / sizeof *some)];
            if (rng_u64(&r) % 4 == 0)
                cp = (uint32_t) (rng_u64(&r) % 0xd800);
            n += (size_t) utf8_encode(cp, text + n);
        }
        assert_nfc(text, n);
    }
    assert_nfc("", 0);
}

static void test_nfc_of_anything(void **state)
{
    struct str marks = STR_INIT, out = STR_INIT;

    (void) state;
    nfc_add(&out,
            "e\xcc\x81\xff"
            "e\xcc\x81\xcc",
            8);
    assert_string_equal(out.text, "\xc3\xa9\xff\xc3\xa9\xcc");
    for (int i = 0; i < 250000; i++)
        str_adds(&marks, "\xcc\x81\xcc\xa3");
    str_clear(&out);
    double began = clock_measure();
    nfc_add(&out, marks.text, marks.len);
    print_message("a megabyte of marks: %.3f s\n", clock_measure() - began);
    assert_int_equal(out.len, marks.len);
    assert_memory_equal(out.text, "\xcc\xa3\xcc\xa3", 4);
    assert_true(clock_measure() - began < 10);
    str_release(&marks);
    str_release(&out);
}

/* --- long texts --- */

static void check_long(const struct tokenizer *t, const char *part, const char *what)
{
    enum { SIZE = 1000000 };
    char *text = xmalloc(SIZE);
    size_t len = strlen(part);
    double began = clock_measure(), seconds;

    for (size_t i = 0; i < SIZE; i++)
        text[i] = part[i % len];
    assert_comes_back(t, text, SIZE, TOKENIZE_SPECIAL);
    seconds = clock_measure() - began;
    print_message("a megabyte of %s: %.3f s\n", what, seconds);
    assert_true(seconds < 10);
    free(text);
}

static void test_long_texts(void **state)
{
    static const char *const parts[][2] = {
        {"a", "one letter"},
        {" ", "spaces"},
        {"\n", "newlines"},
        {"<", "one sign"},
        {"\xff", "bad bytes"},
        {"The quick brown fox jumps over the lazy dog; it wasn't 42 years old. ", "English"},
    };

    (void) state;
    for (size_t m = 0; m < 2; m++) {
        struct tokenizer *t = open_tokenizer(builtin[m]);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            check_long(t, parts[i][0], parts[i][1]);
        tokenizer_free(t);
    }
}

/* --- labels --- */

static int find_token(const struct tokenizer *t, const char *bytes, size_t n)
{
    for (int id = 0; id < tokenizer_n_vocab(t); id++) {
        const char *own;
        size_t len;
        assert_true(tokenizer_bytes(t, id, &own, &len));
        if (len == n && memcmp(own, bytes, n) == 0)
            return id;
    }
    fail_msg("there is no token '%.*s'", (int) n, bytes);
    return -1;
}

static void test_labels(void **state)
{
    static const struct {
        const char *bytes, *label;
    } cases[] = {
        {" ", "\xc2\xb7"}, {" the", "\xc2\xb7the"}, {"\n", "\\n"},
        {"\t", "\\t"},     {"\x1b", "\\x1b"},       {"\x7f", "\\x7f"},
        {"\x80", "\\x80"}, {"\xe2", "\\xe2"},       {"<|endoftext|>", "<|endoftext|>"},
        {"\\", "\\"},
    };
    struct tokenizer *t = open_tokenizer(builtin[0]);
    const char *bytes;
    char label[64];
    size_t n;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int id = find_token(t, cases[i].bytes, strlen(cases[i].bytes));
        assert_string_equal(tokenizer_label(t, id, label, sizeof label), cases[i].label);
    }
    assert_string_equal(tokenizer_label(t, 99999, label, sizeof label), "[99999]");
    assert_string_equal(tokenizer_label(t, -1, label, sizeof label), "[-1]");
    assert_string_equal(tokenizer_label(t, find_token(t, " the", 4), label, 4), "\xc2\xb7t");
    assert_false(tokenizer_bytes(t, 99999, &bytes, &n));
    assert_false(tokenizer_bytes(t, -1, &bytes, &n));
    assert_int_equal(n, 0);
    tokenizer_free(t);
}

/* Files whose tokens are escape sequences: no label may hold one. */
static void check_hostile(const char *name)
{
    char *path = data_path(name), label[256];
    struct tokenizer *t = open_tokenizer(path);
    int n_escaped = 0;

    for (int id = 0; id < tokenizer_n_vocab(t); id++) {
        tokenizer_label(t, id, label, sizeof label);
        assert_true(utf8_valid(label, strlen(label)));
        n_escaped += strstr(label, "\\x1b") != NULL;
        for (const char *p = label; *p; p++) {
            bool c1 = *p == '\xc2' && (uint8_t) p[1] < 0xa0;
            if ((uint8_t) *p < 0x20 || *p == 0x7f || c1)
                fail_msg("%s: the label of %d holds a control character", name, id);
        }
    }
    print_message("%s: %d labels show an escape\n", name, n_escaped);
    assert_true(n_escaped > 1);
    tokenizer_free(t);
    free(path);
}

static void test_hostile_labels(void **state)
{
    (void) state;
    check_hostile("malformed/gguf/tok-esc.gguf");
    check_hostile("malformed/hf/tj-esc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_of_bad_bytes),
        cmocka_unit_test(test_stream_of_random_ids),
        cmocka_unit_test(test_nfc),
        cmocka_unit_test(test_nfc_of_anything),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_hostile_labels),
    };
    return cmocka_run_group_tests_name("tokenizer", tests, NULL, temp_remove);
}
