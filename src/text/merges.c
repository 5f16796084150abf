/*
 * The log of merges: the cuts between pieces as a row of flags over the text, of which each
 * merge clears one.
 *
 *     l o w e r   l o w        n_pieces 9
 *     l o w er    l o w        8: e + r
 *     lo  w er    l o w        7: l + o
 */
#include "base/mem.h"
#include "text/encoder.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 2048 }; /* bytes of text; the log's size is their square */

struct watch {
    struct merge_log *log;
    const struct encoder *e;
    size_t piece; /* where the piece being merged begins */
    bool *cut;    /* [n_text + 1]: a token begins here, or the text ends */
};

static void add_step(struct watch *w, int left, int right, int result, int rank)
{
    struct merge_log *log = w->log;
    struct merge_step s = {.left = left, .right = right, .result = result, .rank = rank};
    int n = 0;

    for (size_t i = 0; i <= log->n_text; i++)
        n += w->cut[i];
    s.cuts = xcalloc((size_t) n, sizeof *s.cuts);
    s.n_pieces = n - 1;
    n = 0;
    for (size_t i = 0; i <= log->n_text; i++) {
        if (w->cut[i])
            s.cuts[n++] = (int) i;
    }
    VEC_ROOM(log->step, log->n, log->cap);
    log->step[log->n++] = s;
}

static size_t place_of(struct encoder *e, const char *piece)
{
    return (size_t) (piece - e->stretch);
}

static void mark_piece(struct encoder *e, const char *piece, size_t n, int whole)
{
    struct watch *w = e->arg;

    (void) n;
    (void) whole;
    for (int i = 0; i < e->bpe.n; i++)
        w->cut[place_of(e, piece) + e->bpe.symbol[i].at] = true;
}

static void log_merge(void *arg, const struct bpe *b, const struct candidate *c, int right)
{
    struct watch *w = arg;

    w->cut[w->piece + b->symbol[right].at] = false;
    add_step(w, c->left, c->right, c->result, c->rank);
}

static void log_piece(struct encoder *e, const char *piece, size_t n, int whole)
{
    struct watch *w = e->arg;

    w->piece = place_of(e, piece);
    if (whole < 0) {
        bpe_merge(&e->bpe, &e->t->vocab.merges, log_merge, w);
    } else if (e->bpe.n > 1) {
        memset(w->cut + w->piece + 1, 0, (n - 1) * sizeof *w->cut);
        add_step(w, -1, -1, whole, -1);
    }
}

bool tokenizer_merges(const struct tokenizer *t, const char *text, size_t n,
                      struct merge_log *log, struct err *err)
{
    struct watch w = {.log = log};
    struct encoder e = {.t = t, .take = mark_piece, .arg = &w, .bpe = BPE_INIT};
    struct str s = STR_INIT;

    if (t->vocab.kind == VOCAB_NONE)
        return err_set(err, "this model has no tokenizer");
    if (n > LONGEST)
        return err_set(err, "the text is longer than %d bytes; choose a part of it", LONGEST);
    merge_log_release(log);
    if (!encoder_normalize(&t->vocab, text, n, true, &s))
        str_add(&s, text, n);
    log->n_text = s.len;
    log->text = str_steal(&s);
    w.cut = xcalloc(log->n_text + 1, sizeof *w.cut);
    w.cut[log->n_text] = true;
    bool ok = encoder_cut(&e, log->text, log->n_text, err);
    if (ok)
        add_step(&w, -1, -1, -1, -1);
    e.take = log_piece;
    ok = ok && encoder_cut(&e, log->text, log->n_text, err);
    free(w.cut);
    bpe_release(&e.bpe);
    return ok;
}

void merge_log_release(struct merge_log *log)
{
    for (int i = 0; i < log->n; i++)
        free(log->step[i].cuts);
    free(log->step);
    free(log->text);
    memset(log, 0, sizeof *log);
}
