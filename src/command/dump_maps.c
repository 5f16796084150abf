#include "command/dump_maps.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static void set_kind(struct dump_maps *m)
{
    bool weights = ends(m->place.what, "attn.pattern");

    m->causal = weights || ends(m->place.what, "attn.scores");
    m->is_signed = !weights && strcmp(m->place.what, "probs") && !ends(m->place.what, ".scale");
    m->limit = weights || !strcmp(m->place.what, "probs") ? 1 : 0;
}

void dump_maps_of(struct dump_array *a, struct dump_maps *m)
{
    int axis[3], n = 0;

    *m = (struct dump_maps){.a = a,
                            .head_axis = -1,
                            .n = 1,
                            .rows = 1,
                            .cols = 1,
                            .row_axis = AXIS_ONE,
                            .col_axis = AXIS_ONE};
    dump_place_of(a, &m->place);
    set_kind(m);
    for (int x = 0; x < a->n_axis; x++)
        if (m->head_axis < 0 && dump_is_heads(a->axis[x])) {
            m->head_axis = x;
            m->n = a->shape[x];
        } else if (a->axis[x] != AXIS_ONE || a->shape[x] != 1) {
            axis[n++] = x;
        }
    if (n > 0) {
        m->cols = a->shape[axis[n - 1]];
        m->col_axis = a->axis[axis[n - 1]];
        m->first_col = dump_index(a, &m->place, axis[n - 1], 0);
    }
    if (n > 1) {
        m->rows = a->shape[axis[n - 2]];
        m->row_axis = a->axis[axis[n - 2]];
        m->first_row = dump_index(a, &m->place, axis[n - 2], 0);
    }
}

int dump_maps_head(const struct dump_maps *m, int map)
{
    return m->head_axis < 0 ? m->place.head : dump_index(m->a, &m->place, m->head_axis, map);
}

void dump_maps_title(const struct dump_maps *m, int map, char *out, size_t size)
{
    int head = dump_maps_head(m, map);
    bool kv = m->head_axis >= 0 && m->a->axis[m->head_axis] == AXIS_KV_HEAD;

    if (m->place.layer >= 0 && head >= 0)
        snprintf(out, size, "L%d.%s%d", m->place.layer, kv ? "KV" : "H", head);
    else if (m->place.layer >= 0)
        snprintf(out, size, "L%d", m->place.layer);
    else
        snprintf(out, size, "%s", m->place.value);
}

void dump_maps_group(const struct dump_maps *m, struct figure_group *g)
{
    g->row_axis = m->row_axis;
    g->col_axis = m->col_axis;
    g->rows = m->rows;
    g->cols = m->cols;
    g->first_row = m->first_row;
    g->first_col = m->first_col;
    g->causal = m->causal;
    g->is_signed = m->is_signed;
    g->limit = m->limit;
}

/* The map and the row that row r of the array, in its order, is. */
static void find_row(const struct dump_maps *m, size_t r, int *map, int *row)
{
    size_t n = (size_t) m->n, rows = (size_t) m->rows;
    bool outer = m->head_axis == 0; /* all rows of a head come together */

    *map = (int) (outer ? r / rows : r % n);
    *row = (int) (outer ? r % rows : r / n);
}

bool dump_maps_read(const struct dump_maps *m, dump_row *row, void *user, struct err *err)
{
    struct dump_array *a = m->a;
    float *x = xcalloc((size_t) m->cols, sizeof *x);
    const void *data;
    size_t bytes = 0, r = 0;
    int have = 0, map, at;
    bool ok = dump_array_open(a, err);

    while (ok && (ok = dump_array_next(a, &data, &bytes, err)) && bytes)
        for (size_t i = 0; ok && i < bytes / sizeof(float);) {
            size_t left = bytes / sizeof(float) - i, want = (size_t) (m->cols - have);
            size_t n = left < want ? left : want;
            memcpy(x + have, (const float *) data + i, n * sizeof *x);
            i += n;
            have += (int) n;
            if (have < m->cols)
                continue;
            find_row(m, r++, &map, &at);
            ok = row(user, map, at, x, err);
            have = 0;
        }
    dump_array_close(a);
    free(x);
    return ok;
}

void dump_model_line(const struct dump_job *job, struct str *out)
{
    const char *name = job->session ? job->session->program->hp.name : "values";

    safe_add(out, name, strlen(name), SAFE_SPACE_KEEP);
}

void dump_prompt_line(const struct dump_job *job, struct str *out)
{
    const struct session *s = job->session;

    if (!s)
        return;
    str_adds(out, "\"");
    safe_add(out, s->prompt.text, s->prompt.len, SAFE_SPACE_KEEP);
    str_addf(out, "\"  %d token%s", s->ids.n, s->ids.n == 1 ? "" : "s");
    if (s->ids.n > s->n_prompt)
        str_addf(out, ", %d of them generated", s->ids.n - s->n_prompt);
    if (s->n_ablations > 0)
        str_addf(out, ", with %d intervention%s", s->n_ablations,
                 s->n_ablations == 1 ? "" : "s");
}

void dump_figure_tokens(struct figure *f, const struct dump_job *job,
                        const struct dump_array *a)
{
    const struct run *run = a->run;
    int n = run && job->session ? run_n_past(run) + run_n_new(run)
            : job->token_str    ? job->token_str->shape[0]
                                : 0;

    for (int i = 0; i < n; i++) {
        struct str text = STR_INIT;
        dump_pos_text(job, a, i, &text);
        figure_token(f, text.text, text.len);
        str_release(&text);
    }
}

const struct theme *dump_theme(const struct dump_job *job)
{
    const struct theme *t = job->session ? theme_find(job->session->set.theme) : NULL;

    return t ? t : &themes[0];
}

enum color_scale dump_scale(const struct dump_job *job)
{
    return job->session ? job->session->set.scale : SCALE_SQRT;
}
