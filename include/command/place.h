/*
 * Names of places in the program, as commands take them and print them.
 */
#ifndef GPTSCOPE_COMMAND_PLACE_H
#define GPTSCOPE_COMMAND_PLACE_H

#include "engine/select.h"
#include "session/session.h"
#include "session/sheet.h"

/* A number, a name as op_name (engine/program.h) gives it, or a label without its layer: then
 * the next one from where the pass stands. -1 with err set. */
int op_parse(const struct session *s, const char *text, struct err *err);
/* The name in full of an op whose label only begins as text does: "L2.softm". False when text
 * is no such beginning (it may be a name as it is); with err when several labels begin so. */
bool op_expand(const struct session *s, const char *text, struct str *full, struct err *err);
/* "  11 > L0.softmax   attn.pattern [8, 13, 13] = softmax(attn.scores)": '>' runs next, '*' is
 * done, 'B' is a breakpoint, '?' one with a condition. */
void op_line(const struct session *s, int op, struct str *out);

/* A value's shape when the pass that is open, or comes next, is done; returns its axes. */
int value_shape(const struct session *s, int value, int shape[3]);

/* What engine/select.h takes, and for the selected layer and head: "this" (the selected stage
 * of the attention), "attn.pattern", "pattern". */
bool values_parse(const struct session *s, const char *text, struct selection *sel,
                  struct err *err);
/* "L2.H3" and its parts; a part that is not there is left alone. *rest is what follows the last
 * one, after its dot. False when text does not begin with such a part or one is not inside the
 * model. */
bool place_parse(const struct session *s, const char *text, int *layer, int *head,
                 const char **rest, struct err *err);
/* "8,6": a query and a key that there are. */
bool cell_parse(const struct session *s, const char *text, int *query, int *key,
                struct err *err);

/* An id, or text that is one token; unquoted text may show blanks as middle dots, as labels do,
 * quoted text is never an id. */
bool token_parse(const struct session *s, const char *text, bool quoted, int *id,
                 struct err *err);

#endif
