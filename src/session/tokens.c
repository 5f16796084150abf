/* The tokens of a session: what was typed, what was generated, and how much of it the run has.
 */
#include "session/session.h"

#include "base/mem.h"

#include <string.h>

static int begun(const struct session *s)
{
    return run_n_past(s->run) + run_n_new(s->run);
}

int session_pending(const struct session *s)
{
    return s->ids.n - begun(s);
}

bool session_done(const struct session *s)
{
    return s->ids.n > 0 && session_pending(s) == 0 && !run_in_pass(s->run);
}

void session_forget(struct session *s, int n)
{
    if (n < begun(s)) {
        run_truncate(s->run, n < run_n_past(s->run) ? n : run_n_past(s->run));
        s->breaks.hit[0] = '\0';
    }
    while (!run_in_pass(s->run) && s->n_passes > 0 &&
           s->pass[s->n_passes - 1] >= run_n_past(s->run))
        s->n_passes--;
}

static int common_prefix(const struct ids *a, const struct ids *b)
{
    int n = 0;

    while (n < a->n && n < b->n && a->id[n] == b->id[n])
        n++;
    return n;
}

/* Takes `ids` over (they are empty afterwards) and keeps what their common prefix allows. */
static bool take_ids(struct session *s, struct ids *ids, struct err *err)
{
    int n_ctx = run_n_ctx(s->run);

    if (ids->n > n_ctx) {
        if (ids->n <= s->program->hp.n_ctx)
            err_set(err,
                    "the prompt is %d tokens long, but the context has room for %d; "
                    "'set ctx %d' makes it longer",
                    ids->n, n_ctx, s->program->hp.n_ctx);
        else
            err_set(err,
                    "the prompt is %d tokens long, but the context has room for %d; use a "
                    "shorter prompt",
                    ids->n, n_ctx);
        ids_release(ids);
        return false;
    }
    session_forget(s, common_prefix(&s->ids, ids));
    ids_release(&s->ids);
    s->ids = *ids;
    s->n_prompt = ids->n;
    s->at.query = s->at.key = ids->n - 1;
    session_clamp(s);
    *ids = (struct ids) IDS_INIT;
    return true;
}

static void keep_text(struct session *s, const char *text, size_t n)
{
    struct str copy = STR_INIT; /* text may be s->prompt's own */

    str_add(&copy, text, n);
    str_release(&s->prompt);
    s->prompt = copy;
}

bool session_prompt(struct session *s, const char *text, size_t n, struct err *err)
{
    struct ids ids = IDS_INIT;

    if (!tokenizer_encode(s->tokenizer, text, n, TOKENIZE_SPECIAL | TOKENIZE_BOS, &ids, err)) {
        ids_release(&ids);
        return false;
    }
    if (!take_ids(s, &ids, err))
        return false;
    keep_text(s, text, n);
    return true;
}

/* The prompt is what its tokens say; a BOS that encoding puts first is no part of it. */
static void keep_text_of_ids(struct session *s)
{
    const struct tokenizer *t = s->tokenizer;
    int skip = s->n_prompt > 0 && tokenizer_adds_bos(t) && s->ids.id[0] == tokenizer_bos(t);
    struct str text = STR_INIT;

    tokenizer_decode(t, s->ids.id + skip, s->n_prompt - skip, &text);
    str_release(&s->prompt);
    s->prompt = text;
}

void session_truncate(struct session *s, int n)
{
    if (n < 0)
        n = 0;
    if (n < s->ids.n)
        s->ids.n = n;
    if (n < s->n_prompt) {
        s->n_prompt = n;
        keep_text_of_ids(s);
    }
    session_forget(s, n);
    session_clamp(s);
}

bool session_replace(struct session *s, const struct ids *ids, int n_prompt,
                     const struct str *prompt, struct err *err)
{
    struct ids copy = IDS_INIT;

    for (int i = 0; i < ids->n; i++)
        ids_add(&copy, ids->id[i]);
    if (!take_ids(s, &copy, err))
        return false;
    s->n_prompt = n_prompt;
    keep_text(s, prompt->text, prompt->len);
    return true;
}

static bool check_id(const struct session *s, int id, struct err *err)
{
    int n = s->program->hp.n_vocab;

    if (id >= 0 && id < n)
        return true;
    return err_set(err, "there is no token %d; ids go from 0 to %d", id, n - 1);
}

bool session_prompt_ids(struct session *s, const int32_t *ids, int n, struct err *err)
{
    struct ids copy = IDS_INIT;

    for (int i = 0; i < n; i++) {
        if (!check_id(s, ids[i], err)) {
            ids_release(&copy);
            return false;
        }
        ids_add(&copy, ids[i]);
    }
    if (!take_ids(s, &copy, err))
        return false;
    keep_text_of_ids(s);
    return true;
}

bool session_append(struct session *s, int id, struct err *err)
{
    int n_ctx = run_n_ctx(s->run);

    if (!check_id(s, id, err))
        return false;
    if (s->ids.n >= n_ctx)
        return err_set(
            err, "the context of %d tokens is full; truncate, or use a shorter prompt", n_ctx);
    ids_add(&s->ids, id);
    s->at.query = s->at.key = s->ids.n - 1;
    return true;
}
