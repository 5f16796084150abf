/* The model as data, under the names that `gptscope info --json` has. */
#include "command/data.h"

#include "model/parts.h"
#include "tensor/compute.h"

#include <string.h>

json_t *data_hparams(const struct hparams *hp)
{
    static const char *const act[] = {"gelu (tanh)", "gelu (erf)", "silu"};
    json_t *o = json_object();
    const struct {
        const char *name;
        int n;
    } sizes[] = {{"n_layer", hp->n_layer},     {"d_model", hp->d_model}, {"n_head", hp->n_head},
                 {"n_kv_head", hp->n_kv_head}, {"d_head", hp->d_head},   {"d_mlp", hp->d_mlp},
                 {"n_vocab", hp->n_vocab},     {"n_ctx", hp->n_ctx}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        json_object_set_new(o, sizes[i].name, json_integer(sizes[i].n));
    data_join(o, json_pack("{s:s, s:o, s:s, s:b, s:s, s:b}", "norm",
                           hp->norm == NORM_RMS ? "RMSNorm" : "LayerNorm", "norm_eps",
                           result_number((double) hp->norm_eps), "activation", act[hp->act],
                           "gated_mlp", hp->gated, "positions",
                           hp->learned_pos ? "learned" : "rope", "tied_head", hp->tied));
    if (!hp->learned_pos)
        data_join(o,
                  json_pack("{s:o, s:i}", "rope_theta", result_number((double) hp->rope_theta),
                            "rope_dim", hp->rope_dim));
    return o;
}

static json_t *integer(uint64_t n)
{
    return json_integer((json_int_t) n);
}

static json_t *parameters(const struct parts *p)
{
    json_t *o = json_object();

    for (int i = 0; i < PART_COUNT; i++)
        json_object_set_new(o, part_name((enum part) i), integer(p->params[i]));
    json_object_set_new(o, "total", integer(p->total));
    json_object_set_new(o, "12_n_layer_d_model2", integer(p->rule));
    return o;
}

static json_t *dtypes(const struct parts *p)
{
    json_t *o = json_object();

    for (int i = 0; i < DTYPE_COUNT; i++)
        if (p->dtype_bytes[i])
            json_object_set_new(o, dtype_info((enum dtype) i)->name,
                                integer(p->dtype_bytes[i]));
    return o;
}

/* Bytes. */
static json_t *memory(const struct session *s, const struct parts *p)
{
    const struct hparams *hp = &s->program->hp;
    uint64_t token = 2 * (uint64_t) hp->n_layer * (uint64_t) hp->n_kv_head *
                     (uint64_t) hp->d_head * sizeof(float);
    struct run_memory m;

    run_memory(s->run, &m);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "weights", integer(p->bytes),
                     "cache_per_token", integer(token), "cache", integer(m.cache), "kept",
                     integer(m.kept), "pass", integer(m.arena + m.scratch));
}

static json_t *tokenizer(const struct tokenizer *t)
{
    return json_pack("{s:s, s:i, s:o, s:o, s:b}", "kind", tokenizer_kind(t), "size",
                     tokenizer_n_vocab(t), "bos", data_index(tokenizer_bos(t)), "eos",
                     data_index(tokenizer_eos(t)), "adds_bos", tokenizer_adds_bos(t));
}

json_t *data_info(const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    struct parts p;

    parts_count(&p, s->model);
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "name",
                     data_string(hp->name), "architecture", arch_name(hp->arch), "path",
                     data_string(model_path(s->model)), "hyper_parameters", data_hparams(hp),
                     "parameters", parameters(&p), "memory", memory(s, &p), "dtypes",
                     dtypes(&p), "tokenizer", tokenizer(s->tokenizer), "context",
                     run_n_ctx(s->run), "threads", compute_threads(s->compute));
}

static json_t *weight_shape(const struct weight_info *w)
{
    return w->cols == 1 ? json_pack("[i]", w->rows) : json_pack("[i, i]", w->rows, w->cols);
}

json_t *data_weights(const struct model *m)
{
    json_t *list = json_array();

    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:s, s:o}", "name", weight_role_name(w.role),
                            "layer", data_index(w.layer), "shape", weight_shape(&w), "dtype",
                            dtype_info(w.dtype)->name, "bytes", integer(w.bytes)));
    }
    return list;
}
