/*
 * The bytes that a terminal sends for a key of the key table ("Space", "Left", "C-a", "M-b"),
 * and for the mouse.
 */
#ifndef GPTSCOPE_TESTS_PRESS_H
#define GPTSCOPE_TESTS_PRESS_H

#include "base/str.h"

/* Adds them; fails the test for a name that is no key. */
void press_key(struct str *out, const char *key);

/* SGR mouse reports (xterm's mode 1006), x and y from 0. */
enum press_button { PRESS_LEFT = 0, PRESS_MIDDLE = 1, PRESS_RIGHT = 2, PRESS_WHEEL = 64 };
enum { PRESS_MOTION = 32, PRESS_SHIFT = 4 };
void press_mouse(struct str *out, int button, int x, int y, int down);

#endif
