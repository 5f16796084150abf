/* Screens as text, compared. */
#ifndef SAME_SCREEN_H
#define SAME_SCREEN_H

#include <stdbool.h>

/* All the same but for one unit in a number's last place, or the digits that other machines
 * round differently. */
bool same_screen(const char *want, const char *got);

#endif
