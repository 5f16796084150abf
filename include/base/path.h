/*
 * Paths in messages: what went wrong with a file, in words a user can act on.
 */
#ifndef GPTSCOPE_BASE_PATH_H
#define GPTSCOPE_BASE_PATH_H

#include "base/err.h"

/* A path made safe, and shortened at its beginning when it is very long. Yours. */
char *path_shown(const char *path);

/* "cannot read 'PATH': no such file or folder; check the path". errnum as errno has it; EISDIR
 * and ENODEV stand for "a folder" and "not a regular file". Always returns false. */
bool path_error(struct err *err, const char *doing, const char *path, int errnum);

/* Puts "'PATH': " before the message there is. Always returns false. */
bool path_add(struct err *err, const char *path);

/* What stands after the last dot of the file's name; "" when there is none. */
const char *path_suffix(const char *path);

#endif
