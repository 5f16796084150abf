/* Making a session, its model and its run; settings that change them; messages; the cursor. */
#include "session/session.h"

#include "base/mem.h"
#include "base/safe.h"
#include "session/course.h"
#include "session/exercise_state.h"
#include "session/game.h"
#include "session/mark.h"
#include "session/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *suffix;
} stages[STAGE_COUNT] = {
    [STAGE_RAW] = {"raw", "attn.scores_raw"},
    [STAGE_SCALED] = {"scaled", "attn.scores_scaled"},
    [STAGE_MASKED] = {"masked", "attn.scores"},
    [STAGE_PATTERN] = {"softmax", "attn.pattern"},
    [STAGE_MIX] = {"weighted V", "attn.z"},
};

const char *stage_name(enum stage s)
{
    return stages[s].name;
}

const char *stage_suffix(enum stage s)
{
    return stages[s].suffix;
}

int session_stage_value(const struct session *s, int layer, enum stage stage)
{
    return program_value(s->program, layer, stage_suffix(stage));
}

/* What hangs on the model file: opened together, replaced together. */
struct engine {
    struct model *model;
    struct tokenizer *tokenizer;
    struct program *program;
    struct run *run;
};

static void engine_release(struct engine *e)
{
    run_free(e->run);
    program_free(e->program);
    tokenizer_free(e->tokenizer);
    model_free(e->model);
    memset(e, 0, sizeof *e);
}

static struct run *make_run(const struct model *m, const struct program *p, struct compute *c,
                            const struct settings *set, struct err *err)
{
    struct run_options o = {.n_ctx = (int) set->ctx, .chunk = (int) set->chunk, .staged = true};

    return run_new(m, p, c, &o, err);
}

/* Takes the model over, also when it fails. */
static bool engine_of(struct engine *e, struct model *m, struct compute *c,
                      const struct settings *set, struct err *err)
{
    memset(e, 0, sizeof *e);
    e->model = m;
    if (e->model)
        e->tokenizer = tokenizer_of(e->model, err);
    if (e->tokenizer)
        e->program = program_build(e->model, err);
    if (e->program)
        e->run = make_run(e->model, e->program, c, set, err);
    if (e->run)
        return true;
    engine_release(e);
    return false;
}

/* The session's engine becomes e; the old one is in *e afterwards. */
static void engine_swap(struct session *s, struct engine *e)
{
    struct engine old = {s->model, s->tokenizer, s->program, s->run};

    s->model = e->model;
    s->tokenizer = e->tokenizer;
    s->program = e->program;
    s->run = e->run;
    s->generation++;
    verify_release(&s->verify);
    *e = old;
}

static bool engine_open(struct engine *e, const char *spec, struct compute *c,
                        const struct settings *set, struct err *err)
{
    return engine_of(e, model_open(spec, err), c, set, err);
}

struct session *session_new(const char *model_spec, struct compute *c,
                            const struct settings *set, struct err *err)
{
    return session_of(model_open(model_spec, err), c, set, err);
}

struct session *session_of(struct model *m, struct compute *c, const struct settings *set,
                           struct err *err)
{
    struct engine e;

    if (!engine_of(&e, m, c, set, err))
        return NULL;
    struct session *s = xcalloc(1, sizeof *s);
    s->compute = c;
    s->prompt = (struct str) STR_INIT;
    s->log = (struct str) STR_INIT;
    s->set = *set;
    engine_swap(s, &e);
    rng_seed(&s->rng, (uint64_t) set->seed);
    s->at.stage = STAGE_PATTERN;
    s->at.neuron = -1;
    s->at.stream = STREAM_POST;
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    mark_free(s->mark);
    course_free(s->course);
    exercise_state_free(s->exercises);
    game_free(s->game);
    verify_release(&s->verify);
    struct engine e = {s->model, s->tokenizer, s->program, s->run};
    engine_release(&e);
    compute_free(s->own_compute);
    str_release(&s->prompt);
    str_release(&s->log);
    ids_release(&s->ids);
    free(s->pass);
    free(s->ablation);
    breaks_release(&s->breaks);
    branches_release(&s->branches);
    watches_free(s->watch);
    free(s);
}

/* The kept prompt in the new model's tokens; a prompt that does not fit is only kept as text.
 */
static void take_prompt_again(struct session *s)
{
    struct err err = ERR_INIT;
    struct str text = s->prompt;

    s->prompt = (struct str) STR_INIT;
    if (session_prompt(s, text.text, text.len, &err)) {
        str_release(&text);
        return;
    }
    str_release(&s->prompt);
    s->prompt = text;
    session_say(s, "the prompt was not taken over: %s", err.text);
}

bool session_load(struct session *s, const char *model_spec, struct err *err)
{
    struct engine e;

    if (!engine_open(&e, model_spec, s->compute, &s->set, err))
        return false;
    mark_clear(s);
    engine_swap(s, &e);
    engine_release(&e);
    s->n_ablations = 0;
    breaks_remove(s, -1);
    branches_forget(s);
    s->chosen = (struct chosen){0};
    s->ids.n = s->n_prompt = s->n_passes = 0;
    s->subject = (struct subject){.kind = SUBJECT_ATTENTION};
    take_prompt_again(s);
    session_clamp(s);
    return true;
}

/* A new run for new settings; the tokens wait to be computed again. */
static bool remake_run(struct session *s, const struct settings *set, struct err *err)
{
    struct compute *own = NULL;

    if (set->threads != s->set.threads)
        own = compute_new((int) set->threads);
    struct run *run = make_run(s->model, s->program, own ? own : s->compute, set, err);
    if (run && run_n_ctx(run) < s->ids.n)
        err_set(err, "a context of %d has no room for the %d tokens there are; truncate first",
                run_n_ctx(run), s->ids.n);
    if (!run || run_n_ctx(run) < s->ids.n || !run_patches_of(run, s->run, err) ||
        (own && s->mark && !run_use(s->mark->run, own, err))) {
        run_free(run);
        compute_free(own);
        return false;
    }
    run_free(s->run);
    s->run = run;
    s->generation++;
    verify_release(&s->verify);
    s->n_passes = 0;
    if (own) {
        compute_free(s->own_compute);
        s->own_compute = s->compute = own;
    }
    return true;
}

bool session_set_all(struct session *s, const struct settings *set, struct err *err)
{
    const struct settings *old = &s->set;

    if (set->ctx != old->ctx || set->chunk != old->chunk || set->threads != old->threads)
        if (!remake_run(s, set, err))
            return false;
    if (set->seed != old->seed)
        rng_seed(&s->rng, (uint64_t) set->seed);
    s->set = *set;
    return true;
}

bool session_set(struct session *s, const char *name, const char *text, struct err *err)
{
    struct settings set = s->set;

    if (!settings_set(&set, name, text, err) || !session_set_all(s, &set, err))
        return false;
    if (!strcmp(name, "seed")) /* also when it stays the same: start anew */
        rng_seed(&s->rng, (uint64_t) s->set.seed);
    return true;
}

void session_say(struct session *s, const char *fmt, ...)
{
    struct str text = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&text, fmt, ap);
    va_end(ap);
    safe_copy(s->message, sizeof s->message, text.text, text.len, SAFE_SPACE_KEEP);
    safe_add(&s->log, text.text, text.len, SAFE_SPACE_KEEP);
    str_addc(&s->log, '\n');
    str_release(&text);
}

static void clamp(int *v, int n)
{
    if (*v >= n)
        *v = n - 1;
    if (*v < 0)
        *v = 0;
}

void session_clamp(struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    int stage = (int) s->at.stage;

    clamp(&s->at.layer, hp->n_layer);
    clamp(&s->at.head, hp->n_head);
    clamp(&s->at.query, s->ids.n);
    clamp(&s->at.key, s->ids.n);
    clamp(&stage, STAGE_COUNT);
    if (s->at.neuron >= 0)
        clamp(&s->at.neuron, hp->d_mlp);
    s->at.stage = (enum stage) stage;
    if (s->at.stream == STREAM_PRE && s->at.layer > 0)
        s->at.stream = STREAM_MID;
}

int session_point(const struct session *s)
{
    return 2 * s->at.layer + (int) s->at.stream;
}

void session_to_point(struct session *s, int point)
{
    clamp(&point, 2 * s->program->hp.n_layer + 1);
    s->at.layer = point > 0 ? (point - 1) / 2 : 0;
    s->at.stream = (enum stream_at)(point - 2 * s->at.layer);
}

char *point_name(int point, char *out, size_t size)
{
    if (point <= 0)
        snprintf(out, size, "embed");
    else
        snprintf(out, size, "L%d %s", (point - 1) / 2, point % 2 ? "attn" : "mlp");
    return out;
}
