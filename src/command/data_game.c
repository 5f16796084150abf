/* The ordering game as data. */
#include "command/data.h"

#include "session/game_page.h"

static json_t *values(const struct game *g, const int *value, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list,
                              json_string(value_short_name(&g->program->value[value[i]])));
    return list;
}

static json_t *placed(const struct game *g, int op)
{
    const struct op *o = &g->program->op[op];

    return json_pack("{s:s, s:o, s:o}", "op", o->label, "makes", values(g, o->out, 1), "reads",
                     values(g, o->in, o->n_in));
}

static json_t *verdict(const struct game *g, enum lang lang)
{
    static const char *const kinds[] = {NULL, "right", "wrong", "hint"};
    int missing[OP_MAX_IN], n = 0;
    struct str words = STR_INIT;

    if (g->verdict == GAME_NOTHING)
        return json_null();
    if (g->verdict == GAME_WRONG)
        n = game_missing(g, g->tried, missing);
    game_say(g, lang, &words);
    json_t *o = json_pack("{s:s, s:s, s:o, s:o}", "kind", kinds[g->verdict], "op",
                          g->program->op[g->tried].label, "missing", values(g, missing, n),
                          "words", data_string(words.text));
    str_release(&words);
    return o;
}

json_t *data_game(const struct session *s)
{
    const struct game *g = s->game;
    json_t *cards = json_array(), *column = json_array();

    for (int i = 0; i < g->n; i++) {
        char letter[2] = {g->card[i].letter, '\0'};
        if (!g->card[i].placed)
            json_array_append_new(cards, json_pack("{s:s, s:s}", "letter", letter, "op",
                                                   g->program->op[g->card[i].op].label));
    }
    for (int i = 0; i < g->n_placed; i++)
        json_array_append_new(column, placed(g, g->column[i]));
    return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:i, s:i, s:b}", "model",
                     g->program->hp.name, "n_layer", g->n_layer, "n_ops", g->n, "placed",
                     column, "cards", cards, "verdict", verdict(g, s->set.lang), "wrong",
                     g->wrong, "hints", g->hints, "over", game_is_over(g));
}
