/*
 * Dumps as other programs write them: the oracle's values (ref_forward.h) under the names of
 * somebody, in some file and number format.
 */
#ifndef GPTSCOPE_TESTS_OWN_DUMP_H
#define GPTSCOPE_TESTS_OWN_DUMP_H

#include "ref_forward.h"

enum own_names {
    OWN_OURS,  /* as they are */
    OWN_TLENS, /* TransformerLens: hook_..., what it has; a batch axis */
    OWN_HF, /* hidden_states, attentions and modules' outputs; heads in one axis, q, k and v of
               GPT-2 in one array; a batch axis */
    OWN_NAMES
};
enum own_file { OWN_NPZ, OWN_NPZ_PACKED, OWN_SAFETENSORS };
enum own_type { OWN_F32, OWN_F64, OWN_F16 };

struct own_dump {
    const char *path;
    enum own_names names;
    enum own_file file;
    enum own_type type;
};
/* Fails the test when it cannot be written. */
void own_dump_write(const struct own_dump *d, const struct ref *ref, const struct hparams *hp);

/* Bytes of an npy file, of version 1, into out; fortran: as the header says, the data as it is.
 */
struct str;
void own_npy(struct str *out, const char *descr, bool fortran, const int *shape, int n_dims,
             const void *data, size_t bytes);
/* A zip archive of such files. */
struct own_zip;
struct own_zip *own_zip_open(const char *path, bool packed);
void own_zip_add(struct own_zip *z, const char *name, const struct str *npy); /* copies */
void own_zip_close(struct own_zip *z);

#endif
