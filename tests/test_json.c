/* Strict JSON: what is refused and in which words, and typed access. */
#include "base/json.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *j = json_parse(text, strlen(text), &err);

    if (!j)
        fail_msg("%s: %s", text, err.text);
    return j;
}

static void assert_refused(const char *text, size_t n, const char *reason)
{
    struct err err = ERR_INIT;

    assert_null(json_parse(text, n, &err));
    if (!strstr(err.text, reason))
        fail_msg("'%s' does not say '%s'", err.text, reason);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "ends too early"},
        {"{", "ends too early"},
        {"{\"a\":1,\"a\":2}", "a key occurs twice"},
        {"{} x", "more text after its end"},
        {"{\"a\":NaN}", "not valid JSON: line 1"},
        {"{\"a\":Infinity}", "not valid JSON: line 1"},
        {"{\"a\":1e999}", "a number is too large"},
        {"{\"a\":-1e999}", "a number is too large"},
        {"\"\xff\"", "not UTF-8"},
        {"\"\xed\xa0\x80\"", "not UTF-8"},
        {"\"\\ud800\"", "not valid JSON"},
        {"\xef\xbb\xbf{}", "not valid JSON"},
        {"{\"a\\u0000b\":1}", "a key holds a NUL"},
        {"[1,]", "not valid JSON"},
        {"{'a':1}", "not valid JSON"},
        {"[01]", "not valid JSON"},
        {"[\"a\nb\"]", "not valid JSON"},
        {"[\n1,\n2,\nx]", "line 4"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, strlen(cases[i].text), cases[i].reason);
    assert_refused("{}\0", 3, "not valid JSON");
}

static void test_depth(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    for (int i = 0; i < 100000; i++)
        str_addc(&s, '[');
    assert_refused(s.text, s.len, "nested deeper than 64");
    str_clear(&s);
    for (int i = 0; i < 64; i++)
        str_addc(&s, '[');
    for (int i = 0; i < 64; i++)
        str_addc(&s, ']');
    json_decref(parse(s.text));
    str_release(&s);
    json_decref(
        parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"));
    json_decref(parse(
        "[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"));
}

/* In one line; what a terminal would obey or hide is escaped. */
static void test_line(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    json_t *o = json_pack("{s:s, s:f, s:[i,b]}", "a\x7f",
                          "\xc2\x9b[2J\xe2\x80\xae \xe4\xbd\xa0\"\n\xf3\xa0\x80\x81", "x", 0.1,
                          "l", 1, 1);
    json_add(&s, o);
    assert_string_equal(s.text, "{\"a\\u007f\": \"\\u009b[2J\\u202e \xe4\xbd\xa0\\\"\\n\\udb40"
                                "\\udc01\", \"x\": 0.1, \"l\": [1, true]}");
    json_t *again = parse(s.text);
    assert_true(json_equal(o, again));
    json_decref(again);
    json_decref(o);
    str_release(&s);
}

static void assert_int_refused(const json_t *o, const char *key)
{
    struct err err = ERR_INIT;
    int64_t v = 77;

    assert_false(json_need_int(o, key, 1, 9, &v, &err));
    assert_int_equal(v, 77);
    assert_non_null(strstr(err.text, key));
    assert_non_null(strstr(err.text, "whole number from 1 to 9"));
}

static void test_typed_access(void **state)
{
    json_t *o =
        parse("{\"i\":5,\"r\":5.0,\"h\":5.5,\"big\":10,\"t\":true,\"s\":\"x\",\"z\":null,"
              "\"n\":\"a\\u0000b\",\"e\":1e300}");
    struct err err = ERR_INIT;
    const char *s = "kept";
    int64_t i = 0;
    double d = 0;
    bool b = false;

    (void) state;
    assert_true(json_need_int(o, "i", 1, 9, &i, &err) && i == 5);
    assert_true(json_need_int(o, "r", 1, 9, &i, &err) && i == 5);
    assert_int_refused(o, "h");
    assert_int_refused(o, "big");
    assert_int_refused(o, "s");
    assert_int_refused(o, "t");
    assert_int_refused(o, "e");
    assert_false(json_need_int(o, "gone", 1, 9, &i, &err));
    assert_string_equal(err.text, "the key 'gone' is missing");
    assert_false(json_need_int(o, "z", 1, 9, &i, &err));
    assert_true(json_may_int(o, "gone", 1, 9, &i, &err) && i == 5);
    assert_true(json_may_int(o, "z", 1, 9, &i, &err) && i == 5);

    assert_true(json_may_double(o, "h", &d, &err) && d == 5.5);
    assert_true(json_may_double(o, "i", &d, &err) && d == 5);
    assert_false(json_may_double(o, "s", &d, &err));
    assert_true(json_may_bool(o, "t", &b, &err) && b);
    assert_false(json_may_bool(o, "i", &b, &err));

    assert_false(json_may_string(o, "n", &s, &err));
    assert_false(json_may_string(o, "i", &s, &err));
    assert_true(json_may_string(o, "gone", &s, &err));
    assert_string_equal(s, "kept");
    assert_false(json_need_string(o, "gone", &s, &err));
    assert_true(json_need_string(o, "s", &s, &err));
    assert_string_equal(s, "x");
    assert_false(json_need_string(NULL, "s", &s, &err)); /* not an object at all */
    json_decref(o);
}

/* The largest number Hugging Face writes, and exact 64-bit integers elsewhere. */
static void test_huge_numbers(void **state)
{
    json_t *o = parse("{\"model_max_length\":1000000000000000019884624838656,\"i\":12}");
    struct err err = ERR_INIT;
    int64_t i = 0;

    (void) state;
    assert_true(json_need_int(o, "i", 0, 100, &i, &err) && i == 12);
    assert_false(json_need_int(o, "model_max_length", 0, INT64_MAX, &i, &err));
    json_decref(o);
    o = parse("{\"i\":9223372036854775807}");
    assert_true(json_need_int(o, "i", 0, INT64_MAX, &i, &err) && i == INT64_MAX);
    json_decref(o);
}

static void test_writing(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    json_add_string(&s, "a\"\\\n\r\t\0\x1b\x7f\xff\xc3\xa9", 12);
    assert_string_equal(s.text,
                        "\"a\\\"\\\\\\n\\r\\t\\u0000\\u001b\\u007f\xef\xbf\xbd\xc3\xa9\"");
    str_clear(&s);
    json_add_string(&s, "\xe2\x80\xae\xc2\x9b\xf3\xa0\x80\x81", 9);
    assert_string_equal(s.text, "\"\\u202e\\u009b\\udb40\\udc01\"");
    str_release(&s);
}

/* What is written can be read, and is the same: every code point there is. */
static void test_written_text_comes_back(void **state)
{
    struct str text = STR_INIT, out = STR_INIT;
    struct err err = ERR_INIT;
    json_t *j;

    (void) state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        char bytes[4];
        str_add(&text, bytes, (size_t) utf8_encode(cp, bytes));
    }
    json_add_string(&out, text.text, text.len);
    j = json_parse(out.text, out.len, &err);
    if (!j)
        fail_msg("%s", err.text);
    assert_int_equal(json_string_length(j), text.len);
    assert_memory_equal(json_string_value(j), text.text, text.len);
    json_decref(j);
    str_release(&text);
    str_release(&out);
}

static void test_files(void **state)
{
    struct err err = ERR_INIT;

    (void) state;
    assert_null(json_parse_file("/no/such.json", 100, &err));
    assert_non_null(strstr(err.text, "'/no/such.json': no such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_typed_access),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_written_text_comes_back),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
