#include "ui/progress.h"

#include "base/clock.h"
#include "base/safe.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DELAY  1.0 /* seconds before the line comes */
#define REDRAW 0.1
#define NAME   28 /* cells of what is worked on */

const struct progress_unit progress_bytes = {"bytes", true};
const struct progress_unit progress_tokens = {"tokens", false};
const struct progress_unit progress_prompts = {"prompts", false};

/* "4 s", "3 min", "2 h 5 min" */
static void add_time(struct str *out, double seconds)
{
    long s = lround(ceil(seconds));

    if (s < 100)
        str_addf(out, "%ld s", s);
    else if (s < 100 * 60)
        str_addf(out, "%ld min", (s + 30) / 60);
    else
        str_addf(out, "%ld h %ld min", s / 3600, s % 3600 / 60);
}

/* The power of 1000 that n bytes are best said in. */
static int scale_of(double n)
{
    int i = 0;

    for (; n >= 999.5 && i < 4; i++)
        n /= 1000;
    return i;
}

static void add_number(struct str *out, double n, int scale)
{
    for (int i = 0; i < scale; i++)
        n /= 1000;
    str_addf(out, scale > 0 && n < 99.95 ? "%.1f" : "%.0f", n);
}

static const char *const sizes[] = {"bytes", "kB", "MB", "GB", "TB"};

static void add_done(struct str *out, const struct progress_unit *unit, uint64_t done,
                     uint64_t total)
{
    int scale = unit->bytes ? scale_of((double) (total ? total : done)) : 0;

    add_number(out, (double) done, scale);
    if (total) {
        str_adds(out, " of ");
        add_number(out, (double) total, scale);
    }
    str_addf(out, " %s", unit->bytes ? sizes[scale] : unit->name);
}

static void add_rate(struct str *out, const struct progress_unit *unit, double rate)
{
    int scale = unit->bytes ? scale_of(rate) : 0;

    str_adds(out, ", ");
    if (unit->bytes)
        add_number(out, rate, scale);
    else
        str_addf(out, rate < 10 ? "%.1f" : "%.0f", rate);
    str_addf(out, " %s/s", unit->bytes ? sizes[scale] : unit->name);
}

void progress_print(struct str *out, const char *what, const struct progress_unit *unit,
                    uint64_t done, uint64_t total, uint64_t moved, double seconds)
{
    size_t n = strlen(what), at = out->len;

    safe_add(out, what, n, SAFE_SPACE_KEEP);
    size_t cut = utf8_fit(out->text + at, out->len - at, NAME, NULL);
    if (cut < out->len - at)
        str_cut(out, at + cut, out->len - at - cut);
    str_adds(out, ": ");
    if (total)
        str_addf(out, "%d %%, ", (int) (100 * ((double) done / (double) total)));
    add_done(out, unit, done, total);
    if (moved == 0 || seconds <= 0)
        return;
    double rate = (double) moved / seconds;
    add_rate(out, unit, rate);
    if (total > done) {
        str_adds(out, ", ");
        add_time(out, (double) (total - done) / rate);
        str_adds(out, " left");
    }
}

static int columns_of(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_begin(struct progress *p, bool wanted)
{
    const char *term = getenv("TERM");

    memset(p, 0, sizeof *p);
    p->fd = STDERR_FILENO;
    p->clock = clock_now;
    p->on = wanted && isatty(p->fd) && term && *term && strcmp(term, "dumb") != 0;
    p->columns = p->on ? columns_of(p->fd) : 80;
    p->first = p->clock();
}

static void put(const struct progress *p, const struct str *text)
{
    if (write(p->fd, text->text, text->len) < 0)
        return; /* it is only a line of news */
}

/* Over the old line, with blanks to its end. */
static void draw(struct progress *p, const struct str *line)
{
    struct str text = STR_INIT;
    int used = 0;
    size_t n = utf8_fit(line->text, line->len, p->columns - 1, &used);

    str_addc(&text, '\r');
    str_add(&text, line->text, n);
    for (int i = used; i < p->shown; i++)
        str_addc(&text, ' ');
    for (int i = used; i < p->shown; i++)
        str_addc(&text, '\b');
    put(p, &text);
    p->shown = used;
    str_release(&text);
}

void progress_set(struct progress *p, const char *what, const struct progress_unit *unit,
                  uint64_t done, uint64_t total)
{
    double now = p->clock();

    if (!p->on)
        return;
    if (p->unit != unit || done < p->from) {
        p->unit = unit;
        p->began = now;
        p->from = done;
    }
    if (now - p->first < DELAY || (p->shown && now - p->drawn < REDRAW))
        return;
    struct str line = STR_INIT;
    progress_print(&line, what, unit, done, total, done - p->from, now - p->began);
    draw(p, &line);
    p->drawn = now;
    str_release(&line);
}

void progress_skip(struct progress *p, uint64_t n)
{
    p->from += n;
}

void progress_end(struct progress *p)
{
    struct str nothing = STR_INIT;

    if (p->shown == 0)
        return;
    draw(p, &nothing);
    p->shown = 0;
}

void progress_command(struct command_env *env, const char *what, uint64_t done, uint64_t total)
{
    static struct progress line; /* there is one standard error */
    static bool begun;

    if (!begun)
        progress_begin(&line, !env->json);
    begun = what != NULL;
    if (what)
        progress_set(&line, what, &progress_bytes, done, total);
    else
        progress_end(&line);
}
