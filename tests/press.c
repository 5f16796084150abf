#include "press.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct {
    const char *key, *bytes;
} named[] = {{"Space", " "},
             {"Tab", "\t"},
             {"BackTab", "\033[Z"},
             {"Enter", "\r"},
             {"Esc", "\033"},
             {"Backspace", "\177"},
             {"Left", "\033OD"},
             {"Right", "\033OC"},
             {"Up", "\033OA"},
             {"Down", "\033OB"},
             {"Home", "\033OH"},
             {"End", "\033OF"},
             {"PageUp", "\033[5~"},
             {"PageDown", "\033[6~"},
             {"Delete", "\033[3~"},
             {"Insert", "\033[2~"},
             {"C-Left", "\033[1;5D"},
             {"C-Right", "\033[1;5C"},
             {"C-Up", "\033[1;5A"},
             {"C-Down", "\033[1;5B"},
             {"S-Left", "\033[1;2D"},
             {"S-Right", "\033[1;2C"},
             {"a-z", "q"}};

void press_key(struct str *out, const char *key)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(named[i].key, key) == 0) {
            str_adds(out, named[i].bytes);
            return;
        }
    if (strncmp(key, "M-", 2) == 0 && key[2]) {
        str_addc(out, '\033');
        str_adds(out, key + 2);
    } else if (strncmp(key, "C-", 2) == 0 && key[2] && !key[3]) {
        str_addc(out, (char) (key[2] & 0x1f));
    } else if (key[0] && ((unsigned char) key[0] >= 0x80 || !key[1])) {
        str_adds(out, key);
    } else {
        fail_msg("no terminal has a key '%s'", key);
    }
}

void press_mouse(struct str *out, int button, int x, int y, int down)
{
    str_addf(out, "\033[<%d;%d;%d%c", button, x + 1, y + 1, down ? 'M' : 'm');
}
