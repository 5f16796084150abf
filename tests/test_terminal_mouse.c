/*
 * The mouse in the curses program: clicks, wheel, tips, edges of panels, and what terminals are
 * sent for it.
 */
#include "terminal.h"

#include "base/err.h"
#include "base/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { WHEEL_UP = 64, WHEEL_DOWN = 65, HOVER = 35, DRAG = 32, SHIFT = 4 };

/* The token strip, a panel that has not the focus, keys in the footer and in the help. */
static void test_click(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_click_on(t, "4 ·red");
    terminal_wait(t, "5 explain L0.H3.pattern 4,");
    terminal_click_on(t, "0 T");
    terminal_wait(t, "5 explain L0.H3.pattern 0,");
    terminal_quit(t);
}

static void test_panels(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");
    int x, y;

    (void) state;
    terminal_click_on(t, "4 logits");
    terminal_keys(t, "O");
    terminal_wait_without(t, "1 map");
    terminal_keys(t, "O");
    terminal_click_on(t, "1 map");
    terminal_find(t, "1 map", &x, &y);
    terminal_click(t, x + 3, y + 3);
    terminal_click(t, x + 3, y + 3); /* a double click */
    terminal_wait_without(t, "4 logits");
    terminal_click_on(t, "help");
    terminal_wait(t, "step one op");
    terminal_click_on(t, "next attention stage");
    terminal_wait_without(t, "step one op");
    terminal_keys(t, "O");
    terminal_wait(t, "weighted V");
    terminal_quit(t);
}

static void test_footer(void **state)
{
    struct terminal *t = terminal_open(200, 50, "--temp 0");

    (void) state;
    terminal_click_on(t, "next token");
    terminal_wait(t, "[10] ");
    terminal_click_on(t, "edit prompt");
    terminal_wait(t, "prompt: Tom");
    terminal_keys(t, "\r");
    terminal_wait_without(t, "prompt: Tom");
    terminal_click_on(t, "quit");
    assert_int_equal(terminal_wait_end(t), 0);
    terminal_wait_given_back(t);
    terminal_free(t);
}

static void test_wheel(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_wait(t, "L0.H3 softmax");
    terminal_point(t, WHEEL_DOWN, 50, 20, 'M');
    terminal_point(t, WHEEL_DOWN, 50, 20, 'M');
    terminal_wait(t, "L2.H3 softmax");
    terminal_point(t, WHEEL_UP, 50, 20, 'M');
    terminal_wait(t, "L1.H3 softmax");
    terminal_point(t, WHEEL_UP, 5, 1, 'M'); /* over the tokens */
    terminal_point(t, WHEEL_UP + SHIFT, 50, 20, 'M');
    terminal_keys(t, "5");
    terminal_wait(t, "5 explain L1.H3.pattern 7,");
    terminal_keys(t, ":help\r");
    terminal_wait(t, "1-");
    terminal_point(t, WHEEL_DOWN, 50, 20, 'M');
    terminal_wait(t, "4-");
    terminal_click(t, 50, 20);
    terminal_wait_without(t, "Space b j k");
    terminal_quit(t);
}

/* What the pointer is on stands on the message line, and goes with it; the message stays. */
/* Over a list with a cursor of its own the wheel moves that. */
static void test_wheel_lists(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");
    int x, y;

    (void) state;
    terminal_find(t, "4 logits", &x, &y);
    terminal_point(t, WHEEL_DOWN, x + 3, y + 4, 'M');
    terminal_point(t, WHEEL_UP, x + 3, y + 4, 'M');
    terminal_point(t, WHEEL_DOWN, 5, 10, 'M');
    terminal_keys(t, ":record wheel.gpt; record off\r");
    terminal_wait(t, "recorded to wheel.gpt"); /* the keys and clicks as commands */
    struct str text = STR_INIT;
    struct err err = ERR_INIT;
    assert_true(file_read(&text, "wheel.gpt", 1 << 20, &err));
    assert_non_null(strstr(text.text, "\ncandidate +1\ncandidate -1\nop +1\n"));
    str_release(&text);
    terminal_keys(t, "?");
    terminal_wait(t, "PgDn");
    terminal_point(t, WHEEL_DOWN, 50, 20, 'M');
    terminal_keys(t, "\033");
    terminal_wait_without(t, "PgDn");
    terminal_wait(t, "L0.H3 softmax"); /* it scrolled the list and nothing else */
    terminal_quit(t);
}

static void test_tip(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");
    int x, y;

    (void) state;
    terminal_keys(t, ":nonsense\r");
    terminal_wait(t, "there is no command 'nonsense'");
    terminal_find(t, "4 ·red", &x, &y);
    terminal_point(t, HOVER, x, y, 'M');
    terminal_wait(t, "token 4  ·red  id ");
    assert_false(terminal_shows(t, "there is no command"));
    terminal_point(t, HOVER, 50, 0, 'M');
    terminal_wait(t, "there is no command 'nonsense'");
    terminal_point(t, HOVER, x, y, 'M');
    terminal_wait(t, "token 4  ·red  id ");
    terminal_keys(t, "]");
    terminal_wait_without(t, "token 4  ·red  id ");
    terminal_quit(t);
}

static void drag(struct terminal *t, int x, int y, int to_x, int to_y)
{
    terminal_point(t, 0, x, y, 'M');
    terminal_point(t, DRAG, (x + to_x) / 2, (y + to_y) / 2, 'M');
    terminal_point(t, DRAG, to_x, to_y, 'M');
    terminal_point(t, 0, to_x, to_y, 'm');
}

static void test_edges(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");
    int x, y, at, row;

    (void) state;
    terminal_find(t, "┐┌", &x, &y);
    drag(t, x, y + 5, x + 9, y + 5);
    terminal_keys(t, ":layout\r");
    terminal_wait(t, "layout left 9");
    terminal_keys(t, "q");
    terminal_wait_without(t, "layout left");
    terminal_find(t, "┐┌", &at, &row);
    assert_int_equal(at, x + 9);
    drag(t, at + 1, y + 5, 119, y + 5); /* as far as there is room */
    terminal_keys(t, "1");
    terminal_settle(t);
    assert_true(terminal_shows(t, "3 heads"));
    terminal_keys(t, ":layout reset\r");
    terminal_settle(t);
    terminal_find(t, "┐┌", &at, &row);
    assert_int_equal(at, x);
    terminal_keys(t, ">>"); /* the main panel's right edge */
    terminal_keys(t, ":layout\r");
    terminal_wait(t, "layout right -4");
    terminal_keys(t, "qO:resize left\r");
    terminal_wait(t, "no edge there");
    terminal_quit(t);
}

/* Reports that are cut off, wrong, far outside or nobody's: nothing is typed by them. */
static void test_garbage(void **state)
{
    static const char *const bytes[] = {
        "\033[<0;5;5",
        "\033[<",
        "\033[<0;5M",
        "\033[<;;M",
        "\033[<0;5;5;5M",
        "\033[<-1;5;5M",
        "\033[<0;99999999999;3M",
        "\033[<0;0;0M",
        "\033[<35;300;1M",
        "\033[<66;5;5M",
        "\033[<128;5;5M",
        "\033[<2;5;5M",
        "\033[<0;5\033[<0;5;5m",
        "\033[M !!",
        "\033[<0;5;5Z",
        "\033[12;34;56q",
        "\033[1;9A",
        "\033[?1;2c",
        "\033[27;5;9~",
    };
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "e");
    terminal_wait(t, "Anna. Anna");
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        terminal_keys(t, bytes[i]);
        terminal_settle(t);
        assert_true(terminal_running(t));
    }
    terminal_keys(t, "|\r");
    terminal_wait_without(t, "prompt:");
    terminal_keys(t, "e");
    terminal_wait(t, "Tom gave the red ball to Anna. Anna|");
    terminal_keys(t, "\r");
    terminal_wait_without(t, "prompt:");
    terminal_keys(t, "\033[12;34;56q");
    terminal_wait(t, "This key does nothing here");
    terminal_keys(t, "\033v");
    terminal_wait(t, "M-v does nothing here");
    terminal_keys(t, "\033[1;2A");
    terminal_wait(t, "S-Up does nothing here");
    terminal_quit(t);
}

/* --- who gets the mouse --- */

static void check_mouse(const char *term, const char *args, bool mouse)
{
    const struct variable env[] = {{"TERM", term}, {NULL, NULL}};
    struct terminal *t = terminal_start(80, 24, env, args);

    terminal_wait(t, "e edits the prompt");
    terminal_settle(t);
    assert_int_equal(terminal_mouse(t), mouse);
    terminal_keys(t, ":set mouse off\r");
    terminal_wait(t, "mouse off");
    assert_false(terminal_mouse(t));
    terminal_quit(t);
}

static void test_terminals(void **state)
{
    (void) state;
    check_mouse("xterm-256color", "", true);
    check_mouse("tmux-256color", "", true);
    check_mouse("linux", "", false);
    check_mouse("vt100", "", false);
    check_mouse("xterm-256color", "--no-mouse", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_click),       cmocka_unit_test(test_panels),
        cmocka_unit_test(test_wheel_lists), cmocka_unit_test(test_footer),
        cmocka_unit_test(test_wheel),       cmocka_unit_test(test_tip),
        cmocka_unit_test(test_edges),       cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_terminals),
    };
    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
