/*
 * A comparison (engine/differ.h) for people and as data: a line a value, then which is the
 * first to differ, what makes it, and what can be at fault.
 */
#ifndef GPTSCOPE_COMMAND_DIFFER_REPORT_H
#define GPTSCOPE_COMMAND_DIFFER_REPORT_H

#include "base/json.h"
#include "engine/differ.h"
#include "text/tokenizer.h"

/* Which values get a line. */
enum differ_lines {
    DIFFER_LINES, /* all up to the first that differs, and the next few */
    DIFFER_ALL,   /* all, and all names that only one side has */
    DIFFER_QUIET  /* none */
};
enum { DIFFER_AFTER = 5 }; /* the next few */

struct differ_report {
    struct differ *differ;
    const char *name[2];               /* of the sides: paths or models' names; raw */
    const struct arrays *arrays[2];    /* NULL: a run */
    const struct tokenizer *tokenizer; /* NULL: texts come from `text`, or not at all */
    char *const *text;                 /* [n_tokens] a dump's token_str; NULL: none */
    const int32_t *tokens;             /* NULL: not known */
    int n_tokens;
    const char *note; /* a line about the sides, or NULL */
    enum differ_lines lines;
    int after; /* lines since the first that differs */
};

/* Both sides' tokens where they are known (n 0: not); the length of what they have in common
 * when one goes on where the other ends. -1 with err where they differ, saying where. */
int differ_tokens(const int32_t *a, int na, const int32_t *b, int nb, const struct tokenizer *t,
                  struct err *err);

/* Compares all, and adds to out line by line; flush (may be NULL) is called after each. True
 * when all went through, whether the sides are the same or not. */
bool differ_report(struct differ_report *r, struct str *out,
                   void (*flush)(struct str *out, void *user), void *user, struct err *err);
/* The same as JSON; NULL with err. */
json_t *differ_json(struct differ_report *r, struct err *err);
/* All values agree and fit; for after the report. */
bool differ_same(const struct differ *d);

/* The text of a position's token, safe; NULL where it is not known. */
const char *differ_label(const struct differ_report *r, int pos, char *buf, size_t size);

/* A heat map of A - B of a row (-1: the first that differs, or the one nearest to it) to a
 * file, whose suffix chooses the format; "-": appends it to out, w columns wide. */
struct differ_picture {
    const char *path;
    int w, h;
    bool color, ascii;
    const char *theme;
};
bool differ_draw(struct differ_report *r, int row, const struct differ_picture *p,
                 struct str *out, struct err *err);

#endif
