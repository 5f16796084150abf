/* Ctrl-C while the program waits for somebody to take its output: what is said is the
 * interrupt, and no write is lost or taken for an error. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A pipe that takes no more bytes. */
static int full_pipe(int fd[2])
{
    char block[4096];
    int n = 0;

    assert_int_equal(pipe(fd), 0);
    memset(block, 'x', sizeof block);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    for (ssize_t k; (k = write(fd[1], block, sizeof block)) > 0;)
        n += (int) k;
    for (ssize_t k; (k = write(fd[1], block, 1)) > 0;)
        n += (int) k;
    fcntl(fd[1], F_SETFL, 0);
    return n;
}

static pid_t start(int out, int err)
{
    pid_t pid = fork();

    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execl(getenv("GPTSCOPE"), "gptscope", "generate", "-p", "Tom gave", "-n", "40",
              "--temp", "0", (char *) NULL);
        _exit(127);
    }
    return pid;
}

/* Whether the process sleeps, and has used no processor time since the last look. */
static bool is_still(pid_t pid, char last[512])
{
    char path[64], text[512] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    bool same = strstr(text, ") S ") && !strcmp(text, last);
    strcpy(last, text);
    return same;
}

static void wait_still(pid_t pid)
{
    char last[512] = "";

    for (int tries = 0, still = 0; still < 20; tries++) {
        assert_true(tries < 3000);
        poll(NULL, 0, 10);
        still = is_still(pid, last) ? still + 1 : 0;
    }
}

static size_t read_all(int fd, char *out, size_t size)
{
    size_t n = 0;

    for (ssize_t k; (k = read(fd, out + n, size - 1 - n)) > 0;)
        n += (size_t) k;
    out[n] = '\0';
    return n;
}

static void test_blocked_output(void **state)
{
    (void) state;
    static char text[1 << 20];
    int out[2], err[2], status;

    if (!getenv("GPTSCOPE") || access("/proc/self/stat", R_OK) != 0) {
        print_message("skipped: it takes GPTSCOPE and /proc\n");
        skip();
    }
    int n = full_pipe(out);
    assert_int_equal(pipe(err), 0);
    pid_t pid = start(out[1], err[1]);
    close(out[1]);
    close(err[1]);
    wait_still(pid);
    kill(pid, SIGINT);
    wait_still(pid);
    size_t got = read_all(out[0], text, sizeof text);
    assert_true(got > (size_t) n); /* the token that was being written came through */
    read_all(err[0], text, sizeof text);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_string_equal(text, "gptscope: interrupted after 1 of 40 tokens\n");
    close(out[0]);
    close(err[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocked_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
