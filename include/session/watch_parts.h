/*
 * Inside watching: shared by src/session/watch_op.c and src/session/watch_stages.c. Nobody else
 * includes this.
 */
#ifndef GPTSCOPE_SESSION_WATCH_PARTS_H
#define GPTSCOPE_SESSION_WATCH_PARTS_H

#include "session/watch.h"

/* Positions 0 to `end` of a value. */
bool watch_read(const struct op_call *call, int value, int end, float *x, struct err *err);

/* The stages of attention: what their functions are asked, and what is taken of the answer. */
typedef bool watch_ask(const struct op_call *call, struct exercise_case *c, struct err *err);
typedef void watch_take(const struct op_call *call, const struct exercise_case *c,
                        const float *got);
watch_ask watch_ask_scores, watch_ask_mask, watch_ask_softmax, watch_ask_mix,
    watch_ask_attention, watch_ask_cached, watch_ask_gqa;
watch_take watch_take_square, watch_take_softmax, watch_take_mix;

#endif
