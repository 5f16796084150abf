/* show: views as pictures, values as numbers, and the lists. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/data.h"
#include "command/parse.h"
#include "command/place.h"
#include "view/view.h"

#include <string.h>

#define PICTURE_ROWS 24
#define NUMBER_ROWS  16
#define EXPLAIN_ROWS 14

/* --- pictures --- */

static struct caps caps_of(const struct command_env *env)
{
    const struct settings *set = &env->session->set;
    struct caps caps = {.ascii = env->ascii || set->ascii, .colors = 0};

    if (env->color)
        caps.colors = set->color == COLOR_TRUE ? 1 << 24 : 256;
    return caps;
}

static bool blank_row(const struct canvas *c, int y)
{
    for (int x = 0; x < c->w; x++) {
        const struct cell *cell = canvas_at(c, x, y);
        if (cell->cp != ' ' || cell->look.bg != canvas_look(c, STYLE_TEXT).bg)
            return false;
    }
    return true;
}

/* Takes out blank rows but the first of each gap, and those at the end. */
static void squeeze(struct canvas *c)
{
    size_t w = (size_t) c->w;
    int n = 0, used = 0;

    for (int y = 0; y < c->h; y++) {
        bool blank = blank_row(c, y);
        if (blank && n > used)
            continue;
        memmove(c->cell + (size_t) n * w, c->cell + (size_t) y * w, w * sizeof *c->cell);
        n++;
        if (!blank)
            used = n;
    }
    c->h = used > 0 ? used : 1;
}

/* A view drawn on as many rows as it fills, at most `rows`. */
static void picture(struct command_env *env, int view, int rows)
{
    struct session *s = env->session;
    struct caps caps = caps_of(env);
    struct canvas *c = canvas_new(env->width, rows, &caps, theme_find(s->set.theme));

    view_now(s, view)->draw(s, env->screen, c, canvas_all(c));
    squeeze(c);
    if (env->color)
        canvas_ansi(c, env->out);
    else
        canvas_plain(c, env->out);
    canvas_free(c);
}

void explain_print(struct command_env *env)
{
    int view = view_find("explain");
    char title[160];

    view_table[view].title(env->session, title, sizeof title);
    str_addf(env->out, "%s\n", title);
    picture(env, view, EXPLAIN_ROWS);
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
        str_addf(out, "%4d  %s%s%s\n", i + 1, run_patch_text(s->run, i, &id),
                 s->ablation[i].note[0] ? ", " : "", s->ablation[i].note);
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

/* On the full screen a value opens in the tensor view. */
static bool open_value(struct command_env *env, const char *what, struct err *err)
{
    struct session *s = env->session;
    struct selection sel;

    if (!values_parse(s, what, &sel, err))
        return false;
    const struct selected *first = &sel.item[0];
    int axis = value_head_axis(s->program, first->value);
    if (first->head >= 0 && axis >= 0 && value_head(s, first->value) != first->head)
        s->at.head = first->head * (s->program->value[first->value].axis[axis] == AXIS_KV_HEAD
                                        ? s->program->hp.n_head / s->program->hp.n_kv_head
                                        : 1);
    env->screen->value = first->value;
    screen_open(env->screen, view_find("tensor"), env->screen_w, env->screen_h);
    selection_release(&sel);
    return true;
}

/* Lists, which have no view or are shorter as text. */
static bool show_list(struct command_env *env, const char *what)
{
    const struct session *s = env->session;

    if (!strcmp(what, "ablations"))
        ablations_print(s, env->out);
    else if (!strcmp(what, "program"))
        program_print(s, env->out);
    else if (!strcmp(what, "log"))
        str_add(env->out, s->log.text, s->log.len);
    else
        return false;
    return true;
}

/* A view or a list in full, unless it is a value as it stands. */
static const char *show_word(const struct session *s, const struct arg *arg, struct err *err)
{
    struct err unheard = ERR_INIT;
    struct str words = STR_INIT;
    struct selection sel;

    if (values_parse(s, arg->text, &sel, &unheard)) {
        selection_release(&sel);
        return arg->text;
    }
    for (const struct view *v = view_table; v->name; v++)
        str_addf(&words, "%s ", v->name);
    str_adds(&words, "ablations log program");
    const char *what = arg_expand(arg, words.text, err);
    str_release(&words);
    return what;
}

/* --- as data --- */

static json_t *status_data(const struct command_env *env)
{
    const struct session *s = env->session;
    json_t *o = json_pack("{s:o, s:i}", "model", data_string(s->program->hp.name), "n_ctx",
                          run_n_ctx(s->run));

    data_join(o, data_where(s));
    json_object_set_new(o, "cursor", data_cursor(env));
    return data_join(o, data_ablations(s));
}

/* rows 0: not said */
static json_t *show_data(struct command_env *env, const char *what, int rows, struct err *err)
{
    struct selection sel;
    json_t *o = NULL;

    if (view_find(what) >= 0)
        return data_view(env, view_find(what), rows, err);
    if (!strcmp(what, "ablations"))
        return data_ablations(env->session);
    if (values_parse(env->session, what, &sel, err))
        o = data_values(env->session, &sel, rows, err);
    selection_release(&sel);
    return o;
}

bool cmd_show(struct command_env *env, const struct arg *arg, struct err *err)
{
    const char *what = arg[0].text;
    int rows, pictures = PICTURE_ROWS;

    if (!arg[0].given && result_wanted(env))
        return result_put(env, status_data(env));
    if (!arg[0].given) {
        status(env);
        return true;
    }
    if (!count_of(&arg[1], NUMBER_ROWS, &rows, err))
        return false;
    if (!(what = show_word(env->session, &arg[0], err)))
        return false;
    if (result_wanted(env)) {
        json_t *o = show_data(env, what, arg[1].given ? rows : 0, err);
        return o && result_put(env, o);
    }
    if (arg[1].given)
        pictures = rows;
    if (env->live && view_find(what) >= 0)
        screen_open(env->screen, view_find(what), env->screen_w, env->screen_h);
    else if (env->live && strcmp(what, "ablations"))
        return open_value(env, what, err);
    else if (show_list(env, what))
        return true;
    else if (view_find(what) >= 0)
        picture(env, view_find(what), pictures);
    else
        return show_values(env, what, rows, err);
    return true;
}
