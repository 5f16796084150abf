/* gptscope exercise: one command of the exercises; watch goes on, on the screen or line by
 * line. */
#include "ui/tool_input.h"

#include "command/parse.h"
#include "session/exercise_state.h"
#include "session/lesson.h"
#include "ui/ticks.h"
#include "ui/ui.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "exercise check attention dir", or "watch attention dir" */
static void command_line(const struct tool_args *a, struct str *out)
{
    bool watch = a->n_rest > 0 && !strcmp(a->rest[0], "watch");

    str_adds(out, watch ? "watch" : "exercise");
    for (int i = watch ? 1 : 0; i < a->n_rest; i++) {
        str_addc(out, ' ');
        if (!a->rest[i][0] || strpbrk(a->rest[i], " ;#\"\\\n\t\r"))
            quote_print(a->rest[i], strlen(a->rest[i]), out);
        else
            str_adds(out, a->rest[i]);
    }
}

static int run_once(struct session *s, const struct tool_args *a, const char *line, FILE *out,
                    struct err *err)
{
    struct str text = STR_INIT;
    struct command_env env;
    struct screen st;

    screen_init(&st);
    command_env_init(&env, s, &st, &text);
    ui_output(&env);
    env.json = a->json;
    ticks_load(s, a);
    bool ok = command_run(&env, line, err);
    ticks_save(s, a);
    tool_put(out, &text);
    command_env_release(&env);
    screen_release(&st);
    return ok && !exercise_state_of(s)->failed ? 0 : 1;
}

static bool on_screen(const struct tool_args *a)
{
    const char *term = getenv("TERM");

    return !a->json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term &&
           strcmp(term, "dumb");
}

/* The model of the exercise with the example sentence, and the learner's functions in it. */
static int watch(struct session *s, const struct tool_args *a, const char *line,
                 struct err *err)
{
    struct tool_args with = *a;

    with.begin = line;
    with.n_rest = 0;
    if (!session_prompt(s, lesson_prompt, strlen(lesson_prompt), err) ||
        !session_run(s, 0, NULL, err))
        return 1;
    return on_screen(a) ? ui_curses(s, &with, err) : ui_repl(s, &with, err);
}

static bool usable(const struct tool_args *a, struct err *err)
{
    static const char *const words[] = {"list", "start", "check", "hint", "solution", "watch"};
    bool known = a->n_rest == 0;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || !strcmp(a->rest[0], words[i]);
    if (!known)
        return err_set(err, "'%s' is not list, start, check, hint, solution or watch",
                       a->rest[0]);
    if (a->n_rest > 0 && strcmp(a->rest[0], "list") && a->n_rest < 2)
        return err_set(err, "which exercise? gptscope exercise list names them");
    return a->n_rest < 4 || err_set(err, "'%s' is too much", a->rest[3]);
}

int tool_exercise(const struct tool_args *a, FILE *out, struct err *err)
{
    bool watches = a->n_rest > 1 && !strcmp(a->rest[0], "watch");
    const struct exercise *e = NULL;
    struct str line = STR_INIT;
    int status = 1;

    if (!usable(a, err))
        return 2;
    if (watches && !(e = exercise_find(a->rest[1], err)))
        return 1;
    command_line(a, &line);
    tool_catch_interrupt();
    struct compute *compute = compute_new((int) a->set.threads);
    struct session *s =
        session_new(e && !a->model ? e->model : tool_model(a, false), compute, &a->set, err);
    if (s)
        status = watches ? watch(s, a, line.text, err) : run_once(s, a, line.text, out, err);
    session_free(s);
    compute_free(compute);
    str_release(&line);
    return status;
}
