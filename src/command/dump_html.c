/*
 * html: a page of attention maps that needs nothing but a browser. The numbers are in it as
 * they are, 32-bit floats in base64, a script element for each map; those under the causal mask
 * are left out. What a browser without scripts shows are the maps as small pictures, or one
 * large one.
 *
 *     <script type="text/plain" id="d0">base64 of row 0, row 1, ...</script>    for each map
 *     <div class="line"><button class="head">picture, name</button>...</div>   for each value
 *     <script type="application/json" id="meta">{"tokens": [...], "maps": [...], ...}</script>
 *
 * Written in one go: the numbers come first, and the pictures are made while they pass by.
 */
#include "command/dump_array.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "command/dump_maps.h"
#include "view/figure.h"
#include "view/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* src/command/page.S */
extern const char page_css[], page_js[], page_view[];

#define PAGE_MOST ((size_t) 128 << 20) /* bytes of base64 that a browser still takes */
/* Pixels of the small pictures, and of those that share their line with many. */
enum { THUMB = 96, THUMB_SMALL = 64, LINE_MANY = 8 };

struct page {
    const struct dump_job *job;
    struct outfile *out;
    struct str text;        /* not written yet */
    struct dump_maps *maps; /* [n] one for each array */
    int n;
    struct figure f; /* a group for each kind of value, a map for each map of the page */
    struct heat *thumb;
    int first; /* map of the array being read */
    struct base64 code;
    bool many;   /* a line of small pictures is long */
    bool little; /* bytes of a float in this machine are in the page's order */
};

static void page_flush(struct page *p)
{
    outfile_write(p->out, p->text.text, p->text.len);
    str_clear(&p->text);
}

static void add_xml(struct page *p, const struct str *text)
{
    picture_xml(text->text, text->len, &p->text);
}

/* A JSON string that may stand in a script element: nothing in it ends the element. */
static void add_json(struct page *p, const char *text, size_t n)
{
    struct str json = STR_INIT;

    json_add_string(&json, text, n);
    for (size_t i = 0; i < json.len; i++)
        if (strchr("<>&", json.text[i]))
            str_addf(&p->text, "\\u%04x", (unsigned) json.text[i]);
        else
            str_addc(&p->text, json.text[i]);
    str_release(&json);
}

/* --- what is on the page --- */

/* Keys of a row that are not masked. */
static int row_width(const struct dump_maps *m, int row)
{
    int n = m->causal ? m->first_row + row - m->first_col + 1 : m->cols;

    return n < 0 ? 0 : n < m->cols ? n : m->cols;
}

static size_t page_bytes(const struct page *p)
{
    size_t n = 0;

    for (int i = 0; i < p->n; i++)
        for (int row = 0; row < p->maps[i].rows; row++)
            n += (size_t) row_width(&p->maps[i], row) * (size_t) p->maps[i].n;
    return n * sizeof(float) / 3 * 4;
}

static bool check(const struct page *p, struct err *err)
{
    for (int i = 0; i < p->n; i++)
        if (p->maps[i].row_axis != AXIS_POS || p->maps[i].col_axis != AXIS_KEY)
            return err_set(err,
                           "html shows attention, as L5.H1.pattern or blocks.*.attn.pattern; "
                           "for %s use png, svg or csv",
                           p->maps[i].place.value);
    if (p->n == 0)
        return err_set(err, "html shows attention, as L5.H1.pattern or blocks.*.attn.pattern; "
                            "tokens alone are none");
    if (page_bytes(p) > PAGE_MOST)
        return err_set(err,
                       "the page would have %.0f MB, and browsers take %d; select fewer layers "
                       "or heads, as L0-1.pattern, or write npz",
                       (double) page_bytes(p) / (1 << 20), (int) (PAGE_MOST >> 20));
    return true;
}

/* Values whose colours mean the same. */
static bool same_kind(const struct dump_maps *a, const struct dump_maps *b)
{
    return !strcmp(a->place.what, b->place.what) && a->rows == b->rows && a->cols == b->cols &&
           a->first_row == b->first_row;
}

static void add_kind(struct page *p, const struct dump_maps *m)
{
    struct figure_group *g = figure_group(&p->f);

    dump_maps_group(m, g);
    str_adds(&g->title, m->place.what);
}

static void add_map(struct page *p, const struct dump_maps *m, int k)
{
    char title[48];
    int most = m->rows > m->cols ? m->rows : m->cols, pool = (most + THUMB - 1) / THUMB;
    struct heat *h = &p->thumb[p->f.n_maps];

    dump_maps_title(m, k, title, sizeof title);
    figure_map(&p->f, title);
    heat_init(h, m->rows, m->cols, pool, pool);
    h->first_row = m->first_row;
    h->first_col = m->first_col;
    h->causal = m->causal;
}

static bool page_init(struct page *p, const struct dump_job *job, struct outfile *out,
                      struct err *err)
{
    const uint16_t one = 1;
    int n = 0;

    *p = (struct page){.job = job, .out = out, .text = STR_INIT};
    p->little = *(const uint8_t *) &one;
    p->maps = xcalloc((size_t) job->n, sizeof *p->maps);
    figure_init(&p->f, dump_theme(job), dump_scale(job));
    for (int i = 0; i < job->n; i++)
        if (!dump_is_tokens(job, &job->array[i])) {
            dump_maps_of(&job->array[i], &p->maps[p->n]);
            p->many = p->many || p->maps[p->n].n > LINE_MANY;
            n += p->maps[p->n++].n;
        }
    if (!check(p, err))
        return false;
    p->thumb = xcalloc((size_t) n, sizeof *p->thumb);
    for (int i = 0; i < p->n; i++) {
        if (i == 0 || !same_kind(&p->maps[i - 1], &p->maps[i]))
            add_kind(p, &p->maps[i]);
        for (int k = 0; k < p->maps[i].n; k++)
            add_map(p, &p->maps[i], k);
    }
    return true;
}

static void page_release(struct page *p)
{
    for (int i = 0; p->thumb && i < p->f.n_maps; i++)
        heat_release(&p->thumb[i]);
    free(p->thumb);
    free(p->maps);
    figure_release(&p->f);
    str_release(&p->text);
}

/* --- its parts --- */

static void add_head(struct page *p)
{
    struct str title = STR_INIT, prompt = STR_INIT;
    const char *what = p->f.n_groups == 1 ? p->maps[0].place.what : "attention";

    dump_model_line(p->job, &title);
    dump_prompt_line(p->job, &prompt);
    str_adds(&p->text,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
             "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n"
             "<meta name=\"generator\" content=\"gptscope " PACKAGE_VERSION "\"/>\n<title>");
    add_xml(p, &title);
    str_addf(&p->text, ": %s</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", what,
             page_css);
    add_xml(p, &title);
    str_addf(&p->text, " %s</h1>\n<p class=\"about\">", what);
    add_xml(p, &prompt);
    str_adds(&p->text, "</p>\n");
    page_flush(p);
    str_release(&title);
    str_release(&prompt);
}

static void add_numbers(struct page *p, const float *x, int n)
{
    for (int i = 0; !p->little && i < n; i++) {
        const uint8_t *b = (const uint8_t *) &x[i], turned[4] = {b[3], b[2], b[1], b[0]};
        base64_add(&p->code, turned, sizeof turned, &p->text);
    }
    if (p->little)
        base64_add(&p->code, x, (size_t) n * sizeof *x, &p->text);
}

/* The rows of an attention map come one after the other, map by map. */
static bool take_row(void *user, int map, int row, const float *x, struct err *err)
{
    struct page *p = user;
    int index = p->first + map;
    const struct figure_group *g = &p->f.group[p->f.map[index].group];
    const struct dump_maps m = {.causal = g->causal,
                                .cols = g->cols,
                                .first_row = g->first_row,
                                .first_col = g->first_col};

    (void) err;
    if (row == 0)
        str_addf(&p->text, "<script type=\"text/plain\" id=\"d%d\">", index);
    add_numbers(p, x, row_width(&m, row));
    if (row + 1 == g->rows) {
        base64_end(&p->code, &p->text);
        str_adds(&p->text, "</script>\n");
    }
    heat_row(&p->thumb[index], row, x, g->is_signed, p->f.kind);
    if (p->f.n_maps == 1)
        figure_row(&p->f, index, row, x);
    else
        heat_range_add(&p->f.group[p->f.map[index].group].range, &p->thumb[index], row, x);
    if (p->text.len > 1 << 16)
        page_flush(p);
    return true;
}

static bool add_thumb(struct page *p, int index, struct err *err)
{
    const struct figure_map *m = &p->f.map[index];
    const struct heat *h = &p->thumb[index];
    int big = h->w > h->h ? h->w : h->h, room = p->many ? THUMB_SMALL : THUMB;
    double each = big > room / 2 ? (double) room / big : room / big; /* pixels of a cell */
    struct str png = STR_INIT;
    struct base64 code = {0};
    bool ok = heat_png(h, p->f.theme, &p->f.group[m->group].scale, &png, err);

    str_addf(&p->text,
             "<button class=\"head\" data-map=\"%d\"><span class=\"name\">%s</span>"
             "<img alt=\"%s\" width=\"%d\" height=\"%d\" src=\"data:image/png;base64,",
             index, m->title, m->title, (int) (h->w * each), (int) (h->h * each));
    base64_add(&code, png.text, png.len, &p->text);
    base64_end(&code, &p->text);
    str_adds(&p->text, "\"/></button>\n");
    str_release(&png);
    return ok;
}

/* A line of small maps for each value. */
static bool add_thumbs(struct page *p, struct err *err)
{
    int index = 0;
    bool ok = true;

    for (int i = 0; i < p->n; i++) {
        bool begins = i == 0 || !same_kind(&p->maps[i - 1], &p->maps[i]);
        if (begins)
            str_addf(&p->text, "%s<h2>%s</h2>\n<div class=\"heads\">\n", i ? "</div>\n" : "",
                     p->maps[i].place.what);
        str_adds(&p->text, "<div class=\"line\">\n");
        for (int k = 0; k < p->maps[i].n && ok; k++, index++)
            ok = add_thumb(p, index, err);
        str_adds(&p->text, "</div>\n");
        page_flush(p);
    }
    str_adds(&p->text, "</div>\n<noscript><p>Without scripts this page shows the heads as "
                       "pictures only; its numbers are in it all the same.</p></noscript>\n");
    return ok;
}

static bool add_picture(struct page *p, struct err *err)
{
    struct str svg = STR_INIT;
    struct base64 code = {0};
    bool ok = figure_svg(&p->f, bytes_to_str, &svg, err);

    str_addf(&p->text,
             "<noscript><p><img class=\"picture\" alt=\"%s\" "
             "src=\"data:image/svg+xml;base64,",
             p->f.map[0].title);
    base64_add(&code, svg.text, svg.len, &p->text);
    base64_end(&code, &p->text);
    str_adds(&p->text, "\"/></p></noscript>\n");
    str_release(&svg);
    return ok;
}

/* --- what the script reads --- */

static void add_ramp(struct page *p, const char *name, enum colormap map)
{
    const struct ramp *r = &p->f.theme->map[map];

    str_addf(&p->text, ",\n\"%s\": [", name);
    for (int i = 0; i < r->n; i++)
        str_addf(&p->text, "%s[%d, %d, %d]", i ? ", " : "", (int) (r->rgb[i] >> 16 & 255),
                 (int) (r->rgb[i] >> 8 & 255), (int) (r->rgb[i] & 255));
    str_addc(&p->text, ']');
}

static void add_tokens(struct page *p)
{
    const struct dump_maps *m = &p->maps[0];
    int n = p->f.n_token;

    str_adds(&p->text, ",\n\"tokens\": [");
    for (int i = 0; i < n; i++) {
        struct str text = STR_INIT, safe = STR_INIT;
        dump_pos_text(p->job, m->a, i, &text);
        safe_add(&safe, text.text, text.len, SAFE_SPACE_KEEP);
        str_adds(&p->text, i ? ", " : "");
        add_json(p, safe.text, safe.len);
        str_release(&text);
        str_release(&safe);
    }
    str_addc(&p->text, ']');
}

static void add_maps(struct page *p)
{
    int index = 0;

    str_adds(&p->text, ",\n\"kinds\": [");
    for (int i = 0; i < p->f.n_groups; i++) {
        const struct figure_group *g = &p->f.group[i];
        str_addf(&p->text, "%s{\"name\": \"%s\", \"signed\": %s, \"limit\": %.17g}",
                 i ? ", " : "", g->title.text, g->is_signed ? "true" : "false", g->scale.limit);
    }
    str_adds(&p->text, "],\n\"maps\": [");
    for (int i = 0; i < p->n; i++)
        for (int k = 0; k < p->maps[i].n; k++, index++) {
            const struct dump_maps *m = &p->maps[i];
            const struct figure_map *f = &p->f.map[index];
            str_addf(&p->text,
                     "%s\n{\"name\": \"%s\", \"value\": \"%s\", \"layer\": %d, \"head\": %d, "
                     "\"kind\": %d, \"rows\": %d, \"cols\": %d, \"row\": %d, \"col\": %d, "
                     "\"causal\": %s}",
                     index ? "," : "", f->title, m->place.value, m->place.layer,
                     dump_maps_head(m, k), f->group, m->rows, m->cols, m->first_row,
                     m->first_col, m->causal ? "true" : "false");
        }
    str_addc(&p->text, ']');
}

static void add_meta(struct page *p)
{
    const struct session *s = p->job->session;
    struct str model = STR_INIT;

    dump_model_line(p->job, &model);
    str_adds(&p->text,
             "<script type=\"application/json\" id=\"meta\">\n{\"version\": \"" PACKAGE_VERSION
             "\", \"model\": ");
    add_json(p, model.text, model.len);
    str_adds(&p->text, ", \"prompt\": ");
    add_json(p, s ? s->prompt.text : "", s ? s->prompt.len : 0);
    str_addf(&p->text, ", \"scale\": \"%s\"", scale_name(p->f.kind));
    add_ramp(p, "sequential", MAP_SEQUENTIAL);
    add_ramp(p, "diverging", MAP_DIVERGING);
    add_tokens(p);
    add_maps(p);
    str_adds(&p->text, "}\n</script>\n");
    str_release(&model);
}

static void add_foot(struct page *p)
{
    char size[32];

    add_meta(p);
    page_flush(p);
    draw_bytes(size, sizeof size, (double) outfile_at(p->out) + (double) strlen(page_js));
    str_addf(&p->text,
             "<footer>gptscope " PACKAGE_VERSION "; a page of %s; its numbers are exact 32-bit "
             "floats</footer>\n<script>\n%s</script>\n</body>\n</html>\n",
             size, page_js);
    page_flush(p);
}

static bool write_page(struct page *p, struct err *err)
{
    bool ok = true;

    dump_figure_tokens(&p->f, p->job, p->maps[0].a);
    if (p->f.n_maps == 1) {
        dump_model_line(p->job, &p->f.title);
        str_addf(&p->f.title, "  %s", p->maps[0].a->name);
        dump_prompt_line(p->job, &p->f.about);
        ok = figure_layout(&p->f, err);
    }
    if (ok)
        add_head(p);
    for (int i = 0; ok && i < p->n; i++) {
        ok = dump_maps_read(&p->maps[i], take_row, p, err);
        p->first += p->maps[i].n;
    }
    if (!ok)
        return false;
    figure_end(&p->f);
    ok = p->f.n_maps == 1 ? add_picture(p, err) : add_thumbs(p, err);
    str_adds(&p->text, page_view);
    add_foot(p);
    return ok;
}

bool dump_html(const struct dump_job *job, struct outfile *f, struct err *err)
{
    struct page p;
    bool ok = page_init(&p, job, f, err) && write_page(&p, err);

    page_release(&p);
    return ok;
}
