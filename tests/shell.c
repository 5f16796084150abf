#include "shell.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/gptscope-test-XXXXXX";

int shell_enter(void **state)
{
    (void) state;
    const char *program = getenv("GPTSCOPE");
    char *full = realpath(program ? program : "./gptscope", NULL);
    if (!full || !mkdtemp(folder) || chdir(folder) != 0) {
        perror("the program under test ($GPTSCOPE)");
        exit(1);
    }
    *strrchr(full, '/') = '\0';
    char *path = xasprintf("%s:%s", full, getenv("PATH"));
    setenv("PATH", path, 1);
    free(path);
    free(full);
    return 0;
}

int shell_leave(void **state)
{
    (void) state;
    char *command = xasprintf("rm -rf %s", folder);
    if (chdir("/") != 0 || system(command) != 0)
        fprintf(stderr, "%s is left behind\n", folder);
    free(command);
    return 0;
}

static struct str take_file(const char *path)
{
    struct str text = STR_INIT;
    struct err err = ERR_INIT;
    if (!file_read(&text, path, (size_t) 1 << 28, &err))
        fprintf(stderr, "%s\n", err.text);
    str_adds(&text, "");
    return text;
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct ran shell(const char *fmt, ...)
{
    struct str line = STR_INIT;
    struct ran r;
    va_list ap;
    str_adds(&line, "{ ");
    va_start(ap, fmt);
    str_vaddf(&line, fmt, ap);
    va_end(ap);
    str_adds(&line, "\n} >.out 2>.err");
    int status = system(line.text);
    r.status = exit_status(status);
    r.out = take_file(".out");
    r.err = take_file(".err");
    str_release(&line);
    return r;
}

struct ran shell_terminal(const char *line, const char *keys)
{
    struct ran r = {.out = STR_INIT, .err = STR_INIT};
    char buf[4096];
    int terminal, status = -1;
    ssize_t n;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *) NULL);
        _exit(127);
    }
    if (keys) {
        struct pollfd p = {.fd = terminal, .events = POLLIN};
        poll(&p, 1, 500);
        if (write(terminal, keys, strlen(keys)) < 0)
            perror("keys");
    }
    while ((n = read(terminal, buf, sizeof buf)) > 0)
        str_add(&r.out, buf, (size_t) n);
    close(terminal);
    waitpid(child, &status, 0);
    r.status = exit_status(status);
    str_adds(&r.out, "");
    return r;
}

void ran_release(struct ran *r)
{
    str_release(&r->out);
    str_release(&r->err);
}

const char *shell_data(const char *name)
{
    static char path[4096];
    const char *dir = getenv("TESTS_DIR");
    snprintf(path, sizeof path, "%s/data/%s", dir ? dir : "tests", name);
    return path;
}
