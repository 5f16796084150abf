/* UTF-8, cell widths and safe text; data/hostile_strings.json holds the texts of strangers. */
#include "base/file.h"
#include "base/json.h"
#include "base/safe.h"
#include "base/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include <cmocka.h>

static const char *tests_dir(void)
{
    const char *dir = getenv("TESTS_DIR");

    return dir ? dir : "tests";
}

static void test_decode(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        int len;
        uint32_t cp;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"\0", 1, 1, 0},
        {"\xc3\xa9", 2, 2, 0xe9},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"\xef\xbf\xbf", 3, 3, 0xffff},
        {"", 0, 0, 0},
        {"\x80", 1, 0, 0},             /* a continuation alone */
        {"\xc0\x80", 2, 0, 0},         /* overlong */
        {"\xe0\x9f\xbf", 3, 0, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 4, 0, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0, 0}, /* above U+10FFFF */
        {"\xf8\x88\x80\x80", 4, 0, 0},
        {"\xff", 1, 0, 0},
        {"\xe2\x82", 2, 0, 0}, /* cut off */
        {"\xe2\x82\x41", 3, 0, 0},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t cp = 0;
        assert_int_equal(utf8_decode(cases[i].bytes, cases[i].n, &cp), cases[i].len);
        if (cases[i].len)
            assert_int_equal(cp, cases[i].cp);
    }
}

static void test_every_code_point_comes_back(void **state)
{
    (void) state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        uint32_t back;
        char bytes[4];
        int n = utf8_encode(cp, bytes);
        if (cp >= 0xd800 && cp <= 0xdfff) {
            assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
            continue;
        }
        assert_int_equal(utf8_decode(bytes, 4, &back), n);
        assert_int_equal(back, cp);
        for (int k = 1; k < n; k++) { /* every cut is known to be one */
            assert_int_equal(utf8_decode(bytes, (size_t) k, &back), 0);
            assert_int_equal(utf8_tail(bytes, (size_t) k), k);
        }
        assert_int_equal(utf8_tail(bytes, (size_t) n), 0);
    }
}

static void test_tail_of_impossible_beginnings(void **state)
{
    (void) state;
    assert_int_equal(utf8_tail("", 0), 0);
    assert_int_equal(utf8_tail("a\xc0", 2), 0);
    assert_int_equal(utf8_tail("a\xe0\x80", 3), 0);
    assert_int_equal(utf8_tail("\xed\xa0", 2), 0);
    assert_int_equal(utf8_tail("\xf4\x90\x80", 3), 0);
    assert_int_equal(utf8_tail("\x80\x80\x80", 3), 0);
    assert_int_equal(utf8_tail("\xf5\x80", 2), 0);
    assert_int_equal(utf8_tail("ab\xf0\x9f", 4), 2);
    assert_true(utf8_valid("ab\xc3\xa9", 4));
    assert_true(utf8_valid("", 0));
    assert_false(utf8_valid("ab\xc3", 3));
}

static void test_widths(void **state)
{
    static const struct {
        uint32_t cp;
        int width;
    } cases[] = {
        {'a', 1},     {' ', 1},    {0, 0},       {0x7f, 0},    {0xb7, 1},   {0x2502, 1},
        {0x2588, 1},  {0x2580, 1}, {0x28ff, 1},  {0x4e2d, 2},  {0xac00, 2}, {0xff01, 2},
        {0x3000, 2},  {0x301, 0},  {0x1f600, 2}, {0x1f680, 2}, {0x200b, 0}, {0x3b1, 1},
        {0x93e, 1},   {0x1161, 0}, {0xa1, 1},    {0x2026, 1},  {0x2713, 1}, {0x231a, 2},
        {0x1f1e6, 1}, {0x20ac, 1},
    };
    int used;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (utf8_cp_width(cases[i].cp) != cases[i].width)
            fail_msg("U+%04X has width %d, not %d", (unsigned) cases[i].cp,
                     utf8_cp_width(cases[i].cp), cases[i].width);
    }
    assert_int_equal(utf8_width("a\xe4\xb8\xad"
                                "b",
                                5),
                     4);
    assert_int_equal(utf8_fit("a\xe4\xb8\xad", 4, 2, &used), 1);
    assert_int_equal(used, 1);
    assert_int_equal(utf8_fit("a\xe4\xb8\xad", 4, 3, NULL), 4);
    assert_int_equal(utf8_fit("e\xcc\x81x", 4, 1, &used), 3); /* the accent stays with its e */
    assert_int_equal(utf8_fit("abc", 3, 0, &used), 0);
    assert_int_equal(used, 0);
}

static void assert_safe(const char *bytes, size_t n, enum safe_space space,
                        const char *expected)
{
    struct str s = STR_INIT;

    safe_add(&s, bytes, n, space);
    assert_string_equal(s.text, expected);
    str_release(&s);
}

static void test_escapes(void **state)
{
    (void) state;
    assert_safe("", 0, SAFE_SPACE_KEEP, "");
    assert_safe("a b", 3, SAFE_SPACE_KEEP, "a b");
    assert_safe(" a", 2, SAFE_SPACE_DOT,
                "\xc2\xb7"
                "a");
    assert_safe("\n\r\t\0\x1b\x7f", 6, SAFE_SPACE_KEEP, "\\n\\r\\t\\x00\\x1b\\x7f");
    assert_safe("\xff\xc2\x9b\xe2\x80\xae", 6, SAFE_SPACE_KEEP, "\\xff\\u009b\\u202e");
    assert_safe("\xc2\xad\xe2\x80\xa8\xef\xb8\x8f", 8, SAFE_SPACE_KEEP,
                "\\u00ad\\u2028\\ufe0f");
    assert_safe("\xf3\xa0\x80\x81", 4, SAFE_SPACE_KEEP, "\\U000e0001");
    assert_safe("a\\n", 3, SAFE_SPACE_KEEP, "a\\n");
    assert_safe("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81z", 14, SAFE_SPACE_KEEP,
                "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81z");
}

static void test_copy_cuts_whole_characters(void **state)
{
    char out[8];

    (void) state;
    safe_copy(out, 1, "abc", 3, SAFE_SPACE_KEEP);
    assert_string_equal(out, "");
    safe_copy(out, 4, "abc", 3, SAFE_SPACE_KEEP);
    assert_string_equal(out, "abc");
    safe_copy(out, 4, "ab\xc3\xa9", 4, SAFE_SPACE_KEEP);
    assert_string_equal(out, "ab");
    safe_copy(out, 8, "abcd\x1b", 5, SAFE_SPACE_KEEP);
    assert_string_equal(out, "abcd"); /* no half escape */
    safe_copy(out, 8, "abc\x1b", 4, SAFE_SPACE_KEEP);
    assert_string_equal(out, "abc\\x1b");
}

/* Only visible characters, and printing them moves a real terminal by the width we expect. */
static void assert_fit_for_terminal(const char *text, size_t n)
{
    VTerm *vt = vterm_new(4, 400);
    VTermPos at;

    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(text + i, n - i, &cp);
        assert_true(len > 0);
        assert_true(safe_visible(cp));
        i += (size_t) len;
    }
    vterm_set_utf8(vt, 1);
    vterm_screen_reset(vterm_obtain_screen(vt), 1);
    vterm_input_write(vt, text, n);
    vterm_state_get_cursorpos(vterm_obtain_state(vt), &at);
    assert_int_equal(at.row, 0);
    assert_int_equal(at.col, utf8_width(text, n));
    vterm_free(vt);
}

static void check_hostile_case(const json_t *c)
{
    const json_t *text = json_object_get(c, "text"), *escapes = json_object_get(c, "escape"),
                 *e;
    struct str s = STR_INIT;
    size_t i;

    assert_true(json_is_string(text) && json_is_array(escapes));
    safe_add(&s, json_string_value(text), json_string_length(text), SAFE_SPACE_KEEP);
    assert_fit_for_terminal(s.text, s.len);
    json_array_foreach(escapes, i, e)
    {
        unsigned cp = (unsigned) strtoul(json_string_value(e), NULL, 16);
        char shown[16];
        snprintf(shown, sizeof shown, cp < 0x80 ? "\\x%02x" : "\\u%04x", cp);
        if (cp == '\n' || cp == '\t' || cp == '\r')
            snprintf(shown, sizeof shown, "\\%c", cp == '\n' ? 'n' : cp == '\t' ? 't' : 'r');
        if (!strstr(s.text, shown))
            fail_msg("'%s' does not show %s", s.text, shown);
    }
    str_release(&s);
}

static void test_hostile_strings(void **state)
{
    char *path = file_join(tests_dir(), "data/hostile_strings.json");
    struct err err = ERR_INIT;
    json_t *root = json_parse_file(path, 1 << 20, &err);
    const json_t *c;
    size_t i;

    (void) state;
    if (!root)
        fail_msg("%s", err.text);
    assert_int_equal(json_array_size(json_object_get(root, "cases")), 17);
    json_array_foreach(json_object_get(root, "cases"), i, c) check_hostile_case(c);
    json_decref(root);
    free(path);
}

/* Any bytes at all: all pairs of a byte that begins something with one that goes on. */
static void test_all_byte_pairs_are_safe(void **state)
{
    (void) state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char bytes[2] = {(char) a, (char) b};
            struct str s = STR_INIT;
            safe_add(&s, bytes, 2, SAFE_SPACE_DOT);
            assert_true(s.len > 0 && utf8_valid(s.text, s.len));
            for (size_t i = 0; i < s.len; i++)
                assert_true((unsigned char) s.text[i] >= 0x20 && s.text[i] != 0x7f);
            str_release(&s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_every_code_point_comes_back),
        cmocka_unit_test(test_tail_of_impossible_beginnings),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_copy_cuts_whole_characters),
        cmocka_unit_test(test_hostile_strings),
        cmocka_unit_test(test_all_byte_pairs_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
