/*
 * The candidates for the next token as rows of a list, with the one under the cursor.
 */
#ifndef GPTSCOPE_VIEW_CANDIDATES_H
#define GPTSCOPE_VIEW_CANDIDATES_H

#include "engine/sample.h"
#include "view/view.h"

/* NULL while the logits are not computed; borrowed from the screen's cache. */
const struct sample_trace *candidates_trace(const struct session *s, const struct screen *st);
/* The rank, from 0, that the cursor is on. */
int candidates_cursor(const struct screen *st, const struct sample_trace *t);
/* The rank of a token; -1 when it is none of the candidates. */
int candidates_rank(const struct sample_trace *t, int id);

#endif
