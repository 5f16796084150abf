#include "text/pretok.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/vocab.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
    REGEX_MAX_LEN = 16384,
    /* Backtracking steps that one match may take: these, and some for each byte there is. Real
     * patterns need fewer than one for each byte. */
    MATCH_STEPS = 100000,
    MATCH_STEPS_PER_BYTE = 4,
    JIT_STACK_MAX = 1 << 20,
    PIECES_PER_CLOCK = 64
};
/* ... and a whole text may take: this much time, and a second for each megabyte. */
static const double text_seconds = 5.0;

struct pretok {
    pcre2_code *code[VOCAB_MAX_SPLITS];
    int n;
};

/* One text being split. */
struct split {
    const struct pretok *pretok;
    pcre2_match_data *data[VOCAB_MAX_SPLITS];
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    pretok_piece *fn;
    void *arg;
    double deadline;
    unsigned n_matches;
};

static pcre2_code *compile(const char *regex, struct err *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    struct str adapted = STR_INIT;
    pcre2_code *code = NULL;
    PCRE2_UCHAR text[200];
    PCRE2_SIZE at;
    int number;

    if (!context) {
        err_nomem(err, 256, "a regex");
    } else if (strlen(regex) > REGEX_MAX_LEN) {
        err_set(err, "it is longer than %d bytes", REGEX_MAX_LEN);
    } else if (regex_adapt(&adapted, regex, err)) {
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        code = pcre2_compile((PCRE2_SPTR) adapted.text, adapted.len,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &number, &at, context);
        if (code) {
            pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it, matching is slower */
        } else {
            pcre2_get_error_message(number, text, sizeof text);
            err_set(err, "%s", (const char *) text);
        }
    }
    str_release(&adapted);
    pcre2_compile_context_free(context);
    return code;
}

struct pretok *pretok_new(char *const *regex, int n, struct err *err)
{
    struct pretok *p = xcalloc(1, sizeof *p);

    for (p->n = 0; p->n < n; p->n++) {
        p->code[p->n] = compile(regex[p->n], err);
        if (!p->code[p->n]) {
            err_add(err, "the pre-tokenizer's regex '%.80s'", regex[p->n]);
            pretok_free(p);
            return NULL;
        }
    }
    return p;
}

void pretok_free(struct pretok *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n; i++)
        pcre2_code_free(p->code[i]);
    free(p);
}

static bool split_begin(struct split *s, const struct pretok *p, size_t n, struct err *err)
{
    s->pretok = p;
    s->context = pcre2_match_context_create(NULL);
    s->stack = pcre2_jit_stack_create(32768, JIT_STACK_MAX, NULL);
    for (int i = 0; i < p->n; i++) {
        s->data[i] = pcre2_match_data_create_from_pattern(p->code[i], NULL);
        if (!s->data[i])
            return err_nomem(err, 256, "a regex match");
    }
    if (!s->context)
        return err_nomem(err, 256, "a regex match");
    if (s->stack)
        pcre2_jit_stack_assign(s->context, NULL, s->stack);
    s->deadline = clock_measure() + text_seconds + (double) n * 1e-6;
    return true;
}

static void split_end(struct split *s)
{
    for (int i = 0; i < s->pretok->n; i++)
        pcre2_match_data_free(s->data[i]);
    pcre2_match_context_free(s->context);
    if (s->stack)
        pcre2_jit_stack_free(s->stack);
}

static bool too_slow(size_t at, struct err *err)
{
    return err_set(err,
                   "the pre-tokenizer's regex takes too long at byte %zu of the text; the "
                   "tokenizer's file may be damaged",
                   at);
}

/* The next match at or after *at, as [*from, *to). Returns 1, 0 when there is none, or -1. */
static int next_match(struct split *s, int stage, const char *text, size_t n, size_t at,
                      size_t *from, size_t *to, struct err *err)
{
    size_t steps = MATCH_STEPS + MATCH_STEPS_PER_BYTE * (n - at);
    const pcre2_code *code = s->pretok->code[stage];
    uint32_t options = PCRE2_NO_UTF_CHECK;
    int rc;

    if (s->n_matches++ % PIECES_PER_CLOCK == 0 && clock_measure() > s->deadline) {
        too_slow(at, err);
        return -1;
    }
    pcre2_set_match_limit(s->context, steps < UINT32_MAX ? (uint32_t) steps : UINT32_MAX);
    rc = pcre2_match(code, (PCRE2_SPTR) text, n, at, options, s->data[stage], s->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, (PCRE2_SPTR) text, n, at, options | PCRE2_NO_JIT, s->data[stage],
                         s->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0) {
        too_slow(at, err);
        return -1;
    }
    *from = pcre2_get_ovector_pointer(s->data[stage])[0];
    *to = pcre2_get_ovector_pointer(s->data[stage])[1];
    return 1;
}

static bool split_stage(struct split *s, int stage, const char *text, size_t n,
                        struct err *err);

static bool pass_on(struct split *s, int stage, const char *text, size_t n, struct err *err)
{
    if (n == 0)
        return true;
    if (stage + 1 < s->pretok->n)
        return split_stage(s, stage + 1, text, n, err);
    return s->fn(s->arg, text, n, err);
}

static bool split_stage(struct split *s, int stage, const char *text, size_t n, struct err *err)
{
    size_t done = 0, at = 0, from, to;

    while (at < n) {
        int found = next_match(s, stage, text, n, at, &from, &to, err);
        if (found < 0)
            return false;
        if (found == 0)
            break;
        if (to <= from || from < done) { /* empty: look again one character on */
            uint32_t cp;
            int len = utf8_decode(text + at, n - at, &cp);
            at = (from > at && from < n ? from : at) + (size_t) (len > 0 ? len : 1);
            while (at < n && ((uint8_t) text[at] & 0xc0) == 0x80)
                at++;
            continue;
        }
        if (!pass_on(s, stage, text + done, from - done, err) ||
            !pass_on(s, stage, text + from, to - from, err))
            return false;
        done = at = to;
    }
    return pass_on(s, stage, text + done, n - done, err);
}

/* Bytes at the start of text that are valid UTF-8, or else those that are not. */
static size_t run_length(const char *text, size_t n, bool *valid)
{
    uint32_t cp;
    size_t i = 0;

    *valid = utf8_decode(text, n, &cp) > 0;
    while (i < n) {
        int len = (uint8_t) text[i] < 0x80 ? 1 : utf8_decode(text + i, n - i, &cp);
        if ((len > 0) != *valid)
            break;
        i += (size_t) (len > 0 ? len : 1);
    }
    return i;
}

static bool split_text(struct split *s, const char *text, size_t n, struct err *err)
{
    for (size_t i = 0; i < n;) {
        bool valid;
        size_t len = run_length(text + i, n - i, &valid);
        bool ok = valid && s->pretok->n > 0 ? split_stage(s, 0, text + i, len, err)
                                            : s->fn(s->arg, text + i, len, err);
        if (!ok)
            return false;
        i += len;
    }
    return true;
}

bool pretok_split(const struct pretok *p, const char *text, size_t n, pretok_piece *fn,
                  void *arg, struct err *err)
{
    struct split s = {.fn = fn, .arg = arg};
    bool ok = split_begin(&s, p, n, err) && split_text(&s, text, n, err);

    split_end(&s);
    return ok;
}
