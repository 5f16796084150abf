/*
 * One error: a line for the user, filled in by the function that fails and passed up.
 *
 *     struct err err = ERR_INIT;
 *     if (!gguf_open(&g, path, &err))
 *         return err_add(&err, "model '%s'", path);   // "model 'x': no tensor 'y'"
 *
 * A function that can fail returns false (or NULL) and takes `struct err *` as its last
 * parameter; it never prints. The text never holds a raw control byte: err_set and err_add
 * make their result safe for a terminal (base/safe.h), whatever came from a file or a user.
 */
#ifndef GPTSCOPE_BASE_ERR_H
#define GPTSCOPE_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

struct err {
    char text[512]; /* "" while there is no error; one line, no newline at its end */
};

#define ERR_INIT                                                                               \
    {                                                                                          \
        ""                                                                                     \
    }

/* Sets the message. Always returns false, so that `return err_set(err, ...)` reads well. */
bool err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message there is. Always returns false. */
bool err_add(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "not enough memory for WHAT (N MB needed); REMEDY". Always returns false. */
bool err_nomem(struct err *err, size_t bytes, const char *what);

#endif
