#include "model/parts.h"

#include <string.h>

const char *part_name(enum part part)
{
    static const char *const names[] = {"embedding", "positions", "attention",
                                        "mlp",       "norms",     "head"};

    return names[part];
}

enum part part_of(enum weight_role role)
{
    switch (role) {
    case W_TOK_EMBD:
        return PART_EMBEDDING;
    case W_POS_EMBD:
        return PART_POSITIONS;
    case W_LN1_GAIN:
    case W_LN1_BIAS:
    case W_LN2_GAIN:
    case W_LN2_BIAS:
    case W_LN_FINAL_GAIN:
    case W_LN_FINAL_BIAS:
        return PART_NORMS;
    case W_MLP_GATE:
    case W_MLP_UP:
    case W_MLP_UP_BIAS:
    case W_MLP_DOWN:
    case W_MLP_DOWN_BIAS:
        return PART_MLP;
    case W_LM_HEAD:
        return PART_HEAD;
    default:
        return PART_ATTENTION;
    }
}

void parts_count(struct parts *p, const struct model *m)
{
    const struct hparams *hp = model_hparams(m);
    uint64_t d = (uint64_t) hp->d_model;

    memset(p, 0, sizeof *p);
    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        uint64_t n = (uint64_t) w.rows * (uint64_t) w.cols;
        p->params[part_of(w.role)] += n;
        p->total += n;
        p->bytes += w.bytes;
        p->dtype_bytes[w.dtype] += w.bytes;
    }
    p->rule = 12 * (uint64_t) hp->n_layer * d * d;
}
