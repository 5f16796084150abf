/* The prompt at a terminal: completion, interrupts of the line and of a command, the end of
 * input, history, a dumb terminal. The program runs on a pseudo-terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "command_fixture.h"
#include "prompt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_line(void **state)
{
    (void) state;
    struct prompt t;

    prompt_start(&t, "xterm");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "prom\tTom gave the red ball\n"); /* completed */
    prompt_await(&t, "prompt Tom gave the red ball");
    prompt_await(&t, "6 tokens");
    prompt_await(&t, "tiny-gpt2 0/6> ");
    prompt_type(&t, "step 4\n");
    prompt_await(&t, "layernorm");
    prompt_type(&t, "stpe\n");
    prompt_await(&t, "did you mean 'step'?");
    prompt_type(&t, "set col\t\n");
    prompt_await(&t, "set color");
    prompt_type(&t, "quit\n");
    assert_int_equal(prompt_finish(&t), 0);
}

static void test_interrupts(void **state)
{
    (void) state;
    struct prompt t;
    struct str line = STR_INIT;

    prompt_start(&t, "xterm");
    prompt_await(&t, "> ");
    prompt_type(&t, "prompt Tom gave\n");
    prompt_await(&t, "0/3> ");
    prompt_type(&t, "echo never");
    prompt_await(&t, "echo never");
    prompt_type(&t, "\003"); /* the line goes, the session stays */
    prompt_await(&t, "^C");
    prompt_await(&t, "0/3> ");
    prompt_type(&t, "echo \"al\\x69ve\"\n"); /* not what is echoed while typing */
    prompt_await(&t, "alive");

    for (int i = 0; i < 200; i++)
        str_adds(&line, "truncate 3; generate 200; ");
    str_adds(&line, "echo the end\n");
    prompt_type(&t, "set temp 0\n");
    prompt_await(&t, "temp 0");
    for (size_t at = 0; at < line.len; at += 200) { /* a terminal takes so much at once */
        size_t n = line.len - at < 200 ? line.len - at : 200;
        assert_int_equal(write(t.fd, line.text + at, n), n);
    }
    prompt_await(&t, "3 tokens left");
    prompt_type(&t, "\003"); /* the command stops, the session stays */
    prompt_await(&t, "interrupted");
    prompt_await(&t, "> ");
    prompt_type(&t, "echo \"al\\x69ve again\"\n");
    prompt_await(&t, "alive again");
    prompt_await(&t, "> ");
    prompt_type(&t,
                "\003echo \"st\\x69ll\"\n"); /* in one go: the interrupt is not the line's */
    prompt_await(&t, "still");
    prompt_await(&t, "> ");
    prompt_type(&t, "\004"); /* the end of input */
    assert_int_equal(prompt_finish(&t), 0);
    str_release(&line);
}

static void test_history(void **state)
{
    (void) state;
    struct prompt t;
    struct stat info;
    char path[128];

    prompt_start(&t, "dumb");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "echo \"a l\\x69ne to remember\"\n");
    prompt_await(&t, "a line to remember");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "\004");
    assert_int_equal(prompt_finish(&t), 0);
    snprintf(path, sizeof path, "%s/.local/state/gptscope/history", prompt_home);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);

    prompt_start(&t, "dumb");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "\020\n"); /* the last line of the session before */
    prompt_await(&t, "a line to remember");
    prompt_type(&t, "quit\n");
    assert_int_equal(prompt_finish(&t), 0);
}

static void test_kill(void **state)
{
    (void) state;
    struct prompt t;
    int status;

    prompt_start(&t, "xterm");
    prompt_await(&t, "tiny-gpt2> ");
    kill(t.pid, SIGTERM);
    status = prompt_finish(&t);
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
    assert_string_equal(
        out.text,
        "one\ngptscope: command 2: there is no command 'stpe'; did you mean 'step'?\n");
    str_clear(&out);
    assert_int_equal(through_pipe("run -c stpe", "", &out), 1);
    assert_string_equal(out.text,
                        "gptscope: there is no command 'stpe'; did you mean 'step'?\n");
    str_clear(&out);
    assert_int_equal(
        through_pipe("repl", "echo \"a\nb\"\r\necho \\\n c\necho \\\n\nstpe\n", &out), 1);
    assert_string_equal(
        out.text,
        "a\\nb\nc\n\ngptscope: stdin:7: there is no command 'stpe'; did you mean 'step'?\n");
    str_clear(&out);
    assert_int_equal(through_pipe("repl", "echo a\n\necho b \\\n \"c\nd", &out), 1);
    assert_string_equal(out.text,
                        "a\ngptscope: stdin:3: the quote at line 2, column 2 is not closed\n");
    str_clear(&out);
    assert_int_equal(through_pipe("run -", "echo a\n\necho \"b\nc\"; echo \"d", &out), 1);
    assert_string_equal(out.text,
                        "a\nb\\nc\ngptscope: stdin:4: the quote at column 10 is not closed\n");
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
    return cmocka_run_group_tests(tests, prompt_setup, prompt_teardown);
}
