/* The ordering game: every order that can be executed is right and no other, for both families;
 * its words, in both languages; the same game for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command/result.h"
#include "command_fixture.h"
#include "session/game_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAMES = 200 };

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

static void say(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    if (!command_run(&f->env, line, &f->err))
        fail_msg("'%s': %s", line, f->err.text);
    assert_safe(f->out.text);
}

static struct game *open_game(struct fixture *f, const char *model, bool screen)
{
    open_fixture(f, TEXT, screen);
    assert_true(session_load(f->session, model, &f->err));
    say(f, "game");
    return f->session->game;
}

/* --- the cards are the model's operations --- */

static int count_label(const struct program *p, int begin, int end, const char *label)
{
    int n = 0;

    for (int i = begin; i < end; i++)
        n += !strcmp(p->op[i].label, label);
    return n;
}

static void test_cards(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        const struct game *g = open_game(&f, models[m], false);
        const struct program *p = f.session->program;
        int begin = p->block_begin[p->hp.n_layer - 1], after = p->block_begin[p->hp.n_layer];
        assert_int_equal(g->n, p->block_begin[0] + after - begin + p->n_steps - after);
        for (int i = 0; i < g->n; i++) {
            const char *label = g->program->op[g->card[i].op].label;
            int cards = count_label(g->program, 0, g->program->n_steps, label);
            assert_int_equal(cards, count_label(p, 0, p->block_begin[0], label) +
                                        count_label(p, begin, p->n_steps, label));
            if (!label[1]) /* q, k, v */
                assert_int_equal(g->card[i].letter, label[0]);
            if (i > 0)
                assert_int_equal(g->card[i].letter, g->card[i - 1].letter + 1);
        }
        close_fixture(&f);
    }
}

/* --- orders --- */

/* Whether all that the op reads is made by ops before it, by the names of the values. */
static bool can_run(const struct game *g, int op)
{
    const struct op *o = &g->program->op[op];

    for (int i = 0; i < o->n_in; i++) {
        const char *reads = g->program->value[o->in[i]].name;
        bool made = !strcmp(reads, "tokens");
        for (int k = 0; k < g->n_placed && !made; k++) {
            const struct op *before = &g->program->op[g->column[k]];
            for (int v = 0; v < before->n_out; v++)
                made = made || !strcmp(g->program->value[before->out[v]].name, reads);
        }
        if (!made)
            return false;
    }
    return true;
}

/* Some open card with this label can be run. */
static bool expect_right(const struct game *g, const char *label)
{
    for (int i = 0; i < g->n; i++)
        if (!g->card[i].placed && !strcmp(g->program->op[g->card[i].op].label, label) &&
            can_run(g, g->card[i].op))
            return true;
    return false;
}

/* Any letters at all until everything is placed. */
static int play_at_random(struct session *s, struct rng *rng)
{
    struct game *g = s->game;
    struct err err = ERR_INIT;
    int picks = 0;

    while (!game_is_over(g)) {
        struct game_card *card = &g->card[rng_u64(rng) % (uint64_t) g->n];
        char letter[2] = {card->letter, '\0'}, label[24];
        int wrong = g->wrong, placed = g->n_placed;
        if (card->placed) {
            assert_false(game_pick(g, letter, &err));
            assert_non_null(strstr(err.text, " is placed already"));
            continue;
        }
        snprintf(label, sizeof label, "%s", g->program->op[card->op].label);
        bool right = expect_right(g, label);
        assert_true(game_pick(g, letter, &err));
        assert_int_equal(g->verdict, right ? GAME_RIGHT : GAME_WRONG);
        assert_int_equal(g->n_placed, placed + right);
        assert_int_equal(g->wrong, wrong + !right);
        assert_int_equal(card->placed, right);
        picks++;
    }
    assert_int_equal(picks, g->n + g->wrong);
    return picks;
}

static bool is_before(const struct game *g, const char *a, const char *b)
{
    int at_a = -1, at_b = -1;

    for (int i = 0; i < g->n; i++) {
        const char *label = g->program->op[g->column[i]].label;
        at_a = !strcmp(label, a) ? i : at_a;
        at_b = !strcmp(label, b) ? i : at_b;
    }
    return at_a < at_b;
}

static void test_random(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        struct game *g = open_game(&f, models[m], false);
        struct rng rng;
        int picks = 0, q_first = 0;
        rng_seed(&rng, 7);
        for (int i = 0; i < GAMES; i++) {
            assert_true(game_begin(f.session, &f.err));
            picks += play_at_random(f.session, &rng);
            q_first += is_before(g, "q", "v");
            assert_true(is_before(g, "scores", "mask") && is_before(g, "mask", "mix"));
        }
        printf("%s: %d games, %d picks, q before v in %d\n", models[m], GAMES, picks, q_first);
        assert_true(q_first > GAMES / 4 && q_first < GAMES * 3 / 4);
        close_fixture(&f);
    }
}

/* The order in which the program itself runs is right throughout. */
static void test_program_order(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        struct game *g = open_game(&f, models[m], false);
        assert_false(game_is_done(f.session));
        for (int i = 0; i < g->n; i++) {
            const char *label = g->program->op[i].label;
            if (!game_pick(g, label, &f.err))
                fail_msg("%s", f.err.text);
            assert_int_equal(g->verdict, GAME_RIGHT);
            assert_int_equal(g->column[i], i);
        }
        assert_int_equal(g->wrong, 0);
        assert_true(game_is_over(g) && game_is_done(f.session) && g->changed);
        close_fixture(&f);
    }
}

/* --- words --- */

static void test_words(void **state)
{
    (void) state;
    struct fixture f;
    struct game *g = open_game(&f, "tiny-gpt2", false);
    struct str text = STR_INIT;

    say(&f, "game softmax");
    assert_non_null(strstr(f.out.text, "Not yet: softmax reads attn.scores, which mask makes: "
                                       "mask comes before."));
    say(&f, "game scores");
    assert_non_null(strstr(f.out.text, "Not yet: scores reads attn.q and attn.k, which q and k "
                                       "make: they come before."));
    say(&f, "game hint");
    assert_non_null(strstr(f.out.text, "embed may come next: all that it reads is there."));
    say(&f, "game embed");
    assert_non_null(strstr(f.out.text, "Right. embed = embed(tokens): x = W_E[token]\n"
                                       "1 of 22: embed\n"));
    say(&f, "set lang zh; game mix");
    game_say(g, LANG_ZH, &text);
    assert_string_equal(text.text, "还不行：mix 要读 attn.pattern 和 attn.v，它们由 softmax 和 "
                                   "v 算出：先放 softmax 和 v。");
    assert_int_equal(g->wrong, 3);
    assert_int_equal(g->hints, 1);
    str_release(&text);
    close_fixture(&f);
}

static void test_end(void **state)
{
    (void) state;
    struct fixture f;
    struct game *g = open_game(&f, "tiny-llama", false);

    say(&f, "game mask");
    for (int i = 0; i < g->n; i++) {
        char line[48];
        snprintf(line, sizeof line, "game \"%s\"", g->program->op[i].label);
        say(&f, line);
    }
    assert_non_null(strstr(f.out.text, "All 24 are in order. Wrong picks: 1, hints: 0."));
    assert_non_null(strstr(f.out.text,
                           "From ln1 to the last add it is one block. tiny-llama has "
                           "4 of them"));
    say(&f, "set lang zh; game");
    assert_non_null(strstr(f.out.text, "24 个运算全部排好。选错 1 次，提示 0 次。"));
    assert_false(command_run(&f.env, "game a", &f.err));
    assert_string_equal(f.err.text, "all cards are placed; 'game new' shuffles them again");
    assert_false(command_run(&f.env, "game hint", &f.err));
    say(&f, "game new");
    assert_int_equal(g->n_placed, 0);
    assert_true(game_is_done(f.session));
    close_fixture(&f);
}

static void test_mistakes(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    assert_false(command_run(&f.env, "game a", &f.err));
    assert_string_equal(f.err.text, "no game is on; 'game' begins one");
    assert_false(command_run(&f.env, "game hint", &f.err));
    assert_false(command_run(&f.env, "game end", &f.err));
    say(&f, "game");
    assert_false(command_run(&f.env, "game z", &f.err));
    assert_string_equal(f.err.text, "there is no card 'z'; the letters are a to v");
    assert_false(command_run(&f.env, "game sofmax", &f.err));
    assert_string_equal(f.err.text, "there is no card 'sofmax'; did you mean 'softmax'?");
    assert_false(command_run(&f.env, "game xyzzy12", &f.err));
    assert_string_equal(f.err.text, "there is no card 'xyzzy12'; 'game' shows them");
    assert_false(command_run(&f.env, "game \"\"", &f.err));
    assert_string_equal(f.err.text, "there is no card ''; the letters are a to v");
    say(&f, "game embed");
    assert_false(command_run(&f.env, "game embed", &f.err));
    assert_string_equal(f.err.text, "embed is placed already");
    close_fixture(&f);
}

/* --- seeds, other models, the screen --- */

static void test_seed(void **state)
{
    (void) state;
    struct fixture f;
    struct str first = STR_INIT;

    open_fixture(&f, TEXT, false);
    say(&f, "set seed 5; game new");
    str_adds(&first, f.out.text);
    say(&f, "game new");
    assert_string_not_equal(f.out.text, first.text + strlen("seed 5\n"));
    say(&f, "set seed 5; game new");
    assert_string_equal(f.out.text, first.text);
    str_release(&first);
    close_fixture(&f);
}

/* Another model does not change the game that is on. */
static void test_load(void **state)
{
    (void) state;
    struct fixture f;
    struct game *g = open_game(&f, "tiny-gpt2", false);

    say(&f, "load tiny-llama; game embed");
    assert_int_equal(g->n, 22);
    assert_string_equal(g->program->hp.name, "tiny-gpt2");
    say(&f, "game new");
    assert_int_equal(g->n, 24);
    close_fixture(&f);
}

static void test_screen(void **state)
{
    (void) state;
    struct fixture f;

    open_game(&f, "tiny-gpt2", true);
    assert_int_equal(f.screen.panel[SLOT_MAIN], view_find("game"));
    assert_int_equal(f.screen.focus, SLOT_MAIN);
    assert_int_equal(f.screen.side, SLOT_LEFT);
    assert_string_equal(f.out.text, "");
    say(&f, "view heads; view attention; game q");
    say(&f, "game");
    assert_int_equal(f.screen.panel[SLOT_MAIN], view_find("game"));
    assert_int_equal(f.screen.side, SLOT_LEFT);
    say(&f, "game end");
    assert_int_equal(f.screen.panel[SLOT_MAIN], view_find("attention"));
    assert_false(game_is_on(f.session->game));
    close_fixture(&f);
}

/* A click on a card is its letter. */
static void test_click(void **state)
{
    (void) state;
    struct fixture f;
    struct game *g = open_game(&f, "tiny-gpt2", true);
    const struct view *v = &view_table[view_find("game")];
    static const struct caps plain;
    struct canvas *c = canvas_new(54, 17, &plain, NULL);

    v->draw(f.session, &f.screen, c, canvas_all(c));
    for (int i = 0; i < g->n; i++) {
        struct hit h = {{0}, {0}, false, NULL};
        char want[16];
        v->hit(f.session, &f.screen, c, canvas_all(c), i / 11 * 24 + 3, 1 + i % 11, &h);
        snprintf(want, sizeof want, "game %c", g->card[i].letter);
        assert_string_equal(h.line, want);
        assert_int_equal(canvas_at(c, i / 11 * 24, 1 + i % 11)->cp, g->card[i].letter);
    }
    canvas_free(c);
    close_fixture(&f);
}

static void test_data(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    f.env.json = true;
    say(&f, "set seed 3; game; game softmax; game embed");
    const char *last = strrchr(f.out.text, '{');
    assert_non_null(last);
    json_t *o = NULL;
    for (char *p = f.out.text, *end; (end = strchr(p, '\n')); p = end + 1) {
        json_decref(o);
        o = json_loadb(p, (size_t) (end - p), 0, NULL);
        assert_non_null(o);
        const json_t *verdict = json_object_get(json_object_get(o, "result"), "verdict");
        if (strstr(p, "softmax") < end && !strncmp(p, "{\"command\": \"game softmax\"", 26)) {
            assert_string_equal(json_string_value(json_object_get(verdict, "kind")), "wrong");
            json_t *missing = json_object_get(verdict, "missing");
            assert_int_equal(json_array_size(missing), 1);
            assert_string_equal(json_string_value(json_array_get(missing, 0)), "attn.scores");
        }
    }
    const json_t *result = json_object_get(o, "result");
    assert_int_equal(json_array_size(json_object_get(result, "cards")), 21);
    assert_int_equal(json_array_size(json_object_get(result, "placed")), 1);
    assert_int_equal(json_integer_value(json_object_get(result, "wrong")), 1);
    assert_int_equal(json_integer_value(json_object_get(result, "n_ops")), 22);
    assert_true(json_is_false(json_object_get(result, "over")));
    json_decref(o);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),  cmocka_unit_test(test_random),
        cmocka_unit_test(test_words),  cmocka_unit_test(test_program_order),
        cmocka_unit_test(test_end),    cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_seed),   cmocka_unit_test(test_load),
        cmocka_unit_test(test_screen), cmocka_unit_test(test_click),
        cmocka_unit_test(test_data),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
