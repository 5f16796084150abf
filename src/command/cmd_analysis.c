/* What the commands of the group analysis share. */
#include "command/commands.h"

#include "command/result.h"

#include <math.h>
#include <stdio.h>

#define LABEL_CELLS 5

bool position_of(const struct session *s, const struct arg *arg, const char *what, int *pos,
                 struct err *err)
{
    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    *pos = s->at.query;
    return !arg->given || move_to(pos, s->ids.n, arg, what, err);
}

void position_print(const struct session *s, int pos, struct str *out)
{
    char label[128];

    str_addf(out, "%d %s", pos,
             tokenizer_label(s->tokenizer, s->ids.id[pos], label, sizeof label));
}

json_t *position_json(const struct session *s, int pos)
{
    json_t *o = result_token(s, s->ids.id[pos]);

    json_object_set_new(o, "position", json_integer(pos));
    return o;
}

static void number_print(double x, int cells, int decimals, struct str *out)
{
    if (isnan(x))
        str_addf(out, "%*s", cells, "-");
    else
        str_addf(out, "%*.*f", cells, decimals, x);
}

void head_grid_print(const struct command_env *env, const double *x, int cells, int decimals)
{
    const struct hparams *hp = &env->session->program->hp;
    int fit = (env->width - LABEL_CELLS) / cells;
    char name[16];

    fit = fit < 1 ? 1 : fit;
    for (int first = 0; first < hp->n_head; first += fit) {
        int end = first + fit < hp->n_head ? first + fit : hp->n_head;
        str_addf(env->out, "%*s", LABEL_CELLS, "");
        for (int head = first; head < end; head++) {
            snprintf(name, sizeof name, "H%d", head);
            str_addf(env->out, "%*s", cells, name);
        }
        for (int layer = 0; layer < hp->n_layer; layer++) {
            str_addf(env->out, "\nL%-*d", LABEL_CELLS - 1, layer);
            for (int head = first; head < end; head++)
                number_print(x[layer * hp->n_head + head], cells, decimals, env->out);
        }
        str_addc(env->out, '\n');
    }
}

json_t *head_grid_json(const struct session *s, const double *x)
{
    const struct hparams *hp = &s->program->hp;
    json_t *layers = json_array();

    for (int layer = 0; layer < hp->n_layer; layer++) {
        json_t *heads = json_array();
        for (int head = 0; head < hp->n_head; head++)
            json_array_append_new(heads, result_number(x[layer * hp->n_head + head]));
        json_array_append_new(layers, heads);
    }
    return layers;
}
