#include "view/style.h"

#include <math.h>
#include <string.h>

#define NONE COLOR_NONE

// clang-format off
static const char *const style_names[STYLE_COUNT] = {
    "text", "dim", "title", "status", "key", "error", "cursor", "selected", "masked", "new",
    "cached", "done", "current", "todo", "bus", "bar", "point", "axis", "frame", "frame-active",
};

static const struct look look_colour[STYLE_COUNT] = {
    [STYLE_TEXT]         = {NONE,     NONE,     0},
    [STYLE_DIM]          = {0x949494, NONE,     0},
    [STYLE_TITLE]        = {0x5fd7ff, NONE,     ATTR_BOLD},
    [STYLE_STATUS]       = {0xdadada, 0x303030, 0},
    [STYLE_KEY]          = {0xffd787, NONE,     ATTR_BOLD},
    [STYLE_ERROR]        = {0xff875f, NONE,     ATTR_BOLD},
    [STYLE_CURSOR]       = {0x000000, 0xffd75f, ATTR_BOLD},
    [STYLE_SELECTED]     = {0xffd75f, NONE,     ATTR_BOLD},
    [STYLE_MASKED]       = {0x585858, NONE,     0},
    [STYLE_NEW]          = {0xffaf5f, NONE,     0},
    [STYLE_CACHED]       = {0x87d7af, NONE,     0},
    [STYLE_DONE]         = {0x87af87, NONE,     0},
    [STYLE_CURRENT]      = {0xffd75f, NONE,     ATTR_BOLD},
    [STYLE_TODO]         = {0x767676, NONE,     0},
    [STYLE_BUS]          = {0x5f87ff, NONE,     ATTR_BOLD},
    [STYLE_BAR]          = {0x5fafd7, NONE,     0},
    [STYLE_POINT]        = {0xff5f87, NONE,     ATTR_BOLD},
    [STYLE_AXIS]         = {0xa8a8a8, NONE,     0},
    [STYLE_FRAME]        = {0x585858, NONE,     0},
    [STYLE_FRAME_ACTIVE] = {0x87afff, NONE,     0},
};

static const struct look look_grey[STYLE_COUNT] = {
    [STYLE_TEXT]         = {NONE,     NONE,     0},
    [STYLE_DIM]          = {0x949494, NONE,     0},
    [STYLE_TITLE]        = {0xffffff, NONE,     ATTR_BOLD},
    [STYLE_STATUS]       = {0xdadada, 0x303030, 0},
    [STYLE_KEY]          = {0xffffff, NONE,     ATTR_BOLD},
    [STYLE_ERROR]        = {0xffffff, NONE,     ATTR_BOLD | ATTR_UNDERLINE},
    [STYLE_CURSOR]       = {0x000000, 0xffffff, ATTR_BOLD},
    [STYLE_SELECTED]     = {0xffffff, NONE,     ATTR_BOLD},
    [STYLE_MASKED]       = {0x585858, NONE,     0},
    [STYLE_NEW]          = {0xeeeeee, NONE,     ATTR_UNDERLINE},
    [STYLE_CACHED]       = {0xbcbcbc, NONE,     0},
    [STYLE_DONE]         = {0xa8a8a8, NONE,     0},
    [STYLE_CURRENT]      = {0xffffff, NONE,     ATTR_BOLD},
    [STYLE_TODO]         = {0x767676, NONE,     0},
    [STYLE_BUS]          = {0xdadada, NONE,     ATTR_BOLD},
    [STYLE_BAR]          = {0xbcbcbc, NONE,     0},
    [STYLE_POINT]        = {0xff5f87, NONE,     ATTR_BOLD},
    [STYLE_AXIS]         = {0xa8a8a8, NONE,     0},
    [STYLE_FRAME]        = {0x585858, NONE,     0},
    [STYLE_FRAME_ACTIVE] = {0xdadada, NONE,     0},
};

/* viridis (van der Walt and Smith) and cividis (Nunez et al. 2018): anchors of the published
 * maps, evenly spaced. Both are made for colour-blind readers. */
static const uint32_t viridis[] = {
    0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e,
    0x1f988b, 0x22a884, 0x35b779, 0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725,
};
static const uint32_t cividis[] = {
    0x00204d, 0x00306f, 0x2a406c, 0x48526b, 0x5e626e, 0x727374,
    0x878479, 0x9e9677, 0xb6a971, 0xd0be67, 0xead357, 0xffea46,
};
static const uint32_t grey[] = {0x1c1c1c, 0xffffff};
/* Blue for negative, orange for positive, a dark neutral between: told apart by everybody. */
static const uint32_t blue_orange[] = {
    0x87cfff, 0x4aa3f0, 0x2b76b9, 0x214a70, 0x1c1c1c, 0x6b4015, 0xb56a12, 0xf0942b, 0xffc678,
};
// clang-format on

#define RAMP(a)                                                                                \
    {                                                                                          \
        a, sizeof(a) / sizeof(a)[0]                                                            \
    }

const struct theme themes[] = {
    {"viridis", look_colour, {RAMP(viridis), RAMP(blue_orange)}},
    {"cividis", look_colour, {RAMP(cividis), RAMP(blue_orange)}},
    {"grey", look_grey, {RAMP(grey), RAMP(blue_orange)}},
    {NULL, NULL, {{NULL, 0}, {NULL, 0}}},
};

const char *style_name(enum style style)
{
    return (unsigned) style < STYLE_COUNT ? style_names[style] : "?";
}

const struct theme *theme_find(const char *name)
{
    for (const struct theme *t = themes; t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static uint32_t mix_channel(uint32_t a, uint32_t b, int shift, double f)
{
    double x = (double) (a >> shift & 0xff), y = (double) (b >> shift & 0xff);
    return (uint32_t) (x + (y - x) * f + 0.5) << shift;
}

uint32_t theme_color(const struct theme *t, enum colormap map, double at)
{
    const struct ramp *r = &t->map[map];
    double pos = at > 0 ? (at < 1 ? at : 1) * (r->n - 1) : 0; /* NAN fails the test: 0 */
    int i = (int) pos;
    if (i > r->n - 2)
        i = r->n - 2;
    double f = pos - i;
    return mix_channel(r->rgb[i], r->rgb[i + 1], 16, f) |
           mix_channel(r->rgb[i], r->rgb[i + 1], 8, f) |
           mix_channel(r->rgb[i], r->rgb[i + 1], 0, f);
}

static int red(uint32_t c)
{
    return (int) (c >> 16 & 0xff);
}

static int green(uint32_t c)
{
    return (int) (c >> 8 & 0xff);
}

static int blue(uint32_t c)
{
    return (int) (c & 0xff);
}

uint32_t color_contrast(uint32_t bg)
{
    int luma = (299 * red(bg) + 587 * green(bg) + 114 * blue(bg)) / 1000;
    return luma > 127 ? 0x000000 : 0xffffff;
}

/* Weighted by how much the eye sees of each channel. */
static int distance(uint32_t a, uint32_t b)
{
    int r = red(a) - red(b), g = green(a) - green(b), l = blue(a) - blue(b);
    return 3 * r * r + 4 * g * g + 2 * l * l;
}

static int cube_level(int v)
{
    return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

/* The 256-colour palette: 16..231 a 6x6x6 cube with levels 0, 95, 135, ... 255; 232..255 greys
 * 8, 18, ... 238. */
int color_to_256(uint32_t rgb)
{
    static const int level[] = {0, 95, 135, 175, 215, 255};
    int r = cube_level(red(rgb)), g = cube_level(green(rgb)), b = cube_level(blue(rgb));
    uint32_t cube = (uint32_t) (level[r] << 16 | level[g] << 8 | level[b]);
    int low = red(rgb) < green(rgb) ? red(rgb) : green(rgb);
    int high = red(rgb) > green(rgb) ? red(rgb) : green(rgb);
    low = blue(rgb) < low ? blue(rgb) : low;
    high = blue(rgb) > high ? blue(rgb) : high;
    if (high - low > 48) /* a grey, though near, would break the run of a colour map */
        return 16 + 36 * r + 6 * g + b;
    int mean = (3 * red(rgb) + 4 * green(rgb) + 2 * blue(rgb) + 4) / 9; /* as in distance */
    int step = mean < 3 ? 0 : mean > 238 ? 23 : (mean - 3) / 10;
    uint32_t shade = (uint32_t) (8 + 10 * step) * 0x010101u;
    if (distance(rgb, shade) < distance(rgb, cube))
        return 232 + step;
    return 16 + 36 * r + 6 * g + b;
}

static int nearest(uint32_t rgb, const uint32_t *palette, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (distance(rgb, palette[i]) < distance(rgb, palette[best]))
            best = i;
    return best;
}

static const uint32_t palette16[] = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x2a5bd7, 0xcd00cd, 0x00cdcd, 0xd0d0d0,
    0x6f6f6f, 0xff5f5f, 0x5fff5f, 0xffff5f, 0x5f87ff, 0xff5fff, 0x5fffff, 0xffffff,
};

int color_to_16(uint32_t rgb)
{
    return nearest(rgb, palette16, 16);
}

/* Dark greys would be black on black: they become white. */
int color_to_8(uint32_t rgb)
{
    int i = nearest(rgb, palette16, 16);
    return i == 8 ? (red(rgb) > 0x40 ? 7 : 0) : i & 7;
}
