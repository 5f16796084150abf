/* Pictures of numbers: pooling, masks, limits and colours of a map; PNG and SVG of a figure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "view/figure.h"
#include "view/figure_parts.h"
#include "xml_check.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- base64: the vectors of RFC 4648, in pieces of every size --- */

static void test_base64(void **state)
{
    static const char *const pair[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        for (size_t step = 1; step <= 7; step++) {
            struct base64 b = {0};
            struct str out = STR_INIT;
            size_t n = strlen(pair[i][0]);
            for (size_t at = 0; at < n; at += step)
                base64_add(&b, pair[i][0] + at, n - at < step ? n - at : step, &out);
            base64_end(&b, &out);
            assert_string_equal(out.text, pair[i][1]);
            str_release(&out);
        }
}

/* --- maps --- */

static void test_pooling(void **state)
{
    static const float row[3][5] = {
        {1, 2, -3, 0.5F, 0}, {0, -7, 1, NAN, 0}, {-INFINITY, -INFINITY, 4, 5, -INFINITY}};
    struct heat most, size;

    (void) state;
    heat_init(&most, 3, 5, 2, 2);
    heat_init(&size, 3, 5, 2, 2);
    assert_int_equal(most.h, 2);
    assert_int_equal(most.w, 3);
    for (int i = 0; i < 3; i++) {
        heat_row(&most, i, row[i], false, SCALE_SQRT);
        heat_row(&size, i, row[i], true, SCALE_SQRT);
    }
    assert_true(*heat_at(&most, 0, 0) == 2);
    assert_true(*heat_at(&size, 0, 0) == -7);
    assert_true(isnan(*heat_at(&most, 0, 1)));
    assert_true(*heat_at(&most, 0, 2) == 0);
    assert_true(heat_masked(*heat_at(&most, 1, 0)));
    assert_true(*heat_at(&size, 1, 1) == 5);
    assert_true(heat_masked(*heat_at(&size, 1, 2)));
    heat_release(&most);
    heat_release(&size);
}

/* Under the causal mask nothing is seen, whatever is there; rows may begin later. */
static void test_causal(void **state)
{
    static const float row[4] = {0.25F, 0.5F, 8, NAN};
    struct heat m;
    struct heat_range range = {0};

    (void) state;
    heat_init(&m, 2, 4, 1, 1);
    m.causal = true;
    m.first_row = 1;
    heat_row(&m, 0, row, false, SCALE_ROW_MAX);
    heat_range_add(&range, &m, 0, row);
    assert_true(*heat_at(&m, 0, 0) == 0.5F);
    assert_true(*heat_at(&m, 0, 1) == 1);
    assert_true(m.row_max[0] == 0.5F);
    assert_true(heat_masked(*heat_at(&m, 0, 2)) && heat_masked(*heat_at(&m, 0, 3)));
    assert_int_equal(range.n_masked, 2);
    assert_int_equal(range.stats.n, 2);
    assert_int_equal(range.stats.n_nan, 0);
    assert_true(range.stats.max == 0.5F);
    heat_range_release(&range);
    heat_release(&m);
}

/* The limit is the 99th percentile of |x| to three digits, never less than it. */
static void test_limit(void **state)
{
    struct heat m;
    float x[1000];
    double worst = 0;

    (void) state;
    heat_init(&m, 1, 1000, 1, 1);
    for (int power = -30; power <= 30; power += 3) {
        struct heat_range range = {0};
        for (int i = 0; i < 1000; i++)
            x[i] = (i % 2 ? -1.0F : 1.0F) * (float) (i + 1) * powf(10, (float) power);
        heat_range_add(&range, &m, 0, x);
        double want = 990 * pow(10, power), got = heat_range_limit(&range);
        assert_true(got >= want * (1 - 1e-6));
        worst = fmax(worst, got / want - 1);
        heat_range_release(&range);
    }
    print_message("limit: largest difference %.2g of it\n", worst);
    assert_true(worst < 0.011);
    struct heat_range none = {0}, one = {0};
    memset(x, 0, sizeof x);
    heat_range_add(&none, &m, 0, x);
    assert_true(heat_range_limit(&none) == 1);
    x[3] = -2; /* the percentile is 0: the largest */
    heat_range_add(&one, &m, 0, x);
    assert_true(heat_range_limit(&one) == 2);
    heat_range_release(&none);
    heat_range_release(&one);
    heat_release(&m);
}

/* --- figures --- */

enum { N = 24 };

static float number(int map, int row, int col)
{
    return (float) ((row * 7 + col * 3 + map * 5) % 19) / 19;
}

/* Two heads of n tokens, and numbers with a sign below. */
static void make_figure(struct figure *f, int n)
{
    float *x = xcalloc((size_t) n, sizeof *x);
    struct err err = ERR_INIT;

    figure_init(f, NULL, SCALE_SQRT);
    str_adds(&f->title, "model <&> \"values\"");
    str_adds(&f->about, "\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81 prompt");
    for (int i = 0; i < n; i++)
        figure_token(f, i == 1 ? " </text>\x1b[2J" : " ball", i == 1 ? 12 : 5);
    for (int k = 0; k < 2; k++) {
        struct figure_group *g = figure_group(f);
        str_adds(&g->title, k ? "signed" : "weights");
        g->rows = g->cols = n;
        g->row_axis = AXIS_POS;
        g->col_axis = k ? AXIS_D_MODEL : AXIS_KEY;
        g->causal = k == 0;
        g->is_signed = k == 1;
        g->limit = k ? 0 : 1;
        figure_map(f, k ? "L0" : "L0.H0");
        if (k == 0)
            figure_map(f, "L0.H1");
    }
    if (!figure_layout(f, &err))
        fail_msg("%s", err.text);
    for (int map = 0; map < 3; map++)
        for (int row = 0; row < n; row++) {
            for (int col = 0; col < n; col++)
                x[col] = number(map, row, col) - (map == 2 ? 0.5F : 0);
            figure_row(f, map, row, x);
        }
    figure_end(f);
    free(x);
}

struct image {
    int w, h;
    uint8_t *px;
};

static struct image decode(const struct str *bytes, int format)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    struct image image;

    assert_true(png_image_begin_read_from_memory(&png, bytes->text, bytes->len));
    assert_int_equal(png.warning_or_error, 0);
    png.format = (png_uint_32) format;
    image.w = (int) png.width;
    image.h = (int) png.height;
    image.px = xmalloc(PNG_IMAGE_SIZE(png));
    assert_true(png_image_finish_read(&png, NULL, image.px, 0, NULL));
    return image;
}

static uint32_t pixel(const struct image *m, int x, int y)
{
    const uint8_t *p = m->px + ((size_t) y * (size_t) m->w + (size_t) x) * 3;

    assert_true(x >= 0 && y >= 0 && x < m->w && y < m->h);
    return (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
}

/* Every cell has the colour of its number by the theme, masked ones the hatch. */
static void test_png(void **state)
{
    struct figure f;
    struct str png = STR_INIT;
    struct err err = ERR_INIT;
    int masked = 0;

    (void) state;
    make_figure(&f, N);
    if (!figure_png(&f, bytes_to_str, &png, &err))
        fail_msg("%s", err.text);
    struct image image = decode(&png, PNG_FORMAT_RGB);
    assert_int_equal(image.w, f.w);
    assert_int_equal(image.h, f.h);
    assert_true(f.group[1].scale.limit > 0.49 && f.group[1].scale.limit <= 0.5);
    for (int map = 0; map < 3; map++) {
        const struct figure_group *g = &f.group[f.map[map].group];
        for (int i = 0; i < N * N; i++) {
            int row = i / N, col = i % N;
            int x = f.map[map].at.x + col * g->cell_w, y = f.map[map].at.y + row * g->cell_h;
            double v = (double) number(map, row, col), half = v - 0.5;
            double part = sqrt(fmin(1, fabs(half) / g->scale.limit)) / 2;
            uint32_t want = map < 2 ? theme_color(&themes[0], MAP_SEQUENTIAL, sqrt(v))
                                    : theme_color(&themes[0], MAP_DIVERGING,
                                                  half < 0 ? 0.5 - part : 0.5 + part);
            for (int corner = 0; corner < 2; corner++) {
                uint32_t got =
                    pixel(&image, x + corner * (g->cell_w - 1), y + corner * (g->cell_h - 1));
                if (map < 2 && col > row) {
                    assert_true(got == HATCH_BG || got == HATCH_FG);
                    masked++;
                } else if (got != want) {
                    fail_msg("map %d, %d, %d: %06x, not %06x", map, row, col, (unsigned) got,
                             (unsigned) want);
                }
            }
        }
    }
    assert_int_equal(masked, 2 * 2 * N * (N - 1) / 2);
    assert_true(theme_color(&themes[0], MAP_SEQUENTIAL, 0) != HATCH_BG);
    free(image.px);
    str_release(&png);
    figure_release(&f);
}

static void check_svg(int n, bool images)
{
    struct figure f;
    struct str svg = STR_INIT, text = STR_INIT;
    struct err err = ERR_INIT;

    make_figure(&f, n);
    if (!figure_svg(&f, bytes_to_str, &svg, &err))
        fail_msg("%s", err.text);
    const char *flaw = xml_check(svg.text, "text", &text);
    if (flaw)
        fail_msg("%s in\n%.4000s", flaw, svg.text);
    assert_non_null(strstr(svg.text, "<title>model &lt;&amp;&gt; &quot;values&quot;</title>"));
    assert_non_null(strstr(text.text, "weights"));
    assert_true(images == (strstr(svg.text, "<image") != NULL));
    if (!images) { /* the token's text; the escape is to be seen, and takes no effect */
        assert_non_null(strstr(text.text, "</text>\\x1"));
        assert_null(strchr(svg.text, 0x1b));
        char path[64];
        const struct figure_map *m = &f.map[0];
        const struct figure_group *g = &f.group[0];
        snprintf(path, sizeof path, "M%d %dh%dv%dh-%dz", m->at.x, m->at.y, g->cell_w, g->cell_h,
                 g->cell_w); /* cell 0, 0 is alone: the rest of its row is masked */
        assert_non_null(strstr(svg.text, path));
    }
    str_release(&svg);
    str_release(&text);
    figure_release(&f);
}

static void test_svg(void **state)
{
    (void) state;
    check_svg(N, false);
    check_svg(300, true);
}

/* The image of a map: a pixel a cell, masked ones transparent. */
static void test_map_png(void **state)
{
    struct figure f;
    struct str png = STR_INIT;
    struct err err = ERR_INIT;

    (void) state;
    make_figure(&f, 300);
    assert_true(heat_png(&f.map[1].heat, f.theme, &f.group[0].scale, &png, &err));
    struct image image = decode(&png, PNG_FORMAT_RGBA);
    assert_int_equal(image.w, 300);
    for (int i = 0; i < 300 * 300; i++) {
        const uint8_t *p = image.px + 4 * i;
        double v = (double) number(1, i / 300, i % 300);
        uint32_t want = theme_color(&themes[0], MAP_SEQUENTIAL, sqrt(v));
        assert_int_equal(p[3], i % 300 > i / 300 ? 0 : 255);
        if (p[3])
            assert_int_equal((uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2], want);
    }
    free(image.px);
    str_release(&png);
    figure_release(&f);
}

/* However many maps and numbers: inside of the picture, none over another, or refused. */
static void test_layout(void **state)
{
    static const struct {
        int maps, rows, cols;
        bool square, fits;
    } size[] = {
        {1, 1, 1, true, true},           {1, 10, 50257, false, true},
        {144, 1024, 1024, true, true},   {1, 9000, 9000, true, true},
        {12, 7, 64, false, true},        {1, 1, 3000, false, true},
        {1024, 64, 64, true, true},      {2, 5000, 3, false, true},
        {400000, 100, 100, true, false},
    };

    (void) state;
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        struct figure f;
        struct err err = ERR_INIT;
        figure_init(&f, NULL, SCALE_LINEAR);
        struct figure_group *g = figure_group(&f);
        g->rows = size[i].rows;
        g->cols = size[i].cols;
        g->row_axis = AXIS_POS;
        g->col_axis = size[i].square ? AXIS_KEY : AXIS_D_MODEL;
        for (int k = 0; k < size[i].maps; k++)
            figure_map(&f, "L0.H0");
        bool ok = figure_layout(&f, &err);
        assert_true(ok == size[i].fits);
        if (!ok)
            assert_string_equal(err.text, "400000 maps do not fit a picture of 4000 x 4000 "
                                          "pixels; select fewer values, layers or heads");
        assert_true(!ok || (f.w <= FIGURE_MOST && f.h <= FIGURE_MOST));
        for (int k = 0; ok && k < f.n_maps; k++) {
            struct rect r = f.map[k].at, all = {0, 0, f.w, f.h}, c = rect_clip(r, all);
            assert_true(r.w > 0 && r.h > 0 && c.w == r.w && c.h == r.h);
            assert_int_equal(r.w, f.map[k].heat.w * f.group[0].cell_w);
            assert_int_equal(r.h, f.map[k].heat.h * f.group[0].cell_h);
            if (k + 1 < f.n_maps)
                assert_int_equal(
                    rect_clip(r, f.map[k + 1].at).w * rect_clip(r, f.map[k + 1].at).h, 0);
        }
        figure_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),  cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_causal),  cmocka_unit_test(test_limit),
        cmocka_unit_test(test_png),     cmocka_unit_test(test_svg),
        cmocka_unit_test(test_map_png), cmocka_unit_test(test_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
