/*
 * Settings: one row each in src/session/settings.c with type, range, default and help; used by
 * `set`, the command line's options, completion and the manual.
 */
#ifndef GPTSCOPE_SESSION_SETTINGS_H
#define GPTSCOPE_SESSION_SETTINGS_H

#include "base/err.h"
#include "base/str.h"
#include "engine/sample.h"

#include <stdbool.h>
#include <stdint.h>

enum color_scale { SCALE_LINEAR, SCALE_SQRT, SCALE_LOG, SCALE_ROW_MAX };
enum lens_mode { LENS_PROBABILITY, LENS_RANK, LENS_KL, LENS_ENTROPY };
enum logits_at { LOGITS_LAST, LOGITS_CURSOR };
/* The attention map: all of it, pooled where it must be; a window at a pixel a value; a window
 * of numbers. */
enum zoom { ZOOM_FIT, ZOOM_PIXELS, ZOOM_NUMBERS };
/* What the overview of heads shows of each. */
enum head_metric {
    HEADS_THUMBS,
    HEADS_JOB,
    HEADS_ENTROPY,
    HEADS_MAX,
    HEADS_PREVIOUS,
    HEADS_INDUCTION,
    HEADS_DUPLICATE,
    HEADS_SINK,
    HEADS_STRONGEST
};
enum lang { LANG_EN, LANG_ZH };
enum color_mode { COLOR_AUTO, COLOR_NEVER, COLOR_ALWAYS, COLOR_256, COLOR_TRUE };

struct settings {
    struct sampler sampler; /* temp, top-k, top-p, min-p */
    int64_t seed;
    int64_t ctx;     /* 0: the model's */
    int64_t threads; /* 0: all cores */
    int64_t chunk;   /* tokens a pass; 0: 512 */
    enum color_scale scale;
    bool hide_sink;
    enum lens_mode lens;
    enum logits_at logits_at;
    bool merges; /* the tokens view shows how a word is merged */
    enum zoom zoom;
    enum head_metric heads;
    bool ascii;
    bool mouse; /* the program's, not the terminal's */
    enum color_mode color;
    char theme[16]; /* "viridis", "cividis", "grey" */
    enum lang lang;
    bool ignore_eos;
    int speed; /* of play: settings_speed */
};

/* WORD is an ENUM that is kept as its text. */
enum setting_type { SETTING_INT, SETTING_REAL, SETTING_BOOL, SETTING_ENUM, SETTING_WORD };
struct setting {
    const char *name; /* "top-k" */
    enum setting_type type;
    size_t offset, size;      /* of the field in struct settings */
    double lo, hi;            /* INT, REAL */
    const char *const *words; /* ENUM, WORD: what is allowed, NULL-terminated */
    const char *help, *example;
};
extern const struct setting setting_table[]; /* ends with a NULL name */

void settings_init(struct settings *s); /* defaults */
const struct setting *setting_find(const char *name);
/* "set top-k 40": checks type and range; the message gives what is allowed. */
bool settings_set(struct settings *s, const char *name, const char *text, struct err *err);
/* The value as settings_set takes it: "40", "0.9", "on", "row-max". */
void settings_print(const struct settings *s, const struct setting *row, struct str *out);
/* "0 to 1", "on or off", "linear, sqrt, log or row-max" */
void settings_allowed(const struct setting *row, struct str *out);
void settings_reset(struct settings *s, const struct setting *row); /* to its default */
double settings_speed(const struct settings *s);                    /* operations a second */
/* The next word of an ENUM or WORD, the other value of a BOOL; false for numbers. */
bool settings_cycle(struct settings *s, const struct setting *row);

#endif
