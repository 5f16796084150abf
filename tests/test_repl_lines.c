/* Lines at the prompt: those that belong together, pasted ones, completion by what may stand
 * there, dumb terminals, windows that change, programs that are stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "command_fixture.h"
#include "prompt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A text over several lines is one text, one entry of the history, and goes as one. */
static void test_lines(void **state)
{
    (void) state;
    struct prompt t;

    prompt_start(&t, "xterm");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "prompt \"Tom gave\n");
    prompt_await(&t, "... ");
    prompt_type(&t, " the red ball\"\n");
    prompt_await(&t, "tiny-gpt2 0/");
    prompt_await(&t, "> ");
    prompt_type(&t, "prompt\n");
    prompt_await(&t, "\"Tom gave\\n the red ball\"");
    prompt_await(&t, "> ");
    prompt_type(&t, "echo never \\\n");
    prompt_await(&t, "... ");
    prompt_type(&t, "\003"); /* all of it goes */
    prompt_await(&t, "^C");
    prompt_await(&t, "0/");
    prompt_await(&t, "> ");
    prompt_type(&t, "echo al\\\n");
    prompt_await(&t, "... ");
    prompt_type(&t, "ive\n");
    prompt_await(&t, "alive");
    prompt_await(&t, "> ");
    prompt_type(&t, "\020\020\020"); /* comes back with its line end, to be edited */
    prompt_await(&t, " the red ball\"");
    prompt_type(&t, "\177 boat\"\n");
    prompt_await(&t, "> ");
    prompt_type(&t, "prompt\n");
    prompt_await(&t, "\"Tom gave\\n the red ball boat\"");
    prompt_await(&t, "> ");
    prompt_type(&t, "echo \"open\n");
    prompt_await(&t, "... ");
    prompt_type(&t, "\004"); /* nothing more comes */
    prompt_await(&t, "the quote at column 6 is not closed");
    prompt_await(&t, "> ");
    prompt_type(&t, "quit\n");
    assert_int_equal(prompt_finish(&t), 0);

    prompt_start(&t, "dumb"); /* another day: in one line that says the same */
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "\020\020\020\020");
    prompt_await(&t, "\"Tom gave\\n the red ball boat\"");
    prompt_type(&t, "\n");
    prompt_await(&t, "0/");
    prompt_await(&t, "> ");
    prompt_type(&t, "quit\n");
    assert_int_equal(prompt_finish(&t), 0);
}

/* Lines that are pasted wait for Enter and then run one after the other. */
static void test_paste(void **state)
{
    (void) state;
    struct prompt t;

    prompt_start(&t, "xterm");
    prompt_await(&t, "\033[?2004h");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "\033[200~echo o\"\"ne\recho \"t\\x77o\nthree\"\033[201~");
    prompt_await(&t, "three");
    assert_null(strstr(t.all.text, "two"));
    prompt_type(&t, "\n");
    prompt_await(&t, "two\\nthree");
    prompt_await(&t, "> ");
    prompt_type(&t, "\004");
    assert_int_equal(prompt_finish(&t), 0);
}

/* What is typed with Tab, and what the line is then. */
static void test_completion(void **state)
{
    (void) state;
    static const char *const lines[][2] = {
        {"echo 1; prom\t Tom gave\n", "echo 1; prompt  Tom gave"},
        {"set sca\tro\t\n", "set scale row-max"},
        {"view att\t\n", "view attention"},
        {"select L1\tH3\n", "select L1.H3"},
        {"patch L0-2.attn.sc\t_raw scale 1\n", "patch L0-2.attn.scores_raw scale 1"},
        {"append \" thanke\t\n", "append \" thanked\""},
        {"until L1.soft\t\n", "until L1.softmax"},
        {"rep\tL2.soft\tuni\t\n", "replace L2.softmax uniform"},
        {"clear\n", "clear"},
        {"source exa\t\n", "source example.gpt"},
        {"source \"two w\t\n", "source \"two words.gpt\""},
        {"source two\t\n", "\"two words.gpt\""},
        {"source fol\tex\t\n", "source folder/example.gpt"},
        {"load tiny-l\t\n", "load tiny-llama"},
        {"echo \"a\n", "echo \"a"},
        {"b\"; view tok\t\n", "b\"; view tokens"},
    };
    struct prompt t;

    put_file("example.gpt", "echo re\\\nad\n");
    put_file("two words.gpt", "echo re\\\nad\n");
    assert_int_equal(mkdir("folder", 0700), 0);
    put_file("folder/example.gpt", "echo re\\\nad\n");
    prompt_start(&t, "dumb"); /* its echo is what was typed */
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        prompt_await(&t, lines[i][0][0] == 'b' ? "... " : "> ");
        prompt_type(&t, lines[i][0]);
        prompt_await(&t, lines[i][1]);
        if (!strncmp(lines[i][0], "source", 6))
            prompt_await(&t, "read");
    }
    prompt_await(&t, "> ");
    prompt_type(&t, "\004");
    assert_null(strstr(t.all.text, "there is no"));
    assert_int_equal(prompt_finish(&t), 0);
    unlink("two words.gpt");
    unlink("folder/example.gpt");
    rmdir("folder");
}

/* A dumb terminal, or one without a name, gets no escapes and no colours. */
static void test_dumb(void **state)
{
    (void) state;
    static const char *const terms[] = {"dumb", NULL};

    for (int i = 0; i < 2; i++) {
        struct prompt t;
        prompt_start(&t, terms[i]);
        prompt_await(&t, "tiny-gpt2> ");
        prompt_type(&t, "prom\tTom gave the red ball\n");
        prompt_await(&t, "> ");
        prompt_type(&t, "run; show heads; show logits\n");
        prompt_await(&t, "6/6> ");
        prompt_type(&t, "st\t\t");
        prompt_await(&t, "stage");
        prompt_type(&t, "\003");
        prompt_await(&t, "^C");
        prompt_await(&t, "> ");
        prompt_type(&t, "stpe\n");
        prompt_await(&t, "did you mean");
        prompt_await(&t, "> ");
        prompt_type(&t, "echo \"a\n");
        prompt_await(&t, "... ");
        prompt_type(&t, "b\"\n");
        prompt_await(&t, "> ");
        prompt_type(&t, "\020\n");
        prompt_await(&t, "> ");
        assert_null(strchr(t.all.text, '\033'));
        prompt_type(&t, "\004");
        assert_int_equal(prompt_finish(&t), 0);
    }
}

/* Cells of the longest line up to the prompt. */
static int widest(const char *text)
{
    int most = 0;

    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        int w = utf8_width(text, strcspn(text, "\r\n"));
        most = w > most ? w : most;
    }
    return most;
}

/* Pictures are as wide as the window is when they are made. */
static void test_window(void **state)
{
    (void) state;
    static const int widths[] = {120, 60, 150};
    struct prompt t;

    prompt_start(&t, "dumb");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "prompt Tom gave the red ball\n");
    prompt_await(&t, "> ");
    prompt_type(&t, "run\n");
    prompt_await(&t, "6/6> ");
    for (int i = 0; i < 3; i++) {
        struct winsize size = {.ws_row = 24, .ws_col = (unsigned short) widths[i]};
        assert_int_equal(ioctl(t.fd, TIOCSWINSZ, &size), 0);
        prompt_type(&t, "show help\n");
        prompt_await(&t, "show help\r\n");
        size_t from = t.all.len - t.seen.len;
        prompt_await(&t, "6/6> ");
        char *shown = xstrndup(t.all.text + from, t.all.len - from);
        assert_true(widest(shown) <= widths[i]);
        assert_true(widest(shown) > widths[i] / 2);
        free(shown);
    }
    prompt_type(&t, "\004");
    assert_int_equal(prompt_finish(&t), 0);
}

/* Ctrl-Z gives the terminal back; fg goes on with what was typed. */
static void test_stop(void **state)
{
    (void) state;
    struct prompt t;
    int status;

    prompt_start(&t, "xterm");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "echo al");
    prompt_await(&t, "echo al");
    prompt_type(&t, "\032");
    assert_int_equal(waitpid(t.pid, &status, WUNTRACED), t.pid);
    assert_true(WIFSTOPPED(status));
    kill(t.pid, SIGCONT);
    prompt_await(&t, "echo al");
    prompt_type(&t, "ive\n");
    prompt_await(&t, "alive");
    prompt_await(&t, "> ");
    prompt_type(&t, "\004");
    assert_int_equal(prompt_finish(&t), 0);
}

/* A script that is stopped says where. */
static void test_interrupted_script(void **state)
{
    (void) state;
    struct str script = STR_INIT;
    struct prompt t;

    str_adds(&script, "set temp 0\nset ignore-eos on\nprompt Tom gave\necho st\\\narted\n");
    for (int i = 0; i < 500; i++)
        str_adds(&script, "truncate 3; generate 200\n");
    put_file("in.txt", script.text);
    prompt_start(&t, "xterm");
    prompt_await(&t, "tiny-gpt2> ");
    prompt_type(&t, "source in.txt\n");
    prompt_await(&t, "started");
    prompt_await(&t, "3 tokens left");
    prompt_type(&t, "\003");
    prompt_await(&t, "in.txt:");
    prompt_await(&t, "interrupted");
    prompt_await(&t, "> ");
    prompt_type(&t, "echo al\\\nive\n");
    prompt_await(&t, "alive");
    prompt_await(&t, "> ");
    prompt_type(&t, "\004");
    assert_int_equal(prompt_finish(&t), 0);
    str_release(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_paste),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_dumb),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_interrupted_script),
    };

    if (!getenv("GPTSCOPE")) {
        print_message("skipped: GPTSCOPE does not name the program\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, prompt_setup, prompt_teardown);
}
