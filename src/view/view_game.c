/* The ordering game: the cards. The column that grows of them is on the map. */
#include "view/views.h"

#include "session/game_page.h"

#include <stdio.h>
#include <string.h>

static enum style style_of(enum page_kind kind)
{
    switch (kind) {
    case PAGE_QUESTION:
        return STYLE_TITLE;
    case PAGE_RIGHT:
        return STYLE_DONE;
    case PAGE_WRONG:
        return STYLE_ERROR;
    case PAGE_HINT:
        return STYLE_SELECTED;
    default:
        return STYLE_TEXT;
    }
}

static void put(struct canvas *c, struct rect r, int y, const struct page_line *line)
{
    canvas_put(c, r, r.x, y, canvas_look(c, style_of(line->kind)), line->text,
               strlen(line->text));
}

enum { LEAST_H = 16 }; /* for whole cards in two columns, and a verdict of three lines */

static enum game_medium medium_of(struct rect r)
{
    return r.h < LEAST_H ? GAME_SMALL : GAME_ON_SCREEN;
}

void game_draw(const struct session *s, const struct screen *st, struct canvas *c,
               struct rect r)
{
    struct page page;

    if (!game_is_on(s->game)) {
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM, "No game is on: 'game' begins one.");
        return;
    }
    game_page(&page, s->game, s->set.lang, r.w, medium_of(r));
    int top = scroll_rows(st, "game", 0, page.n, r.h);
    for (int i = 0; i < r.h && top + i < page.n; i++)
        put(c, r, r.y + i, &page.line[top + i]);
    if (top + r.h < page.n)
        canvas_text(c, r, r.x + r.w - 2, r.y + r.h - 1, STYLE_DIM, "▼");
    page_release(&page);
}

void game_title(const struct session *s, char *out, size_t size)
{
    if (game_is_on(s->game))
        snprintf(out, size, "game  %s  %d/%d", s->game->program->hp.name, s->game->n_placed,
                 s->game->n);
    else
        snprintf(out, size, "game");
}

void game_hit(const struct session *s, const struct screen *st, const struct canvas *c,
              struct rect r, int x, int y, struct hit *h)
{
    const struct game_card *card = NULL;
    struct page page;

    (void) c;
    h->scrolls = true;
    if (!game_is_on(s->game))
        return;
    game_page(&page, s->game, s->set.lang, r.w, medium_of(r));
    int at = scroll_rows(st, "game", 0, page.n, r.h) + y - r.y;
    if (at >= 0 && at < page.n && page.line[at].choice >= 0 && x >= r.x)
        card = game_card_at(s->game, r.w, medium_of(r), page.line[at].choice, x - r.x);
    page_release(&page);
    if (!card)
        return;
    snprintf(h->line, sizeof h->line, "game %c", card->letter);
    snprintf(h->tip, sizeof h->tip, "%c: %s next", card->letter,
             s->game->program->op[card->op].label);
}
