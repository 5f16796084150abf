/* The line of progress: its words, when it comes, and that it leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shell.h"
#include "ui/progress.h"

#include <string.h>
#include <unistd.h>

static void words(void **state)
{
    static const struct {
        const char *what;
        const struct progress_unit *unit;
        uint64_t done, total, moved;
        double seconds;
        const char *line;
    } lines[] = {
        {"pass.npz", &progress_bytes, 1200000000, 2700000000, 1200000000, 3,
         "pass.npz: 44 %, 1.2 of 2.7 GB, 400 MB/s, 4 s left"},
        {"x", &progress_bytes, 500, 900, 500, 1,
         "x: 55 %, 500 of 900 bytes, 500 bytes/s, 1 s left"},
        {"x", &progress_bytes, 900, 900, 900, 0.5, "x: 100 %, 900 of 900 bytes, 1.8 kB/s"},
        {"x", &progress_bytes, 0, 123456789, 0, 2, "x: 0 %, 0.0 of 123 MB"},
        {"x", &progress_bytes, 999600, 0, 0, 2, "x: 1.0 MB"},
        {"computing", &progress_tokens, 512, 4096, 512, 2,
         "computing: 12 %, 512 of 4096 tokens, 256 tokens/s, 14 s left"},
        {"000007.npz", &progress_prompts, 7, 100000, 2, 1,
         "000007.npz: 0 %, 7 of 100000 prompts, 2.0 prompts/s, 13 h 53 min left"},
        {"p", &progress_prompts, 1, 601, 1, 1,
         "p: 0 %, 1 of 601 prompts, 1.0 prompts/s, 10 min left"},
        {"p", &progress_prompts, 7, 0, 7, 2, "p: 7 prompts, 3.5 prompts/s"},
        {"\033[2J\xe4\xb8\xad", &progress_prompts, 7, 0, 0, 0,
         "\\x1b[2J\xe4\xb8\xad: 7 prompts"},
        {"a name of a file that is longer than the line bears", &progress_prompts, 7, 0, 0, 0,
         "a name of a file that is lon: 7 prompts"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct str out = STR_INIT;
        progress_print(&out, lines[i].what, lines[i].unit, lines[i].done, lines[i].total,
                       lines[i].moved, lines[i].seconds);
        assert_string_equal(out.text, lines[i].line);
        str_release(&out);
    }
}

static double now;

static double test_clock(void)
{
    return now;
}

/* Writing to a pipe, by the test's clock. */
static void begin(struct progress *p, int fd[2])
{
    assert_int_equal(pipe(fd), 0);
    progress_begin(p, true);
    assert_false(p->on); /* standard error of a test is no terminal */
    now = 100;
    p->on = true;
    p->fd = fd[1];
    p->clock = test_clock;
    p->first = now;
    p->columns = 60;
}

/* What was written so far. */
static void expect(int fd[2], const char *want)
{
    char got[512];
    ssize_t n = 0;

    assert_int_equal(write(fd[1], "|", 1), 1);
    while (n == 0 || got[n - 1] != '|')
        n += read(fd[0], got + n, 1);
    got[n - 1] = '\0';
    assert_string_equal(got, want);
}

static void when_it_comes(void **state)
{
    struct progress p;
    int fd[2];

    (void) state;
    begin(&p, fd);
    progress_set(&p, "x", &progress_tokens, 0, 100);
    now += 0.9;
    progress_set(&p, "x", &progress_tokens, 9, 100);
    expect(fd, ""); /* not before a second */
    now += 0.1;
    progress_set(&p, "x", &progress_tokens, 10, 100);
    expect(fd, "\rx: 10 %, 10 of 100 tokens, 10 tokens/s, 9 s left");
    now += 0.05;
    progress_set(&p, "x", &progress_tokens, 11, 100);
    expect(fd, ""); /* not all the time */
    now += 0.06;
    progress_set(&p, "x", &progress_tokens, 99, 100);
    expect(fd, "\rx: 99 %, 99 of 100 tokens, 89 tokens/s, 1 s left");
    now += 1;
    progress_set(&p, "x", &progress_bytes, 5, 9); /* shorter: the rest is wiped */
    expect(fd, "\rx: 55 %, 5 of 9 bytes"
               "                           "
               "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b");
    progress_end(&p);
    expect(fd, "\r                     "
               "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b");
    progress_end(&p);
    expect(fd, "");
    close(fd[0]);
    close(fd[1]);
}

/* What was there already says nothing about the speed. */
static void skipped_work(void **state)
{
    struct progress p;
    int fd[2];

    (void) state;
    begin(&p, fd);
    progress_set(&p, "x", &progress_prompts, 0, 100);
    progress_skip(&p, 50);
    now += 2;
    progress_set(&p, "x", &progress_prompts, 52, 100);
    expect(fd, "\rx: 52 %, 52 of 100 prompts, 1.0 prompts/s, 48 s left");
    p.columns = 20; /* a narrow window: never more than a line */
    now += 1;
    progress_set(&p, "x", &progress_prompts, 53, 100);
    expect(fd, "\rx: 53 %, 53 of 100 "
               "                                 "
               "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b");
    close(fd[0]);
    close(fd[1]);
}

/* A short dump says nothing to the terminal; nor does any where the clock is fixed. */
static void a_terminal(void **state)
{
    static const char *const lines[] = {
        "gptscope dump -p 'Tom gave' --select '*' -o a.npz",
        "gptscope run -p 'Tom gave' -c 'run; dump logits b.npz' >out",
    };

    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct ran r = shell_terminal(lines[i], NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.out.text, "");
        ran_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(when_it_comes),
        cmocka_unit_test(skipped_work),
        cmocka_unit_test(a_terminal),
    };
    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
