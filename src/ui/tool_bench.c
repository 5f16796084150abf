/* gptscope bench: sets up the model, runs the table of measurements, prints the rows. */
#include "ui/tool_input.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safe.h"
#include "model/synth.h"
#include "ui/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROMPT_TOKENS 512
#define DECODE_TOKENS 32
#define UI_TOKENS     1024
#define UI_ROUNDS     200
#define DUMP_ROUNDS   20

static bool parse_dtype(const char *name, enum dtype *dtype, struct err *err)
{
    struct str names = STR_INIT;
    *dtype = DTYPE_F16;
    if (!name)
        return true;
    for (int i = 0; i < DTYPE_COUNT; i++) {
        *dtype = (enum dtype) i;
        if (strcasecmp(name, dtype_info(*dtype)->name) == 0) {
            str_release(&names);
            return true;
        }
        str_addf(&names, "%s%s", i ? " " : "", dtype_info(*dtype)->name);
    }
    err_set(err, "option '--dtype' takes one of %s, not '%s'", names.text, name);
    str_release(&names);
    return false;
}

/* Exit status; *m gets the model. */
static int open_model(const struct tool_args *a, struct model **m, struct err *err)
{
    struct hparams hp;
    enum dtype dtype;
    if (!a->shape) {
        if (a->dtype) {
            err_set(err, "--dtype goes with --shape; a model's file has its own");
            return 2;
        }
        *m = model_open(tool_model(a, false), err);
        return *m ? 0 : 1;
    }
    if (a->model) {
        err_set(err, "-m and --shape are given; one of them says the model");
        return 2;
    }
    if (!parse_dtype(a->dtype, &dtype, err) || !shape_parse(&hp, a->shape, err))
        return 2;
    *m = model_synth(&hp, dtype, (unsigned long long) a->set.seed, err);
    return *m ? 0 : 1;
}

/* The lengths asked for, or what the context holds of the usual ones. */
static bool set_lengths(struct bench *b, const struct tool_args *a, struct err *err)
{
    int n_ctx = model_hparams(b->model)->n_ctx;
    if (a->set.ctx > 0 && a->set.ctx < n_ctx)
        n_ctx = (int) a->set.ctx;
    b->n_decode = a->n >= 0 ? a->n : DECODE_TOKENS < n_ctx / 2 ? DECODE_TOKENS : n_ctx / 2;
    b->n_prompt = a->prompt_tokens > 0 ? a->prompt_tokens : PROMPT_TOKENS;
    if (a->prompt_tokens <= 0 && b->n_prompt + b->n_decode > n_ctx)
        b->n_prompt = n_ctx - b->n_decode;
    if (b->n_prompt <= 0 || b->n_prompt > n_ctx - b->n_decode)
        return err_set(err,
                       "%d tokens of prompt and %d to decode do not fit the context of %d; "
                       "give fewer with --prompt-tokens or -n",
                       b->n_prompt > 0 ? b->n_prompt : 1, b->n_decode, n_ctx);
    b->options =
        (struct run_options){.n_ctx = b->n_prompt + b->n_decode, .chunk = (int) a->set.chunk};
    return true;
}

/* The screen and dumps are measured at one length; -n is how often. */
static bool set_one_length(struct bench *b, const struct tool_args *a, struct err *err)
{
    int n_ctx = model_hparams(b->model)->n_ctx;
    int usual = a->ui ? UI_TOKENS : PROMPT_TOKENS;
    b->most_rounds = a->n > 0 ? a->n : a->ui ? UI_ROUNDS : DUMP_ROUNDS;
    b->n_decode = 0;
    b->n_prompt = a->prompt_tokens > 0 ? a->prompt_tokens : usual < n_ctx ? usual : n_ctx;
    if (b->n_prompt > n_ctx)
        return err_set(err,
                       "%d tokens do not fit the context of %d; give fewer with "
                       "--prompt-tokens",
                       b->n_prompt, n_ctx);
    return true;
}

static void random_ids(struct bench *b, uint64_t seed)
{
    struct rng rng;
    int n = b->n_prompt + b->n_decode, n_vocab = model_hparams(b->model)->n_vocab;
    rng_seed(&rng, seed);
    b->ids = xcalloc((size_t) n, sizeof *b->ids);
    for (int i = 0; i < n; i++)
        b->ids[i] = (int32_t) (rng_u64(&rng) % (uint64_t) n_vocab);
}

/* --- printing --- */

static void print_json(const struct bench *b, const char *name, FILE *out)
{
    struct str json = STR_INIT;
    struct blas_info blas;
    compute_blas(b->compute, &blas);
    str_adds(&json, "{\"model\":");
    tool_json_text(&json, name);
    str_addf(&json, ",\"threads\":%d,\"openblas_core\":", compute_threads(b->compute));
    tool_json_text(&json, blas.core);
    str_adds(&json, ",\"openblas_why\":");
    tool_json_text(&json, blas.why);
    str_adds(&json, ",\"simd\":");
    tool_json_text(&json, blas.simd);
    str_adds(&json, ",\"rows\":[");
    for (int i = 0; i < b->n_rows; i++) {
        const struct bench_row *r = &b->row[i];
        str_adds(&json, i ? ",\n{\"name\":" : "\n{\"name\":");
        tool_json_text(&json, r->name);
        str_adds(&json, ",\"unit\":");
        tool_json_text(&json, r->unit);
        str_addf(&json, ",\"median\":%.9g,\"p99\":%.9g,\"min\":%.9g,\"max\":%.9g,\"rounds\":%d",
                 r->median, r->p99, r->min, r->max, r->rounds);
        if (!isnan(r->limit))
            str_addf(&json, ",\"limit\":%.9g", r->limit);
        if (!isnan(r->limit_p99))
            str_addf(&json, ",\"limit_p99\":%.9g", r->limit_p99);
        str_addc(&json, '}');
    }
    str_adds(&json, "\n]}\n");
    tool_put(out, &json);
}

/* "     3.20      8 / 16 !": the 99th percentile; the limits, and whether one is exceeded. */
static void print_limits(const struct bench_row *r, FILE *out)
{
    char limit[32] = "";
    bool over = r->median > r->limit || r->p99 > r->limit_p99; /* false for NAN */
    if (!isnan(r->limit_p99))
        snprintf(limit, sizeof limit, "%g / %g", r->limit, r->limit_p99);
    else if (!isnan(r->limit))
        snprintf(limit, sizeof limit, "%g", r->limit);
    if (r->rounds > 1)
        fprintf(out, " %9.2f", r->p99);
    else
        fprintf(out, " %9s", "");
    fprintf(out, " %13s%s", limit, over ? "!" : " ");
}

static void print_text(const struct bench *b, const char *name, FILE *out)
{
    struct str shown = STR_INIT;
    struct blas_info blas;
    compute_blas(b->compute, &blas);
    safe_add(&shown, name, strlen(name), SAFE_SPACE_KEEP);
    fprintf(out, "%s, %d threads, OpenBLAS %s (%s), own kernels %s\n\n", shown.text,
            compute_threads(b->compute), blas.core, blas.why, blas.simd);
    str_release(&shown);
    bool p99 = b->session != NULL;
    fprintf(out, "%-36s %12s  %-6s", "", "median", "");
    if (p99)
        fprintf(out, " %9s %13s ", "99 %", "limits");
    fprintf(out, " %25s\n", "least .. most (rounds)");
    for (int i = 0; i < b->n_rows; i++) {
        const struct bench_row *r = &b->row[i];
        fprintf(out, "%-36s %12.2f  %-6s", r->name, r->median, r->unit);
        if (p99)
            print_limits(r, out);
        if (r->rounds > 1)
            fprintf(out, " %10.2f .. %.2f (%d)", r->min, r->max, r->rounds);
        fputc('\n', out);
    }
}

static bool measure_all(struct bench *b, const struct measure *m, struct err *err)
{
    for (; m->name; m++)
        if (!m->run(b, err))
            return err_add(err, "measuring %s", m->name);
    return true;
}

static void bench_release(struct bench *b)
{
    if (b->session)
        screen_release(&b->screen);
    session_free(b->session);
    canvas_free(b->canvas);
    run_free(b->keep);
    run_free(b->lean);
    program_free(b->program);
    compute_free(b->compute);
    free(b->ids);
    free(b->row);
}

/* A session of the model, which it takes over, with its prompt computed. */
static bool open_session(struct bench *b, struct model *m, const struct settings *set,
                         struct err *err)
{
    struct settings own = *set;
    own.ctx = b->n_prompt;
    b->session = session_of(m, b->compute, &own, err);
    if (!b->session)
        return false;
    screen_init(&b->screen);
    return session_prompt_ids(b->session, b->ids, b->n_prompt, err) &&
           session_run(b->session, 0, NULL, err);
}

static bool bench_run(struct bench *b, struct model **m, const struct tool_args *a,
                      struct err *err)
{
    random_ids(b, (uint64_t) a->set.seed);
    b->compute = compute_new((int) a->set.threads);
    if (!a->ui && !a->dump) {
        b->program = program_build(*m, err);
        return b->program && measure_all(b, measure_table, err);
    }
    struct model *taken = *m;
    *m = NULL;
    return (!a->dump || dump_memory_begin(b, err)) && open_session(b, taken, &a->set, err) &&
           measure_all(b, a->dump ? dump_table : ui_table, err);
}

int tool_bench(const struct tool_args *args, FILE *out, struct err *err)
{
    struct tool_args a = *args;
    struct bench b = {0};
    struct model *m = NULL;
    if (a.n_rest) {
        err_set(err, "'%s' is too much", a.rest[0]);
        return 2;
    }
    if (a.ui && a.dump) {
        err_set(err, "--ui and --dump are given; one at a time");
        return 2;
    }
    if ((a.ui || a.dump) && !a.model && !a.shape)
        a.shape = "gpt2";
    tool_catch_interrupt();
    int status = open_model(&a, &m, err);
    b.model = m;
    if (status == 0 && !(a.ui || a.dump ? set_one_length : set_lengths)(&b, &a, err))
        status = 2;
    if (status == 0) {
        const char *name = a.shape ? a.shape : tool_model(&a, false);
        status = bench_run(&b, &m, &a, err) ? 0 : 1;
        if (status == 0)
            (a.json ? print_json : print_text)(&b, name, out);
    }
    bench_release(&b);
    model_free(m);
    return status;
}
