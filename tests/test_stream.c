/* The residual stream and the tokens on the screen: what a click means, drawing within a time,
 * any size, numbers that are none, models of one layer; the merges of a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_fixture.h"
#include "model/synth.h"
#include "view/cache.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct caps rich = {.colors = 256}, mono = {.ascii = true};
static const char *const views[] = {"residual", "tokens"};
#define N_VIEWS 2

static void run_line(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
}

static const struct view *view_of(const char *name)
{
    return &view_table[view_find(name)];
}

/* The view alone on w x h, as plain text: yours. */
static struct str picture(struct fixture *f, const char *view, int w, int h,
                          const struct caps *caps)
{
    struct canvas *c = canvas_new(w, h, caps, NULL);
    struct str text = STR_INIT;

    view_of(view)->draw(f->session, &f->screen, c, canvas_all(c));
    canvas_plain(c, &text);
    canvas_free(c);
    return text;
}

static void assert_shows(struct fixture *f, const char *view, int w, int h, const char *want)
{
    struct str text = picture(f, view, w, h, &rich);

    if (!strstr(text.text, want))
        fail_msg("no '%s' in\n%s", want, text.text);
    str_release(&text);
}

/* --- clicks --- */

/* Every cell of the grid selects itself, and what the tip says of it is what stands below. */
static void test_residual_hits(void **state)
{
    (void) state;
    struct rect r = {3, 2, 70, 20};
    struct fixture f;
    int hits = 0;

    open_fixture(&f, TEXT, false);
    run_line(&f, "run; view residual");
    struct canvas *c = canvas_new(80, 24, &rich, NULL);
    for (int y = 0; y < 24; y++)
        for (int x = 0; x < 80; x++) {
            struct hit h = {.line = ""};
            char tip[64], name[24];
            run_line(&f, "query 5; point L1.mlp"); /* where the grid lies */
            residual_draw(f.session, &f.screen, c, r);
            residual_hit(f.session, &f.screen, c, r, x, y, &h);
            if (!*h.line)
                continue;
            assert_true(x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h);
            run_line(&f, h.line);
            hits += *h.tip != '\0';
            snprintf(tip, sizeof tip, "%s at %d ",
                     point_name(session_point(f.session), name, sizeof name),
                     f.session->at.query);
            if (*h.tip && strncmp(h.tip, tip, strlen(tip)) != 0)
                fail_msg("'%s' leads to '%s', but the tip is '%s'", h.line, tip, h.tip);
            residual_draw(f.session, &f.screen, c, r);
        }
    assert_true(hits >= 9 * 3 * 7);
    canvas_free(c);
    close_fixture(&f);
}

/* Each token of the strip and of the list is found under the pointer. */
static void test_token_hits(void **state)
{
    (void) state;
    struct rect list = {2, 3, 60, 6}, strip = {0, 1, 40, 2};
    struct fixture f;

    open_fixture(&f, TEXT, false);
    run_line(&f, "run; query 4");
    struct canvas *c = canvas_new(80, 24, &rich, NULL);
    tokens_draw(f.session, &f.screen, c, list);
    tokens_draw_strip(f.session, &f.screen, c, strip);
    unsigned in_list = 0, in_strip = 0;
    for (int y = 0; y < 24; y++)
        for (int x = 0; x < 80; x++) {
            struct hit h = {.line = ""};
            int i = -1;
            tokens_hit(f.session, &f.screen, c, list, x, y, &h);
            if (sscanf(h.line, "query %d", &i) == 1)
                in_list |= 1u << i;
            h = (struct hit){.line = ""};
            tokens_strip_hit(f.session, &f.screen, strip, x, y, &h);
            if (sscanf(h.line, "query %d", &i) == 1)
                in_strip |= 1u << i;
        }
    assert_int_equal(in_list, 0x3f << 1); /* six rows around the cursor */
    assert_true(in_strip & 1u << 4);
    assert_int_equal(in_strip & (in_strip + 1), 0); /* from the first on, without a gap */
    struct hit h = {.line = ""};
    tokens_hit(f.session, &f.screen, c, list, 5, 6, &h);
    assert_string_equal(h.line, "query 4");
    assert_non_null(strstr(h.tip, " nats, rank "));
    canvas_free(c);
    close_fixture(&f);
}

/* --- drawing within a time --- */

/* Piece by piece it becomes the picture that is made at once. */
static void test_budget(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    run_line(&f, "run; view residual");
    for (int v = 0; v < N_VIEWS; v++) {
        struct str want = picture(&f, views[v], 100, 20, &mono), got = STR_INIT;
        int rounds = 0;
        cache_free(f.screen.cache);
        f.screen.cache = cache_new();
        do {
            str_release(&got);
            cache_budget(f.screen.cache, 1e-5);
            got = picture(&f, views[v], 100, 20, &mono);
            rounds++;
        } while (cache_more(f.screen.cache) && rounds < 10000);
        cache_budget(f.screen.cache, 0);
        assert_string_equal(got.text, want.text);
        assert_true(rounds > 1);
        str_release(&got);
        str_release(&want);
    }
    close_fixture(&f);
}

/* --- whatever there is to show --- */

static void draw_everything(struct fixture *f)
{
    static const char *const modes[] = {"probability", "rank", "kl", "entropy"};

    for (int mode = 0; mode < 4; mode++)
        for (int w = 1; w < 140; w += w < 20 ? 3 : 17)
            for (int h = 1; h < 44; h += h < 12 ? 1 : 9)
                for (int v = 0; v < N_VIEWS; v++) {
                    char set[64];
                    snprintf(set, sizeof set, "set lens %s; set merges %s", modes[mode],
                             mode % 2 ? "on" : "off");
                    run_line(f, set);
                    struct str text = picture(f, views[v], w, h, v == mode % 2 ? &rich : &mono);
                    assert_safe(text.text);
                    str_release(&text);
                }
}

static void test_any_state(void **state)
{
    (void) state;
    struct fixture f;

    for (int m = 0; m < 2; m++) {
        open_fixture(&f, "", false);
        if (m == 1)
            run_line(&f, "load tiny-llama");
        draw_everything(&f);
        run_line(&f, "prompt Tom");
        draw_everything(&f);
        run_line(&f, "run; query last; key last");
        draw_everything(&f);
        run_line(&f, "prompt " TEXT "; step layer 2; point L1.attn");
        draw_everything(&f);
        run_line(&f, "run; point embed");
        draw_everything(&f);
        close_fixture(&f);
    }
}

/* Numbers that are none are said to be none. */
static void test_nan(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct region all = {{0, 0, 0}, {-1, -1, -1}};
    int value = program_find(f.session->program, "blocks.1.resid_mid");
    assert_true(session_ablate(f.session, PATCH_SET, value, &all, NAN, &f.err));
    run_line(&f, "run; point L1.attn");
    draw_everything(&f);
    run_line(&f, "set lens probability; set merges off");
    assert_shows(&f, "residual", 80, 20, "L1 attn nan");
    close_fixture(&f);
}

static void test_one_layer(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct hparams hp;
    struct settings set;
    struct fixture f;
    int32_t ids[] = {3, 1, 4, 1, 5};

    settings_init(&set);
    open_fixture(&f, TEXT, false);
    assert_true(
        shape_parse(&hp, "gpt2:n_layer=1,n_head=2,d_model=32,n_vocab=41,n_ctx=16", &err));
    struct session *own = f.env.session;
    struct session *s =
        session_of(model_synth(&hp, DTYPE_F32, 1, &err), own->compute, &set, &err);
    if (!s)
        fail_msg("%s", err.text);
    assert_true(session_prompt_ids(s, ids, 5, &err));
    f.session = f.env.session = s;
    run_line(&f, "run");
    draw_everything(&f);
    run_line(&f, "point last");
    assert_string_equal(f.out.text, "L0 mlp\n");
    f.session = f.env.session = own;
    session_free(s);
    close_fixture(&f);
}

/* --- the cursor's point --- */

static void test_points(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    run_line(&f, "run; view residual; point first");
    assert_int_equal(session_point(f.session), 0);
    run_line(&f, "move up");
    assert_int_equal(session_point(f.session), 0);
    for (int i = 1; i <= 8; i++) {
        run_line(&f, "move down");
        assert_int_equal(session_point(f.session), i);
        assert_int_equal(f.session->at.layer, (i - 1) / 2);
    }
    run_line(&f, "move down 5");
    assert_int_equal(session_point(f.session), 8);
    run_line(&f, "layer 1"); /* the layer alone: after its MLP as before */
    assert_int_equal(session_point(f.session), 4);
    run_line(&f, "point embed; layer +1");
    assert_int_equal(session_point(f.session), 3);
    run_line(&f, "query 3; move left 2");
    assert_int_equal(f.session->at.query, 1);
    close_fixture(&f);
}

/* --- merges --- */

static void test_merges(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, "Tom thanked Annabella.", false);
    run_line(&f, "set merges on; query 4; view tokens");
    assert_shows(&f, "tokens", 60, 9, "rank 15: l + l");
    assert_shows(&f, "tokens", 60, 9, "tokens  ·Anna 988  b 65  ell 388  a 64");
    run_line(&f, "move down 30"); /* to the last, and no further */
    assert_shows(&f, "tokens", 60, 4, "·Anna│b│ell│a");
    run_line(&f, "move up");
    assert_int_equal(f.screen.scroll[view_find("tokens")], 5);
    run_line(&f, "ids 75,75"); /* tokens that the text alone would not give */
    assert_shows(&f, "tokens", 80, 9,
                 "here  l 75  l 75  (the word alone would be cut otherwise)");
    char line[32];
    snprintf(line, sizeof line, "ids %d", tokenizer_eos(f.session->tokenizer));
    run_line(&f, line);
    assert_shows(&f, "tokens", 60, 9, "special token");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_residual_hits), cmocka_unit_test(test_token_hits),
        cmocka_unit_test(test_budget),        cmocka_unit_test(test_any_state),
        cmocka_unit_test(test_nan),           cmocka_unit_test(test_one_layer),
        cmocka_unit_test(test_points),        cmocka_unit_test(test_merges),
    };

    return cmocka_run_group_tests_name("stream", tests, fixture_setup, fixture_teardown);
}
