/* Arrays out of files by others: every number type, order and shape; what is refused; and files
 * that are damaged on purpose. */
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/arrays.h"
#include "own_dump.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/gptscope-test-XXXXXX";

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static struct arrays *open_it(const char *path)
{
    struct err err = ERR_INIT;
    struct arrays *a = arrays_open(path, "it", &err);
    if (!a)
        fail_msg("%s", err.text);
    return a;
}

static void fails(const char *path, const char *message)
{
    struct err err = ERR_INIT;
    struct arrays *a = arrays_open(path, NULL, &err);
    if (a)
        fail_msg("%s opened; '%s' was expected", path, message);
    assert_string_equal(err.text, message);
}

/* --- numbers --- */

// clang-format off
static const struct {
    const char *descr;
    size_t bytes;
    unsigned char data[24]; /* 1, -2, 3 in this format */
    float third; /* where it is not 3 */
} types[] = {
    {"<f4", 12, {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40}, 3},
    {">f4", 12, {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0x40, 0x40, 0, 0}, 3},
    {"<f8", 24, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 8, 0x40}, 3},
    {">f8", 24, {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0x40, 8, 0, 0, 0, 0, 0, 0}, 3},
    {"<f2", 6, {0, 0x3c, 0, 0xc0, 0, 0x42}, 3},
    {"|V2", 6, {0x80, 0x3f, 0, 0xc0, 0x40, 0x40}, 3},
    {"<i8", 24, {1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3}, 3},
    {"<i4", 12, {1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0}, 3},
    {">i4", 12, {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3}, 3},
    {"<i2", 6, {1, 0, 0xfe, 0xff, 3, 0}, 3},
    {"|i1", 3, {1, 0xfe, 3}, 3},
    {"=i4", 12, {1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0}, 3},
    {"<f8", 24, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f}, INFINITY}, /* 1.8e308 */
};
// clang-format on

static void test_types(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct err err = ERR_INIT;
        struct str npy = STR_INIT;
        int shape[] = {3};
        float x[3];
        own_npy(&npy, types[i].descr, false, shape, 1, types[i].data, types[i].bytes);
        put("x.npy", npy.text, npy.len);
        struct arrays *a = open_it("x.npy");
        assert_int_equal(arrays_count(a), 1);
        assert_true(arrays_npy(a));
        assert_string_equal(arrays_at(a, 0)->name, "it");
        assert_true(arrays_load(a, 0, &err));
        arrays_read(a, 0, 3, 1, x);
        if (x[0] != 1 || x[1] != -2 || x[2] != types[i].third)
            fail_msg("%s: %g %g %g", types[i].descr, (double) x[0], (double) x[1],
                     (double) x[2]);
        arrays_read(a, 2, 2, -2, x); /* backwards */
        assert_true(x[0] == types[i].third && x[1] == 1);
        arrays_free(a);
        str_release(&npy);
    }
}

static void test_unsigned(void **state)
{
    static const unsigned char data[] = {255, 255, 255, 255, 255, 255, 255, 255};
    static const struct {
        const char *descr;
        float want;
    } rows[] = {{"|u1", 255},
                {"|b1", 255},
                {"<u2", 65535},
                {"<u4", 4294967295.0f},
                {"<u8", 18446744073709551615.0f}};
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        struct str npy = STR_INIT;
        float x;
        own_npy(&npy, rows[i].descr, false, NULL, 0, data, (size_t) (rows[i].descr[2] - '0'));
        put("x.npy", npy.text, npy.len);
        struct arrays *a = open_it("x.npy");
        assert_int_equal(arrays_at(a, 0)->n_dims, 0);
        assert_int_equal(arrays_at(a, 0)->count, 1);
        assert_true(arrays_load(a, 0, &err));
        arrays_read(a, 0, 1, 1, &x);
        assert_true(x == rows[i].want);
        arrays_free(a);
        str_release(&npy);
    }
}

static void test_text(void **state)
{
    static const uint32_t wide[] = {'T', 'o', 0x4e2d, 0, 0xd800, 0x110000};
    struct err err = ERR_INIT;
    struct str npy = STR_INIT, text = STR_INIT;
    int shape[] = {3};
    (void) state;
    own_npy(&npy, "<U2", false, shape, 1, wide, sizeof wide);
    put("x.npy", npy.text, npy.len);
    struct arrays *a = open_it("x.npy");
    assert_true(arrays_load(a, 0, &err));
    for (size_t i = 0; i < 3; i++) {
        arrays_text(a, i, &text);
        str_addc(&text, '|');
    }
    assert_string_equal(text.text, "To|\xe4\xb8\xad|\xef\xbf\xbd\xef\xbf\xbd|");
    arrays_free(a);
    str_release(&npy);
    str_release(&text);
}

/* --- headers --- */

/* A file of this header (with any dictionary) and n bytes of data. */
static void put_npy(const char *path, int version, const char *dict, size_t n)
{
    struct str s = STR_INIT;
    size_t len = strlen(dict);
    str_add(&s, "\x93NUMPY", 6);
    str_addc(&s, (char) version);
    str_addc(&s, 0);
    for (int i = 0; i < (version == 1 ? 2 : 4); i++)
        str_addc(&s, (char) (len >> 8 * i));
    str_adds(&s, dict);
    for (size_t i = 0; i < n; i++)
        str_addc(&s, 0);
    put(path, s.text, s.len);
    str_release(&s);
}

static void test_headers(void **state)
{
    (void) state;
    put_npy("x.npy", 2, "{\"shape\": (2, 3L,), 'fortran_order':True,'descr':'<f4'}\n", 24);
    struct arrays *a = open_it("x.npy");
    assert_true(arrays_at(a, 0)->fortran);
    assert_int_equal(arrays_at(a, 0)->dim[1], 3);
    arrays_free(a);
    put_npy("x.npy", 3, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }", 0);
    a = open_it("x.npy");
    assert_int_equal(arrays_at(a, 0)->count, 0);
    arrays_free(a);
}

#define F4 "'descr': '<f4', 'fortran_order': False, "
#define NOT_A_DICT                                                                             \
    "'x.npy': its npy header is not a dictionary of descr, fortran_order and shape"

static const struct {
    int version;
    const char *dict;
    size_t n;
    const char *message;
} bad_headers[] = {
    {1, "", 0, NOT_A_DICT},
    {1, "{" F4 "'shape': (2,)", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (2 3)}", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (-2,)}", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (99999999999999999999,)}", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (1,1,1,1,1,1,1,1,1)}", 4, NOT_A_DICT},
    {1, "{" F4 "'shape': (2,), 'shape': (2,)}", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (2,), 'more': 1}", 8, NOT_A_DICT},
    {1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", 8, NOT_A_DICT},
    {1, "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}", 8, NOT_A_DICT},
    {1, "{'descr': '', 'fortran_order': False, 'shape': (2,)}", 8, NOT_A_DICT},
    {1, "{'descr': '<f99999999', 'fortran_order': False, 'shape': (2,)}", 8, NOT_A_DICT},
    {1, "{" F4 "'shape': (2000000000, 2000000000, 2000000000)}", 8,
     "'x.npy': its shape is too large"},
    {1, "{" F4 "'shape': (5000000000,)}", 8, "'x.npy': its shape is too large"},
    {1, "{" F4 "'shape': (3,)}", 8, "'x.npy': 8 bytes of data do not fit its shape (12)"},
    {1, "{" F4 "'shape': (1,)}", 8, "'x.npy': 8 bytes of data do not fit its shape (4)"},
    {9, "{" F4 "'shape': (2,)}", 8,
     "'x.npy': it does not begin like an npy file of version 1 to 3"},
};

static void test_bad_headers(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        put_npy("x.npy", bad_headers[i].version, bad_headers[i].dict, bad_headers[i].n);
        fails("x.npy", bad_headers[i].message);
    }
}

/* What is no number is listed, and refused when it is to be read. */
static void test_refused(void **state)
{
    static const struct {
        const char *dict;
        size_t n;
        const char *message;
    } rows[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", 40,
         "'x.npy': array 'it': it holds Python objects (a pickle, which is not opened)"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", 16,
         "'x.npy': array 'it': it holds complex numbers"},
        {"{'descr': '|S4', 'fortran_order': False, 'shape': (2,)}", 8,
         "'x.npy': array 'it': it holds byte strings"},
        {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,)}", 16,
         "'x.npy': array 'it': it holds no numbers that are known here"},
        {"{'descr': [('x', '<f4'), ('y', '<f4')], 'fortran_order': False, 'shape': (2,)}", 16,
         "'x.npy': array 'it': it holds records of several fields"},
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        put_npy("x.npy", 1, rows[i].dict, rows[i].n);
        struct arrays *a = open_it("x.npy");
        assert_non_null(arrays_at(a, 0)->refused);
        assert_false(arrays_load(a, 0, &err));
        assert_string_equal(err.text, rows[i].message);
        arrays_free(a);
    }
}

/* --- archives --- */

static void add_floats(struct own_zip *z, const char *name, int n, size_t really)
{
    struct str npy = STR_INIT;
    float *x = xcalloc(really + 1, sizeof *x);
    for (size_t i = 0; i < really; i++)
        x[i] = (float) i;
    own_npy(&npy, "<f4", false, &n, 1, x, really * sizeof *x);
    own_zip_add(z, name, &npy);
    str_release(&npy);
    free(x);
}

static void test_archive(void **state)
{
    (void) state;
    for (int packed = 0; packed < 2; packed++) {
        struct err err = ERR_INIT;
        float x[4];
        struct own_zip *z = own_zip_open("x.npz", packed);
        add_floats(z, "a", 1000, 1000);
        add_floats(z, "blocks.0.attn.q", 70000, 70000);
        own_zip_close(z);
        struct arrays *a = open_it("x.npz");
        assert_int_equal(arrays_count(a), 2);
        assert_int_equal(arrays_find(a, "blocks.0.attn.q"), 1);
        assert_int_equal(arrays_find(a, "b"), -1);
        for (int i = 1; i >= 0; i--) {
            assert_true(arrays_load(a, i, &err));
            arrays_read(a, 990, 4, 2, x);
            assert_true(x[0] == 990 && x[3] == 996);
        }
        arrays_free(a);
    }
}

static void test_bad_archives(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct own_zip *z = own_zip_open("x.npz", true);
    add_floats(z, "a", 1000, 999);
    own_zip_close(z);
    fails("x.npz", "'x.npz': array 'a': 3996 bytes do not fit its shape (4000)");

    z = own_zip_open("x.npz", false);
    struct str text = STR_INIT;
    str_adds(&text, "hello");
    own_zip_add(z, "a", &text);
    own_zip_close(z);
    fails("x.npz", "'x.npz': array 'a': it does not begin like an npy file of version 1 to 3");

    /* the checksum: of an array that is read whole with its header, and of a larger one */
    struct str file = STR_INIT;
    for (int i = 0; i < 2; i++) {
        int n = i ? 70000 : 1000;
        z = own_zip_open("x.npz", false);
        add_floats(z, "a", n, (size_t) n);
        own_zip_close(z);
        str_clear(&file);
        assert_true(file_read(&file, "x.npz", 1 << 20, &err));
        file.text[file.len / 2] ^= 1;
        put("x.npz", file.text, file.len);
        struct arrays *a = arrays_open("x.npz", NULL, &err);
        assert_int_equal(a != NULL, i);
        assert_true(!a || !arrays_load(a, 0, &err));
        assert_string_equal(err.text, "'x.npz': array 'a': it cannot be unpacked: CRC error");
        arrays_free(a);
    }
    put("x.npz", file.text, 3000);
    fails("x.npz", "'x.npz': not an npz archive that can be read: Not a zip archive");
    str_release(&file);
    str_release(&text);
}

static void test_others(void **state)
{
    (void) state;
    put("x.txt", "hello", 5);
    fails("x.txt", "'x.txt': not a dump: neither npz, npy nor safetensors by its first bytes");
    put("x.gguf", "GGUF\3\0\0\0", 8);
    fails("x.gguf", "'x.gguf': a GGUF file holds weights, not values of a pass");
    fails("missing", "cannot read 'missing': no such file or folder; check the path");
    assert_int_equal(arrays_kind("x.txt"), FILE_OTHER);
    assert_int_equal(arrays_kind("x.gguf"), FILE_MODEL);
    assert_int_equal(arrays_kind("tiny-gpt2"), FILE_MODEL);
    assert_int_equal(arrays_kind("."), FILE_MODEL);
    assert_int_equal(arrays_kind("missing"), FILE_NONE);
    put_npy("x.npy", 1, "{" F4 "'shape': (2,)}", 8);
    assert_int_equal(arrays_kind("x.npy"), FILE_DUMP);
}

/* Weights and a dump may both be safetensors: the names tell. */
static void test_safetensors(void **state)
{
    static const char *const header[] = {
        "{\"h.0.ln_1.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"h.0.ln_1\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}"};
    (void) state;
    for (int i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        struct str s = STR_INIT;
        uint64_t n = strlen(header[i]);
        str_add(&s, &n, sizeof n);
        str_adds(&s, header[i]);
        str_add(&s, "\0\0\200?\0\0\0@", 8);
        put("x.safetensors", s.text, s.len);
        assert_int_equal(arrays_kind("x.safetensors"), i == 0 ? FILE_MODEL : FILE_DUMP);
        struct arrays *a = open_it("x.safetensors");
        float x[2];
        assert_int_equal(arrays_load(a, 0, &err), i < 2);
        if (i < 2) {
            arrays_read(a, 0, 2, 1, x);
            assert_true(x[0] == 1 && x[1] == 2);
        } else {
            assert_string_equal(err.text, "'x.safetensors': array 'x': it holds numbers of a "
                                          "format that is not known here");
        }
        arrays_free(a);
        str_release(&s);
    }
}

/* --- damage --- */

static void read_all(const char *path)
{
    struct err err = ERR_INIT;
    struct arrays *a = arrays_open(path, NULL, &err);
    for (int i = 0; a && i < arrays_count(a); i++) {
        float x;
        if (arrays_load(a, i, &err) && arrays_at(a, i)->count > 0)
            arrays_read(a, arrays_at(a, i)->count - 1, 1, 1, &x);
    }
    assert_true(a || *err.text);
    arrays_free(a);
}

/* Cut anywhere, and with any bytes changed: an error or numbers, never a crash. */
static void damage(const char *path, int rounds)
{
    struct err err = ERR_INIT;
    struct str file = STR_INIT;
    struct rng rng;
    rng_seed(&rng, 5);
    assert_true(file_read(&file, path, 1 << 20, &err));
    for (size_t n = 0; n < file.len; n += n < 300 ? 1 : 37) {
        put("bad", file.text, n);
        read_all("bad");
    }
    for (int i = 0; i < rounds; i++) {
        struct str copy = STR_INIT;
        str_add(&copy, file.text, file.len);
        for (int k = 0; k < 1 + i % 4; k++)
            copy.text[rng_u64(&rng) % copy.len] = (char) rng_u64(&rng);
        put("bad", copy.text, copy.len);
        read_all("bad");
        str_release(&copy);
    }
    str_release(&file);
}

static void test_damage(void **state)
{
    struct own_zip *z;
    (void) state;
    put_npy("x.npy", 1, "{" F4 "'shape': (2, 3), }", 24);
    damage("x.npy", 2000);
    for (int packed = 0; packed < 2; packed++) {
        z = own_zip_open("x.npz", packed);
        add_floats(z, "a", 20, 20);
        add_floats(z, "b", 7, 7);
        own_zip_close(z);
        damage("x.npz", 1500);
    }
}

static int enter(void **state)
{
    (void) state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    static const char *const files[] = {"x.npy",  "x.npz",         "x.txt",
                                        "x.gguf", "x.safetensors", "bad"};
    (void) state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),       cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_text),        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_bad_headers), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_archive),     cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_others),      cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
