/*
 * A PNG written row by row, so that a large one needs little memory. Errors are remembered.
 *
 *     struct png_out *p = png_out_new(w, h, false, write, user);
 *     for (int y = 0; y < h; y++)
 *         png_out_row(p, rgb);            // w * 3 bytes; w * 4 with alpha
 *     ok = png_out_end(p, &err);
 */
#ifndef GPTSCOPE_VIEW_PNG_OUT_H
#define GPTSCOPE_VIEW_PNG_OUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the next bytes of a file. */
typedef void bytes_out(void *user, const void *bytes, size_t n);
/* One for memory: user is a struct str. */
void bytes_to_str(void *user, const void *bytes, size_t n);

struct png_out;

struct png_out *png_out_new(int w, int h, bool alpha, bytes_out *write, void *user);
void png_out_row(struct png_out *p, const uint8_t *row);
bool png_out_end(struct png_out *p, struct err *err); /* frees p, whatever the result */

#endif
