/* Commands that write values out or change them: dump, ablate, patch, clear. */
#include "command/commands.h"

#include "base/safe.h"
#include "command/dump.h"
#include "command/place.h"

#include <ctype.h>
#include <string.h>

bool cmd_dump(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    struct selection sel;

    if (!values_parse(s, arg[0].text, &sel, err))
        return false;
    bool ok = dump_values(s, &sel, arg[1].text, NULL, err);
    if (ok && strcmp(arg[1].text, "-")) {
        str_addf(env->out, "%d value%s written to ", sel.n, sel.n == 1 ? "" : "s");
        safe_add(env->out, arg[1].text, strlen(arg[1].text), SAFE_SPACE_KEEP);
        str_addc(env->out, '\n');
    }
    selection_release(&sel);
    return ok;
}

/* All of a value, or one head of it. */
static struct region region_of(const struct program *p, int value, int head)
{
    struct region r = {{0, 0, 0}, {-1, -1, -1}};
    int axis = value_head_axis(p, value);

    if (head >= 0 && axis >= 0) {
        r.first[axis] = head;
        r.count[axis] = 1;
    }
    return r;
}

static int find_ablation(const struct session *s, int value, const struct region *r)
{
    for (int i = 0; i < s->n_ablations; i++) {
        const struct ablation *a = &s->ablation[i];
        if (a->kind == PATCH_ZERO && a->value == value && !memcmp(&a->region, r, sizeof *r))
            return i;
    }
    return -1;
}

/* Zeroes it, or takes that back. */
static bool toggle(struct command_env *env, int value, int head, struct err *err)
{
    struct session *s = env->session;
    struct region r = region_of(s->program, value, head);
    bool was_done = session_done(s);
    int i = find_ablation(s, value, &r);

    if (i >= 0)
        session_restore(s, i);
    else if (!session_ablate(s, PATCH_ZERO, value, &r, 0, err))
        return false;
    if (!run_again(env, was_done, err))
        return false;
    ablations_print(s, env->out);
    return true;
}

/* "mlp" and "attn": what they write to the residual stream. */
static const char *part_value(const char *text)
{
    if (!strcmp(text, "mlp"))
        return "mlp_out";
    return !strcmp(text, "attn") ? "attn_out" : NULL;
}

bool cmd_ablate(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    const char *text = arg[0].text, *rest = text, *part;
    int layer = s->at.layer, head = s->at.head, n_layer = s->program->hp.n_layer;

    if (arg[0].given && !part_value(text) && !place_parse(s, text, &layer, &head, &rest, err))
        return false;
    part = arg[0].given && *rest ? part_value(rest) : NULL;
    if (arg[0].given && !part && (*rest || !strpbrk(text, "Hh")))
        return err_set(
            err, "'%s' is nothing to ablate; that is a head (L2.H3), mlp or attn (L2.mlp)",
            text);
    if (arg[1].given && (arg[1].i < 0 || arg[1].i >= n_layer))
        return err_set(err, "there is no layer %s; the model has layers 0 to %d", arg[1].text,
                       n_layer - 1);
    if (arg[1].given)
        layer = (int) arg[1].i;
    if (part)
        return toggle(env, program_value(s->program, layer, part), -1, err);
    return toggle(env, program_value(s->program, layer, "attn.z"), head, err);
}

bool cmd_patch(struct command_env *env, const struct arg *arg, struct err *err)
{
    static const enum patch_kind kinds[] = {PATCH_ZERO, PATCH_SCALE, PATCH_SET};
    struct session *s = env->session;
    enum patch_kind kind = kinds[arg[1].i];
    bool was_done = session_done(s);
    int before = s->n_ablations;
    struct selection sel;

    if (kind == PATCH_ZERO && arg[2].given)
        return err_set(err, "zero takes no number; scale and set do");
    if (kind != PATCH_ZERO && !arg[2].given)
        return err_set(err, "%s needs a number, as in 'patch %s %s 0.5'", arg[1].text,
                       arg[0].text, arg[1].text);
    if (!values_parse(s, arg[0].text, &sel, err))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < sel.n; i++) {
        struct region r = region_of(s->program, sel.item[i].value, sel.item[i].head);
        ok = session_ablate(s, kind, sel.item[i].value, &r, (float) arg[2].x, err);
    }
    selection_release(&sel);
    while (!ok && s->n_ablations > before)
        session_restore(s, s->n_ablations - 1);
    if (!ok || !run_again(env, was_done, err))
        return false;
    ablations_print(s, env->out);
    return true;
}

bool cmd_clear(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);

    if (s->n_ablations == 0)
        return err_set(err, "there are no ablations to clear");
    if (arg[0].given && (arg[0].i < 1 || arg[0].i > s->n_ablations))
        return err_set(err, "there is no ablation %s; they go from 1 to %d", arg[0].text,
                       s->n_ablations);
    session_restore(s, arg[0].given ? (int) arg[0].i - 1 : -1);
    if (!run_again(env, was_done, err))
        return false;
    ablations_print(s, env->out);
    return true;
}
