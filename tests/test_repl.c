/* The prompt at a terminal: completion, interrupts of the line and of a command, the end of
 * input, history, a dumb terminal. The program runs on a pseudo-terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "command_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SECONDS 30

static char home[] = "/tmp/gptscope-repl-XXXXXX";

struct terminal {
    pid_t pid;
    int fd;
    struct str seen; /* since the last text that was waited for */
};

static void start(struct terminal *t, const char *term)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 200};
    const char *program = getenv("GPTSCOPE");

    t->seen = (struct str) STR_INIT;
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    assert_true(t->pid >= 0);
    if (t->pid == 0) {
        setenv("TERM", term, 1);
        setenv("HOME", home, 1);
        unsetenv("XDG_STATE_HOME");
        setenv("INPUTRC", "/dev/null", 1);
        execl(program, program, "repl", "-m", "tiny-gpt2", (char *) NULL);
        _exit(127);
    }
}

/* Reads until `text` was seen; what came up to its end is forgotten. */
static void await(struct terminal *t, const char *text)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLIN};
    time_t end = time(NULL) + WAIT_SECONDS;
    char block[4096], *at;

    while (!(at = strstr(t->seen.text, text))) {
        ssize_t n = poll(&fd, 1, 1000) > 0 ? read(t->fd, block, sizeof block) : 0;
        if (n > 0)
            str_add(&t->seen, block, (size_t) n);
        if (n < 0 || time(NULL) > end)
            fail_msg("waited for '%s', saw '%s'", text, t->seen.text);
    }
    str_cut(&t->seen, 0, (size_t) (at - t->seen.text) + strlen(text));
}

static void type(struct terminal *t, const char *text)
{
    assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

/* Waits for the program's end; its wait status. */
static int finish(struct terminal *t)
{
    char block[4096];
    int status;

    while (read(t->fd, block, sizeof block) > 0)
        continue;
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    close(t->fd);
    str_release(&t->seen);
    return status;
}

static int setup(void **state)
{
    return mkdtemp(home) ? fixture_setup(state) : -1;
}

static int teardown(void **state)
{
    static const char *const dirs[] = {"/.local/state/gptscope/history",
                                       "/.local/state/gptscope", "/.local/state", "/.local",
                                       ""};
    char path[128];

    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        snprintf(path, sizeof path, "%s%s", home, dirs[i]);
        remove(path);
    }
    return fixture_teardown(state);
}

static void test_line(void **state)
{
    (void) state;
    struct terminal t;

    start(&t, "xterm");
    await(&t, "tiny-gpt2> ");
    type(&t, "prom\tTom gave the red ball\n"); /* completed */
    await(&t, "prompt Tom gave the red ball");
    await(&t, "6 tokens");
    await(&t, "tiny-gpt2 0/6> ");
    type(&t, "step 4\n");
    await(&t, "layernorm");
    type(&t, "stpe\n");
    await(&t, "did you mean 'step'?");
    type(&t, "set col\t\n");
    await(&t, "set color");
    type(&t, "quit\n");
    assert_int_equal(finish(&t), 0);
}

static void test_interrupts(void **state)
{
    (void) state;
    struct terminal t;
    struct str line = STR_INIT;

    start(&t, "xterm");
    await(&t, "> ");
    type(&t, "prompt Tom gave\n");
    await(&t, "0/3> ");
    type(&t, "echo never");
    await(&t, "echo never");
    type(&t, "\003"); /* the line goes, the session stays */
    await(&t, "^C");
    await(&t, "0/3> ");
    type(&t, "echo \"al\\x69ve\"\n"); /* not what is echoed while typing */
    await(&t, "alive");

    for (int i = 0; i < 200; i++)
        str_adds(&line, "truncate 3; generate 200; ");
    str_adds(&line, "echo the end\n");
    type(&t, "set temp 0\n");
    await(&t, "temp 0");
    for (size_t at = 0; at < line.len; at += 200) { /* a terminal takes so much at once */
        size_t n = line.len - at < 200 ? line.len - at : 200;
        assert_int_equal(write(t.fd, line.text + at, n), n);
    }
    await(&t, "3 tokens left");
    type(&t, "\003"); /* the command stops, the session stays */
    await(&t, "interrupted");
    await(&t, "> ");
    type(&t, "echo \"al\\x69ve again\"\n");
    await(&t, "alive again");
    await(&t, "> ");
    type(&t, "\004"); /* the end of input */
    assert_int_equal(finish(&t), 0);
    str_release(&line);
}

static void test_history(void **state)
{
    (void) state;
    struct terminal t;
    struct stat info;
    char path[128];

    start(&t, "dumb");
    await(&t, "tiny-gpt2> ");
    type(&t, "echo \"a l\\x69ne to remember\"\n");
    await(&t, "a line to remember");
    await(&t, "tiny-gpt2> ");
    type(&t, "\004");
    assert_int_equal(finish(&t), 0);
    snprintf(path, sizeof path, "%s/.local/state/gptscope/history", home);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);

    start(&t, "dumb");
    await(&t, "tiny-gpt2> ");
    type(&t, "\020\n"); /* the last line of the session before */
    await(&t, "a line to remember");
    type(&t, "quit\n");
    assert_int_equal(finish(&t), 0);
}

static void test_kill(void **state)
{
    (void) state;
    struct terminal t;
    int status;

    start(&t, "xterm");
    await(&t, "tiny-gpt2> ");
    kill(t.pid, SIGTERM);
    status = finish(&t);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* --- the program, through a pipe --- */

static int through_pipe(const char *arguments, const char *input, struct str *out)
{
    const char *program = getenv("GPTSCOPE");
    char command[4400], block[4096];
    size_t n;

    put_file("in.txt", input);
    snprintf(command, sizeof command, "%s %s < in.txt 2>&1", program, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((n = fread(block, 1, sizeof block, pipe)) > 0)
        str_add(out, block, n);
    return pclose(pipe) >> 8;
}

static void test_pipe(void **state)
{
    (void) state;
    struct str out = STR_INIT;

    assert_int_equal(through_pipe("repl",
                                  "prompt " TEXT "\nstep layer 2\nrun; set temp 0\n"
                                  "generate 2\nlogits 3\n",
                                  &out),
                     0);
    golden("pipe", out.text);
    str_clear(&out);
    assert_int_equal(through_pipe("repl", "echo one\nstpe\necho two\n", &out), 1);
    assert_string_equal(
        out.text, "one\ngptscope: stdin:2: there is no command 'stpe'; did you mean 'step'?\n");
    str_clear(&out);
    assert_int_equal(through_pipe("repl", "echo last line without a newline", &out), 0);
    assert_string_equal(out.text, "last line without a newline\n");
    str_clear(&out);
    assert_int_equal(through_pipe("repl", "quit\nstpe\n", &out), 0);
    assert_string_equal(out.text, "");
    str_clear(&out);
    assert_int_equal(through_pipe("run -c 'echo one; stpe'", "", &out), 1);
    assert_string_equal(out.text,
                        "one\ngptscope: there is no command 'stpe'; did you mean 'step'?\n");
    str_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),    cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_history), cmocka_unit_test(test_kill),
        cmocka_unit_test(test_pipe),
    };

    if (!getenv("GPTSCOPE")) {
        print_message("skipped: GPTSCOPE does not name the program\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
