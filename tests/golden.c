#include "golden.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *data_path(const char *name)
{
    const char *dir = getenv("TESTS_DIR");
    return xasprintf("%s/data/golden/%s", dir ? dir : "tests", name);
}

static int read_ids(int32_t *out, int max, const json_t *list)
{
    int n = (int) json_array_size(list);
    if (n > max)
        return 0;
    for (int i = 0; i < n; i++)
        out[i] = (int32_t) json_integer_value(json_array_get(list, (size_t) i));
    return n;
}

static bool read_prompts(struct golden *g)
{
    char name[64];
    snprintf(name, sizeof name, "%s.prompts.json", g->model);
    char *path = data_path(name);
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);
    const json_t *prompt = json_object_get(root, g->prompt);
    g->n_ids = read_ids(g->ids, 256, json_object_get(prompt, "ids"));
    g->n_greedy = read_ids(g->greedy, 64, json_object_get(prompt, "greedy30_ids"));
    if (!root)
        fprintf(stderr, "%s: %s\n", path, why.text);
    json_decref(root);
    free(path);
    return g->n_ids > 0 && g->n_greedy > 0;
}

bool golden_open(struct golden *g, const char *model, const char *prompt)
{
    char name[64];
    memset(g, 0, sizeof *g);
    snprintf(g->model, sizeof g->model, "%s", model);
    snprintf(g->prompt, sizeof g->prompt, "%s", prompt);
    snprintf(name, sizeof name, "%s.%s.npz", model, prompt);
    char *path = data_path(name);
    bool ok = npz_open(&g->values, path) && read_prompts(g);
    free(path);
    return ok;
}

void golden_release(struct golden *g)
{
    npz_release(&g->values);
}

/* Row by row: the largest logit and where it is. */
static void compare_logits(const struct npz_array *a, const float *logits, size_t n,
                           struct worst *w)
{
    size_t vocab = n / a->n;
    for (size_t row = 0; row < a->n; row++) {
        size_t best = 0;
        for (size_t i = 1; i < vocab; i++) {
            if (logits[row * vocab + i] > logits[row * vocab + best])
                best = i;
        }
        float want = a->i ? (float) a->i[row] : a->f[row];
        float got = a->i ? (float) best : logits[row * vocab + best];
        worst_add_f32(w, a->name, &got, &want, 1);
    }
}

/* Values of the long prompts that are parts of others. */
static const struct {
    const char *golden, *value;
    enum { WHOLE, LAST_ROW, EACH_ROW } part;
} parts[] = {
    {"logits_last", "logits", LAST_ROW},
    {"ln_f_last", "ln_final.out", LAST_ROW},
    {"logits_argmax", "logits", EACH_ROW},
    {"logits_max", "logits", EACH_ROW},
};

static void compare_array(const struct npz_array *a, golden_fetch *fetch, void *user,
                          struct worst *w)
{
    const char *name = a->name;
    int part = WHOLE;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].golden, a->name) == 0) {
            name = parts[i].value;
            part = parts[i].part;
        }
    }
    size_t n = 0;
    float *got = fetch(user, name, &n);
    if (!got)
        worst_missing(w, a->name, "cannot be had");
    else if (part == WHOLE ? n != a->n : n % a->n != 0)
        worst_missing(w, a->name, "has another size");
    else if (part == EACH_ROW)
        compare_logits(a, got, n, w);
    else if (a->f)
        worst_add_f32(w, a->name, got + n - a->n, a->f, a->n);
    else
        for (size_t i = 0; i < n; i++)
            worst_add(w, a->name, &got[i], &(double){a->i[i]}, 1);
    free(got);
}

void golden_compare(const struct golden *g, golden_fetch *fetch, void *user, struct worst *w)
{
    for (int i = 0; i < g->values.n; i++)
        compare_array(&g->values.array[i], fetch, user, w);
}
