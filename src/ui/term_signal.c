/* Signals while the program has the terminal. */
#include "ui/term_parts.h"

#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int caught[] = {SIGINT, SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGQUIT};
static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define N_CAUGHT ((int) (sizeof caught / sizeof *caught))
#define N_DEADLY ((int) (sizeof deadly / sizeof *deadly))

static volatile sig_atomic_t resized, suspend, resumed, end;
static struct sigaction old_caught[N_CAUGHT], old_deadly[N_DEADLY];
static int wake[2] = {-1, -1};
static char stack[65536]; /* a fault may come from a stack that is full */
static stack_t old_stack;

static struct {
    char bytes[256];
    size_t n;
    struct termios mode;
    bool has_mode;
} last_words;

void signals_give_back(const char *bytes, size_t n)
{
    if (n > sizeof last_words.bytes)
        n = sizeof last_words.bytes;
    memcpy(last_words.bytes, bytes, n);
    last_words.n = n;
}

/* The terminal as it was, in a program that is not to be trusted any more. */
static void give_back_now(void)
{
    if (write(STDOUT_FILENO, last_words.bytes, last_words.n) < 0)
        return;
    if (last_words.has_mode)
        tcsetattr(STDIN_FILENO, TCSANOW, &last_words.mode);
}

static void die(int sig)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    give_back_now();
    sigaction(sig, &plain, NULL);
    for (int i = 0; i < N_DEADLY; i++)
        if (deadly[i] == sig)
            sigaction(sig, &old_deadly[i], NULL);
    raise(sig); /* delivered when the handler returns */
}

static void on_signal(int sig)
{
    int saved = errno;

    if (sig == SIGINT) {
        interrupt_set();
    } else if (sig == SIGWINCH) {
        resized = 1;
    } else if (sig == SIGTSTP) {
        suspend = 1;
    } else if (sig == SIGCONT) {
        resumed = 1;
    } else if (end) {
        die(sig); /* the second time: the program did not get round to it */
    } else {
        end = sig;
        interrupt_set();
    }
    if (write(wake[1], "", 1) < 0)
        errno = 0; /* full: it will wake up anyway */
    errno = saved;
}

static void catch_all(const int *sig, struct sigaction *old, int n, void (*handler)(int),
                      int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&act.sa_mask);
    for (int i = 0; i < n; i++)
        sigaction(sig[i], &act, &old[i]);
}

void signals_catch(void)
{
    stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack};

    resized = suspend = resumed = end = 0;
    last_words.has_mode = tcgetattr(STDIN_FILENO, &last_words.mode) == 0;
    if (pipe2(wake, O_NONBLOCK | O_CLOEXEC) < 0)
        wake[0] = wake[1] = -1;
    sigaltstack(&mine, &old_stack);
    catch_all(caught, old_caught, N_CAUGHT, on_signal, SA_RESTART);
    catch_all(deadly, old_deadly, N_DEADLY, die, SA_ONSTACK);
}

void signals_restore(void)
{
    for (int i = 0; i < N_CAUGHT; i++)
        sigaction(caught[i], &old_caught[i], NULL);
    for (int i = 0; i < N_DEADLY; i++)
        sigaction(deadly[i], &old_deadly[i], NULL);
    sigaltstack(&old_stack, NULL);
    close(wake[0]);
    close(wake[1]);
    wake[0] = wake[1] = -1;
}

int signals_fd(void)
{
    return wake[0];
}

void signals_take(struct signals_seen *seen)
{
    char bytes[64];

    while (read(wake[0], bytes, sizeof bytes) > 0)
        ;
    *seen = (struct signals_seen){resized, suspend, resumed, end};
    resized = suspend = resumed = 0;
}
