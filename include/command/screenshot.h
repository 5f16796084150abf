/*
 * Pictures of the screen to files. One row per format; the file's suffix chooses.
 */
#ifndef GPTSCOPE_COMMAND_SCREENSHOT_H
#define GPTSCOPE_COMMAND_SCREENSHOT_H

#include "command/command.h"
#include "view/canvas.h"

struct picture_job {
    const struct canvas *canvas;
    const char *title;
    int factor;  /* enlarges pixels */
    int missing; /* out: characters that no font has */
};

struct picture_format {
    const char *suffix, *summary; /* "svg" */
    int colors;                   /* what the screen is drawn with (struct caps) */
    bool pixels;                  /* takes a factor */
    bool (*write)(struct picture_job *job, struct str *out, struct err *err);
};
extern const struct picture_format picture_formats[]; /* ends with a NULL suffix */
/* The format that a file's suffix names; NULL with an error that lists what there is. */
const struct picture_format *picture_format_of(const char *path, struct err *err);
bool picture_write(const struct picture_format *format, struct picture_job *job,
                   const char *path, struct err *err);

#endif
