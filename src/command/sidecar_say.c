#include "command/sidecar_say.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "command/dump.h"
#include "command/result.h"
#include "model/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *hex(uint64_t x)
{
    char text[17];

    snprintf(text, sizeof text, "%016" PRIx64, x);
    return json_string(text);
}

void dump_name(const struct value *v, int head, char *out, size_t size)
{
    if (head < 0)
        snprintf(out, size, "%s", v->name);
    else
        snprintf(out, size, "L%d.H%d.%s", v->layer, head, v->name + v->suffix);
}

/* --- what was asked for --- */

static json_t *ids_json(const int32_t *ids, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_integer(ids[i]));
    return list;
}

static json_t *selection_json(const struct sidecar_request *q)
{
    json_t *names = json_array(), *o = dump_part_json(q->part);
    char name[64];

    for (int i = 0; i < q->sel->n; i++) {
        const struct selected *item = &q->sel->item[i];
        dump_name(&q->program->value[item->value], item->head, name, sizeof name);
        json_array_append_new(names, json_string(name));
    }
    json_object_set_new(o, "values", names);
    return o;
}

json_t *sidecar_asked(const struct sidecar_request *q, const struct sidecar_data *data)
{
    return json_pack("{s:s, s:i, s:{s:s, s:I, s:o}, s:{s:o}, s:{s:o}, s:o}", "format",
                     SIDECAR_FORMAT, "version", SIDECAR_VERSION, "data", "format", q->format,
                     "bytes", (json_int_t) data->bytes, "ends", hex(data->ends), "model",
                     "fingerprint", hex(q->model), "prompt", "ids", ids_json(q->ids, q->n_ids),
                     "selection", selection_json(q));
}

/* --- the values --- */

static json_t *array_json(const struct dump_array *a)
{
    static const char *const dtype[] = {
        [DUMP_F32] = "float32", [DUMP_I32] = "int32", [DUMP_TEXT] = "str"};
    json_t *shape = json_array(), *axes = json_array();

    for (int i = 0; i < a->n_axis; i++) {
        json_array_append_new(shape, json_integer(a->shape[i]));
        json_array_append_new(axes, json_string(axis_name(a->axis[i])));
    }
    return json_pack("{s:s, s:o, s:o, s:s}", "name", a->name, "shape", shape, "axes", axes,
                     "dtype", dtype[a->type]);
}

json_t *dump_values_json(const struct dump_job *job)
{
    json_t *list = json_array();

    for (int i = 0; i < job->n; i++)
        json_array_append_new(list, array_json(&job->array[i]));
    return list;
}

/* The formula of output `out` of an op: norms have more than one, and there are two GELUs. */
static const char *formula_of(const struct hparams *hp, enum opcode code, int out)
{
    static const char *const layernorm[] = {NULL, "(x - mean) / scale", "sqrt(var + eps)",
                                            "mean of x"};
    static const char *const rmsnorm[] = {NULL, "x / scale", "sqrt(mean(x^2) + eps)"};

    if (code == OP_LAYERNORM && out > 0)
        return layernorm[out];
    if (code == OP_RMSNORM && out > 0)
        return rmsnorm[out];
    if (code == OP_GELU && hp->act == ACT_GELU_ERF)
        return "0.5 x (1 + erf(x / sqrt(2)))";
    return op_info(code)->formula;
}

/* What a value of the run is: the op that makes it, its call and its formula. */
static void add_meaning(json_t *o, const struct program *p, int value, json_t *operations)
{
    int made = program_resolve(p, value), at = p->value[made].op, out = 0;
    const struct op *op = &p->op[at];
    const struct op_info *info = op_info(op->code);
    struct str text = STR_INIT;

    while (out + 1 < op->n_out && op->out[out] != made)
        out++;
    if (made != value)
        json_object_set_new(o, "same_as", json_string(p->value[made].name));
    op_name(p, at, &text);
    json_object_set_new(o, "op", json_string(text.text));
    str_clear(&text);
    op_call_print(p, at, &text);
    json_object_set_new(o, "is", json_string(text.text));
    json_object_set_new(o, "formula", json_string(formula_of(&p->hp, op->code, out)));
    if (!json_object_get(operations, info->name))
        json_object_set_new(operations, info->name,
                            json_pack("{s:s, s:s}", "formula", formula_of(&p->hp, op->code, 0),
                                      "help", info->help));
    str_release(&text);
}

static json_t *values_json(const struct dump_job *job, const struct program *p,
                           json_t *operations)
{
    json_t *list = dump_values_json(job);

    for (int i = 0; i < job->n; i++)
        if (job->array[i].type == DUMP_F32)
            add_meaning(json_array_get(list, (size_t) i), p, job->array[i].value, operations);
    return list;
}

/* --- where they come from --- */

/* A float in the digits that it was written with: 1e-5, not 9.99999975e-6. */
static double short_of(float x)
{
    char text[32];

    snprintf(text, sizeof text, "%.7g", (double) x);
    return strtod(text, NULL);
}

static json_t *hparams_json(const struct hparams *hp)
{
    static const char *const act[] = {"gelu (tanh)", "gelu (erf)", "silu"};
    json_t *o = json_pack(
        "{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:s, s:b, s:s, s:b}", "n_layer",
        hp->n_layer, "d_model", hp->d_model, "n_head", hp->n_head, "n_kv_head", hp->n_kv_head,
        "d_head", hp->d_head, "d_mlp", hp->d_mlp, "n_vocab", hp->n_vocab, "n_ctx", hp->n_ctx,
        "norm", hp->norm == NORM_RMS ? "RMSNorm" : "LayerNorm", "norm_eps",
        short_of(hp->norm_eps), "activation", act[hp->act], "gated_mlp", hp->gated, "positions",
        hp->learned_pos ? "learned" : "rope", "tied_head", hp->tied);

    if (!hp->learned_pos) {
        json_object_set_new(o, "rope_theta", json_real(short_of(hp->rope_theta)));
        json_object_set_new(o, "rope_dim", json_integer(hp->rope_dim));
    }
    return o;
}

static json_t *model_json(const struct model *m, uint64_t fingerprint)
{
    static const char *const source[] = {
        [MODEL_GGUF] = "gguf", [MODEL_HF] = "hf", [MODEL_SYNTH] = "random"};
    const struct hparams *hp = model_hparams(m);
    const char *path = model_path(m);
    json_t *dtypes = json_object();
    struct parts t;

    parts_count(&t, m);
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (t.dtype_bytes[i])
            json_object_set_new(dtypes, dtype_info((enum dtype) i)->name,
                                json_integer((json_int_t) t.dtype_bytes[i]));
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:I, s:I, s:o, s:o}", "name",
                     result_text(hp->name, strlen(hp->name)), "path",
                     result_text(path, strlen(path)), "source", source[model_source(m)],
                     "architecture", arch_name(hp->arch), "hyper_parameters", hparams_json(hp),
                     "parameters", (json_int_t) t.total, "bytes", (json_int_t) t.bytes,
                     "dtype_bytes", dtypes, "fingerprint", hex(fingerprint));
}

static json_t *prompt_json(const struct session *s, const struct sidecar_request *q)
{
    json_t *tokens = json_array();
    struct str text = STR_INIT;

    for (int i = 0; i < q->n_ids; i++) {
        str_clear(&text);
        dump_token_text(s->tokenizer, q->ids[i], &text);
        json_array_append_new(tokens, json_stringn(text.text, text.len));
    }
    str_release(&text);
    int typed = s->n_prompt < q->n_ids ? s->n_prompt : q->n_ids;
    return json_pack("{s:o, s:i, s:i, s:o, s:o}", "text",
                     result_text(s->prompt.text, s->prompt.len), "n_prompt", typed,
                     "n_generated", q->n_ids - typed, "ids", ids_json(q->ids, q->n_ids),
                     "tokens", tokens);
}

/* The note of the session's ablation that is this patch of the run; "" without. */
static const char *patch_note(const struct session *s, int id)
{
    for (int i = 0; i < s->n_ablations; i++)
        if (s->ablation[i].id == id)
            return s->ablation[i].note;
    return "";
}

static json_t *patches_json(const struct session *s)
{
    json_t *list = json_array();

    for (int i = 0; i < run_n_patches(s->run); i++) {
        int id;
        const char *text = run_patch_text(s->run, i, &id);
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "patch", text, "note",
                            result_text(patch_note(s, id), strlen(patch_note(s, id)))));
    }
    return list;
}

static json_t *sampling_json(const struct settings *set)
{
    return json_pack("{s:f, s:i, s:f, s:f, s:I}", "temp", set->sampler.temp, "top_k",
                     set->sampler.top_k, "top_p", set->sampler.top_p, "min_p",
                     set->sampler.min_p, "seed", (json_int_t) set->seed);
}

json_t *sidecar_say(const struct sidecar_request *q, const struct sidecar_data *data,
                    const struct session *s, const struct dump_job *job, const char *file,
                    const char *command)
{
    json_t *o = sidecar_asked(q, data), *operations = json_object();
    char date[CLOCK_DATE];

    clock_date(date);
    json_object_set_new(json_object_get(o, "data"), "file", result_text(file, strlen(file)));
    json_object_set_new(o, "program", json_string("gptscope " PACKAGE_VERSION));
    json_object_set_new(o, "date", json_string(date));
    json_object_set_new(o, "command",
                        command ? result_text(command, strlen(command)) : json_null());
    json_object_set_new(o, "model", model_json(s->model, q->model));
    json_object_set_new(o, "prompt", prompt_json(s, q));
    json_object_set_new(
        o, "run",
        json_pack("{s:i, s:i}", "ctx", run_n_ctx(s->run), "chunk", run_chunk(s->run)));
    json_object_set_new(o, "ablations", patches_json(s));
    json_object_set_new(o, "sampling", sampling_json(&s->set));
    json_object_set_new(o, "values", values_json(job, q->program, operations));
    json_object_set_new(o, "operations", operations);
    return o;
}

/* --- as text --- */

static void print_one(const json_t *v, struct str *out)
{
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

    str_adds(out, text);
    free(text);
}

static void print_list(const json_t *list, struct str *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        str_adds(out, i ? ",\n  " : "[\n  ");
        print_one(json_array_get(list, i), out);
    }
    str_adds(out, "\n ]");
}

void sidecar_print(const json_t *o, struct str *out)
{
    bool first = true;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *) o, key, v)
    {
        str_addf(out, "%s \"%s\": ", first ? "{\n" : ",\n", key);
        if (json_is_object(json_array_get(v, 0)))
            print_list(v, out);
        else
            print_one(v, out);
        first = false;
    }
    str_adds(out, "\n}\n");
}
