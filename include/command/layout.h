/*
 * The layout of the screen as commands, for recordings and for the next session.
 */
#ifndef GPTSCOPE_COMMAND_LAYOUT_H
#define GPTSCOPE_COMMAND_LAYOUT_H

#include "view/view.h"

/* Lines that make a screen of this layout from any other. */
void layout_print(const struct screen *st, struct str *out);
/* Scrolls a view down, as far as there is something to see. */
void screen_scroll(struct screen *st, int view, int by);

#endif
