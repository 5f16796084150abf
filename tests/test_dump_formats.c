/* The formats of dumps, read back: safetensors, csv and tsv, the maps of svg and png. */
#include "dumped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "view/style.h"
#include "xml_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- safetensors --- */

static json_t *header_of(const struct str *file, const uint8_t **data)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    for (int i = 7; i >= 0; i--)
        n = n << 8 | (uint8_t) file->text[i];
    assert_int_equal(n % 8, 0);
    assert_true(n < file->len && file->text[8] == '{');
    size_t len = (size_t) n;
    *data = (const uint8_t *) file->text + 8 + n;
    while (file->text[8 + len - 1] == ' ')
        len--;
    json_t *header = json_parse(file->text + 8, len, &err);
    if (!header)
        fail_msg("%s", err.text);
    return header;
}

/* Tensors lie one after another, in program order, and hold run_read's numbers. */
static void test_safetensors(void **state)
{
    (void) state;
    for (int model = 0; model < N_MODELS; model++) {
        struct session *s = open_computed(model, TEXT);
        struct str file = dumped(s, "*", "safetensors");
        const uint8_t *data;
        json_t *header = header_of(&file, &data), *tensor;
        const char *name;
        size_t at = 0;
        int tensors = 0;
        json_object_foreach(header, name, tensor)
        {
            if (!strcmp(name, "__metadata__"))
                continue;
            json_t *offsets = json_object_get(tensor, "data_offsets");
            const char *dtype = json_string_value(json_object_get(tensor, "dtype"));
            int value = program_find(s->program, name);
            assert_true(value >= 0);
            assert_int_equal(json_integer_value(json_array_get(offsets, 0)), at);
            size_t n, end = (size_t) json_integer_value(json_array_get(offsets, 1));
            float *x = read_all(s->run, value, &n);
            assert_int_equal(end - at, n * 4);
            assert_string_equal(dtype, strcmp(name, "tokens") ? "F32" : "I32");
            if (*dtype == 'F')
                assert_memory_equal(data + at, x, n * sizeof *x);
            else
                assert_memory_equal(data + at, s->ids.id, n * sizeof *s->ids.id);
            free(x);
            at = end;
            tensors++;
        }
        assert_true(data + at == (const uint8_t *) file.text + file.len);
        assert_int_equal(tensors, s->program->n_values);
        json_decref(header);
        str_release(&file);
        session_free(s);
    }
}

static void test_metadata(void **state)
{
    struct session *s = open_computed(0, "a \"b\"\n\x1b");
    struct str file = dumped(s, "L1.H2.pattern,logits", "safetensors");
    const uint8_t *data;
    struct err err = ERR_INIT;
    json_t *header = header_of(&file, &data), *meta = json_object_get(header, "__metadata__"),
           *v;
    const char *key;

    (void) state;
    json_object_foreach(meta, key, v) assert_true(json_is_string(v));
    assert_string_equal(json_string_value(json_object_get(meta, "format")), "gptscope");
    assert_string_equal(json_string_value(json_object_get(meta, "model")), "tiny-gpt2");
    assert_string_equal(json_string_value(json_object_get(meta, "version")), PACKAGE_VERSION);
    assert_string_equal(json_string_value(json_object_get(meta, "prompt")), "a \"b\"\n\x1b");
    const char *list = json_string_value(json_object_get(meta, "token_str"));
    json_t *texts = json_parse(list, strlen(list), &err);
    assert_int_equal(json_array_size(texts), s->ids.n);
    assert_string_equal(json_string_value(json_array_get(texts, 0)), "a");
    const char *axes = json_string_value(json_object_get(meta, "axes"));
    assert_non_null(strstr(axes, "\"L1.H2.attn.pattern\": [\"pos\", \"key\"]"));
    json_decref(texts);
    json_decref(header);
    str_release(&file);
    session_free(s);
}

/* --- tables --- */

static void test_fields(void **state)
{
    static const struct {
        const char *text, *csv, *tsv;
    } field[] = {
        {" gave", " gave", " gave"},
        {"a,b", "\"a,b\"", "a,b"},
        {"say \"x\"", "\"say \"\"x\"\"\"", "say \"x\""},
        {"one\r\ntwo", "\"one\r\ntwo\"", "one\\r\\ntwo"},
        {"a\tb", "a\tb", "a\\tb"},
        {"back\\slash\\n", "back\\slash\\n", "back\\\\slash\\\\n"},
        {"\x1b[2J\x07", "\\x1b[2J\\x07", "\\x1b[2J\\x07"},
        {"\xc2\x9b"
         "31m\xe2\x80\xae",
         "\\u009b31m\\u202e", "\\u009b31m\\u202e"},
        {"\xe4\xb8\xad\xf0\x9f\x98\x80", "\xe4\xb8\xad\xf0\x9f\x98\x80",
         "\xe4\xb8\xad\xf0\x9f\x98\x80"},
        {"", "", ""},
    };

    (void) state;
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        struct str csv = STR_INIT, tsv = STR_INIT;
        dump_table_field(field[i].text, strlen(field[i].text), ',', &csv);
        dump_table_field(field[i].text, strlen(field[i].text), '\t', &tsv);
        assert_string_equal(csv.text, field[i].csv);
        assert_string_equal(tsv.text, field[i].tsv);
        str_release(&csv);
        str_release(&tsv);
    }
}

#define COLUMNS "value,layer,head,pos,token,key,key_token,channel,channel_token,number\n"

/* Each number, in order, gives the float back. */
static void same_numbers(const struct session *s, const char *value, const struct str *table)
{
    size_t n, i = 0;
    float *x = read_all(s->run, program_find(s->program, value), &n);

    for (const char *line = strchr(table->text, '\n') + 1; *line; i++) {
        const char *end = strchr(line, '\n'), *last = end;
        while (last[-1] != '\t')
            last--;
        float got = strtof(last, NULL);
        assert_true(i < n);
        assert_memory_equal(&got, &x[i], sizeof got);
        line = end + 1;
    }
    assert_int_equal(i, n);
    free(x);
}

static void test_tables(void **state)
{
    static const char *const values[] = {"blocks.1.attn.scores", "blocks.0.attn.q", "logits",
                                         "blocks.2.attn.result", "blocks.0.ln1.scale"};
    struct session *s = open_computed(1, TEXT);

    (void) state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct str table = dumped(s, values[i], "tsv");
        same_numbers(s, values[i], &table);
        str_release(&table);
    }
    struct str csv = dumped(s, "L1.H5.scores,logits", "csv");
    assert_memory_equal(csv.text, COLUMNS, strlen(COLUMNS));
    assert_non_null(strstr(csv.text, "\nblocks.1.attn.scores,1,5,2, gave,3, the,,,-inf\n"));
    assert_non_null(strstr(csv.text, "\nlogits,,,0,T,,,32,A,"));
    str_release(&csv);
    csv = dumped(s, "tokens", "csv");
    assert_memory_equal(csv.text, COLUMNS "tokens,,,0,T,,,,,", sizeof COLUMNS + 16);
    str_release(&csv);
    session_free(s);
}

/* --- pictures --- */

/* The rectangles of a map in SVG have the colours of its numbers: here each cell is painted
 * from them, and then every cell is compared. */
static void check_cells(const struct session *s, const char *select, const char *value,
                        int head, bool is_signed)
{
    struct str svg = dumped(s, select, "svg"), text = STR_INIT;
    int n = s->ids.n, painted = 0;
    uint32_t *cell = xcalloc((size_t) (n * n), sizeof *cell);
    size_t floats;
    double limit = 1;
    const char *p = strstr(svg.text, "<g shape-rendering=\"crispEdges\">"), *end;
    int x0 = 1 << 20, y0 = 1 << 20, side = 0;

    assert_null(xml_check(svg.text, "text", &text));
    if (is_signed) { /* the upper end of the scale, as it is printed */
        const char *to = strstr(strstr(svg.text, "url(#signed)"), "<text ");
        limit = atof(strchr(to, '>') + 1);
    }
    assert_non_null(p);
    end = strstr(p, "</g>");
    for (int pass = 0; pass < 2; pass++) {
        uint32_t rgb = 0;
        for (const char *q = p; q < end; q++) {
            int x, y, w, h;
            if (!strncmp(q, "fill=\"#", 7))
                rgb = (uint32_t) strtoul(q + 7, NULL, 16);
            if (*q != 'M' || sscanf(q, "M%d %dh%dv%dh", &x, &y, &w, &h) != 4)
                continue;
            side = h;
            x0 = x < x0 ? x : x0;
            y0 = y < y0 ? y : y0;
            for (int i = 0; pass == 1 && i < w / h; i++, painted++)
                cell[(y - y0) / side * n + (x - x0) / side + i] = rgb | 0xff000000;
        }
    }
    assert_int_equal(painted, n * (n + 1) / 2);
    float *v = read_all(s->run, program_find(s->program, value), &floats);
    for (int i = 0; i < n * n; i++) {
        double a = (double) v[head * n * n + i], part = sqrt(fmin(1, fabs(a) / limit));
        double at = !is_signed ? part : a < 0 ? 0.5 - part / 2 : 0.5 + part / 2;
        uint32_t want =
            theme_color(&themes[0], is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL, at) |
            0xff000000;
        if (i % n > i / n)
            assert_int_equal(cell[i], 0);
        else if (cell[i] != want)
            fail_msg("%s %d,%d: %08x, not %08x", select, i / n, i % n, (unsigned) cell[i],
                     (unsigned) want);
    }
    free(v);
    free(cell);
    str_release(&svg);
    str_release(&text);
}

static void test_pictures(void **state)
{
    struct session *s = open_computed(0, TEXT);

    (void) state;
    check_cells(s, "L0.H3.pattern", "blocks.0.attn.pattern", 3, false);
    check_cells(s, "L2.H1.scores", "blocks.2.attn.scores", 1, true);
    struct str png = dumped(s, "*.attn.*,logits", "png");
    assert_memory_equal(png.text, "\x89PNG\r\n\x1a\n", 8);
    str_release(&png);
    refused(s, "tokens", "png",
            "tokens are no picture; select a value with numbers, as blocks.0.attn.pattern, or "
            "write csv");
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors), cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_fields),      cmocka_unit_test(test_tables),
        cmocka_unit_test(test_pictures),
    };

    return cmocka_run_group_tests(tests, dumped_setup, dumped_teardown);
}
