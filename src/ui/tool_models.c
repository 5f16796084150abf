/* gptscope models and check. */
#include "ui/tool_input.h"

#include "base/path.h"
#include "base/safe.h"
#include "model/builtin.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static void models_json(const struct found_model *found, int n, FILE *out)
{
    struct str json = STR_INIT;
    str_adds(&json, "{\"models\":[");
    for (const struct builtin *b = builtins; b->name; b++) {
        str_adds(&json, b == builtins ? "\n{\"name\":" : ",\n{\"name\":");
        tool_json_text(&json, b->name);
        str_adds(&json, ",\"kind\":\"builtin\",\"summary\":");
        tool_json_text(&json, b->summary);
        str_addf(&json, ",\"bytes\":%zu}", (size_t) (b->end - b->data));
    }
    for (int i = 0; i < n; i++) {
        str_adds(&json, ",\n{\"name\":");
        tool_json_text(&json, found[i].path);
        str_adds(&json, ",\"kind\":");
        tool_json_text(&json, found[i].what);
        str_addf(&json, ",\"bytes\":%llu}", found[i].bytes);
    }
    str_adds(&json, "\n]}\n");
    tool_put(out, &json);
}

static void print_model(FILE *out, const char *kind, double bytes, const char *name)
{
    struct str shown = STR_INIT;
    safe_add(&shown, name, strlen(name), SAFE_SPACE_KEEP);
    bool small = bytes < 1e5;
    fprintf(out, "%-9s %8.1f %s  %s", kind, bytes / (small ? 1e3 : 1e6), small ? "kB" : "MB",
            shown.text);
    str_release(&shown);
}

static void models_text(const struct found_model *found, int n, FILE *out)
{
    for (const struct builtin *b = builtins; b->name; b++) {
        print_model(out, "built in", (double) (b->end - b->data), b->name);
        fprintf(out, "   %s\n", b->summary);
    }
    for (int i = 0; i < n; i++) {
        print_model(out, found[i].what, (double) found[i].bytes, found[i].path);
        fputc('\n', out);
    }
    if (n == 0)
        fputs("none found in $GPTSCOPE_MODELS, $XDG_DATA_HOME/gptscope/models, ./models, "
              "~/models and the Hugging Face cache; -m takes any path\n",
              out);
}

int tool_models(const struct tool_args *a, FILE *out, struct err *err)
{
    if (a->n_rest) {
        err_set(err, "'%s' is too much", a->rest[0]);
        return 2;
    }
    struct found_model *found = NULL;
    int n = found_models(&found);
    (a->json ? models_json : models_text)(found, n, out);
    found_models_free(found, n);
    return 0;
}

static void print_check(const char *path, const struct model *m, const struct tokenizer *t,
                        FILE *out)
{
    const struct hparams *hp = model_hparams(m);
    char *shown = path_shown(path);
    fprintf(out,
            "%s: ok: %s, %d layers, %d heads, d_model %d, %d tensors, context %d, "
            "%s of %d tokens\n",
            shown, arch_name(hp->arch), hp->n_layer, hp->n_head, hp->d_model,
            model_n_weights(m), hp->n_ctx, tokenizer_kind(t), tokenizer_n_vocab(t));
    free(shown);
}

int tool_check(const struct tool_args *a, FILE *out, struct err *err)
{
    if (a->n_rest + (a->model != NULL) != 1) {
        err_set(err, "give one model to check, -m FILE");
        return 2;
    }
    const char *path = tool_model(a, true);
    struct model *m = model_open(path, err);
    struct tokenizer *t = m ? tokenizer_of(m, err) : NULL;
    if (t)
        print_check(path, m, t, out);
    int status = t ? 0 : 1;
    tokenizer_free(t);
    model_free(m);
    return status;
}
