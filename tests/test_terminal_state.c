/*
 * What goes from one session to the next: the start-up file, the layout, histories, recordings.
 */
#include "terminal.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test has folders of its own. */
static struct variable home[3];
static char config[512], remembered[512];

static int fresh(void **state)
{
    static int n;
    char here[256];

    (void) state;
    if (!getcwd(here, sizeof here))
        return -1;
    snprintf(config, sizeof config, "%s/config%d", here, ++n);
    snprintf(remembered, sizeof remembered, "%s/state%d", here, n);
    home[0] = (struct variable){"XDG_CONFIG_HOME", config};
    home[1] = (struct variable){"XDG_STATE_HOME", remembered};
    return 0;
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[700];

    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/gptscope", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/gptscope/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void take(const char *dir, const char *name, struct str *out)
{
    char *path = xasprintf("%s/gptscope/%s", dir, name);
    struct err err = ERR_INIT;

    str_clear(out);
    if (!file_read(out, path, 1 << 20, &err))
        fail_msg("%s", err.text);
    free(path);
}

static struct terminal *begin(const char *args, const char *wait)
{
    char *line = xasprintf("%s -- 'Tom gave the red ball to Anna. Anna'", args);
    struct terminal *t = terminal_start(120, 40, home, line);

    free(line);
    terminal_wait(t, wait);
    return t;
}

/* --- the start-up file --- */

static void test_init(void **state)
{
    struct terminal *t;

    (void) state;
    put(config, "init", "# mine\nset scale log\nview model\nselect L2.H1\n");
    t = begin("", "e edits the prompt");
    terminal_wait(t, "9 model");
    terminal_wait(t, "L2.H1 softmax");
    terminal_wait(t, "log  sink shown");
    terminal_quit(t);
    t = begin("--scale linear", "e edits the prompt"); /* options come last */
    terminal_wait(t, "linear  sink shown");
    terminal_quit(t);
    t = begin("--clean", "e edits the prompt");
    terminal_wait(t, "sqrt  sink shown");
    terminal_quit(t);
}

static void test_bad_init(void **state)
{
    struct terminal *t;

    (void) state;
    put(config, "init", "set scale log\n\nset scle log\nset temp 0\n");
    t = begin("", "init:3: set: there is no setting 'scle'");
    terminal_wait(t, "log  sink shown");
    terminal_quit(t);
    put(config, "init", "quit\n");
    t = terminal_start(120, 40, home, "");
    assert_int_equal(terminal_wait_end(t), 0);
    terminal_wait_given_back(t);
    terminal_free(t);
    unlink(config);
}

static void test_init_repl(void **state)
{
    struct terminal *t;

    (void) state;
    put(config, "init", "set temp 0.5\nno-such\n");
    t = terminal_start(80, 24, home, "repl");
    terminal_wait(t, "init:2: there is no command 'no-such'");
    terminal_keys(t, "set temp\r");
    terminal_wait(t, "0.5");
    terminal_keys(t, "quit\r");
    assert_int_equal(terminal_wait_end(t), 0);
    terminal_free(t);
    t = terminal_start(80, 24, home, "run -c 'set temp'");
    terminal_wait_end(t);
    assert_false(terminal_shows(t, "0.5"));
    terminal_free(t);
}

/* --- the layout --- */

static void test_layout(void **state)
{
    struct str text = STR_INIT;
    struct terminal *t = begin("", "e edits the prompt");
    char *path = xasprintf("%s/gptscope/layout", remembered);
    struct stat st;

    (void) state;
    terminal_keys(t, "9<<6:set theme grey\r");
    terminal_wait(t, "theme grey");
    terminal_quit(t);
    take(remembered, "layout", &text);
    assert_non_null(strstr(text.text, "\nlayout right 4\n"));
    assert_non_null(strstr(text.text, "\nset theme grey\n"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    t = begin("", "e edits the prompt");
    terminal_wait(t, "9 model");
    terminal_wait(t, "6 program");
    terminal_keys(t, ":layout\r");
    terminal_wait(t, "layout right 4");
    terminal_keys(t, "q:set theme\r");
    terminal_wait(t, "theme        grey");
    terminal_keys(t, ":layout reset\r");
    terminal_wait(t, "4 logits");
    terminal_signal(t, SIGTERM); /* no normal end: as it was */
    terminal_wait_end(t);
    terminal_free(t);
    t = begin("", "9 model");
    terminal_quit(t);
    free(path);
    str_release(&text);
}

static void test_bad_layout(void **state)
{
    struct terminal *t;

    (void) state;
    put(remembered, "layout", "view nonsense\nview model\nlayout left 99999\n\"\n");
    t = begin("", "layout:1: view: there is no view 'nonsense'");
    terminal_wait(t, "9 model");
    terminal_quit(t);
    put(remembered, "layout", "\x01\xff\xfe\nlayout left 900\nlayout low -900\nmaximise\n");
    t = begin("", "layout:1: ");
    for (int i = 0; i < 4; i++) {
        static const int size[][2] = {{40, 10}, {80, 24}, {112, 28}, {300, 90}};
        terminal_resize(t, size[i][0], size[i][1]);
        terminal_keys(t, "O");
        terminal_settle(t);
        assert_true(terminal_running(t));
    }
    terminal_quit(t);
}

static void test_history(void **state)
{
    struct str text = STR_INIT;
    struct terminal *t = begin("", "e edits the prompt");

    (void) state;
    terminal_keys(t, ":echo one\r");
    terminal_wait(t, "one");
    terminal_keys(t, "e\025Anna\033\rsaw\\n\r");
    terminal_wait_without(t, "prompt:");
    terminal_quit(t);
    take(remembered, "prompts", &text);
    assert_non_null(strstr(text.text, "\nAnna\\nsaw\\\\n\n"));
    t = begin("", "e edits the prompt");
    terminal_keys(t, ":\033[A");
    terminal_wait(t, ":echo one");
    terminal_keys(t, "\003e\033[A");
    terminal_wait(t, "prompt: Anna↵");
    terminal_wait(t, "        saw\\n");
    terminal_keys(t, "\003");
    terminal_wait_without(t, "prompt:");
    terminal_quit(t);
    str_release(&text);
}

/* --- recording --- */

static void replay(const char *path, struct str *out)
{
    char *command = xasprintf("\"$GPTSCOPE\" run %s 2>&1", path);
    char line[1024];
    FILE *f = popen(command, "r");

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        str_adds(out, line);
    assert_int_equal(pclose(f), 0);
    free(command);
}

/* What the session says of itself at its end is what the replay says. */
static void check_replay(struct terminal *t, const char *path, const char *const *shown)
{
    struct str out = STR_INIT, script = STR_INIT;
    struct err err = ERR_INIT;

    terminal_settle(t);
    terminal_quit(t);
    if (!file_read(&script, path, 1 << 20, &err))
        fail_msg("%s", err.text);
    replay(path, &out);
    for (; *shown; shown++)
        if (!strstr(out.text, *shown))
            fail_msg("the replay does not say '%s' but\n%s\nof\n%s", *shown, out.text,
                     script.text);
    str_release(&out);
    str_release(&script);
}

static void test_record(void **state)
{
    static const char *const shown[] = {"match 1 of", "L2.H4 softmax", "query 5 ·dog", NULL};
    struct str out = STR_INIT;
    struct terminal *t = begin("-m tiny-llama --temp 0 --record a.gpt", "e edits the prompt");

    (void) state;
    terminal_keys(t, "e\025Anna saw the dog.\033\rTom");
    terminal_wait(t, "        Tom");
    terminal_keys(t, "\rnn");
    terminal_wait(t, "cache 12/");
    terminal_keys(t, "x");
    terminal_wait(t, "1 ablated");
    terminal_keys(t, ":nonsense\r");
    terminal_wait(t, "there is no command");
    terminal_keys(t, "gSS ");
    terminal_wait(t, "* L1.ln1");
    terminal_keys(t, "r");
    terminal_wait(t, "cache 12/");
    terminal_click_on(t, "5 ·dog");
    terminal_keys(t, ":select L2.H4; step; echo never\r");
    terminal_keys(t, "/dog\r");
    terminal_wait(t, "match 1 of");
    terminal_keys(t, ":record off\r");
    terminal_wait(t, "recorded to a.gpt");
    terminal_keys(t, ":head 0\r");
    FILE *f = fopen("a.gpt", "a");
    assert_non_null(f);
    fprintf(f, "select L2.H4\nlogits 3\n");
    fclose(f);
    check_replay(t, "a.gpt", shown);
    /* The same in the program: each line waits for what the one before computes. */
    f = fopen("a.gpt", "a");
    assert_non_null(f);
    fprintf(f, "tokens\n");
    fclose(f);
    replay("a.gpt", &out);
    t = begin("", "e edits the prompt");
    terminal_keys(t, ":source a.gpt\r");
    terminal_wait(t, "other keys: close");
    terminal_keys(t, "q");
    terminal_wait(t, "2 L2.H4 softmax");
    terminal_wait(t, "1 ablated");
    terminal_wait(t, "tokens 12  cache 12/");
    terminal_keys(t, ":tokens\r");
    terminal_wait(t, "any key closes");
    for (const char *line = strstr(out.text, "\n    0 ") + 1; line && *line == ' ';
         line += strcspn(line, "\n") + 1) {
        char *token = xstrndup(line, 22); /* number, id, text */
        terminal_wait(t, token);
        free(token);
    }
    terminal_keys(t, "q");
    terminal_quit(t);
    str_release(&out);
}

/* Recorded from the middle on; the numbers at the end are those of the session. */
static void test_record_late(void **state)
{
    struct str out = STR_INIT, line = STR_INIT;
    struct terminal *t = begin("--seed 3", "e edits the prompt");
    const char *want;

    (void) state;
    terminal_keys(t, "nnn");
    terminal_wait(t, "cache 13/");
    terminal_keys(t, ":set temp 0.7\r");
    terminal_wait(t, "temp 0.7");
    terminal_keys(t, ":record b.gpt\r");
    terminal_wait(t, "recording to b.gpt");
    terminal_keys(t, "n");
    terminal_wait(t, "cache 14/");
    terminal_keys(t, ":ablate L1.H2; run\r");
    terminal_settle(t);
    terminal_keys(t, ":record off\r");
    terminal_wait(t, "recorded to b.gpt");
    terminal_keys(t, ":tokens\r");
    terminal_wait(t, "    13 ");
    terminal_text(t, &line);
    want = strstr(line.text, "    13 ");
    assert_non_null(want);
    FILE *f = fopen("b.gpt", "a");
    assert_non_null(f);
    fprintf(f, "tokens\n");
    fclose(f);
    replay("b.gpt", &out);
    char *last = xstrndup(want, 24); /* number, id and the text's begin */
    if (!strstr(out.text, last))
        fail_msg("'%s' is not in\n%s", last, out.text);
    free(last);
    str_release(&out);
    str_release(&line);
    terminal_keys(t, "q");
    terminal_quit(t);
}

/* The mouse is recorded as commands that do the same in a window of another size; so is the
 * prompt of repl. */
static void test_record_mouse(void **state)
{
    static const char *const shown[] = {"\nlayout left 6\n", "\nview map\n", "L1.H", NULL};
    struct terminal *t = begin("--record c.gpt", "e edits the prompt");
    int x, y;

    (void) state;
    terminal_find(t, "┐┌", &x, &y);
    terminal_point(t, 0, x, y + 5, 'M');
    terminal_point(t, 32, x + 3, y + 5, 'M');
    terminal_point(t, 32, x + 6, y + 5, 'M');
    terminal_point(t, 0, x + 6, y + 5, 'm');
    terminal_point(t, 65, x + 30, y + 5, 'M');
    terminal_wait(t, "2 L1.H");
    terminal_click_on(t, "1 map");
    terminal_keys(t, ":layout; layer\r");
    terminal_wait(t, "layout left 6");
    terminal_keys(t, "q");
    check_replay(t, "c.gpt", shown);
    t = begin("repl --record d.gpt", "tiny-gpt2");
    terminal_keys(t, "head 2\r");
    terminal_wait(t, "L0.H2");
    terminal_keys(t, "nonsense\rquit\r");
    assert_int_equal(terminal_wait_end(t), 0);
    terminal_free(t);
    struct str out = STR_INIT;
    replay("d.gpt", &out);
    assert_non_null(strstr(out.text, "L0.H2"));
    str_release(&out);
}

static void test_record_fails(void **state)
{
    struct terminal *t = terminal_start(80, 24, home, "--record no/such/x");

    (void) state;
    int status = terminal_wait_end(t);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(terminal_shows(t, "cannot write 'no/such/x'"));
    terminal_wait_given_back(t);
    terminal_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_init, fresh),
        cmocka_unit_test_setup(test_bad_init, fresh),
        cmocka_unit_test_setup(test_init_repl, fresh),
        cmocka_unit_test_setup(test_layout, fresh),
        cmocka_unit_test_setup(test_bad_layout, fresh),
        cmocka_unit_test_setup(test_history, fresh),
        cmocka_unit_test_setup(test_record, fresh),
        cmocka_unit_test_setup(test_record_late, fresh),
        cmocka_unit_test_setup(test_record_mouse, fresh),
        cmocka_unit_test_setup(test_record_fails, fresh),
    };
    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
