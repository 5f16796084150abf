/* The program in a pipe: readers that have gone, streams that are closed or full, standard
 * output as a file of each format, colours only where they are wanted. */
#include "shell.h"

#include "base/mem.h"
#include "command/dump.h"
#include "ui/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BY_SIGPIPE 141
#define DUMP       "gptscope dump -p 'Tom gave' --select L0.H1.pattern -o "

static void fail_with(const char *line, const struct ran *r, const char *what)
{
    print_error("%s\n  %s: status %d\n  stdout: %.400s\n  stderr: %.400s\n", line, what,
                r->status, r->out.text, r->err.text);
    fail();
}

/* Runs a line whose output goes into a pipe that nobody reads, from its first byte on. */
static int run_unread(const char *line)
{
    int fds[2], status;
    if (pipe(fds) != 0)
        fail_msg("no pipe");
    close(fds[0]);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[1]);
        if (!freopen(".err", "w", stderr))
            _exit(126);
        execl("/bin/sh", "sh", "-c", line, (char *) NULL);
        _exit(127);
    }
    close(fds[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check_unread(const char *line, int want)
{
    int status = run_unread(line);
    struct ran err = shell("cat .err");
    if (status != want || err.out.len)
        fail_msg("%s\n  nobody reads: status %d\n  stderr: %s", line, status, err.out.text);
    ran_release(&err);
}

/* One line of complaint on stderr, and status 1. */
static void check_unwritten(const char *line, const char *to)
{
    struct ran r = shell("{ %s\n} %s", line, to);
    if (r.status != 1 || r.out.len || !strstr(r.err.text, "cannot write ") ||
        !strstr(r.err.text, "standard output") ||
        strchr(r.err.text, '\n') != r.err.text + r.err.len - 1)
        fail_with(line, &r, to);
    ran_release(&r);
}

static void each_verb(void **state)
{
    (void) state;
    for (const struct tool *t = tool_table; t->name; t++) {
        if (!t->example)
            continue;
        struct ran r = shell("%s", t->example);
        bool prints = r.out.len > 0;
        ran_release(&r);
        check_unread(t->example, prints ? BY_SIGPIPE : 0);
        if (!prints)
            continue;
        check_unwritten(t->example, ">/dev/full");
        check_unwritten(t->example, ">&-");
        r = shell("{ %s\n} >/dev/full 2>&-", t->example);
        assert_int_equal(r.status, 1);
        ran_release(&r);
    }
}

static void others(void **state)
{
    static const char *const lines[] = {
        "gptscope --help",
        "gptscope help keys",
        "gptscope help --man",
        "gptscope info",
        "gptscope generate -p x -n 200",
        "gptscope tokenize 'Tom gave'",
        "gptscope models --json",
        DUMP "- --format npz",
        DUMP "- --format json",
        "trap '' PIPE; gptscope info", /* whatever whoever started it does about it */
        "gptscope run -c 'help' --json",
    };
    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        check_unread(lines[i], BY_SIGPIPE);
        check_unwritten(lines[i], ">/dev/full");
        check_unwritten(lines[i], ">&-");
        struct ran r = shell("{ %s\n} | head -c 5", lines[i]);
        if (r.status != 0 || r.out.len != 5 || r.err.len)
            fail_with(lines[i], &r, "| head -c 5");
        ran_release(&r);
    }
}

/* What nobody will read is not computed: the command after the one that prints does not run. */
static void stops_at_once(void **state)
{
    static const char *const lines[] = {
        "gptscope run -c 'echo x; screenshot late.txt'",
        "gptscope run --json -c 'echo x; screenshot late.txt'",
        "gptscope run script.gpt",
        "gptscope run -c 'source script.gpt'",
        "gptscope run -p Tom -c 'generate 3; screenshot late.txt'",
        "gptscope repl <script.gpt",
        "gptscope repl --json <script.gpt",
    };
    (void) state;
    struct ran made = shell("printf 'echo x\\nscreenshot late.txt\\n' >script.gpt");
    ran_release(&made);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        check_unread(lines[i], BY_SIGPIPE);
        check_unwritten(lines[i], ">/dev/full");
        if (access("late.txt", F_OK) == 0)
            fail_msg("%s: went on though nobody reads", lines[i]);
    }
    struct ran r = shell("%s", lines[0]); /* the test would see it */
    assert_int_equal(access("late.txt", F_OK), 0);
    ran_release(&r);
}

struct example {
    const char *line;
    int status;
    const char *out, *err;
};

/* Closed streams, and input that cannot be read. */
static void closed(void **state)
{
    static const char unread[] = "gptscope: cannot read standard input: Bad file descriptor\n";
    static const struct example examples[] = {
        {"gptscope generate -p - <&-", 1, "", unread},
        {"gptscope tokenize - <&-", 1, "", unread},
        {"gptscope run - <&-", 1, "", unread},
        {"gptscope repl <&-", 1, "", unread},
        {"gptscope repl </", 1, "", "gptscope: cannot read standard input: Is a directory\n"},
        {"gptscope <&-", 1, "",
         "gptscope: the screen needs a terminal; try gptscope generate or gptscope repl\n"},
        {"gptscope info -m missing 2>&-", 1, "", ""},
        {"gptscope version 2>&-", 0, "gptscope 0.1.0\n", ""},
        {"gptscope version <&- 2>&-", 0, "gptscope 0.1.0\n", ""},
        /* what is printed does not go into a file that got the number of a closed stream */
        {DUMP "a.npy; " DUMP "b.npy <&- >&- 2>&-; cmp a.npy b.npy", 0, "", ""},
        {"gptscope run -c 'echo x; record r.gpt; echo y' >&- 2>&-; cat r.gpt 2>/dev/null", 1,
         "", ""},
    };
    (void) state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        struct ran r = shell("%s", e->line);
        if (r.status != e->status || strcmp(r.out.text, e->out) != 0 ||
            (e->err && strcmp(r.err.text, e->err) != 0))
            fail_with(e->line, &r, "another result");
        ran_release(&r);
    }
}

/* -o - in every format: into a pipe, but not onto a terminal. */
static void streams_formats(void **state)
{
    (void) state;
    for (const struct dump_format *f = dump_formats; f->suffix; f++) {
        char *line = xasprintf(DUMP "- --format %s", f->suffix);
        struct ran r = shell("%s | wc -c", line);
        if (r.status != 0 || r.err.len || atoi(r.out.text) < 16)
            fail_with(line, &r, "nothing comes");
        ran_release(&r);
        check_unread(line, BY_SIGPIPE);
        r = shell_terminal(line, NULL);
        if (r.status != 2 ||
            strcmp(r.out.text, "gptscope: standard output is a terminal; send it to a file or "
                               "a program; see gptscope help dump\r\n") != 0)
            fail_with(line, &r, "on a terminal");
        ran_release(&r);
        free(line);
    }
}

#define SHOW "gptscope run -p 'Tom gave' -c 'run; show attention'"

/* Colours and what else a terminal alone understands. */
static void colours(void **state)
{
    static const struct {
        const char *before, *after;
        bool terminal, colours;
    } row[] = {
        {"", "", false, false},
        {"", "--color always", false, true},
        {"NO_COLOR=1 ", "--color always", false, true},
        {"", "--color 256", false, true},
        {"TERM=xterm-256color ", "", true, true},
        {"TERM=xterm-256color ", "--color never", true, false},
        {"TERM=xterm-256color NO_COLOR=1 ", "", true, false},
        {"TERM=xterm-256color NO_COLOR= ", "", true, true},
        {"TERM=dumb ", "", true, false},
        {"CLICOLOR_FORCE=1 ", "", false, false},
    };
    (void) state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *line = xasprintf("%s%s %s", row[i].before, SHOW, row[i].after);
        struct ran r = row[i].terminal ? shell_terminal(line, NULL) : shell("%s", line);
        if (r.status != 0 || r.out.len < 10 ||
            (strchr(r.out.text, '\033') != NULL) != row[i].colours)
            fail_with(line, &r, row[i].colours ? "no colours" : "colours");
        ran_release(&r);
        free(line);
    }
}

static int enter(void **state)
{
    (void) state;
    shell_enter(state);
    unsetenv("NO_COLOR");
    setenv("HOME", ".", 1);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verb),       cmocka_unit_test(others),
        cmocka_unit_test(stops_at_once),   cmocka_unit_test(closed),
        cmocka_unit_test(streams_formats), cmocka_unit_test(colours),
    };
    return cmocka_run_group_tests(tests, enter, shell_leave);
}
