/* Pictures of a canvas: HTML, SVG, PNG; and the command that writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "command/screenshot.h"
#include "command_fixture.h"
#include "view/font.h"
#include "view/picture.h"
#include "xml_check.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct caps rich = {false, 1 << 24};
enum { RED = 0xff2010, BLUE = 0x1020ff };

static void put(struct canvas *c, int x, int y, struct look look, const char *text)
{
    canvas_put(c, canvas_all(c), x, y, look, text, strlen(text));
}

/* A line for each thing that pictures must show. */
static struct canvas *sample(void)
{
    struct canvas *c = canvas_new(30, 10, &rich, NULL);
    struct look plain = {COLOR_NONE, COLOR_NONE, 0}, red = {RED, COLOR_NONE, 0};

    put(c, 0, 0, plain, "plain <&> \"quoted\" it's");
    put(c, 0, 1, red, "日本語 wide");
    put(c, 0, 2, plain, "e\xcc\x81 x\xcc\xa3\xcc\x87 a\xcc\x8a combining");
    canvas_pixels(c, canvas_all(c), 0, 3, RED, BLUE);
    canvas_pixels(c, canvas_all(c), 1, 3, BLUE, RED);
    put(c, 3, 3, red, "▁▂▃▄▅▆▇█ ▏▎▍▌▋▊▉ ░▒▓ ▖▗▘▙▚▛▜▝▞▟");
    put(c, 0, 4, (struct look){RED, BLUE, ATTR_BOLD}, "bold");
    put(c, 5, 4, (struct look){RED, BLUE, ATTR_DIM}, "dim");
    put(c, 9, 4, (struct look){RED, BLUE, ATTR_REVERSE}, "reverse");
    put(c, 17, 4, (struct look){RED, BLUE, ATTR_UNDERLINE}, "under line");
    put(c, 0, 5, plain, "┌─┬━┓ ╭╮ ┄┅┆┇ ╌ ╴╸ ⠁⣿⡇ ═ ▶◀ ✓·∙");
    put(c, 0, 6, plain, "└─┴━┛ ╰╯ ├┼┤┃ ╎ ╶╺");
    put(c, 0, 7, plain,
        "\xf0\x9f\x98\x80 emoji \xef\xbf\xbf"
        "end");
    canvas_frame(c, (struct rect){0, 8, 30, 2}, true, "frame");
    return c;
}

/* --- text formats --- */

/* Lines of plain text without the blanks at their ends. */
static void without_ends(struct str *s)
{
    size_t keep = 0, n = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (s->text[i] == '\n')
            n = keep;
        s->text[n++] = s->text[i];
        if (s->text[i] != ' ')
            keep = n;
    }
    str_cut(s, n, s->len - n);
}

static void test_html(void **state)
{
    (void) state;
    struct canvas *c = sample();
    struct str page = STR_INIT, text = STR_INIT, want = STR_INIT;

    canvas_html(c, "a <title> & more", &page);
    const char *flaw = xml_check(page.text, "pre", &text);
    if (flaw)
        fail_msg("%s in\n%s", flaw, page.text);
    without_ends(&text);
    canvas_plain(c, &want);
    char *odd = strstr(want.text, "\xef\xbf\xbf"); /* not a character of XML */
    memcpy(odd, "\xef\xbf\xbd", 3);
    assert_string_equal(text.text, want.text);
    assert_non_null(strstr(page.text, "<title>a &lt;title&gt; &amp; more</title>"));
    assert_non_null(strstr(page.text, "<i class=\"w\" style=\"color:#ff2010\">日</i>"));
    assert_non_null(strstr(page.text, "style=\"--f:#ff2010;background-color:#1020ff\">▀</i>"));
    assert_non_null(strstr(page.text, ">e\xcc\x81</i>"));
    assert_non_null(strstr(page.text, "class=\"u\" style=\"color:#ff2010;background"));
    assert_non_null(strstr(page.text, "style=\"color:#1020ff;background-color:#ff2010\">rev"));
    assert_null(strstr(page.text, "http"));
    str_release(&page);
    str_release(&text);
    str_release(&want);
    canvas_free(c);
}

static void test_svg(void **state)
{
    (void) state;
    struct canvas *c = sample();
    struct str page = STR_INIT, text = STR_INIT;

    canvas_svg(c, "a <title> & more", &page);
    const char *flaw = xml_check(page.text, "text", &text);
    if (flaw)
        fail_msg("%s in\n%s", flaw, page.text);
    assert_non_null(strstr(text.text, "plain <&> \"quoted\" it's"));
    assert_non_null(strstr(text.text, "日本語wide"));
    assert_non_null(strstr(page.text, "<title>a &lt;title&gt; &amp; more</title>"));
    assert_non_null(strstr(page.text, "role=\"img\" width=\"270\" height=\"180\""));
    /* The upper half of the first cell of line 3, and the lower of the second, in one path. */
    assert_non_null(strstr(page.text, "<path fill=\"#ff2010\" d=\"M0 54h9v9h-9z"));
    /* A run takes its cells; a wide character stands in the middle of its two. */
    assert_non_null(strstr(page.text, "<text x=\"63\" y=\"32\" textLength=\"36\" "
                                      "fill=\"#ff2010\">wide</text>"));
    assert_non_null(strstr(page.text, "<text x=\"27\" y=\"32\" text-anchor=\"middle\" "
                                      "fill=\"#ff2010\">本</text>"));
    assert_non_null(strstr(page.text, "font-weight=\"bold\">bold</text>"));
    str_release(&page);
    str_release(&text);
    canvas_free(c);
}

/* --- PNG --- */

struct image {
    int w, h;
    uint8_t *rgb;
};

static struct image decode(const struct str *bytes)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    struct image image;

    assert_true(png_image_begin_read_from_memory(&png, bytes->text, bytes->len));
    png.format = PNG_FORMAT_RGB;
    image.w = (int) png.width;
    image.h = (int) png.height;
    image.rgb = xmalloc(PNG_IMAGE_SIZE(png));
    assert_true(png_image_finish_read(&png, NULL, image.rgb, 0, NULL));
    return image;
}

static struct image draw(const struct canvas *c, int factor, int *missing)
{
    struct str bytes = STR_INIT;
    struct err err = ERR_INIT;

    if (!canvas_png(c, factor, &bytes, missing, &err))
        fail_msg("%s", err.text);
    struct image image = decode(&bytes);
    assert_int_equal(image.w, c->w * PICTURE_W * factor);
    assert_int_equal(image.h, c->h * PICTURE_H * factor);
    str_release(&bytes);
    return image;
}

static uint32_t pixel(const struct image *i, int x, int y)
{
    const uint8_t *p = i->rgb + 3 * (y * i->w + x);
    return (uint32_t) (p[0] << 16 | p[1] << 8 | p[2]);
}

/* How many pixels of a cell are not of this colour. */
static int inked(const struct image *image, int x, int y, int factor, uint32_t ground)
{
    int n = 0, w = PICTURE_W * factor, h = PICTURE_H * factor;

    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            n += pixel(image, x * w + i, y * h + j) != ground;
    return n;
}

static bool no_fonts(void)
{
    struct err err = ERR_INIT;
    struct font *f = font_open(PICTURE_W, PICTURE_H, &err);

    if (f)
        font_close(f);
    return f == NULL;
}

static void test_png(void **state)
{
    (void) state;
    if (no_fonts())
        skip();
    for (int f = 1; f <= 3; f++) {
        struct canvas *c = sample();
        int missing, w = PICTURE_W * f, h = PICTURE_H * f;
        struct image i = draw(c, f, &missing);

        /* Half blocks: sharp to the pixel. */
        assert_int_equal(pixel(&i, 0, 3 * h), RED);
        assert_int_equal(pixel(&i, w - 1, 3 * h + h / 2 - 1), RED);
        assert_int_equal(pixel(&i, 0, 3 * h + h / 2), BLUE);
        assert_int_equal(pixel(&i, w - 1, 4 * h - 1), BLUE);
        assert_int_equal(pixel(&i, w, 3 * h), BLUE);
        assert_int_equal(pixel(&i, 2 * w - 1, 4 * h - 1), RED);
        /* The ground, and letters on it. */
        assert_int_equal(pixel(&i, i.w - 1, 0), PICTURE_BG);
        assert_int_equal(inked(&i, 29, 0, f, PICTURE_BG), 0);
        assert_true(inked(&i, 0, 0, f, PICTURE_BG) > 10 * f);
        assert_int_equal(pixel(&i, 0, 4 * h), BLUE);
        assert_int_equal(pixel(&i, 9 * w, 4 * h), RED); /* reversed */
        assert_true(inked(&i, 9, 4, f, RED) > 10 * f);
        /* Underlined, also under the blank. */
        assert_int_equal(pixel(&i, 22 * w, 5 * h - 2 * f), RED);
        assert_int_equal(inked(&i, 22, 4, f, BLUE), w * f);
        /* A frame without gaps. */
        for (int x = 9 * w; x < 29 * w; x++)
            assert_int_equal(pixel(&i, x, 8 * h + (h - f) / 2), 0x87afff);
        free(i.rgb);
        canvas_free(c);
    }
}

/* Bold is bolder, dim is between letters and ground, a mark adds ink, a shade is a mix. */
static void test_png_looks(void **state)
{
    (void) state;
    if (no_fonts())
        skip();
    struct canvas *c = canvas_new(8, 1, &rich, NULL);
    struct look look = {0xffffff, 0x000000, 0};
    int missing, sum[8] = {0};

    put(c, 0, 0, look, "Hee\xcc\x81\xe2\x96\x92");
    put(c, 4, 0, (struct look){0xffffff, 0x000000, ATTR_BOLD}, "H");
    put(c, 5, 0, (struct look){0xffffff, 0x000000, ATTR_DIM}, "H");
    put(c, 6, 0, look, "\xf4\x80\x80\x80"); /* for private use: in hardly any font */
    struct image i = draw(c, 2, &missing);
    for (int x = 0; x < 8 * 18; x++)
        for (int y = 0; y < 36; y++)
            sum[x / 18] += (int) (pixel(&i, x, y) & 0xff);
    assert_true(sum[4] > sum[0] * 11 / 10);
    assert_true(sum[5] < sum[0] * 6 / 10 && sum[5] > sum[0] * 4 / 10);
    assert_true(sum[2] > sum[1]);
    assert_int_equal(sum[3], 18 * 36 * 128);
    assert_true(sum[6] > 0 && missing <= 1);
    assert_int_equal(sum[7], 18 * 36 * (PICTURE_BG & 0xff));
    free(i.rgb);
    canvas_free(c);
}

static void test_png_bounds(void **state)
{
    (void) state;
    struct str bytes = STR_INIT;
    struct err err = ERR_INIT;
    int missing;
    if (no_fonts())
        skip();
    struct canvas *c = canvas_new(1, 1, &rich, NULL);
    struct image i = draw(c, PICTURE_FACTORS, &missing);
    assert_int_equal(inked(&i, 0, 0, PICTURE_FACTORS, PICTURE_BG), 0);
    free(i.rgb);
    canvas_free(c);
    c = canvas_new(1000, 1000, &rich, NULL);
    assert_false(canvas_png(c, 1, &bytes, &missing, &err));
    assert_string_equal(err.text, "a picture of 9000 x 18000 pixels is too large; choose "
                                  "fewer cells");
    canvas_free(c);
}

/* A machine without fonts: every other format goes on. */
static void test_no_font(void **state)
{
    (void) state;
    struct fixture f;

    put_file("in.txt", "<fontconfig></fontconfig>\n");
    char *path = realpath("in.txt", NULL);
    assert_non_null(path);
    setenv("FONTCONFIG_FILE", path, 1);
    open_fixture(&f, TEXT, false);
    assert_false(command_run(&f.env, "screenshot gptscope.png", &f.err));
    assert_string_equal(f.err.text,
                        "there is no font for the text of the picture; install "
                        "fonts-dejavu-core (Debian, Ubuntu), dejavu-sans-mono-fonts (Fedora) "
                        "or ttf-dejavu (Arch), or write .svg or .html");
    assert_true(command_run(&f.env, "screenshot gptscope.svg", &f.err));
    close_fixture(&f);
    unsetenv("FONTCONFIG_FILE");
    free(path);
}

/* --- the command --- */

static void check_file(const char *path, const char *suffix)
{
    struct str bytes = STR_INIT, text = STR_INIT;
    struct err err = ERR_INIT;

    if (!file_read(&bytes, path, 1 << 24, &err))
        fail_msg("%s", err.text);
    if (!strcmp(suffix, "html"))
        assert_null(xml_check(bytes.text, "pre", &text));
    if (!strcmp(suffix, "svg"))
        assert_null(xml_check(bytes.text, "text", &text));
    if (!strcmp(suffix, "png"))
        free(decode(&bytes).rgb);
    if (!strcmp(suffix, "ansi"))
        assert_non_null(strstr(bytes.text, "\033["));
    if (!strcmp(suffix, "txt"))
        assert_null(strchr(bytes.text, '\033'));
    str_release(&bytes);
    str_release(&text);
}

static void test_command(void **state)
{
    (void) state;
    static const char *const sizes[] = {"", " 80x24", " 200x50", " 39x9", " 1x1"};
    struct fixture f;

    open_fixture(&f, TEXT, false);
    f.env.color = false; /* pictures have colours all the same */
    assert_true(command_run(&f.env, "run", &f.err));
    for (const struct picture_format *p = picture_formats; p->suffix; p++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char line[96], said[96];
            if (p->pixels && no_fonts())
                continue;
            str_clear(&f.out);
            snprintf(line, sizeof line, "screenshot gptscope.%s%s", p->suffix, sizes[i]);
            if (!command_run(&f.env, line, &f.err))
                fail_msg("%s: %s", line, f.err.text);
            snprintf(said, sizeof said, "wrote gptscope.%s (%s)\n", p->suffix,
                     i ? sizes[i] + 1 : "120x40");
            assert_int_equal(strncmp(f.out.text, said, strlen(said)), 0);
            snprintf(line, sizeof line, "gptscope.%s", p->suffix);
            if (i < 3)
                check_file(line, p->suffix);
        }
    const struct command *c = command_find("screenshot", &f.err);
    for (const struct picture_format *p = picture_formats; p->suffix; p++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, " .%s", p->suffix);
        assert_non_null(strstr(c->help, suffix));
    }
    close_fixture(&f);
}

// clang-format off
static const struct {
    const char *line, *message;
} wrong[] = {
    {"screenshot", "screenshot: FILE is missing; usage: screenshot FILE [SIZE] [FACTOR]"},
    {"screenshot a.bmp", "'a.bmp' does not end like a picture: .txt, .ansi, .html, .svg or .png"},
    {"screenshot a", "'a' does not end like a picture: .txt, .ansi, .html, .svg or .png"},
    {"screenshot svg", "'svg' does not end like a picture: .txt, .ansi, .html, .svg or .png"},
    {"screenshot a.d/b", "'a.d/b' does not end like a picture: .txt, .ansi, .html, .svg or .png"},
    {"screenshot a.svg 80", "a size is like 200x50, not '80'"},
    {"screenshot a.svg 80x24x2", "a size is like 200x50, not '80x24x2'"},
    {"screenshot a.svg 0x24", "a size goes from 1x1 to 1000x1000, not 0x24"},
    {"screenshot a.svg 80x1001", "a size goes from 1x1 to 1000x1000, not 80x1001"},
    {"screenshot a.svg 80x24 2", "only .png has a factor; .svg needs none"},
    {"screenshot a.png 80x24 9", "the factor goes from 1 to 8, not 9"},
    {"screenshot no/a.svg", "cannot write 'no/a.svg': no such file or folder; check the path"},
    {"screenshot shut/a.svg",
     "cannot write 'shut/a.svg': permission denied; check who owns it and its mode (ls -l)"},
};
// clang-format on

static void test_wrong(void **state)
{
    (void) state;
    struct fixture f;

    assert_int_equal(mkdir("shut", 0500), 0);
    open_fixture(&f, TEXT, false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (strstr(wrong[i].line, "shut") && access("shut", W_OK) == 0)
            continue; /* root may write anywhere */
        assert_false(command_run(&f.env, wrong[i].line, &f.err));
        assert_string_equal(f.err.text, wrong[i].message);
    }
    close_fixture(&f);
    rmdir("shut");
}

/* The old file stays until the new one is whole: its name then is another file, and a picture
 * that cannot be made leaves it alone. */
static void test_replaced(void **state)
{
    (void) state;
    struct fixture f;
    struct stat before, after;
    struct str text = STR_INIT;

    open_fixture(&f, TEXT, false);
    put_file("in.txt", "old\n");
    FILE *old = fopen("in.txt", "r");
    assert_int_equal(stat("in.txt", &before), 0);
    assert_false(command_run(&f.env, "screenshot in.txt 0x0", &f.err));
    assert_int_equal(stat("in.txt", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(command_run(&f.env, "screenshot in.txt 40x10", &f.err));
    assert_int_equal(stat("in.txt", &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    char line[8] = "";
    assert_non_null(fgets(line, sizeof line, old));
    assert_string_equal(line, "old\n");
    fclose(old);
    assert_true(file_read(&text, "in.txt", 1 << 20, &f.err));
    assert_non_null(strstr(text.text, "gptscope"));
    str_release(&text);
    close_fixture(&f);
}

/* --ascii is kept; the colours of the terminal are of no matter. */
static void test_ascii(void **state)
{
    (void) state;
    struct fixture f;
    struct str text = STR_INIT;

    open_fixture(&f, TEXT, true);
    assert_true(command_run(&f.env, "run; set ascii on; screenshot in.txt 80x24", &f.err));
    assert_true(file_read(&text, "in.txt", 1 << 20, &f.err));
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char) text.text[i] < 0x80);
    str_release(&text);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),       cmocka_unit_test(test_svg),
        cmocka_unit_test(test_png),        cmocka_unit_test(test_png_looks),
        cmocka_unit_test(test_png_bounds), cmocka_unit_test(test_no_font),
        cmocka_unit_test(test_command),    cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_replaced),   cmocka_unit_test(test_ascii),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
