/* All heads over all queries: of the session's tokens, or of random sequences repeated. */
#include "session/heads.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rng.h"
#include "session/reading.h"

#include <stdlib.h>

/* Counting the rows of one run. */
struct count {
    struct compute *compute;
    const int *same;
    struct head_tally *tally; /* [n_layer, n_head] */
    struct head_row *last;    /* [n_layer, n_head] */
    const struct pattern_block *block;
};

static void count_head(void *arg, int head, float *scratch)
{
    const struct count *c = arg;
    const struct pattern_block *b = c->block;
    int i = b->layer * b->n_head + head;

    (void) scratch;
    for (int q = b->first; q < b->first + b->count; q++) {
        head_row_look(&c->last[i], pattern_row(b, head, q), q, c->same[q]);
        head_tally_add(&c->tally[i], &c->last[i], q);
    }
}

static bool count_block(const struct pattern_block *b, void *arg, struct err *err)
{
    struct count *c = arg;

    (void) err;
    c->block = b;
    compute_each(c->compute, b->n_head, count_head, c);
    return true;
}

/* Of the first n tokens of a run, or of those that a layer has. */
static bool count_run(struct count *c, const struct run *r, int n, struct err *err)
{
    const struct program *p = run_program(r);
    int *same = xcalloc((size_t) n + 1, sizeof *same);
    bool ok = true;

    heads_same(run_tokens(r), n, p->hp.n_vocab, same);
    c->same = same;
    for (int layer = 0; ok && layer < p->hp.n_layer; layer++) {
        int ready = run_ready(r, program_value(p, layer, "attn.pattern"));
        ok = pattern_walk(r, layer, 0, ready < n ? ready : n, count_block, c, err);
    }
    free(same);
    return ok;
}

static void begin(struct heads *h, struct count *c, const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    size_t n = (size_t) hp->n_layer * (size_t) hp->n_head;

    *h = (struct heads){.n_layer = hp->n_layer, .n_head = hp->n_head};
    h->head = xcalloc(n, sizeof *h->head);
    *c = (struct count){.compute = s->compute};
    c->tally = xcalloc(n, sizeof *c->tally);
    c->last = xcalloc(n, sizeof *c->last);
}

static void finish(struct heads *h, struct count *c, bool ok)
{
    for (int i = 0; i < h->n_layer * h->n_head; i++)
        head_summary_make(&h->head[i], &c->tally[i], &c->last[i]);
    free(c->tally);
    free(c->last);
    if (!ok)
        heads_release(h);
}

void heads_release(struct heads *h)
{
    free(h->head);
    *h = (struct heads){0};
}

bool heads_of_session(struct heads *h, const struct session *s, struct err *err)
{
    const struct program *p = s->program;
    struct count c;

    *h = (struct heads){0};
    if (!reading_ready(s, program_value(p, 0, "attn.pattern"), 0, err))
        return false;
    begin(h, &c, s);
    h->n_query = run_ready(s->run, program_value(p, 0, "attn.pattern"));
    bool ok = count_run(&c, s->run, h->n_query, err);
    finish(h, &c, ok);
    for (int layer = 0; ok && layer < h->n_layer; layer++)
        if (run_ready(s->run, program_value(p, layer, "attn.pattern")) == 0)
            for (int head = 0; head < h->n_head; head++)
                h->head[layer * h->n_head + head] = (struct head_summary){.tag = -1};
    return ok;
}

/* --- random sequences --- */

/* Ids that may be drawn: [n] of them. */
static int *usable_ids(const struct session *s, int *n)
{
    int *id = xcalloc((size_t) s->program->hp.n_vocab + 1, sizeof *id);

    *n = 0;
    for (int i = 0; i < s->program->hp.n_vocab; i++)
        if (!tokenizer_is_special(s->tokenizer, i))
            id[(*n)++] = i;
    return id;
}

static bool puts_bos(const struct session *s)
{
    return tokenizer_adds_bos(s->tokenizer) && tokenizer_bos(s->tokenizer) >= 0;
}

int heads_random_most(const struct session *s)
{
    int n, room = (run_n_ctx(s->run) - puts_bos(s)) / 2;

    free(usable_ids(s, &n));
    return room < n ? room : n;
}

/* The next sequence: the first `length` places of a shuffle, twice; returns its tokens. */
static int draw(int32_t *out, const struct session *s, int *usable, int n, int length,
                struct rng *rng)
{
    int at = 0;

    if (puts_bos(s))
        out[at++] = tokenizer_bos(s->tokenizer);
    for (int i = 0; i < length; i++) {
        int j = i + (int) (rng_uniform(rng) * (n - i)), id = usable[j];
        usable[j] = usable[i];
        usable[i] = id;
        out[at + i] = out[at + length + i] = id;
    }
    return at + 2 * length;
}

/* Ops one by one, so that an interrupt is noticed soon. */
static bool feed(struct run *r, const int32_t *ids, int n, struct err *err)
{
    const struct program *p = run_program(r);

    run_truncate(r, 0);
    if (!run_begin(r, ids, n, err))
        return false;
    while (run_pc(r) < p->n_steps) {
        if (interrupt_pending())
            return err_set(err, "interrupted at op %d of %d", run_pc(r), p->n_steps);
        run_until(r, run_pc(r) + 1);
    }
    run_commit(r);
    return true;
}

static struct run *own_run(const struct session *s, int n, struct err *err)
{
    struct run_options o = {.n_ctx = run_n_ctx(s->run), .chunk = n};
    struct run *r = run_new(s->model, s->program, s->compute, &o, err);

    if (r && !run_patches_of(r, s->run, err)) {
        run_free(r);
        return NULL;
    }
    return r;
}

bool heads_of_random(struct heads *h, const struct session *s, const struct heads_random *how,
                     struct err *err)
{
    int most = heads_random_most(s), n_usable, n = 2 * how->length + puts_bos(s);
    struct rng rng;
    struct count c;

    *h = (struct heads){0};
    if (how->length < 2 || how->length > most)
        return err_set(err, "a sequence has 2 to %d ids here, which are then repeated, not %d",
                       most, how->length);
    struct run *r = own_run(s, n, err);
    if (!r)
        return false;
    int *usable = usable_ids(s, &n_usable);
    int32_t *ids = xcalloc((size_t) n, sizeof *ids);
    begin(h, &c, s);
    rng_seed(&rng, how->seed);
    bool ok = true;
    for (int i = 0; ok && i < how->sequences; i++) {
        n = draw(ids, s, usable, n_usable, how->length, &rng);
        ok = feed(r, ids, n, err) && count_run(&c, r, n, err);
        h->n_query += n;
        if (!ok)
            err_add(err, "sequence %d of %d", i + 1, how->sequences);
    }
    finish(h, &c, ok);
    free(ids);
    free(usable);
    run_free(r);
    return ok;
}
