/* What tests do with a program in a terminal again and again. */
#include "terminal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/gptscope-terminal-XXXXXX";

int terminal_enter(void **state)
{
    char *program = realpath(getenv("GPTSCOPE") ? getenv("GPTSCOPE") : "./gptscope", NULL);
    char *dir = realpath(getenv("TESTS_DIR") ? getenv("TESTS_DIR") : "tests", NULL);

    (void) state;
    if (!program || !dir || !mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    setenv("GPTSCOPE", program, 1);
    setenv("TESTS_DIR", dir, 1);
    setenv("HOME", folder, 1);
    free(program);
    free(dir);
    return 0;
}

int terminal_leave(void **state)
{
    char *command = xasprintf("rm -rf %s", folder);

    (void) state;
    int status = chdir("/") != 0 || system(command) != 0;
    free(command);
    return status;
}

struct terminal *terminal_open(int w, int h, const char *args)
{
    char *line = xasprintf("%s 'Tom gave the red ball to Anna. Anna'", args);
    struct terminal *t = terminal_start(w, h, (struct variable[]){{NULL, NULL}}, line);

    free(line);
    terminal_wait(t, "e edits the prompt");
    if (w >= 80 &&
        !strstr(args, "-m ")) /* all computed: a key before that changes the cursor */
        terminal_wait(t, "cache 10/");
    return t;
}

void terminal_quit(struct terminal *t)
{
    terminal_keys(t, "Q");
    int status = terminal_wait_end(t);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    terminal_wait_given_back(t);
    terminal_free(t);
}

/* --- the mouse --- */

void terminal_point(struct terminal *t, int button, int x, int y, char end)
{
    char bytes[48];

    snprintf(bytes, sizeof bytes, "\033[<%d;%d;%d%c", button, x + 1, y + 1, end);
    terminal_keys(t, bytes);
}

void terminal_click(struct terminal *t, int x, int y)
{
    terminal_point(t, 0, x, y, 'M');
    terminal_point(t, 0, x, y, 'm');
}

bool terminal_find(const struct terminal *t, const char *text, int *x, int *y)
{
    struct str all = STR_INIT;
    bool found = false;

    terminal_text(t, &all);
    *y = 0;
    for (const char *line = all.text; *line && !found; line += strcspn(line, "\n") + 1) {
        const char *at = strstr(line, text), *end = strchr(line, '\n');
        found = at && at < end;
        if (found)
            *x = utf8_width(line, (size_t) (at - line));
        else
            ++*y;
    }
    str_release(&all);
    return found;
}

void terminal_click_on(struct terminal *t, const char *text)
{
    int x, y;

    terminal_wait(t, text);
    terminal_find(t, text, &x, &y);
    terminal_click(t, x, y);
}
