/* What is said beside the map: the scale, the cursor's exact value, its neighbours. */
#include "view/attention.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct scale attention_scale(const struct session *s, const struct attn_grid *g)
{
    return (struct scale){s->set.scale, g->is_signed, (double) g->limit};
}

struct look attention_dim(const struct canvas *c, struct look look)
{
    if (!draw_rich(c)) {
        look.attr |= ATTR_DIM;
        return look;
    }
    for (int i = 0; i < 2; i++) {
        uint32_t *rgb = i ? &look.bg : &look.fg;
        if (*rgb != COLOR_NONE) /* six tenths of each channel */
            *rgb = (*rgb >> 16 & 255) * 6 / 10 << 16 | (*rgb >> 8 & 255) * 6 / 10 << 8 |
                   (*rgb & 255) * 6 / 10;
    }
    return look;
}

/* --- one value --- */

static bool read_cell(const struct session *s, int query, int key, float *v)
{
    struct err err = ERR_INIT;
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    struct region one = {{s->at.head, query, key}, {1, 1, 1}};

    if (s->at.stage == STAGE_MIX)
        one = (struct region){{query, s->at.head, key}, {1, 1, 1}};
    return value >= 0 && run_read(s->run, value, &one, v, &err);
}

const char *attention_value(const struct session *s, const struct attn_grid *g, int query,
                            int key, float *v)
{
    float sink;

    if (query >= g->ready)
        return "to do";
    if (attention_masks(s) && key > query)
        return "masked";
    if (key >= g->n_col)
        return s->at.stage == STAGE_MIX ? "no such channel" : "to do";
    if (!read_cell(s, query, key, v))
        return "to do";
    if (s->at.stage != STAGE_PATTERN || !s->set.hide_sink)
        return NULL;
    if (key == 0 || !read_cell(s, query, 0, &sink))
        return "hidden";
    *v = sink < 0.999999F ? *v / (1 - sink) : 0;
    return NULL;
}

static void print_value(const struct session *s, const struct attn_grid *g, int query, int key,
                        char *out, size_t size)
{
    float v;
    const char *why = attention_value(s, g, query, key, &v);

    if (why)
        snprintf(out, size, "%s", why);
    else
        snprintf(out, size, "%.4f", (double) v);
}

static void print_names(const struct session *s, int query, int key, char *out, size_t size)
{
    char from[48], to[48];

    tokenizer_label(s->tokenizer, s->ids.id[query], from, sizeof from);
    if (s->at.stage == STAGE_MIX) {
        snprintf(out, size, "%s channel %d", from, key);
        return;
    }
    tokenizer_label(s->tokenizer, s->ids.id[key], to, sizeof to);
    snprintf(out, size, "%s → %s", from, to);
}

void attention_tip(const struct session *s, const struct attn_grid *g, int query, int key,
                   char *out, size_t size)
{
    char names[112], value[32];

    print_names(s, query, key, names, sizeof names);
    print_value(s, g, query, key, value, sizeof value);
    snprintf(out, size, "[%d,%d] %s %s", query, key, names, value);
    if (g->pool > 1 || g->pool_q > 1) {
        size_t n = strlen(out);
        snprintf(out + n, size - n, "  (of %d×%d)", g->pool_q, g->pool);
    }
}

/* --- lines --- */

/* "[8,6] 0.6412"; returns the columns used. */
static int draw_cursor(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                       const struct attn_grid *g)
{
    char value[32];

    print_value(s, g, s->at.query, s->at.key, value, sizeof value);
    return canvas_printf(c, r, x, y, STYLE_SELECTED, "[%d,%d] %s", s->at.query, s->at.key,
                         value);
}

static void draw_names(const struct session *s, struct canvas *c, struct rect r, int x, int y)
{
    char names[112];

    print_names(s, s->at.query, s->at.key, names, sizeof names);
    canvas_fit(c, r, x, y, r.x + r.w - x, canvas_look(c, STYLE_TEXT), names);
}

/* "[8,6] ·Anna → ·Anna 0.6412" */
static void draw_cursor_line(const struct session *s, struct canvas *c, struct rect r, int y,
                             const struct attn_grid *g)
{
    char names[112], value[32];
    int x =
        r.x + canvas_printf(c, r, r.x, y, STYLE_SELECTED, "[%d,%d] ", s->at.query, s->at.key);

    print_names(s, s->at.query, s->at.key, names, sizeof names);
    print_value(s, g, s->at.query, s->at.key, value, sizeof value);
    int room = r.x + r.w - x - (int) strlen(value) - 1;
    x += canvas_fit(c, r, x, y, room, canvas_look(c, STYLE_TEXT), names) + 1;
    canvas_text(c, r, x, y, STYLE_SELECTED, value);
}

/* Pooled, or a window; returns where it ends. */
static int draw_part(struct canvas *c, struct rect r, int x, int y, const struct attn_grid *g)
{
    bool all = g->first_q == 0 && g->first_k == 0 && g->rows * g->pool_q >= g->n_query;

    if (g->pool > 1 || g->pool_q > 1)
        x += canvas_printf(c, r, x, y, STYLE_NEW, "max of %d×%d  ", g->pool_q, g->pool);
    else if (!all)
        x += canvas_printf(c, r, x, y, STYLE_NEW, "rows %d–%d of %d  ", g->first_q,
                           g->first_q + g->rows - 1, g->n_query);
    return x;
}

static bool sink_hidden(const struct session *s)
{
    return s->set.hide_sink && s->at.stage == STAGE_PATTERN;
}

/* What is hidden, what is bright. */
static void draw_note(const struct session *s, struct canvas *c, struct rect r, int x, int y)
{
    if (sink_hidden(s))
        canvas_text(c, r, x, y, STYLE_NEW,
                    r.x + r.w - x >= 40   ? "token 0 hidden, rows sum to 1 without it"
                    : r.x + r.w - x >= 31 ? "token 0 hidden, rest sums to 1"
                                          : "token 0 hidden");
    else if (attention_new_from(s) > 0)
        canvas_text(c, r, x, y, STYLE_NEW,
                    r.x + r.w - x >= 30 ? "new rows bright, cached ones dim"
                                        : "new rows bright");
}

int attention_inset_lines(const struct session *s)
{
    return sink_hidden(s) || attention_new_from(s) > 0 ? 5 : 4;
}

static int draw_mask(const struct session *s, struct canvas *c, struct rect r, int x, int y)
{
    return attention_masks(s) ? canvas_text(c, r, x, y, STYLE_MASKED, "∙ masked  ") : 0;
}

void attention_draw_legend(const struct session *s, struct canvas *c, struct rect r,
                           const struct attn_fit *f, const struct attn_grid *g)
{
    struct scale scale = attention_scale(s, g);
    int y = r.y + r.h - f->legend, x = r.x;

    if (f->legend == 2) {
        x += draw_scale(c, r, x, y, r.w > 50 ? 16 : 8, &scale) + 2;
        x += draw_mask(s, c, r, x, y);
        draw_note(s, c, r, draw_part(c, r, x, y, g), y);
        y++;
    }
    if (f->legend > 0)
        draw_cursor_line(s, c, r, y, g);
}

/* --- the magnifier --- */

/* A neighbourhood of `side` values around the cursor, inside the n there are. */
static int neighbours(int at, int n, int side)
{
    int first = at - side / 2;

    if (first > n - side)
        first = n - side;
    return first > 0 ? first : 0;
}

static void draw_neighbour(const struct session *s, struct canvas *c, struct rect r, int x,
                           int y, const struct attn_grid *g, int query, int key)
{
    struct scale scale = attention_scale(s, g);
    bool cursor = query == s->at.query && key == s->at.key;
    char number[16];
    float v;

    if (attention_value(s, g, query, key, &v)) {
        canvas_text(c, r, x, y, cursor ? STYLE_CURSOR : STYLE_MASKED,
                    attention_masks(s) && key > query ? "   ∙  " : "   ×  ");
        return;
    }
    if (scale.kind == SCALE_ROW_MAX) /* of the pixels' row: the same colours as on the map */
        scale.limit = (double) g->row_max[(query - g->first_q) / g->pool_q];
    draw_number(number, sizeof number, (double) v, 5);
    struct look look =
        cursor ? canvas_look(c, STYLE_CURSOR)
               : draw_heat_look(c, &scale, scale_at(&scale, (double) v, scale.limit));
    int used = canvas_put(c, r, x, y, look, number, strlen(number));
    canvas_put(c, r, x + used, y, look, " ", 1);
}

static void draw_magnifier(const struct session *s, struct canvas *c, struct rect r, int y,
                           const struct attn_grid *g, int side)
{
    int n_col = s->at.stage == STAGE_MIX ? g->n_col : g->n_query;
    int first_q = neighbours(s->at.query, g->n_query, side);
    int first_k = neighbours(s->at.key, n_col, side), x = r.x + 5;

    for (int j = 0; j < side && first_k + j < n_col; j++)
        canvas_printf(c, r, x + j * 6, y,
                      first_k + j == s->at.key ? STYLE_SELECTED : STYLE_AXIS, "%5d",
                      first_k + j);
    for (int i = 0; i < side && first_q + i < g->n_query; i++) {
        int query = first_q + i;
        canvas_printf(c, r, r.x, y + 1 + i, query == s->at.query ? STYLE_SELECTED : STYLE_AXIS,
                      "%4d", query);
        for (int j = 0; j < side && first_k + j < n_col; j++)
            draw_neighbour(s, c, r, x + j * 6, y + 1 + i, g, query, first_k + j);
    }
}

void attention_draw_inset(const struct session *s, struct canvas *c, const struct attn_fit *f,
                          const struct attn_grid *g)
{
    struct rect r = f->inset;
    struct scale scale = attention_scale(s, g);
    struct rect around = {r.x - 1, r.y, r.w + 1, r.h};

    canvas_fill(c, around, canvas_look(c, STYLE_TEXT), ' ');
    draw_scale(c, r, r.x, r.y, 12, &scale);
    int x = r.x + draw_mask(s, c, r, r.x, r.y + 1);
    draw_part(c, r, x, r.y + 1, g);
    draw_cursor(s, c, r, r.x, r.y + 2, g);
    draw_names(s, c, r, r.x, r.y + 3);
    draw_note(s, c, r, r.x, r.y + 4);
    if (f->magnified > 0)
        draw_magnifier(s, c, r, r.y + attention_inset_lines(s), g, f->magnified);
}
