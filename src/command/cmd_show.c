/* show: views as pictures, values as numbers, and the lists. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/place.h"
#include "view/view.h"

#include <string.h>

#define PICTURE_ROWS 24
#define NUMBER_ROWS  16

/* --- pictures --- */

static struct caps caps_of(const struct command_env *env)
{
    const struct settings *set = &env->session->set;
    struct caps caps = {.ascii = env->ascii || set->ascii, .colors = 0};

    if (env->color)
        caps.colors = set->color == COLOR_TRUE ? 1 << 24 : 256;
    return caps;
}

/* A view drawn on as many rows as it fills, at most `rows`. */
static void picture(struct command_env *env, int view, int rows)
{
    struct session *s = env->session;
    struct caps caps = caps_of(env);
    struct canvas *c = canvas_new(env->width, rows, &caps, theme_find(s->set.theme));
    struct screen st;
    size_t from = env->out->len;

    screen_init(&st);

    view_table[view].draw(s, &st, c, canvas_all(c));
    if (env->color)
        canvas_ansi(c, env->out);
    else
        canvas_plain(c, env->out);
    while (env->out->len > from + 1 && !strcmp(env->out->text + env->out->len - 2, "\n\n"))
        str_cut(env->out, env->out->len - 1, 1);
    screen_release(&st);
    canvas_free(c);
}

/* --- lists --- */

static void program_print(const struct session *s, struct str *out)
{
    for (int i = 0; i < s->program->n_steps; i++)
        op_line(s, i, out);
}

void ablations_print(const struct session *s, struct str *out)
{
    int id;

    for (int i = 0; i < run_n_patches(s->run); i++)
        str_addf(out, "%4d  %s\n", i + 1, run_patch_text(s->run, i, &id));
    if (run_n_patches(s->run) == 0)
        str_adds(out, "there are no ablations\n");
}

static void status(struct command_env *env)
{
    const struct session *s = env->session;
    struct str *out = env->out;

    str_addf(out, "%s  tokens %d (%d typed)  computed %d of a context of %d\n",
             s->program->hp.name, s->ids.n, s->n_prompt, run_n_past(s->run), run_n_ctx(s->run));
    if (run_in_pass(s->run))
        str_addf(out, "in a pass over %d tokens, op %d of %d\n", run_n_new(s->run),
                 run_pc(s->run), s->program->n_steps);
    where_print(s, out);
    str_addf(out, "cursor L%d.H%d %s, query %d, key %d\n", s->at.layer, s->at.head,
             stage_name(s->at.stage), s->at.query, s->at.key);
    if (run_n_patches(s->run) > 0)
        ablations_print(s, out);
}

/* --- show --- */

static bool show_values(struct command_env *env, const char *what, int rows, struct err *err)
{
    struct selection sel;
    bool ok = values_parse(env->session, what, &sel, err);

    for (int i = 0; ok && i < sel.n; i++) {
        if (i > 0)
            str_addc(env->out, '\n');
        ok = value_print(env, &sel.item[i], rows, err);
    }
    selection_release(&sel);
    return ok;
}

bool cmd_show(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    const char *what = arg[0].text;
    int rows, pictures = PICTURE_ROWS;

    if (!arg[0].given) {
        status(env);
        return true;
    }
    if (!count_of(&arg[1], NUMBER_ROWS, &rows, err))
        return false;
    if (arg[1].given)
        pictures = rows;
    if (!strcmp(what, "program"))
        program_print(s, env->out);
    else if (!strcmp(what, "ablations"))
        ablations_print(s, env->out);
    else if (!strcmp(what, "log"))
        str_add(env->out, s->log.text, s->log.len);
    else if (view_find(what) >= 0)
        picture(env, view_find(what), pictures);
    else
        return show_values(env, what, rows, err);
    return true;
}
