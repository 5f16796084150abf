/*
 * Typing in the curses program: the prompt live, lines of several rows, older lines, the
 * search.
 */
#include "terminal.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define PASTE(text) "\033[200~" text "\033[201~"

/* Each key is computed at once: tokens, map and candidates follow. */
static void test_live(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_wait(t, "tokens 10  cache 10/256");
    terminal_keys(t, "e");
    terminal_wait(t, "prompt: Tom");
    terminal_keys(t, " saw");
    terminal_wait(t, "10 ·saw");
    terminal_wait(t, "tokens 11  cache 11/256");
    terminal_wait(t, "after 10 ·saw");
    terminal_keys(t, "\027\027"); /* two words */
    terminal_wait_without(t, "9 ·Anna");
    terminal_keys(t, "\037"); /* undone */
    terminal_wait(t, "9 ·Anna");
    terminal_wait_without(t, "·saw");
    terminal_keys(t, "\031"); /* put back what was cut */
    terminal_wait(t, "Anna. Anna Anna saw");
    terminal_keys(t, "\r");
    terminal_quit(t);
}

/* Several lines, up to a third of the screen; the cursor and a click find their places. */
static void test_rows(void **state)
{
    struct terminal *t = terminal_open(80, 24, "");
    int x, y, row;

    (void) state;
    terminal_keys(t, "e\025");
    terminal_keys(t, PASTE("one\n\xe4\xb8\xad\xe5\x9b\xbd x\n\tthree e\xcc\x81"));
    terminal_wait(t, "prompt: one↵");
    terminal_wait(t, "        \xe4\xb8\xad\xe5\x9b\xbd x↵");
    terminal_wait(t, "        →three e\xcc\x81");
    terminal_find(t, "→three", &x, &y);
    terminal_keys(t, "\033[A\033[A|"); /* two lines up, then there */
    terminal_wait(t, "one|↵");
    terminal_click(t, 8 + 4, y - 1);
    terminal_keys(t, "|");
    terminal_wait(t, "\xe4\xb8\xad\xe5\x9b\xbd| x↵");
    terminal_click(t, 79, y);
    terminal_keys(t, "|");
    terminal_wait(t, "e\xcc\x81|");
    terminal_keys(t, "\033\r\033\r\033\r\033\r\033\r\033\r\033\rlast");
    terminal_wait(t, "        last");
    terminal_find(t, "last", &x, &row);
    assert_int_equal(row, 22);
    assert_false(
        terminal_shows(t, "prompt:")); /* eight rows of ten: the first ones scrolled off */
    terminal_wait(t, "▲");
    terminal_resize(t, 40, 10);
    terminal_wait(t, "last");
    terminal_resize(t, 80, 24);
    terminal_keys(t, "\r");
    terminal_wait_without(t, "        last");
    terminal_quit(t);
}

/* A row that is longer than the screen is folded. */
static void test_fold(void **state)
{
    struct terminal *t = terminal_open(80, 24, "");

    (void) state;
    terminal_keys(t, "e\025");
    for (int i = 0; i < 12; i++)
        terminal_keys(t, "red ball ");
    terminal_wait(t, "prompt: red ball red");
    terminal_wait(t, "\n        ");
    terminal_keys(t, "\001>");
    terminal_wait(t, "prompt: >red ball");
    terminal_keys(t, "\005<");
    terminal_wait(t, "ball <");
    terminal_keys(t, "\r");
    terminal_quit(t);
}

static void test_older_prompts(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "e\025Anna saw.\r");
    terminal_wait_without(t, "prompt:");
    terminal_keys(t, "e\025The cat\r");
    terminal_wait_without(t, "prompt:");
    terminal_keys(t, "e");
    terminal_wait(t, "prompt: The cat");
    terminal_keys(t, "\033[A");
    terminal_wait(t, "prompt: Anna saw.");
    terminal_wait(t, "3 ·saw");
    terminal_keys(t, "\033[A");
    terminal_wait(t, "prompt: Tom gave");
    terminal_keys(t, "\033[B\033[B");
    terminal_wait(t, "prompt: The cat");
    terminal_keys(t, "\022saw"); /* C-r */
    terminal_wait(t, "older with 'saw': Anna saw.");
    terminal_keys(t, "\033");
    terminal_wait(t, "prompt: The cat");
    terminal_keys(t, "\022ball\r");
    terminal_wait(t, "prompt: Tom gave the red ball");
    terminal_wait(t, "5 ·ball");
    terminal_keys(t, "\r:echo 1\r:echo 2\r:");
    terminal_keys(t, "\033[A\033[A"); /* command lines are apart */
    terminal_wait(t, ":echo 1");
    terminal_keys(t, "\022ho 2\r\r");
    terminal_wait_without(t, ":echo");
    terminal_wait(t, "2");
    terminal_keys(t, "e\033[15~");
    terminal_wait(t, "F5 does nothing while typing");
    terminal_keys(t, "x");
    terminal_wait(t, "cache 11/256");
    terminal_keys(t, "\003");
    terminal_wait(t, "the prompt is as it was");
    terminal_keys(t, ":\033[15~");
    terminal_wait(t, "F5 does nothing while typing");
    terminal_keys(t, "\003");
    terminal_quit(t);
}

/* --- searching --- */

static void test_search(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "/");
    terminal_wait(t, "\n/");
    terminal_keys(t, "anna\r");
    terminal_wait(t, "match 2 of 2: token 9 ·Anna");
    terminal_wait(t, "n next match");
    terminal_keys(t, "n");
    terminal_wait(t, "match 1 of 2: token 7 ·Anna");
    terminal_wait(t, "5 explain L0.H3.pattern 7,");
    terminal_keys(t, "N");
    terminal_wait(t, "match 2 of 2: token 9 ·Anna");
    terminal_keys(t, "]"); /* other keys are what they were */
    terminal_wait(t, "L0.H4 softmax");
    terminal_keys(t, "\033");
    terminal_wait(t, "n next token");
    terminal_keys(t, "/blocks.2.attn.v\r");
    terminal_wait(t, "match 1 of ");
    terminal_wait(t, "8 tensor");
    terminal_wait(t, "n next match"); /* the last row is drawn last */
    terminal_keys(t, "\033");
    terminal_wait(t, "n next token");
    terminal_keys(t, "/ablations\r");
    terminal_wait(t, ": command ");
    terminal_wait(t, "usage: ");
    terminal_keys(t, "n");
    terminal_wait(t, "match 2 of ");
    terminal_keys(t, "q");
    terminal_wait_without(t, "usage: ");
    terminal_keys(t, "/zzqq\r");
    terminal_wait(t, "'zzqq' is in no token");
    terminal_keys(t, "n");
    terminal_wait(t, "[10] ");
    terminal_quit(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live),   cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fold),   cmocka_unit_test(test_older_prompts),
        cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
