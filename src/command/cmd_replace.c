/* replace: another function in an op's place. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/parse.h"
#include "command/place.h"
#include "command/result.h"
#include "engine/function.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which ops are meant. */
struct ops {
    int layer; /* -1: all */
    char name[48];
    int first; /* the first of them */
};

/* One op: by its label, or by what it makes where others have the same label. */
static void take_one(struct ops *ops, const struct program *p, int op)
{
    const struct op *o = &p->op[op];

    int n = 0;

    *ops = (struct ops){.layer = o->layer, .first = op};
    for (int i = 0; i < p->n_steps; i++)
        n += function_reaches(p, i, o->layer, o->label);
    snprintf(ops->name, sizeof ops->name, "%s",
             n == 1 ? o->label : value_short_name(&p->value[o->out[0]]));
}

/* Sets first; false when the name means no op. */
static bool find_first(struct ops *ops, const struct program *p)
{
    for (int op = 0; op < p->n_steps; op++)
        if (function_reaches(p, op, ops->layer, ops->name)) {
            ops->first = op;
            return true;
        }
    return false;
}

/* A number, "L2.softmax", a value, or a name for all layers: a label, or a kind of op. */
static bool ops_parse(struct ops *ops, const struct session *s, const struct arg *arg,
                      struct err *err)
{
    const struct program *p = s->program;
    struct str full = STR_INIT;
    const char *rest = arg->text;
    int layer = -1, head = -1, value = program_find(p, arg->text);

    if (value >= 0 || isdigit((unsigned char) *arg->text)) {
        int op = op_parse(s, arg->text, err);
        if (op >= 0)
            take_one(ops, p, op);
        return op >= 0;
    }
    *ops = (struct ops){.layer = -1};
    snprintf(ops->name, sizeof ops->name, "%s", arg->text);
    if (find_first(ops, p))
        return true;
    if (*arg->text == 'L' && isdigit((unsigned char) arg->text[1]) &&
        !place_parse(s, arg->text, &layer, &head, &rest, err))
        return false;
    if (head >= 0)
        return err_set(err, "an op is replaced for all heads: 'L%d.%s'", layer,
                       *rest ? rest : "softmax");
    if (op_expand(s, arg->text, &full, err) && arg->word) {
        free(arg->word->full);
        arg->word->full = str_steal(&full);
        rest = arg->word->full + (rest - arg->text);
    }
    str_release(&full);
    ops->layer = layer;
    snprintf(ops->name, sizeof ops->name, "%s", rest);
    if (*err->text || find_first(ops, p))
        return !*err->text;
    return op_parse(s, arg->text, err) >= 0 &&
           err_set(
               err,
               "%s keeps its function: the sampler and the lens read the logits as they are",
               arg->text);
}

/* Names of the functions that fit, apart by blanks. */
static void fitting(const struct program *p, int op, struct str *out)
{
    for (const struct function *f = function_table; f->name; f++)
        if (op < 0 || function_fits(f, p, op))
            str_addf(out, "%s%s", out->len ? " " : "", f->name);
}

/* The function of this name that fits the op. */
static const struct function *take_function(const struct session *s, const struct ops *ops,
                                            const struct arg *arg, struct err *err)
{
    struct str names = STR_INIT, near = STR_INIT, list = STR_INIT, op = STR_INIT;
    const struct function *found = NULL;
    const char *name;

    fitting(s->program, ops->first, &names);
    op_name(s->program, ops->first, &op);
    name = names.len ? arg_expand(arg, names.text, err) : arg->text;
    for (const struct function *f = function_table; name && !found && f->name; f++)
        if (!strcmp(f->name, name) && function_fits(f, s->program, ops->first))
            found = f;
    if (names.len)
        choice_print(names.text, &list);
    if (!found && name && names.len == 0)
        err_set(err, "nothing can take the place of %s", op.text);
    else if (!found && name && choice_near(names.text, name, &near))
        err_set(err, "'%s' does not fit %s (did you mean '%s'?); there is %s", name, op.text,
                near.text, list.text);
    else if (!found && name)
        err_set(err, "'%s' does not fit %s; there is %s", name, op.text, list.text);
    str_release(&names);
    str_release(&near);
    str_release(&list);
    str_release(&op);
    return found;
}

static bool take_number(const struct session *s, const struct function *f,
                        const struct arg *arg, double *x, struct err *err)
{
    char *end;

    *x = 0;
    if (!f->number)
        return !arg->given || err_set(err, "%s takes no number", f->name);
    if (!arg->given)
        return err_set(err, "%s needs a number, %s: %s", f->name, f->number, f->formula);
    if (!strcmp(f->name, "by") && !strcmp(arg->text, "d_head")) {
        *x = s->program->hp.d_head;
        return true;
    }
    errno = 0;
    *x = strtod(arg->text, &end);
    if (end == arg->text || *end || !(*x >= f->lo && *x <= f->hi) ||
        (f->whole && *x != floor(*x)))
        return err_set(err, "%s takes a %snumber from %g to %g, not '%s'", f->name,
                       f->whole ? "whole " : "", f->lo, f->hi, arg->text);
    return true;
}

/* --- the list --- */

static void print_codes(const struct function *f, struct str *out)
{
    bool any = false;

    for (int code = 0; code < OP_COUNT; code++)
        if (f->codes & FUNCTION_OF(code)) {
            str_addf(out, "%s%s", any ? ", " : "", op_info((enum opcode) code)->name);
            any = true;
        }
}

void functions_print(const struct program *p, int op, struct str *out)
{
    for (const struct function *f = function_table; f->name; f++) {
        if (op >= 0 && !function_fits(f, p, op))
            continue;
        str_addf(out, "  %s%s%s  %s\n      ", f->name, f->number ? " " : "",
                 f->number ? f->number : "", f->formula);
        if (op < 0) {
            str_adds(out, "for ");
            print_codes(f, out);
            str_adds(out, "; ");
        }
        str_addf(out, "%s\n", f->help);
    }
}

static json_t *functions_json(const struct program *p, int op)
{
    json_t *list = json_array();

    for (const struct function *f = function_table; f->name; f++) {
        json_t *ops = json_array();
        for (int code = 0; code < OP_COUNT; code++)
            if (f->codes & FUNCTION_OF(code))
                json_array_append_new(ops, json_string(op_info((enum opcode) code)->name));
        if (op >= 0 && !function_fits(f, p, op)) {
            json_decref(ops);
            continue;
        }
        json_array_append_new(list, json_pack("{s:s, s:o, s:s?, s:s, s:s}", "name", f->name,
                                              "ops", ops, "number", f->number, "formula",
                                              f->formula, "help", f->help));
    }
    return json_pack("{s:o}", "functions", list);
}

bool cmd_replace(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);
    struct ops ops = {.first = -1};
    double x;

    if (arg[0].given && !ops_parse(&ops, s, &arg[0], err))
        return false;
    if (!arg[1].given) {
        if (result_wanted(env))
            return result_put(env, functions_json(s->program, ops.first));
        functions_print(s->program, ops.first, env->out);
        return true;
    }
    const struct function *f = take_function(s, &ops, &arg[1], err);
    if (!f || !take_number(s, f, &arg[2], &x, err) ||
        !session_put(s, ops.layer, ops.name, f, x, err))
        return false;
    return ablations_done(env, was_done, err);
}
