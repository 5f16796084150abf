#include "own_dump.h"

#include "base/mem.h"
#include "base/str.h"
#include "tensor/dtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include <cmocka.h>

/* --- npy and npz --- */

void own_npy(struct str *out, const char *descr, bool fortran, const int *shape, int n_dims,
             const void *data, size_t bytes)
{
    struct str dict = STR_INIT;
    str_addf(&dict, "{'descr': '%s', 'fortran_order': %s, 'shape': (", descr,
             fortran ? "True" : "False");
    for (int i = 0; i < n_dims; i++)
        str_addf(&dict, "%d, ", shape[i]);
    str_adds(&dict, "), }");
    while ((10 + dict.len + 1) % 64)
        str_addc(&dict, ' ');
    str_addc(&dict, '\n');
    str_add(out, "\x93NUMPY\x01\x00", 8);
    str_addc(out, (char) (dict.len & 0xff));
    str_addc(out, (char) (dict.len >> 8));
    str_add(out, dict.text, dict.len);
    str_add(out, data, bytes);
    str_release(&dict);
}

struct own_zip {
    zip_t *zip;
    bool packed;
};

struct own_zip *own_zip_open(const char *path, bool packed)
{
    struct own_zip *z = xcalloc(1, sizeof *z);
    remove(path);
    z->zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    z->packed = packed;
    assert_non_null(z->zip);
    return z;
}

void own_zip_add(struct own_zip *z, const char *name, const struct str *npy)
{
    char *file = xasprintf("%s.npy", name);
    void *copy = xmalloc(npy->len + 1);
    memcpy(copy, npy->text, npy->len);
    zip_source_t *source = zip_source_buffer(z->zip, copy, npy->len, 1);
    zip_int64_t at = zip_file_add(z->zip, file, source, ZIP_FL_ENC_UTF_8);
    assert_true(at >= 0);
    zip_set_file_compression(z->zip, (zip_uint64_t) at,
                             z->packed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 1);
    free(file);
}

void own_zip_close(struct own_zip *z)
{
    assert_int_equal(zip_close(z->zip), 0);
    free(z);
}

/* --- arrays on their way out --- */

struct one {
    char name[96];
    int shape[4], n_dims;
    double *data; /* owned */
    size_t n;
    bool ints;
};

struct all {
    struct one *item;
    int n, cap;
};

static struct one *add(struct all *all, const char *name, const double *data, size_t n)
{
    VEC_ROOM(all->item, all->n, all->cap);
    struct one *o = &all->item[all->n++];
    memset(o, 0, sizeof *o);
    snprintf(o->name, sizeof o->name, "%s", name);
    o->data = xcalloc(n + 1, sizeof *o->data);
    memcpy(o->data, data, n * sizeof *data);
    o->n = n;
    o->ints = strcmp(name, "tokens") == 0 || strcmp(name, "input_ids") == 0;
    return o;
}

/* With the value's own axes, after `batch` of length 1. */
static void add_as_is(struct all *all, const char *name, const struct ref_value *v, bool batch)
{
    struct one *o = add(all, name, v->data, v->n);
    if (batch)
        o->shape[o->n_dims++] = 1;
    for (int i = 0; i < v->n_axis; i++)
        o->shape[o->n_dims++] = v->shape[i];
}

/* [1, pos, all the rest] */
static void add_flat(struct all *all, const char *name, const struct ref_value *v)
{
    struct one *o = add(all, name, v->data, v->n);
    o->n_dims = 3;
    o->shape[0] = 1;
    o->shape[1] = v->shape[0];
    o->shape[2] = (int) (v->n / (size_t) v->shape[0]);
}

/* "blocks.3.attn.q": 3 and "attn.q"; -1 and the name outside blocks. */
static const char *split(const char *name, int *layer)
{
    int n = 0;
    *layer = -1;
    return sscanf(name, "blocks.%d.%n", layer, &n) == 1 && n ? name + n : name;
}

/* --- TransformerLens --- */

static void add_tlens(struct all *all, const struct ref_value *v)
{
    static const char *const lacks[] = {
        "attn.scores_raw", "attn.scores_scaled", "logits",   "probs",    "ln1.out",
        "ln2.out",         "ln_final.out",       "ln1.mean", "ln2.mean", "ln_final.mean"};
    int layer;
    const char *suffix = split(v->name, &layer), *dot = strrchr(suffix, '.');
    char name[96] = "";
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++)
        if (strcmp(suffix, lacks[i]) == 0)
            return;
    if (strncmp(v->name, "cache.", 6) == 0)
        return;
    if (strcmp(v->name, "tokens") == 0) {
        add_as_is(all, "tokens", v, true);
        return;
    }
    const char *last = dot ? dot + 1 : suffix;
    if (strcmp(last, "scores") == 0)
        last = "attn_scores";
    if (layer >= 0)
        snprintf(name, sizeof name, "blocks.%d.", layer);
    size_t n = strlen(name);
    snprintf(name + n, sizeof name - n, "%.*shook_%s", dot ? (int) (dot + 1 - suffix) : 0,
             suffix, last);
    add_as_is(all, name, v, true);
}

/* --- Hugging Face --- */

static const struct {
    const char *ours, *gpt2, *llama;
} modules[] = {
    {"embed", "transformer.wte", "model.embed_tokens"},
    {"pos_embed", "transformer.wpe", NULL},
    {"ln1.out", "transformer.h.N.ln_1", "model.layers.N.input_layernorm"},
    {"attn.q", NULL, "model.layers.N.self_attn.q_proj"},
    {"attn.k", NULL, "model.layers.N.self_attn.k_proj"},
    {"attn.v", NULL, "model.layers.N.self_attn.v_proj"},
    {"attn_out", "transformer.h.N.attn.c_proj", "model.layers.N.self_attn.o_proj"},
    {"ln2.out", "transformer.h.N.ln_2", "model.layers.N.post_attention_layernorm"},
    {"mlp.pre", "transformer.h.N.mlp.c_fc", "model.layers.N.mlp.gate_proj"},
    {"mlp.pre_linear", NULL, "model.layers.N.mlp.up_proj"},
    {"mlp.act", NULL, "model.layers.N.mlp.act_fn"},
    {"mlp.post", "transformer.h.N.mlp.act", NULL},
    {"mlp_out", "transformer.h.N.mlp", "model.layers.N.mlp"},
    {"logits", "logits", "logits"},
};

static void put_layer(char *out, size_t size, const char *pattern, int layer)
{
    const char *n = strchr(pattern, 'N');
    if (n)
        snprintf(out, size, "%.*s%d%s", (int) (n - pattern), pattern, layer, n + 1);
    else
        snprintf(out, size, "%s", pattern);
}

/* [1, pos, q | k | v] */
static void add_fused(struct all *all, const struct ref *ref, int layer)
{
    const struct ref_value *part[3];
    char name[96];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "blocks.%d.attn.%c", layer, "qkv"[i]);
        part[i] = ref_find(ref, name);
    }
    size_t width = part[0]->n / (size_t) part[0]->shape[0];
    double *all3 = xcalloc(3 * part[0]->n, sizeof *all3);
    for (int pos = 0; pos < part[0]->shape[0]; pos++)
        for (int i = 0; i < 3; i++)
            memcpy(all3 + ((size_t) pos * 3 + (size_t) i) * width,
                   part[i]->data + (size_t) pos * width, width * sizeof *all3);
    snprintf(name, sizeof name, "transformer.h.%d.attn.c_attn", layer);
    struct one *o = add(all, name, all3, 3 * part[0]->n);
    o->n_dims = 3;
    o->shape[0] = 1;
    o->shape[1] = part[0]->shape[0];
    o->shape[2] = (int) (3 * width);
    free(all3);
}

static void add_hf(struct all *all, const struct ref *ref, const struct ref_value *v,
                   const struct hparams *hp)
{
    int layer;
    char name[96];
    const char *suffix = split(v->name, &layer);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        const char *pattern = hp->arch == ARCH_GPT2 ? modules[i].gpt2 : modules[i].llama;
        if (strcmp(suffix, modules[i].ours) != 0 || !pattern)
            continue;
        put_layer(name, sizeof name, pattern, layer);
        add_flat(all, name, v);
    }
    if (strcmp(v->name, "tokens") == 0)
        add_as_is(all, "input_ids", v, true);
    if (strcmp(suffix, "attn.v") == 0 && hp->arch == ARCH_GPT2)
        add_fused(all, ref, layer);
    if (strcmp(suffix, "attn.pattern") == 0) {
        snprintf(name, sizeof name, "attentions.%d", layer);
        add_as_is(all, name, v, true);
    }
    if (strcmp(suffix, "resid_pre") == 0 || strcmp(suffix, "ln_final.out") == 0) {
        snprintf(name, sizeof name, "hidden_states[%d]", layer < 0 ? hp->n_layer : layer);
        add_as_is(all, name, v, true);
    }
}

/* --- numbers --- */

/* n numbers as stored; yours. */
static void *stored(const struct one *o, enum own_type type, size_t *bytes)
{
    size_t item = o->ints ? 8 : type == OWN_F64 ? 8 : type == OWN_F32 ? 4 : 2;
    unsigned char *out = xcalloc(o->n + 1, item);
    for (size_t i = 0; i < o->n; i++) {
        float f = (float) o->data[i];
        uint16_t half = dtype_f32_to_f16(f);
        int64_t whole = o->ints ? (int64_t) o->data[i] : 0;
        const void *from = o->ints           ? (const void *) &whole
                           : type == OWN_F64 ? (const void *) &o->data[i]
                           : type == OWN_F32 ? (const void *) &f
                                             : (const void *) &half;
        memcpy(out + i * item, from, item);
    }
    *bytes = o->n * item;
    return out;
}

static void write_npz(const struct own_dump *d, const struct all *all)
{
    static const char *const descr[] = {"<f4", "<f8", "<f2"};
    struct own_zip *z = own_zip_open(d->path, d->file == OWN_NPZ_PACKED);
    for (int i = 0; i < all->n; i++) {
        const struct one *o = &all->item[i];
        struct str npy = STR_INIT;
        size_t bytes;
        void *data = stored(o, d->type, &bytes);
        own_npy(&npy, o->ints ? "<i8" : descr[d->type], false, o->shape, o->n_dims, data,
                bytes);
        own_zip_add(z, o->name, &npy);
        str_release(&npy);
        free(data);
    }
    own_zip_close(z);
}

static void write_safetensors(const struct own_dump *d, const struct all *all)
{
    static const char *const dtype[] = {"F32", "F64", "F16"};
    struct str header = STR_INIT, body = STR_INIT;
    for (int i = 0; i < all->n; i++) {
        const struct one *o = &all->item[i];
        size_t bytes;
        void *data = stored(o, d->type, &bytes);
        str_addf(&header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "{", o->name,
                 o->ints ? "I64" : dtype[d->type]);
        for (int k = 0; k < o->n_dims; k++)
            str_addf(&header, "%s%d", k ? "," : "", o->shape[k]);
        str_addf(&header, "],\"data_offsets\":[%zu,%zu]}", body.len, body.len + bytes);
        str_add(&body, data, bytes);
        free(data);
    }
    str_addc(&header, '}');
    FILE *f = fopen(d->path, "wb");
    uint64_t n = header.len;
    assert_non_null(f);
    assert_int_equal(fwrite(&n, sizeof n, 1, f), 1);
    assert_int_equal(fwrite(header.text, 1, header.len, f), header.len);
    assert_int_equal(fwrite(body.text, 1, body.len, f), body.len);
    fclose(f);
    str_release(&header);
    str_release(&body);
}

void own_dump_write(const struct own_dump *d, const struct ref *ref, const struct hparams *hp)
{
    struct all all = {0};
    for (int i = 0; i < ref->n; i++) {
        const struct ref_value *v = &ref->item[i];
        if (d->names == OWN_OURS)
            add_as_is(&all, v->name, v, false);
        else if (d->names == OWN_TLENS)
            add_tlens(&all, v);
        else
            add_hf(&all, ref, v, hp);
    }
    if (d->file == OWN_SAFETENSORS)
        write_safetensors(d, &all);
    else
        write_npz(d, &all);
    for (int i = 0; i < all.n; i++)
        free(all.item[i].data);
    free(all.item);
}
