/* One head: queries down, keys across, at the stage the cursor is on. Numbers on colour while
 * they fit, two columns of colour, then half blocks, then pooled by the largest value. */
#include "view/attention.h"

#include "base/utf8.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What drawing the map needs all the time. */
struct map {
    const struct session *s;
    struct canvas *c;
    struct rect r;
    const struct attn_fit *f;
    const struct attn_grid *g;
    struct scale scale;
    int new_from; /* queries before it are from the cache; 0: none are */
};

/* --- names --- */

static enum style row_style(const struct map *m, int query)
{
    if (query >= m->g->ready)
        return STYLE_TODO;
    return m->new_from > 0 && query >= m->new_from ? STYLE_NEW : STYLE_TEXT;
}

static int digits_of(const struct map *m)
{
    int n = m->s->ids.n;

    if (m->f->label < 7)
        return 1;
    return n > 1000 ? 4 : n > 100 ? 3 : n > 10 ? 2 : 1;
}

/* "8 ·Anna", with a mark where the row is new. */
static void draw_row_label(const struct map *m, int y, int query, bool selected)
{
    char label[64], text[80];
    bool is_new = m->new_from > 0 && query >= m->new_from;

    if (m->f->label == 0)
        return;
    tokenizer_label(m->s->tokenizer, m->s->ids.id[query], label, sizeof label);
    snprintf(text, sizeof text, "%*d%s%s", digits_of(m), query, is_new ? "▸" : " ", label);
    canvas_fit(m->c, m->r, m->r.x, y, m->f->label - 1,
               canvas_look(m->c, selected ? STYLE_SELECTED : row_style(m, query)), text);
}

/* Which query names a line: the cursor's if it is in there, else the newest if there is a new
 * one, else the first. */
static int named_query(const struct map *m, int line)
{
    int n = m->g->pool_q * (m->f->half ? 2 : 1);
    int first = m->g->first_q + line * n, cursor = m->s->at.query;

    if (cursor >= first && cursor < first + n)
        return cursor;
    return first < m->new_from && m->new_from < first + n ? m->new_from : first;
}

static void draw_key_names(const struct map *m)
{
    const struct attn_fit *f = m->f;
    const struct session *s = m->s;

    for (int j = 0; j < m->g->cols; j++) {
        char label[64];
        int key = m->g->first_k + j, used;
        enum style style = key == s->at.key ? STYLE_SELECTED : STYLE_AXIS;
        int x = m->r.x + f->label + j * f->cell;
        if (s->at.stage == STAGE_MIX)
            snprintf(label, sizeof label, "%d", key);
        else
            tokenizer_label(s->tokenizer, s->ids.id[key], label, sizeof label);
        const char *name = label;
        if (f->cell <= 4 && strncmp(name, "·", 2) == 0 && name[2])
            name += 2; /* the space matters less than the word here */
        size_t n = utf8_fit(name, strlen(name), f->cell - 1, &used);
        canvas_put(m->c, m->r, x + f->cell - 1 - used, m->r.y, canvas_look(m->c, style), name,
                   n);
    }
}

/* A ruler: every tenth position, and the cursor's key. */
static void draw_ruler(const struct map *m)
{
    const struct attn_grid *g = m->g;
    const struct attn_fit *f = m->f;
    int x0 = m->r.x + f->label, end = 0, every = g->cols * f->cell > 40 ? 10 : 5;

    for (int j = 0; j < g->cols; j += every) {
        int x = x0 + j * f->cell;
        if (x - x0 >= end)
            end = x - x0 + 1 +
                  canvas_printf(m->c, m->r, x, m->r.y, STYLE_AXIS, "%d",
                                g->first_k + j * g->pool);
    }
    int x = m->r.x + attention_x(f, g, m->s->at.key);
    if (x < x0 + g->cols * f->cell)
        canvas_text(m->c, m->r, x, m->r.y, STYLE_SELECTED, f->cell > 1 ? "▼ " : "▼");
}

/* --- cells --- */

static bool is_cursor(const struct map *m, int row, int col)
{
    const struct attn_grid *g = m->g;

    return row == (m->s->at.query - g->first_q) / g->pool_q &&
           col == (m->s->at.key - g->first_k) / g->pool;
}

static bool is_cached(const struct map *m, int row)
{
    return m->g->first_q + (row + 1) * m->g->pool_q <= m->new_from;
}

static double place(const struct map *m, int row, int col)
{
    const struct attn_grid *g = m->g;

    return scale_at(&m->scale, (double) g->v[row * g->cols + col], (double) g->row_max[row]);
}

/* A cell that has no colour: behind the mask, hidden, or not computed yet. */
static const char *absent_glyph(const struct map *m, int row, int col)
{
    const struct attn_grid *g = m->g;
    int last = g->first_q + (row + 1) * g->pool_q - 1;
    bool beyond = m->s->at.stage != STAGE_MIX && g->first_k + col * g->pool > last;

    if (beyond && attention_masks(m->s))
        return "∙";
    return g->first_q + row * g->pool_q >= g->done || beyond ? "·" : "×";
}

static void draw_absent(const struct map *m, int x, int y, const char *glyph, bool cursor)
{
    struct look look = canvas_look(m->c, cursor ? STYLE_CURSOR : STYLE_MASKED);

    if (cursor)
        canvas_fill(m->c, rect_clip((struct rect){x, y, m->f->cell, 1}, m->r), look, ' ');
    canvas_put(m->c, m->r, x + (m->f->number ? m->f->cell - 2 : 0), y, look, glyph,
               strlen(glyph));
}

static void draw_number_cell(const struct map *m, int x, int y, int row, int col, bool cursor)
{
    char text[24], number[16];
    float v = m->g->v[row * m->g->cols + col];
    struct look look = cursor ? canvas_look(m->c, STYLE_CURSOR)
                              : draw_heat_look(m->c, &m->scale, place(m, row, col));

    if (!cursor && is_cached(m, row))
        look = attention_dim(m->c, look);
    draw_number(number, sizeof number, (double) v, m->f->cell - 1);
    snprintf(text, sizeof text, "%s ", number);
    canvas_put(m->c, m->r, x, y, look, text, strlen(text));
}

static void draw_value(const struct map *m, int x, int y, int row, int col)
{
    bool cursor = is_cursor(m, row, col);

    if (isnan(m->g->v[row * m->g->cols + col])) {
        draw_absent(m, x, y, absent_glyph(m, row, col), cursor);
        return;
    }
    if (m->f->number) {
        draw_number_cell(m, x, y, row, col, cursor);
        return;
    }
    draw_heat(m->c, m->r, x, y, m->f->cell, &m->scale, place(m, row, col));
    if (is_cached(m, row))
        for (int i = 0; i < m->f->cell; i++) {
            struct rect one = rect_clip((struct rect){x + i, y, 1, 1}, m->r);
            const struct cell *cell = canvas_at(m->c, x + i, y);
            if (cell)
                canvas_paint(m->c, one, attention_dim(m->c, cell->look));
        }
    if (cursor)
        canvas_put(m->c, m->r, x, y, canvas_look(m->c, STYLE_CURSOR), "[]",
                   (size_t) m->f->cell);
}

/* The colour of one pixel; COLOR_NONE where there is none. */
static uint32_t pixel(const struct map *m, int row, int col)
{
    const struct attn_grid *g = m->g;
    struct look look = {COLOR_NONE, COLOR_NONE, 0};

    if (row >= g->rows)
        return COLOR_NONE;
    if (is_cursor(m, row, col))
        return canvas_look(m->c, STYLE_POINT).fg;
    if (isnan(g->v[row * g->cols + col]))
        return COLOR_NONE;
    look.fg = theme_color(m->c->theme, g->is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL,
                          place(m, row, col));
    return is_cached(m, row) ? attention_dim(m->c, look).fg : look.fg;
}

static void draw_pixels(const struct map *m, int x, int y, int line, int col)
{
    uint32_t top = pixel(m, line * 2, col), bottom = pixel(m, line * 2 + 1, col);

    if (top == COLOR_NONE && bottom == COLOR_NONE)
        canvas_text(m->c, m->r, x, y, STYLE_MASKED, absent_glyph(m, line * 2, col));
    else
        canvas_pixels(m->c, m->r, x, y, top, bottom);
}

static void draw_line(const struct map *m, int line)
{
    const struct attn_fit *f = m->f;
    int y = m->r.y + 1 + line, x = m->r.x + f->label, query = named_query(m, line);

    draw_row_label(m, y, query, attention_line(f, m->g, m->s->at.query) == 1 + line);
    for (int col = 0; col < m->g->cols; col++, x += f->cell) {
        if (f->half)
            draw_pixels(m, x, y, line, col);
        else
            draw_value(m, x, y, line, col);
    }
}

static void draw_map(const struct map *m)
{
    int lines = m->f->half ? (m->g->rows + 1) / 2 : m->g->rows;

    if (m->f->number && m->g->pool == 1)
        draw_key_names(m);
    else
        draw_ruler(m);
    for (int line = 0; line < lines; line++)
        draw_line(m, line);
}

void attention_draw(const struct session *s, const struct screen *st, struct canvas *c,
                    struct rect r)
{
    struct err err = ERR_INIT;
    struct attn_fit f;

    if (s->ids.n < 1) {
        canvas_text(c, r, r.x + 1, r.y + 1, STYLE_DIM, "No tokens yet: e edits the prompt.");
        return;
    }
    attention_fit(&f, s, c, r);
    const struct attn_grid *g = cache_attention(st->cache, s, &f.want, &err);
    if (!g) {
        canvas_fit(c, r, r.x, r.y, r.w, canvas_look(c, STYLE_ERROR), err.text);
        return;
    }
    struct map m = {s, c, r, &f, g, attention_scale(s, g), attention_new_from(s)};
    draw_map(&m);
    if (f.inset.w > 0)
        attention_draw_inset(s, c, &f, g);
    else
        attention_draw_legend(s, c, r, &f, g);
}

void attention_title(const struct session *s, char *out, size_t size)
{
    static const char *const zoom[] = {"", "  zoomed", "  zoomed"};
    bool mix = s->at.stage == STAGE_MIX;

    snprintf(out, size, "L%d.H%d %s  %s%s", s->at.layer, s->at.head, stage_name(s->at.stage),
             mix ? "position × channel" : "query × key", zoom[s->set.zoom]);
}
