/* All heads: thumbnails, or a grid of coloured numbers with tags. */
#include "view/attention.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { THUMB_LEAST = 4, DETAIL_LINES = 4, LEAST_FOR_DETAIL = 9 };
enum { NUMBER_MOST = 6, NAME_MOST = 12 }; /* columns a head without a picture is given */

/* Lines that are of use at this width: more only where thumbnails can grow. */
int heads_lines(const struct session *s, int w)
{
    const struct hparams *hp = &s->program->hp;
    int side = s->set.heads == HEADS_THUMBS ? (w - 4) / hp->n_head - 1 : 0;

    if (side > THUMB_MAX)
        side = THUMB_MAX;
    int each = side >= THUMB_LEAST ? (side + 1) / 2 + 1 : 1;
    return 1 + hp->n_layer * each + DETAIL_LINES;
}

/* --- how the heads are laid out --- */

struct grid {
    int label;        /* columns for "L12 " */
    int cell_w;       /* columns a head, with its gap */
    int cell_h;       /* lines a layer */
    int thumb;        /* pixels a side; 0: one coloured cell */
    int first, lines; /* layers shown */
    int below;        /* lines of details */
};

static int at_most(int v, int most)
{
    return v < most ? v : most;
}

static void lay_out_thumbs(struct grid *g, const struct hparams *hp, struct rect r)
{
    int room = r.h - 1 - g->below;

    g->thumb = at_most(g->thumb, THUMB_MAX);
    g->cell_h = at_most(g->cell_h, (g->thumb + 1) / 2 + 1);
    g->cell_h = at_most(g->cell_h, room / hp->n_layer);
    g->cell_w = at_most(g->cell_w, g->thumb + 2);
}

static void lay_out(struct grid *g, const struct session *s, const struct canvas *c,
                    struct rect r)
{
    const struct hparams *hp = &s->program->hp;

    g->below = r.h >= LEAST_FOR_DETAIL ? DETAIL_LINES : 0;
    g->label = hp->n_layer > 10 ? 4 : 3;
    g->cell_w = (r.w - g->label) / hp->n_head;
    g->cell_h = (r.h - 1 - g->below) / hp->n_layer;
    g->thumb = at_most(g->cell_w - 1, g->cell_h * 2);
    if (s->set.heads != HEADS_THUMBS || !draw_rich(c) || g->thumb < THUMB_LEAST)
        g->thumb = 0;
    if (g->thumb > 0) {
        lay_out_thumbs(g, hp, r);
    } else {
        g->cell_h = 1;
        g->cell_w =
            at_most(g->cell_w, s->set.heads == HEADS_STRONGEST ? NAME_MOST : NUMBER_MOST);
        g->cell_w = g->cell_w < 1 ? 1 : g->cell_w;
    }
    g->lines = (r.h - 1 - g->below) / g->cell_h;
    g->lines = g->lines < 1 ? 1 : g->lines;
    g->first = scroll_around(s->at.layer, hp->n_layer, g->lines);
}

/* --- pictures --- */

static struct scale weight_scale(const struct session *s)
{
    return (struct scale){s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, false,
                          1};
}

struct thumb {
    const struct session *s;
    const float *pixel;
    int side;
    int new_row; /* rows before it are from the cache; 0: none are */
};

static uint32_t thumb_pixel(const struct canvas *c, const struct thumb *t, int row, int col)
{
    struct scale scale = weight_scale(t->s);
    struct look look = {COLOR_NONE, COLOR_NONE, 0};

    if (row >= t->side || isnan(t->pixel[row * t->side + col]))
        return COLOR_NONE;
    look.fg = theme_color(c->theme, MAP_SEQUENTIAL,
                          scale_at(&scale, (double) t->pixel[row * t->side + col], 1));
    return row < t->new_row ? attention_dim(c, look).fg : look.fg;
}

static void draw_thumb(struct canvas *c, struct rect r, int x, int y, const struct thumb *t)
{
    for (int row = 0; row < t->side; row += 2)
        for (int col = 0; col < t->side; col++) {
            uint32_t top = thumb_pixel(c, t, row, col);
            uint32_t bottom = thumb_pixel(c, t, row + 1, col);
            if (top != COLOR_NONE || bottom != COLOR_NONE)
                canvas_pixels(c, r, x + col, y + row / 2, top, bottom);
        }
}

static char tag_of(const struct head_summary *h)
{
    return h->tag >= 0 ? head_job_letter((enum head_job) h->tag) : ' ';
}

static void draw_picture(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                         const struct heads_summary *sum, int layer, int head)
{
    size_t i = (size_t) (layer * sum->n_head + head);
    struct thumb t = {s, sum->pixel + i * (size_t) (sum->thumb * sum->thumb), sum->thumb, 0};
    int ready = run_ready(s->run, session_stage_value(s, layer, STAGE_PATTERN));
    int new_from = attention_new_from(s);
    char tag[2] = {tag_of(&sum->head[i]), 0};

    if (new_from > 0 && new_from < ready)
        t.new_row = heads_thumb_row(sum, ready, new_from);
    draw_thumb(c, r, x, y, &t);
    canvas_text(c, r, x + t.side - 1, y, STYLE_TITLE, tag);
    if (layer != s->at.layer || head != s->at.head)
        return;
    canvas_text(c, r, x + t.side, y, STYLE_SELECTED, "◀");
    for (int k = 1; k < (t.side + 1) / 2; k++)
        canvas_text(c, r, x + t.side, y + k, STYLE_SELECTED, "┃");
}

/* --- numbers --- */

/* The measure of a head, 0..1; NAN: this text says nothing about it. */
static double metric_of(const struct head_summary *h, enum head_metric metric)
{
    static const enum head_job jobs[] = {[HEADS_PREVIOUS] = JOB_PREVIOUS,
                                         [HEADS_INDUCTION] = JOB_INDUCTION,
                                         [HEADS_DUPLICATE] = JOB_DUPLICATE,
                                         [HEADS_SINK] = JOB_SINK};

    switch (metric) {
    case HEADS_THUMBS:
    case HEADS_MAX:
        return (double) h->max;
    case HEADS_JOB:
        return h->tag >= 0 ? (double) h->job[h->tag] : NAN;
    case HEADS_ENTROPY:
        return (double) h->entropy;
    case HEADS_STRONGEST:
        return (double) h->strongest_weight;
    case HEADS_PREVIOUS:
    case HEADS_INDUCTION:
    case HEADS_DUPLICATE:
    case HEADS_SINK:
        break;
    }
    return h->n[jobs[metric]] > 0 ? (double) h->job[jobs[metric]] : NAN;
}

/* What is written into a head's cell of w columns; without colours numbers need gaps. */
static void cell_text(const struct session *s, const struct head_summary *h, int w, bool rich,
                      char *out, size_t size)
{
    enum head_metric metric = s->set.heads;
    double v = metric_of(h, metric);
    char label[64], number[16];

    if (metric == HEADS_STRONGEST) {
        tokenizer_label(s->tokenizer, s->ids.id[h->strongest], label, sizeof label);
        snprintf(out, size, "%s", label);
    } else if (w < 3 || isnan(v)) {
        snprintf(out, size, w < 3 ? "%c" : "  -", tag_of(h));
    } else if (w == 3 && metric == HEADS_JOB) {
        snprintf(out, size, "%c%s", tag_of(h), draw_number(number, sizeof number, v, -2));
    } else {
        draw_number(number, sizeof number, v, rich || w > 3 ? 3 : 2);
        snprintf(out, size, w > 3 ? "%s%c" : rich ? "%s" : " %s", number, tag_of(h));
    }
}

/* Where colours cannot carry the number and there is no room for it, a ramp does. */
static void draw_measure(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                         const struct grid *g, const struct head_summary *h, bool selected)
{
    struct scale scale = {SCALE_LINEAR, false, 1};
    double v = metric_of(h, s->set.heads), at = isnan(v) ? 0 : scale_at(&scale, v, 1);
    int w = g->cell_w > 4 ? g->cell_w - 1 : g->cell_w;
    char text[80], fitted[80];

    cell_text(s, h, w, draw_rich(c), text, sizeof text);
    size_t n = utf8_fit(text, strlen(text), w, NULL);
    snprintf(fitted, sizeof fitted, "%.*s", (int) n, text);
    struct look look = selected   ? canvas_look(c, STYLE_CURSOR)
                       : isnan(v) ? canvas_look(c, STYLE_TODO)
                                  : draw_heat_look(c, &scale, at);
    if (w < 3 && !draw_rich(c) && !isnan(v)) {
        draw_heat(c, r, x, y, w, &scale, at);
        if (w == 2 || selected)
            canvas_put(c, r, x + w - 1, y, look, tag_of(h) == ' ' && selected ? "+" : text, 1);
        return;
    }
    canvas_fill(c, rect_clip((struct rect){x, y, w, 1}, r), look, ' ');
    canvas_put(c, r, w < 3 ? x + w - 1 : x, y, look, fitted, strlen(fitted));
}

static void draw_head(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                      const struct grid *g, const struct heads_summary *sum, int layer,
                      int head)
{
    const struct head_summary *h = &sum->head[layer * sum->n_head + head];
    bool selected = layer == s->at.layer && head == s->at.head;

    if (!h->ready)
        canvas_text(c, r, x + (g->cell_w >= 3), y, selected ? STYLE_SELECTED : STYLE_TODO, "·");
    else if (g->thumb == 0)
        draw_measure(s, c, r, x, y, g, h, selected);
    else
        draw_picture(s, c, r, x, y, sum, layer, head);
}

static void draw_names(const struct session *s, struct canvas *c, struct rect r,
                       const struct grid *g)
{
    for (int head = 0; head < s->program->hp.n_head; head++) {
        bool selected = head == s->at.head;
        enum style style = selected ? STYLE_SELECTED : STYLE_AXIS;
        int x = r.x + g->label + head * g->cell_w;
        if (g->cell_w < 3 && head % 5 && !selected)
            continue;
        if (g->cell_w >= 3)
            canvas_printf(c, r, x, r.y, style, g->cell_w > 3 ? "H%d" : "%d", head);
        else
            canvas_printf(c, r, x, r.y, style, "%d", head % 10);
    }
}

/* --- the selected head --- */

/* "sink .14"; "ind -" where nothing speaks for it. */
static void add_measure(char *out, size_t size, const char *name, double v)
{
    char number[16];
    size_t n = strlen(out);

    snprintf(out + n, size - n, "%s%s %s", n > 0 ? " " : "", name,
             isnan(v) ? "-" : draw_number(number, sizeof number, v, -3));
}

/* Places of the jobs; then what else is measured. */
static void print_jobs(const struct head_summary *h, char *out, size_t size)
{
    out[0] = '\0';
    add_measure(out, size, "prev", metric_of(h, HEADS_PREVIOUS));
    add_measure(out, size, "ind", metric_of(h, HEADS_INDUCTION));
    add_measure(out, size, "dup", metric_of(h, HEADS_DUPLICATE));
}

static void print_rest(const struct head_summary *h, char *out, size_t size)
{
    out[0] = '\0';
    add_measure(out, size, "sink", metric_of(h, HEADS_SINK));
    add_measure(out, size, "max", metric_of(h, HEADS_MAX));
    add_measure(out, size, "entropy", metric_of(h, HEADS_ENTROPY));
}

static void print_strongest(const struct session *s, const struct head_summary *h, char *out,
                            size_t size)
{
    char label[32], number[16];

    tokenizer_label(s->tokenizer, s->ids.id[h->strongest], label, sizeof label);
    snprintf(out, size, "last → %d %s %s", h->strongest, label,
             draw_number(number, sizeof number, (double) h->strongest_weight, -3));
}

/* What is counted, where it is not all; "" where it is. */
static void print_counted(const struct session *s, const struct heads_summary *sum, char *out,
                          size_t size)
{
    out[0] = '\0';
    if (sum->done < sum->want)
        snprintf(out, size, "%d %% counted", 100 * sum->done / sum->want);
    else if (sum->n_query < s->ids.n)
        snprintf(out, size, "last %d queries", sum->n_query);
}

static const char *job_name(const struct head_summary *h)
{
    return h->tag >= 0 ? head_job_name((enum head_job) h->tag) : "no single job here";
}

static void draw_detail(const struct session *s, struct canvas *c, struct rect r,
                        const struct heads_summary *sum)
{
    const struct head_summary *h = &sum->head[s->at.layer * sum->n_head + s->at.head];
    int y = r.y + r.h - DETAIL_LINES, x = r.x;
    char text[160];

    x += canvas_printf(c, r, x, y, STYLE_SELECTED, "L%d.H%d ", s->at.layer, s->at.head);
    if (!h->ready) {
        canvas_text(c, r, x, y, STYLE_DIM, "to do");
        return;
    }
    canvas_text(c, r, x, y, STYLE_TITLE, job_name(h));
    print_jobs(h, text, sizeof text);
    canvas_text(c, r, r.x, y + 1, STYLE_TEXT, text);
    print_rest(h, text, sizeof text);
    canvas_text(c, r, r.x, y + 2, STYLE_TEXT, text);
    print_strongest(s, h, text, sizeof text);
    canvas_text(c, r, r.x, y + 3, STYLE_TEXT, text);
    print_counted(s, sum, text, sizeof text);
    if (text[0])
        canvas_printf(c, r, r.x + r.w - (int) strlen(text) - 1, y + 3, STYLE_NEW, " %s", text);
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
    if (g.below > 0)
        draw_detail(s, c, r, sum);
}

void heads_title(const struct session *s, char *out, size_t size)
{
    static const char *const name[] = {
        [HEADS_JOB] = "job",
        [HEADS_ENTROPY] = "entropy",
        [HEADS_MAX] = "largest weight",
        [HEADS_PREVIOUS] = "previous token",
        [HEADS_INDUCTION] = "induction",
        [HEADS_DUPLICATE] = "duplicate token",
        [HEADS_SINK] = "sink",
        [HEADS_STRONGEST] = "strongest key",
    };

    snprintf(out, size, s->set.heads == HEADS_THUMBS ? "heads" : "heads  %s",
             name[s->set.heads]);
}

void heads_hit(const struct session *s, const struct screen *st, const struct canvas *c,
               struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct grid g;
    char jobs[48], rest[48];

    if (r.w < 8 || r.h < 2)
        return;
    lay_out(&g, s, c, r);
    int layer = g.first + (y - r.y - 1) / g.cell_h, head = (x - r.x - g.label) / g.cell_w;
    if (y <= r.y || y > r.y + g.lines * g.cell_h || x < r.x + g.label ||
        layer >= s->program->hp.n_layer || head >= s->program->hp.n_head)
        return;
    snprintf(h->line, sizeof h->line, "select L%d.H%d", layer, head);
    const struct heads_summary *sum = cache_heads(st->cache, s, g.thumb, &err);
    const struct head_summary *one = sum ? &sum->head[layer * sum->n_head + head] : NULL;
    if (!one || !one->ready) {
        snprintf(h->tip, sizeof h->tip, "L%d.H%d to do", layer, head);
        return;
    }
    print_jobs(one, jobs, sizeof jobs);
    print_rest(one, rest, sizeof rest);
    snprintf(h->tip, sizeof h->tip, "L%d.H%d %s  %s %s", layer, head, job_name(one), jobs,
             rest);
}
