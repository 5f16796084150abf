/* The curses program's work between keys: computing in slices, generating, stopping. */
#include "ui/curses_app.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/commands.h"
#include "session/watch.h"
#include "view/cache.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_AROUND 0.1  /* seconds for finding a head to begin with */
#define SLICE       0.03 /* seconds of computing between two looks at the keys */

bool work_waits(const struct app *a)
{
    return a->st.running || a->st.generating > 0 || session_verifying(a->s);
}

/* Whole passes that were computed. */
static int passes(const struct session *s)
{
    return s->n_passes - run_in_pass(s->run);
}

/* Notes work that came to its end, or to a breakpoint: then so does `run`. While the prompt is
 * being edited it is noted together with the prompt. */
static void note_done(struct app *a, const char *line)
{
    if (a->entry.kind != ENTRY_PROMPT)
        journal_note(&a->env.journal, line);
    a->work_passes = passes(a->s);
}

/* Notes as much of the work as was done when it was stopped. */
static void note_part(struct app *a)
{
    struct session *s = a->s;
    char line[32];

    if (a->entry.kind == ENTRY_PROMPT)
        return;
    for (int n = a->work_passes; n < passes(s); n++)
        journal_note(&a->env.journal, "step token");
    snprintf(line, sizeof line, "until %d", run_pc(s->run));
    if (run_in_pass(s->run))
        journal_note(&a->env.journal, line);
    a->work_passes = passes(s);
}

/* What is done stays. Says what went wrong, or with NULL where it was stopped. */
void work_stop(struct app *a, const char *error)
{
    char text[96];

    a->st.running = a->st.playing = false;
    a->st.generating = 0;
    session_verify_stop(a->s);
    interrupt_clear();
    note_part(a);
    snprintf(text, sizeof text, "stopped after %d of %d tokens; r goes on",
             run_n_past(a->s->run), a->s->ids.n);
    app_say(a, error != NULL, error ? error : text);
}

static void measure_rate(struct app *a)
{
    int done = run_n_past(a->s->run);
    double now = clock_now();

    if (!a->working || done < a->work_tokens) {
        a->working = true;
        a->work_began = now;
        a->work_tokens = done;
    }
    a->st.rate =
        now > a->work_began + 0.2 ? (done - a->work_tokens) / (now - a->work_began) : 0;
}

/* "[14] 1256 ·Tom  p 0.410, draw 0.273 in [0.170, 0.580)" */
static void say_token(struct app *a, int id)
{
    str_clear(&a->out);
    str_addf(&a->out, "[%d] ", a->s->ids.n - 1);
    token_print(a->s, id, &a->out);
    draw_print(&a->s->chosen.draw, &a->out);
    app_say(a, false, a->out.text);
}

bool app_break(struct app *a)
{
    if (!a->s->breaks.hit[0])
        return false;
    a->st.running = a->st.playing = false;
    a->st.generating = 0;
    session_follow(a->s, true);
    a->st.op = -1;
    app_say(a, false, a->s->breaks.hit);
    return true;
}

static void generate_one(struct app *a)
{
    struct err err = ERR_INIT;
    int id;

    if (!session_generate(a->s, &id, &err)) {
        work_stop(a, err.text);
        return;
    }
    note_done(a, "generate");
    if (app_break(a))
        return;
    say_token(a, id);
    a->st.generating--;
    if (tokenizer_is_end(a->s->tokenizer, id) && !a->s->set.ignore_eos) {
        a->st.generating = 0;
        app_say(a, false, "the end-of-text token was chosen");
    }
    /* the last one is computed, too, or played */
    a->st.running = a->st.generating == 0 && !a->st.playing;
}

/* Puts the cursor where there is something to see: on the head with the clearest job, and on
 * the key that the last token looks at most. */
static void choose_head(struct app *a)
{
    struct session *s = a->s;
    struct err err = ERR_INIT;
    const struct heads_summary *sum;
    char line[64];

    cache_budget(a->st.cache, LOOK_AROUND);
    sum = cache_heads(a->st.cache, s, 0, &err);

    a->choose = false;
    if (!sum || !heads_clearest(sum, &s->at.layer, &s->at.head))
        return;
    int n = s->at.query + 1, value = session_stage_value(s, s->at.layer, STAGE_PATTERN);
    struct region row = {{s->at.head, s->at.query, 0}, {1, 1, n}};
    float *p = xcalloc((size_t) n, sizeof *p);
    if (run_read(s->run, value, &row, p, &err))
        for (int j = 0; j < n; j++)
            if (p[j] > p[s->at.key])
                s->at.key = j;
    free(p);
    snprintf(line, sizeof line, "select L%d.H%d; key %d", s->at.layer, s->at.head, s->at.key);
    journal_note(&a->env.journal, line);
}

/* One slice of computing everything again; says what came out. */
static void verify(struct app *a)
{
    struct err err = ERR_INIT;
    bool more;

    if (!session_verify_step(a->s, SLICE, &more, &err)) {
        interrupt_clear();
        app_say(a, true, err.text);
        return;
    }
    str_clear(&a->out);
    if (more)
        str_addf(&a->out, "computing %d tokens again: op %d of %d; Esc stops",
                 a->s->verify.n_pos, run_pc(a->s->verify.other), a->s->program->n_steps);
    else
        verify_sum(session_verified(a->s), &a->out);
    app_say(a, false, a->out.text);
}

/* One slice of what is pending, or one new token when all is computed. */
void work_slice(struct app *a)
{
    struct err err = ERR_INIT;
    bool more = false;

    if (session_verifying(a->s) && !a->st.running && a->st.generating == 0) {
        verify(a);
        return;
    }
    if (!a->working)
        a->work_passes = passes(a->s);
    if (!session_run(a->s, SLICE, &more, &err)) {
        work_stop(a, interrupt_pending() ? NULL : err.text);
        return;
    }
    measure_rate(a);
    if (more)
        return;
    if (a->st.running)
        note_done(a, "run");
    if (app_break(a))
        return;
    a->st.running = false;
    if (a->choose)
        choose_head(a);
    if (a->st.generating > 0)
        generate_one(a);
}

bool work_watch(struct app *a)
{
    double now = clock_measure();

    if (!watch_of(a->s) || (now - a->watched) * 1000 < WATCH_MS)
        return false;
    a->watched = now;
    str_clear(&a->out);
    return watch_settle(&a->env);
}
