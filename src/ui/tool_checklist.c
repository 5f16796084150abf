/* gptscope checklist: the list, or what is next for an item: a lesson or the game on the screen
 * (line by line where there is none), an exercise as its line for the shell. */
#include "ui/tool_input.h"

#include "base/mem.h"
#include "session/checklist.h"
#include "ui/ticks.h"
#include "ui/ui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the item's next part is something to do in the program. */
static bool opens(struct session *s, const struct tool_args *a, int item, struct err *err)
{
    struct checklist_state st;

    ticks_load(s, a);
    return checklist_read(&st, s, item, err) && st.next && st.next->kind != CHECKLIST_EXERCISE;
}

static bool on_screen(const struct tool_args *a)
{
    const char *term = getenv("TERM");

    return !a->json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term &&
           strcmp(term, "dumb");
}

static int show(struct session *s, const struct tool_args *a, int item, struct err *err)
{
    struct tool_args with = *a;
    char line[64] = "checklist";

    if (item >= 0)
        snprintf(line, sizeof line, "checklist %s", checklist_table[item].name);
    with.begin = line;
    with.n_rest = 0;
    with.only_begin = item < 0 || !opens(s, a, item, err);
    return !with.only_begin && on_screen(a) ? ui_curses(s, &with, err) : ui_repl(s, &with, err);
}

static bool usable(const struct tool_args *a, int *item, struct err *err)
{
    *item = -1;
    if (a->n_rest > 1)
        return err_set(err, "'%s' is too much", a->rest[1]);
    if (a->n_rest == 0)
        return true;
    *item = checklist_find(a->rest[0]);
    return *item >= 0 || err_set(err, "there is no item '%s'; the checklist has 1 to %d",
                                 a->rest[0], CHECKLIST_ITEMS);
}

int tool_checklist(const struct tool_args *a, FILE *out, struct err *err)
{
    int item, status = 1;

    (void) out;
    if (!usable(a, &item, err))
        return 2;
    struct compute *compute = compute_new((int) a->set.threads);
    struct session *s = session_new(tool_model(a, false), compute, &a->set, err);
    if (s)
        status = show(s, a, item, err);
    session_free(s);
    compute_free(compute);
    return status;
}
