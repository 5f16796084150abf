/*
 * Cuts text into the pieces that merging works on, with the regexes that the model defines, in
 * order: each cuts what the one before left. Matches and the gaps between them are pieces.
 *
 * The regexes mean what they mean in the tokenizers they come from: \s is Unicode's
 * White_Space.
 */
#ifndef GPTSCOPE_TEXT_PRETOK_H
#define GPTSCOPE_TEXT_PRETOK_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct pretok; /* opaque, immutable */

struct pretok *pretok_new(char *const *regex, int n, struct err *err);
void pretok_free(struct pretok *p); /* NULL is fine */

/* False stops the splitting, with err set. */
typedef bool pretok_piece(void *arg, const char *piece, size_t n, struct err *err);

/* Any bytes: those that are not UTF-8 make pieces of their own. Fails when a regex takes too
 * long, or when fn does. */
bool pretok_split(const struct pretok *p, const char *text, size_t n, pretok_piece *fn,
                  void *arg, struct err *err);

/* Rewrites a regex of Oniguruma's dialect for PCRE2 (src/text/regex.c). */
bool regex_adapt(struct str *out, const char *regex, struct err *err);

#endif
