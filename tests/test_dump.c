/* The writers of npz, npy and JSON on arrays in memory, read back by libzip, by hand and by
 * jansson. */
#include "base/file.h"
#include "base/mem.h"
#include "command/dump.h"
#include "command/dump_array.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include <cmocka.h>

static const float numbers[] = {1, -2.5f, 0, -INFINITY, 3.25f, 1e-20f};
static const int32_t ids[] = {7, 2047};
static const uint32_t wide[] = {'T', 'o', 0x4e2d, 0};

static void make_job(struct dump_job *job)
{
    memset(job, 0, sizeof *job);
    job->n = 3;
    job->array = xcalloc(3, sizeof *job->array);
    job->array[0] = (struct dump_array){
        .name = "tokens", .type = DUMP_I32, .n_axis = 1, .shape = {2}, .data = ids};
    job->array[1] = (struct dump_array){.name = "token_str",
                                        .type = DUMP_TEXT,
                                        .width = 2,
                                        .n_axis = 1,
                                        .shape = {2},
                                        .data = wide};
    job->array[2] = (struct dump_array){.name = "blocks.0.attn.pattern",
                                        .type = DUMP_F32,
                                        .n_axis = 3,
                                        .shape = {1, 2, 3},
                                        .axis = {AXIS_HEAD, AXIS_POS, AXIS_KEY},
                                        .data = numbers};
    job->tokens = &job->array[0];
    job->token_str = &job->array[1];
    job->text = xcalloc(2, sizeof *job->text);
    job->text[0] = xstrdup("To");
    job->text[1] = xstrdup("\xe4\xb8\xad");
}

static void free_job(struct dump_job *job)
{
    free(job->array);
    free(job->text[0]);
    free(job->text[1]);
    free(job->text);
}

static const char *temp_path(void)
{
    static char path[] = "test_dump.tmp.XXXXXX";
    if (strstr(path, "XXXXXX"))
        close(mkstemp(path));
    return path;
}

static void write_file(bool (*write)(const struct dump_job *, struct outfile *, struct err *),
                       bool stream)
{
    struct err err = ERR_INIT;
    struct dump_job job;
    make_job(&job);
    job.stream = stream;
    struct outfile *f = outfile_open(temp_path(), &err);
    assert_non_null(f);
    assert_true(write(&job, f, &err));
    assert_true(outfile_commit(f, &err));
    assert_string_equal(err.text, "");
    free_job(&job);
}

/* Checks an npy file in memory: the header's dictionary, then the elements. */
static void check_npy(const uint8_t *p, size_t n, const char *dict, const void *data,
                      size_t bytes)
{
    assert_true(n > 10);
    assert_memory_equal(p, "\x93NUMPY\x01\x00", 8);
    size_t len = p[8] | (size_t) p[9] << 8;
    assert_int_equal((10 + len) % 64, 0);
    assert_int_equal(n, 10 + len + bytes);
    assert_int_equal(p[10 + len - 1], '\n');
    assert_memory_equal(p + 10, dict, strlen(dict));
    for (size_t i = strlen(dict); i + 1 < len; i++)
        assert_int_equal(p[10 + i], ' ');
    assert_memory_equal(p + 10 + len, data, bytes);
}

static void check_entry(zip_t *zip, int at, const char *name, const char *dict,
                        const void *data, size_t bytes)
{
    zip_stat_t st;
    uint8_t buf[1024];
    assert_int_equal(zip_stat_index(zip, (zip_uint64_t) at, 0, &st), 0);
    assert_string_equal(st.name, name);
    assert_int_equal(st.comp_method, ZIP_CM_STORE);
    zip_file_t *f = zip_fopen_index(zip, (zip_uint64_t) at, 0);
    assert_non_null(f);
    zip_int64_t n = zip_fread(f, buf, sizeof buf);
    assert_int_equal(zip_fclose(f), 0); /* the checksum holds */
    check_npy(buf, (size_t) n, dict, data, bytes);
}

static void npz(bool stream)
{
    int error;
    write_file(dump_npz, stream);
    zip_t *zip = zip_open(temp_path(), ZIP_RDONLY | ZIP_CHECKCONS, &error);
    assert_non_null(zip);
    assert_int_equal(zip_get_num_entries(zip, 0), 3);
    check_entry(zip, 0, "tokens.npy",
                "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", ids, sizeof ids);
    check_entry(zip, 1, "token_str.npy",
                "{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }", wide, sizeof wide);
    check_entry(zip, 2, "blocks.0.attn.pattern.npy",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", numbers,
                sizeof numbers);
    zip_close(zip);
}

static void npz_to_a_file(void **state)
{
    (void) state;
    npz(false);
}

static void npz_through_a_stream(void **state)
{
    (void) state;
    npz(true);
}

static void npz_is_reproducible(void **state)
{
    struct str a = STR_INIT, b = STR_INIT;
    struct err err = ERR_INIT;
    (void) state;
    write_file(dump_npz, false);
    assert_true(file_read(&a, temp_path(), 1 << 20, &err));
    write_file(dump_npz, true);
    assert_true(file_read(&b, temp_path(), 1 << 20, &err));
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.text, b.text, a.len);
    str_release(&a);
    str_release(&b);
}

static void npy(void **state)
{
    struct str text = STR_INIT;
    struct err err = ERR_INIT;
    (void) state;
    write_file(dump_npy, false);
    assert_true(file_read(&text, temp_path(), 1 << 20, &err));
    check_npy((const uint8_t *) text.text, text.len,
              "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", ids, sizeof ids);
    str_release(&text);
}

static void json(void **state)
{
    (void) state;
    write_file(dump_json, false);
    json_t *root = json_load_file(temp_path(), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(root, "tokens"), 1)),
                     2047);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(root, "token_str"), 1)),
        "\xe4\xb8\xad");
    json_t *v = json_object_get(json_object_get(root, "values"), "blocks.0.attn.pattern");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(v, "shape"), 2)), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(v, "axes"), 0)),
                        "head");
    json_t *head = json_array_get(json_object_get(v, "data"), 0);
    assert_int_equal(json_array_size(head), 2);
    for (size_t i = 0; i < 6; i++) {
        json_t *x = json_array_get(json_array_get(head, i / 3), i % 3);
        if (isfinite(numbers[i]))
            assert_true((float) json_number_value(x) == numbers[i]);
        else
            assert_true(json_is_null(x));
    }
    json_decref(root);
}

static void formats(void **state)
{
    struct err err = ERR_INIT;
    (void) state;
    assert_string_equal(dump_format_find("a.b/x.npz", NULL, &err)->suffix, "npz");
    assert_string_equal(dump_format_find("-", "json", &err)->suffix, "json");
    assert_null(dump_format_find("x.xls", NULL, &err));
    assert_string_equal(err.text, "'xls' cannot be written, only npz, npy, safetensors, json, "
                                  "csv, tsv, png, svg or html");
    assert_null(dump_format_find("a.npz/x", NULL, &err));
    assert_string_equal(err.text, "'x' has no suffix to say the format, npz, npy, safetensors, "
                                  "json, csv, tsv, png, svg or html");
    assert_null(dump_format_find("-", NULL, &err));
    assert_string_equal(err.text, "standard output needs a format, npz, npy, safetensors, "
                                  "json, csv, tsv, png, svg or html");
}

static int cleanup(void **state)
{
    (void) state;
    return unlink(temp_path());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npz_to_a_file),
        cmocka_unit_test(npz_through_a_stream),
        cmocka_unit_test(npz_is_reproducible),
        cmocka_unit_test(npy),
        cmocka_unit_test(json),
        cmocka_unit_test(formats),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
