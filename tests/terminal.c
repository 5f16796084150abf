#include "terminal.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

#define PATIENCE 20.0 /* seconds; only a failure takes as long */

struct terminal {
    int fd;
    pid_t pid;
    int w, h;
    VTerm *vt;
    VTermScreen *screen;
    bool alternate, cursor, paste, mouse, ended;
    int status;
    char tail[8]; /* the last bytes */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/* --- starting and ending --- */

static int on_property(VTermProp prop, VTermValue *val, void *user)
{
    struct terminal *t = user;

    if (prop == VTERM_PROP_ALTSCREEN)
        t->alternate = val->boolean;
    if (prop == VTERM_PROP_MOUSE)
        t->mouse = val->number != VTERM_PROP_MOUSE_NONE;
    return 1;
}

static void on_answer(const char *bytes, size_t n, void *user)
{
    const struct terminal *t = user;

    if (write(t->fd, bytes, n) < 0)
        return;
}

static void become_program(const struct variable *env, const char *args)
{
    char *command = xasprintf("exec \"$GPTSCOPE\" %s", args);

    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("GPTSCOPE_CLOCK", "0", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    unsetenv("LINES");
    unsetenv("COLUMNS");
    setenv("XDG_STATE_HOME", "/dev/null/none", 1); /* each begins with nothing remembered */
    unsetenv("XDG_CONFIG_HOME");
    for (; env->name; env++)
        if (env->value)
            setenv(env->name, env->value, 1);
        else
            unsetenv(env->name);
    execl("/bin/sh", "sh", "-c", command, (char *) NULL);
    _exit(127);
}

struct terminal *terminal_start(int w, int h, const struct variable *env, const char *args)
{
    static const VTermScreenCallbacks callbacks = {.settermprop = on_property};
    struct terminal *t = xcalloc(1, sizeof *t);
    struct winsize size = {.ws_row = (unsigned short) h, .ws_col = (unsigned short) w};

    t->w = w;
    t->h = h;
    t->cursor = true;
    t->vt = vterm_new(h, w);
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, on_answer, t);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    if (t->pid == 0)
        become_program(env, args);
    assert_true(t->pid > 0);
    return t;
}

static bool reap(struct terminal *t, int flags)
{
    int status;

    if (!t->ended && waitpid(t->pid, &status, flags) == t->pid) {
        t->status = status;
        t->ended = WIFEXITED(status) || WIFSIGNALED(status);
    }
    return t->ended;
}

void terminal_free(struct terminal *t)
{
    if (!t->ended) {
        kill(t->pid, SIGKILL);
        reap(t, 0);
    }
    close(t->fd);
    vterm_free(t->vt);
    free(t);
}

/* --- both ways --- */

/* Modes that libvterm keeps to itself, or (the cursor) takes back together with a saved
 * position, as no other terminal does: seen as they go by. */
static void watch_modes(struct terminal *t, const char *bytes, size_t n)
{
    const size_t last = sizeof t->tail - 1;

    for (size_t i = 0; i < n; i++) {
        memmove(t->tail, t->tail + 1, last);
        t->tail[last] = bytes[i];
        if (bytes[i] != 'h' && bytes[i] != 'l')
            continue;
        if (!memcmp(t->tail + last - 7, "\033[?2004", 7))
            t->paste = bytes[i] == 'h';
        if (!memcmp(t->tail + last - 5, "\033[?25", 5))
            t->cursor = bytes[i] == 'h';
    }
}

/* Reads what is there, after at most `ms`; false when nothing came. */
static bool pump(struct terminal *t, int ms)
{
    struct pollfd in = {.fd = t->fd, .events = POLLIN};
    char bytes[16384];
    ssize_t n;

    if (poll(&in, 1, ms) <= 0)
        return false;
    n = read(t->fd, bytes, sizeof bytes);
    if (n <= 0) {
        struct timespec moment = {0, 5000000}; /* the other side is closed */
        nanosleep(&moment, NULL);
        return false;
    }
    watch_modes(t, bytes, (size_t) n);
    vterm_input_write(t->vt, bytes, (size_t) n);
    return true;
}

void terminal_keys(struct terminal *t, const char *bytes)
{
    size_t n = strlen(bytes);

    while (n > 0) {
        size_t part = n < 256 ? n : 256;
        ssize_t done = write(t->fd, bytes, part);
        if (done < 0)
            fail_msg("cannot write to the terminal: %s", strerror(errno));
        bytes += done;
        n -= (size_t) done;
        while (n > 0 && pump(t, 1))
            ;
    }
}

void terminal_window(struct terminal *t, int w, int h)
{
    struct winsize size = {.ws_row = (unsigned short) h, .ws_col = (unsigned short) w};

    ioctl(t->fd, TIOCSWINSZ, &size);
}

void terminal_resize(struct terminal *t, int w, int h)
{
    t->w = w;
    t->h = h;
    vterm_set_size(t->vt, h, w);
    terminal_window(t, w, h);
}

void terminal_signal(struct terminal *t, int sig)
{
    kill(t->pid, sig);
}

void terminal_settle(struct terminal *t)
{
    double end = now() + PATIENCE;

    while (now() < end && pump(t, 150))
        ;
}

void terminal_glance(struct terminal *t, int ms)
{
    if (pump(t, ms))
        while (pump(t, 0))
            ;
}

bool terminal_running(struct terminal *t)
{
    return !reap(t, WNOHANG);
}

/* --- what it shows --- */

static void cell_at(const struct terminal *t, int x, int y, VTermScreenCell *cell)
{
    vterm_screen_get_cell(t->screen, (VTermPos){.row = y, .col = x}, cell);
}

void terminal_text(const struct terminal *t, struct str *out)
{
    VTermScreenCell cell;
    char bytes[4];

    for (int y = 0; y < t->h; y++) {
        size_t end = out->len;
        for (int x = 0; x < t->w; x++) {
            cell_at(t, x, y, &cell);
            for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
                if (cell.chars[i] != UINT32_MAX) /* the right half of a wide one */
                    str_add(out, bytes, (size_t) utf8_encode(cell.chars[i], bytes));
            if (!cell.chars[0])
                str_addc(out, ' ');
            if (cell.chars[0] && cell.chars[0] != ' ')
                end = out->len;
        }
        str_cut(out, end, out->len - end);
        str_addc(out, '\n');
    }
}

bool terminal_shows(const struct terminal *t, const char *text)
{
    struct str now_there = STR_INIT;

    terminal_text(t, &now_there);
    bool found = strstr(now_there.text, text) != NULL;
    str_release(&now_there);
    return found;
}

/* Colours told apart by what the terminal was asked for. */
static int distinct(const struct terminal *t, bool back)
{
    bool seen[1024] = {false};
    int n = 0;
    VTermScreenCell cell;

    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++) {
            cell_at(t, x, y, &cell);
            VTermColor c = back ? cell.bg : cell.fg;
            bool plain = back ? VTERM_COLOR_IS_DEFAULT_BG(&c) : VTERM_COLOR_IS_DEFAULT_FG(&c);
            int i = VTERM_COLOR_IS_INDEXED(&c)
                        ? c.indexed.idx
                        : 256 + (c.rgb.red * 7 + c.rgb.green * 3 + c.rgb.blue) % 700;
            if (plain || seen[i])
                continue;
            seen[i] = true;
            n++;
        }
    return n;
}

int terminal_backgrounds(const struct terminal *t)
{
    return distinct(t, true);
}

int terminal_foregrounds(const struct terminal *t)
{
    return distinct(t, false);
}

bool terminal_ascii(const struct terminal *t)
{
    VTermScreenCell cell;

    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++) {
            cell_at(t, x, y, &cell);
            if (cell.chars[0] >= 0x80)
                return false;
        }
    return true;
}

bool terminal_alternate(const struct terminal *t)
{
    return t->alternate;
}

bool terminal_cursor(const struct terminal *t)
{
    return t->cursor;
}

bool terminal_paste(const struct terminal *t)
{
    return t->paste;
}

bool terminal_mouse(const struct terminal *t)
{
    return t->mouse;
}

bool terminal_echo(const struct terminal *t)
{
    struct termios mode;

    return tcgetattr(t->fd, &mode) == 0 && (mode.c_lflag & ECHO) && (mode.c_lflag & ICANON);
}

/* --- waiting --- */

static void give_up(struct terminal *t, const char *what, const char *detail)
{
    struct str text = STR_INIT;

    terminal_text(t, &text);
    fprintf(stderr, "--- the screen ---\n%s------------------\n", text.text);
    str_release(&text);
    fail_msg("%s %s", what, detail);
}

void terminal_wait(struct terminal *t, const char *text)
{
    double end = now() + PATIENCE;

    while (!terminal_shows(t, text)) {
        if (now() > end || (!pump(t, 50) && reap(t, WNOHANG) && !pump(t, 0)))
            give_up(t, "waited in vain for", text);
        while (pump(t, 0))
            ;
    }
}

void terminal_wait_without(struct terminal *t, const char *text)
{
    double end = now() + PATIENCE;

    while (terminal_shows(t, text)) {
        if (now() > end)
            give_up(t, "does not go away:", text);
        pump(t, 50);
    }
}

static void write_golden(const char *path, const struct str *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fwrite(text->text, 1, text->len, f) != text->len || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

void terminal_wait_golden(struct terminal *t, const char *name)
{
    const char *dir = getenv("TESTS_DIR");
    char *path = xasprintf("%s/golden-screens/terminal.%s.txt", dir ? dir : "tests", name);
    struct str want = STR_INIT, have = STR_INIT;
    struct err err = ERR_INIT;
    double end = now() + PATIENCE;

    if (getenv("GOLDEN_UPDATE")) {
        terminal_settle(t);
        terminal_text(t, &have);
        write_golden(path, &have);
    } else {
        if (!file_read(&want, path, 1 << 20, &err))
            fail_msg("%s", err.text);
        for (terminal_text(t, &have); strcmp(have.text, want.text);
             str_clear(&have), terminal_text(t, &have)) {
            if (now() > end)
                give_up(t, "this is not", path);
            pump(t, 50);
        }
    }
    str_release(&want);
    str_release(&have);
    free(path);
}

int terminal_wait_end(struct terminal *t)
{
    double end = now() + PATIENCE;

    while (!reap(t, WNOHANG)) {
        if (now() > end)
            give_up(t, "the program", "does not end");
        pump(t, 20);
    }
    while (pump(t, 20))
        ;
    return t->status;
}

void terminal_wait_stopped(struct terminal *t)
{
    double end = now() + PATIENCE;

    t->status = 0;
    while (!WIFSTOPPED(t->status)) {
        if (now() > end || t->ended)
            give_up(t, "the program", "does not stop");
        reap(t, WNOHANG | WUNTRACED);
        pump(t, 20);
    }
    while (pump(t, 20))
        ;
}

void terminal_wait_given_back(struct terminal *t)
{
    double end = now() + PATIENCE;

    while (t->alternate || t->paste || t->mouse || !t->cursor || !terminal_echo(t)) {
        if (now() > end)
            give_up(t, "not given back:",
                    t->alternate ? "the screen"
                    : t->paste   ? "pasting"
                    : t->mouse   ? "the mouse"
                    : !t->cursor ? "the cursor"
                                 : "the echo of keys");
        pump(t, 20);
    }
}
