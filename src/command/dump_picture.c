/* png and svg: a picture of the numbers (view/figure.h). */
#include "command/dump_array.h"

#include "base/mem.h"
#include "command/dump_maps.h"
#include "view/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool write_figure(const struct figure *f, bytes_out *write, void *user,
                          struct err *err);

struct picture {
    struct figure f;
    struct dump_maps *maps; /* [n] one for each array that is shown */
    int n;
    int first; /* map of the array being read */
};

/* Values of several layers that are drawn by one scale. */
static bool alike(const struct dump_maps *a, const struct dump_maps *b)
{
    return !strcmp(a->place.what, b->place.what) && a->n == b->n && a->rows == b->rows &&
           a->cols == b->cols && a->row_axis == b->row_axis && a->col_axis == b->col_axis &&
           a->first_row == b->first_row && a->first_col == b->first_col;
}

/* --- titles --- */

static void add_axis(enum axis axis, bool queries, const char *arrow, int n, struct str *out)
{
    const char *name = axis == AXIS_POS ? queries ? "query" : "position" : axis_name(axis);

    if (axis != AXIS_ONE)
        str_addf(out, ", %s %s %d", name, arrow, n);
}

/* "0-5": the layers of maps [first, end), which rise. */
static void add_layers(const struct picture *p, int first, int end, struct str *out)
{
    for (int i = first, last; i < end; i = last + 1) {
        int layer = p->maps[i].place.layer;
        for (last = i;
             last + 1 < end && p->maps[last + 1].place.layer <= p->maps[last].place.layer + 1;)
            last++;
        str_addf(out, "%s%d", i > first ? "," : "", layer);
        if (p->maps[last].place.layer > layer)
            str_addf(out, "-%d", p->maps[last].place.layer);
    }
}

/* "blocks.0-5.attn.pattern" */
static void add_name(const struct picture *p, int first, int end, struct str *out)
{
    const struct dump_place *place = &p->maps[first].place;

    if (end - first > 1 && place->layer >= 0) {
        str_addf(out, "%.*s", (int) (place->what - place->value), "blocks.");
        add_layers(p, first, end, out);
        str_addf(out, ".%s", place->what);
    } else {
        str_adds(out, end - first > 1 ? place->value : p->maps[first].a->name);
    }
}

/* "[6 heads, query ↓ 10, key → 10]" */
static void add_shape(const struct dump_maps *m, struct str *out)
{
    struct str shape = STR_INIT;
    bool queries = m->col_axis == AXIS_KEY;

    if (m->head_axis >= 0)
        str_addf(&shape, ", %d %s%s", m->n, axis_name(m->a->axis[m->head_axis]),
                 m->n == 1 ? "" : "s");
    add_axis(m->row_axis, queries, "\xe2\x86\x93", m->rows, &shape);
    add_axis(m->col_axis, queries, "\xe2\x86\x92", m->cols, &shape);
    str_addf(out, "  [%s]", shape.len ? shape.text + 2 : "1");
    str_release(&shape);
}

static void add_titles(struct picture *p, const struct dump_job *job)
{
    struct figure *f = &p->f;

    dump_model_line(job, &f->title);
    str_adds(&f->title, "  ");
    if (f->n_groups == 1)
        add_name(p, 0, p->n, &f->title);
    else
        str_addf(&f->title, "%d values", p->n);
    dump_prompt_line(job, &f->about);
    str_adds(&f->foot, "gptscope " PACKAGE_VERSION);
}

/* --- groups --- */

static void add_group(struct picture *p, int first, int end)
{
    const struct dump_maps *m = &p->maps[first];
    struct figure_group *g = figure_group(&p->f);

    dump_maps_group(m, g);
    g->in_a_line = end - first > 1 && m->n > 1 ? m->n : 0;
    add_name(p, first, end, &g->title);
    add_shape(m, &g->title);
    for (int i = first; i < end; i++)
        for (int k = 0; k < p->maps[i].n; k++) {
            char title[48];
            dump_maps_title(&p->maps[i], k, title, sizeof title);
            figure_map(&p->f, title);
        }
}

/* Arrays that are alike stand together, in the order of the first of them. */
static void sort_maps(struct picture *p)
{
    struct dump_maps *sorted = xcalloc((size_t) p->n, sizeof *sorted);
    bool *used = xcalloc((size_t) p->n, sizeof *used);
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        for (int k = i; k < p->n && !used[i]; k++) {
            if (used[k] || (k > i && !alike(&p->maps[i], &p->maps[k])))
                continue;
            sorted[n++] = p->maps[k];
            used[k] = k > i;
        }
        used[i] = true;
    }
    free(p->maps);
    free(used);
    p->maps = sorted;
}

static bool picture_init(struct picture *p, const struct dump_job *job, struct err *err)
{
    *p = (struct picture){.maps = xcalloc((size_t) job->n, sizeof *p->maps)};
    figure_init(&p->f, dump_theme(job), dump_scale(job));
    for (int i = 0; i < job->n; i++)
        if (!dump_is_tokens(job, &job->array[i]))
            dump_maps_of(&job->array[i], &p->maps[p->n++]);
    if (p->n == 0)
        return err_set(err, "tokens are no picture; select a value with numbers, "
                            "as blocks.0.attn.pattern, or write csv");
    sort_maps(p);
    dump_figure_tokens(&p->f, job, p->maps[0].a);
    for (int i = 0, end; i < p->n; i = end) {
        for (end = i + 1; end < p->n && alike(&p->maps[i], &p->maps[end]);)
            end++;
        add_group(p, i, end);
    }
    add_titles(p, job);
    return figure_layout(&p->f, err);
}

static bool take_row(void *user, int map, int row, const float *x, struct err *err)
{
    struct picture *p = user;

    (void) err;
    figure_row(&p->f, p->first + map, row, x);
    return true;
}

static void to_file(void *user, const void *bytes, size_t n)
{
    outfile_write(user, bytes, n);
}

static bool write_picture(const struct dump_job *job, struct outfile *f, write_figure *write,
                          struct err *err)
{
    struct picture p;
    bool ok = picture_init(&p, job, err);

    for (int i = 0; ok && i < p.n; i++) {
        ok = dump_maps_read(&p.maps[i], take_row, &p, err);
        p.first += p.maps[i].n;
    }
    if (ok) {
        figure_end(&p.f);
        ok = write(&p.f, to_file, f, err);
    }
    figure_release(&p.f);
    free(p.maps);
    return ok;
}

bool dump_png(const struct dump_job *job, struct outfile *f, struct err *err)
{
    return write_picture(job, f, figure_png, err);
}

bool dump_svg(const struct dump_job *job, struct outfile *f, struct err *err)
{
    return write_picture(job, f, figure_svg, err);
}
