#include "session/exercise_case.h"

#include "base/mem.h"
#include "session/lesson.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the models --- */

static const char *const model_names[MATERIAL_COUNT] = {"tiny-gpt2", "tiny-llama"};

bool material_open(struct material *m, struct err *err)
{
    struct settings set;
    bool ok = true;

    settings_init(&set);
    *m = (struct material){.compute = compute_new(1)};
    for (int i = 0; ok && i < MATERIAL_COUNT; i++) {
        m->session[i] = session_new(model_names[i], m->compute, &set, err);
        ok = m->session[i] &&
             session_prompt(m->session[i], lesson_prompt, strlen(lesson_prompt), err) &&
             session_run(m->session[i], 0, NULL, err);
    }
    if (!ok)
        material_release(m);
    return ok;
}

void material_release(struct material *m)
{
    for (int i = 0; i < MATERIAL_COUNT; i++)
        session_free(m->session[i]);
    compute_free(m->compute);
    *m = (struct material){0};
}

/* --- building a case --- */

void case_say(struct exercise_case *c, const char *en, const char *zh, ...)
{
    va_list ap;

    va_start(ap, zh);
    vsnprintf(c->what[LANG_EN], sizeof c->what[0], en, ap);
    va_end(ap);
    va_start(ap, zh);
    vsnprintf(c->what[LANG_ZH], sizeof c->what[0], zh, ap);
    va_end(ap);
}

void case_number(struct exercise_case *c, double x)
{
    c->call.number[c->call.n_numbers++] = x;
}

float *case_array(struct exercise_case *c, enum array_role role, const char *name, int n_axes,
                  ...)
{
    struct call_array *a = &c->call.array[c->call.n_arrays++];
    va_list ap;

    *a = (struct call_array){.name = name, .role = role, .n_axes = n_axes};
    va_start(ap, n_axes);
    for (int i = 0; i < n_axes; i++) {
        a->axis[i] = va_arg(ap, const char *);
        a->size[i] = va_arg(ap, int);
    }
    va_end(ap);
    a->x = xcalloc(call_floats(a) + 1, sizeof *a->x);
    return a->x;
}

void case_random(struct exercise_case *c, float *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float) (scale * rng_normal(&c->rng));
}

bool case_value(const struct exercise_case *c, enum material_model model, const char *name,
                float *x, struct err *err)
{
    const struct session *s = c->m->session[model];
    int value = program_find(s->program, name);

    if (value < 0)
        return err_set(err, "%s has no value %s", model_names[model], name);
    return run_read(s->run, value, NULL, x, err);
}

void case_weight(const struct exercise_case *c, enum material_model model,
                 enum weight_role role, int layer, float *x, size_t n)
{
    const struct model *m = c->m->session[model]->model;
    const struct matrix *w = model_matrix(m, role, layer);
    const float *v = w ? NULL : model_vector(m, role, layer);

    for (int o = 0; w && o < w->n_out && (size_t) (o + 1) * (size_t) w->n_in <= n; o++)
        matrix_row(w, o, x + (size_t) o * (size_t) w->n_in);
    if (v)
        memcpy(x, v, n * sizeof *x);
}

const struct hparams *case_hparams(const struct exercise_case *c, enum material_model model)
{
    return &c->m->session[model]->program->hp;
}

int case_tokens(const struct exercise_case *c, enum material_model model)
{
    return c->m->session[model]->ids.n;
}

void case_release(struct exercise_case *c)
{
    for (int i = 0; i < c->call.n_arrays; i++)
        free(c->call.array[i].x);
    c->call.n_arrays = 0;
}

/* --- the tables --- */

const struct checked *exercise_checked(const struct exercise *e, int todo)
{
    for (int i = 0; exercise_checks[i]; i++)
        if (!strcmp(exercise_checks[i]->exercise, e->name))
            for (int k = 0; k < exercise_checks[i]->n; k++)
                if (!strcmp(exercise_checks[i]->todo[k].todo, e->todo[todo].name))
                    return &exercise_checks[i]->todo[k];
    return NULL;
}
