/*
 * Strict JSON from untrusted files, over jansson: UTF-8 only, no duplicate keys, no trailing
 * text, nesting of at most 64, numbers finite. Typed access that names the key in its error.
 * A missing key is an error in json_need_*, and leaves *v alone (and is fine) in json_may_*;
 * JSON null counts as missing.
 */
#ifndef GPTSCOPE_BASE_JSON_H
#define GPTSCOPE_BASE_JSON_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdint.h>

/* NULL with err set; the caller json_decref()s the result. */
json_t *json_parse(const char *text, size_t n, struct err *err);
json_t *json_parse_file(const char *path, size_t limit, struct err *err);

bool json_need_int(const json_t *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
                   struct err *err);
bool json_may_int(const json_t *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
                  struct err *err);
bool json_may_double(const json_t *o, const char *key, double *v, struct err *err);
bool json_may_bool(const json_t *o, const char *key, bool *v, struct err *err);
/* *v is borrowed from the object. */
bool json_need_string(const json_t *o, const char *key, const char **v, struct err *err);
bool json_may_string(const json_t *o, const char *key, const char **v, struct err *err);

/* Writing: adds a JSON string with quotes; bytes that are not UTF-8 become U+FFFD. */
void json_add_string(struct str *out, const char *bytes, size_t n);
/* Adds a value in one line, for a terminal, too: what draws nothing there (base/safe.h) is
 * escaped. Numbers have nine digits, which give a float back as it was. */
void json_add(struct str *out, const json_t *v);

#endif
