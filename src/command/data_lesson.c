/* The open step of a lesson as data. */
#include "command/data.h"

json_t *data_lesson(const struct course *c)
{
    const struct lesson *l = course_lesson(c);
    const struct lesson_step *step = course_step(c);
    static const char *const answered[] = {NULL, "right", "wrong", "shown"};
    json_t *o = json_pack("{s:s, s:s, s:i, s:i}", "lesson", l->name, "title", l->title, "step",
                          c->step + 1, "steps", l->n_steps);
    json_t *choices = json_array();

    if (!step) {
        json_decref(choices);
        json_object_set_new(o, "ended", json_true());
        return o;
    }
    for (int i = 0; i < step->n_choices; i++)
        json_array_append_new(choices, json_string(c->choice[i].text));
    json_object_set_new(o, "heading", json_string(step->heading));
    json_object_set_new(o, "text", json_string(c->text.text));
    json_object_set_new(o, "holds", json_boolean(c->broken.len == 0));
    if (step->question)
        json_object_set_new(o, "question", json_string(c->question.text));
    json_object_set_new(o, "choices", choices);
    if (c->answered != COURSE_OPEN) {
        json_object_set_new(o, "answered", json_string(answered[c->answered]));
        json_object_set_new(o, "verdict", json_string(c->verdict.text));
        json_object_set_new(o, "reveal", json_string(c->reveal.text));
    }
    return o;
}
