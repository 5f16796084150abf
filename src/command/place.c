/* Ops, values and heads by name, relative to where the session stands. */
#include "command/place.h"

#include "base/mem.h"
#include "base/near.h"
#include "command/parse.h"
#include "view/ops.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first op in [from, n_steps) that text names, in the layer (-1: any). */
static int find_op(const struct program *p, int from, int layer, const char *text)
{
    for (int i = from; i < p->n_steps; i++)
        if ((layer < 0 || p->op[i].layer == layer) && op_is(p, i, text))
            return i;
    return -1;
}

/* A label as op_name writes it, in small letters. */
static void print_label(const char *label, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++)
        str_addc(out, strchr(" -", label[i]) ? '_' : (char) tolower((unsigned char) label[i]));
}

/* Labels of ops in a layer (-1: any), apart by blanks. */
static void list_labels(const struct program *p, int layer, struct str *out)
{
    for (int i = 0; i < p->n_steps; i++) {
        const char *label = p->op[i].label;
        if (layer >= 0 && p->op[i].layer != layer)
            continue;
        print_label(label, strlen(label), out);
        str_addc(out, ' ');
    }
}

bool op_expand(const struct session *s, const char *text, struct str *full, struct err *err)
{
    const struct program *p = s->program;
    struct err unheard = ERR_INIT;
    struct str labels = STR_INIT, typed = STR_INIT;
    int layer = -1, head = -1;
    const char *rest = text, *word;

    if (program_find(p, text) >= 0)
        return false;
    if (*text == 'L' && isdigit((unsigned char) text[1]) &&
        (!place_parse(s, text, &layer, &head, &rest, &unheard) || head >= 0))
        return false;
    if (find_op(p, 0, layer, rest) >= 0)
        return false;
    list_labels(p, layer, &labels);
    print_label(rest, strlen(rest), &typed);
    int i = choice_find(labels.len ? labels.text : "", typed.len ? typed.text : "", err);
    size_t n = i >= 0 ? choice_word(labels.text, i, &word) : 0;
    str_add(full, text, i >= 0 ? (size_t) (rest - text) : 0);
    if (i >= 0)
        str_add(full, word, n);
    str_release(&labels);
    str_release(&typed);
    return i >= 0;
}

static bool unknown_op(const struct program *p, const char *typed, const char *label,
                       struct err *err)
{
    struct near near;

    near_init(&near, label);
    for (int i = 0; i < p->n_steps; i++)
        near_try(&near, p->op[i].label);
    if (near_best(&near))
        return err_set(err, "there is no op '%s'; did you mean '%s'?", typed, near_best(&near));
    return err_set(err, "there is no op '%s'; 'show program' lists them", typed);
}

/* By the beginning of its label; -1 with err. */
static int brief_op(const struct session *s, const char *text, const char *rest,
                    struct err *err)
{
    struct str full = STR_INIT;
    struct err many = ERR_INIT;
    bool found = op_expand(s, text, &full, &many);
    int op = found ? op_parse(s, full.text, err) : -1;

    str_release(&full);
    if (!found && *many.text)
        *err = many;
    else if (!found)
        unknown_op(s->program, text, rest, err);
    return op;
}

int op_parse(const struct session *s, const char *text, struct err *err)
{
    const struct program *p = s->program;
    const char *rest = text;
    char *end;
    int layer = -1, head = -1, value = program_find(p, text);
    int from = run_in_pass(s->run) ? run_pc(s->run) + 1 : 0;

    long n = strtol(text, &end, 10);
    if (end != text && *end == '\0') {
        if (n >= 0 && n < p->n_steps)
            return (int) n;
        err_set(err, "there is no op %s; the program has ops 0 to %d", text, p->n_steps - 1);
        return -1;
    }
    if (value >= 0 && p->value[value].op >= 0 && p->value[value].op < p->n_steps)
        return p->value[value].op;
    if (*text == 'L' && isdigit((unsigned char) text[1]) &&
        !place_parse(s, text, &layer, &head, &rest, err))
        return -1;
    int op = find_op(p, from, layer, rest);
    if (op < 0)
        op = find_op(p, 0, layer, rest);
    return op >= 0 ? op : brief_op(s, text, rest, err);
}

/* Positions after the pass that is open, or that comes next. */
static int pass_end(const struct session *s)
{
    int pending = session_pending(s), chunk = run_chunk(s->run);

    if (run_in_pass(s->run))
        return run_n_past(s->run) + run_n_new(s->run);
    return run_n_past(s->run) + (pending < chunk ? pending : chunk);
}

int value_shape(const struct session *s, int value, int shape[3])
{
    const struct value *v = &s->program->value[value];
    int n = pass_end(s);

    for (int i = 0; i < v->n_axis; i++)
        shape[i] = program_axis(s->program, v->axis[i], n);
    return v->n_axis;
}

/* " [8, 13, 13]" */
static void shape_print(const struct session *s, int value, struct str *out)
{
    int shape[3], n = value_shape(s, value, shape);

    str_adds(out, " [");
    for (int i = 0; i < n; i++)
        str_addf(out, "%s%d", i ? ", " : "", shape[i]);
    str_addc(out, ']');
}

void op_line(const struct session *s, int op, struct str *out)
{
    const struct program *p = s->program;
    const struct op *o = &p->op[op];
    int pc = ops_done(s);
    struct str name = STR_INIT;

    op_name(p, op, &name);
    str_addf(out, "%4d %c%c%-14s %s", op,
             op < pc    ? '*'
             : op == pc ? '>'
                        : ' ',
             " ?B"[breaks_mark(s, op)], name.text, value_short_name(&p->value[o->out[0]]));
    shape_print(s, o->out[0], out);
    str_adds(out, " = ");
    run_call_print(s->run, op, out);
    str_addc(out, '\n');
    str_release(&name);
}

/* A name that means a value of the selected layer, and its head, as one that says so: "this",
 * "attn.pattern", "pattern". Others as they are. */
static void add_full_name(const struct session *s, const char *name, struct str *out)
{
    const struct program *p = s->program;
    char attn[64];
    int value = -1;

    snprintf(attn, sizeof attn, "attn.%s", name);
    if (!strcmp(name, "this"))
        value = session_stage_value(s, s->at.layer, s->at.stage);
    else if (program_find(p, name) < 0)
        value = program_value(p, s->at.layer, name);
    if (value < 0 && program_find(p, name) < 0)
        value = program_value(p, s->at.layer, attn);
    if (value < 0) {
        str_adds(out, name);
        return;
    }
    str_addf(out, "L%d.", s->at.layer);
    if (value_head_axis(p, value) >= 0)
        str_addf(out, "H%d.", value_head(s, value));
    str_adds(out, value_short_name(&p->value[value]));
}

bool values_parse(const struct session *s, const char *text, struct selection *sel,
                  struct err *err)
{
    struct str full = STR_INIT;

    while (*text) {
        size_t blanks = strspn(text, " \t\n"), n = strcspn(text + blanks, ",");
        char *name = xstrndup(text + blanks, n);
        add_full_name(s, name, &full);
        free(name);
        text += blanks + n;
        if (*text)
            str_addc(&full, *text++);
    }
    bool ok = selection_parse(sel, s->program, full.len ? full.text : "", err);
    str_release(&full);
    return ok;
}

/* "L12" or "H3" at *text: moves past it and a dot. 0: no such part; -1: out of range. */
static int part(const char **text, char letter, int n, const char *what, int *v,
                struct err *err)
{
    char *end;

    if (toupper((unsigned char) **text) != letter || !isdigit((unsigned char) (*text)[1]))
        return 0;
    long x = strtol(*text + 1, &end, 10);
    if (*end && *end != '.')
        return 0;
    if (x >= n) {
        err_set(err, "there is no %s %ld; the model has %ss 0 to %d", what, x, what, n - 1);
        return -1;
    }
    *v = (int) x;
    *text = *end ? end + 1 : end;
    return 1;
}

bool place_parse(const struct session *s, const char *text, int *layer, int *head,
                 const char **rest, struct err *err)
{
    const struct hparams *hp = &s->program->hp;
    int l, h, got_layer, got_head;

    *rest = text;
    got_layer = part(rest, 'L', hp->n_layer, "layer", &l, err);
    if (got_layer < 0)
        return false;
    got_head = part(rest, 'H', hp->n_head, "head", &h, err);
    if (got_head < 0)
        return false;
    if (!got_layer && !got_head)
        return err_set(err, "'%s' is no place; places are like L2, H3 or L2.H3", text);
    if (got_layer)
        *layer = l;
    if (got_head)
        *head = h;
    return true;
}

static void undot(const char *text, struct str *out)
{
    static const char dot[] = "\xc2\xb7";

    for (; *text; text++) {
        if (!strncmp(text, dot, 2)) {
            str_addc(out, ' ');
            text++;
        } else {
            str_addc(out, *text);
        }
    }
}

bool token_parse(const struct session *s, const char *text, bool quoted, int *id,
                 struct err *err)
{
    struct str bytes = STR_INIT;
    struct ids ids = IDS_INIT;
    char *end;

    long n = strtol(text, &end, 10);
    if (!quoted && end != text && *end == '\0') {
        *id = n < INT_MIN ? INT_MIN : n > INT_MAX ? INT_MAX : (int) n;
        return true;
    }
    if (quoted)
        str_adds(&bytes, text);
    else
        undot(text, &bytes);
    bool ok =
        tokenizer_encode(s->tokenizer, bytes.text, bytes.len, TOKENIZE_SPECIAL, &ids, err);
    if (ok && ids.n != 1)
        ok = err_set(err, "'%s' is %d tokens, not one; give one token or an id", text, ids.n);
    if (ok)
        *id = ids.id[0];
    ids_release(&ids);
    str_release(&bytes);
    return ok;
}

bool cell_parse(const struct session *s, const char *text, int *query, int *key,
                struct err *err)
{
    char *end;

    long q = strtol(text, &end, 10), k;
    if (end == text || *end != ',')
        return err_set(err,
                       "'%s' is no place; places are like L2, H3, L2.H3, L2.H3.softmax or "
                       "8,6 (query, key)",
                       text);
    text = end + 1;
    k = strtol(text, &end, 10);
    if (end == text || *end || q < 0 || q >= s->ids.n || k < 0 || k >= s->ids.n)
        return err_set(err, "there is no such cell; queries and keys go from 0 to %d",
                       s->ids.n - 1);
    *query = (int) q;
    *key = (int) k;
    return true;
}
