#include "session/child.h"

#include "base/clock.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum { LINK_FD = 3, MOST_FDS = 1024, FILE_SIZE = 1 << 24, SLICE_MS = 20 };

/* --- in the new process: only what is safe between fork and exec --- */

static void limit(int what, rlim_t most)
{
    struct rlimit r;

    if (getrlimit(what, &r) != 0)
        return;
    r.rlim_cur = most;
    if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
        r.rlim_max = most;
    setrlimit(what, &r);
}

#ifdef __linux__
#define LOAD(field)                                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned) offsetof(struct seccomp_data, field))
#define GIVE(what) BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSE(nr, error)                                                                      \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), GIVE(SECCOMP_RET_ERRNO | (error))

/* New processes, leaving the group and signals to others are refused with an error; threads
 * are not (the sanitizer has one). */
static bool confine(void)
{
    struct sock_filter rule[] = {
        LOAD(nr),
#ifdef __NR_fork
        REFUSE(__NR_fork, EPERM),
        REFUSE(__NR_vfork, EPERM),
#endif
        REFUSE(__NR_clone3, ENOSYS), /* its flags cannot be seen: clone comes next */
        REFUSE(__NR_kill, EPERM),
        REFUSE(__NR_setpgid, EPERM),
        REFUSE(__NR_setsid, EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        GIVE(SECCOMP_RET_ERRNO | EPERM),
        GIVE(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rule / sizeof *rule, rule};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* lint: allowed */
}
#else
static bool confine(void)
{
    return false;
}

static void die_with_parent(pid_t parent)
{
    (void) parent;
}
#endif

static void take_fds(int in, int out, int log, int link)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (link >= 0)
        dup2(link, LINK_FD);
    for (int fd = link >= 0 ? LINK_FD + 1 : LINK_FD; fd < MOST_FDS; fd++)
        close(fd);
}

static void begin_child(char *const argv[], const struct child_how *how, const int fd[4],
                        pid_t parent)
{
    extern char **environ;
    sigset_t none;

    setpgid(0, 0);
    die_with_parent(parent);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    take_fds(fd[0], fd[1], fd[2], fd[3]);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, FILE_SIZE);
    limit(RLIMIT_CPU, (rlim_t) how->seconds);
    if (how->memory > 0)
        limit(RLIMIT_AS, (rlim_t) how->memory);
    if (how->dir && chdir(how->dir) != 0)
        _exit(127); /* lint: allowed */
    if (how->confined && !confine())
        limit(RLIMIT_NPROC, 0);
    execve(argv[0], argv, how->env ? how->env : environ);
    _exit(127); /* lint: allowed */
}

/* --- starting --- */

/* Above the numbers that the child gets, so that dup2 never meets its own source. */
static int move_up(int fd)
{
    int up = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 10) : -1;

    if (fd >= 0)
        close(fd);
    return up;
}

static bool make_pipe(int pair[2])
{
    if (pipe(pair) != 0)
        return false;
    pair[0] = move_up(pair[0]);
    pair[1] = move_up(pair[1]);
    return pair[0] >= 0 && pair[1] >= 0;
}

static bool make_link(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return false;
    pair[0] = move_up(pair[0]);
    pair[1] = move_up(pair[1]);
    return pair[0] >= 0 && pair[1] >= 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void set_nonblocking(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool child_start(struct child *c, char *const argv[], const struct child_how *how,
                 struct err *err)
{
    int out[2] = {-1, -1}, log[2] = {-1, -1}, link[2] = {-1, -1};
    int null = move_up(open("/dev/null", O_RDONLY | O_CLOEXEC));
    bool ok = null >= 0 && make_pipe(out) && make_pipe(log) && (!how->link || make_link(link));
    pid_t parent = getpid();

    *c = (struct child){.link = -1, .pipe = {-1, -1}, .out = STR_INIT, .log = STR_INIT};
    if (ok)
        c->pid = fork();
    if (ok && c->pid == 0) {
        const int fd[4] = {null, out[1], log[1], link[1]};
        begin_child(argv, how, fd, parent);
    }
    if (!ok || c->pid < 0) {
        err_set(err, "cannot start %s: %s", argv[0], strerror(errno));
        c->pid = 0;
        ok = false;
    }
    close_fd(&null);
    close_fd(&out[1]);
    close_fd(&log[1]);
    close_fd(&link[1]);
    c->pipe[0] = out[0];
    c->pipe[1] = log[0];
    c->link = link[0];
    for (int i = 0; i < 2; i++)
        set_nonblocking(c->pipe[i]);
    set_nonblocking(c->link);
    if (ok)
        setpgid(c->pid, c->pid); /* here, too: it must be done before the group is killed */
    else
        child_release(c);
    return ok;
}

/* --- what comes from it --- */

/* Reads what there is; keeps the beginning. */
static void drain(struct child *c, int which)
{
    struct str *text = which == 0 ? &c->out : &c->log;
    char bytes[4096];
    ssize_t n;

    for (int i = 0; i < 64 && c->pipe[which] >= 0; i++) {
        n = read(c->pipe[which], bytes, sizeof bytes);
        if (n > 0 && text->len < CHILD_TEXT)
            str_add(text, bytes, (size_t) n);
        else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            close_fd(&c->pipe[which]);
        if (n < (ssize_t) sizeof bytes)
            return;
    }
}

int child_poll(struct child *c, int events, int ms)
{
    struct pollfd fd[3] = {{c->pipe[0], POLLIN, 0},
                           {c->pipe[1], POLLIN, 0},
                           {events ? c->link : -1, (short) events, 0}};

    if (fd[0].fd < 0 && fd[1].fd < 0 && fd[2].fd < 0)
        return POLLHUP;
    if (poll(fd, 3, ms) <= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (fd[i].revents)
            drain(c, i);
    return fd[2].revents;
}

static bool ended(struct child *c)
{
    if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == 0)
        return false;
    return true;
}

void child_end(struct child *c, double seconds)
{
    double until = clock_measure() + seconds;
    bool over = c->pid <= 0;

    while (!over && !(over = ended(c)) && clock_measure() < until) {
        child_poll(c, 0, SLICE_MS);
        if (c->pipe[0] < 0 && c->pipe[1] < 0)
            poll(NULL, 0, 1);
    }
    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        if (!over) {
            kill(c->pid, SIGKILL);
            while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
                ;
        }
    }
    c->pid = 0;
    drain(c, 0);
    drain(c, 1);
    close_fd(&c->link);
    close_fd(&c->pipe[0]);
    close_fd(&c->pipe[1]);
}

bool child_wait(struct child *c, double seconds, struct err *err)
{
    double until = clock_measure() + seconds;
    bool over = false;

    while (!over && clock_measure() < until && !interrupt_pending())
        over = child_poll(c, 0, SLICE_MS) == POLLHUP;
    child_end(c, over ? 1 : 0);
    if (over)
        return true;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    return err_set(err, "it does not end: stopped after %g s", seconds);
}

void child_release(struct child *c)
{
    child_end(c, 0);
    str_release(&c->out);
    str_release(&c->log);
}
