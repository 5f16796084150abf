/*
 * The description that stands next to a dump, FILE.json: what model, prompt and options made
 * the numbers, and what they mean. It is written after the data, so it also is the mark that
 * the data is complete.
 *
 *     {"format": "gptscope dump", "version": 1,
 *      "data": {"file": "pass.npz", "format": "npz", "bytes": 52342, "ends": "90d1..."},
 *      "program": "gptscope 0.1", "date": "2025-03-01T12:00:00Z",
 *      "command": "gptscope dump ...",
 *      "model": {"name": ..., "fingerprint": ...},
 *      "prompt": {"ids": [...], ...},
 *      "selection": {"values": ["blocks.0.attn.pattern"], "layers": null, ...},
 *      "values": [{"name": ..., "shape": [6, 10, 10], "axes": ["head", "pos", "key"], ...}],
 *      "operations": {"softmax": {"formula": ..., "help": ...}}, ...}
 *
 * "ends" is the FNV-1a hash, 64 bits, of the file's first and last 2^20 bytes (of all of it
 * when it is shorter than both). tokens and token_str, and the prompt's, are always those of
 * all positions; "selection" says which of them the values hold.
 */
#ifndef GPTSCOPE_COMMAND_SIDECAR_H
#define GPTSCOPE_COMMAND_SIDECAR_H

#include "base/json.h"
#include "command/dump_array.h"
#include "command/dump_slice.h"
#include "engine/dumped.h"
#include "session/session.h"

char *sidecar_path(const char *path); /* of the dump at path; yours */

/* True when there is no file of the sidecar's name, or an older sidecar. */
bool sidecar_may(const char *path, struct err *err);

/* While the data is replaced its old sidecar is away: a program that is killed leaves data
 * without a mark and never with a wrong one. begin takes it into memory; end with `keep` writes
 * it again (the data is the old one still), without it is gone. */
struct sidecar_move {
    char *path;
    struct str old; /* "": there was none */
};
void sidecar_begin(struct sidecar_move *m, const char *path);
void sidecar_end(struct sidecar_move *m, bool keep);

/* What says whether a dump is the one that is asked for; yours. */
struct sidecar_request {
    const char *format; /* "npz" */
    uint64_t model;     /* model_fingerprint */
    const int32_t *ids; /* of all positions */
    int n_ids;
    const struct program *program;
    const struct selection *sel; /* what is left of the selection */
    const struct dump_part *part;
};
/* The dump at path is there, whole, and what is asked for. */
bool sidecar_matches(const char *path, const struct sidecar_request *q);

/* Writes the sidecar of the data at path, which is in place. The model and the prompt are the
 * session's, the values the job's. command: what made it, or NULL. */
bool sidecar_write(const char *path, const struct sidecar_request *q, const struct session *s,
                   const struct dump_job *job, const char *command, struct err *err);

/* What the sidecar of the file at path says of its arrays, for comparing them: told is
 * PART_OTHER when it describes another file, or nothing that can be. To be released, or taken
 * over by dumped_open. */
void sidecar_part(const char *path, struct dumped_part *out);

/* {"name": ..., "shape": [...], "axes": [...], "dtype": "float32"} of each array. */
json_t *dump_values_json(const struct dump_job *job);

#endif
