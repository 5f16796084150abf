/* The KV cache: how large each position's key and value are, layer by layer; what it saves. */
#include "base/mem.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void draw_sums(const struct session *s, struct canvas *c, struct rect r, int n)
{
    const struct hparams *hp = &s->program->hp;
    struct run_memory m;
    char bytes[16], full[16];
    double per_head = 2.0 * hp->n_layer * hp->d_head * sizeof(float) * n;

    run_memory(s->run, &m);
    canvas_printf(c, r, r.x, r.y, STYLE_TEXT, "%d of %d positions, %s", n, run_n_ctx(s->run),
                  draw_bytes(bytes, sizeof bytes, (double) m.cache));
    if (hp->n_kv_head < hp->n_head)
        canvas_printf(c, r, r.x, r.y + 1, STYLE_DIM, "%d kv heads would take %s", hp->n_head,
                      draw_bytes(full, sizeof full, per_head * hp->n_head));
    else
        canvas_printf(c, r, r.x, r.y + 1, STYLE_DIM, "%d heads of %d channels", hp->n_kv_head,
                      hp->d_head);
}

/* The length of each position's row, all heads together. */
static bool read_norms(const struct session *s, int value, int first, int n, float *norm)
{
    const struct hparams *hp = &s->program->hp;
    size_t width = (size_t) hp->n_kv_head * (size_t) hp->d_head;
    struct region g = {{first, 0, 0}, {n, hp->n_kv_head, hp->d_head}};
    float *row = xmalloc(width * (size_t) n * sizeof *row);
    struct err err = ERR_INIT;
    bool ok = run_read(s->run, value, &g, row, &err);

    for (int i = 0; ok && i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < width; j++)
            sum += (double) row[(size_t) i * width + j] * (double) row[(size_t) i * width + j];
        norm[i] = (float) sqrt(sum);
    }
    free(row);
    return ok;
}

static void draw_strip(const struct session *s, struct canvas *c, struct rect r, int y,
                       int layer, const char *which)
{
    char name[32];
    snprintf(name, sizeof name, "cache.%d.%s", layer, which);
    int value = program_find(s->program, name), ready = run_ready(s->run, value);
    int x =
        r.x + canvas_printf(c, r, r.x, y, layer == s->at.layer ? STYLE_SELECTED : STYLE_AXIS,
                            "L%-2d %c ", layer, which[0] - 'a' + 'A');
    int room = r.x + r.w - x, n = ready < room ? ready : room, first = ready - n;

    if (n <= 0)
        return;
    float *norm = xcalloc((size_t) n, sizeof *norm);
    if (read_norms(s, value, first, n, norm))
        draw_spark(c, r, x, y, room, norm, n, false);
    int fresh = ready - run_n_past(s->run);
    if (fresh > 0)
        canvas_paint(c, rect_clip((struct rect){x + n - (fresh < n ? fresh : n), y, n, 1}, r),
                     canvas_look(c, STYLE_NEW));
    free(norm);
}

void cache_draw(const struct session *s, const struct screen *st, struct canvas *c,
                struct rect r)
{
    int n_layer = s->program->hp.n_layer, n = run_n_past(s->run) + run_n_new(s->run);
    int layers = (r.h - 3) / 2, first = scroll_around(s->at.layer, n_layer, layers);

    (void) st;
    draw_sums(s, c, r, n);
    if (r.h > 3)
        canvas_text(c, r, r.x, r.y + 2, STYLE_AXIS, "length of K and V, by position");
    for (int i = 0; i < layers && first + i < n_layer; i++) {
        draw_strip(s, c, r, r.y + 3 + 2 * i, first + i, "k");
        draw_strip(s, c, r, r.y + 4 + 2 * i, first + i, "v");
    }
}
