/* Two runs side by side as their difference: the selected head's map, every head, the residual
 * stream by layer and the next token. And what stands in for other views meanwhile. */
#include "view/compare.h"

#include "session/mark.h"
#include "view/draw.h"

#include <stdio.h>
#include <string.h>

const struct view *view_now(const struct session *s, int index)
{
    static const struct view stand_in[] = {
        {.name = "attention",
         .draw = compare_map_draw,
         .title = compare_map_title,
         .hit = compare_map_hit},
        {.name = "heads",
         .draw = compare_heads_draw,
         .title = compare_heads_title,
         .hit = compare_heads_hit},
        {.name = "logits", .draw = compare_logits_draw, .title = compare_logits_title},
    };
    const struct view *v = &view_table[index];

    if (!s->comparing || !s->mark)
        return v;
    for (size_t i = 0; i < sizeof stand_in / sizeof *stand_in; i++)
        if (!strcmp(stand_in[i].name, v->name))
            return &stand_in[i];
    return v;
}

/* "now 10 tokens, 1 ablated; mark 10 tokens" and where the texts part. */
static void draw_sides(const struct session *s, struct canvas *c, struct rect r)
{
    struct err err = ERR_INIT;
    struct diff d;
    int x = r.x;

    if (!diff_open(&d, s, &err))
        return;
    x += canvas_text(c, r, x, r.y, STYLE_AXIS, "now ");
    x += canvas_printf(c, r, x, r.y, STYLE_TEXT, "%d tokens", s->ids.n);
    if (s->n_ablations > 0)
        x += canvas_printf(c, r, x, r.y, STYLE_TEXT, ", %d ablated", s->n_ablations);
    x += canvas_text(c, r, x, r.y, STYLE_AXIS, "  -  mark ");
    x += canvas_text(c, r, x, r.y, STYLE_TEXT, s->mark->label);
    if (d.n_same < d.n && r.w >= 90)
        canvas_printf(c, r, x, r.y, STYLE_NEW, "  tokens differ from %d on", d.n_same);
    else if (d.n_same < d.n)
        canvas_printf(c, r, r.x, r.y + 1, STYLE_NEW,
                      "tokens differ from %d on: compared by position", d.n_same);
}

enum { RESID_CELL = 11 }; /* columns a layer */

static int resid_per_line(int w)
{
    return w / RESID_CELL > 0 ? w / RESID_CELL : 1;
}

static int resid_lines(const struct session *s, int w)
{
    int per_line = resid_per_line(w);

    return 1 + (s->program->hp.n_layer + per_line - 1) / per_line;
}

/* "L0 0%     L1 4.2%   L2 9.1%": |now - mark| / |mark| after each layer. */
static void draw_resid(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r)
{
    struct err err = ERR_INIT;
    const struct compare_resid *d = cache_compare_resid(st->cache, s, &err);
    int per_line = resid_per_line(r.w);

    if (!d)
        return;
    canvas_printf(c, r, r.x, r.y, STYLE_AXIS, "resid_post at %d: |now - mark| / |mark|",
                  d->pos);
    for (int i = 0; i < d->n_layer; i++) {
        const struct diff_length *l = &d->length[i];
        int x = r.x + i % per_line * RESID_CELL, y = r.y + 1 + i / per_line;
        enum style style = i == s->at.layer ? STYLE_SELECTED : STYLE_AXIS;
        x += canvas_printf(c, r, x, y, style, "L%d ", i);
        if (l->change < 0)
            canvas_text(c, r, x, y, STYLE_TODO, "·");
        else
            canvas_printf(c, r, x, y, STYLE_TEXT, "%.3g%%",
                          l->mark > 0 ? 100 * l->change / l->mark : 0.0);
    }
}

static struct rect part(struct rect r, int x, int y, int w, int h)
{
    return rect_clip((struct rect){r.x + x, r.y + y, w, h}, r);
}

/* Lines for both sides: one more where the texts differ and there is no room beside. */
static int head_lines(const struct session *s, int w)
{
    struct err err = ERR_INIT;
    struct diff d;

    return diff_open(&d, s, &err) && d.n_same < d.n && w < 90 ? 2 : 1;
}

/* Where the parts of the view lie. */
struct parts {
    struct rect map, heads, logits, resid;
};

static void lay_out(struct parts *p, const struct session *s, struct rect r)
{
    const struct hparams *hp = &s->program->hp;
    int top = head_lines(s, r.w), heads = hp->n_layer + 3, resid;

    memset(p, 0, sizeof *p);
    if (r.w >= 84) { /* side by side */
        int side = r.w / 3 < 36 ? 36 : r.w / 3 > 70 ? 70 : r.w / 3, w = r.w - side - 2;
        resid = resid_lines(s, w);
        resid = r.h - top - resid >= 12 ? resid : 0;
        heads = heads < (r.h - top) / 2 ? heads : (r.h - top) / 2;
        p->map = part(r, 0, top, w, r.h - top - resid);
        p->resid = part(r, 0, r.h - resid, w, resid);
        p->heads = part(r, w + 2, top, side, heads);
        p->logits = part(r, w + 2, top + heads + 1, side, r.h - top - heads - 1);
        return;
    }
    int logits = r.h >= 24 ? 7 : r.h >= 16 ? 4 : 0;
    resid = r.h >= 36 ? resid_lines(s, r.w) : 0;
    heads = r.h >= heads + logits + 14 ? heads : 0;
    int map = r.h - top - heads - logits - resid;
    p->map = part(r, 0, top, r.w, map);
    p->heads = part(r, 0, top + map, r.w, heads);
    p->logits = part(r, 0, top + map + heads, r.w, logits);
    p->resid = part(r, 0, r.h - resid, r.w, resid);
}

void compare_draw(const struct session *s, const struct screen *st, struct canvas *c,
                  struct rect r)
{
    struct err none = ERR_INIT;
    struct parts p;

    if (!s->mark) {
        compare_nothing(s, c, r, &none);
        return;
    }
    lay_out(&p, s, r);
    draw_sides(s, c, r);
    compare_map_draw(s, st, c, p.map);
    if (p.logits.h > 0)
        compare_logits_draw(s, st, c, p.logits);
    if (p.resid.h > 0)
        draw_resid(s, st, c, p.resid);
    if (p.heads.h > 0)
        compare_heads_draw(s, st, c, p.heads);
}

static bool inside(struct rect r, int x, int y)
{
    return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
}

void compare_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                 struct rect r, int x, int y, struct hit *h)
{
    struct parts p;

    if (!s->mark)
        return;
    lay_out(&p, s, r);
    if (inside(p.map, x, y))
        compare_map_hit(s, st, c, p.map, x, y, h);
    else if (inside(p.heads, x, y))
        compare_heads_hit(s, st, c, p.heads, x, y, h);
}

void compare_title(const struct session *s, char *out, size_t size)
{
    snprintf(out, size, "compare L%d.H%d %s  now - mark", s->at.layer, s->at.head,
             stage_name(s->at.stage));
}

void compare_heads_title(const struct session *s, char *out, size_t size)
{
    (void) s;
    snprintf(out, size, "heads  largest |now - mark|");
}

void compare_logits_title(const struct session *s, char *out, size_t size)
{
    (void) s;
    snprintf(out, size, "logits  mark → now");
}
