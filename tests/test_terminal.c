/*
 * The curses program from the outside: keys go in, a screen comes out. `$GPTSCOPE` is run in a
 * terminal of the test's own; GOLDEN_UPDATE=1 writes the golden screens anew.
 */
#include "terminal.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASTE(text) "\033[200~" text "\033[201~"

static const struct variable plain[] = {{NULL, NULL}};

/* --- the pass --- */

static void test_start(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_wait_golden(t, "start");
    assert_true(terminal_alternate(t));
    assert_true(terminal_paste(t));
    assert_true(terminal_mouse(t));
    assert_false(terminal_cursor(t));
    assert_in_range(terminal_backgrounds(t), 6, 256);
    assert_in_range(terminal_foregrounds(t), 6, 256);
    terminal_keys(t, " ");
    terminal_wait(t, "tokens are computed; g begins this pass again");
    terminal_keys(t, "bb");
    terminal_wait(t, "lm head");
    terminal_wait_golden(t, "two-back");
    terminal_keys(t, " ");
    terminal_wait(t, "lm_head");
    terminal_keys(t, "f");
    terminal_wait(t, "tokens are computed");
    terminal_quit(t);
}

/* From the first op on: an op, a layer, the whole pass. */
static void test_steps(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "g");
    terminal_wait(t, "0 > embed");
    terminal_keys(t, " ");
    terminal_wait(t, "0 * embed");
    terminal_keys(t, "S");
    terminal_wait(t, "> L0.ln1");
    terminal_keys(t, "S");
    terminal_wait(t, "> L1.ln1");
    terminal_wait_golden(t, "one-layer");
    terminal_keys(t, "b");
    terminal_wait(t, "> L0.");
    terminal_keys(t, "r");
    terminal_wait(t, "softmax   1×2048  ✓");
    terminal_quit(t);
}

/* Play steps by itself, through a breakpoint, to the end. */
static void test_play(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "g");
    terminal_wait(t, "0 > embed");
    terminal_keys(t, ":break L0.mix\r");
    terminal_wait(t, "breakpoint 1: L0.mix");
    terminal_keys(t, ":set speed 30\r");
    terminal_wait(t, "speed 30");
    terminal_keys(t, "p");
    terminal_wait(t, "breakpoint 1: L0.mix");
    terminal_keys(t, ":set speed 0.5\r");
    terminal_wait(t, "speed 0.5");
    terminal_keys(t, "pp");
    terminal_wait(t, "paused");
    terminal_keys(t, "p++++++");
    terminal_wait(t, "30 operations a second");
    terminal_wait(t, "all 10 tokens are computed; g begins this pass again");
    terminal_quit(t);
}

static void test_cursor(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_wait(t, "L0.H3 softmax"); /* where it begins: the head with the clearest job */
    terminal_keys(t, "]]");
    terminal_wait(t, "L0.H5 softmax");
    terminal_keys(t, "[JJ");
    terminal_wait(t, "L2.H4 softmax");
    terminal_keys(t, ",,");
    terminal_wait(t, "L2.H4 scaled");
    terminal_keys(t, "K.khh");
    terminal_wait(t, "L1.H4 masked");
    terminal_keys(t, "\033[A\033OA"); /* both forms of the arrow */
    terminal_wait_golden(t, "moved");
    terminal_quit(t);
}

static void test_generate(void **state)
{
    struct terminal *t = terminal_open(120, 40, "--temp 0");

    (void) state;
    terminal_keys(t, "n");
    terminal_wait(t, "[10] ");
    terminal_wait_golden(t, "generated");
    terminal_keys(t, "N");
    terminal_wait(t, "[20] ");
    terminal_keys(t, ":set ignore-eos on; generate 1000\r");
    terminal_wait(t, "the context of 256 tokens is full");
    terminal_keys(t, ":truncate 5\r");
    terminal_wait(t, "5 tokens left");
    terminal_quit(t);
}

/* Ctrl-C in the middle of long work. The built-in models are fast: should one be done before
 * the key arrives it is tried again. */
static void test_interrupt(void **state)
{
    struct terminal *t = terminal_open(120, 40, "--threads 1");
    bool stopped = false;

    (void) state;
    for (int i = 0; i < 10 && !stopped; i++) {
        terminal_keys(t, ":truncate 5\r");
        terminal_wait(t, "5 tokens left");
        terminal_keys(t, ":set ignore-eos on; generate 250\r");
        terminal_wait_without(t, "5 tokens left");
        terminal_keys(t, "\003");
        terminal_settle(t);
        stopped = terminal_shows(t, "r goes on");
    }
    assert_true(stopped);
    terminal_keys(t, "r");
    terminal_wait_without(t, "r goes on");
    terminal_wait(t, "softmax   1×2048  ✓");
    terminal_keys(t, "\003");
    terminal_wait(t, "Q quits");
    terminal_quit(t);
}

/* --- typing --- */

static void test_edit(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, "e");
    terminal_wait(t, "prompt: Tom gave");
    assert_true(terminal_cursor(t));
    terminal_keys(t, "\025"); /* C-u: no tokens at all */
    terminal_wait_without(t, "Tom");
    terminal_keys(t, "Anna saw the cat.");
    terminal_wait(t, "·cat");
    terminal_wait_golden(t, "edited");
    terminal_keys(t, "\027dog"); /* C-w */
    terminal_wait(t, "prompt: Anna saw the dog");
    terminal_keys(t, "\n\xe4\xb8\xad\xcc\x81"); /* C-j; a wide character with a mark */
    terminal_wait(t, "the dog↵");
    terminal_wait(t, "        \xe4\xb8\xad\xcc\x81");
    terminal_keys(t, "\177\177"); /* the cluster, then the line end */
    terminal_wait_without(t, "↵");
    terminal_keys(t, "\r");
    terminal_wait_without(t, "prompt:");
    terminal_wait(t, "·dog");
    terminal_keys(t, "e rest");
    terminal_wait(t, "dog rest");
    terminal_keys(t, "\003"); /* as it was */
    terminal_wait(t, "the prompt is as it was");
    assert_false(terminal_shows(t, "rest"));
    terminal_quit(t);
}

/* A paste is text, wherever it comes, and keeps its lines. */
static void test_paste(void **state)
{
    struct terminal *t = terminal_open(120, 40, "");

    (void) state;
    terminal_keys(t, PASTE(" quit\rQ"));
    terminal_wait(t, "Anna quit↵");
    terminal_wait(t, "        Q");
    terminal_keys(t, "\033");
    terminal_wait_without(t, "prompt:");
    terminal_keys(t, ":" PASTE("layer 2\rhead 3\r"));
    terminal_wait(t, ":layer 2; head 3");
    terminal_keys(t, "\r");
    terminal_wait(t, "L2.H3 softmax");
    terminal_quit(t);
}

/* Text that the session does not take stays in the line. */
static void test_refused(void **state)
{
    struct terminal *t = terminal_open(100, 30, "");

    (void) state;
    terminal_keys(t, "e\033[200~");
    for (int i = 0; i < 400; i++)
        terminal_keys(t, " red ball");
    terminal_keys(t, "\033[201~");
    terminal_wait(t, "the context has room for 256");
    terminal_keys(t, "\r");
    terminal_settle(t);
    assert_true(terminal_shows(t, "ball"));
    terminal_keys(t, "\025Tom");
    terminal_wait(t, "prompt: Tom");
    terminal_keys(t, "\r");
    terminal_wait_without(t, "prompt:");
    terminal_quit(t);
}

static void test_command_line(void **state)
{
    struct terminal *t = terminal_open(100, 30, "");

    (void) state;
    terminal_keys(t, ":nonsense\r");
    terminal_wait(t, "there is no command 'nonsense'");
    terminal_keys(t, ":trun\t3\r");
    terminal_wait(t, "3 tokens left");
    terminal_keys(t, ":set te\t");
    terminal_wait(t, ":set temp");
    terminal_keys(t, "9\033");
    terminal_wait_without(t, ":set");
    terminal_keys(t, ":\033[A");
    terminal_wait(t, ":set temp 9"); /* what was left is in the history */
    terminal_keys(t, "\033[A\r");
    terminal_wait(t, "3 tokens left");
    terminal_keys(t, ":dump pattern out.npy\r");
    terminal_wait(t, "written to out.npy");
    assert_int_equal(access("out.npy", R_OK), 0);
    terminal_keys(t, ":help step\r");
    terminal_wait(t, "any key closes");
    terminal_wait_golden(t, "help-step");
    terminal_keys(t, "x");
    terminal_wait_without(t, "any key closes");
    terminal_keys(t, ":help\r");
    terminal_wait(t, "Space b j k: scroll");
    terminal_keys(t, "G");
    terminal_keys(t, "q?");
    terminal_wait(t, "step one op");
    terminal_keys(t, "?");
    terminal_wait_without(t, "step one op");
    terminal_quit(t);
}

/* A long dump says how far it is, Esc stops it, and what was typed meanwhile is not lost. */
static void test_long_dump(void **state)
{
    struct terminal *t = terminal_open(100, 30, "");

    (void) state;
    terminal_keys(t, ":prompt \"");
    for (int i = 0; i < 60; i++)
        terminal_keys(t, "Tom gave the red ");
    terminal_keys(t, "\"; run\r");
    terminal_wait(t, "cache 242/256");
    terminal_keys(t, ":dump * all.json\r");
    terminal_wait(t, "Esc stops");
    terminal_keys(t, "\033");
    terminal_wait(t, "all.json: interrupted");
    terminal_keys(t, ":dump * all.json\r");
    terminal_wait(t, "Esc stops");
    terminal_keys(t, ":echo typed meanwhile\r");
    terminal_keys(t, "\033");
    terminal_wait(t, "typed meanwhile");
    assert_int_not_equal(access("all.json", F_OK), 0);
    terminal_quit(t);
}

/* --- kinds of terminals --- */

static void check_kind(const struct variable *env, const char *args, const char *golden,
                       bool ascii, int colors)
{
    struct terminal *t = terminal_start(80, 24, env, args);

    terminal_wait(t, "e edits the prompt");
    terminal_wait_golden(t, golden);
    assert_int_equal(terminal_ascii(t), ascii);
    assert_in_range(terminal_backgrounds(t), 0, colors);
    assert_in_range(terminal_foregrounds(t), colors > 0 ? 2 : 0, colors);
    terminal_quit(t);
}

static void test_kinds(void **state)
{
    const struct variable vt100[] = {{"TERM", "vt100"}, {NULL, NULL}};
    const struct variable console[] = {{"TERM", "linux"}, {NULL, NULL}};
    const struct variable tmux[] = {{"TERM", "tmux-256color"}, {NULL, NULL}};
    /* Not xterm: libvterm has the margin wrong after a repeated character (REP). */
    const struct variable ascii[] = {{"LC_ALL", "C"}, {"TERM", "linux"}, {NULL, NULL}};
    const struct variable no_color[] = {{"NO_COLOR", "1"}, {NULL, NULL}};

    (void) state;
    check_kind(vt100, "", "mono", false, 0);
    check_kind(console, "", "console", false, 8);
    check_kind(tmux, "", "small", false, 256);
    check_kind(ascii, "", "console-ascii", true, 8);
    check_kind(plain, "--ascii", "ascii", true, 256);
    check_kind(no_color, "", "mono", false, 0);
    check_kind(plain, "--color never", "mono", false, 0);
    check_kind(no_color, "--color 256", "small", false, 256);
}

static void test_unusable(void **state)
{
    const struct variable dumb[] = {{"TERM", "dumb"}, {NULL, NULL}};
    const struct variable unknown[] = {{"TERM", "no-such-terminal"}, {NULL, NULL}};

    (void) state;
    struct terminal *t = terminal_start(80, 24, dumb, "");
    assert_int_equal(WEXITSTATUS(terminal_wait_end(t)), 1);
    assert_true(terminal_shows(t, "a terminal of type 'dumb' cannot show a screen"));
    terminal_free(t);
    t = terminal_start(100, 24, unknown, "");
    assert_int_equal(WEXITSTATUS(terminal_wait_end(t)), 1);
    assert_true(terminal_shows(t, "the terminal type 'no-such-terminal' is not known here"));
    terminal_free(t);
}

static void test_sizes(void **state)
{
    static const int size[][2] = {{1, 1},   {2, 1},    {1, 2},   {3, 3},    {10, 4},
                                  {39, 11}, {200, 10}, {20, 60}, {300, 90}, {7, 2}};
    struct terminal *t = terminal_open(80, 24, "");

    (void) state;
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        terminal_resize(t, size[i][0], size[i][1]);
        terminal_keys(t, "]e\r");
        terminal_settle(t);
        assert_true(terminal_running(t));
    }
    terminal_resize(t, 200, 50);
    terminal_keys(t, ":select L0.H0\r");
    terminal_wait(t, "L0.H0 softmax");
    terminal_wait_golden(t, "large");
    terminal_resize(t, 80, 24);
    terminal_wait(
        t, "└──────────────────────┘└──────────────────────────────────────────────────────┘");
    terminal_quit(t);
}

/* --- signals --- */

static void check_death(int sig, bool exact)
{
    struct terminal *t = terminal_open(80, 24, "");

    terminal_signal(t, sig);
    int status = terminal_wait_end(t);
    if (exact) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), sig);
    } else {
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    terminal_wait_given_back(t);
    terminal_free(t);
}

static void test_death(void **state)
{
    (void) state;
    check_death(SIGTERM, true);
    check_death(SIGHUP, true);
    check_death(SIGABRT, true);
    check_death(SIGSEGV, false); /* the sanitizers have their own way to die of it */
}

static void test_suspend(void **state)
{
    struct terminal *t = terminal_open(80, 24, "");

    (void) state;
    terminal_keys(t, "]");
    terminal_wait(t, "L0.H4 softmax");
    terminal_keys(t, "\032"); /* Ctrl-Z */
    terminal_wait_stopped(t);
    terminal_wait_given_back(t);
    terminal_signal(t, SIGCONT);
    terminal_keys(t, "]");
    terminal_wait(t, "L0.H5 softmax");
    assert_true(terminal_alternate(t));
    assert_true(terminal_paste(t));
    assert_true(terminal_mouse(t));
    terminal_quit(t);
}

/* --- anything at all --- */

/* Keys that may come in any order; not q, which would end it, nor Ctrl-Z and Ctrl-\. */
static const char *const monkey_keys[] = {
    " ",       " ",      "b",      "b",           "s",     "S",      "f",         "r",
    "n",       "N",      "e",      "e",           "h",     "j",      "k",         "l",
    "\033[A",  "\033[B", "\033OC", "\033OD",      "[",     "]",      "J",         "K",
    ",",       ".",      "1",      "2",           "3",     "4",      "5",         "6",
    "7",       "8",      "9",      "0",           "\t",    "\r",     "\r",        "\033",
    "\033",    "c",      "C",      "z",           "x",     "X",      "t",         "T",
    "a",       ":",      "?",      "O",           "\003",  "\177",   "\001",      "\v",
    "\x05",    "\027",   "\025",   "\033f",       "\033b", "\033[Z", "\033[5~",   "\033[6~",
    "\033[3~", "é",      "中",     "👩‍🚀", "\xff",  "\xc3",   "\033[200~", "\033[201~",
    "\n",      ";",      "'",      "\"",          "\033[", "\033O",  "\b",        "-",
    "\016",    "\020",   "i",      "v",           "o",     "m",      "P",         "~"};

static void test_monkey(void **state)
{
    struct rng rng;
    struct terminal *t = terminal_open(80, 24, "");
    struct str keys = STR_INIT;

    (void) state;
    rng_seed(&rng, 20240607);
    for (int round = 0; round < 60; round++) {
        str_clear(&keys);
        for (int i = 0; i < 50; i++)
            str_adds(&keys,
                     monkey_keys[rng_u64(&rng) % (sizeof monkey_keys / sizeof *monkey_keys)]);
        terminal_keys(t, keys.text);
        if (round % 4 == 0)
            terminal_resize(t, 1 + (int) (rng_u64(&rng) % 140), 1 + (int) (rng_u64(&rng) % 50));
        assert_true(terminal_running(t));
    }
    str_release(&keys);
    for (int i = 0; i < 20 && terminal_running(t); i++) { /* out of whatever is open */
        terminal_keys(t, "\003");
        terminal_settle(t);
        terminal_keys(t, "Q");
        terminal_settle(t);
    }
    assert_int_equal(terminal_wait_end(t), 0);
    terminal_wait_given_back(t);
    terminal_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_play),      cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_generate),  cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_edit),      cmocka_unit_test(test_paste),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_long_dump), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_unusable),  cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_death),     cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_monkey),
    };
    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
