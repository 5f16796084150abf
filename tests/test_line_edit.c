/* The line editor: keys by name, whole characters. */
#include "ui/line_edit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

// clang-format off
/* Keys apart by blanks after the text; '|' in the result is the cursor. */
static const struct {
    const char *text, *keys, *want;
} rows[] = {
    {"", "Left Backspace Delete C-w C-k C-u M-b M-f M-d", "|"},
    {"abc", "", "abc|"},
    {"abc", "Left Left Backspace", "|bc"},
    {"abc", "Home Delete", "|bc"},
    {"abc", "C-a Right C-k", "a|"},
    {"abc", "Left C-u", "|c"},
    {"abc", "C-b C-b C-f C-d", "ab|"},
    {"abc", "Home End Left", "ab|c"},
    {"set temp 0.5", "C-w", "set temp |"},
    {"set temp 0.5", "M-Backspace", "set temp 0.|"},
    {"set temp 0.5  ", "C-w C-w", "set |"},
    {"one two", "M-b M-b M-f", "one| two"},
    {"one two", "Home M-d", "| two"},
    {"one two", "C-Left Left", "one| two"},
    {"e\xcc\x81x", "Left Backspace", "|x"}, /* e with an accent */
    {"e\xcc\x81x", "Home Right", "e\xcc\x81|x"},
    {"a中b", "Left Left", "a|中b"},
    {"a👩‍🚀b", "Left Backspace", "a|b"}, /* three code points */
    {"🇩🇪🇫🇷", "Left", "🇩🇪|🇫🇷"},                  /* flags are pairs */
    {"🇩🇪🇫🇷", "Home Delete", "|🇫🇷"},
    {"a\n\nb", "Left Left Left", "a|\n\nb"},
    {"a\r\nb", "Left Left", "a|\r\nb"},
    {"\xff\xc3", "Left", "\xef\xbf\xbd|\xef\xbf\xbd"}, /* what is no UTF-8 */
    {"abc", "F1 Enter Esc Up C-z", "abc|"},
    {"abc def", "C-w C-y C-y", "abc defdef|"},
    {"abc def", "C-w C-w C-y", "abc def|"}, /* cut in a row: one piece */
    {"abc def", "C-w Left C-w C-y", "abc| "},
    {"abc def", "Home C-k C-y C-y", "abc defabc def|"},
    {"abc def", "Home M-d M-d End C-y", "abc def|"},
    {"abc def", "C-b C-b C-b C-b C-k C-a C-y", " def|abc"},
    {"abc", "C-t", "acb|"},
    {"abc", "Left C-t", "acb|"},
    {"abc", "Home C-t", "|abc"},
    {"a", "C-t", "a|"},
    {"ae\xcc\x81", "C-t", "e\xcc\x81""a|"},
    {"a👩‍🚀b", "Left C-t", "ab👩‍🚀|"},
    {"abc def", "C-w C-_", "abc def|"},
    {"abc def", "C-w C-w C-_ C-_", "abc def|"},
    {"abc def", "C-w C-_ C-_ C-_ C-_ C-_", "|"}, /* also what was there at first */
    {"abc", "Backspace Backspace C-_", "ab|"},
    {"one\ntwo", "Up", "one|\ntwo"},
    {"one\ntwo", "Up Up", "one|\ntwo"},
    {"o\ntwo", "Up Down", "o\nt|wo"},
    {"中a\nbcd", "Left Up", "中|a\nbcd"},
    {"bcd\n中a", "C-a Right Up", "bc|d\n中a"},
    {"one\ntwo", "Home", "one\n|two"},
    {"one\ntwo", "C-u C-u C-u", "|"},
    {"one\ntwo", "Up C-k Home C-d C-d", "|etwo"},
    {"one\ntwo", "Down", "one\ntwo|"},
};
// clang-format on

static void check(const char *text, const char *keys, const char *want)
{
    struct line_edit l = LINE_EDIT_INIT;
    struct str have = STR_INIT;
    char key[16];
    int n;

    line_edit_set(&l, text);
    for (; sscanf(keys, " %15s%n", key, &n) == 1; keys += n)
        line_edit_key(&l, key, "");
    str_add(&have, l.text.text, l.at);
    str_addc(&have, '|');
    str_adds(&have, l.text.text + l.at);
    assert_string_equal(have.text, want);
    str_release(&have);
    line_edit_release(&l);
}

static void test_keys(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(rows[i].text, rows[i].keys, rows[i].want);
}

static void test_insert(void **state)
{
    struct line_edit l = LINE_EDIT_INIT;

    (void) state;
    assert_true(line_edit_key(&l, "a", "a"));
    assert_true(line_edit_key(&l, "Space", " "));
    assert_true(line_edit_key(&l, "Left", ""));
    assert_true(line_edit_key(&l, "é", "é"));
    assert_false(line_edit_key(&l, "Enter", ""));
    assert_string_equal(l.text.text, "aé ");
    assert_int_equal(l.at, 3);
    line_edit_replace(&l, 2, "bc");
    assert_string_equal(l.text.text, "abc ");
    line_edit_replace(&l, 99, "");
    assert_string_equal(l.text.text, " ");
    line_edit_release(&l);
}

static void test_show(void **state)
{
    struct line_edit l = LINE_EDIT_INIT;
    struct str shown = STR_INIT;

    (void) state;
    line_edit_set(&l, "a\nb\tc\x1b[0m\xe2\x80\xae");
    size_t at = line_edit_show(&l, &shown);
    assert_int_equal(at, shown.len);
    assert_string_equal(shown.text, "a↵\nb→c\\x1b[0m\\u202e");
    line_edit_key(&l, "Home", "");
    assert_int_equal(line_edit_show(&l, &shown), strlen("a↵\n"));
    line_edit_key(&l, "Right", "");
    line_edit_key(&l, "Right", "");
    assert_int_equal(line_edit_show(&l, &shown), strlen("a↵\nb→"));
    for (size_t i = 0; i <= shown.len; i++) { /* each place of the picture is one of the text */
        line_edit_point(&l, i);
        assert_in_range(line_edit_show(&l, &shown), 0, i);
    }
    line_edit_point(&l, strlen("a↵\nb"));
    assert_int_equal(l.at, strlen("a\nb"));
    line_edit_release(&l);
    str_release(&shown);
}

/* Whatever is typed: the text stays UTF-8, the cursor inside it. */
static void test_random(void **state)
{
    static const char *const keys[] = {"Left", "Right", "Home", "End", "Backspace", "Delete",
                                       "C-w",  "M-b",   "M-f",  "M-d", "C-k",       "C-u"};
    static const char *const texts[] = {"a",  " ",           "é",    "中", "\xcc\x81", "\n",
                                        "🇩🇪", "👩‍🚀", "\xff", "-",  "xyz"};
    struct line_edit l = LINE_EDIT_INIT;
    struct rng rng;

    (void) state;
    rng_seed(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        uint64_t r = rng_u64(&rng);
        if (r % 5 < 3)
            line_edit_key(&l, "", texts[(r >> 8) % (sizeof texts / sizeof *texts)]);
        else
            line_edit_key(&l, keys[(r >> 8) % (sizeof keys / sizeof *keys)], "");
        assert_in_range(l.at, 0, l.text.len);
        assert_true(utf8_valid(l.text.text, l.at));
        assert_true(utf8_valid(l.text.text + l.at, l.text.len - l.at));
    }
    line_edit_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_insert),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
