/* One head's difference: queries down, keys across, now - mark at the stage the cursor is on.
 */
#include "view/compare.h"

#include "base/utf8.h"
#include "session/mark.h"
#include "view/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How the map is put into its panel. */
struct fit {
    int cell;       /* columns a value; numbers from 5 on */
    bool half;      /* two queries a row */
    int label;      /* columns for the queries' names */
    int legend;     /* lines below */
    int rows, cols; /* values that fit */
};

/* --- numbers and colours of differences --- */

/* Where there are no colours: the sign, and how much. */
static const char *sign_glyph(double at)
{
    static const char *const glyph[] = {"=", "-", " ", "+", "#"};

    return glyph[at < 0.2 ? 0 : at < 0.45 ? 1 : at <= 0.55 ? 2 : at <= 0.8 ? 3 : 4];
}

void compare_heat(struct canvas *c, struct rect clip, int x, int y, int cells,
                  const struct scale *scale, double at)
{
    if (!scale->is_signed || c->caps.colors > 0) {
        draw_heat(c, clip, x, y, cells, scale, at);
        return;
    }
    for (int i = 0; i < cells; i++)
        canvas_text(c, clip, x + i, y, STYLE_TEXT, sign_glyph(at));
}

char *compare_number(char *out, size_t size, double v, int width)
{
    char text[48] = "0";

    for (int decimals = width > 2 ? width - 2 : 0; v != 0; decimals--) {
        snprintf(text, sizeof text, "%+.*f", decimals, v);
        if (text[1] == '0' && text[2] == '.')
            memmove(text + 1, text + 2, strlen(text + 1));
        if ((int) strlen(text) <= width || decimals == 0)
            break;
    }
    if ((int) strlen(text) > width) {
        text[0] = v < 0 ? '-' : '+';
        draw_number(text + 1, sizeof text - 1, fabs(v), 1 - width);
    }
    bool none = strspn(text + 1, "0.") == strlen(text + 1) && v != 0; /* too small for a sign */
    snprintf(out, size, "%*.*s", width, width, text + none);
    return out;
}

void compare_nothing(const struct session *s, struct canvas *c, struct rect r,
                     const struct err *err)
{
    if (!s->mark)
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM,
                       "Nothing is marked: m keeps the present run as the other side.");
    else if (err->text[0])
        canvas_fit(c, r, r.x, r.y, r.w, canvas_look(c, STYLE_ERROR), err->text);
    else
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM,
                       s->ids.n < 1 ? "No tokens yet: e edits the prompt."
                                    : "Not computed yet: r runs to the end.");
}

/* --- the fit --- */

static int compared(const struct session *s)
{
    struct err err = ERR_INIT;
    struct diff d;

    return diff_open(&d, s, &err) ? d.n : 0;
}

static bool try_fit(struct fit *f, struct rect r, int cell, int n, int n_col)
{
    f->cell = cell;
    f->half = cell == 1;
    f->rows = (r.h - 1 - f->legend) * (f->half ? 2 : 1);
    f->cols = (r.w - f->label) / cell;
    return f->rows >= n && f->cols >= n_col;
}

static void find_fit(struct fit *f, const struct session *s, const struct canvas *c,
                     struct rect r)
{
    int n = compared(s), n_col = s->at.stage == STAGE_MIX ? s->program->hp.d_head : n;

    f->label = r.w >= 56 ? 12 : r.w >= 40 ? 9 : r.w >= 24 ? 6 : 0;
    f->legend = r.h < 6 ? 0 : r.h < 9 ? 1 : 2;
    for (int cell = 6; cell >= 2; cell--)
        if (try_fit(f, r, cell, n, n_col))
            return;
    try_fit(f, r, 1, n, n_col);
    if (!draw_rich(c)) { /* half blocks need colours */
        f->half = false;
        f->rows = r.h - 1 - f->legend;
    }
    f->rows = f->rows < 1 ? 1 : f->rows;
    f->cols = f->cols < 1 ? 1 : f->cols;
}

static struct scale map_scale(const struct session *s, const struct compare_map *m)
{
    enum color_scale kind = s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale;

    return (struct scale){kind, true, (double) m->limit};
}

/* --- labels --- */

/* The query that names a line: the cursor's if it is in there. */
static int named_query(const struct session *s, const struct fit *f,
                       const struct compare_map *m, int line)
{
    int per_line = m->pool_q * (f->half ? 2 : 1), first = line * per_line;

    return s->at.query >= first && s->at.query < first + per_line ? s->at.query : first;
}

/* A token of the text, marked where the mark has another one. */
static enum style token_style(const struct session *s, int pos, bool selected)
{
    if (selected)
        return STYLE_SELECTED;
    return s->ids.id[pos] == run_tokens(s->mark->run)[pos] ? STYLE_AXIS : STYLE_NEW;
}

static void draw_label(const struct session *s, struct canvas *c, struct rect r, int y,
                       const struct fit *f, const struct compare_map *m, int line)
{
    int query = named_query(s, f, m, line);
    char label[64], text[80];

    if (f->label == 0)
        return;
    tokenizer_label(s->tokenizer, s->ids.id[query], label, sizeof label);
    snprintf(text, sizeof text, "%d %s", query, label);
    enum style style = token_style(s, query, query == s->at.query);
    canvas_fit(c, r, r.x, y, f->label - 1, canvas_look(c, style), text);
}

static void draw_names(const struct session *s, struct canvas *c, struct rect r,
                       const struct fit *f, const struct compare_map *m)
{
    for (int j = 0; j < m->cols; j++) {
        char label[64];
        const char *name = label;
        int x = r.x + f->label + j * f->cell, used;
        enum style style = j == s->at.key ? STYLE_SELECTED : STYLE_AXIS;
        if (s->at.stage == STAGE_MIX) {
            snprintf(label, sizeof label, "%d", j);
        } else {
            tokenizer_label(s->tokenizer, s->ids.id[j], label, sizeof label);
            style = token_style(s, j, j == s->at.key);
        }
        if (f->cell <= 4 && strncmp(name, "·", 2) == 0 && name[2])
            name += 2;
        size_t n = utf8_fit(name, strlen(name), f->cell - 1, &used);
        canvas_put(c, r, x + f->cell - 1 - used, r.y, canvas_look(c, style), name, n);
    }
}

static void draw_ruler(const struct session *s, struct canvas *c, struct rect r,
                       const struct fit *f, const struct compare_map *m)
{
    int x0 = r.x + f->label, end = 0, every = m->cols * f->cell > 40 ? 10 : 5;

    for (int j = 0; j < m->cols; j += every)
        if (j * f->cell >= end)
            end = j * f->cell + 1 +
                  canvas_printf(c, r, x0 + j * f->cell, r.y, STYLE_AXIS, "%d", j * m->pool);
    if (s->at.key / m->pool < m->cols)
        canvas_text(c, r, x0 + s->at.key / m->pool * f->cell, r.y, STYLE_SELECTED, "▼");
}

/* --- cells --- */

static bool is_cursor(const struct session *s, const struct compare_map *m, int row, int col)
{
    return row == s->at.query / m->pool_q && col == s->at.key / m->pool;
}

/* Hidden by the mask, or not there yet. */
static const char *absent(const struct session *s, const struct compare_map *m, int row,
                          int col)
{
    bool masked = s->at.stage != STAGE_MIX && col * m->pool > (row + 1) * m->pool_q - 1;

    return masked ? "∙" : "·";
}

static void draw_value(const struct session *s, struct canvas *c, struct rect r, int x, int y,
                       const struct fit *f, const struct compare_map *m, int row, int col)
{
    struct scale scale = map_scale(s, m);
    float v = m->v[row * m->cols + col];
    bool cursor = is_cursor(s, m, row, col);
    double at = scale_at(&scale, (double) v, 0);
    char text[24];

    if (isnan(v)) {
        canvas_text(c, r, x + (f->cell > 2 ? f->cell - 2 : 0), y,
                    cursor ? STYLE_CURSOR : STYLE_MASKED, absent(s, m, row, col));
    } else if (f->cell > 4) {
        compare_number(text, sizeof text, (double) v, f->cell - 1);
        strcat(text, " ");
        struct look look =
            cursor ? canvas_look(c, STYLE_CURSOR) : draw_heat_look(c, &scale, at);
        canvas_put(c, r, x, y, look, text, strlen(text));
    } else {
        compare_heat(c, r, x, y, f->cell, &scale, at);
        if (cursor)
            canvas_text(c, r, x, y, STYLE_CURSOR, "[");
        if (cursor && f->cell > 1)
            canvas_text(c, r, x + f->cell - 1, y, STYLE_CURSOR, "]");
    }
}

static uint32_t pixel(const struct session *s, const struct canvas *c,
                      const struct compare_map *m, int row, int col)
{
    struct scale scale = map_scale(s, m);

    if (row >= m->rows)
        return COLOR_NONE;
    if (is_cursor(s, m, row, col))
        return canvas_look(c, STYLE_POINT).fg;
    float v = m->v[row * m->cols + col];
    if (isnan(v))
        return COLOR_NONE;
    return theme_color(c->theme, MAP_DIVERGING, scale_at(&scale, (double) v, 0));
}

static void draw_line(const struct session *s, struct canvas *c, struct rect r, int line,
                      const struct fit *f, const struct compare_map *m)
{
    int y = r.y + 1 + line, x = r.x + f->label;

    draw_label(s, c, r, y, f, m, line);
    for (int col = 0; col < m->cols; col++, x += f->cell) {
        if (!f->half) {
            draw_value(s, c, r, x, y, f, m, line, col);
            continue;
        }
        uint32_t top = pixel(s, c, m, 2 * line, col), low = pixel(s, c, m, 2 * line + 1, col);
        if (top == COLOR_NONE && low == COLOR_NONE)
            canvas_text(c, r, x, y, STYLE_MASKED, absent(s, m, 2 * line, col));
        else
            canvas_pixels(c, r, x, y, top, low);
    }
}

/* --- below the map --- */

static bool read_cell(const struct session *s, const struct run *run, float *v)
{
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    struct region one = {{s->at.head, s->at.query, s->at.key}, {1, 1, 1}};
    struct err err = ERR_INIT;

    if (s->at.stage == STAGE_MIX)
        one = (struct region){{s->at.query, s->at.head, s->at.key}, {1, 1, 1}};
    return run_read(run, value, &one, v, &err);
}

/* "[8,6] ·Anna → ·gave  now .6412  mark .5 " */
static void draw_cursor(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct compare_map *m)
{
    char from[48], to[48] = "";
    float now, mark;
    int x =
        r.x + canvas_printf(c, r, r.x, y, STYLE_SELECTED, "[%d,%d]", s->at.query, s->at.key);

    if (s->at.query >= m->n || s->at.key >= m->n_col) {
        canvas_text(c, r, x + 1, y, STYLE_DIM, "beyond what both have");
        return;
    }
    tokenizer_label(s->tokenizer, s->ids.id[s->at.query], from, sizeof from);
    if (s->at.stage != STAGE_MIX)
        tokenizer_label(s->tokenizer, s->ids.id[s->at.key], to, sizeof to);
    if (r.w >= 48)
        x += canvas_printf(c, r, x, y, STYLE_TEXT, " %.14s%s%.14s", from, *to ? " → " : "", to);
    if (s->at.stage != STAGE_MIX && s->at.key > s->at.query) {
        canvas_text(c, r, x + 1, y, STYLE_DIM, "masked");
    } else if (s->at.query >= m->ready || !read_cell(s, s->run, &now) ||
               !read_cell(s, s->mark->run, &mark)) {
        canvas_text(c, r, x + 1, y, STYLE_DIM, "to do");
    } else {
        x += canvas_printf(c, r, x, y, STYLE_TEXT, " %.4f - %.4f = ", (double) now,
                           (double) mark);
        canvas_printf(c, r, x, y, STYLE_SELECTED, now == mark ? "0" : "%+.4f",
                      (double) now - (double) mark);
    }
}

/* What a pixel stands for, what is to do, and what the scale's ends are. */
static void draw_ends(struct canvas *c, struct rect r, int x, int y,
                      const struct compare_map *m)
{
    char text[128] = "";
    int n = 0;

    if (m->pool > 1 || m->pool_q > 1)
        n = snprintf(text, sizeof text, "max of %d×%d  ", m->pool_q, m->pool);
    if (m->done < m->n)
        n += snprintf(text + n, sizeof text - (size_t) n, "%d of %d queries  ", m->done, m->n);
    if (m->most > 0)
        snprintf(text + n, sizeof text - (size_t) n,
                 r.w >= 64 ? "ends: 99th percentile  largest %.3g" : "ends 99 %%  most %.3g",
                 (double) m->most);
    else
        snprintf(text + n, sizeof text - (size_t) n, "no difference");
    canvas_fit(c, r, x, y, r.x + r.w - x, canvas_look(c, STYLE_AXIS), text);
}

static void draw_legend(const struct session *s, struct canvas *c, struct rect r,
                        const struct fit *f, const struct compare_map *m)
{
    struct scale scale = map_scale(s, m);
    int y = r.y + r.h - f->legend, x = r.x;

    if (f->legend > 1) {
        if (draw_rich(c))
            x += draw_scale(c, r, x, y, r.w >= 64 ? 17 : 9, &scale);
        else
            x += canvas_printf(c, r, x, y, STYLE_AXIS, "%.3g = - + # %.3g %s", -scale.limit,
                               scale.limit, scale_name(scale.kind));
        draw_ends(c, r, x + 2, y++, m);
    }
    if (f->legend > 0)
        draw_cursor(s, c, r, y, m);
}

void compare_map_draw(const struct session *s, const struct screen *st, struct canvas *c,
                      struct rect r)
{
    struct err err = ERR_INIT;
    struct fit f;

    find_fit(&f, s, c, r);
    const struct compare_map *m = cache_compare_map(st->cache, s, f.rows, f.cols, &err);
    if (!m) {
        compare_nothing(s, c, r, &err);
        return;
    }
    if (f.cell > 2 && m->pool == 1)
        draw_names(s, c, r, &f, m);
    else
        draw_ruler(s, c, r, &f, m);
    int lines = f.half ? (m->rows + 1) / 2 : m->rows;
    for (int line = 0; line < lines; line++)
        draw_line(s, c, r, line, &f, m);
    draw_legend(s, c, r, &f, m);
}

void compare_map_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                     struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct fit f;

    find_fit(&f, s, c, r);
    const struct compare_map *m = cache_compare_map(st->cache, s, f.rows, f.cols, &err);
    int line = y - r.y - 1, col = x - r.x - f.label;
    if (!m || line < 0 || col < 0 || line >= (f.half ? (m->rows + 1) / 2 : m->rows) ||
        col / f.cell >= m->cols)
        return;
    int row = f.half ? 2 * line : line, query = row * m->pool_q, key = col / f.cell * m->pool;
    float v = m->v[row * m->cols + col / f.cell];
    snprintf(h->line, sizeof h->line, "select %d,%d", query, key);
    if (!isnan(v))
        snprintf(h->tip, sizeof h->tip, "[%d,%d] now - mark %+.4f%s", query, key, (double) v,
                 m->pool > 1 || m->pool_q > 1 ? ", the largest of those in it" : "");
}

void compare_map_title(const struct session *s, char *out, size_t size)
{
    struct err err = ERR_INIT;
    struct diff d;
    int n = snprintf(out, size, "L%d.H%d %s  now - mark", s->at.layer, s->at.head,
                     stage_name(s->at.stage));

    if (diff_open(&d, s, &err) && d.n_same < d.n && n > 0 && (size_t) n < size)
        snprintf(out + n, size - (size_t) n, "  tokens differ from %d on", d.n_same);
}
