/*
 * The commands at a readline prompt, or from a pipe. Readline is fed key by key from our own
 * wait, so that an interrupt drops the line that is being typed, or stops the command that
 * runs, and nothing else.
 */
#include "ui/ui.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/parse.h"
#include "command/place.h"
#include "ui/history.h"
#include "ui/line_complete.h"
#include "ui/progress.h"
#include "ui/startup.h"
#include "ui/streams.h"
#include "ui/ticks.h"
#include "ui/tool_input.h"
#include "view/view.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

static struct history lines;
static struct str text; /* lines of what is being entered that were entered already */
static char *typed;     /* the line that was entered */
static bool entered, dropped;
static volatile sig_atomic_t resized, stopped, fatal;

/* --- output --- */

static int terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns && atoi(columns) > 0 ? atoi(columns) : 80;
}

static bool wants_color(const struct settings *set)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (set->color != COLOR_AUTO)
        return set->color != COLOR_NEVER;
    if (no_color && *no_color)
        return false;
    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

void ui_output(struct command_env *env)
{
    env->width = terminal_width();
    if (env->width > 400)
        env->width = 400;
    env->fold = isatty(STDOUT_FILENO) ? env->width : 0;
    env->color = wants_color(&env->session->set);
    env->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* --- from a pipe --- */

/* Lines that belong together: a quote is open, or a backslash joins them. */
struct gathered {
    struct str text;
    int line;  /* where it begins */
    bool open; /* more is to come */
};

/* Adds a line; whether the text is still open. */
static bool gather(struct gathered *g, const char *line, size_t n, int number)
{
    bool in_quotes = g->open && g->text.text[g->text.len - 1] != '\\';

    if (!g->open)
        g->line = number;
    else
        str_addc(&g->text, '\n');
    str_add(&g->text, line, n);
    if (!in_quotes || memchr(line, '"', n)) /* else it cannot end here */
        g->open = g->text.len > 0 && words_open(g->text.text);
    return g->open;
}

static bool run_gathered(struct command_env *env, struct gathered *g, struct err *err)
{
    ui_output(env);
    bool ok = command_part(env, "stdin", g->line, g->text.text, g->text.len, err);
    streams_flush(env);
    ok = streams_end(err) && ok;
    str_clear(&g->text);
    g->open = false;
    return ok;
}

static int plain_lines(struct command_env *env, struct err *err)
{
    struct gathered g = {.text = STR_INIT};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool ok = true;

    for (int i = 1; ok && !env->session->quit; i++) {
        errno = 0;
        n = getline(&line, &cap, stdin);
        if (n < 0 && ferror(stdin))
            ok = err_set(err, "cannot read standard input: %s", strerror(errno));
        if (n < 0)
            break;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        if (!gather(&g, line, (size_t) n, i) && g.text.len > 0)
            ok = run_gathered(env, &g, err);
    }
    if (ok && g.open)
        ok = run_gathered(env, &g, err); /* for its message */
    str_release(&g.text);
    free(line);
    return ok ? 0 : 1;
}

/* --- at a terminal --- */

static void on_interrupt(int sig)
{
    (void) sig;
    interrupt_set();
}

static void on_signal(int sig)
{
    if (sig == SIGWINCH)
        resized = 1;
    else if (sig == SIGTSTP)
        stopped = 1;
    else
        fatal = sig;
    if (fatal)
        interrupt_set();
}

static const int caught[] = {SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP, SIGPIPE};
#define HISTORY_KEPT 1000 /* as many as the file has */
#define N_CAUGHT     (sizeof caught / sizeof *caught)

/* The signals come only while we wait for a key (ppoll ends, whatever the flags say), or, for
 * SIGINT, while a command runs: then what it prints is not cut off (SA_RESTART). */
static void catch_signals(struct sigaction old[N_CAUGHT])
{
    for (size_t i = 0; i < N_CAUGHT; i++) {
        struct sigaction act = {.sa_handler = caught[i] == SIGINT ? on_interrupt : on_signal,
                                .sa_flags = SA_RESTART};
        sigemptyset(&act.sa_mask);
        sigaction(caught[i], &act, &old[i]);
    }
}

static void restore_signals(const struct sigaction old[N_CAUGHT])
{
    for (size_t i = 0; i < N_CAUGHT; i++)
        sigaction(caught[i], &old[i], NULL);
}

static void on_line(char *line)
{
    rl_callback_handler_remove();
    typed = line;
    entered = true;
}

static void make_prompt(const struct session *s, struct str *out)
{
    str_clear(out);
    str_adds(out, s->program->hp.name);
    if (s->ids.n > 0)
        str_addf(out, " %d/%d", run_n_past(s->run), s->ids.n);
    if (run_in_pass(s->run)) {
        str_addc(out, ' ');
        op_name(s->program, run_pc(s->run), out);
    }
    str_adds(out, "> ");
}

/* Suspend: the terminal is given back first, and taken again afterwards. */
static void suspend(void)
{
    stopped = 0;
    rl_deprep_terminal();
    raise(SIGSTOP);
    rl_prep_terminal(1);
    rl_forced_update_display();
}

static void handle_signals(void)
{
    if (resized) {
        resized = 0;
        rl_resize_terminal();
    }
    if (stopped)
        suspend();
    if (interrupt_pending()) {
        interrupt_clear();
        dropped = true;
    }
}

/* The line that is being typed goes, with a search in it. */
static void drop_line(void)
{
    fputs("^C", rl_outstream);
    rl_crlf();
    rl_callback_sigcleanup();
    rl_replace_line("", 1);
    rl_callback_handler_remove();
}

/* Waits for a whole line; false at the end of input, when the program shall end, and when the
 * line was dropped. */
static bool read_line(const char *prompt, const sigset_t *waiting)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec now = {0, 0};

    entered = dropped = false;
    typed = NULL;
    rl_eof_found = 0;
    rl_callback_handler_install(prompt, on_line);
    while (!entered && !dropped && !fatal) {
        int n = ppoll(&fd, 1, NULL, waiting);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            ppoll(NULL, 0, &now, waiting); /* a signal that waits, too, comes before the key */
        handle_signals();
        if (n > 0 && !dropped && !fatal)
            rl_callback_read_char();
    }
    if (dropped && !entered)
        drop_line();
    else if (!entered)
        rl_callback_handler_remove();
    return typed != NULL;
}

/* A line, and those that belong to it, into `text`. False at the end of input. In the midst of
 * a text that ends what was typed of it. */
static bool read_text(struct command_env *env, const sigset_t *waiting)
{
    struct str prompt = STR_INIT;
    bool open = true;

    str_clear(&text);
    while (open && !fatal) {
        if (text.len > 0)
            str_addc(&text, '\n');
        else
            make_prompt(env->session, &prompt);
        if (read_line(text.len > 0 ? "... " : prompt.text, waiting)) {
            str_adds(&text, typed);
            free(typed);
            open = text.len > 0 && words_open(text.text);
        } else if (dropped) {
            str_clear(&text);
        } else {
            break;
        }
    }
    str_release(&prompt);
    return !fatal && (!open || text.len > 0);
}

/* Into the list that readline's keys go through. */
static void put_history(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

    if (line && (!last || strcmp(last->line, line)))
        add_history(line);
}

/* The file has a line for each; here it comes back as it was typed. */
static void note_history(const char *line)
{
    struct str one = STR_INIT;

    words_one_line(line, &one);
    history_note(&lines, one.len > 0 ? one.text : line);
    if (line[strspn(line, " \t\n")])
        put_history(line);
    str_release(&one);
}

static void run_line(struct command_env *env, const char *line, const sigset_t *blocked,
                     const sigset_t *running)
{
    struct sigaction stop = {.sa_handler = SIG_DFL}, old;
    struct err err = ERR_INIT;

    note_history(line);
    ui_output(env);
    interrupt_clear();
    sigaction(SIGTSTP, &stop, &old); /* at once: the terminal is not readline's now */
    sigprocmask(SIG_SETMASK, running, NULL);
    bool ok = command_run(env, line, &err);
    streams_flush(env);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    sigprocmask(SIG_SETMASK, blocked, NULL);
    sigaction(SIGTSTP, &old, NULL);
    interrupt_clear();
}

static const char *pasting(void)
{
    const char *value = rl_variable_value("enable-bracketed-paste");

    return value ? value : "off";
}

static void init_readline(struct session *s)
{
    const char *term = getenv("TERM");
    bool dumb = !term || !*term || !strcmp(term, "dumb");

    rl_readline_name = "gptscope";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    readline_completion(s, &text);
    rl_variable_bind("enable-bracketed-paste", dumb ? "off" : "on");
    if (!isatty(STDOUT_FILENO))
        rl_outstream = stderr;
    history_load(&lines);
    stifle_history(HISTORY_KEPT);
    for (int i = lines.n; i > 0; i--)
        put_history(history_line(&lines, i));
}

static void terminal_lines(struct command_env *env)
{
    struct sigaction old[N_CAUGHT];
    sigset_t blocked, waiting;
    struct err unwritten = ERR_INIT;

    init_readline(env->session);
    sigprocmask(SIG_SETMASK, NULL, &waiting);
    blocked = waiting;
    for (size_t i = 0; i < N_CAUGHT; i++)
        sigaddset(&blocked, caught[i]);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    catch_signals(old);
    while (!env->session->quit && !fatal && streams_end(&unwritten)) {
        if (!read_text(env, &waiting))
            break;
        char *line = xstrndup(text.text, text.len); /* completion sees what is typed next */
        str_clear(&text);
        run_line(env, line, &blocked, &waiting);
        free(line);
    }
    if (!env->session->quit && !(rl_eof_found && strcmp(pasting(), "off")))
        putchar('\n'); /* which readline does where it has to do with pasting */
    history_save(&lines);
    history_release(&lines);
    restore_signals(old);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    str_release(&text);
    if (fatal)
        raise(fatal);
}

static bool begin_with(struct command_env *env, const char *line, struct err *err)
{
    ui_output(env);
    bool ok = command_run(env, line, err);
    streams_flush(env);
    return ok;
}

int ui_repl(struct session *s, const struct tool_args *args, struct err *err)
{
    struct str out = STR_INIT;
    struct command_env env;
    struct screen st;
    struct err wrong = ERR_INIT;
    int status = 0;

    screen_init(&st);
    command_env_init(&env, s, &st, &out);
    env.flush = streams_flush;
    env.progress = progress_command;
    env.json = args->json;
    journal_begin(&env.journal, s, tool_model(args, false));
    setlocale(LC_CTYPE, "");
    lines.file = args->clean ? NULL : "history";
    startup_run(&env, args, false, &wrong);
    if (*wrong.text)
        fprintf(stderr, "%s\n", wrong.text);
    ticks_load(s, args);
    if (args->record && !journal_record(&env.journal, args->record, err))
        status = 1;
    else if (args->begin && !begin_with(&env, args->begin, err))
        status = 1;
    else if (args->only_begin)
        ;
    else if (isatty(STDIN_FILENO))
        terminal_lines(&env);
    else
        status = plain_lines(&env, err);
    ticks_save(s, args);
    command_env_release(&env);
    str_release(&out);
    screen_release(&st);
    return status;
}
