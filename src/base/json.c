#include "base/json.h"

#include "base/file.h"
#include "base/path.h"
#include "base/safe.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64
#define EXACT_MAX 9007199254740992.0 /* 2^53: whole doubles up to here are exact */

/* jansson's parser recurses; the nesting is measured before it starts. */
static bool depth_fits(const char *text, size_t n)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEPTH_MAX)
                return false;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return true;
}

static const char *flaw_text(const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "more text after its end";
    case json_error_duplicate_key:
        return "a key occurs twice in one object";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_null_byte_in_key:
        return "a key holds a NUL";
    default:
        return e->text;
    }
}

json_t *json_parse(const char *text, size_t n, struct err *err)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t e;
    json_t *root;

    if (!depth_fits(text, n)) {
        err_set(err, "not usable JSON: nested deeper than %d levels", DEPTH_MAX);
        return NULL;
    }
    root = json_loadb(text, n, flags, &e);
    /* Hugging Face writes "no limit" as 10^30: numbers that large are kept as doubles. */
    if (!root && json_error_code(&e) == json_error_numeric_overflow)
        root = json_loadb(text, n, flags | JSON_DECODE_INT_AS_REAL, &e);
    if (!root)
        err_set(err, "not valid JSON: line %d: %s", e.line, flaw_text(&e));
    return root;
}

json_t *json_parse_file(const char *path, size_t limit, struct err *err)
{
    struct str text = STR_INIT;
    json_t *root = NULL;

    if (!file_read(&text, path, limit, err))
        return NULL;
    root = json_parse(text.text, text.len, err);
    if (!root) {
        char *shown = path_shown(path);
        err_add(err, "'%s'", shown);
        free(shown);
    }
    str_release(&text);
    return root;
}

/* The value; NULL when missing or null. */
static const json_t *find(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return v && !json_is_null(v) ? v : NULL;
}

static bool missing(const char *key, struct err *err)
{
    return err_set(err, "the key '%s' is missing", key);
}

static bool whole_number(const json_t *j, int64_t *v)
{
    double d;

    if (json_is_integer(j)) {
        *v = json_integer_value(j);
        return true;
    }
    if (!json_is_real(j))
        return false;
    d = json_real_value(j);
    if (d != floor(d) || fabs(d) > EXACT_MAX)
        return false;
    *v = (int64_t) d;
    return true;
}

bool json_may_int(const json_t *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
                  struct err *err)
{
    const json_t *j = find(o, key);
    int64_t x;

    if (!j)
        return true;
    if (!whole_number(j, &x) || x < lo || x > hi)
        return err_set(err, "'%s' must be a whole number from %" PRId64 " to %" PRId64, key, lo,
                       hi);
    *v = x;
    return true;
}

bool json_need_int(const json_t *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
                   struct err *err)
{
    return find(o, key) ? json_may_int(o, key, lo, hi, v, err) : missing(key, err);
}

bool json_may_double(const json_t *o, const char *key, double *v, struct err *err)
{
    const json_t *j = find(o, key);

    if (!j)
        return true;
    if (!json_is_number(j) || !isfinite(json_number_value(j)))
        return err_set(err, "'%s' must be a number", key);
    *v = json_number_value(j);
    return true;
}

bool json_may_bool(const json_t *o, const char *key, bool *v, struct err *err)
{
    const json_t *j = find(o, key);

    if (!j)
        return true;
    if (!json_is_boolean(j))
        return err_set(err, "'%s' must be true or false", key);
    *v = json_is_true(j);
    return true;
}

bool json_may_string(const json_t *o, const char *key, const char **v, struct err *err)
{
    const json_t *j = find(o, key);

    if (!j)
        return true;
    if (!json_is_string(j))
        return err_set(err, "'%s' must be a text", key);
    if (strlen(json_string_value(j)) != json_string_length(j))
        return err_set(err, "the text of '%s' holds a NUL", key);
    *v = json_string_value(j);
    return true;
}

bool json_need_string(const json_t *o, const char *key, const char **v, struct err *err)
{
    return find(o, key) ? json_may_string(o, key, v, err) : missing(key, err);
}

/* \uXXXX, as a surrogate pair when it must be. */
static void add_escape(struct str *out, uint32_t cp)
{
    if (cp >= 0x10000) {
        str_addf(out, "\\u%04x", (unsigned) (0xd800 + ((cp - 0x10000) >> 10)));
        cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
    }
    str_addf(out, "\\u%04x", (unsigned) cp);
}

static void add_char(struct str *out, uint32_t cp, const char *bytes, int len)
{
    if (cp == '"' || cp == '\\')
        str_addf(out, "\\%c", (char) cp);
    else if (cp == '\n')
        str_adds(out, "\\n");
    else if (cp == '\t')
        str_adds(out, "\\t");
    else if (cp == '\r')
        str_adds(out, "\\r");
    else if (safe_visible(cp))
        str_add(out, bytes, (size_t) len);
    else
        add_escape(out, cp);
}

void json_add_string(struct str *out, const char *bytes, size_t n)
{
    str_addc(out, '"');
    for (size_t at = 0; at < n;) {
        uint32_t cp;
        int len = utf8_decode(bytes + at, n - at, &cp);
        if (len == 0) {
            str_adds(out, "\xef\xbf\xbd");
            len = 1;
        } else {
            add_char(out, cp, bytes + at, len);
        }
        at += (size_t) len;
    }
    str_addc(out, '"');
}

/* jansson hands out whole characters, those below 0x20 escaped. */
static int add_piece(const char *bytes, size_t n, void *user)
{
    struct str *out = user;
    uint32_t cp;

    for (size_t at = 0; at < n;) {
        int len = utf8_decode(bytes + at, n - at, &cp);
        if (len > 0 && !safe_visible(cp))
            add_escape(out, cp);
        else
            str_add(out, bytes + at, len > 0 ? (size_t) len : 1);
        at += len > 0 ? (size_t) len : 1;
    }
    return 0;
}

void json_add(struct str *out, const json_t *v)
{
    json_dump_callback(v, add_piece, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
}
