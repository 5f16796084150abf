#include "prompt.h"

#include "command_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SECONDS 30

char prompt_home[] = "/tmp/gptscope-repl-XXXXXX";

void prompt_start(struct prompt *t, const char *term)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 200};
    const char *program = getenv("GPTSCOPE");

    t->seen = t->all = (struct str) STR_INIT;
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    assert_true(t->pid >= 0);
    if (t->pid == 0) {
        if (term)
            setenv("TERM", term, 1);
        else
            unsetenv("TERM");
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("HOME", prompt_home, 1);
        unsetenv("XDG_STATE_HOME");
        setenv("INPUTRC", "/dev/null", 1);
        execl(program, program, "repl", "-m", "tiny-gpt2", (char *) NULL);
        _exit(127);
    }
}

void prompt_await(struct prompt *t, const char *text)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLIN};
    time_t end = time(NULL) + WAIT_SECONDS;
    char block[4096], *at;

    while (!(at = strstr(t->seen.text, text))) {
        ssize_t n = poll(&fd, 1, 1000) > 0 ? read(t->fd, block, sizeof block) : 0;
        if (n > 0) {
            for (ssize_t i = 0; i < n; i++)
                if (block[i] != '\a') /* where Tab found several words */
                    str_addc(&t->seen, block[i]);
            str_add(&t->all, block, (size_t) n);
        }
        if (n < 0 || time(NULL) > end)
            fail_msg("waited for '%s', saw '%s'", text, t->seen.text);
    }
    str_cut(&t->seen, 0, (size_t) (at - t->seen.text) + strlen(text));
}

void prompt_type(struct prompt *t, const char *text)
{
    assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

int prompt_finish(struct prompt *t)
{
    char block[4096];
    int status;

    for (ssize_t n; (n = read(t->fd, block, sizeof block)) > 0;)
        str_add(&t->all, block, (size_t) n);
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    close(t->fd);
    str_release(&t->seen);
    str_release(&t->all);
    return status;
}

int prompt_setup(void **state)
{
    return mkdtemp(prompt_home) ? fixture_setup(state) : -1;
}

int prompt_teardown(void **state)
{
    static const char *const dirs[] = {"/.local/state/gptscope/history",
                                       "/.local/state/gptscope", "/.local/state", "/.local",
                                       ""};
    char path[128];

    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        snprintf(path, sizeof path, "%s%s", prompt_home, dirs[i]);
        remove(path);
    }
    return fixture_teardown(state);
}
