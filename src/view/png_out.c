#include "view/png_out.h"

#include "base/mem.h"
#include "base/str.h"

#include <png.h>
#include <stdlib.h>

struct png_out {
    png_structp png;
    png_infop info;
    bytes_out *write;
    void *user;
    bool failed;
};

void bytes_to_str(void *user, const void *bytes, size_t n)
{
    str_add(user, bytes, n);
}

static void take_bytes(png_structp png, png_bytep bytes, size_t n)
{
    struct png_out *p = png_get_io_ptr(png);

    p->write(p->user, bytes, n);
}

static void no_flush(png_structp png)
{
    (void) png;
}

static void give_up(png_structp png, png_const_charp why)
{
    (void) why;
    png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp what)
{
    (void) png;
    (void) what;
}

static void begin(struct png_out *p, int w, int h, bool alpha)
{
    png_set_write_fn(p->png, p, take_bytes, no_flush);
    png_set_IHDR(p->png, p->info, (png_uint_32) w, (png_uint_32) h, 8,
                 alpha ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    /* Cells of one colour repeat as they are: smaller, and faster, than what filters make. */
    png_set_filter(p->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_write_info(p->png, p->info);
}

struct png_out *png_out_new(int w, int h, bool alpha, bytes_out *write, void *user)
{
    struct png_out *p = xcalloc(1, sizeof *p);

    p->write = write;
    p->user = user;
    p->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, give_up, warn);
    p->info = p->png ? png_create_info_struct(p->png) : NULL;
    if (!p->info || setjmp(png_jmpbuf(p->png)))
        p->failed = true;
    else
        begin(p, w, h, alpha);
    return p;
}

void png_out_row(struct png_out *p, const uint8_t *row)
{
    if (p->failed)
        return;
    if (setjmp(png_jmpbuf(p->png)))
        p->failed = true;
    else
        png_write_row(p->png, row);
}

bool png_out_end(struct png_out *p, struct err *err)
{
    if (!p->failed) {
        if (setjmp(png_jmpbuf(p->png)))
            p->failed = true;
        else
            png_write_end(p->png, p->info);
    }
    bool ok = !p->failed;
    png_destroy_write_struct(&p->png, &p->info);
    free(p);
    return ok || err_set(err, "cannot make the picture: there is not enough memory");
}
