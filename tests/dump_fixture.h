/*
 * What tests of dumps share: a folder of their own with the clock at rest, dumps of a session,
 * reading them back.
 */
#ifndef DUMP_FIXTURE_H
#define DUMP_FIXTURE_H

#include "base/json.h"
#include "command/dump.h"
#include "npz.h"
#include "session_fixture.h"

int dump_enter(void **state);
int dump_leave(void **state);

/* file may be NULL, and gets what dump_result.file says. */
bool dump_try(const struct session *s, const char *select, const struct dump_options *o,
              json_t **file, struct err *err);
void dump_to(const struct session *s, const char *select, const struct dump_options *o);
/* As npz, read back. */
void dump_read(const struct session *s, const char *select, struct dump_slice slice,
               struct npz *z);

struct str read_text(const char *path);
json_t *read_json(const char *path);

#endif
