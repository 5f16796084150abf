/* The heat map of A - B of one value. */
#include "command/differ_report.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/safe.h"
#include "command/screenshot.h"
#include "view/heatmap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A matrix out of the value: of a stage the head in which the difference is largest, otherwise
 * positions by all the rest. */
struct sheet_of {
    const struct differ_report *r;
    const struct differ_row *row;
    bool stage;
    int head, rows, cols;
};

static struct sheet_of sheet_make(const struct differ_report *r, const struct differ_row *row)
{
    struct sheet_of s = {.r = r, .row = row};
    s.stage = row->value >= 0 && program_is_stage(differ_program(r->differ), row->value);
    s.head = s.stage ? row->at[0] : 0;
    s.rows = row->shape[s.stage];
    s.cols = s.stage ? row->shape[2] : row->shape[1] * row->shape[2];
    return s;
}

static float difference(float a, float b)
{
    if (a < DIFFER_MASKED && b < DIFFER_MASKED)
        return NAN;
    return a == b || (isnan(a) && isnan(b)) ? 0 : isfinite(a - b) ? a - b : INFINITY;
}

/* Rows of both sides, pooled by the largest |A - B|. */
static bool pool_rows(const struct sheet_of *s, int row, int rows, int pool_cols, float *out,
                      struct err *err)
{
    struct region g = {{0, 0, 0}, {1, 1, 1}};
    int axis = s->stage ? 1 : 0, n_out = (s->cols + pool_cols - 1) / pool_cols;
    for (int i = 0; i < 3; i++)
        g.count[i] = s->row->shape[i];
    if (s->stage) {
        g.first[0] = s->head;
        g.count[0] = 1;
    }
    float *a = xcalloc(2 * (size_t) s->cols + 1, sizeof *a), *b = a + s->cols;
    bool ok = true;
    for (int i = 0; i < n_out; i++)
        out[i] = NAN;
    for (int i = row; ok && i < row + rows && i < s->rows; i++) {
        g.first[axis] = i;
        g.count[axis] = 1;
        ok = differ_read(s->r->differ, s->row, &g, a, b, err);
        for (int j = 0; ok && j < s->cols; j++) {
            float d = difference(a[j], b[j]), *to = &out[j / pool_cols];
            bool hidden =
                s->stage && j > i &&
                differ_program(s->r->differ)->value[s->row->value].life != LIFE_TOKENS;
            if (!(hidden && d == 0) && !isnan(d) && !(fabsf(d) <= fabsf(*to)))
                *to = d;
        }
    }
    free(a);
    return ok;
}

static const char *row_name(void *user, int row, char *buf, size_t size)
{
    const struct sheet_of *s = user;
    return differ_label(s->r, row + s->row->first_pos, buf, size);
}

static void titles(const struct sheet_of *s, struct str *title, struct str *detail)
{
    const struct differ_row *row = s->row;
    str_adds(title, "A - B of ");
    safe_add(title, row->name, strlen(row->name), SAFE_SPACE_KEEP);
    if (s->stage)
        str_addf(title, ", head %d", s->head);
    str_addf(detail, "largest |A - B| %.3g, %.3g times the tolerance", row->most,
             row->allowed > 0 ? row->ratio / row->allowed : row->ratio);
}

static const char *axis_of(const struct sheet_of *s, bool row)
{
    const struct program *p = differ_program(s->r->differ);
    const struct value *v = s->row->value < 0 ? NULL : &p->value[s->row->value];
    if (!v)
        return row ? "row" : "column";
    if (s->stage)
        return row ? "query" : "key";
    return row              ? "pos"
           : v->n_axis == 3 ? "head and channel"
                            : axis_name(v->axis[v->n_axis - 1]);
}

static bool draw(const struct sheet_of *s, struct canvas *c, struct err *err)
{
    struct str title = STR_INIT, detail = STR_INIT;
    int rows, cols;
    heatmap_room(c->w, c->h, c->caps.colors >= 256, &rows, &cols);
    struct heatmap h = {.row_axis = axis_of(s, true),
                        .col_axis = axis_of(s, false),
                        .row_name = row_name,
                        .user = (void *) (uintptr_t) s};
    h.pool_rows = (s->rows + rows - 1) / rows;
    h.pool_cols = (s->cols + cols - 1) / cols;
    h.pool_rows = h.pool_rows < 1 ? 1 : h.pool_rows;
    h.pool_cols = h.pool_cols < 1 ? 1 : h.pool_cols;
    h.rows = (s->rows + h.pool_rows - 1) / h.pool_rows;
    h.cols = (s->cols + h.pool_cols - 1) / h.pool_cols;
    float *v = xcalloc((size_t) h.rows * (size_t) h.cols + 1, sizeof *v);
    bool ok = true;
    for (int i = 0; ok && i < h.rows; i++)
        ok = pool_rows(s, i * h.pool_rows, h.pool_rows, h.pool_cols,
                       v + (size_t) i * (size_t) h.cols, err);
    titles(s, &title, &detail);
    h.title = title.text;
    h.detail = detail.text;
    h.v = v;
    if (ok)
        heatmap_draw(c, canvas_all(c), &h);
    free(v);
    str_release(&title);
    str_release(&detail);
    return ok;
}

/* The first that differs, or the one that comes nearest to it. */
static const struct differ_row *choose(const struct differ *d, int i)
{
    const struct differ_row *best = NULL;
    if (i < 0)
        i = differ_first(d);
    if (i >= 0)
        return differ_at(d, i);
    for (i = 0; i < differ_count(d); i++) {
        const struct differ_row *row = differ_at(d, i);
        if (row->state == DIFFER_SAME && row->allowed > 0 &&
            (!best || row->ratio / row->allowed > best->ratio / best->allowed))
            best = row;
    }
    return best;
}

/* Without the blank lines at its end. */
static void cut_blank(struct canvas *c)
{
    while (c->h > 1) {
        for (int x = 0; x < c->w; x++) {
            const struct cell *cell = canvas_at(c, x, c->h - 1);
            if (cell->cp != ' ' || cell->look.bg != canvas_look(c, STYLE_TEXT).bg)
                return;
        }
        c->h--;
    }
}

bool differ_draw(struct differ_report *r, int row, const struct differ_picture *p,
                 struct str *out, struct err *err)
{
    const struct differ_row *chosen = choose(r->differ, row);
    bool text = strcmp(p->path, "-") == 0;
    const struct picture_format *f = text ? NULL : picture_format_of(p->path, err);
    if (!text && !f)
        return false;
    if (!chosen)
        return err_set(err, "there is no value to draw: none was compared");
    struct caps caps = {.ascii = p->ascii, .colors = text ? (p->color ? 256 : 0) : f->colors};
    struct canvas *c = canvas_new(p->w, p->h, &caps, theme_find(p->theme));
    struct sheet_of s = sheet_make(r, chosen);
    bool ok = draw(&s, c, err);
    cut_blank(c);
    if (ok && text && p->color)
        canvas_ansi(c, out);
    else if (ok && text)
        canvas_plain(c, out);
    else if (ok)
        ok = picture_write(f, &(struct picture_job){c, "gptscope diff", 1, 0}, p->path, err);
    canvas_free(c);
    return ok;
}
