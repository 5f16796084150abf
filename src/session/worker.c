#include "session/worker.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/safe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PRINTED_MOST = 4000, CPU_SECONDS = 600, SLICE = 50 };
#define MEMORY ((size_t) 2 << 30)

/* The same as in assets/exercises/harness.c. */
#define MAGIC 0x67707478
struct request {
    uint32_t magic;
    int32_t n_numbers, n_arrays;
    char function[32];
    double number[CALL_NUMBERS];
    struct {
        int32_t role;
        uint32_t n;
    } array[CALL_ARRAYS];
};
struct reply {
    uint32_t magic;
    int32_t outcome, array, place;
    int64_t rows;
    double seconds;
};

size_t call_floats(const struct call_array *a)
{
    size_t n = 1;

    for (int i = 0; i < a->n_axes; i++)
        n *= (size_t) a->size[i];
    return n;
}

bool worker_start(struct worker *w, const struct exercise_build *b, struct err *err)
{
    static const char *const env[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "LC_ALL=C",
        "ASAN_OPTIONS=detect_leaks=0:color=never:malloc_fill_byte=254:"
        "max_malloc_fill_size=16777216:allocator_may_return_null=1:"
        "max_allocation_size_mb=1024:hard_rss_limit_mb=2048:handle_abort=0:"
        "detect_stack_use_after_return=1",
        "UBSAN_OPTIONS=print_stacktrace=0:color=never",
        NULL,
    };
    char *argv[] = {b->program, NULL};
    struct child_how how = {.dir = b->dir,
                            .env = (char *const *) env,
                            .seconds = CPU_SECONDS,
                            .memory = b->sanitized ? 0 : MEMORY,
                            .link = true,
                            .confined = true};

    if (!w->build)
        *w = (struct worker){.build = b, .printed = STR_INIT};
    return child_start(&w->child, argv, &how, err);
}

/* What the functions printed; it may be anything. */
static void take_printed(struct worker *w)
{
    struct str *out = &w->child.out;

    for (const char *p = out->text; *p && w->printed.len < PRINTED_MOST;) {
        size_t n = strcspn(p, "\n");
        safe_add(&w->printed, p, n < 200 ? n : 200, SAFE_SPACE_KEEP);
        str_addc(&w->printed, '\n');
        p += n + (p[n] == '\n');
    }
    str_clear(out);
}

/* --- talking --- */

struct talk {
    struct worker *w;
    double until;
    bool over; /* the time */
};

/* Moves n bytes one way or the other; false when the other side is gone or the time is over. */
static bool move_bytes(struct talk *t, void *bytes, size_t n, bool sending)
{
    char *p = bytes;

    while (n > 0) {
        ssize_t done = sending ? send(t->w->child.link, p, n, MSG_NOSIGNAL)
                               : recv(t->w->child.link, p, n, 0);
        if (done > 0) {
            p += done;
            n -= (size_t) done;
            continue;
        }
        if (done == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        t->over = clock_measure() > t->until;
        if (t->over || interrupt_pending())
            return false;
        child_poll(&t->w->child, sending ? POLLOUT : POLLIN, SLICE);
    }
    return true;
}

static bool send_call(struct talk *t, const struct call *call)
{
    struct request r = {
        .magic = MAGIC, .n_numbers = call->n_numbers, .n_arrays = call->n_arrays};
    bool ok;

    snprintf(r.function, sizeof r.function, "%s", call->function);
    memcpy(r.number, call->number, sizeof r.number);
    for (int i = 0; i < call->n_arrays; i++) {
        r.array[i].role = (int32_t) call->array[i].role;
        r.array[i].n = (uint32_t) call_floats(&call->array[i]);
    }
    ok = move_bytes(t, &r, sizeof r, true);
    for (int i = 0; ok && i < call->n_arrays; i++)
        if (call->array[i].role != ARRAY_OUT)
            ok = move_bytes(t, call->array[i].x, call_floats(&call->array[i]) * sizeof(float),
                            true);
    return ok;
}

/* False when no whole answer came. */
static bool receive(struct talk *t, const struct call *call, struct call_result *result)
{
    struct reply r;

    if (!move_bytes(t, &r, sizeof r, false))
        return false;
    result->outcome = (enum call_outcome) r.outcome;
    result->array = r.array;
    result->place = r.place;
    result->rows = r.rows;
    result->seconds = r.seconds;
    if (r.magic != MAGIC || r.array < -1 || r.array >= call->n_arrays ||
        (r.outcome != CALL_OK && r.outcome != CALL_WROTE_OUTSIDE &&
         r.outcome != CALL_WROTE_INPUT)) {
        result->outcome = CALL_GARBLED;
        return true;
    }
    for (int i = 0; i < call->n_arrays; i++) {
        const struct call_array *a = &call->array[i];
        if (a->role != ARRAY_OUT && a->role != ARRAY_INOUT)
            continue;
        result->got[i] = xmalloc(call_floats(a) * sizeof(float) + 1);
        if (!move_bytes(t, result->got[i], call_floats(a) * sizeof(float), false))
            return false;
    }
    return true;
}

/* --- what went wrong --- */

/* "PATH:12" in a line of the sanitizer's report, or 0. */
static int line_of(const char *text, size_t n, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i + len + 1 < n; i++)
        if (!memcmp(text + i, path, len) && text[i + len] == ':')
            return atoi(text + i + len + 1);
    return 0;
}

static void take_address_report(struct call_result *r, const char *at)
{
    const char *kind = at + strlen("ERROR: AddressSanitizer: "), *region;
    size_t n = strcspn(kind, " \n");

    snprintf(r->kind, sizeof r->kind, "%.*s", (int) (n < 40 ? n : 40), kind);
    r->writes = strstr(at, "WRITE of size") || strstr(at, "caused by a WRITE");
    for (region = at; (region = strstr(region, "-byte region")); region++) {
        const char *digit = region;
        while (digit > at && digit[-1] >= '0' && digit[-1] <= '9')
            digit--;
        r->block = (size_t) strtoul(digit, NULL, 10);
        break;
    }
}

static void take_report(struct worker *w, struct call_result *r)
{
    const char *log = w->child.log.text, *path = w->build->whole;
    const char *at = strstr(log, "ERROR: AddressSanitizer: "), *line = log;
    const char *undefined = strstr(log, "runtime error: ");

    if (strstr(log, "hard rss limit exhausted"))
        snprintf(r->kind, sizeof r->kind, "memory");
    if (at && (!undefined || at < undefined)) {
        take_address_report(r, at);
        line = at;
    } else if (undefined) {
        const char *text = undefined + strlen("runtime error: ");
        snprintf(r->kind, sizeof r->kind, "undefined");
        safe_copy(r->says, sizeof r->says, text, strcspn(text, "\n"), SAFE_SPACE_KEEP);
        line = undefined;
        while (line > log && line[-1] != '\n')
            line--;
    }
    r->line = line_of(line, strlen(line), path);
}

/* The process is gone, or must go. */
static void take_end(struct talk *t, struct call_result *r)
{
    struct worker *w = t->w;

    child_end(&w->child, t->over ? 0 : 1);
    take_printed(w);
    for (int i = 0; i < CALL_ARRAYS; i++) {
        free(r->got[i]);
        r->got[i] = NULL;
    }
    if (t->over) {
        r->outcome = CALL_ENDLESS;
        return;
    }
    if (r->outcome == CALL_GARBLED)
        return;
    r->outcome = CALL_CRASHED;
    take_report(w, r);
    if (WIFSIGNALED(w->child.status))
        r->signal = WTERMSIG(w->child.status);
    else if (!*r->kind) {
        r->outcome = CALL_EXITED;
        r->status = WEXITSTATUS(w->child.status);
    }
}

bool worker_call(struct worker *w, const struct call *call, double seconds,
                 struct call_result *result, struct err *err)
{
    struct talk t = {.w = w, .until = clock_measure() + seconds};

    *result = (struct call_result){.outcome = CALL_OK, .array = -1};
    if (w->child.pid == 0) {
        str_release(&w->child.out);
        str_release(&w->child.log);
        if (!worker_start(w, w->build, err))
            return false;
    }
    bool whole = send_call(&t, call) && receive(&t, call, result);
    if (interrupt_pending()) {
        child_end(&w->child, 0);
        return err_set(err, "interrupted");
    }
    if (!whole || result->outcome == CALL_GARBLED) {
        take_end(&t, result);
        return true;
    }
    while (child_poll(&w->child, 0, 0) > 0)
        ;
    take_printed(w);
    return true;
}

void call_result_release(struct call_result *r)
{
    for (int i = 0; i < CALL_ARRAYS; i++)
        free(r->got[i]);
    memset(r->got, 0, sizeof r->got);
}

void worker_release(struct worker *w)
{
    if (!w->build)
        return;
    child_release(&w->child);
    str_release(&w->printed);
    *w = (struct worker){0};
}
