/* How long the program takes to its first picture, in a terminal of its own (a pty), and
 * whether it rests afterwards. */
#include "ui/bench.h"

#include "base/clock.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { STARTS = 20, SILENCE_MS = 80, WAIT_MS = 5000 };

struct child {
    pid_t pid;
    int fd; /* the terminal's other end */
};

static void become_program(const char *terminal)
{
    setsid();
    int fd = open(terminal, O_RDWR);
    if (fd < 0)
        _exit(127);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    setenv("TERM", "xterm-256color", 1);
    execl("/proc/self/exe", "gptscope", "--clean", (char *) NULL);
    _exit(127);
}

static bool child_start(struct child *c)
{
    struct winsize size = {.ws_row = 50, .ws_col = 200};
    c->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *name =
        c->fd >= 0 && grantpt(c->fd) == 0 && unlockpt(c->fd) == 0 ? ptsname(c->fd) : NULL;
    if (name) {
        ioctl(c->fd, TIOCSWINSZ, &size);
        c->pid = fork();
        if (c->pid == 0)
            become_program(name);
        if (c->pid > 0)
            return true;
    }
    if (c->fd >= 0)
        close(c->fd);
    return false;
}

static void child_end(struct child *c)
{
    close(c->fd); /* hangs up */
    kill(c->pid, SIGTERM);
    waitpid(c->pid, NULL, 0);
}

/* Reads until nothing comes for a while; when the last byte came, or 0: none did. */
static double read_picture(struct child *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    char bytes[16384];
    double last = 0;
    while (poll(&p, 1, last > 0 ? SILENCE_MS : WAIT_MS) > 0) {
        if (read(c->fd, bytes, sizeof bytes) <= 0)
            return 0;
        last = clock_measure();
    }
    return last;
}

/* Processor time of a process in ticks; -1: unknown. */
static long ticks_of(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long) pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    const char *after = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    if (!after || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) != 2)
        return -1;
    return (long) (user + system);
}

static bool start_once(struct samples *ms, struct samples *idle, double rest)
{
    struct child c;
    double began = clock_measure();
    if (!child_start(&c))
        return false;
    double last = read_picture(&c);
    if (last > 0)
        samples_add(ms, 1e3 * (last - began));
    if (last > 0 && rest > 0) {
        long before = ticks_of(c.pid);
        usleep((useconds_t) (rest * 1e6));
        long after = ticks_of(c.pid);
        if (before >= 0 && after >= before)
            samples_add(idle, (double) (after - before));
    }
    child_end(&c);
    return last > 0;
}

bool measure_start(struct bench *b, struct err *err)
{
    struct samples ms = {0}, idle = {0};
    int n = b->most_rounds < STARTS ? b->most_rounds : STARTS;
    (void) err;
    for (int i = 0; i < n; i++)
        if (!start_once(&ms, &idle, i == 0 ? 1 : 0)) {
            fprintf(stderr,
                    "gptscope: no terminal to start in here: the first frame is left out\n");
            break;
        }
    if (ms.n > 0) {
        bench_add(b, "exec to the first frame, tiny-gpt2", "ms", &ms);
        bench_limit(b, 50, NAN);
    }
    if (idle.n > 0) {
        bench_add(b, "idle, processor in a second", "ticks", &idle);
        bench_limit(b, 0, NAN);
    }
    samples_release(&ms);
    samples_release(&idle);
    return true;
}
