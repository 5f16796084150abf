/* One head: queries down, keys across, at the stage the cursor is on. Numbers on colour while
 * they fit, two columns of colour, then half blocks, then pooled by the largest value. */
#include "view/views.h"

#include "base/utf8.h"
#include "view/cache.h"
#include "view/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How the map is put into its panel. */
struct fit {
    int cell;       /* columns a value */
    bool number;    /* written out */
    bool half;      /* two queries a row */
    int label;      /* columns for the queries' names */
    int rows, cols; /* values that fit */
    int legend;     /* lines below */
};

static bool try_fit(struct fit *f, struct rect r, int cell, int n_query, int n_col)
{
    f->cell = cell;
    f->number = cell > 2;
    f->half = cell == 1;
    f->rows = (r.h - 1 - f->legend) * (f->half ? 2 : 1);
    f->cols = (r.w - f->label) / cell;
    return f->rows >= n_query && f->cols >= n_col;
}

static int label_width(const struct session *s, int w)
{
    int digits = s->ids.n > 1000 ? 4 : s->ids.n > 100 ? 3 : s->ids.n > 10 ? 2 : 1;
    int name = w >= 56 ? 9 : w >= 40 ? 7 : w >= 24 ? 4 : 0;
    return name ? digits + 1 + name : 0;
}

static void find_fit(struct fit *f, const struct session *s, const struct canvas *c,
                     struct rect r)
{
    int n_col = s->at.stage == STAGE_MIX ? s->program->hp.d_head : s->ids.n;
    f->label = label_width(s, r.w);
    f->legend = r.h >= 10 ? 2 : r.h >= 6 ? 1 : 0;
    int widest = s->at.stage == STAGE_PATTERN ? 5 : 6;
    for (int cell = widest; cell >= 2; cell--)
        if (try_fit(f, r, cell, s->ids.n, n_col))
            return;
    try_fit(f, r, 1, s->ids.n, n_col);
    if (!draw_rich(c)) { /* half blocks need colours */
        f->half = false;
        f->rows = r.h - 1 - f->legend;
    }
    if (f->rows < 1)
        f->rows = 1;
    if (f->cols < 1)
        f->cols = 1;
}

static enum style row_style(const struct session *s, const struct attn_grid *g, int query)
{
    if (query >= g->ready)
        return STYLE_TODO;
    return query < run_n_past(s->run) ? STYLE_TEXT : STYLE_NEW;
}

static void draw_row_label(const struct session *s, struct canvas *c, struct rect r, int y,
                           const struct fit *f, const struct attn_grid *g, int query)
{
    char label[64], text[80];
    int digits = f->label >= 7 ? (s->ids.n > 1000  ? 4
                                  : s->ids.n > 100 ? 3
                                  : s->ids.n > 10  ? 2
                                                   : 1)
                               : 1;
    if (f->label == 0)
        return;
    tokenizer_label(s->tokenizer, s->ids.id[query], label, sizeof label);
    snprintf(text, sizeof text, "%*d %s", digits, query, label);
    enum style style = row_style(s, g, query);
    if (query / g->pool_q == s->at.query / g->pool_q)
        style = STYLE_SELECTED;
    canvas_fit(c, r, r.x, y, f->label - 1, canvas_look(c, style), text);
}

/* Which query names a screen row: the cursor's if it is in there. */
static int named_query(const struct session *s, const struct fit *f, const struct attn_grid *g,
                       int line)
{
    int per_line = g->pool_q * (f->half ? 2 : 1);
    int first = line * per_line;
    if (s->at.query >= first && s->at.query < first + per_line)
        return s->at.query;
    return first;
}

static void draw_key_names(const struct session *s, struct canvas *c, struct rect r,
                           const struct fit *f, const struct attn_grid *g)
{
    for (int j = 0; j < g->cols; j++) {
        char label[64];
        enum style style = j == s->at.key ? STYLE_SELECTED : STYLE_AXIS;
        int x = r.x + f->label + j * f->cell;
        if (s->at.stage == STAGE_MIX)
            snprintf(label, sizeof label, "%d", j);
        else
            tokenizer_label(s->tokenizer, s->ids.id[j], label, sizeof label);
        const char *name = label;
        if (f->cell <= 4 && strncmp(name, "·", 2) == 0 && name[2])
            name += 2; /* the space matters less than the word here */
        int used;
        size_t n = utf8_fit(name, strlen(name), f->cell - 1, &used);
        canvas_put(c, r, x + f->cell - 1 - used, r.y, canvas_look(c, style), name, n);
    }
}

/* A ruler: every tenth position, and the cursor's key. */
static void draw_ruler(const struct session *s, struct canvas *c, struct rect r,
                       const struct fit *f, const struct attn_grid *g)
{
    int x0 = r.x + f->label, end = 0;
    int every = g->cols * f->cell > 40 ? 10 : 5;
    for (int j = 0; j < g->cols; j += every) {
        int x = x0 + j * f->cell;
        if (x - x0 >= end)
            end = x - x0 + 1 + canvas_printf(c, r, x, r.y, STYLE_AXIS, "%d", j * g->pool);
    }
    int key = s->at.key / g->pool;
    if (key < g->cols)
        canvas_text(c, r, x0 + key * f->cell, r.y, STYLE_SELECTED, f->cell > 1 ? "▼ " : "▼");
}

static double place(const struct session *s, const struct attn_grid *g, struct scale *scale,
                    int row, int col)
{
    scale->kind = s->set.scale;
    scale->is_signed = g->is_signed;
    scale->limit = (double) g->limit;
    return scale_at(scale, (double) g->v[row * g->cols + col], (double) g->row_max[row]);
}

/* A cell that has no colour: hidden, or behind the mask, or not computed yet. */
static const char *absent_glyph(const struct session *s, const struct attn_grid *g, int row,
                                int col)
{
    int last = (row + 1) * g->pool_q - 1;
    bool beyond = s->at.stage != STAGE_MIX && col * g->pool > last;
    if (beyond && s->at.stage >= STAGE_MASKED)
        return "∙";
    return row * g->pool_q >= g->ready || beyond ? "?" : "×";
}

static void draw_absent(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                        const struct fit *f, const char *glyph, bool cursor)
{
    struct look look = canvas_look(c, cursor ? STYLE_CURSOR : STYLE_MASKED);
    (void) s;
    if (*glyph == '?')
        glyph = "·";
    if (cursor)
        canvas_fill(c, rect_clip((struct rect){x, y, f->cell, 1}, r), look, ' ');
    int at = f->number ? f->cell - 2 : 0;
    canvas_put(c, r, x + at, y, look, glyph, strlen(glyph));
}

static void draw_value(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                       const struct fit *f, const struct attn_grid *g, int row, int col)
{
    bool cursor = row == s->at.query / g->pool_q && col == s->at.key / g->pool;
    float v = g->v[row * g->cols + col];
    if (isnan(v)) {
        draw_absent(s, c, r, x, y, f, absent_glyph(s, g, row, col), cursor);
        return;
    }
    struct scale scale;
    double at = place(s, g, &scale, row, col);
    if (f->number) {
        char text[24], number[16];
        draw_number(number, sizeof number, (double) v, f->cell - 1);
        snprintf(text, sizeof text, "%s ", number);
        struct look look =
            cursor ? canvas_look(c, STYLE_CURSOR) : draw_heat_look(c, &scale, at);
        canvas_put(c, r, x, y, look, text, strlen(text));
        return;
    }
    draw_heat(c, r, x, y, f->cell, &scale, at);
    if (cursor)
        canvas_put(c, r, x, y, canvas_look(c, STYLE_CURSOR), "[]", (size_t) f->cell);
}

/* The colour of one pixel; COLOR_NONE where there is none. */
static uint32_t pixel(const struct session *s, const struct canvas *c,
                      const struct attn_grid *g, int row, int col)
{
    if (row >= g->rows)
        return COLOR_NONE;
    if (row == s->at.query / g->pool_q && col == s->at.key / g->pool)
        return canvas_look(c, STYLE_POINT).fg;
    if (isnan(g->v[row * g->cols + col]))
        return COLOR_NONE;
    struct scale scale;
    double at = place(s, g, &scale, row, col);
    return theme_color(c->theme, g->is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL, at);
}

static void draw_line(const struct session *s, struct canvas *c, struct rect r, int line,
                      const struct fit *f, const struct attn_grid *g)
{
    int y = r.y + 1 + line, x = r.x + f->label;
    draw_row_label(s, c, r, y, f, g, named_query(s, f, g, line));
    for (int col = 0; col < g->cols; col++, x += f->cell) {
        if (!f->half) {
            draw_value(s, c, r, x, y, f, g, line, col);
            continue;
        }
        uint32_t top = pixel(s, c, g, line * 2, col);
        uint32_t bottom = pixel(s, c, g, line * 2 + 1, col);
        if (top == COLOR_NONE && bottom == COLOR_NONE)
            canvas_text(c, r, x, y, STYLE_MASKED,
                        *absent_glyph(s, g, line * 2, col) == '?' ? "·" : "∙");
        else
            canvas_pixels(c, r, x, y, top, bottom);
    }
}

/* The exact value under the cursor. False: masked, or not computed. */
static bool cursor_value(const struct session *s, const struct attn_grid *g, float *v)
{
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    struct err err = ERR_INIT;
    if (value < 0 || s->at.query >= g->ready || s->at.key >= g->n_col)
        return false;
    if (s->at.stage == STAGE_MIX) {
        struct region one = {{s->at.query, s->at.head, s->at.key}, {1, 1, 1}};
        return run_read(s->run, value, &one, v, &err);
    }
    if (s->at.stage >= STAGE_MASKED && s->at.key > s->at.query)
        return false;
    struct region one = {{s->at.head, s->at.query, s->at.key}, {1, 1, 1}};
    if (!run_read(s->run, value, &one, v, &err))
        return false;
    if (s->at.stage == STAGE_PATTERN && s->set.hide_sink) {
        float sink;
        one.first[2] = 0;
        if (s->at.key == 0 || !run_read(s->run, value, &one, &sink, &err))
            return false;
        *v = sink < 0.999999F ? *v / (1 - sink) : 0;
    }
    return true;
}

static int draw_cursor(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                       const struct attn_grid *g)
{
    float v;
    char from[48], to[48];
    int begin = x;
    tokenizer_label(s->tokenizer, s->ids.id[s->at.query], from, sizeof from);
    tokenizer_label(s->tokenizer, s->ids.id[s->at.key], to, sizeof to);
    x += canvas_printf(c, r, x, y, STYLE_SELECTED, "[%d,%d]", s->at.query, s->at.key);
    if (s->at.stage == STAGE_MIX)
        x += canvas_printf(c, r, x, y, STYLE_TEXT, " %.14s channel %d ", from, s->at.key);
    else
        x += canvas_printf(c, r, x, y, STYLE_TEXT, " %.14s → %.14s ", from, to);
    if (cursor_value(s, g, &v))
        x += canvas_printf(c, r, x, y, STYLE_SELECTED, "%.4f", (double) v);
    else
        x += canvas_text(c, r, x, y, STYLE_DIM,
                         s->at.query >= g->ready    ? "to do"
                         : s->at.key > s->at.query  ? "masked"
                         : s->at.stage == STAGE_MIX ? "no such channel"
                                                    : "hidden");
    return x - begin;
}

static void draw_legend(const struct session *s, struct canvas *c, struct rect r,
                        const struct fit *f, const struct attn_grid *g)
{
    struct scale scale;
    place(s, g, &scale, 0, 0);
    int y = r.y + r.h - f->legend, x = r.x;
    if (f->legend == 2) {
        x += draw_scale(c, r, x, y, r.w > 50 ? 16 : 8, &scale) + 2;
        if (s->at.stage >= STAGE_MASKED && s->at.stage != STAGE_MIX)
            x += canvas_text(c, r, x, y, STYLE_MASKED, "∙ masked  ");
        if (g->pool > 1 || g->pool_q > 1)
            x += canvas_printf(c, r, x, y, STYLE_NEW, "max of %d×%d  ", g->pool_q, g->pool);
        if (s->set.hide_sink && s->at.stage == STAGE_PATTERN)
            x += canvas_text(c, r, x, y, STYLE_NEW,
                             r.x + r.w - x >= 40 ? "token 0 hidden, rows sum to 1 without it"
                                                 : "token 0 hidden");
        y++;
    }
    if (f->legend > 0)
        draw_cursor(s, c, r, r.x, y, g);
}

void attention_draw(const struct session *s, const struct screen *st, struct canvas *c,
                    struct rect r)
{
    struct err err = ERR_INIT;
    struct fit f;
    if (s->ids.n < 1) {
        canvas_text(c, r, r.x + 1, r.y + 1, STYLE_DIM, "No tokens yet: e edits the prompt.");
        return;
    }
    find_fit(&f, s, c, r);
    struct attn_want want = {.rows = f.rows, .cols = f.cols};
    const struct attn_grid *g = cache_attention(st->cache, s, &want, &err);
    if (!g) {
        canvas_fit(c, r, r.x, r.y, r.w, canvas_look(c, STYLE_ERROR), err.text);
        return;
    }
    if (f.number && g->pool == 1)
        draw_key_names(s, c, r, &f, g);
    else
        draw_ruler(s, c, r, &f, g);
    int lines = f.half ? (g->rows + 1) / 2 : g->rows;
    for (int line = 0; line < lines; line++)
        draw_line(s, c, r, line, &f, g);
    draw_legend(s, c, r, &f, g);
}

void attention_title(const struct session *s, char *out, size_t size)
{
    bool mix = s->at.stage == STAGE_MIX;
    snprintf(out, size, "L%d.H%d %s  %s", s->at.layer, s->at.head, stage_name(s->at.stage),
             mix ? "position × channel" : "query × key");
}
