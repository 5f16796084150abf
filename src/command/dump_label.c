#include "command/dump_label.h"

#include "command/dump.h"

#include <string.h>

bool dump_is_heads(enum axis axis)
{
    return axis == AXIS_HEAD || axis == AXIS_KV_HEAD;
}

bool dump_is_tokens(const struct dump_job *job, const struct dump_array *a)
{
    return a == job->tokens || a == job->token_str;
}

void dump_place_of(const struct dump_array *a, struct dump_place *p)
{
    *p = (struct dump_place){.value = a->name, .what = a->name, .layer = -1, .head = -1};
    if (!a->run)
        return;
    const struct value *v = &run_program(a->run)->value[a->value];
    p->value = v->name;
    p->what = value_short_name(v);
    p->layer = v->layer;
    for (int i = 0, x = 0; i < a->n_value_axis; i++) {
        if (x < a->n_axis && v->axis[i] == a->axis[x])
            p->first[x++] = a->region.first[i];
        else if (dump_is_heads(v->axis[i]))
            p->head = a->region.first[i];
    }
}

int dump_index(const struct dump_array *a, const struct dump_place *p, int axis, int i)
{
    int at = 0;

    if (!a->keep || !dump_is_heads(a->axis[axis]))
        return p->first[axis] + i;
    while (!a->keep[at] || i-- > 0)
        at++;
    return p->first[axis] + at;
}

void dump_pos_text(const struct dump_job *job, const struct dump_array *a, int pos,
                   struct str *out)
{
    if (a->run && job->session)
        dump_token_text(job->session->tokenizer, run_tokens(a->run)[pos], out);
    else if (job->text)
        str_adds(out, job->text[pos]);
}

void dump_vocab_text(const struct dump_job *job, int id, struct str *out)
{
    if (job->session)
        dump_token_text(job->session->tokenizer, id, out);
}
