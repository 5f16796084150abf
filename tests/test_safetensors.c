/* safetensors: a good file changed in one place at a time; data that is not aligned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/model.h"
#include "model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gptscope-test-XXXXXX";

static int make_folder(void **state)
{
    (void) state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"config.json", "model.safetensors"};
    size_t i;

    (void) state;
    for (i = 0; i < 2; i++) {
        char *path = file_join(folder, names[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static void write_file(const char *name, const struct str *s)
{
    char *path = file_join(folder, name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(s->text, 1, s->len, f), s->len);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static void put_length(struct str *s, uint64_t v)
{
    int i;

    for (i = 0; i < 8; i++)
        str_addc(s, (char) (v >> (8 * i) & 0xff));
}

/* A file with this header and n bytes of data, each the number of its place. */
static struct safetensors *open_with(const char *header, int n, struct err *err)
{
    struct str s = STR_INIT;
    char *path = file_join(folder, "model.safetensors");
    struct safetensors *st;
    int i;

    put_length(&s, strlen(header));
    str_adds(&s, header);
    for (i = 0; i < n; i++)
        str_addc(&s, (char) i);
    write_file("model.safetensors", &s);
    st = safetensors_open(path, err);
    free(path);
    str_release(&s);
    return st;
}

static void test_good(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors *st =
        open_with("{\"__metadata__\":{\"a\":\"b\"},"
                  "\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
                  "\"i\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                  "\"e\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]}}   ",
                  20, &err);
    const struct st_tensor *t;

    (void) state;
    if (!st)
        fail_msg("%s", err.text);
    assert_int_equal(safetensors_count(st), 3);
    t = safetensors_find(st, "w");
    assert_int_equal(t->dtype, ST_BF16);
    assert_int_equal(t->n_dims, 2);
    assert_int_equal(t->dim[0], 2);
    assert_int_equal(t->dim[1], 3);
    assert_int_equal(t->bytes, 12);
    assert_int_equal(*(const unsigned char *) t->data, 8);
    t = safetensors_find(st, "i");
    assert_int_equal(t->dtype, ST_OTHER);
    assert_string_equal(t->dtype_name, "I64");
    assert_int_equal(t->n_dims, 0);
    assert_null(safetensors_find(st, "x"));
    safetensors_free(st);
}

static void test_no_tensors(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors *st = open_with("{}", 0, &err);

    (void) state;
    assert_non_null(st);
    assert_int_equal(safetensors_count(st), 0);
    safetensors_free(st);
}

static const struct {
    const char *header;
    int bytes;
    const char *part; /* of the message */
} bad[] = {
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "last 1 bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "a hole"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "do not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "cut short"},
    {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype"},
    {"{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "'dtype'"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "'shape'"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "'data_offsets'"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
     "'shape'"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}", 4,
     "too large"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}}",
     4, "overlaps"},
    {"{\"a\":[]}", 0, "not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__"},
    {"[]", 0, "does not begin with '{'"},
};

static void test_bad(void **state)
{
    size_t i;

    (void) state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        assert_null(open_with(bad[i].header, bad[i].bytes, &err));
        if (!strstr(err.text, bad[i].part) || !strstr(err.text, "model.safetensors"))
            fail_msg("'%s' does not say '%s'", err.text, bad[i].part);
    }
}

/* A header one byte longer puts all data at odd addresses; the weights stay the same. */
static void test_unaligned(void **state)
{
    const char *dir = getenv("TESTS_DIR") ? getenv("TESTS_DIR") : "tests";
    char *good = xasprintf("%s/data/models/small-gpt2", dir);
    char *config = file_join(good, "config.json"), *file = file_join(good, "model.safetensors");
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    struct model *a, *b;
    const struct matrix *w;
    uint64_t n = 0;

    (void) state;
    assert_true(file_read(&s, config, 1 << 20, &err));
    write_file("config.json", &s);
    str_clear(&s);
    assert_true(file_read(&s, file, 1 << 20, &err));
    memcpy(&n, s.text, 2);
    str_insert(&s, 8 + (size_t) n, " ", 1);
    s.text[0] = (char) (n + 1);
    s.text[1] = (char) ((n + 1) >> 8);
    write_file("model.safetensors", &s);
    a = model_open(good, &err);
    b = model_open(folder, &err);
    if (!a || !b)
        fail_msg("%s", err.text);
    w = model_matrix(b, W_TOK_EMBD, -1);
    assert_int_equal((uintptr_t) w->data % 4, 0);
    assert_memory_equal(w->data, model_matrix(a, W_TOK_EMBD, -1)->data,
                        (size_t) w->n_out * (size_t) w->n_in * 4);
    assert_memory_equal(model_vector(a, W_LN1_GAIN, 1), model_vector(b, W_LN1_GAIN, 1), 4 * 8);
    model_free(a);
    model_free(b);
    str_release(&s);
    free(config);
    free(file);
    free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_no_tensors),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_unaligned),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
