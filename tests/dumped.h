/*
 * Dumps of a session, written to a temporary file and read back.
 */
#ifndef DUMPED_H
#define DUMPED_H

#include "command/dump_array.h"
#include "session_fixture.h"

int dumped_setup(void **state); /* with session_setup */
int dumped_teardown(void **state);
extern char dumped_path[];

/* The bytes of the file; both fail the test when nothing can be written. */
struct str dumped(const struct session *s, const char *select, const char *suffix);
struct str dumped_job(const struct dump_job *job, const char *suffix);
/* Cannot be written, and the message ends with this. */
void refused(const struct session *s, const char *select, const char *suffix, const char *why);

#endif
