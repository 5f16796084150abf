/* All heads: thumbnails where there is room, else a grid of coloured numbers with tags. */
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { THUMB_LEAST = 4, DETAIL_LINES = 3 };

/* Lines that are of use at this width: more only where thumbnails can grow. */
int heads_lines(const struct session *s, int w)
{
    const struct hparams *hp = &s->program->hp;
    int side = (w - 4) / hp->n_head - 1;

    if (side > THUMB_MAX)
        side = THUMB_MAX;
    int each = side >= THUMB_LEAST ? (side + 1) / 2 + 1 : 1;
    return 1 + hp->n_layer * each + DETAIL_LINES;
}

/* How the heads are laid out. */
struct grid {
    int label;        /* columns for "L12 " */
    int cell_w;       /* columns a head, with its gap */
    int cell_h;       /* lines a layer */
    int thumb;        /* pixels a side; 0: one coloured cell */
    int first, lines; /* layers shown */
};

static void lay_out(struct grid *g, const struct session *s, const struct canvas *c,
                    struct rect r)
{
    const struct hparams *hp = &s->program->hp;
    int below = r.h >= 8 ? DETAIL_LINES : 0;

    g->label = hp->n_layer > 10 ? 4 : 3;
    g->cell_w = (r.w - g->label) / hp->n_head;
    g->cell_h = (r.h - 1 - below) / hp->n_layer;
    int side = g->cell_w - 1 < g->cell_h * 2 ? g->cell_w - 1 : g->cell_h * 2;
    g->thumb = draw_rich(c) && side >= THUMB_LEAST && g->cell_h >= 2 ? side : 0;
    if (g->thumb > THUMB_MAX)
        g->thumb = THUMB_MAX;
    if (g->thumb > 0) {
        g->cell_h = (g->thumb + 1) / 2 < g->cell_h ? (g->thumb + 1) / 2 + 1 : g->cell_h;
        if (g->cell_h * hp->n_layer > r.h - 1 - below)
            g->cell_h = (r.h - 1 - below) / hp->n_layer;
        g->cell_w = g->thumb + 1 < g->cell_w ? g->thumb + 2 : g->cell_w;
        if (g->cell_w * hp->n_head > r.w - g->label)
            g->cell_w = (r.w - g->label) / hp->n_head;
    } else {
        g->cell_h = 1;
        g->cell_w = g->cell_w > 4 ? 4 : g->cell_w < 1 ? 1 : g->cell_w;
    }
    g->lines = (r.h - 1 - below) / g->cell_h;
    g->lines = g->lines < 1 ? 1 : g->lines;
    g->first = scroll_around(s->at.layer, hp->n_layer, g->lines);
}

static struct scale weight_scale(const struct session *s)
{
    return (struct scale){s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, false,
                          1};
}

static uint32_t thumb_pixel(const struct session *s, const struct canvas *c,
                            const struct heads_summary *sum, const float *pixel, int row,
                            int col)
{
    struct scale scale = weight_scale(s);

    if (row >= sum->thumb || isnan(pixel[row * sum->thumb + col]))
        return COLOR_NONE;
    return theme_color(c->theme, MAP_SEQUENTIAL,
                       scale_at(&scale, (double) pixel[row * sum->thumb + col], 1));
}

static void draw_thumb(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                       const struct heads_summary *sum, const float *pixel)
{
    for (int row = 0; row < sum->thumb; row += 2)
        for (int col = 0; col < sum->thumb; col++) {
            uint32_t top = thumb_pixel(s, c, sum, pixel, row, col);
            uint32_t bottom = thumb_pixel(s, c, sum, pixel, row + 1, col);
            if (top != COLOR_NONE || bottom != COLOR_NONE)
                canvas_pixels(c, r, x + col, y + row / 2, top, bottom);
        }
}

static void draw_tag(struct canvas *c, struct rect r, int x, int y,
                     const struct head_summary *h, bool selected)
{
    char tag[2] = {h->tag >= 0 ? head_job_letter((enum head_job) h->tag) : ' ', 0};

    canvas_text(c, r, x, y, selected ? STYLE_CURSOR : STYLE_TITLE, tag);
}

/* [#P]: colour for the mean largest weight, a letter for the job. */
static void draw_metric(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                        const struct grid *g, const struct head_summary *h, bool selected)
{
    struct scale scale = {SCALE_LINEAR, false, 1};
    int wide = g->cell_w >= 4 ? 2 : 1;

    (void) s;
    draw_heat(c, r, x + (g->cell_w >= 4), y, wide, &scale,
              scale_at(&scale, (double) h->max, 1));
    if (g->cell_w >= 2)
        draw_tag(c, r, x + (g->cell_w >= 4) + wide, y, h, selected && g->cell_w < 4);
    if (selected && g->cell_w >= 4) {
        canvas_text(c, r, x, y, STYLE_SELECTED, "[");
        canvas_text(c, r, x + 4, y, STYLE_SELECTED, "]");
    } else if (selected && g->cell_w == 1) {
        canvas_text(c, r, x, y, STYLE_CURSOR, "+");
    }
}

static void draw_head(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                      const struct grid *g, const struct heads_summary *sum, int layer,
                      int head)
{
    int i = layer * sum->n_head + head;
    const struct head_summary *h = &sum->head[i];
    bool selected = layer == s->at.layer && head == s->at.head;

    if (!h->ready) {
        canvas_text(c, r, x + (g->cell_w >= 4), y, selected ? STYLE_SELECTED : STYLE_TODO, "·");
        return;
    }
    if (g->thumb == 0) {
        draw_metric(s, c, r, x, y, g, h, selected);
        return;
    }
    draw_thumb(s, c, r, x, y, sum,
               sum->pixel + (size_t) i * (size_t) (sum->thumb * sum->thumb));
    draw_tag(c, r, x + sum->thumb - 1, y, h, false);
    if (selected) {
        canvas_text(c, r, x + sum->thumb, y, STYLE_SELECTED, "◀");
        for (int k = 1; k < (sum->thumb + 1) / 2; k++)
            canvas_text(c, r, x + sum->thumb, y + k, STYLE_SELECTED, "┃");
    }
}

static void draw_names(const struct session *s, struct canvas *c, struct rect r,
                       const struct grid *g)
{
    for (int head = 0; head < s->program->hp.n_head; head++) {
        bool selected = head == s->at.head;
        int x = r.x + g->label + head * g->cell_w;
        if (g->cell_w < 3 && head % 5 && !selected)
            continue;
        if (g->cell_w >= 3)
            canvas_printf(c, r, x + (g->cell_w == 4 && g->thumb == 0), r.y,
                          selected ? STYLE_SELECTED : STYLE_AXIS, g->cell_w > 3 ? "H%d" : "%d",
                          head);
        else
            canvas_printf(c, r, x, r.y, selected ? STYLE_SELECTED : STYLE_AXIS, "%d",
                          head % 10);
    }
}

/* "sink .14 "; returns where the next one goes. */
static int draw_metric_text(struct canvas *c, struct rect r, int x, int y, const char *name,
                            float v)
{
    char number[16];

    draw_number(number, sizeof number, (double) v, -3);
    return x + canvas_printf(c, r, x, y, STYLE_TEXT, "%s %s ", name, number);
}

/* The selected head in numbers. */
static void draw_detail(const struct session *s, struct canvas *c, struct rect r,
                        const struct heads_summary *sum)
{
    const struct head_summary *h = &sum->head[s->at.layer * sum->n_head + s->at.head];
    int y = r.y + r.h - DETAIL_LINES, x = r.x;

    x += canvas_printf(c, r, x, y, STYLE_SELECTED, "L%d.H%d ", s->at.layer, s->at.head);
    if (!h->ready) {
        canvas_text(c, r, x, y, STYLE_DIM, "to do");
        return;
    }
    canvas_text(c, r, x, y, STYLE_TITLE,
                h->tag >= 0 ? head_job_name((enum head_job) h->tag) : "no single job here");
    static const struct {
        const char *name;
        int line;
        enum head_job job;
    } jobs[] = {{"prev", 1, JOB_PREVIOUS},
                {"ind", 1, JOB_INDUCTION},
                {"dup", 1, JOB_DUPLICATE},
                {"sink", 2, JOB_SINK}};
    int at[DETAIL_LINES] = {0, r.x, r.x};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        at[jobs[i].line] = draw_metric_text(c, r, at[jobs[i].line], y + jobs[i].line,
                                            jobs[i].name, h->job[jobs[i].job]);
    at[2] = draw_metric_text(c, r, at[2], y + 2, "max", h->max);
    draw_metric_text(c, r, at[2], y + 2, "entropy", h->entropy);
}

void heads_draw(const struct session *s, const struct screen *st, struct canvas *c,
                struct rect r)
{
    struct err err = ERR_INIT;
    struct grid g;

    if (r.w < 8 || r.h < 2)
        return;
    lay_out(&g, s, c, r);
    const struct heads_summary *sum = cache_heads(st->cache, s, g.thumb, &err);
    if (!sum) {
        canvas_fit(c, r, r.x, r.y, r.w, canvas_look(c, STYLE_ERROR), err.text);
        return;
    }
    draw_names(s, c, r, &g);
    for (int i = 0; i < g.lines && g.first + i < sum->n_layer; i++) {
        int layer = g.first + i, y = r.y + 1 + i * g.cell_h;
        canvas_printf(c, r, r.x, y, layer == s->at.layer ? STYLE_SELECTED : STYLE_AXIS, "L%d",
                      layer);
        for (int head = 0; head < sum->n_head; head++)
            draw_head(s, c, r, r.x + g.label + head * g.cell_w, y, &g, sum, layer, head);
    }
    if (r.h >= 8)
        draw_detail(s, c, r, sum);
}
