/* gptscope, repl and run: the verbs that hand a session on. */
#include "ui/tool_input.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "command/command.h"
#include "ui/progress.h"
#include "ui/streams.h"
#include "ui/ui.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXAMPLE_PROMPT "Tom gave the red ball to Anna. Anna gave the red ball"

/* A session whose prompt is that of the options, or `fallback` (NULL: none). */
static int open_front(struct tool_session *t, const struct tool_args *a, const char *fallback,
                      struct err *err)
{
    if (tool_has_text(a))
        return tool_open(t, a, err);
    *t = (struct tool_session){.compute = compute_new((int) a->set.threads)};
    t->session = session_new(tool_model(a, false), t->compute, &a->set, err);
    if (!t->session)
        return 1;
    if (fallback && !session_prompt(t->session, fallback, strlen(fallback), err))
        *err = (struct err) ERR_INIT; /* a model that cannot take it starts without */
    return 0;
}

static bool run_script(struct command_env *env, const struct tool_args *a, struct err *err)
{
    struct str text = STR_INIT;
    if (a->commands)
        return command_string(env, a->commands, err);
    if (strcmp(a->rest[0], "-") != 0)
        return command_file(env, a->rest[0], err);
    bool ok = tool_stdin(&text, err) && command_script(env, "stdin", text.text, text.len, err);
    str_release(&text);
    return ok;
}

static int run_commands(struct session *s, const struct tool_args *a, FILE *out,
                        struct err *err)
{
    struct str text = STR_INIT;
    struct command_env env;
    struct screen st;

    screen_init(&st);
    command_env_init(&env, s, &st, &text);
    journal_begin(&env.journal, s, tool_model(a, false));
    ui_output(&env);
    env.progress = progress_command;
    env.json = a->json;
    env.flush = streams_flush;
    bool ok = run_script(&env, a, err);
    tool_put(out, &text);
    ok = streams_end(err) && ok; /* this, rather than the interrupt that it caused */
    command_env_release(&env);
    screen_release(&st);
    return ok ? 0 : 1;
}

int tool_run(const struct tool_args *a, FILE *out, struct err *err)
{
    if ((a->n_rest == 1) == (a->commands != NULL) || a->n_rest > 1) {
        err_set(err, "give one file of commands, or commands with -c");
        return 2;
    }
    struct tool_args prompt = *a; /* the word is the script's name, not a prompt */
    struct tool_session t;
    prompt.n_rest = 0;
    tool_catch_interrupt();
    int status = open_front(&t, &prompt, NULL, err);
    if (status == 0)
        status = run_commands(t.session, a, out, err);
    tool_close(&t);
    return status;
}

int tool_repl(const struct tool_args *a, FILE *out, struct err *err)
{
    struct tool_session t;
    (void) out;
    int status = open_front(&t, a, NULL, err);
    if (status == 0)
        status = ui_repl(t.session, a, err);
    tool_close(&t);
    return status;
}

int tool_screen(const struct tool_args *a, FILE *out, struct err *err)
{
    struct tool_session t;
    if (a->commands)
        return tool_run(a, out, err);
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        err_set(err, "the screen needs a terminal; try gptscope generate or gptscope repl");
        return 1;
    }
    int status = open_front(&t, a, EXAMPLE_PROMPT, err);
    if (status == 0)
        status = ui_curses(t.session, a, err);
    tool_close(&t);
    return status;
}
