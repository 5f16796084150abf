/* The KV cache: what it takes, what it saves, whether it is right, and how long the key and
 * value of each position are, by layer and kv head. */
#include "base/mem.h"
#include "session/cost.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the strips are put into the panel. */
struct fit {
    int sums;       /* lines above */
    bool beside;    /* K and V beside each other */
    int y, lines;   /* of the strips */
    int first;      /* line shown first */
    int name, room; /* columns of a strip's name, and of itself */
    int pool, wide; /* positions a column, columns a position: one of them is 1 */
};

static int held_rows(const struct session *s)
{
    int n = run_n_past(s->run) + run_n_new(s->run);

    return n < s->ids.n ? n : s->ids.n;
}

static int group_of(const struct hparams *hp)
{
    return hp->n_head / hp->n_kv_head;
}

static void find_fit(struct fit *f, const struct session *s, const struct screen *st,
                     struct rect r)
{
    const struct hparams *hp = &s->program->hp;
    int n = held_rows(s), kv = s->at.head / group_of(hp);

    f->sums = r.h >= 9 ? 5 : r.h >= 6 ? 3 : r.h >= 3 ? 1 : 0;
    f->beside = r.w >= 90;
    f->y = r.y + f->sums;
    f->lines = r.h - f->sums;
    f->name = hp->n_layer > 10 || hp->n_kv_head > 10 ? 8 : 7;
    f->room = (f->beside ? (r.w - 2) / 2 : r.w) - f->name - (r.w >= 40 ? 6 : 0);
    f->room = f->room < 1 ? 1 : f->room;
    f->pool = n > f->room ? (n + f->room - 1) / f->room : 1;
    f->wide = n > 0 && f->room / n > 1 ? f->room / n : 1;
    f->wide = f->wide > 4 ? 4 : f->wide;
    int each = f->beside ? 1 : 2, at = (s->at.layer * hp->n_kv_head + kv) * each;
    f->first = scroll_rows(st, "cache", at - f->lines / 2, hp->n_layer * hp->n_kv_head * each,
                           f->lines);
}

/* --- sums --- */

static void draw_size(const struct session *s, struct canvas *c, struct rect r, int y)
{
    const struct hparams *hp = &s->program->hp;
    double each = 2.0 * hp->n_layer * hp->n_kv_head * hp->d_head * sizeof(float);
    char used[16], whole[16], token[16];
    struct run_memory m;

    run_memory(s->run, &m);
    draw_bytes(used, sizeof used, (double) m.cache);
    draw_bytes(whole, sizeof whole, each * run_n_ctx(s->run));
    draw_bytes(token, sizeof token, each);
    int x = r.x + canvas_printf(c, r, r.x, y, STYLE_TEXT,
                                r.w >= 38 ? "%d of %d tokens  %s of %s" : "%d of %d  %s of %s",
                                held_rows(s), run_n_ctx(s->run), used, whole);
    if (r.w >= 56)
        canvas_printf(c, r, x, y, STYLE_DIM, "  %s a token", token);
}

static void draw_group(const struct session *s, struct canvas *c, struct rect r, int y)
{
    const struct hparams *hp = &s->program->hp;

    if (group_of(hp) == 1)
        canvas_printf(c, r, r.x, y, STYLE_DIM, "%d kv heads, one for each head", hp->n_kv_head);
    else
        canvas_printf(c, r, r.x, y, STYLE_DIM,
                      r.w >= 38 ? "%d heads share %d kv heads: %d x smaller"
                                : "%d heads, %d kv: %d x smaller",
                      hp->n_head, hp->n_kv_head, group_of(hp));
}

static void draw_saved(const struct session *s, struct canvas *c, struct rect r, int y)
{
    int n_past, n_new;
    char with[16], without[16];

    session_last_pass(s, &n_past, &n_new);
    if (n_new == 0) {
        canvas_text(c, r, r.x, y, STYLE_TODO, "no pass yet");
        return;
    }
    double cost = cost_of(s->program, n_past, n_new).total;
    double all = cost_of(s->program, 0, n_past + n_new).total;
    draw_count(with, sizeof with, cost);
    draw_count(without, sizeof without, all);
    canvas_printf(c, r, r.x, y, STYLE_TEXT,
                  r.w >= 70   ? "this pass %s multiplications, without the cache %s: %.3g x"
                  : r.w >= 34 ? "pass %s, uncached %s: %.3g x"
                              : "%s, uncached %s: %.3g x",
                  with, without, all / cost);
}

static void draw_verified(const struct session *s, struct canvas *c, struct rect r, int y)
{
    const struct verify *v = session_verified(s);

    if (!v) {
        canvas_text(c, r, r.x, y, STYLE_DIM,
                    r.w >= 56 ? "v computes it all again and compares" : "v: compute again");
        return;
    }
    double k = (double) v->k[v->k_layer], values = (double) v->v[v->v_layer];
    canvas_printf(c, r, r.x, y, STYLE_TEXT,
                  r.w >= 56 ? "recomputed: K %.1g  V %.1g  logits %.1g  (layer %d)"
                            : "again: K %.0g V %.0g lgt %.0g",
                  k, values, (double) v->logits, k >= values ? v->k_layer : v->v_layer);
}

static void draw_sums(const struct session *s, struct canvas *c, struct rect r,
                      const struct fit *f)
{
    int y = r.y;

    if (f->sums >= 1)
        draw_size(s, c, r, y++);
    if (f->sums >= 5)
        draw_group(s, c, r, y++);
    if (f->sums >= 3) {
        draw_saved(s, c, r, y++);
        draw_verified(s, c, r, y++);
    }
    if (f->sums < 5)
        return;
    int x = r.x + canvas_text(c, r, r.x, y, STYLE_AXIS, "length by position");
    if (f->pool > 1)
        canvas_printf(c, r, x, y, STYLE_AXIS, ", %d a column: the largest", f->pool);
}

/* --- strips --- */

/* The first position that the pass at work, or the last one, added to those there were. */
static int first_new(const struct session *s)
{
    int n_past, n_new;

    session_last_pass(s, &n_past, &n_new);
    return n_new > 0 && n_past > 0 ? n_past : run_n_past(s->run);
}

static struct look column_look(const struct session *s, const struct canvas *c, int pos,
                               double part)
{
    struct scale scale = {SCALE_LINEAR, false, 1};
    struct look look = canvas_look(c, STYLE_BAR);

    if (pos >= first_new(s))
        return canvas_look(c, STYLE_NEW);
    if (draw_rich(c))
        look.fg =
            theme_color(c->theme, MAP_SEQUENTIAL, 0.25 + 0.75 * scale_at(&scale, part, 1));
    return look;
}

/* The largest length among the positions of a column. */
static float column_length(const struct kv_side *side, int n_kv, int kv, int pool, int column)
{
    float most = 0;

    for (int i = column * pool; i < side->ready && i < (column + 1) * pool; i++)
        most = fmaxf(most, side->length[(size_t) i * (size_t) n_kv + (size_t) kv]);
    return most;
}

static void draw_strip(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r, const struct fit *f, int x, int y, int unit, bool v)
{
    static const char *const eighth[] = {"▁", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct hparams *hp = &s->program->hp;
    int layer = unit / hp->n_kv_head, kv = unit % hp->n_kv_head;
    bool chosen = layer == s->at.layer && kv == s->at.head / group_of(hp);
    const struct kv_side *side = cache_kv(st->cache, s, layer, v);
    float most = column_length(side, hp->n_kv_head, kv, side->ready + 1, 0);

    canvas_printf(c, r, x, y, chosen ? STYLE_SELECTED : STYLE_AXIS, "L%d.%d %c", layer, kv,
                  v ? 'V' : 'K');
    x += f->name;
    for (int i = 0; i * f->pool < held_rows(s) && i * f->wide < f->room; i++) {
        int last = (i + 1) * f->pool - 1;
        bool todo = i * f->pool >= side->ready;
        double part =
            most > 0 ? (double) (column_length(side, hp->n_kv_head, kv, f->pool, i) / most) : 0;
        struct look look = column_look(s, c, last < side->ready ? last : side->ready - 1, part);
        if (todo)
            look = canvas_look(c, STYLE_TODO);
        else if (chosen && s->at.query / f->pool == i)
            look = canvas_look(c, STYLE_POINT);
        const char *glyph = todo ? "·" : eighth[(int) (part * 8 + 0.5)];
        for (int j = 0; j < f->wide - (f->wide > 2); j++)
            canvas_put(c, r, x + i * f->wide + j, y, look, glyph, strlen(glyph));
    }
    char text[16];
    if (r.w >= 40 && side->ready > 0)
        canvas_printf(c, r, x + f->room, y, STYLE_DIM, " %s",
                      draw_number(text, sizeof text, (double) most, -5));
}

/* What lies on a line of the strips: the layer and kv head as one number, and K or V. */
static int line_unit(const struct fit *f, int line, bool *v)
{
    *v = !f->beside && (f->first + line) % 2;
    return f->beside ? f->first + line : (f->first + line) / 2;
}

void cache_draw(const struct session *s, const struct screen *st, struct canvas *c,
                struct rect r)
{
    const struct hparams *hp = &s->program->hp;
    struct fit f;

    find_fit(&f, s, st, r);
    draw_sums(s, c, r, &f);
    for (int i = 0; i < f.lines; i++) {
        bool v;
        int unit = line_unit(&f, i, &v);
        if (unit >= hp->n_layer * hp->n_kv_head)
            break;
        draw_strip(s, st, c, r, &f, r.x, f.y + i, unit, v);
        if (f.beside)
            draw_strip(s, st, c, r, &f, r.x + r.w / 2, f.y + i, unit, true);
    }
}

void cache_hit(const struct session *s, const struct screen *st, const struct canvas *c,
               struct rect r, int x, int y, struct hit *h)
{
    const struct hparams *hp = &s->program->hp;
    struct fit f;
    bool v;

    (void) c;
    find_fit(&f, s, st, r);
    if (y < f.y || y >= f.y + f.lines)
        return;
    int unit = line_unit(&f, y - f.y, &v), at = x - r.x;
    if (f.beside && x >= r.x + r.w / 2) {
        v = true;
        at = x - r.x - r.w / 2;
    }
    int column = (at - f.name) / f.wide, layer = unit / hp->n_kv_head,
        kv = unit % hp->n_kv_head;
    if (layer >= hp->n_layer || at >= f.name + f.room)
        return;
    int n = snprintf(h->line, sizeof h->line, "select L%d.H%d", layer, kv * group_of(hp));
    const struct kv_side *side = cache_kv(st->cache, s, layer, v);
    if (at < f.name || column * f.pool >= side->ready)
        return;
    int pos = column * f.pool;
    if (f.pool == 1)
        snprintf(h->line + n, sizeof h->line - (size_t) n, "; query %d", pos);
    snprintf(h->tip, sizeof h->tip, "L%d kv head %d, %c at %d: length %.6g%s", layer, kv,
             v ? 'V' : 'K', pos,
             (double) column_length(side, hp->n_kv_head, kv, f.pool, column),
             f.pool > 1 ? " (the largest of the column)" : "");
}
