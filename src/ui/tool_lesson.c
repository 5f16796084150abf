/* gptscope lesson: the course on the screen, or line by line where there is none. */
#include "ui/tool_input.h"

#include "base/mem.h"
#include "session/lesson.h"
#include "ui/ui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "lesson mask 2" */
static bool first_line(const struct tool_args *a, struct str *out, struct err *err)
{
    struct lessons all;

    if (a->n_rest > 2)
        return err_set(err, "'%s' is too much", a->rest[2]);
    if (!lessons_open(&all, a->set.lang, err))
        return false;
    str_adds(out, "lesson");
    bool ok =
        a->n_rest == 0 || !strcmp(a->rest[0], "list") || lessons_find(&all, a->rest[0]) >= 0 ||
        err_set(err, "there is no lesson '%s'; gptscope lesson list names the %d there are",
                a->rest[0], all.n);
    for (int i = 0; i < a->n_rest; i++)
        str_addf(out, " %s", a->rest[i]);
    lessons_release(&all);
    return ok;
}

static bool on_screen(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term && strcmp(term, "dumb");
}

static int teach(struct session *s, const struct tool_args *a, const char *line,
                 struct err *err)
{
    struct tool_args with = *a;
    bool list = a->n_rest > 0 && !strcmp(a->rest[0], "list");

    with.begin = line;
    with.n_rest = 0;
    if (on_screen() && !list && !a->json)
        return ui_curses(s, &with, err);
    with.only_begin = list;
    return ui_repl(s, &with, err);
}

int tool_lesson(const struct tool_args *a, FILE *out, struct err *err)
{
    struct compute *compute;
    struct str line = STR_INIT;
    int status = 2;

    (void) out;
    if (first_line(a, &line, err)) {
        compute = compute_new((int) a->set.threads);
        struct session *s = session_new(tool_model(a, false), compute, &a->set, err);
        status = s ? teach(s, a, line.text, err) : 1;
        session_free(s);
        compute_free(compute);
    }
    str_release(&line);
    return status;
}
