/*
 * Which part of the selected values a dump holds: layers, heads, positions.
 *
 *     layers     "0-3,5"   of the values of blocks and of the cache those of these layers; what
 *                          is outside the blocks (embed, logits) stays
 *     heads      "1,2"     of values with a head axis these heads; of those that have fewer
 *                          key/value heads the ones that serve these heads
 *     positions  "4-9"     rows of the position axis, the queries of scores and patterns; keys
 *                          stay whole. "4-": to the end, "last", "last5": at most the last five
 *
 * Lists are sets: what they name comes in rising order and once, whatever their order.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_SLICE_H
#define GPTSCOPE_COMMAND_DUMP_SLICE_H

#include "base/json.h"
#include "command/dump_array.h"
#include "engine/select.h"

/* As typed; NULL: all. */
struct dump_slice {
    const char *layers, *heads, *positions;
};

/* Whether lists and positions are written as they must be; needs no model. */
bool dump_slice_check(const struct dump_slice *slice, struct err *err);

/* For a model and a number of positions. */
struct dump_part {
    const struct hparams *hp; /* borrowed */
    bool *layer;              /* [n_layer]; NULL: all */
    bool *head, *kv_head;     /* [n_head], [n_kv_head]; NULL: all */
    bool some;                /* not all positions */
    int first, count;         /* positions */
};
/* Fails when the slice names what there is not. To be released in either case. */
bool dump_part_init(struct dump_part *p, const struct hparams *hp,
                    const struct dump_slice *slice, int n_pos, struct err *err);
void dump_part_release(struct dump_part *p);

/* out: what of sel lies in these layers and, for single heads, is one of these. Yours. Fails
 * when nothing is left. */
bool dump_part_select(const struct dump_part *p, const struct program *program,
                      const struct selection *sel, struct selection *out, struct err *err);
/* Narrows an array that holds the whole of a value of the run, or one head of it; a then
 * borrows from p. Fails when the value is not computed at these positions. */
bool dump_part_narrow(const struct dump_part *p, struct dump_array *a, const struct value *v,
                      struct err *err);

/* {"layers": [0, 1], "heads": [1], "positions": {"first": 4, "count": 6}}, null for all. */
json_t *dump_part_json(const struct dump_part *p);

#endif
