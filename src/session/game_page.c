#include "session/game_page.h"

#include "session/exercise.h"

#include <string.h>

/* What a card is wide. */
static int card_cells(enum game_medium medium)
{
    return medium == GAME_SMALL ? 18 : 24;
}

static const char *label_of(const struct game *g, int op)
{
    return g->program->op[op].label;
}

static const char *value_of(const struct game *g, int value)
{
    return value_short_name(&g->program->value[value]);
}

void game_call(const struct game *g, int op, struct str *out)
{
    const struct op *o = &g->program->op[op];

    str_addf(out, "%s = %s(", value_of(g, o->out[0]), op_info(o->code)->name);
    for (int i = 0; i < o->n_in; i++)
        str_addf(out, "%s%s", i ? ", " : "", value_of(g, o->in[i]));
    str_addc(out, ')');
}

/* --- what a pick was worth --- */

/* "attn.q and attn.k" (made false), or what makes them: "q and k" */
static void list_missing(const struct game *g, const int *value, int n, bool made,
                         enum lang lang, struct str *out)
{
    for (int i = 0; i < n; i++)
        str_addf(out, "%s%s",
                 i == 0      ? ""
                 : i < n - 1 ? in_lang(lang, ", ", "、")
                             : in_lang(lang, " and ", " 和 "),
                 made ? label_of(g, g->program->value[value[i]].op) : value_of(g, value[i]));
}

static void wrong(const struct game *g, enum lang lang, struct str *out)
{
    struct str reads = STR_INIT, makers = STR_INIT;
    int value[OP_MAX_IN], n = game_missing(g, g->tried, value);
    const char *label = label_of(g, g->tried);

    list_missing(g, value, n, false, lang, &reads);
    list_missing(g, value, n, true, lang, &makers);
    if (lang == LANG_ZH)
        str_addf(out, "还不行：%s 要读 %s，%s由 %s 算出：先放 %s。", label, reads.text,
                 n > 1 ? "它们" : "它", makers.text, makers.text);
    else
        str_addf(out, "Not yet: %s reads %s, which %s make%s: %s come%s before.", label,
                 reads.text, makers.text, n > 1 ? "" : "s", n > 1 ? "they" : makers.text,
                 n > 1 ? "" : "s");
    str_release(&reads);
    str_release(&makers);
}

void game_say(const struct game *g, enum lang lang, struct str *out)
{
    switch (g->verdict) {
    case GAME_NOTHING:
        break;
    case GAME_RIGHT:
        str_adds(out, in_lang(lang, "Right. ", "对了。"));
        game_call(g, g->tried, out);
        str_addf(out, in_lang(lang, ": %s", "：%s"),
                 op_info(g->program->op[g->tried].code)->formula);
        break;
    case GAME_WRONG:
        wrong(g, lang, out);
        break;
    case GAME_HINT:
        str_addf(out,
                 in_lang(lang, "%s may come next: all that it reads is there.",
                         "下一步可以放 %s：它要读的都已经有了。"),
                 label_of(g, g->tried));
        break;
    }
}

static void add_verdict(struct page *p, const struct game *g, enum lang lang, int cells)
{
    static const enum page_kind kinds[] = {[GAME_NOTHING] = PAGE_HINT,
                                           [GAME_RIGHT] = PAGE_RIGHT,
                                           [GAME_WRONG] = PAGE_WRONG,
                                           [GAME_HINT] = PAGE_HINT};
    struct str text = STR_INIT;

    game_say(g, lang, &text);
    page_add(p, kinds[g->verdict], text.text, cells, 0);
    str_release(&text);
}

/* --- the cards --- */

/* The cards that are shown, by column and row; returns how many columns there are. */
static int lay_out(const struct game *g, int cells, enum game_medium medium,
                   const struct game_card *shown[GAME_CARDS], int *n)
{
    int columns = cells / card_cells(medium) > 0 ? cells / card_cells(medium) : 1;

    *n = 0;
    for (int i = 0; i < g->n; i++)
        if (medium != GAME_IN_PRINT || !g->card[i].placed)
            shown[(*n)++] = &g->card[i];
    return columns;
}

static void add_card(const struct game *g, const struct game_card *card,
                     enum game_medium medium, struct str *line)
{
    const char *label = label_of(g, card->op),
               *kind = op_info(g->program->op[card->op].code)->name;

    if (card->placed)
        return;
    str_addf(line, "%c) %s", card->letter, label);
    if (medium != GAME_SMALL && !strstr(label, kind))
        str_addf(line, "  %s", kind);
}

static void add_cards(struct page *p, const struct game *g, int cells, enum game_medium medium)
{
    const struct game_card *shown[GAME_CARDS];
    int n, columns = lay_out(g, cells, medium, shown, &n), rows = (n + columns - 1) / columns;

    for (int row = 0; row < rows; row++) {
        struct str line = STR_INIT;
        for (int i = row; i < n; i += rows) {
            size_t wide = (size_t) (i / rows * card_cells(medium));
            while (line.len < wide) /* labels are ASCII */
                str_addc(&line, ' ');
            add_card(g, shown[i], medium, &line);
        }
        page_keep(p, PAGE_CHOICE, line.text, row);
        str_release(&line);
    }
}

const struct game_card *game_card_at(const struct game *g, int cells, enum game_medium medium,
                                     int row, int x)
{
    const struct game_card *shown[GAME_CARDS];
    int n, columns = lay_out(g, cells, medium, shown, &n), rows = (n + columns - 1) / columns;
    int column = x / card_cells(medium), i = column * rows + row;
    bool there = row < rows && column < columns && i < n;

    return there && !shown[i]->placed ? shown[i] : NULL;
}

/* --- the page --- */

static void add_column(struct page *p, const struct game *g, enum lang lang, int cells)
{
    struct str line = STR_INIT;

    if (g->n_placed == 0)
        return;
    str_addf(&line, in_lang(lang, "%d of %d: ", "%d / %d："), g->n_placed, g->n);
    for (int i = 0; i < g->n_placed; i++)
        str_addf(&line, "%s%s", i ? in_lang(lang, ", ", "、") : "", label_of(g, g->column[i]));
    page_add(p, PAGE_TEXT, line.text, cells, 2);
    str_release(&line);
}

static void add_end(struct page *p, const struct game *g, enum lang lang, int cells)
{
    const struct program *m = g->program;
    const char *first = m->op[m->block_begin[0]].label,
               *last = m->op[m->block_begin[1] - 1].label;
    struct str text = STR_INIT;

    str_addf(&text,
             in_lang(lang, "All %d are in order. Wrong picks: %d, hints: %d.",
                     "%d 个运算全部排好。选错 %d 次，提示 %d 次。"),
             g->n, g->wrong, g->hints);
    page_add(p, PAGE_RIGHT, text.text, cells, 0);
    str_clear(&text);
    str_addf(&text,
             in_lang(lang,
                     "From %s to the last %s it is one block. %s has %d of them, one after the "
                     "other, each with weights of its own; what is before and after the block "
                     "is there once.",
                     "从 %s 到最后一个 %s 是一个块。%s 有 %d 个这样的块，一个接一个，"
                     "各有各的权重；块前和块后的部分只有一份。"),
             first, last, m->hp.name, g->n_layer);
    page_add(p, PAGE_TEXT, text.text, cells, 0);
    page_add(p, PAGE_HINT,
             in_lang(lang,
                     "'checklist' says what is next, 'game new' shuffles again, 'game end' "
                     "closes the game.",
                     "checklist 告诉你接下来做什么，game new 重新洗牌，game end 结束游戏。"),
             cells, 0);
    str_release(&text);
}

static const char *task(enum lang lang, enum game_medium medium)
{
    if (medium != GAME_IN_PRINT)
        return in_lang(lang, "What comes next? Press its letter; Space: a hint.",
                       "下一个是哪个运算？按它的字母。空格给出提示。");
    return in_lang(lang,
                   "Which operation comes next? 'game LETTER' takes it, 'game hint' names one.",
                   "下一个是哪个运算？用 game 加字母来选，game hint 给出提示。");
}

static void add_task(struct page *p, const struct game *g, enum lang lang, int cells,
                     enum game_medium medium)
{
    if (medium == GAME_SMALL && g->verdict != GAME_NOTHING)
        add_verdict(p, g, lang, cells);
    else
        page_add(p, PAGE_QUESTION, task(lang, medium), cells, 0);
    add_cards(p, g, cells, medium);
}

void game_page(struct page *p, const struct game *g, enum lang lang, int cells,
               enum game_medium medium)
{
    bool over = game_is_over(g);

    *p = (struct page){0};
    if (!over && medium != GAME_IN_PRINT)
        add_task(p, g, lang, cells, medium);
    if (over || medium != GAME_SMALL)
        add_verdict(p, g, lang, cells);
    if (over)
        add_end(p, g, lang, cells);
    add_column(p, g, lang, cells);
    if (!over && medium == GAME_IN_PRINT)
        add_task(p, g, lang, cells, medium);
}
