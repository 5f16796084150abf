/* The mouse, as xterm's SGR mode (1006) tells it; all of today's terminals know it. */
#include "ui/term_parts.h"

#include <string.h>

/* Buttons, drags (1002), motion (1003); the later mode replaces the one before where it is
 * known. */
#define ON  "\033[?1002h\033[?1003h\033[?1006h"
#define OFF "\033[?1006l\033[?1003l\033[?1002l"

static bool present;

void mouse_find(bool modern)
{
    present = modern;
}

const char *mouse_on(void)
{
    return present ? ON : "";
}

const char *mouse_off(void)
{
    return present ? OFF : "";
}

enum { SHIFT = 4, MOVES = 32, WHEEL = 64, OTHER = 128 };

static void make_event(struct event *e, const int v[3], bool released)
{
    struct mouse *m = &e->mouse;
    int b = v[0] & 3;

    if (v[0] & OTHER || v[1] < 1 || v[2] < 1)
        return;
    *m = (struct mouse){.x = v[1] - 1, .y = v[2] - 1, .shift = v[0] & SHIFT};
    if (v[0] & WHEEL) {
        if (b > 1 || released)
            return; /* a wheel that turns sideways */
        m->what = b == 0 ? MOUSE_WHEEL_UP : MOUSE_WHEEL_DOWN;
    } else {
        m->button = b == 3 ? 0 : b + 1;
        m->what = v[0] & MOVES ? MOUSE_MOTION : released ? MOUSE_RELEASE : MOUSE_PRESS;
    }
    e->kind = EVENT_MOUSE;
}

void mouse_read(struct event *e)
{
    enum { MOST = 100000, WAIT = 100 };
    int v[3] = {0}, n = 0, digits = 0;

    for (;;) {
        int b = keys_byte(WAIT);
        if (b >= '0' && b <= '9') {
            v[n] = v[n] < MOST ? v[n] * 10 + b - '0' : MOST;
            digits++;
        } else if (b == ';' && digits > 0 && n < 2) {
            n++;
            digits = 0;
        } else if (b == KEYS_MOUSE) { /* the last one was cut off */
            memset(v, 0, sizeof v);
            n = digits = 0;
        } else if ((b == 'M' || b == 'm') && n == 2 && digits > 0) {
            make_event(e, v, b == 'm');
            return;
        } else {
            keys_skip(b);
            return;
        }
    }
}
