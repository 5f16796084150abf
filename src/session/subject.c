/* What is explained: an element of a value, the cell under the cursor, a token's logit. */
#include "session/session.h"
#include "session/sheet.h"

static int inside(int at, int n)
{
    return at >= n ? n - 1 : at < 0 ? 0 : at;
}

static void attention_cell(const struct session *s, int cell[3])
{
    const struct cursor_at *at = &s->at;
    bool mix = at->stage == STAGE_MIX;

    cell[0] = mix ? at->query : at->head;
    cell[1] = mix ? at->head : at->query;
    cell[2] = at->key;
}

bool session_subject(const struct session *s, int *value, int cell[3])
{
    const struct program *p = s->program;
    const struct subject *subject = &s->subject;

    if (s->ids.n == 0)
        return false;
    for (int i = 0; i < 3; i++)
        cell[i] = subject->cell[i];
    if (subject->kind == SUBJECT_ATTENTION) {
        *value = session_stage_value(s, s->at.layer, s->at.stage);
        attention_cell(s, cell);
    } else {
        *value = subject->kind == SUBJECT_LOGIT ? program_find(p, "logits") : subject->value;
    }
    const struct value *v = &p->value[*value];
    for (int i = 0; i < 3; i++)
        cell[i] = i < v->n_axis ? inside(cell[i], program_axis(p, v->axis[i], s->ids.n)) : 0;
    return true;
}

void session_subject_move(struct session *s, bool row, int by)
{
    struct subject *subject = &s->subject;
    int value, cell[3];

    if (!session_subject(s, &value, cell))
        return;
    if (subject->kind == SUBJECT_ATTENTION) {
        *(row ? &s->at.query : &s->at.key) += by;
        return;
    }
    const struct value *v = &s->program->value[value];
    int axis = row && !program_is_stage(s->program, value) ? 0 : row ? 1 : v->n_axis - 1;
    subject->cell[axis] = cell[axis] + by;
    session_subject(s, &value, subject->cell);
}

void session_subject_place(struct session *s, int layer, int head)
{
    const struct program *p = s->program;
    struct subject *subject = &s->subject;

    if (subject->kind != SUBJECT_VALUE)
        return;
    const struct value *v = &p->value[subject->value];
    int axis = value_head_axis(p, subject->value),
        value = v->suffix > 0 ? program_value(p, layer, v->name + v->suffix) : -1;
    if (axis >= 0)
        subject->cell[axis] =
            v->axis[axis] == AXIS_KV_HEAD ? head / (p->hp.n_head / p->hp.n_kv_head) : head;
    if (value >= 0)
        subject->value = value;
}
