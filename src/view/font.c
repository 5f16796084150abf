#include "view/font.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "text/nfc.h"

#include <stdlib.h>
#include <string.h>

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_SYNTHESIS_H

#define NO_FONT                                                                                \
    "there is no font for the text of the picture; install fonts-dejavu-core (Debian, "        \
    "Ubuntu), dejavu-sans-mono-fonts (Fedora) or ttf-dejavu (Arch), or write .svg or .html"

/* The fonts of one weight, best first; faces are opened when a character needs them. */
struct family {
    FcFontSet *set; /* NULL: not looked for yet */
    FT_Face *face;  /* [set->nfont] */
    bool *tried;
};

enum { REGULAR, BOLD, FAMILIES };

struct font {
    FcConfig *config;
    FT_Library library;
    struct family family[FAMILIES];
    int w, h;      /* of a cell */
    FT_F26Dot6 em; /* size of the letters, in 1/64 pixel */
    int baseline;  /* pixels from the cell's top */
};

/* --- pixels --- */

void raster_blend(struct raster *to, int x, int y, uint32_t rgb, int alpha)
{
    if (x < 0 || y < 0 || x >= to->w || y >= to->h)
        return;
    uint8_t *p = to->rgb + ((size_t) y * (size_t) to->w + (size_t) x) * 3;
    for (int i = 0; i < 3; i++) {
        int ink = (int) (rgb >> (16 - 8 * i) & 0xff);
        p[i] = (uint8_t) ((p[i] * (255 - alpha) + ink * alpha + 127) / 255);
    }
}

void raster_fill(struct raster *to, struct rect r, uint32_t rgb)
{
    r = rect_clip(r, (struct rect){0, 0, to->w, to->h});
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            raster_blend(to, x, y, rgb, 255);
}

/* --- finding --- */

/* Those that fill a cell of 1 to 2 well come first. */
static const char *const families[] = {"DejaVu Sans Mono", "Menlo", "Consolas",
                                       "Liberation Mono", "monospace"};

static FcFontSet *find_fonts(FcConfig *config, bool bold)
{
    FcResult result = FcResultNoMatch;
    FcPattern *want = FcPatternCreate();

    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        FcPatternAddString(want, FC_FAMILY, (const FcChar8 *) families[i]);
    FcPatternAddInteger(want, FC_WEIGHT, bold ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
    FcPatternAddInteger(want, FC_SLANT, FC_SLANT_ROMAN);
    FcConfigSubstitute(config, want, FcMatchPattern);
    FcDefaultSubstitute(want);
    FcFontSet *set = FcFontSort(config, want, FcTrue, NULL, &result);
    FcPatternDestroy(want);
    return set;
}

static void family_open(struct font *f, int which)
{
    struct family *family = &f->family[which];

    if (family->set)
        return;
    family->set = find_fonts(f->config, which == BOLD);
    if (!family->set)
        family->set = FcFontSetCreate();
    family->face = xcalloc((size_t) family->set->nfont + 1, sizeof(FT_Face));
    family->tried = xcalloc((size_t) family->set->nfont + 1, sizeof(bool));
}

/* Bitmap fonts are of use for emoji only. */
static FT_Face open_face(const struct font *f, FcPattern *pattern)
{
    FcChar8 *file;
    FT_Face face;
    int index = 0;

    if (FcPatternGetString(pattern, FC_FILE, 0, &file) != FcResultMatch)
        return NULL;
    FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
    if (index >> 16 == 0x8000) /* a variable font as such, not an instance of it */
        index &= 0xffff;
    if (FT_New_Face(f->library, (const char *) file, index, &face))
        return NULL;
    if (FT_IS_SCALABLE(face) ? !FT_Set_Char_Size(face, 0, f->em, 72, 72)
                             : FT_HAS_COLOR(face) && !FT_Select_Size(face, 0))
        return face;
    FT_Done_Face(face);
    return NULL;
}

static FT_Face face_at(struct font *f, int which, int i)
{
    struct family *family = &f->family[which];

    if (!family->tried[i]) {
        family->tried[i] = true;
        family->face[i] = open_face(f, family->set->fonts[i]);
    }
    return family->face[i];
}

/* The first font with the character, regular where there is no bold one; NULL: none has it. */
static FT_Face face_for(struct font *f, uint32_t cp, bool bold)
{
    for (int which = bold ? BOLD : REGULAR; which >= REGULAR; which--) {
        family_open(f, which);
        const FcFontSet *set = f->family[which].set;
        for (int i = 0; i < set->nfont; i++) {
            FcCharSet *chars;
            FT_Face face;
            if (FcPatternGetCharSet(set->fonts[i], FC_CHARSET, 0, &chars) == FcResultMatch &&
                FcCharSetHasChar(chars, cp) && (face = face_at(f, which, i)) &&
                FT_Get_Char_Index(face, cp))
                return face;
        }
    }
    return NULL;
}

/* --- size --- */

/* Fonts leave room over and under their letters, part of which may lie outside the cell. */
#define LINE_ROOM 1.15

/* As large as the cell allows: the width of an M, the height of a line. */
static bool measure(struct font *f)
{
    FT_Face face = NULL;

    f->em = 64 * f->h;
    if (!(face = face_for(f, 'M', false)) || !FT_IS_SCALABLE(face) ||
        FT_Load_Char(face, 'M', FT_LOAD_NO_SCALE))
        return false;
    double upem = face->units_per_EM, wide = (double) face->glyph->metrics.horiAdvance;
    double high = face->ascender - face->descender;
    double em = f->w * upem / (wide > 0 ? wide : upem);
    if (em * high > f->h * upem * LINE_ROOM)
        em = f->h * upem * LINE_ROOM / high;
    f->em = (FT_F26Dot6) (em * 64 + 0.5);
    double above = em * face->ascender / upem, below = -em * face->descender / upem;
    f->baseline = (int) ((f->h - above - below) / 2 + above + 0.5);
    return !FT_Set_Char_Size(face, 0, f->em, 72, 72);
}

struct font *font_open(int cell_w, int cell_h, struct err *err)
{
    struct font *f = xcalloc(1, sizeof *f);

    f->w = cell_w;
    f->h = cell_h;
    f->config = FcInitLoadConfigAndFonts();
    if (!f->config || FT_Init_FreeType(&f->library) || !measure(f)) {
        font_close(f);
        err_set(err, NO_FONT);
        return NULL;
    }
    return f;
}

void font_close(struct font *f)
{
    for (int which = 0; which < FAMILIES; which++) {
        struct family *family = &f->family[which];
        for (int i = 0; family->set && i < family->set->nfont; i++)
            if (family->face[i])
                FT_Done_Face(family->face[i]);
        if (family->set)
            FcFontSetDestroy(family->set);
        free(family->face);
        free(family->tried);
    }
    if (f->library)
        FT_Done_FreeType(f->library);
    if (f->config)
        FcConfigDestroy(f->config);
    free(f);
}

/* --- drawing --- */

static void blit_grey(struct raster *to, const FT_Bitmap *b, int x, int y, uint32_t rgb)
{
    for (int r = 0; r < (int) b->rows; r++)
        for (int c = 0; c < (int) b->width; c++)
            raster_blend(to, x + c, y + r, rgb, b->buffer[r * b->pitch + c]);
}

/* The mean of the part of a coloured bitmap that falls on one pixel: blue, green, red, alpha,
 * colours multiplied by alpha already. */
static void mean_of(const FT_Bitmap *b, struct rect r, int mean[4])
{
    int n = r.w * r.h;

    memset(mean, 0, 4 * sizeof *mean);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            for (int i = 0; i < 4; i++)
                mean[i] += b->buffer[y * b->pitch + 4 * x + i];
    for (int i = 0; i < 4; i++)
        mean[i] /= n;
}

/* An emoji, made as large as fits into a box and put in its middle. */
static void blit_color(struct raster *to, const FT_Bitmap *b, struct rect box)
{
    int bw = (int) b->width, bh = (int) b->rows, w = box.w, h = box.h;

    if (bw * h > bh * w)
        h = bh * w / bw;
    else
        w = bw * h / bh;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int x0 = x * bw / w, y0 = y * bh / h, m[4];
            int x1 = (x + 1) * bw / w, y1 = (y + 1) * bh / h;
            mean_of(b, (struct rect){x0, y0, x1 > x0 ? x1 - x0 : 1, y1 > y0 ? y1 - y0 : 1}, m);
            if (m[3] == 0)
                continue;
            uint32_t rgb = 0;
            for (int i = 0; i < 3; i++) {
                int part = m[2 - i] * 255 / m[3];
                rgb = rgb << 8 | (uint32_t) (part > 255 ? 255 : part);
            }
            raster_blend(to, box.x + (box.w - w) / 2 + x, box.y + (box.h - h) / 2 + y, rgb,
                         m[3]);
        }
}

/* Loads a character so that it is no wider than `most` pixels. */
static bool load(const struct font *f, FT_Face face, uint32_t cp, int most, bool bold)
{
    FT_Int32 flags =
        FT_LOAD_TARGET_LIGHT | (FT_HAS_COLOR(face) ? FT_LOAD_COLOR : FT_LOAD_NO_BITMAP);
    bool fake = bold && !(face->style_flags & FT_STYLE_FLAG_BOLD);

    if (FT_Load_Char(face, cp, flags))
        return false;
    double wide = (double) face->glyph->metrics.horiAdvance / 64;
    if (FT_IS_SCALABLE(face) && wide > most + 0.5) {
        bool ok =
            !FT_Set_Char_Size(face, 0, (FT_F26Dot6) ((double) f->em * most / wide), 72, 72) &&
            !FT_Load_Char(face, cp, flags);
        FT_Set_Char_Size(face, 0, f->em, 72, 72);
        if (!ok)
            return false;
    }
    if (fake && face->glyph->format == FT_GLYPH_FORMAT_OUTLINE)
        FT_GlyphSlot_Embolden(face->glyph);
    return !FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL);
}

static void blit(const struct font *f, struct raster *to, FT_Face face, int x, int y,
                 struct rect box, uint32_t rgb)
{
    const FT_Bitmap *b = &face->glyph->bitmap;

    if (b->rows == 0 || b->width == 0)
        return;
    if (b->pixel_mode == FT_PIXEL_MODE_BGRA)
        blit_color(to, b, box);
    else if (b->pixel_mode == FT_PIXEL_MODE_GRAY)
        blit_grey(to, b, x + face->glyph->bitmap_left,
                  y + f->baseline - face->glyph->bitmap_top, rgb);
}

static int rounded(double x)
{
    return (int) (x < 0 ? x - 0.5 : x + 0.5);
}

/* A mark over the letter before it, whose end is at pen: fonts draw marks back over what is in
 * front of them, or, in fonts of one width, into the middle of a cell. */
static void draw_mark(const struct font *f, struct raster *to, FT_Face face, struct rect box,
                      int pen, uint32_t rgb)
{
    bool back = face->glyph->metrics.horiBearingX < 0;

    blit(f, to, face, back ? pen : box.x, box.y, box, rgb);
}

static void draw_missing(struct raster *to, struct rect box, uint32_t rgb)
{
    struct rect in = {box.x + 1, box.y + box.h / 6, box.w - 2, box.h * 2 / 3};

    raster_fill(to, (struct rect){in.x, in.y, in.w, 1}, rgb);
    raster_fill(to, (struct rect){in.x, in.y + in.h - 1, in.w, 1}, rgb);
    raster_fill(to, (struct rect){in.x, in.y, 1, in.h}, rgb);
    raster_fill(to, (struct rect){in.x + in.w - 1, in.y, 1, in.h}, rgb);
}

/* The code points of text, at most CELL_MARKS + 1. */
static int decode(const struct str *text, uint32_t cp[CELL_MARKS + 1])
{
    int n = 0;

    for (size_t i = 0; i < text->len && n <= CELL_MARKS; n++) {
        int len = utf8_decode(text->text + i, text->len - i, &cp[n]);
        if (len == 0)
            break;
        i += (size_t) len;
    }
    return n;
}

/* What to draw for a cell: letter and marks as one where Unicode and a font have them so. */
static int composed(struct font *f, const struct cell *cell, bool bold,
                    uint32_t cp[CELL_MARKS + 1])
{
    struct str text = STR_INIT, form = STR_INIT;

    canvas_cell_text(cell, &text);
    nfc_add(&form, text.text, text.len);
    int n = decode(&form, cp);
    if (cell->mark[0] && n > 0 && !face_for(f, cp[0], bold))
        n = decode(&text, cp);
    str_release(&text);
    str_release(&form);
    return n;
}

bool font_draw(struct font *f, struct raster *to, const struct cell *cell, int x, int y,
               uint32_t rgb, bool bold)
{
    uint32_t cp[CELL_MARKS + 1];
    struct rect box = {x, y, cell->width * f->w, f->h};
    int n = composed(f, cell, bold, cp), pen = x + box.w;
    bool all = true;

    for (int i = 0; i < n; i++) {
        FT_Face face = face_for(f, cp[i], bold);
        if (!face || !load(f, face, cp[i], box.w, bold)) {
            all = false;
            if (i == 0)
                draw_missing(to, box, rgb);
        } else if (i > 0) {
            draw_mark(f, to, face, box, pen, rgb);
        } else {
            double wide = (double) face->glyph->metrics.horiAdvance / 64;
            int left = rounded((box.w - wide) / 2);
            pen = x + left + rounded(wide);
            blit(f, to, face, x + left, y, box, rgb);
        }
    }
    return all;
}
