/* screenshot: what the screen shows, as a file. */
#include "command/commands.h"

#include "base/file.h"
#include "base/path.h"
#include "base/safe.h"
#include "command/data.h"
#include "command/keys.h"
#include "command/screenshot.h"
#include "view/cache.h"
#include "view/picture.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MOST = 1000 };

/* --- formats --- */

static bool write_txt(struct picture_job *job, struct str *out, struct err *err)
{
    (void) err;
    canvas_plain(job->canvas, out);
    return true;
}

static bool write_ansi(struct picture_job *job, struct str *out, struct err *err)
{
    (void) err;
    canvas_ansi(job->canvas, out);
    return true;
}

static bool write_html(struct picture_job *job, struct str *out, struct err *err)
{
    (void) err;
    canvas_html(job->canvas, job->title, out);
    return true;
}

static bool write_svg(struct picture_job *job, struct str *out, struct err *err)
{
    (void) err;
    canvas_svg(job->canvas, job->title, out);
    return true;
}

static bool write_png(struct picture_job *job, struct str *out, struct err *err)
{
    return canvas_png(job->canvas, job->factor, out, &job->missing, err);
}

// clang-format off
const struct picture_format picture_formats[] = {
    {"txt", "plain text; maps are drawn in shades", 0, false, write_txt},
    {"ansi", "text with colours for a terminal: cat FILE", 1 << 24, false, write_ansi},
    {"html", "a page that stands on its own", 1 << 24, false, write_html},
    {"svg", "a drawing that can be enlarged; its text can be searched", 1 << 24, false, write_svg},
    {"png", "an image; the text is drawn with the machine's fonts", 1 << 24, true, write_png},
    {0},
};
// clang-format on

const struct picture_format *picture_format_of(const char *path, struct err *err)
{
    const char *suffix = path_suffix(path);
    struct str names = STR_INIT;

    for (const struct picture_format *f = picture_formats; f->suffix; f++) {
        if (strcmp(f->suffix, suffix) == 0) {
            str_release(&names);
            return f;
        }
        str_addf(&names, "%s.%s",
                 f == picture_formats ? ""
                 : f[1].suffix        ? ", "
                                      : " or ",
                 f->suffix);
    }
    char *shown = path_shown(path);
    err_set(err, "'%s' does not end like a picture: %s", shown, names.text);
    free(shown);
    str_release(&names);
    return NULL;
}

/* --- drawing --- */

/* The screen without the line being typed, and complete, whatever the terminal can show. */
static struct canvas *draw_screen(const struct command_env *env, int w, int h, int colors)
{
    const struct settings *set = &env->session->set;
    struct caps caps = {.ascii = set->ascii, .colors = colors};
    struct canvas *c = canvas_new(w, h, &caps, theme_find(set->theme));
    struct screen st = *env->screen;

    st.entry = NULL;
    cache_budget(st.cache, 0);
    screen_draw(env->session, &st, c);
    return c;
}

static bool size_of(const struct arg *arg, int *w, int *h, struct err *err)
{
    char more;

    if (!arg->given)
        return true;
    if (sscanf(arg->text, "%4dx%4d%c", w, h, &more) != 2)
        return err_set(err, "a size is like 200x50, not '%s'", arg->text);
    if (*w < 1 || *h < 1 || *w > SIDE_MOST || *h > SIDE_MOST)
        return err_set(err, "a size goes from 1x1 to %dx%d, not %s", SIDE_MOST, SIDE_MOST,
                       arg->text);
    return true;
}

static bool factor_of(const struct arg *arg, const struct picture_format *format, int *factor,
                      struct err *err)
{
    if (!arg->given)
        return true;
    if (!format->pixels)
        return err_set(err, "only .png has a factor; .%s needs none", format->suffix);
    if (arg->i < 1 || arg->i > PICTURE_FACTORS)
        return err_set(err, "the factor goes from 1 to %d, not %lld", PICTURE_FACTORS, arg->i);
    *factor = (int) arg->i;
    return true;
}

bool picture_write(const struct picture_format *format, struct picture_job *job,
                   const char *path, struct err *err)
{
    struct str bytes = STR_INIT;
    bool ok = format->write(job, &bytes, err);
    struct outfile *f = ok ? outfile_open(path, err) : NULL;

    if (f) {
        outfile_write(f, bytes.text, bytes.len);
        ok = outfile_commit(f, err);
    }
    str_release(&bytes);
    return ok && f;
}

bool cmd_screenshot(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct picture_format *format = picture_format_of(arg[0].text, err);
    int w = env->screen_w, h = env->screen_h;
    struct picture_job job = {.factor = 1};
    char title[160];

    if (!format || !size_of(&arg[1], &w, &h, err) ||
        !factor_of(&arg[2], format, &job.factor, err))
        return false;
    struct canvas *c = draw_screen(env, w, h, format->colors);
    snprintf(title, sizeof title, "gptscope: %.100s", env->session->program->hp.name);
    job.canvas = c;
    job.title = title;
    bool ok = picture_write(format, &job, arg[0].text, err);
    canvas_free(c);
    if (!ok)
        return false;
    if (result_wanted(env))
        return result_put(env,
                          json_pack("{s:o, s:s, s:i, s:i, s:i}", "file",
                                    data_string(arg[0].text), "format", format->suffix, "width",
                                    w, "height", h, "missing_characters", job.missing));
    str_adds(env->out, "wrote ");
    safe_add(env->out, arg[0].text, strlen(arg[0].text), SAFE_SPACE_KEEP);
    str_addf(env->out, " (%dx%d)\n", w, h);
    if (job.missing)
        str_addf(env->out,
                 "%d characters are in none of this machine's fonts: boxes stand "
                 "for them\n",
                 job.missing);
    return true;
}
