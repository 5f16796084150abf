/*
 * What all front ends share: the model, the tokens, the run, the cursor, the settings. Commands
 * change it, views read it, nothing else holds state of its own.
 */
#ifndef GPTSCOPE_SESSION_SESSION_H
#define GPTSCOPE_SESSION_SESSION_H

#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"
#include "engine/program.h"
#include "engine/run.h"
#include "engine/sample.h"
#include "model/model.h"
#include "session/branch.h"
#include "session/breaks.h"
#include "session/settings.h"
#include "session/verify.h"
#include "text/tokenizer.h"

/* The attention stages in program order; `,` and `.` move along them. */
enum stage { STAGE_RAW, STAGE_SCALED, STAGE_MASKED, STAGE_PATTERN, STAGE_MIX, STAGE_COUNT };
const char *stage_name(enum stage s);   /* "raw", "scaled", "masked", "softmax", "weighted V" */
const char *stage_suffix(enum stage s); /* "attn.scores_raw" ... "attn.pattern", "attn.z" */

/* Where in a block the residual stream is looked at: before it (that is, at the embedding, in
 * the first block only), after its attention, after its MLP. */
enum stream_at { STREAM_PRE, STREAM_MID, STREAM_POST };

/* Where the user looks. Always inside the model and the tokens. */
struct cursor_at {
    int layer, head;
    int query, key; /* cell of the attention map; query is also the position of other views */
    enum stage stage;
    int column;            /* channel, neuron or token id of the tensor view; it bounds it */
    int neuron;            /* of the MLP; -1: the strongest at this layer and position */
    enum stream_at stream; /* of the layer */
};

/* What the explain view explains. */
enum subject_kind {
    SUBJECT_ATTENTION, /* the cell that the cursor is on, at its stage */
    SUBJECT_VALUE,     /* one element of a value */
    SUBJECT_LOGIT      /* the logit of token cell[1] after position cell[0] */
};
struct subject {
    enum subject_kind kind;
    int value;   /* VALUE: index into the program */
    int cell[3]; /* VALUE: an index for each axis */
};

/* A patch of the run, remembered so that a remade run gets it again. */
struct ablation {
    int id; /* the run's */
    enum patch_kind kind;
    int value;
    struct region region;
    float factor;
    char
        note[48]; /* where its numbers are from: "the mark", "toward ·ball"; safe text, or "" */
};

struct mark;           /* session/mark.h */
struct course;         /* session/course.h */
struct exercise_state; /* session/exercise_state.h */
struct game;           /* session/game.h */
struct watch;          /* session/watch.h */

/* The token that was generated last. */
struct chosen {
    int at, id; /* its position (0: none was generated yet) */
    struct sample_draw draw;
};

struct session {
    struct compute *compute;     /* borrowed, or own_compute */
    struct compute *own_compute; /* made by `set threads`; NULL before */
    struct model *model;
    struct tokenizer *tokenizer;
    struct program *program;
    struct run *run;
    uint64_t generation; /* another one whenever the model or the run is another: for caches */

    struct str prompt; /* as typed, or what its ids stand for */
    struct ids ids;    /* prompt, then generated tokens; the run has taken a prefix of them */
    int n_prompt;      /* ids of the prompt */
    int *pass;         /* where each pass of the run began, rising */
    int n_passes, cap_passes;
    struct ablation *ablation;
    int n_ablations, cap_ablations;
    struct breaks breaks;
    struct branches branches;
    struct mark *mark; /* a run kept to compare with, or NULL */
    int marks_made;
    bool comparing;                   /* views show the run less the mark; only with a mark */
    struct verify verify;             /* read it with session_verified */
    struct course *course;            /* lessons, or NULL */
    struct watch *watch;              /* a learner's functions in the model, or NULL */
    struct exercise_state *exercises; /* how far the learner is, or NULL */
    struct game *game;                /* the ordering game, or NULL */
    struct str log;                   /* messages, a line each */
    char message[256];                /* the newest one, safe for a terminal */

    struct cursor_at at;
    struct subject subject;
    struct settings set;
    struct rng rng;
    struct chosen chosen;
    bool quit;
};

/* Opens a model and makes the run; the prompt is empty. */
struct session *session_new(const char *model_spec, struct compute *c,
                            const struct settings *set, struct err *err);
/* Of a model that is open already; takes it over, also on failure. NULL gives NULL. */
struct session *session_of(struct model *m, struct compute *c, const struct settings *set,
                           struct err *err);
void session_free(struct session *s);
/* Another model for the same session; on failure the old one stays. The prompt is kept. */
bool session_load(struct session *s, const char *model_spec, struct err *err);
/* Changes a setting and what hangs on it: seed starts the random numbers anew; ctx, chunk and
 * threads make a new run, and the tokens wait to be computed again. On failure nothing changes.
 */
bool session_set(struct session *s, const char *name, const char *text, struct err *err);
bool session_set_all(struct session *s, const struct settings *set, struct err *err);

/* --- the tokens --- */
/* New text: re-tokenised; the cache of the common prefix is kept, the rest is to be computed.
 * On failure nothing changes. */
bool session_prompt(struct session *s, const char *text, size_t n, struct err *err);
bool session_prompt_ids(struct session *s, const int32_t *ids, int n, struct err *err);
/* Adds a token after the last one (chosen by the user or the sampler). */
bool session_append(struct session *s, int id, struct err *err);
/* These tokens, the first n_prompt of them typed as `prompt`, in place of those there are; what
 * they have in common stays computed. Copies all. Fails when the context is too small. */
bool session_replace(struct session *s, const struct ids *ids, int n_prompt,
                     const struct str *prompt, struct err *err);
/* Forgets all but the first n tokens; the prompt's text is cut with them. */
void session_truncate(struct session *s, int n);
/* Forgets what was computed from position n on; the tokens stay and wait. */
void session_forget(struct session *s, int n);
/* Tokens that the run has not begun to compute. */
int session_pending(const struct session *s);
/* All tokens computed, no pass open. */
bool session_done(const struct session *s);

/* --- the pass --- */
/* Each returns false with err when there is nothing to do ("all tokens are computed; n
 * generates the next") or no room. They begin the next pass by themselves and commit at its
 * end. All but session_step stop at breakpoints (session/breaks.h); each sets breaks.hit: to
 * the breakpoint that was come to, or to "". */
bool session_can_step(const struct session *s, struct err *err); /* only the question */
bool session_step(struct session *s, struct err *err);           /* one op */
bool session_layer(struct session *s, struct err *err); /* to the start of the next block */
bool session_pass(struct session *s, struct err *err);  /* to the end of this pass: "token" */
/* To op (of the pass that is open, or of the next one); it is the next to run then. */
bool session_until(struct session *s, int op, struct err *err);
/* One op back, also into earlier passes; to the start of the block; to the start of the pass.
 */
bool session_back(struct session *s, struct err *err);
bool session_back_layer(struct session *s, struct err *err);
bool session_back_pass(struct session *s, struct err *err);
/* The pass at work, or the last one that was done; n_new is 0 when there is none. */
void session_last_pass(const struct session *s, int *n_past, int *n_new);
/* Moves the cursor to the last op's layer; with `stage` also to its stage of attention, and
 * back to the pattern after the last stage. */
void session_follow(struct session *s, bool stage);
/* Computes everything pending, if anything; looks at interrupt_pending between ops (false with
 * "interrupted" then; what is done stays). With seconds > 0 returns after about that time, true
 * with *more set when work is left (the UI's time budget, or a breakpoint); more may be NULL.
 */
bool session_run(struct session *s, double seconds, bool *more, struct err *err);
/* Runs to the end, samples one token and appends it; *id gets it. Its own pass is left to do
 * (pending) so that it can be stepped. At a breakpoint before that it returns true with *id
 * -1. */
bool session_generate(struct session *s, int *id, struct err *err);

/* --- ablations: patches that outlive a remade run --- */

/* Adds one (engine/run.h: any kind without data; the region as there) and forgets what it
 * changes. MEAN is the mean of what the run has there before. False when the run does not take
 * it. */
bool session_ablate(struct session *s, enum patch_kind kind, int value,
                    const struct region *region, float factor, struct err *err);
/* SET to what the mark has there, at the positions that both have. */
bool session_patch_from_mark(struct session *s, int value, const struct region *region,
                             struct err *err);
/* SET to data[region], of which all counts are given; the note says where it is from. */
bool session_patch_data(struct session *s, int value, const struct region *region,
                        const float *data, const char *note, struct err *err);
/* ADD of factor * row[d_model] to every position of the residual stream after a layer; the note
 * says what the row is. */
bool session_add_row(struct session *s, int layer, float factor, const float *row,
                     const char *note, struct err *err);
/* Puts a function of engine/function.h in place of the ops that a name means in a layer (-1: in
 * all), in place of what was put there before under the same name. An ablation like the others
 * (PATCH_REPLACE; its value is what the first of the ops makes); all tokens are forgotten. */
bool session_put(struct session *s, int layer, const char *name, const struct function *f,
                 double number, struct err *err);
/* Takes ablation i away (-1: all) and forgets what it had changed. */
void session_restore(struct session *s, int i);

/* --- reading --- */
/* logits after the last computed position into out[n_vocab]; false when none are computed yet.
 */
bool session_logits(const struct session *s, float *out);
/* The same after position pos. */
bool session_logits_after(const struct session *s, int pos, float *out);
/* The position after which `set logits-at` asks for candidates: the last computed one, or the
 * cursor's; -1 when its logits are not computed. */
int session_candidates_at(const struct session *s);
/* A viewport of the selected stage's map of one head, [n_query, n_key] of `region` (axes head,
 * query, key): masked cells come as -inf for scores and 0 for the pattern. */
int session_stage_value(const struct session *s, int layer, enum stage stage); /* value index */
/* The element that the subject stands for, moved to the nearest there is when the tokens or the
 * cursor have changed. False while there are no tokens. */
bool session_subject(const struct session *s, int *value, int cell[3]);
/* Along the last axis (row false), or to other positions (row true). */
void session_subject_move(struct session *s, bool row, int by);
/* To another head or layer, where the value has them; the attention's follows the cursor. */
void session_subject_place(struct session *s, int layer, int head);

void session_say(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void session_clamp(struct session *s); /* puts the cursor back inside */
/* The cursor's point of the residual stream, [0, 2 n_layer]: 0 is the embedding, then two for
 * each layer. session_to_point moves layer and stream; points outside mean the nearest. */
int session_point(const struct session *s);
void session_to_point(struct session *s, int point);
char *point_name(int point, char *out, size_t size); /* "embed", "L0 attn", "L0 mlp" */

#endif
