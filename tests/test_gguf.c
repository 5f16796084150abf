/* GGUF: files made byte by byte, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/gguf.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- writing --- */

static void put(struct str *s, uint64_t v, int bytes)
{
    int i;

    for (i = 0; i < bytes; i++)
        str_addc(s, (char) (v >> (8 * i) & 0xff));
}

static void put_string(struct str *s, const char *text)
{
    put(s, strlen(text), 8);
    str_adds(s, text);
}

static void put_header(struct str *s, int version, uint64_t n_tensors, uint64_t n_kv)
{
    str_adds(s, "GGUF");
    put(s, (uint64_t) version, 4);
    put(s, n_tensors, 8);
    put(s, n_kv, 8);
}

static void put_scalar(struct str *s, const char *key, int type, uint64_t v, int bytes)
{
    put_string(s, key);
    put(s, (uint64_t) type, 4);
    put(s, v, bytes);
}

static void put_tensor(struct str *s, const char *name, uint64_t n, int type, uint64_t offset)
{
    put_string(s, name);
    put(s, 1, 4);
    put(s, n, 8);
    put(s, (uint64_t) type, 4);
    put(s, offset, 8);
}

static void pad(struct str *s)
{
    while (s->len % 32)
        str_addc(s, 0);
}

/* The bytes at an aligned place of their exact length, so that a sanitizer sees any overrun. */
static struct gguf *open_bytes(const struct str *s, char **copy, struct err *err)
{
    *copy = xmalloc(s->len);
    memcpy(*copy, s->text, s->len);
    return gguf_open_memory(*copy, s->len, "test", err);
}

/* --- metadata --- */

static void put_all_types(struct str *s)
{
    put_header(s, 3, 0, 15);
    put_scalar(s, "u8", 0, 200, 1);
    put_scalar(s, "i8", 1, 0xff, 1);
    put_scalar(s, "u16", 2, 65535, 2);
    put_scalar(s, "i16", 3, 0x8000, 2);
    put_scalar(s, "u32", 4, 4000000000u, 4);
    put_scalar(s, "i32", 5, 0xfffffffe, 4);
    put_scalar(s, "f32", 6, 0x3fc00000, 4);
    put_scalar(s, "bool", 7, 1, 1);
    put_scalar(s, "u64", 10, UINT64_MAX, 8);
    put_scalar(s, "i64", 11, UINT64_MAX, 8);
    put_scalar(s, "f64", 12, 0x3ff8000000000000u, 8);
    put_string(s, "text");
    put(s, 8, 4);
    put_string(s, "hello");
    put_string(s, "texts");
    put(s, 9, 4);
    put(s, 8, 4);
    put(s, 2, 8);
    put_string(s, "one");
    put_string(s, "");
    put_string(s, "ints");
    put(s, 9, 4);
    put(s, 5, 4);
    put(s, 2, 8);
    put(s, 7, 4);
    put(s, 0xffffffff, 4);
    put_string(s, "nested");
    put(s, 9, 4);
    put(s, 9, 4);
    put(s, 1, 8);
    put(s, 6, 4);
    put(s, 1, 8);
    put(s, 0, 4);
}

static void expect_int(const struct gguf *g, const char *key, int64_t wanted)
{
    struct err err = ERR_INIT;
    int64_t v = 99;

    assert_true(gguf_need_int(g, key, INT64_MIN, INT64_MAX, &v, &err));
    assert_int_equal(v, wanted);
}

static void test_scalars(void **state)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    struct gguf_string text;
    double x = 0;
    int64_t v = 5;
    bool yes = false;
    char *copy;
    struct gguf *g;

    (void) state;
    put_all_types(&s);
    g = open_bytes(&s, &copy, &err);
    assert_non_null(g);
    expect_int(g, "u8", 200);
    expect_int(g, "i8", -1);
    expect_int(g, "u16", 65535);
    expect_int(g, "i16", -32768);
    expect_int(g, "u32", 4000000000);
    expect_int(g, "i32", -2);
    expect_int(g, "i64", -1);
    assert_false(gguf_need_int(g, "u64", 0, INT64_MAX, &v, &err));
    assert_non_null(strstr(err.text, "18446744073709551615"));
    assert_false(gguf_need_int(g, "u8", 0, 100, &v, &err));
    assert_false(gguf_need_int(g, "f32", 0, 100, &v, &err));
    assert_false(gguf_need_int(g, "nothing", 0, 100, &v, &err));
    assert_true(gguf_may_int(g, "nothing", 0, 100, &v, &err));
    assert_int_equal(v, 5);
    assert_true(gguf_may_float(g, "f32", &x, &err) && x == 1.5);
    assert_true(gguf_may_float(g, "f64", &x, &err) && x == 1.5);
    assert_false(gguf_may_float(g, "u8", &x, &err));
    assert_true(gguf_may_bool(g, "bool", &yes, &err) && yes);
    assert_false(gguf_may_bool(g, "u8", &yes, &err));
    assert_true(gguf_need_string(g, "text", &text, &err));
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.bytes, "hello", 5);
    assert_false(gguf_need_string(g, "texts", &text, &err));
    assert_non_null(strstr(err.text, "array of string"));
    gguf_free(g);
    free(copy);
    str_release(&s);
}

static void test_arrays(void **state)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    struct gguf_string *texts;
    int32_t *ints;
    float *floats;
    size_t n;
    uint64_t count = 0;
    char *copy;
    struct gguf *g;

    (void) state;
    put_all_types(&s);
    g = open_bytes(&s, &copy, &err);
    assert_non_null(g);
    assert_true(gguf_need_strings(g, "texts", &texts, &n, &err));
    assert_int_equal(n, 2);
    assert_memory_equal(texts[0].bytes, "one", 3);
    assert_int_equal(texts[1].len, 0);
    free(texts);
    assert_true(gguf_may_ints(g, "ints", &ints, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(ints[0], 7);
    assert_int_equal(ints[1], -1);
    free(ints);
    assert_true(gguf_may_floats(g, "nothing", &floats, &n, &err));
    assert_null(floats);
    assert_false(gguf_may_floats(g, "ints", &floats, &n, &err));
    assert_false(gguf_may_strings(g, "nested", &texts, &n, &err));
    assert_true(gguf_array_count(g, "nested", &count));
    assert_int_equal(count, 1);
    assert_false(gguf_array_count(g, "text", &count));
    gguf_free(g);
    free(copy);
    str_release(&s);
}

/* --- tensors --- */

static void put_two_tensors(struct str *s, int type, uint64_t offset)
{
    put_header(s, 2, 2, 0);
    put_tensor(s, "a", 8, 0, 0);
    put_tensor(s, "b", 32, type, offset);
    pad(s);
    put(s, 0x40000000, 4); /* 2.0 */
    for (int i = 0; i < 28 + 64; i++)
        str_addc(s, 1);
}

static void test_tensors(void **state)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    const struct gguf_tensor *t;
    float two;
    char *copy;
    struct gguf *g;

    (void) state;
    put_two_tensors(&s, 8, 32);
    g = open_bytes(&s, &copy, &err);
    assert_non_null(g);
    assert_int_equal(gguf_n_tensors(g), 2);
    t = gguf_find_tensor(g, "a");
    assert_int_equal(t->dtype, DTYPE_F32);
    assert_int_equal(t->bytes, 32);
    memcpy(&two, t->data, sizeof two);
    assert_true(two == 2);
    t = gguf_find_tensor(g, "b");
    assert_ptr_equal(t, gguf_tensor(g, 1));
    assert_int_equal(t->dtype, DTYPE_Q8_0);
    assert_int_equal(t->bytes, 34);
    assert_ptr_equal((const char *) t->data, copy + t->offset);
    assert_null(gguf_find_tensor(g, "c"));
    assert_null(gguf_tensor(g, 2));
    gguf_free(g);
    free(copy);
    str_release(&s);
}

static void check_bad_tensor(int type, uint64_t offset, const char *part)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    char *copy;

    put_two_tensors(&s, type, offset);
    assert_null(open_bytes(&s, &copy, &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
    assert_non_null(strstr(err.text, "'test'"));
    free(copy);
    str_release(&s);
}

static void test_bad_tensors(void **state)
{
    (void) state;
    check_bad_tensor(12, 32, "Q4_K, which is not supported yet; convert");
    check_bad_tensor(4, 32, "unknown type 4");
    check_bad_tensor(1000, 32, "unknown type 1000");
    check_bad_tensor(8, 33, "alignment");
    check_bad_tensor(8, 0, "overlap");
    check_bad_tensor(8, 96, "reaches past the end");
    check_bad_tensor(8, UINT64_MAX - 31, "reaches past the end");
}

/* A file cut anywhere is refused with a message, and nothing is read beyond its end. */
static void test_every_cut(void **state)
{
    struct str whole = STR_INIT;
    size_t n;

    (void) state;
    put_header(&whole, 3, 1, 2);
    put_scalar(&whole, "general.alignment", 4, 32, 4);
    put_string(&whole, "texts");
    put(&whole, 9, 4);
    put(&whole, 8, 4);
    put(&whole, 1, 8);
    put_string(&whole, "one");
    put_tensor(&whole, "a", 32, 8, 0);
    pad(&whole);
    for (n = 0; n < 34; n++)
        str_addc(&whole, 0);
    for (n = 0; n <= whole.len; n++) {
        struct str part = {whole.text, n, 0};
        struct err err = ERR_INIT;
        char *copy;
        struct gguf *g = open_bytes(&part, &copy, &err);
        assert_int_equal(g != NULL, n == whole.len);
        assert_int_equal(err.text[0] == 0, n == whole.len);
        gguf_free(g);
        free(copy);
    }
    str_release(&whole);
}

/* --- models that differ in one key --- */

/* The small llama with one more key in front. A second one fills up to a multiple of the
 * alignment, so that everything behind stays in its place. */
static void check_variant(const char *key, int type, uint64_t v, int bytes, const char *part)
{
    /* bytes 0: the text "linear" */
    const char *dir = getenv("TESTS_DIR") ? getenv("TESTS_DIR") : "tests";
    char *good = xasprintf("%s/data/models/small-llama.gguf", dir);
    char path[] = "/tmp/gptscope-test-XXXXXX";
    struct str s = STR_INIT, kv = STR_INIT;
    struct err err = ERR_INIT;
    struct model *m;
    int fd = mkstemp(path);

    assert_true(fd >= 0 && file_read(&s, good, 1 << 20, &err));
    if (bytes) {
        put_scalar(&kv, key, type, v, bytes);
    } else {
        put_scalar(&kv, key, type, 6, 8);
        str_adds(&kv, "linear");
    }
    put_string(&kv, "filler");
    put(&kv, 8, 4);
    put(&kv, 32 - (kv.len + 8) % 32, 8);
    pad(&kv);
    str_insert(&s, 24, kv.text, kv.len);
    s.text[16] = (char) (s.text[16] + 2); /* the number of keys */
    assert_int_equal(write(fd, s.text, s.len), s.len);
    close(fd);
    m = model_open(path, &err);
    assert_int_equal(m != NULL, part == NULL);
    if (part && !strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
    model_free(m);
    unlink(path);
    str_release(&kv);
    str_release(&s);
    free(good);
}

static void test_variants(void **state)
{
    (void) state;
    check_variant("some.key", 4, 1, 4, NULL);
    check_variant("split.count", 2, 1, 2, NULL);
    check_variant("split.count", 2, 3, 2, "one of 3 parts of a split model; join them");
    check_variant("llama.rope.scaling.type", 8, 0, 0, "scaled RoPE");
    check_variant("llama.rope.scale_linear", 6, 0x40000000, 4, "scaled RoPE");
    check_variant("llama.expert_count", 4, 8, 4, "8 experts");
    check_variant("llama.attention.sliding_window", 4, 4096, 4, "sliding-window");
    check_variant("llama.attention.key_length", 4, 4, 4, NULL);
    check_variant("llama.attention.key_length", 4, 8, 4, "q.weight");
    check_variant("llama.attention.value_length", 4, 8, 4, "value_length 8 differs");
    check_variant("llama.vocab_size", 4, 8, 4, NULL); /* the tokens count */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),   cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_tensors),   cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_every_cut), cmocka_unit_test(test_variants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
