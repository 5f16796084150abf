#include "ui/bench.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIN_ROUNDS 5
#define MAX_ROUNDS 200
#define BUDGET     1.5  /* seconds of rounds, once there are MIN_ROUNDS */
#define COMPARING  15.0 /* the same where a difference of some percent is looked for */
#define VIEWPORT   96   /* queries and keys of a pattern that fill a large screen */

/* --- samples --- */

void samples_add(struct samples *s, double x)
{
    VEC_ROOM(s->x, s->n, s->cap);
    s->x[s->n++] = x;
}

void samples_release(struct samples *s)
{
    free(s->x);
    *s = (struct samples){0};
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static double *sorted(const struct samples *s)
{
    double *x = xcalloc((size_t) s->n, sizeof *x);
    memcpy(x, s->x, (size_t) s->n * sizeof *x);
    qsort(x, (size_t) s->n, sizeof *x, by_size);
    return x;
}

static double middle(const double *x, int n)
{
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

double samples_median(const struct samples *s)
{
    if (s->n == 0)
        return 0;
    double *x = sorted(s), m = middle(x, s->n);
    free(x);
    return m;
}

void bench_add(struct bench *b, const char *name, const char *unit, struct samples *s)
{
    if (s->n > 0) {
        double *x = sorted(s);
        VEC_ROOM(b->row, b->n_rows, b->cap_rows);
        struct bench_row *row = &b->row[b->n_rows++];
        *row = (struct bench_row){.unit = unit, .rounds = s->n, .limit = NAN, .limit_p99 = NAN};
        snprintf(row->name, sizeof row->name, "%s", name);
        row->median = middle(x, s->n);
        row->p99 = x[(row->rounds - 1) * 99 / 100];
        row->min = x[0];
        row->max = x[s->n - 1];
        free(x);
    }
    samples_release(s);
}

void bench_add_one(struct bench *b, const char *name, const char *unit, double x)
{
    struct samples s = {0};
    samples_add(&s, x);
    bench_add(b, name, unit, &s);
}

void bench_limit(struct bench *b, double median, double p99)
{
    b->row[b->n_rows - 1].limit = median;
    b->row[b->n_rows - 1].limit_p99 = p99;
}

static bool more_rounds(int done, double began, double budget)
{
    return done < MIN_ROUNDS || (done < MAX_ROUNDS && clock_measure() - began < budget);
}

/* --- prefill, keeping and lean --- */

static double resident_mb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (!f)
        return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return (double) pages * (double) sysconf(_SC_PAGESIZE) / 1e6;
}

/* Time on the clock, and of all processors: the second hardly sees what else the machine does.
 */
struct spent {
    double wall, cpu;
};

static struct spent spent_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (struct spent){clock_measure(), (double) t.tv_sec + (double) t.tv_nsec / 1e9};
}

static bool prefill(const struct bench *b, struct run *r, struct spent *spent, struct err *err)
{
    run_truncate(r, 0);
    struct spent began = spent_now();
    if (!run_feed(r, b->ids, b->n_prompt, err))
        return false;
    struct spent end = spent_now();
    *spent = (struct spent){end.wall - began.wall, end.cpu - began.cpu};
    return true;
}

/* Both runs are made, and the pages of the weights and of the threads' scratch are touched by
 * the lean one, before the keeping one's memory is measured. */
static bool measure_memory(struct bench *b, struct err *err)
{
    struct run_options lean = b->options;
    struct run_memory m;
    struct spent spent;
    lean.lean = true;
    b->lean = run_new(b->model, b->program, b->compute, &lean, err);
    if (!b->lean || !prefill(b, b->lean, &spent, err))
        return false;
    double before = resident_mb();
    b->keep = run_new(b->model, b->program, b->compute, &b->options, err);
    if (!b->keep || !prefill(b, b->keep, &spent, err))
        return false;
    double after = resident_mb();
    run_memory(b->keep, &m);
    bench_add_one(b, "memory, cache", "MB", (double) m.cache / 1e6);
    bench_add_one(b, "memory, kept", "MB", (double) m.kept / 1e6);
    bench_add_one(b, "memory, arena", "MB", (double) m.arena / 1e6);
    bench_add_one(b, "memory, scratch", "MB", (double) m.scratch / 1e6);
    bench_add_one(b, "memory, beyond weights and cache", "MB",
                  (double) (m.kept + m.arena + m.scratch) / 1e6);
    bench_add_one(b, "memory, measured growth with cache", "MB", after - before);
    return true;
}

static bool measure_prefill(struct bench *b, struct err *err)
{
    struct samples keep = {0}, lean = {0}, cost = {0}, cpu_cost = {0};
    double began = clock_measure();
    bool ok = true;
    for (int round = 0; ok && more_rounds(round, began, COMPARING); round++) {
        struct spent k = {1, 1}, l = {1, 1};
        if (round % 2)
            ok = prefill(b, b->lean, &l, err) && prefill(b, b->keep, &k, err);
        else
            ok = prefill(b, b->keep, &k, err) && prefill(b, b->lean, &l, err);
        samples_add(&keep, b->n_prompt / k.wall);
        samples_add(&lean, b->n_prompt / l.wall);
        samples_add(&cost, 100 * (k.wall / l.wall - 1));
        samples_add(&cpu_cost, 100 * (k.cpu / l.cpu - 1));
    }
    if (ok) {
        double of_medians = samples_median(&lean) / samples_median(&keep) - 1;
        bench_add_one(b, "prefill, length", "tok", b->n_prompt);
        bench_add(b, "prefill, keeping", "tok/s", &keep);
        bench_add(b, "prefill, lean", "tok/s", &lean);
        bench_add_one(b, "cost of keeping, of the medians", "%", 100 * of_medians);
        bench_add(b, "cost of keeping, by pairs", "%", &cost);
        bench_add(b, "cost of keeping, processor time", "%", &cpu_cost);
    }
    samples_release(&keep);
    samples_release(&lean);
    samples_release(&cost);
    samples_release(&cpu_cost);
    return ok;
}

/* --- decoding --- */

/* Bytes of weights that a token has to read: all but the tables of which it takes one row. */
static double bytes_per_token(const struct model *m)
{
    double bytes = 0;
    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        bool table = w.role == W_POS_EMBD || (w.role == W_TOK_EMBD && !model_hparams(m)->tied);
        bytes += table ? (double) w.bytes / w.rows : (double) w.bytes;
    }
    return bytes;
}

static bool measure_decode(struct bench *b, struct err *err)
{
    struct samples rate = {0}, speed = {0};
    double bytes = bytes_per_token(b->model);
    bool ok = true;
    run_truncate(b->keep, b->n_prompt);
    for (int i = 0; ok && i < b->n_decode; i++) {
        double began = clock_measure();
        ok = run_feed(b->keep, b->ids + b->n_prompt + i, 1, err);
        double seconds = clock_measure() - began;
        samples_add(&rate, 1 / seconds);
        samples_add(&speed, bytes / seconds / 1e9);
    }
    if (ok && b->n_decode > 0) {
        bench_add(b, "decode", "tok/s", &rate);
        bench_add_one(b, "decode, weights read a token", "MB", bytes / 1e6);
        bench_add(b, "decode, weights read", "GB/s", &speed);
    }
    samples_release(&rate);
    samples_release(&speed);
    run_truncate(b->keep, b->n_prompt);
    return ok;
}

/* --- looking --- */

static bool time_view(struct bench *b, const char *name, int layer, int queries, int keys,
                      struct err *err)
{
    int value = program_value(b->program, layer, "attn.pattern"), n = b->n_prompt;
    struct region view = {{0, n - queries, 0}, {1, queries, keys}};
    float *out = xcalloc((size_t) queries * (size_t) keys, sizeof *out);
    struct samples ms = {0};
    double began = clock_measure();
    bool ok = true;
    for (int round = 0; ok && more_rounds(round, began, BUDGET); round++) {
        view.first[0] = round % b->program->hp.n_head;
        double start = clock_measure();
        ok = run_read(b->keep, value, &view, out, err);
        samples_add(&ms, 1e3 * (clock_measure() - start));
    }
    if (ok)
        bench_add(b, name, "ms", &ms);
    samples_release(&ms);
    free(out);
    return ok;
}

static bool measure_pattern(struct bench *b, struct err *err)
{
    int side = b->n_prompt < VIEWPORT ? b->n_prompt : VIEWPORT;
    int layer = b->program->hp.n_layer / 2;
    char name[64];
    snprintf(name, sizeof name, "view %d x %d of a pattern", side, side);
    return time_view(b, name, layer, side, side, err) &&
           time_view(b, "view a whole head's pattern", layer, b->n_prompt, b->n_prompt, err);
}

// clang-format off
const struct measure measure_table[] = {
    {"memory", "what a prefill holds beyond the weights", measure_memory},
    {"prefill", "a prompt in chunks, keeping what views need and keeping nothing, in turn",
     measure_prefill},
    {"decode", "one token at a time", measure_decode},
    {"pattern", "reading attention weights of any layer afterwards", measure_pattern},
    {0},
};
// clang-format on
