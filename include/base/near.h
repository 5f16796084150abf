/*
 * "Did you mean": the name of a table that is most like a word that was typed.
 *
 *     struct near near;
 *     near_init(&near, typed);
 *     for (row = table; row->name; row++)
 *         near_try(&near, row->name);
 *     if (near_best(&near)) ...                     // "tokenise" -> "tokenize"
 */
#ifndef GPTSCOPE_BASE_NEAR_H
#define GPTSCOPE_BASE_NEAR_H

struct near {
    const char *typed, *best; /* borrowed */
    int distance;             /* of best */
};

void near_init(struct near *n, const char *typed);
void near_try(struct near *n, const char *name);
/* NULL when nothing is near: more than a third of its letters differ. */
const char *near_best(const struct near *n);
/* Letters to insert, drop, change or swap with their neighbour (Damerau, Levenshtein) to turn
 * a into b; case is not looked at. Only the first 63 bytes of each count. */
int near_distance(const char *a, const char *b);

#endif
