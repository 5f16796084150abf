/* Commands about tokens: prompt, append, truncate, generate, load. */
#include "command/commands.h"

#include "base/interrupt.h"
#include "base/safe.h"
#include "base/utf8.h"
#include "command/data.h"
#include "command/parse.h"
#include "view/cache.h"
#include "view/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool count_of(const struct arg *arg, int otherwise, int *n, struct err *err)
{
    *n = arg->given ? (int) arg->i : otherwise;
    if (!arg->given || (arg->i >= 1 && arg->i <= 1000000))
        return true;
    return err_set(err, "a count goes from 1 to 1000000, not %s", arg->text);
}

void pad_print(const char *text, int cells, struct str *out)
{
    int used;
    size_t n = utf8_fit(text, strlen(text), cells, &used);

    str_add(out, text, n);
    str_addf(out, "%*s", cells - used, "");
}

void token_print(const struct session *s, int id, struct str *out)
{
    char label[128];

    str_addf(out, "%d %s", id, tokenizer_label(s->tokenizer, id, label, sizeof label));
}

void draw_print(const struct sample_draw *d, struct str *out)
{
    if (d->drawn)
        str_addf(out, "  p %.3f, draw %.3f in [%.3f, %.3f)", d->p, d->u, d->low, d->low + d->p);
}

static bool say_tokens(struct command_env *env)
{
    const struct session *s = env->session;
    int kept = s->ids.n - session_pending(s);

    if (result_wanted(env))
        return result_put(env, data_prompt(s));
    str_addf(env->out, "%d token%s", s->ids.n, s->ids.n == 1 ? "" : "s");
    if (kept > 0)
        str_addf(env->out, ", %d of them computed before", kept);
    str_addc(env->out, '\n');
    return true;
}

bool cmd_prompt(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    if (!arg[0].given && result_wanted(env))
        return result_put(env, data_prompt(s));
    if (!arg[0].given) {
        quote_print(s->prompt.text, s->prompt.len, env->out);
        str_addc(env->out, '\n');
        return true;
    }
    if (!session_prompt(s, arg[0].text, strlen(arg[0].text), err))
        return false;
    return say_tokens(env);
}

/* "1,2,3" or "1 2 3" */
static bool parse_ids(const char *text, struct ids *ids, struct err *err)
{
    char *end;

    for (;;) {
        text += strspn(text, ", \t");
        if (!*text)
            return true;
        long id = strtol(text, &end, 10);
        if (end == text || (*end && !strchr(", \t", *end)) || id < 0 || id > INT32_MAX)
            return err_set(err, "'%s' does not begin with a token id; ids are like 1,2,3",
                           text);
        ids_add(ids, (int32_t) id);
        text = end;
    }
}

bool cmd_ids(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct ids ids = IDS_INIT;
    bool ok = parse_ids(arg[0].text, &ids, err) &&
              session_prompt_ids(env->session, ids.id, ids.n, err);

    ids_release(&ids);
    return ok && say_tokens(env);
}

bool cmd_append(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    if (arg[0].i < 0 || arg[0].i >= s->program->hp.n_vocab)
        return err_set(err, "there is no token %s; ids go from 0 to %d", arg[0].text,
                       s->program->hp.n_vocab - 1);
    if (!session_append(s, (int) arg[0].i, err))
        return false;
    if (result_wanted(env))
        return result_put(env, data_join(data_token_at(s, s->ids.n - 1), data_counts(s)));
    str_addf(env->out, "[%d] ", s->ids.n - 1);
    token_print(s, (int) arg[0].i, env->out);
    str_addc(env->out, '\n');
    return true;
}

bool cmd_truncate(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    if (arg[0].i < 0 || arg[0].i > s->ids.n)
        return err_set(err, "there are %d tokens; truncate takes 0 to %d, not %s", s->ids.n,
                       s->ids.n, arg[0].text);
    session_truncate(s, (int) arg[0].i);
    if (result_wanted(env))
        return result_put(env, data_counts(s));
    str_addf(env->out, "%d token%s left\n", s->ids.n, s->ids.n == 1 ? "" : "s");
    return true;
}

/* The surprisal of tokens [first, first + count), whatever time it takes. */
static const struct lens *see_tokens(struct command_env *env, int first, int count)
{
    struct err err = ERR_INIT; /* then there is none to print */

    cache_budget(env->screen->cache, 0);
    return cache_lens(env->screen->cache, env->session, first - 1, count, false, &err);
}

static void surprisal_print(const struct lens *l, int pos, struct str *out)
{
    float nats;
    int rank;

    if (lens_surprisal(l, pos, &nats, &rank))
        str_addf(out, "%6.2f nats %6.2f bits  rank %-7d", (double) nats, (double) nats / M_LN2,
                 rank);
    else
        str_addf(out, "%36s", "");
}

bool cmd_tokens(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { BATCH = 32 };
    const struct session *s = env->session;
    const struct lens *l = NULL;
    int done = run_n_past(s->run), begun = done + run_n_new(s->run);

    (void) arg;
    if (result_wanted(env)) {
        json_t *tokens = data_tokens(env, err);
        return tokens && result_put(env, tokens);
    }
    for (int i = 0; i < s->ids.n; i++) {
        char label[128];
        if (interrupt_pending())
            return err_set(err, "interrupted");
        if (i % BATCH == 0)
            l = see_tokens(env, i, BATCH);
        str_addf(env->out, "%5d %7d  ", i, s->ids.id[i]);
        pad_print(tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label), 20,
                  env->out);
        surprisal_print(l, i, env->out);
        str_adds(env->out, i < done ? " computed" : i < begun ? " in this pass" : " waiting");
        str_adds(env->out, i >= s->n_prompt ? ", added\n" : "\n");
    }
    if (s->ids.n == 0)
        str_adds(env->out, "there are no tokens yet; give a prompt first\n");
    return true;
}

/* Tokens being generated: printed as soon as their text is whole, or kept as data. */
struct stream {
    struct decoder decoder;
    struct str piece;
    bool end;        /* the end-of-text token was chosen */
    json_t *tokens;  /* NULL: printed */
    struct str text; /* of all, for data */
};

static void stream_begin(struct stream *g, const struct command_env *env)
{
    const struct session *s = env->session;

    *g = (struct stream){.piece = STR_INIT, .text = STR_INIT};
    decoder_init_after(&g->decoder, s->tokenizer, s->ids.n > 0 ? s->ids.id[s->ids.n - 1] : -1);
    if (result_wanted(env))
        g->tokens = json_array();
}

/* Streams where the front end can. */
static void emit(struct command_env *env, struct stream *g)
{
    if (g->tokens)
        str_add(&g->text, g->piece.text, g->piece.len);
    for (const char *line = g->piece.text; !g->tokens && *line;) {
        size_t n = strcspn(line, "\n");
        safe_add(env->out, line, n, SAFE_SPACE_KEEP);
        if (line[n])
            str_addc(env->out, '\n');
        line += n + (line[n] != '\0');
    }
    str_clear(&g->piece);
    if (env->flush)
        env->flush(env);
}

static void stream_token(struct command_env *env, struct stream *g, int id)
{
    struct session *s = env->session;

    g->end = tokenizer_is_end(s->tokenizer, id) && !s->set.ignore_eos;
    if (g->tokens)
        json_array_append_new(
            g->tokens, data_join(data_token_at(s, s->chosen.at),
                                 json_pack("{s:o}", "draw", data_draw(&s->chosen.draw))));
    if (!g->end)
        decoder_feed(&g->decoder, id, &g->piece);
    emit(env, g);
}

static void stream_end(struct command_env *env, struct stream *g)
{
    decoder_finish(&g->decoder, &g->piece);
    emit(env, g);
    if (g->tokens)
        result_put(env,
                   data_join(json_pack("{s:o, s:o, s:b}", "tokens", g->tokens, "text",
                                       result_text(g->text.text, g->text.len), "end", g->end),
                             data_where(env->session)));
    else
        str_adds(env->out, g->end ? "\nthe end-of-text token was chosen\n" : "\n");
    str_release(&g->piece);
    str_release(&g->text);
}

bool cmd_generate(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct stream g;
    int n, id = -1;
    bool ok = true, stopped = false;

    if (!count_of(&arg[0], 1, &n, err))
        return false;
    env->screen->candidate = 0;
    if (works_later(env)) {
        env->screen->generating += n;
        env->journal.skip = true; /* each token is noted */
        return true;
    }
    stream_begin(&g, env);
    for (int i = 0; ok && !g.end && !stopped && i < n; i++) {
        ok = session_generate(s, &id, err);
        stopped = ok && s->breaks.hit[0];
        if (ok && id >= 0)
            stream_token(env, &g, id);
    }
    if (stopped)
        session_follow(s, true);
    stream_end(env, &g);
    if (stopped)
        where_print(s, env->out);
    return ok;
}

bool cmd_load(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    const struct hparams *hp;

    if (!session_load(s, arg[0].text, err))
        return false;
    hp = &s->program->hp;
    if (result_wanted(env))
        return result_put(env,
                          data_join(json_pack("{s:o, s:s, s:o}", "name", data_string(hp->name),
                                              "architecture", arch_name(hp->arch),
                                              "hyper_parameters", data_hparams(hp)),
                                    data_counts(s)));
    str_addf(env->out, "%s: %d layers, %d heads, d_model %d; %d tokens wait\n", hp->name,
             hp->n_layer, hp->n_head, hp->d_model, session_pending(s));
    return true;
}
