/* The manual's pictures of the screen, drawn by the program as it is, on a built-in model. */
#include "ui/man.h"

#include "base/utf8.h"
#include "command/command.h"
#include "command/mdoc.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

/* With the page's margin 80 columns. */
enum { MAN_W = 74, MAN_H = 24 };

// clang-format off
static const struct {
    const char *line; /* what was typed since the picture before */
    const char *text;
} screens[] = {
    {"prompt Tom gave the red ball to Anna. Anna; run; select L2.H5 8,7",
     "The first line says what is loaded, the next ones hold the tokens.\n"
     "On the left is the map of operations;\n"
     "beside it the head under the cursor, a row for each query and a column for\n"
     "each key; below, messages and the main keys.\n"
     "A larger window shows more of these panels at once.\n"},
    {"view heads",
     "The overview of heads takes the place of the map when\n"
     ".Ic 3\n"
     "is pressed:\n"},
    {"view logits",
     "and what may come next, when\n"
     ".Ic 4\n"
     "is pressed:\n"},
};
// clang-format on

static void add_screen(struct command_env *env, struct str *out)
{
    static const struct caps mono = {.ascii = false, .colors = 0};
    struct canvas *c = canvas_new(MAN_W, MAN_H, &mono, NULL);
    struct str text = STR_INIT;

    screen_draw(env->session, env->screen, c);
    canvas_plain(c, &text);
    str_adds(out, ".Bd -literal\n");
    mdoc_literal(out, text.text);
    str_adds(out, ".Ed\n");
    str_release(&text);
    canvas_free(c);
}

static bool add_screens(struct session *s, struct str *out, struct err *err)
{
    struct screen st;
    struct command_env env;
    struct str said = STR_INIT;
    bool ok = true;

    screen_init(&st);
    command_env_init(&env, s, &st, &said);
    for (size_t i = 0; ok && i < sizeof screens / sizeof *screens; i++) {
        ok = command_run(&env, screens[i].line, err);
        str_adds(out, screens[i].text);
        if (ok)
            add_screen(&env, out);
    }
    command_env_release(&env);
    screen_release(&st);
    str_release(&said);
    return ok;
}

bool man_screens(struct str *out, struct err *err)
{
    struct settings set;
    struct compute *compute = compute_new(1);
    bool ok;

    settings_init(&set);
    compute_avoid_blas(compute); /* the same numbers everywhere */
    struct session *s = session_new("tiny-gpt2", compute, &set, err);
    str_adds(out, ".Sh THE SCREEN\n");
    ok = s && add_screens(s, out, err);
    session_free(s);
    compute_free(compute);
    return ok;
}
