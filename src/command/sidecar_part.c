/* Reading a sidecar: which part of the values the dump beside it holds, and of which model. */
#include "command/sidecar.h"

#include "base/mem.h"
#include "base/safe.h"
#include "command/sidecar_say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_POSITIONS = 1 << 24, MOST_HEADS = 1 << 14 };

/* --- numbers --- */

/* A whole number from lo to hi; false for anything else. */
static bool take_int(const json_t *o, const char *key, int lo, int hi, int *v)
{
    const json_t *x = json_object_get(o, key);
    json_int_t n = json_integer_value(x);

    if (!json_is_integer(x) || n < lo || n > hi)
        return false;
    *v = (int) n;
    return true;
}

/* Numbers of a list, each from 0 to hi; `rising`: each above the one before it. Yours, or NULL.
 */
static int *take_list(const json_t *list, int most, int hi, bool rising, int *n)
{
    size_t count = json_array_size(list);
    int *out = count > 0 && count <= (size_t) most ? xcalloc(count, sizeof *out) : NULL;

    for (size_t i = 0; out && i < count; i++) {
        const json_t *x = json_array_get(list, i);
        json_int_t v = json_integer_value(x);
        if (!json_is_integer(x) || v < 0 || v > hi || (rising && i > 0 && v <= out[i - 1])) {
            free(out);
            out = NULL;
            break;
        }
        out[i] = (int) v;
    }
    *n = out ? (int) count : 0;
    return out;
}

/* --- the model --- */

/* Which of n names the member is, or -1. */
static int take_name(const json_t *o, const char *key, const char *const *name, int n)
{
    const char *text = json_string_value(json_object_get(o, key));
    int i = n - 1;

    while (i >= 0 && (!text || strcmp(text, name[i]) != 0))
        i--;
    return i;
}

static bool take_sizes(const json_t *o, struct hparams *hp)
{
    const struct {
        const char *key;
        int *field;
    } sizes[] = {{"n_layer", &hp->n_layer}, {"d_model", &hp->d_model},
                 {"n_head", &hp->n_head},   {"n_kv_head", &hp->n_kv_head},
                 {"d_head", &hp->d_head},   {"d_mlp", &hp->d_mlp},
                 {"n_vocab", &hp->n_vocab}, {"n_ctx", &hp->n_ctx}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!take_int(o, sizes[i].key, 1, MOST_POSITIONS, sizes[i].field))
            return false;
    return true;
}

/* As hparams_json of sidecar_say.c has it. */
static bool take_shape(const json_t *model, struct hparams *hp)
{
    static const char *const norm[] = {"LayerNorm", "RMSNorm"};
    static const char *const act[] = {"gelu (tanh)", "gelu (erf)", "silu"};
    static const char *const position[] = {"learned", "rope"};
    const char *const arch[ARCH_COUNT] = {arch_name(ARCH_GPT2), arch_name(ARCH_LLAMA)};
    const json_t *o = json_object_get(model, "hyper_parameters");
    const char *name = json_string_value(json_object_get(model, "name"));
    struct err unheard = ERR_INIT;
    int a = take_name(model, "architecture", arch, ARCH_COUNT);
    int n = take_name(o, "norm", norm, 2), f = take_name(o, "activation", act, 3);
    int p = take_name(o, "positions", position, 2);

    *hp = (struct hparams){.arch = (enum arch)(a < 0 ? 0 : a)};
    if (a < 0 || n < 0 || f < 0 || p < 0 || !take_sizes(o, hp))
        return false;
    hp->norm = n ? NORM_RMS : NORM_LAYER;
    hp->act = (enum act_kind) f;
    hp->norm_eps = (float) json_number_value(json_object_get(o, "norm_eps"));
    hp->gated = json_is_true(json_object_get(o, "gated_mlp"));
    hp->tied = json_is_true(json_object_get(o, "tied_head"));
    hp->learned_pos = p == 0;
    hp->rope_theta = (float) json_number_value(json_object_get(o, "rope_theta"));
    if (!hp->learned_pos && !take_int(o, "rope_dim", 2, MOST_HEADS, &hp->rope_dim))
        return false;
    safe_copy(hp->name, sizeof hp->name, name ? name : "", name ? strlen(name) : 0,
              SAFE_SPACE_KEEP);
    return hparams_check(hp, &unheard);
}

/* --- the prompt and the part --- */

static char **take_texts(const json_t *list, int n)
{
    char **text = xcalloc((size_t) n + 1, sizeof *text);

    for (int i = 0; i < n; i++) {
        const json_t *x = json_array_get(list, (size_t) i);
        struct str safe = STR_INIT;
        if (json_is_string(x))
            safe_add(&safe, json_string_value(x), json_string_length(x), SAFE_SPACE_DOT);
        str_adds(&safe, "");
        text[i] = str_steal(&safe);
    }
    return text;
}

static bool take_prompt(const json_t *o, struct dumped_part *out)
{
    const json_t *tokens = json_object_get(o, "tokens");
    int n;
    int *ids = take_list(json_object_get(o, "ids"), MOST_POSITIONS, MOST_POSITIONS, false, &n);

    if (!ids)
        return false;
    out->tokens = xcalloc((size_t) n, sizeof *out->tokens);
    for (int i = 0; i < n; i++)
        out->tokens[i] = ids[i];
    out->n_tokens = n;
    if (json_array_size(tokens) == (size_t) n)
        out->text = take_texts(tokens, n);
    free(ids);
    return true;
}

static bool take_selection(const json_t *o, struct dumped_part *out)
{
    const json_t *heads = json_object_get(o, "heads"), *pos = json_object_get(o, "positions");

    out->group = out->shape_known ? out->hp.n_head / out->hp.n_kv_head : 1;
    if (heads && !json_is_null(heads)) {
        out->head = take_list(heads, MOST_HEADS, MOST_HEADS, true, &out->n_heads);
        if (!out->head || !out->shape_known)
            return false;
    }
    if (!pos || json_is_null(pos))
        return true;
    return take_int(pos, "first", 0, out->n_tokens - 1, &out->first) &&
           take_int(pos, "count", 1, out->n_tokens - out->first, &out->count);
}

/* The name of the only array that is not the tokens. */
static void take_value(const json_t *values, struct dumped_part *out)
{
    const char *only = NULL;

    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        const char *name = json_string_value(json_object_get(v, "name"));
        if (!name || strcmp(name, "tokens") == 0 || strcmp(name, "token_str") == 0)
            continue;
        if (only)
            return;
        only = name;
    }
    if (only)
        out->value = xstrdup(only);
}

/* The sidecar is of this very file: as long, with the same ends. */
static bool describes(const json_t *o, const char *path)
{
    struct err unheard = ERR_INIT;
    struct sidecar_data data;
    const json_t *d = json_object_get(o, "data");
    const char *ends = json_string_value(json_object_get(d, "ends"));
    char text[SIDECAR_ENDS];

    if (!ends || !sidecar_measure(path, &data, &unheard))
        return false;
    sidecar_ends(&data, text);
    return strcmp(ends, text) == 0 &&
           json_integer_value(json_object_get(d, "bytes")) == (json_int_t) data.bytes;
}

void sidecar_part(const char *path, struct dumped_part *out)
{
    char *side = sidecar_path(path);
    bool there = access(side, F_OK) == 0;
    json_t *o = there ? sidecar_read(side) : NULL;

    *out = (struct dumped_part){0};
    free(side);
    if (!there)
        return;
    if (o && describes(o, path)) {
        out->shape_known = take_shape(json_object_get(o, "model"), &out->hp);
        if (take_prompt(json_object_get(o, "prompt"), out) &&
            take_selection(json_object_get(o, "selection"), out))
            out->told = PART_TOLD;
        take_value(json_object_get(o, "values"), out);
    }
    if (out->told != PART_TOLD) {
        dumped_part_release(out);
        out->told = PART_OTHER;
    }
    json_decref(o);
}
