/*
 * What a sidecar says, as JSON: for src/command/sidecar.c alone.
 */
#ifndef GPTSCOPE_COMMAND_SIDECAR_SAY_H
#define GPTSCOPE_COMMAND_SIDECAR_SAY_H

#include "command/sidecar.h"

#define SIDECAR_FORMAT  "gptscope dump"
#define SIDECAR_VERSION 1

struct sidecar_data {
    uint64_t bytes, ends;
};
/* Of the file at path. */
bool sidecar_measure(const char *path, struct sidecar_data *data, struct err *err);

/* The members that must be equal in the sidecar of a dump that answers the request. */
json_t *sidecar_asked(const struct sidecar_request *q, const struct sidecar_data *data);
/* All of it. */
json_t *sidecar_say(const struct sidecar_request *q, const struct sidecar_data *data,
                    const struct session *s, const struct dump_job *job, const char *file,
                    const char *command);
/* A member a line, a value a line. */
void sidecar_print(const json_t *o, struct str *out);

#endif
