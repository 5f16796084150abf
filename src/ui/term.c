#include "ui/term.h"

#include "base/interrupt.h"
#include "ui/term_parts.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

static SCREEN *terminal;
static struct str pasted = STR_INIT;
static const char *paste_on, *paste_off;
static bool mouse; /* wanted */

/* --- taking and giving back --- */

static const char *capability(const char *name)
{
    const char *text = tigetstr(name);

    return text && text != (char *) -1 ? text : "";
}

/* Terminals with an alternate screen take bracketed paste, even when terminfo does not know;
 * those without might print it. They tell of the mouse in the new way, too. */
static void find_modes(void)
{
    bool modern = *capability("smcup") != '\0';

    mouse_find(modern && *capability("kmous"));
    paste_on = *capability("BE") ? capability("BE") : modern ? "\033[?2004h" : "";
    paste_off = *capability("BD") ? capability("BD") : modern ? "\033[?2004l" : "";
}

static void put_raw(const char *bytes)
{
    fputs(bytes, stdout);
    fflush(stdout);
}

static void extra_modes(bool on)
{
    put_raw(on ? paste_on : paste_off);
    if (mouse)
        put_raw(on ? mouse_on() : mouse_off());
}

void term_mouse(bool on)
{
    if (on != mouse)
        put_raw(on ? mouse_on() : mouse_off());
    mouse = on;
}

/* A capability without its "$<5>" delays. */
static void add_capability(struct str *out, const char *text)
{
    for (; *text; text++) {
        const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (end)
            text = end;
        else
            str_addc(out, *text);
    }
}

static void prepare_last_words(void)
{
    struct str bytes = STR_INIT;

    str_adds(&bytes, mouse_off());
    str_adds(&bytes, paste_off);
    add_capability(&bytes, capability("sgr0"));
    add_capability(&bytes, capability("rmkx"));
    add_capability(&bytes, capability("cnorm"));
    add_capability(&bytes, capability("rmcup"));
    str_adds(&bytes, "\r\n");
    signals_give_back(bytes.text, bytes.len);
    str_release(&bytes);
}

static bool usable(struct err *err)
{
    const char *name = getenv("TERM");

    if (*capability("cup"))
        return true;
    return err_set(err, "a terminal of type '%s' cannot show a screen; try gptscope repl",
                   name ? name : "");
}

/* Not raw: Ctrl-C is a signal, so that it stops long work; it must not throw away output that
 * is on its way, or the screen is torn. Ctrl-S and Ctrl-V are keys. */
static void line_discipline(void)
{
    struct termios mode;

    cbreak();
    noecho();
    nonl();
    if (tcgetattr(STDIN_FILENO, &mode) < 0)
        return;
    mode.c_iflag &= ~(tcflag_t) IXON;
    mode.c_lflag &= ~(tcflag_t) IEXTEN;
    mode.c_lflag |= NOFLSH;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    def_prog_mode();
}

static void modes(void)
{
    line_discipline();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(25);
    leaveok(stdscr, FALSE);
    curs_set(0);
}

bool term_open(struct err *err)
{
    const char *name = getenv("TERM");

    setlocale(LC_CTYPE, "");
    signals_catch();
    terminal = newterm(NULL, stdout, stdin);
    if (!terminal) {
        signals_restore();
        return err_set(err, "the terminal type '%s' is not known here; set TERM to one that is",
                       name ? name : "");
    }
    if (!usable(err)) {
        term_close();
        return false;
    }
    find_modes();
    prepare_last_words();
    modes();
    keys_start();
    color_start();
    extra_modes(true);
    return true;
}

void term_close(void)
{
    struct signals_seen seen;

    if (paste_off)
        extra_modes(false);
    mouse = false;
    endwin();
    delscreen(terminal);
    terminal = NULL;
    color_stop();
    str_release(&pasted);
    signals_take(&seen);
    signals_restore();
    if (seen.end)
        raise(seen.end);
}

static FILE *nowhere;

bool term_open_nowhere(int w, int h)
{
    nowhere = fopen("/dev/null", "r+");
    terminal = nowhere ? newterm("xterm-256color", nowhere, nowhere) : NULL;
    if (!terminal) {
        if (nowhere)
            fclose(nowhere);
        return false;
    }
    resizeterm(h, w);
    leaveok(stdscr, FALSE);
    color_start();
    return true;
}

void term_close_nowhere(void)
{
    endwin();
    delscreen(terminal);
    terminal = NULL;
    color_stop();
    fclose(nowhere);
}

void term_redraw(void)
{
    clearok(curscr, TRUE);
}

static void suspend(void)
{
    extra_modes(false);
    endwin();
    raise(SIGSTOP);
}

static void take_again(void)
{
    reset_prog_mode();
    modes();
    clearok(curscr, TRUE);
    refresh();
    extra_modes(true);
}

void term_size(int *w, int *h)
{
    getmaxyx(stdscr, *h, *w);
}

/* Everything is painted anew: the terminal may have been another size in between, and may have
 * cut or moved what it shows, although the size is the same again now. */
static void resize(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
}

/* --- showing --- */

static int allowed_colors(const struct settings *set)
{
    const char *no_color = getenv("NO_COLOR");
    int n = color_count();

    if (set->color == COLOR_NEVER || (set->color == COLOR_AUTO && no_color && *no_color))
        return 0;
    return set->color == COLOR_256 && n > 256 ? 256 : n;
}

struct caps term_caps(const struct settings *set)
{
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

    return (struct caps){.ascii = set->ascii || !utf8, .colors = allowed_colors(set)};
}

static attr_t attributes(struct look look, int colors)
{
    attr_t a = A_NORMAL;

    if (look.attr & ATTR_BOLD)
        a |= A_BOLD;
    if (look.attr & ATTR_DIM)
        a |= A_DIM;
    if (look.attr & ATTR_UNDERLINE)
        a |= A_UNDERLINE;
    if (look.attr & ATTR_REVERSE || (colors == 0 && look.bg != COLOR_NONE))
        a |= A_REVERSE;
    return a;
}

/* The characters of a cell; the C library may know other widths than ours do: then something
 * that is as wide stands in. */
static void cell_text(const struct cell *cell, wchar_t out[CCHARW_MAX + 1])
{
    int n = 1;

    out[0] = (wchar_t) cell->cp;
    if (wcwidth(out[0]) != cell->width)
        out[0] = L'?';
    for (int i = 0; i < CELL_MARKS && n < CCHARW_MAX && cell->mark[i]; i++)
        if (wcwidth((wchar_t) cell->mark[i]) == 0)
            out[n++] = (wchar_t) cell->mark[i];
    out[n] = L'\0';
}

static void put_cell(const struct cell *cell, int x, int y, int pair, int colors)
{
    wchar_t text[CCHARW_MAX + 1];
    cchar_t c;

    cell_text(cell, text);
    if (setcchar(&c, text, attributes(cell->look, colors), 0, &pair) == ERR)
        return;
    mvadd_wch(y, x, &c);
    if (cell->width == 2 && wcwidth(text[0]) == 1)
        mvaddch(y, x + 1, ' ');
}

void term_show(const struct canvas *c, int x, int y)
{
    int w, h, colors = c->caps.colors, pair = 0;
    struct look last = {COLOR_NONE, COLOR_NONE, 0};

    term_size(&w, &h);
    color_frame();
    for (int row = 0; row < h && row < c->h; row++)
        for (int col = 0; col < w && col < c->w; col++) {
            const struct cell *cell = canvas_at(c, col, row);
            if (cell->width == 0)
                continue;
            if (cell->look.fg != last.fg || cell->look.bg != last.bg) {
                last = cell->look;
                pair = color_pair(last.fg, last.bg, colors);
            }
            put_cell(cell, col, row, pair, colors);
        }
    bool at = x >= 0 && x < w && y >= 0 && y < h;
    curs_set(at);
    move(at ? y : 0, at ? x : 0);
    refresh();
}

void term_beep(void)
{
    beep();
}

/* --- events --- */

static bool signal_event(struct event *e)
{
    struct signals_seen seen;

    signals_take(&seen);
    if (seen.suspend && !seen.end) {
        suspend();
        signals_take(&seen);
        seen.resumed = true;
    }
    if (seen.resumed)
        take_again();
    if (seen.resized || seen.resumed)
        resize();
    if (seen.end)
        e->kind = EVENT_END;
    else if (interrupt_pending())
        e->kind = EVENT_INTERRUPT;
    else if (seen.resized || seen.resumed)
        e->kind = EVENT_RESIZE;
    if (e->kind == EVENT_INTERRUPT)
        interrupt_clear();
    return e->kind != EVENT_NONE;
}

/* False when input has come to its end. */
static bool wait_for_input(int timeout)
{
    struct pollfd fd[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = signals_fd(), .events = POLLIN}};
    int waiting = 0;

    if (poll(fd, 2, timeout) <= 0)
        return true;
    if (fd[0].revents & POLLIN)
        return ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0 || waiting > 0;
    return !(fd[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

void term_event(struct event *e, int ms)
{
    memset(e, 0, sizeof *e);
    for (bool last = ms == 0;; last = last || ms > 0) {
        if (signal_event(e))
            return;
        keys_read(e, &pasted);
        if (e->kind == EVENT_NONE && !wait_for_input(last ? 0 : ms))
            e->kind = EVENT_END;
        if (e->kind != EVENT_NONE || last)
            return;
    }
}
