/*
 * What tests of sessions share.
 */
#ifndef SESSION_FIXTURE_H
#define SESSION_FIXTURE_H

#include "session/session.h"

#define TEXT     "Tom gave the red ball to Anna. Anna"
#define N_MODELS 2
extern const char *const models[N_MODELS];

int session_setup(void **state);
int session_teardown(void **state);
struct session *open_set(const char *model, const char *text, const struct settings *set);
struct session *open_plain(const char *model, const char *text);
/* One of models[], with all of text computed. */
struct session *open_computed(int model, const char *text);
/* All of a value; yours. */
float *read_all(const struct run *r, int value, size_t *n);
bool give(struct session *s, const char *text, struct err *err);
float *logits_of(const struct session *s); /* yours */
/* Compares with the logits that a session of its own has for the same tokens. */
void same_as_fresh(const struct session *s, const char *what);

#define OK(call)                                                                               \
    do {                                                                                       \
        struct err err = ERR_INIT;                                                             \
        if (!(call))                                                                           \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

#define FAILS(call, message)                                                                   \
    do {                                                                                       \
        struct err err = ERR_INIT;                                                             \
        assert_false(call);                                                                    \
        assert_string_equal(err.text, message);                                                \
    } while (0)

#endif
