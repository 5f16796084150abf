#include "model/builtin.h"

#include <string.h>

/* Set down in blob.S, straight from assets/models. */
extern const unsigned char blob_tiny_gpt2[], blob_tiny_gpt2_end[];
extern const unsigned char blob_tiny_llama[], blob_tiny_llama_end[];

const struct builtin builtins[] = {
    {"tiny-gpt2", "4 layers, 6 heads, width 192: LayerNorm, GELU, learned positions",
     blob_tiny_gpt2, blob_tiny_gpt2_end},
    {"tiny-llama", "4 layers, 8 heads (2 key/value), width 192: RMSNorm, SwiGLU, RoPE",
     blob_tiny_llama, blob_tiny_llama_end},
    {0},
};

const struct builtin *builtin_find(const char *name)
{
    const struct builtin *b;

    for (b = builtins; b->name; b++)
        if (strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

struct gguf *builtin_open(const struct builtin *b, struct err *err)
{
    return gguf_open_memory(b->data, (size_t) (b->end - b->data), b->name, err);
}
