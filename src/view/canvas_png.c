/* Cells as PNG: rectangles pixel by pixel, text from the machine's fonts. */
#include "view/picture.h"

#include "base/mem.h"
#include "view/font.h"

#include <png.h>
#include <string.h>

#define MOST_PIXELS ((size_t) 1 << 27)

/* What a canvas is drawn with. */
struct pen {
    struct raster to;
    struct font *font;
    int w, h; /* of a cell */
    int missing;
};

static struct rect moved(const struct pen *pen, struct rect r, int x, int y)
{
    return (struct rect){r.x + x * pen->w, r.y + y * pen->h, r.w, r.h};
}

static void draw_ground(struct pen *pen, const struct cell *cell, int x, int y)
{
    struct paint paint = picture_paint(cell->look);
    struct rect whole = {0, 0, pen->w, pen->h};
    struct glyph g;

    raster_fill(&pen->to, moved(pen, whole, x, y), paint.bg);
    if (picture_glyph(&g, cell, pen->w, pen->h))
        for (int i = 0; i < g.n; i++)
            raster_fill(&pen->to, moved(pen, g.part[i], x, y), picture_ink(paint, &g));
    if (paint.underline)
        raster_fill(&pen->to, moved(pen, picture_underline(pen->w, pen->h), x, y), paint.fg);
}

static void draw_text(struct pen *pen, const struct cell *cell, int x, int y)
{
    struct paint paint = picture_paint(cell->look);
    struct glyph g;

    if (cell->width == 0 || picture_glyph(&g, cell, pen->w, pen->h))
        return;
    if (!font_draw(pen->font, &pen->to, cell, x * pen->w, y * pen->h, paint.fg, paint.bold))
        pen->missing++;
}

/* All grounds first: letters may reach over their cell's edge. */
static void draw_cells(struct pen *pen, const struct canvas *c)
{
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++)
            draw_ground(pen, canvas_at(c, x, y), x, y);
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++)
            draw_text(pen, canvas_at(c, x, y), x, y);
}

static bool encode(const struct raster *from, struct str *out, struct err *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32) from->w,
                       .height = (png_uint_32) from->h,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *bytes = big_alloc(size, "the picture", err);

    if (!bytes)
        return false;
    bool ok = png_image_write_to_memory(&image, bytes, &size, 0, from->rgb, 0, NULL) ||
              err_set(err, "cannot make the picture: %s", image.message);
    if (ok)
        str_add(out, bytes, size);
    big_free(bytes, PNG_IMAGE_PNG_SIZE_MAX(image));
    return ok;
}

bool canvas_png(const struct canvas *c, int factor, struct str *out, int *missing,
                struct err *err)
{
    struct pen pen = {.w = PICTURE_W * factor, .h = PICTURE_H * factor};

    pen.to.w = c->w * pen.w;
    pen.to.h = c->h * pen.h;
    size_t pixels = (size_t) pen.to.w * (size_t) pen.to.h;
    if (pixels > MOST_PIXELS)
        return err_set(err, "a picture of %d x %d pixels is too large; choose fewer cells",
                       pen.to.w, pen.to.h);
    pen.font = font_open(pen.w, pen.h, err);
    if (!pen.font)
        return false;
    pen.to.rgb = big_alloc(pixels * 3, "the picture", err);
    bool ok = pen.to.rgb != NULL;
    if (ok)
        draw_cells(&pen, c);
    ok = ok && encode(&pen.to, out, err);
    big_free(pen.to.rgb, pixels * 3);
    font_close(pen.font);
    *missing = pen.missing;
    return ok;
}
