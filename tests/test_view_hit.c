/* What a click and the pointer mean on the maps of attention, held against what is drawn. */
#include "view/attention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view_fixture.h"

static const struct caps rich = {.ascii = false, .colors = 256};

static struct hit hit_at(struct fixture *f, const char *view, struct canvas *c, int x, int y)
{
    struct screen st;
    struct hit h = {.line = ""};
    screen_init(&st);
    const struct view *v = &view_table[view_find(view)];
    v->draw(f->s, &st, c, canvas_all(c));
    v->hit(f->s, &st, c, canvas_all(c), x, y, &h);
    screen_release(&st);
    return h;
}

/* A cell that has the cursor's look; half blocks have it in one of their colours. */
static bool looks_like_cursor(const struct canvas *c, int x, int y, bool half)
{
    struct look cursor = canvas_look(c, STYLE_CURSOR), point = canvas_look(c, STYLE_POINT);
    struct look look = canvas_at(c, x, y)->look;
    return half ? look.fg == point.fg || look.bg == point.fg : look.bg == cursor.bg;
}

/* A click on the cursor's cell selects it again, wherever it is drawn; the magnifier, which has
 * it too, selects nothing. Returns the cells that did. */
static int click_cursor(struct fixture *f, struct canvas *c, bool half)
{
    char want[32], tip[32];
    int found = 0;
    canvas_clear(c);
    hit_at(f, "attention", c, 0, 0);
    snprintf(want, sizeof want, "select %d,%d", f->s->at.query, f->s->at.key);
    snprintf(tip, sizeof tip, "[%d,%d] ", f->s->at.query, f->s->at.key);
    for (int y = 1; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            if (!looks_like_cursor(c, x, y, half))
                continue;
            struct hit hit = hit_at(f, "attention", c, x, y);
            if (!hit.line[0])
                continue;
            assert_string_equal(hit.line, want);
            assert_memory_equal(hit.tip, tip, strlen(tip));
            found++;
        }
    return found;
}

static void cursor_is_hit(struct fixture *f, int w, int h, bool half)
{
    struct canvas *c = canvas_new(w, h, &rich, NULL);
    int n = f->s->ids.n;
    for (f->s->at.query = n / 2; f->s->at.query < n; f->s->at.query += 3)
        for (f->s->at.key = 0; f->s->at.key <= n / 3; f->s->at.key += 2)
            assert_true(click_cursor(f, c, half) > 0);
    canvas_free(c);
}

static void attention_cells(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-llama", text);
    run(&f);
    f.s->at.stage = STAGE_PATTERN;
    cursor_is_hit(&f, 120, 40, false); /* numbers */
    cursor_is_hit(&f, 50, 20, false);  /* two columns */
    cursor_is_hit(&f, 40, 14, true);   /* half blocks */
    cursor_is_hit(&f, 40, 9, true);    /* pooled */
    f.s->set.zoom = ZOOM_PIXELS;
    cursor_is_hit(&f, 40, 9, true);
    f.s->set.zoom = ZOOM_NUMBERS;
    cursor_is_hit(&f, 60, 12, false);
    end(&f);
}

static void attention_tips(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-llama", "Tom gave the red ball to Anna. Anna");
    run(&f);
    f.s->at.layer = 2;
    f.s->at.head = 3;
    f.s->at.stage = STAGE_PATTERN;
    struct attn_want want = {.rows = 20, .cols = 20};
    const struct attn_grid *g = cache_attention(f.cache, f.s, &want, &f.err);
    char tip[160], expect[160];
    attention_tip(f.s, g, 9, 5, tip, sizeof tip);
    snprintf(expect, sizeof expect, "[9,5] ·Anna → ·ball %.4f",
             (double) read_one(&f, 2, STAGE_PATTERN, 3, 9, 5));
    assert_string_equal(tip, expect);
    attention_tip(f.s, g, 5, 9, tip, sizeof tip);
    assert_string_equal(tip, "[5,9] ·ball → ·Anna masked");
    f.s->set.hide_sink = true;
    attention_tip(f.s, g, 9, 0, tip, sizeof tip);
    assert_string_equal(tip, "[9,0] ·Anna → T hidden");
    float v, sink = read_one(&f, 2, STAGE_PATTERN, 3, 9, 0);
    assert_null(attention_value(f.s, g, 9, 5, &v));
    same(v, read_one(&f, 2, STAGE_PATTERN, 3, 9, 5) / (1 - sink));
    end(&f);
}

/* Labels of rows and columns select them; the inset, and what lies outside, nothing. */
static void attention_edges(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-gpt2", text);
    run(&f);
    f.s->at.stage = STAGE_PATTERN;
    struct canvas *c = canvas_new(120, 40, &rich, NULL);
    assert_string_equal(hit_at(&f, "attention", c, 2, 4).line, "query 3");
    assert_string_equal(hit_at(&f, "attention", c, 12 + 5 * 5, 0).line, "key 5");
    assert_string_equal(hit_at(&f, "attention", c, 110, 2).line, "");
    assert_string_equal(hit_at(&f, "attention", c, 500, 2).line, "");
    assert_string_equal(hit_at(&f, "attention", c, 20, 39).line, "");
    canvas_free(c);
    end(&f);
}

static void heads_cells(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, "tiny-gpt2", text);
    run(&f);
    struct canvas *c = canvas_new(60, 30, &rich, NULL);
    for (int metric = HEADS_THUMBS; metric <= HEADS_STRONGEST; metric++) {
        f.s->set.heads = (enum head_metric) metric;
        struct hit h = hit_at(&f, "heads", c, 3, 1);
        assert_string_equal(h.line, "select L0.H0");
        assert_memory_equal(h.tip, "L0.H0 ", 6);
        assert_non_null(strstr(h.tip, " prev ."));
        assert_string_equal(hit_at(&f, "heads", c, 0, 1).line, "");
        assert_string_equal(hit_at(&f, "heads", c, 3, 0).line, "");
        assert_string_equal(hit_at(&f, "heads", c, 3, 29).line, "");
    }
    canvas_free(c);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_cells),
        cmocka_unit_test(attention_tips),
        cmocka_unit_test(attention_edges),
        cmocka_unit_test(heads_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
