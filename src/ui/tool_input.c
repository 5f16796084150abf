#include "ui/tool_input.h"

#include "base/interrupt.h"
#include "base/json.h"
#include "base/safe.h"
#include "model/builtin.h"
#include "ui/streams.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STDIN_LIMIT ((size_t) 256 << 20)

const char *tool_model(const struct tool_args *a, bool as_word)
{
    if (a->model)
        return a->model;
    return as_word && a->n_rest > 0 ? a->rest[0] : builtins[0].name;
}

bool tool_stdin(struct str *out, struct err *err)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    char buf[1 << 16];
    ssize_t n = 1;
    while (n > 0 && !interrupt_pending()) {
        if (poll(&fd, 1, -1) < 0)
            continue; /* a signal: unlike reading, waiting is never restarted */
        n = read(STDIN_FILENO, buf, sizeof buf);
        str_add(out, buf, n > 0 ? (size_t) n : 0);
        if (out->len > STDIN_LIMIT)
            return err_set(err, "standard input is longer than %zu MB", STDIN_LIMIT >> 20);
    }
    if (interrupt_pending())
        return err_set(err, "interrupted");
    return n == 0 || err_set(err, "cannot read standard input: %s", strerror(errno));
}

bool tool_has_text(const struct tool_args *a)
{
    return a->prompt || a->n_rest > 0;
}

bool tool_text(const struct tool_args *a, struct str *out, struct err *err)
{
    if (!tool_has_text(a))
        return err_set(err, "there is no text; give one, or - to read standard input");
    if (a->n_rest + (a->prompt != NULL) > 1)
        return err_set(err,
                       "more than one text is given, the second is '%s'; put quotes "
                       "around a text with blanks",
                       a->rest[a->prompt ? 0 : 1]);
    const char *text = a->prompt ? a->prompt : a->rest[0];
    if (strcmp(text, "-") == 0)
        return tool_stdin(out, err);
    str_adds(out, text);
    return true;
}

bool tool_ids(const char *text, const char *option, struct ids *ids, struct err *err)
{
    for (const char *p = text; *p;) {
        char *end;
        errno = 0;
        long v = strtol(p, &end, 10);
        if (end == p || errno || v < 0 || v > INT32_MAX)
            return err_set(err, "option '--%s' needs token ids such as 1,2,3, not '%s'", option,
                           text);
        ids_add(ids, (int32_t) v);
        p = end + strspn(end, " ");
        if (*p && *p != ',' && p == end)
            return err_set(err, "option '--%s' needs token ids such as 1,2,3, not '%s'", option,
                           text);
        p += *p == ',';
    }
    return true;
}

static int set_ids(struct session *s, const struct tool_args *a, struct err *err)
{
    struct ids ids = IDS_INIT;
    int status = 2;
    if (tool_has_text(a))
        err_set(err, "a text and --ids are given; one of them says the prompt");
    else if (tool_ids(a->ids, "ids", &ids, err))
        status = session_prompt_ids(s, ids.id, ids.n, err) ? 0 : 1;
    ids_release(&ids);
    return status;
}

static int set_prompt(struct session *s, const struct tool_args *a, struct err *err)
{
    int status = 0;
    if (a->ids) {
        status = set_ids(s, a, err);
    } else {
        struct str text = STR_INIT;
        if (!tool_text(a, &text, err))
            status = tool_has_text(a) && a->n_rest + (a->prompt != NULL) == 1 ? 1 : 2;
        else if (!session_prompt(s, text.text, text.len, err))
            status = 1;
        str_release(&text);
    }
    if (status == 0 && s->ids.n == 0) {
        err_set(err, "the prompt has no tokens, and this model's tokenizer puts no "
                     "beginning-of-text token first: give at least one character");
        status = 1;
    }
    return status;
}

int tool_open(struct tool_session *t, const struct tool_args *a, struct err *err)
{
    *t = (struct tool_session){0};
    if (!a->ids && !tool_has_text(a)) {
        err_set(err, "there is no prompt; give one with -p, or -p - to read standard input");
        return 2;
    }
    t->compute = compute_new((int) a->set.threads);
    t->session = session_new(tool_model(a, false), t->compute, &a->set, err);
    return t->session ? set_prompt(t->session, a, err) : 1;
}

void tool_close(struct tool_session *t)
{
    if (t->session)
        session_free(t->session);
    compute_free(t->compute);
}

static void on_interrupt(int number)
{
    (void) number;
    interrupt_set();
}

void tool_catch_interrupt(void)
{
    /* what is being written is written; a second interrupt ends the program */
    struct sigaction act = {.sa_handler = on_interrupt,
                            .sa_flags = (int) (SA_RESETHAND | SA_RESTART)};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
}

void tool_json_ids(struct str *out, const int32_t *ids, int n)
{
    str_addc(out, '[');
    for (int i = 0; i < n; i++)
        str_addf(out, i ? ",%d" : "%d", ids[i]);
    str_addc(out, ']');
}

void tool_json_text(struct str *out, const char *text)
{
    json_add_string(out, text, strlen(text));
}

void tool_json_bytes(struct str *out, const char *bytes, size_t n)
{
    json_add_string(out, bytes, n);
}

static void put(FILE *out, const char *bytes, size_t n)
{
    if (out == stdout)
        streams_put(bytes, n);
    else
        fwrite(bytes, 1, n, out);
}

void tool_put(FILE *out, struct str *text)
{
    put(out, text->text, text->len);
    str_release(text);
}

void tool_put_text(FILE *out, const char *text, size_t n, bool terminal)
{
    if (!terminal) {
        put(out, text, n);
        return;
    }
    struct str safe = STR_INIT;
    while (n) {
        size_t plain = 0;
        while (plain < n && text[plain] != '\n' && text[plain] != '\t')
            plain++;
        safe_add(&safe, text, plain, SAFE_SPACE_KEEP);
        if (plain < n)
            str_addc(&safe, text[plain++]);
        text += plain;
        n -= plain;
    }
    tool_put(out, &safe);
}
