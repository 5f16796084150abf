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
    const struct dumped *dumped[2];    /* NULL: a run */
    const struct program *program[2];  /* of a run; NULL: a dump */
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
 * when all went through, whether the sides are the same or not; where nothing of the pass could
 * be compared, which is more than tokens, the error says so. */
bool differ_report(struct differ_report *r, struct str *out,
                   void (*flush)(struct str *out, void *user), void *user, struct err *err);
/* The same as JSON; NULL with err. */
json_t *differ_json(struct differ_report *r, struct err *err);
/* All values agree and fit, and there is one; for after the report. */
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

/* --- for src/command/differ_*.c: what the sides are --- */

/* The models have different shapes; appends in what: "the architectures differ: A is gpt2, B is
 * llama; n_head 6 and 8". False, and nothing, when they do not, or that is not known. */
bool differ_models(const struct differ_report *r, struct str *out);
/* "A holds heads 3 and 5, positions 4-7, as h.npz.json says", or nothing. */
void differ_part_say(const struct differ_report *r, int side, struct str *out);
/* The names of what only this side has: arrays of a dump, or values of a run that is compared
 * with another run. *names is yours, what it points to is not; how many. */
int differ_only_names(const struct differ_report *r, int side, const char ***names);
/* Fills err: why there is nothing to compare. False. */
bool differ_nothing(const struct differ_report *r, struct err *err);

#endif
