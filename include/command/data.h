/*
 * What commands and views speak of, as JSON: a function for each noun, so that it has the same
 * keys wherever it appears. Each returns a new reference, to be given away:
 *
 *     return result_put(env, data_where(env->session));
 *
 * Keys are lower case with underscores; n_... counts, ..._at and position are places from 0 on.
 * Tokens are {"id", "text"}. A value is named as `help values` has it, "blocks.2.attn.pattern",
 * with "layer" and "head" as numbers beside it; null where it has none. What is not computed
 * yet is null.
 */
#ifndef GPTSCOPE_COMMAND_DATA_H
#define GPTSCOPE_COMMAND_DATA_H

#include "command/result.h"
#include "engine/sample.h"
#include "engine/select.h"
#include "session/course.h"
#include "session/neurons.h"
#include "session/session.h"
#include "session/worked.h"

/* --- numbers and lists: data.c --- */

json_t *data_index(int i); /* null when negative */
json_t *data_string(const char *text);
/* The lines of a text, without their ends. */
json_t *data_lines(const char *text);
/* Adds the pairs of `more` to o and takes more over; returns o. */
json_t *data_join(json_t *o, json_t *more);
/* {"size", "first", "count"}: which part of an axis is given; name NULL: without "name". */
json_t *data_part(const char *name, int size, int first, int count);
/* n of `total`, so that `at` is among them, as text shows them: the first. */
int data_window(int at, int n, int total);
/* How many of n are given: at most `rows`, or `otherwise` when that is 0. */
int data_most(int rows, int otherwise, int n);
/* Sides of a map are given whole up to so many; beyond, a window around the cursor. */
enum { DATA_SIDE = 256 };
/* x[rows, cols] as a list of lists. */
json_t *data_table(const float *x, int rows, int cols);

/* --- tokens: data_token.c --- */

/* {"position", "id", "text"}; null where there is no token. */
json_t *data_token_at(const struct session *s, int pos);
/* {"n_tokens", "n_prompt", "n_computed", "n_pending"} */
json_t *data_counts(const struct session *s);
/* The prompt: its text, the tokens there are, their counts. */
json_t *data_prompt(const struct session *s);
/* Each token with surprisal, rank and state. NULL when interrupted. */
json_t *data_tokens(struct command_env *env, struct err *err);
/* {"u", "low", "high", "p"}; null for a greedy choice. */
json_t *data_draw(const struct sample_draw *d);
/* The first n candidates after position `at`, with what each stage of the sampling makes of
 * them. */
json_t *data_candidates(const struct session *s, const struct sample_trace *t, int at, int n);
json_t *data_candidate(const struct session *s, const struct sample_trace *t, int rank);
json_t *data_branches(struct session *s);
/* How the word under the cursor is merged (view/merges.h). NULL with err when it cannot be. */
json_t *data_merges(const struct session *s, struct err *err);

/* --- places: data_place.c --- */

/* {"value", "layer", "head"}: an index along the value's own head axis; -1: null. */
json_t *data_value_name(const struct program *p, int value, int head);
json_t *data_op(const struct session *s, int op);
json_t *data_ops(const struct session *s, int first, int count);
/* Where the pass stands: counts, the pass, the next op, the breakpoint that was come to. */
json_t *data_where(const struct session *s);
json_t *data_cursor(const struct command_env *env);
json_t *data_point(int point);
json_t *data_breakpoint(const struct session *s, const struct breakpoint *b);
/* {"breakpoint", "removed", "breakpoints"}: the one that was set or switched (NULL: none), the
 * ids that are gone (taken over; NULL: none), and all that there are. */
json_t *data_breakpoints(const struct session *s, const struct breakpoint *b, json_t *removed);
/* {"ablations": [...]} */
json_t *data_ablations(const struct session *s);

/* --- values: data_value.c --- */

/* A table at one head: name, axes with the part given, statistics, numbers. At most `rows` rows
 * around the cursor, 0: as many as DATA_SMALL numbers allow, but DATA_ROWS at least. */
enum { DATA_SMALL = 4096, DATA_ROWS = 16 };
json_t *data_value(const struct session *s, int value, int head, int rows, struct err *err);
/* {"values": [...]} */
json_t *data_values(const struct session *s, const struct selection *sel, int rows,
                    struct err *err);
/* The number under the tensor view's cursor. */
json_t *data_cell(const struct session *s, int value);

/* --- lessons: data_lesson.c --- */

json_t *data_lesson(const struct course *c); /* one is open */

/* --- the checklist and the ordering game: data_checklist.c, data_game.c --- */

json_t *data_checklist(struct session *s);
json_t *data_checklist_item(struct session *s, int item);
json_t *data_game(const struct session *s); /* one is on */

/* --- one element, worked: data_worked.c --- */

json_t *data_worked(const struct session *s, const struct worked *w);
/* The subject; NULL with err when it cannot be worked. */
json_t *data_subject(struct command_env *env, struct err *err);

/* --- the model: data_model.c --- */

json_t *data_hparams(const struct hparams *hp);
json_t *data_info(const struct session *s);
json_t *data_weights(const struct model *m); /* each */

/* --- neurons, the stream, the cache: data_stream.c --- */

/* The neuron of a rank, from 0, in a row that is ready. */
json_t *data_neuron(const struct neuron_row *row, int rank);
json_t *data_mlp(struct command_env *env, int rows, struct err *err);
json_t *data_residual(struct command_env *env, int rows, struct err *err);
json_t *data_cache(struct command_env *env, int rows, struct err *err);
json_t *data_verify(const struct session *s);

/* --- heads, and comparisons: data_heads.c, data_compare.c --- */

json_t *data_attention(struct command_env *env, int rows, struct err *err);
json_t *data_heads(struct command_env *env, int rows, struct err *err);
json_t *data_mark(const struct session *s); /* null without one */
/* {"comparing", "now", "mark", "n_compared", "n_same"} */
json_t *data_sides(const struct session *s);
json_t *data_compare(struct command_env *env, int rows, struct err *err);
json_t *data_compare_map(struct command_env *env, int rows, struct err *err);
json_t *data_compare_heads(struct command_env *env, int rows, struct err *err);
json_t *data_compare_logits(struct command_env *env, int rows, struct err *err);

/* --- help: data_help.c --- */

json_t *data_keys(void);
json_t *data_setting(const struct session *s, const struct setting *row, bool help);
/* What `help TOPIC` prints; NULL: all commands. */
json_t *data_help(const char *topic, struct err *err);

/* --- views: data_view.c --- */

struct data_view {
    const char *view;
    /* rows: the most that are given of what is long; 0: not said. NULL with err when there is
     * nothing to see. */
    json_t *(*data)(struct command_env *env, int rows, struct err *err);
    json_t *(*comparing)(struct command_env *env, int rows, struct err *err); /* or NULL */
    const char *keys; /* of its result, for help */
};
extern const struct data_view data_view_table[]; /* ends with a NULL view */
/* What a view shows: {"view", ...}; with "missing", why, where there is nothing to see. NULL
 * with err when it was interrupted. */
json_t *data_view(struct command_env *env, int view, int rows, struct err *err);

/* --- the format of results, for help --- */

/* A row for each command that gives a result, and for each noun in them. */
struct data_format {
    const char *name; /* "tokens", or several apart by blanks */
    const char *keys; /* "tokens n_tokens"; optional ones in brackets */
    const char *help;
};
extern const struct data_format data_formats[], data_nouns[]; /* end with a NULL name */
void data_format_print(struct str *out);

#endif
