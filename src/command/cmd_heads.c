/* headscores: what every head does, of the prompt or of random tokens repeated. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/result.h"
#include "session/heads.h"

#include <stdlib.h>
#include <string.h>

#define LIST_N 10

/* Columns, in the order of the command's first argument; "job" sorts by the tag. */
enum measure {
    BY_JOB,
    BY_PREVIOUS,
    BY_INDUCTION,
    BY_DUPLICATE,
    BY_SINK,
    BY_SELF,
    BY_ENTROPY,
    BY_LARGEST,
    MEASURES
};

static const struct {
    const char *name;
    int job; /* -1: none */
} measures[MEASURES] = {
    {"job", -1},
    {"previous", JOB_PREVIOUS},
    {"induction", JOB_INDUCTION},
    {"duplicate", JOB_DUPLICATE},
    {"sink", JOB_SINK},
    {"self", JOB_SELF},
    {"entropy", -1},
    {"largest", -1},
};

struct scored {
    int layer, head;
    const struct head_summary *sum;
    double score;
};

/* Heads with a tag come before all others. */
static double score_of(const struct head_summary *h, enum measure by)
{
    double most = 0;

    if (by == BY_ENTROPY)
        return (double) h->entropy;
    if (by == BY_LARGEST)
        return (double) h->max;
    if (by != BY_JOB)
        return (double) h->job[measures[by].job];
    for (int i = 0; i < JOB_COUNT; i++)
        most = (double) h->job[i] > most ? (double) h->job[i] : most;
    return h->tag >= 0 ? 1 + (double) h->job[h->tag] : most;
}

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->layer != y->layer ? x->layer - y->layer : x->head - y->head;
}

/* Heads of layers that are computed, sorted; yours. */
static struct scored *sort_heads(const struct heads *h, enum measure by, int *n)
{
    struct scored *list = xcalloc((size_t) (h->n_layer * h->n_head), sizeof *list);

    *n = 0;
    for (int i = 0; i < h->n_layer * h->n_head; i++)
        if (h->head[i].ready)
            list[(*n)++] = (struct scored){i / h->n_head, i % h->n_head, &h->head[i],
                                           score_of(&h->head[i], by)};
    qsort(list, (size_t) *n, sizeof *list, by_score);
    return list;
}

/* --- text --- */

static void row_print(const struct scored *one, struct str *out)
{
    const struct head_summary *h = one->sum;
    char name[24];

    snprintf(name, sizeof name, "L%d.H%d", one->layer, one->head);
    str_addf(out, "%-8s%-16s", name, h->tag < 0 ? "" : head_job_name((enum head_job) h->tag));
    for (int m = BY_PREVIOUS; m < BY_ENTROPY; m++)
        if (h->n[measures[m].job] > 0)
            str_addf(out, m == BY_SINK || m == BY_SELF ? "%6.3f" : "%10.3f",
                     (double) h->job[measures[m].job]);
        else
            str_addf(out, m == BY_SINK || m == BY_SELF ? "%6s" : "%10s", "-");
    if (h->n[JOB_SELF] > 0)
        str_addf(out, "%7.3f%7.3f\n", (double) h->entropy, (double) h->max);
    else
        str_addf(out, "%7s%7s\n", "-", "-"); /* a single token looks at itself */
}

static void table_print(const struct scored *list, int n, int all, struct str *out)
{
    str_addf(out, "%-8s%-16s%10s%10s%10s%6s%6s%7s%7s\n", "", "job", "previous", "induction",
             "duplicate", "sink", "self", "entr.", "max");
    for (int i = 0; i < n && i < all; i++)
        row_print(&list[i], out);
    if (n < all)
        str_addf(out, "%d more heads\n", all - n);
    if (all > 0) {
        const int *of = list[0].sum->n;
        str_addf(out, "%-24s%10d%10d%10d%6d%6d\n", "means of so many queries", of[JOB_PREVIOUS],
                 of[JOB_INDUCTION], of[JOB_DUPLICATE], of[JOB_SINK], of[JOB_SELF]);
        str_adds(out,
                 "entr.: as a share of the largest there can be; max: the largest weight\n");
    }
}

/* --- data --- */

static json_t *head_json(const struct scored *one, bool random)
{
    const struct head_summary *h = one->sum;
    json_t *o = json_pack("{s:i, s:i}", "layer", one->layer, "head", one->head);

    json_object_set_new(o, "job",
                        h->tag < 0 ? json_null()
                                   : json_string(head_job_name((enum head_job) h->tag)));
    for (int m = BY_PREVIOUS; m < BY_ENTROPY; m++)
        json_object_set_new(o, measures[m].name,
                            h->n[measures[m].job] > 0
                                ? result_number((double) h->job[measures[m].job])
                                : json_null());
    bool any = h->n[JOB_SELF] > 0; /* a single token has nowhere else to look */
    json_object_set_new(o, "entropy", any ? result_number((double) h->entropy) : json_null());
    json_object_set_new(o, "largest", any ? result_number((double) h->max) : json_null());
    if (!random)
        json_object_set_new(o, "strongest_key", json_integer(h->strongest));
    return o;
}

static json_t *heads_json(const struct scored *list, int n, const struct heads *h,
                          const struct heads_random *random)
{
    json_t *heads = json_array(), *queries = json_object();

    for (int i = 0; i < n; i++)
        json_array_append_new(heads, head_json(&list[i], random != NULL));
    for (int m = BY_PREVIOUS; n > 0 && m < BY_ENTROPY; m++)
        json_object_set_new(queries, measures[m].name,
                            json_integer(list[0].sum->n[measures[m].job]));
    json_t *how = random ? json_pack("{s:i, s:i, s:I}", "length", random->length, "sequences",
                                     random->sequences, "seed", (json_int_t) random->seed)
                         : json_null();
    return json_pack("{s:i, s:o, s:o, s:o}", "positions", h->n_query, "random", how, "queries",
                     queries, "heads", heads);
}

/* --- the command --- */

static bool random_of(const struct session *s, const struct arg *arg, struct heads_random *how,
                      struct err *err)
{
    int most = heads_random_most(s);

    *how = (struct heads_random){most < 50 ? most : 50, 8, (uint64_t) s->set.seed};
    return count_of(&arg[0], how->length, &how->length, err) &&
           count_of(&arg[1], how->sequences, &how->sequences, err);
}

static bool no_length(const struct arg *arg, struct err *err)
{
    return !arg->given ||
           err_set(err, "only random sequences have a length; see help headscores");
}

static void heading(const struct session *s, const struct heads *h,
                    const struct heads_random *random, struct str *out)
{
    if (random)
        str_addf(out, "%d sequences of %d different random ids given twice, seed %lld",
                 random->sequences, random->length, (long long) random->seed);
    else
        str_addf(out, "%d token%s computed", h->n_query, h->n_query == 1 ? "" : "s");
    if (s->n_ablations > 0)
        str_addf(out, "; %d ablation%s", s->n_ablations, s->n_ablations == 1 ? "" : "s");
    str_addc(out, '\n');
}

bool cmd_headscores(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    enum measure by = arg[0].given ? (enum measure) arg[0].i : BY_JOB;
    bool random = arg[1].given;
    struct heads_random how;
    struct heads h;
    int n, all;

    if (!count_of(&arg[2], LIST_N, &n, err) || (!random && !no_length(&arg[3], err)) ||
        (random && !random_of(s, &arg[3], &how, err)) ||
        !(random ? heads_of_random(&h, s, &how, err) : heads_of_session(&h, s, err)))
        return false;
    struct scored *list = sort_heads(&h, by, &all);
    if (result_wanted(env)) {
        result_put(env, heads_json(list, all, &h, random ? &how : NULL));
    } else {
        heading(s, &h, random ? &how : NULL, env->out);
        table_print(list, n, all, env->out);
    }
    free(list);
    heads_release(&h);
    return true;
}
