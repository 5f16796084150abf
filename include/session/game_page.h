/*
 * The ordering game as lines: what the view draws and the prompt prints.
 *
 *     struct page page;
 *     game_page(&page, s->game, LANG_EN, 76, GAME_ON_SCREEN);
 */
#ifndef GPTSCOPE_SESSION_GAME_PAGE_H
#define GPTSCOPE_SESSION_GAME_PAGE_H

#include "session/game.h"
#include "session/page.h"

/* On the screen cards stay where they are, in print only those that are left are given. In a
 * small panel cards say less, and the verdict takes the place of the task. */
enum game_medium { GAME_ON_SCREEN, GAME_SMALL, GAME_IN_PRINT };

/* Lines of PAGE_CHOICE are rows of cards; `choice` is the row. A game is on. */
void game_page(struct page *p, const struct game *g, enum lang lang, int cells,
               enum game_medium medium);
/* The card in a row of the page at a column of it; NULL where there is none. */
const struct game_card *game_card_at(const struct game *g, int cells, enum game_medium medium,
                                     int row, int x);
/* The verdict: "softmax reads attn.scores, ..."; "" before the first pick. */
void game_say(const struct game *g, enum lang lang, struct str *out);
/* "attn.scores = mask(attn.scores_scaled)" */
void game_call(const struct game *g, int op, struct str *out);

#endif
