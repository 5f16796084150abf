#include "base/err.h"

#include "base/safe.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* The text may be made from the old one, so it is built elsewhere first. */
static void err_store(struct err *err, const struct str *s)
{
    safe_copy(err->text, sizeof err->text, s->text, s->len, SAFE_SPACE_KEEP);
}

bool err_set(struct err *err, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&s, fmt, ap);
    va_end(ap);
    err_store(err, &s);
    str_release(&s);
    return false;
}

bool err_add(struct err *err, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&s, fmt, ap);
    va_end(ap);
    if (err->text[0] != '\0')
        str_addf(&s, ": %s", err->text);
    err_store(err, &s);
    str_release(&s);
    return false;
}

bool err_nomem(struct err *err, size_t bytes, const char *what)
{
    double mb = (double) bytes / 1e6;

    return err_set(err,
                   "not enough memory for %s (%.*f MB needed); "
                   "use a shorter context or a smaller model",
                   what, mb < 10 ? 1 : 0, mb);
}
