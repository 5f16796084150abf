#include "view/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The log scale covers this many powers of ten below its limit. */
#define LOG_DECADES 4.0

const char *scale_name(enum color_scale kind)
{
    static const char *const name[] = {"linear", "sqrt", "log", "row max"};
    return name[kind];
}

static double scale_part(enum color_scale kind, double part)
{
    if (!(part > 0))
        return 0;
    if (part > 1)
        part = 1;
    switch (kind) {
    case SCALE_SQRT:
        return sqrt(part);
    case SCALE_LOG:
        part = 1 + log10(part) / LOG_DECADES;
        return part > 0 ? part : 0;
    case SCALE_LINEAR:
    case SCALE_ROW_MAX:
        break;
    }
    return part;
}

double scale_at(const struct scale *s, double v, double row_max)
{
    double limit = s->kind == SCALE_ROW_MAX ? row_max : s->limit;
    if (!(limit > 0))
        return s->is_signed ? 0.5 : 0;
    double part = scale_part(s->kind, fabs(v) / limit);
    if (!s->is_signed)
        return v > 0 ? part : 0;
    return v < 0 ? 0.5 - part / 2 : 0.5 + part / 2;
}

bool draw_rich(const struct canvas *c)
{
    return c->caps.colors >= 256;
}

/* How far a place is from "nothing", 0..1. */
static double strength(const struct scale *s, double at)
{
    return s->is_signed ? fabs(at - 0.5) * 2 : at;
}

struct look draw_heat_look(const struct canvas *c, const struct scale *s, double at)
{
    double much = strength(s, at);
    if (draw_rich(c)) {
        uint32_t bg = theme_color(c->theme, s->is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL, at);
        uint32_t fg = much < 0.1 ? 0xa8a8b8 : color_contrast(bg);
        return (struct look){fg, bg, 0};
    }
    struct look look = canvas_look(c, STYLE_TEXT);
    if (s->is_signed && c->caps.colors)
        look.fg = theme_color(c->theme, MAP_DIVERGING, at < 0.5 ? 0.1 : 0.9);
    look.attr = much > 0.6 ? ATTR_BOLD : 0;
    return look;
}

static const char *ramp_glyph(const struct canvas *c, double much)
{
    static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
    static const char *const shade[] = {" ", "░", "▒", "▓", "█"};
    int n = c->caps.ascii ? 10 : 5;
    int i = (int) (much * n);
    i = i < 0 ? 0 : i >= n ? n - 1 : i;
    return c->caps.ascii ? ascii[i] : shade[i];
}

void draw_heat(struct canvas *c, struct rect clip, int x, int y, int cells,
               const struct scale *s, double at)
{
    struct look look = draw_heat_look(c, s, at);
    const char *glyph = draw_rich(c) ? " " : ramp_glyph(c, strength(s, at));
    if (!draw_rich(c))
        look.attr = 0;
    for (int i = 0; i < cells; i++)
        canvas_put(c, clip, x + i, y, look, glyph, strlen(glyph));
}

int draw_scale(struct canvas *c, struct rect clip, int x, int y, int cells,
               const struct scale *s)
{
    char low[16], high[16];
    int begin = x;
    double limit = s->kind == SCALE_ROW_MAX ? 1 : s->limit;
    snprintf(low, sizeof low, "%.3g", -limit);
    snprintf(high, sizeof high, "%.3g", limit);
    if (s->kind == SCALE_LOG && !s->is_signed)
        snprintf(low, sizeof low, "≤%.0e", limit * pow(10, -LOG_DECADES));
    else if (!s->is_signed)
        strcpy(low, "0");
    x += canvas_printf(c, clip, x, y, STYLE_AXIS, "%s ", low);
    for (int i = 0; i < cells; i++)
        draw_heat(c, clip, x + i, y, 1, s, cells > 1 ? (double) i / (cells - 1) : 1);
    x += cells;
    const char *unit = s->kind == SCALE_ROW_MAX ? "row max" : high;
    x += canvas_printf(c, clip, x, y, STYLE_AXIS, " %s", unit);
    if (s->kind == SCALE_SQRT || s->kind == SCALE_LOG)
        x += canvas_printf(c, clip, x, y, STYLE_AXIS, " %s", scale_name(s->kind));
    return x - begin;
}

/* Without the zero before the point; "-0.0" is "0". */
static void shorten(char *text)
{
    char *digits = text[0] == '-' ? text + 1 : text;
    if (digits[0] == '0' && digits[1] == '.')
        memmove(digits, digits + 1, strlen(digits));
    if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
        memmove(text, text + 1, strlen(text));
}

/* "1e5", "-3e-9". */
static void with_exponent(char *text, size_t size, double v)
{
    snprintf(text, size, "%.0e", v);
    char *e = strchr(text, 'e');
    snprintf(e, size - (size_t) (e - text), "e%d", atoi(e + 1));
}

char *draw_number(char *out, size_t size, double v, int width)
{
    char text[48];
    int room = width < 0 ? -width : width;
    if (isnan(v)) {
        snprintf(text, sizeof text, "nan");
    } else if (isinf(v)) {
        snprintf(text, sizeof text, v > 0 ? "inf" : "-inf");
    } else {
        int decimals = room > 5 ? 4 : room > 1 ? room - 1 : 0;
        do {
            snprintf(text, sizeof text, "%.*f", decimals, v);
            shorten(text);
        } while ((int) strlen(text) > room && decimals-- > 0);
        if ((int) strlen(text) > room)
            with_exponent(text, sizeof text, v);
    }
    if ((int) strlen(text) > room) { /* cut, it would be another number */
        memset(text, '#', sizeof text - 1);
        text[room < (int) sizeof text ? room : (int) sizeof text - 1] = '\0';
    }
    snprintf(out, size, "%*.*s", width > 0 ? width : 0, room, text);
    return out;
}

void draw_bar(struct canvas *c, struct rect clip, int x, int y, int cells, double part,
              struct look look)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    part = part > 0 && cells > 0 ? (part < 1 ? part : 1) : 0;
    int units = (int) (part * cells * 8 + 0.5);
    for (int i = 0; i < units / 8; i++)
        canvas_put(c, clip, x + i, y, look, "█", strlen("█"));
    canvas_put(c, clip, x + units / 8, y, look, eighth[units % 8], strlen(eighth[units % 8]));
}

static float largest(const float *v, int n)
{
    float most = 0;
    for (int i = 0; i < n; i++)
        if (fabsf(v[i]) > fabsf(most))
            most = v[i];
    return most;
}

const char *draw_eighths(double part)
{
    static const char *const column[] = {"▁", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

    return column[part > 0 ? (part < 1 ? (int) (part * 8 + 0.5) : 8) : 0];
}

int draw_spark(struct canvas *c, struct rect clip, int x, int y, int cells, const float *v,
               int n, bool is_signed)
{
    if (n <= 0 || cells <= 0)
        return 1;
    int pool = (n + cells - 1) / cells;
    float limit = fabsf(largest(v, n));
    for (int i = 0; i * pool < n; i++) {
        int count = n - i * pool < pool ? n - i * pool : pool;
        float most = largest(v + i * pool, count);
        struct look look = canvas_look(c, most == 0 ? STYLE_TODO : STYLE_BAR);
        if (is_signed && most != 0)
            look.fg = theme_color(c->theme, MAP_DIVERGING, most < 0 ? 0.12 : 0.88);
        if (is_signed && most < 0 && c->caps.colors == 0)
            look.attr = ATTR_REVERSE;
        const char *column = draw_eighths(limit > 0 ? (double) (fabsf(most) / limit) : 0);
        canvas_put(c, clip, x + i, y, look, column, strlen(column));
    }
    return pool;
}

static char *with_unit(char *out, size_t size, double n, double base, const char *const *unit)
{
    int i = 0;
    for (; n >= base * 0.9995 && unit[i + 1]; i++)
        n /= base;
    snprintf(out, size, i == 0 || n >= 99.95 ? "%.0f%s" : "%.1f%s", n, unit[i]);
    return out;
}

char *draw_count(char *out, size_t size, double n)
{
    static const char *const unit[] = {"", "k", "M", "G", "T", NULL};
    return with_unit(out, size, n, 1000, unit);
}

char *draw_bytes(char *out, size_t size, double n)
{
    static const char *const unit[] = {" B", " KB", " MB", " GB", " TB", NULL};
    return with_unit(out, size, n, 1024, unit);
}
