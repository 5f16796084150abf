/*
 * The commands at a readline prompt, or from a pipe. Readline is fed key by key from our own
 * wait, so that an interrupt drops the line that is being typed, or stops the command that
 * runs, and nothing else.
 */
#include "ui/ui.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/place.h"
#include "ui/history.h"
#include "ui/progress.h"
#include "ui/startup.h"
#include "ui/streams.h"
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
static struct session *completing; /* readline's callbacks take no argument */
static char *typed;                /* the line that was entered */
static bool entered;
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
    env->color = wants_color(&env->session->set);
    env->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* --- from a pipe --- */

static int plain_lines(struct command_env *env, struct err *err)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int status = 0;

    for (int i = 1; status == 0 && !env->session->quit; i++) {
        errno = 0;
        n = getline(&line, &cap, stdin);
        if (n < 0 && ferror(stdin))
            status = !err_set(err, "cannot read standard input: %s", strerror(errno));
        if (n < 0)
            break;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = '\0';
        bool ok = strlen(line) == (size_t) n || err_set(err, "the line holds a NUL byte");
        ui_output(env);
        ok = ok && command_run(env, line, err);
        streams_flush(env);
        if (!streams_end(err))
            status = 1;
        else if (!ok)
            status = !err_add(err, "stdin:%d", i);
    }
    free(line);
    return status;
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
#define N_CAUGHT (sizeof caught / sizeof *caught)

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

static char *common_prefix(char **word)
{
    size_t n = strlen(word[0]);

    for (int i = 1; word[i]; i++)
        for (size_t k = 0; k < n; k++)
            if (word[i][k] != word[0][k])
                n = k;
    return xstrndup(word[0], n);
}

/* Candidates in readline's form: what they have in common first, unless there is only one. */
static char **complete(const char *text, int start, int end)
{
    char **word = command_complete(completing, rl_line_buffer, (size_t) end);
    int n = 0;

    (void) text;
    (void) start;
    if (!word)
        return NULL; /* file names */
    rl_attempted_completion_over = 1;
    while (word[n])
        n++;
    if (n == 0) {
        free(word);
        return NULL;
    }
    if (n > 1) {
        word = xrealloc(word, (size_t) n + 2, sizeof *word);
        memmove(word + 1, word, ((size_t) n + 1) * sizeof *word);
        word[0] = common_prefix(word + 1);
    }
    return word;
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
        fputs("^C", rl_outstream);
        rl_crlf();
        rl_replace_line("", 1);
        rl_on_new_line();
        rl_redisplay();
    }
}

/* Waits for a whole line; false at the end of input, or when the program shall end. */
static bool read_line(const char *prompt, const sigset_t *waiting)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};

    entered = false;
    typed = NULL;
    rl_callback_handler_install(prompt, on_line);
    while (!entered && !fatal) {
        int n = ppoll(&fd, 1, NULL, waiting);
        if (n > 0)
            rl_callback_read_char();
        else if (n < 0 && errno != EINTR)
            break;
        if (!entered)
            handle_signals();
    }
    if (!entered)
        rl_callback_handler_remove();
    return typed != NULL;
}

/* Into the list that readline's keys go through. */
static void put_history(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

    if (line && (!last || strcmp(last->line, line)))
        add_history(line);
}

static void run_line(struct command_env *env, const char *line, const sigset_t *blocked,
                     const sigset_t *running)
{
    struct err err = ERR_INIT;

    history_note(&lines, line);
    put_history(history_line(&lines, 1));
    ui_output(env);
    interrupt_clear();
    sigprocmask(SIG_SETMASK, running, NULL);
    bool ok = command_run(env, line, &err);
    streams_flush(env);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    sigprocmask(SIG_SETMASK, blocked, NULL);
    interrupt_clear();
}

static void init_readline(struct session *s)
{
    completing = s;
    rl_readline_name = "gptscope";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n;";
    if (!isatty(STDOUT_FILENO))
        rl_outstream = stderr;
    history_load(&lines);
    for (int i = lines.n; i > 0; i--)
        put_history(history_line(&lines, i));
}

static void terminal_lines(struct command_env *env)
{
    struct sigaction old[N_CAUGHT];
    sigset_t blocked, waiting;
    struct str prompt = STR_INIT;
    struct err unwritten = ERR_INIT;

    init_readline(env->session);
    sigprocmask(SIG_SETMASK, NULL, &waiting);
    blocked = waiting;
    for (size_t i = 0; i < N_CAUGHT; i++)
        sigaddset(&blocked, caught[i]);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    catch_signals(old);
    while (!env->session->quit && !fatal && streams_end(&unwritten)) {
        make_prompt(env->session, &prompt);
        if (!read_line(prompt.text, &waiting))
            break;
        run_line(env, typed, &blocked, &waiting);
        free(typed);
    }
    if (!env->session->quit)
        putchar('\n');
    history_save(&lines);
    history_release(&lines);
    restore_signals(old);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    str_release(&prompt);
    if (fatal)
        raise(fatal);
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
    if (args->record && !journal_record(&env.journal, args->record, err))
        status = 1;
    else if (isatty(STDIN_FILENO))
        terminal_lines(&env);
    else
        status = plain_lines(&env, err);
    command_env_release(&env);
    str_release(&out);
    screen_release(&st);
    return status;
}
