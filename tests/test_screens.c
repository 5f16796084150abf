/*
 * The screen as golden cells: every view, three sizes, both built-in models, at several points
 * of a pass. Run with GOLDEN_UPDATE=1 to write them anew, then look at the difference.
 */
#include "base/file.h"
#include "base/mem.h"
#include "command/keys.h"
#include "same_screen.h"
#include "session/game.h"
#include "session/mark.h"
#include "view/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char prompt[] = "Tom gave the red ball to Anna. Anna";

struct rig {
    struct compute *compute;
    struct session *s;
    struct screen st;
};

static struct rig *rig_new(const char *model)
{
    struct rig *g = xcalloc(1, sizeof *g);
    struct err err = ERR_INIT;
    struct settings set;

    settings_init(&set);
    g->compute = compute_new(1);
    compute_avoid_blas(g->compute); /* the same last bits wherever this runs */
    g->s = session_new(model, g->compute, &set, &err);
    if (!g->s || !session_prompt(g->s, prompt, strlen(prompt), &err))
        fail_msg("%s", err.text);
    screen_init(&g->st);
    g->st.hints = key_hints();
    return g;
}

static void rig_free(struct rig *g)
{
    screen_release(&g->st);
    session_free(g->s);
    compute_free(g->compute);
    free(g);
}

static void run_all(struct rig *g)
{
    struct err err = ERR_INIT;

    if (!session_run(g->s, 0, NULL, &err))
        fail_msg("%s", err.text);
}

static void golden_canvas(struct rig *g, struct canvas *c, const char *name, int w, int h)
{
    const char *dir = getenv("TESTS_DIR");
    struct str got = STR_INIT, want = STR_INIT;
    struct err err = ERR_INIT;
    char path[512];

    snprintf(path, sizeof path, "%s/golden-screens/%s.%s.%dx%d.txt", dir ? dir : "tests",
             g->s->program->hp.name, name, w, h);
    canvas_golden(c, &got);
    canvas_free(c);
    if (getenv("GOLDEN_UPDATE")) {
        struct outfile *f = outfile_open(path, &err);
        if (!f)
            fail_msg("%s", err.text);
        outfile_write(f, got.text, got.len);
        assert_true(outfile_commit(f, &err));
    }
    if (!file_read(&want, path, 1 << 20, &err))
        fail_msg("%s", err.text);
    if (!same_screen(want.text, got.text))
        fail_msg("%s differs; now:\n%s", path, got.text);
    str_release(&got);
    str_release(&want);
}

/* The whole screen. */
static void golden(struct rig *g, const char *name, int w, int h, struct caps caps)
{
    struct canvas *c = canvas_new(w, h, &caps, theme_find("viridis"));

    screen_draw(g->s, &g->st, c);
    golden_canvas(g, c, name, w, h);
}

/* One view alone, as large as its panel is on a screen of w x h. */
static void golden_view(struct rig *g, int view, int w, int h, struct caps caps)
{
    enum slot slot[SLOT_COUNT];
    struct rect rect[SLOT_COUNT], r = {0, 0, w, h};

    screen_open(&g->st, view, w, h);
    for (int i = screen_layout(g->s, &g->st, w, h, slot, rect) - 1; i >= 0; i--)
        if (slot[i] == view_table[view].home)
            r = rect[i];
    struct canvas *c = canvas_new(r.w - 2, r.h - 2, &caps, theme_find("viridis"));
    view_table[view].draw(g->s, &g->st, c, canvas_all(c));
    golden_canvas(g, c, view_table[view].name, w, h);
}

static const struct caps rich = {.colors = 256};
static const int sizes[][2] = {{80, 24}, {120, 40}, {200, 50}};
static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

static void test_views(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct rig *g = rig_new(models[m]);
        run_all(g);
        g->s->at.layer = 2;
        g->s->at.head = 1;
        g->s->at.key = 3;
        session_say(g->s, "a message");
        g->s->log.len = strlen("a message\n"), g->s->log.text[g->s->log.len] = 0;
        for (int i = 0; i < 3; i++) {
            struct screen st = g->st;
            golden(g, "screen", sizes[i][0], sizes[i][1], rich);
            for (int v = 0; view_table[v].name; v++) {
                golden_view(g, v, sizes[i][0], sizes[i][1], rich);
                g->st = st;
            }
        }
        rig_free(g);
    }
}

/* Within a pass: before anything, in the middle of attention, after two blocks. */
static void test_points(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct rig *g = rig_new("tiny-gpt2");

    golden(g, "start", 120, 40, rich);
    for (int i = 0; i < 9; i++)
        assert_true(session_step(g->s, &err));
    g->s->at.stage = STAGE_SCALED;
    golden(g, "scaled", 120, 40, rich);
    assert_true(session_layer(g->s, &err) && session_layer(g->s, &err));
    g->s->at.stage = STAGE_MIX;
    g->s->at.layer = 1;
    golden(g, "mix", 120, 40, rich);
    run_all(g);
    int id;
    assert_true(session_generate(g->s, &id, &err));
    assert_true(session_step(g->s, &err) && session_layer(g->s, &err));
    g->s->at.stage = STAGE_PATTERN;
    golden(g, "decode", 120, 40, rich);
    rig_free(g);
}

/* Breakpoints of every kind of mark, come to, in the map and the program. */
static void test_breaks(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct rig *g = rig_new("tiny-llama");

    breaks_add(g->s, &(struct breakpoint){.kind = BREAK_LABEL, .label = "softmax"});
    breaks_add(g->s, &(struct breakpoint){.kind = BREAK_OP, .op = 26});
    breaks_add(g->s, &(struct breakpoint){
                         .kind = BREAK_ENTROPY, .layer = 1, .head = -1, .limit = 0.01});
    assert_true(session_run(g->s, 0, NULL, &err) && session_run(g->s, 0, NULL, &err));
    session_follow(g->s, true);
    screen_open(&g->st, view_find("program"), 120, 40);
    golden(g, "breaks", 120, 40, rich);
    golden(g, "breaks-ascii", 80, 24, (struct caps){.ascii = true});
    g->st.op = 30;
    g->st.maximised = true;
    golden(g, "breaks-wide", 120, 40, rich);
    screen_open(&g->st, view_find("map"), 80, 24);
    g->st.maximised = false;
    golden(g, "breaks-map", 80, 24, rich);
    rig_free(g);
}

/* The stages of sampling, what was drawn, and candidates after an earlier token. */
static void test_sampling(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct rig *g = rig_new("tiny-gpt2");
    int id;

    run_all(g);
    g->s->set.sampler = (struct sampler){0.7, 8, 0.9, 0.1};
    g->st.candidate = 2;
    for (int i = 0; i < 3; i++) {
        screen_open(&g->st, view_find("logits"), sizes[i][0], sizes[i][1]);
        g->st.maximised = i == 1;
        golden(g, "sampling", sizes[i][0], sizes[i][1], rich);
    }
    g->st.maximised = false;
    g->s->set.sampler = (struct sampler){1, 0, 1, 0};
    assert_true(session_generate(g->s, &id, &err));
    run_all(g);
    g->s->set.logits_at = LOGITS_CURSOR;
    g->s->at.query = g->s->ids.n - 2;
    golden(g, "drawn", 120, 40, rich);
    g->s->at.query = 3;
    g->st.maximised = true;
    golden(g, "earlier", 80, 24, (struct caps){.ascii = true});
    rig_free(g);
}

static void test_terminals(void **state)
{
    (void) state;
    struct rig *g = rig_new("tiny-llama");

    run_all(g);
    golden(g, "ascii-mono", 80, 24, (struct caps){.ascii = true});
    golden(g, "eight", 80, 24, (struct caps){.colors = 8});
    golden(g, "sixteen", 120, 40, (struct caps){.colors = 16});
    golden(g, "direct", 120, 40, (struct caps){.colors = 1 << 24});
    g->st.help = true;
    golden(g, "help-key", 80, 24, rich);
    rig_free(g);
}

static void pick(struct rig *g, const char *cards)
{
    struct err err = ERR_INIT;
    char card[16];

    for (; *cards; cards += strcspn(cards, " "), cards += *cards == ' ') {
        snprintf(card, sizeof card, "%.*s", (int) strcspn(cards, " "), cards);
        if (!game_pick(g->s->game, card, &err))
            fail_msg("%s", err.text);
    }
}

/* The ordering game: before the first pick, after a wrong one, and its end. */
static void test_ordering(void **state)
{
    (void) state;
    static const char first[] = "embed pos_embed add ln1 v k q scores",
                      rest[] =
                          "scale mask softmax mix out_proj add ln2 mlp_up gelu mlp_down add "
                          "ln_final lm_head probs";
    struct err err = ERR_INIT;
    struct rig *g = rig_new("tiny-gpt2");

    run_all(g);
    assert_true(game_begin(g->s, &err));
    screen_open(&g->st, view_find("map"), 80, 24);
    screen_open(&g->st, view_find("game"), 80, 24);
    golden(g, "ordering", 80, 24, rich);
    pick(g, first);
    pick(g, "softmax");
    golden(g, "ordering-wrong", 80, 24, rich);
    golden(g, "ordering-wrong", 200, 50, rich);
    golden(g, "ordering-wrong", 60, 20, rich);
    g->s->set.lang = LANG_ZH;
    golden(g, "ordering-zh", 80, 24, rich);
    golden(g, "ordering-zh", 120, 40, (struct caps){.ascii = true});
    g->s->set.lang = LANG_EN;
    pick(g, rest);
    assert_true(game_is_over(g->s->game));
    golden(g, "ordering-end", 80, 24, rich);
    golden(g, "ordering-end", 120, 40, (struct caps){.colors = 16});
    rig_free(g);
    g = rig_new("tiny-llama");
    assert_true(game_begin(g->s, &err));
    screen_open(&g->st, view_find("game"), 80, 24);
    pick(g, "embed ln1 q scores");
    golden(g, "ordering", 80, 24, rich);
    rig_free(g);
}

/* Half blocks and pooling. */
static void test_long(void **state)
{
    (void) state;
    struct err err = ERR_INIT;
    struct rig *g = rig_new("tiny-gpt2");
    struct str text = STR_INIT;

    for (int i = 0; i < 12; i++)
        str_addf(&text, "%s thanked Tom. ", prompt);
    if (!session_prompt(g->s, text.text, text.len, &err))
        fail_msg("%s", err.text);
    run_all(g);
    golden(g, "long", 200, 50, rich);
    golden(g, "long", 80, 24, rich);
    g->s->set.hide_sink = true;
    g->s->set.scale = SCALE_LOG;
    golden(g, "long-log", 120, 40, rich);
    str_release(&text);
    rig_free(g);
}

/* The run less a mark: with a head zeroed, and with another, shorter text. */
static void test_comparing(void **state)
{
    (void) state;
    static const char other[] = "Tom gave the red ball to Ben. ";
    static const struct region head = {{0, 2, 0}, {-1, 1, -1}};
    struct err err = ERR_INIT;

    for (int m = 0; m < 2; m++) {
        struct rig *g = rig_new(models[m]);
        int z = program_value(g->s->program, 1, "attn.z");
        run_all(g);
        assert_true(mark_take(g->s, NULL, &err));
        assert_true(session_ablate(g->s, PATCH_ZERO, z, &head, 0, &err));
        run_all(g);
        g->s->comparing = true;
        g->s->at.layer = 2;
        for (int i = 0; i < 3; i++) {
            struct screen st = g->st;
            golden(g, "comparing", sizes[i][0], sizes[i][1], rich);
            screen_open(&g->st, view_find("compare"), sizes[i][0], sizes[i][1]);
            g->st.maximised = true;
            golden(g, "compare-all", sizes[i][0], sizes[i][1], rich);
            g->st = st;
        }
        assert_true(session_prompt(g->s, other, strlen(other), &err));
        run_all(g);
        screen_open(&g->st, view_find("compare"), 80, 24);
        golden(g, "compare-texts", 80, 24, (struct caps){.ascii = true});
        golden(g, "compare-texts", 120, 40, (struct caps){.colors = 8});
        rig_free(g);
    }
}

/* Any size, any view, computed or not, without tokens or with: nothing is drawn outside. */
static void test_sizes(void **state)
{
    (void) state;
    for (int round = 0; round < 3; round++) {
        struct rig *g = rig_new(models[round % 2]);
        if (round == 1)
            run_all(g);
        if (round == 1)
            g->s->comparing = mark_take(g->s, NULL, &(struct err) ERR_INIT);
        if (round == 2)
            session_truncate(g->s, 0);
        for (int w = 1; w < 210; w += w < 12 ? 1 : 23)
            for (int h = 1; h < 60; h += h < 12 ? 1 : 11)
                for (int v = 0; view_table[v].name; v++) {
                    struct caps caps = {.ascii = w % 2, .colors = v % 2 ? 256 : 0};
                    struct canvas *c = canvas_new(w, h, &caps, NULL);
                    screen_open(&g->st, v, w, h);
                    g->st.maximised = h % 2;
                    screen_draw(g->s, &g->st, c);
                    assert_int_equal(c->w * c->h, w * h);
                    canvas_free(c);
                }
        rig_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),     cmocka_unit_test(test_points),
        cmocka_unit_test(test_breaks),    cmocka_unit_test(test_terminals),
        cmocka_unit_test(test_long),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_comparing), cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_ordering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
