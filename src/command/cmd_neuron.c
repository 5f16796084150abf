/* neuron: which one of the MLP is selected. */
#include "command/commands.h"

#include "command/data.h"
#include "session/neurons.h"

#include <ctype.h>
#include <string.h>

/* Whether the row is computed. */
static bool read_row(struct neuron_row *row, const struct session *s)
{
    struct err err = ERR_INIT;

    while (s->ids.n > 0 && !row->ready)
        if (!neuron_row_step(row, s, s->at.layer, s->at.query, &err))
            return false;
    return row->ready;
}

static void neuron_print(const struct session *s, const struct neuron_row *row, struct str *out)
{
    char label[64];

    if (!row->ready) {
        str_addf(out, "L%d neuron %d, not computed yet\n", s->at.layer,
                 s->at.neuron < 0 ? 0 : s->at.neuron);
        return;
    }
    int rank = neuron_row_rank(row, s->at.neuron), i = row->order[rank];
    tokenizer_label(s->tokenizer, s->ids.id[row->pos], label, sizeof label);
    str_addf(out, "L%d neuron %d at %d %s: %s %.6g", row->layer, i, row->pos, label,
             row->linear ? "gate" : "pre", (double) row->pre[i]);
    if (row->linear)
        str_addf(out, "  up %.6g", (double) row->linear[i]);
    str_addf(out, "  post %.6g  (%d. of %d)\n", (double) row->post[i], rank + 1, row->n);
}

/* Numbers that are not computed yet are left out. */
static json_t *neuron_data(const struct session *s, const struct neuron_row *row)
{
    json_t *o = json_pack("{s:i, s:o, s:i}", "layer", s->at.layer, "at",
                          data_token_at(s, s->at.query), "n_neurons", s->program->hp.d_mlp);

    if (row->ready)
        return data_join(o, data_neuron(row, neuron_row_rank(row, s->at.neuron)));
    json_object_set_new(o, "neuron", data_index(s->at.neuron));
    return o;
}

/* Numbers name a neuron; the other words go along the order of |post|, where that is known. */
static bool choose(struct session *s, const struct neuron_row *row, const struct arg *arg,
                   struct err *err)
{
    int n = s->program->hp.d_mlp, rank = neuron_row_rank(row, s->at.neuron);
    bool ranked = row->ready && !isdigit((unsigned char) arg->text[0]);
    int at = ranked ? rank : s->at.neuron < 0 ? 0 : s->at.neuron;

    if (!move_to(&at, n, arg, "neuron", err))
        return false;
    s->at.neuron = ranked ? row->order[at] : at;
    if (!strcmp(arg->text, "first"))
        s->at.neuron = -1;
    return true;
}

bool cmd_neuron(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct neuron_row row = {0};

    read_row(&row, s);
    bool ok = !arg[0].given || choose(s, &row, &arg[0], err);
    if (ok && result_wanted(env))
        result_put(env, neuron_data(s, &row));
    else if (ok && !env->live)
        neuron_print(s, &row, env->out);
    neuron_row_release(&row);
    return ok;
}
