/*
 * safetensors: one file, or the shards that model.safetensors.index.json lists. Checked as the
 * format demands: header length, strict JSON, dtypes, shapes against offsets, no holes, no
 * overlap, whole coverage; shard names may not leave the folder.
 */
#ifndef GPTSCOPE_MODEL_SAFETENSORS_H
#define GPTSCOPE_MODEL_SAFETENSORS_H

#include "base/err.h"

#include <stdint.h>

enum st_dtype { ST_F32, ST_F16, ST_BF16, ST_OTHER };

struct st_tensor {
    const char *name; /* borrowed */
    enum st_dtype dtype;
    char dtype_name[8];
    int n_dims;
    int64_t dim[8]; /* C order: the last is contiguous */
    const void *data;
    uint64_t bytes;
};

struct safetensors;
struct safetensors *safetensors_open(const char *file, struct err *err);
/* model.safetensors, or the index and its shards, in a folder. */
struct safetensors *safetensors_open_dir(const char *dir, struct err *err);
void safetensors_free(struct safetensors *s);
int safetensors_count(const struct safetensors *s);
const struct st_tensor *safetensors_tensor(const struct safetensors *s, int i);
const struct st_tensor *safetensors_find(const struct safetensors *s, const char *name);

#endif
