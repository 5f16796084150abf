/* Going through the program: by op, layer and pass, forward and back, and to the next token. */
#include "session/session.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <stdlib.h>

static bool nothing_left(const struct session *s, struct err *err)
{
    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    return err_set(err, "all %d tokens are computed; generate makes the next one", s->ids.n);
}

/* Makes sure that a pass is open. */
static bool open_pass(struct session *s, struct err *err)
{
    int n = session_pending(s), at = run_n_past(s->run);

    if (run_in_pass(s->run))
        return true;
    if (n == 0)
        return nothing_left(s, err);
    if (n > run_chunk(s->run))
        n = run_chunk(s->run);
    if (!run_begin(s->run, s->ids.id + at, n, err))
        return false;
    VEC_ROOM(s->pass, s->n_passes, s->cap_passes);
    s->pass[s->n_passes++] = at;
    return true;
}

static void close_pass(struct session *s)
{
    if (run_in_pass(s->run) && run_pc(s->run) == s->program->n_steps)
        run_commit(s->run);
}

/* One op, or the whole of an attention when it ends at or before `limit` and no breakpoint is
 * inside: nobody looks into it, so it may run as one kernel. */
static void advance(struct session *s, int limit)
{
    int pc = run_pc(s->run), next = pc + 1, after;

    if (s->program->op[pc].code == OP_SCORES) {
        program_attention(s->program, s->program->op[pc].layer, &after);
        if (after <= limit && !breaks_inside(s, s->program->op[pc].layer))
            next = after;
    }
    run_until(s->run, next);
}

static bool interrupted(const struct session *s, struct err *err)
{
    return err_set(err, "interrupted after %d of %d tokens; run goes on", run_n_past(s->run),
                   s->ids.n);
}

/* In the open pass, or the next one, to `target` or a breakpoint. False when interrupted. With
 * a deadline > 0 it may stop before. */
static bool go(struct session *s, int target, double deadline, struct err *err)
{
    bool fresh = !run_in_pass(s->run);
    bool stop = !open_pass(s, err);

    if (stop)
        return false;
    s->breaks.hit[0] = '\0';
    if (fresh)
        stop = breaks_stop(s);
    while (!stop && run_pc(s->run) < target) {
        if (interrupt_pending())
            return interrupted(s, err);
        advance(s, target);
        stop = breaks_stop(s) || (deadline > 0 && clock_measure() >= deadline);
    }
    close_pass(s);
    return true;
}

bool session_can_step(const struct session *s, struct err *err)
{
    return run_in_pass(s->run) || session_pending(s) > 0 || nothing_left(s, err);
}

bool session_step(struct session *s, struct err *err)
{
    if (!open_pass(s, err))
        return false;
    s->breaks.hit[0] = '\0';
    run_step(s->run);
    breaks_stop(s);
    close_pass(s);
    return true;
}

/* The op that comes next, in the open pass or the next one. */
static int next_op(const struct session *s)
{
    return run_in_pass(s->run) ? run_pc(s->run) : 0;
}

void session_follow(struct session *s, bool stage)
{
    int pc = run_pc(s->run), last = pc > 0 ? pc - 1 : 0;
    const struct op *op = &s->program->op[last];

    if (op->layer < 0)
        return;
    s->at.layer = op->layer;
    if (stage && op->code >= OP_SCORES && op->code <= OP_MIX)
        s->at.stage = (enum stage)(STAGE_RAW + (op->code - OP_SCORES));
    else if (stage && last > 0 && op[-1].code == OP_MIX)
        s->at.stage = STAGE_PATTERN;
}

static int next_block(const struct program *p, int pc)
{
    for (int l = 0; l <= p->hp.n_layer; l++)
        if (p->block_begin[l] > pc)
            return p->block_begin[l];
    return p->n_steps;
}

bool session_layer(struct session *s, struct err *err)
{
    return go(s, next_block(s->program, next_op(s)), 0, err);
}

bool session_pass(struct session *s, struct err *err)
{
    return go(s, s->program->n_steps, 0, err);
}

bool session_until(struct session *s, int op, struct err *err)
{
    if (op < 0 || op > s->program->n_steps)
        return err_set(err, "there is no op %d; the program has ops 0 to %d", op,
                       s->program->n_steps - 1);
    if (run_in_pass(s->run) && run_pc(s->run) > op)
        return err_set(err, "op %d lies behind op %d, where the pass stands; use back", op,
                       run_pc(s->run));
    return go(s, op, 0, err);
}

bool session_run(struct session *s, double seconds, bool *more, struct err *err)
{
    double deadline = seconds > 0 ? clock_measure() + seconds : 0;
    bool stop = false;

    s->breaks.hit[0] = '\0';
    while (!stop && (run_in_pass(s->run) || session_pending(s) > 0)) {
        if (!go(s, s->program->n_steps, deadline, err))
            return false;
        stop = s->breaks.hit[0] || (deadline > 0 && clock_measure() >= deadline);
    }
    if (more)
        *more = run_in_pass(s->run) || session_pending(s) > 0;
    return true;
}

/* --- back --- */

/* Makes sure that a pass is open with at least one op done, opening the previous one again,
 * with all its ops done but `not_done` of them. */
static bool reopen(struct session *s, int not_done, struct err *err)
{
    s->breaks.hit[0] = '\0';
    if (run_in_pass(s->run) && run_pc(s->run) > 0) {
        run_rewind(s->run, run_pc(s->run) - not_done);
        return true;
    }
    session_forget(s, run_n_past(s->run));
    if (s->n_passes == 0)
        return err_set(err, "this is the beginning: nothing has been computed");
    int from = s->pass[s->n_passes - 1], to = run_n_past(s->run);
    session_forget(s, from);
    if (!run_begin(s->run, s->ids.id + from, to - from, err))
        return false;
    VEC_ROOM(s->pass, s->n_passes, s->cap_passes);
    s->pass[s->n_passes++] = from;
    run_until(s->run, s->program->n_steps - not_done);
    return true;
}

bool session_back(struct session *s, struct err *err)
{
    return reopen(s, 1, err);
}

bool session_back_layer(struct session *s, struct err *err)
{
    const struct program *p = s->program;
    int to = 0;

    if (!reopen(s, 1, err))
        return false;
    for (int l = 0; l <= p->hp.n_layer; l++)
        if (p->block_begin[l] <= run_pc(s->run))
            to = p->block_begin[l];
    run_rewind(s->run, to);
    return true;
}

bool session_back_pass(struct session *s, struct err *err)
{
    if (!reopen(s, 1, err))
        return false;
    run_rewind(s->run, 0);
    return true;
}

/* --- the next token --- */

/* Positions that logits can be read for. */
static int logits_ready(const struct session *s)
{
    int n = run_ready(s->run, program_find(s->program, "logits"));

    return n < s->ids.n ? n : s->ids.n;
}

bool session_logits_after(const struct session *s, int pos, float *out)
{
    struct err err = ERR_INIT;
    struct region row = {{pos, 0, 0}, {1, s->program->hp.n_vocab, 1}};

    return pos >= 0 && pos < logits_ready(s) &&
           run_read(s->run, program_find(s->program, "logits"), &row, out, &err);
}

bool session_logits(const struct session *s, float *out)
{
    return session_logits_after(s, logits_ready(s) - 1, out);
}

int session_candidates_at(const struct session *s)
{
    int n = logits_ready(s);

    if (s->set.logits_at == LOGITS_LAST)
        return n - 1;
    return s->at.query < n ? s->at.query : -1;
}

bool session_generate(struct session *s, int *id, struct err *err)
{
    int n_ctx = run_n_ctx(s->run);
    size_t n_vocab = (size_t) s->program->hp.n_vocab;

    if (s->ids.n == 0)
        return nothing_left(s, err);
    if (s->ids.n >= n_ctx)
        return err_set(
            err, "the context of %d tokens is full; truncate, or use a shorter prompt", n_ctx);
    *id = -1;
    if (!session_run(s, 0, NULL, err))
        return false;
    if (s->breaks.hit[0])
        return true;
    float *logits = xcalloc(n_vocab, sizeof *logits);
    bool ok = session_logits(s, logits);
    if (ok)
        *id = sample_token(logits, (int) n_vocab, &s->set.sampler, &s->rng, &s->chosen.draw);
    else
        err_set(err, "there are no logits to choose a token from");
    free(logits);
    if (!ok || !session_append(s, *id, err))
        return false;
    s->chosen.at = s->ids.n - 1;
    s->chosen.id = *id;
    return !breaks_on_token(s, *id) || go(s, 0, 0, err); /* stops before the token's pass */
}

void session_last_pass(const struct session *s, int *n_past, int *n_new)
{
    *n_past = run_n_past(s->run);
    *n_new = run_n_new(s->run);
    if (*n_new == 0 && s->n_passes > 0 && s->pass[s->n_passes - 1] < *n_past) {
        *n_new = *n_past - s->pass[s->n_passes - 1];
        *n_past = s->pass[s->n_passes - 1];
    }
}
