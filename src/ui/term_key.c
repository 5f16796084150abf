/* From bytes and curses' codes to names of keys. */
#include "ui/term.h"

#include "base/safe.h"
#include "base/utf8.h"
#include "ui/term_parts.h"

#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CODE_PASTE = 2000, CODE_PASTE_END, CODE_MODIFIED = 3000, ESC = 27 };

/* Sequences that terminfo may not have. */
static const struct {
    const char *bytes;
    int code;
} sequences[] = {
    {"\033[A", KEY_UP},    {"\033[B", KEY_DOWN},      {"\033[C", KEY_RIGHT},
    {"\033[D", KEY_LEFT},  {"\033OA", KEY_UP},        {"\033OB", KEY_DOWN},
    {"\033OC", KEY_RIGHT}, {"\033OD", KEY_LEFT},      {"\033[H", KEY_HOME},
    {"\033[F", KEY_END},   {"\033[1~", KEY_HOME},     {"\033[4~", KEY_END},
    {"\033[3~", KEY_DC},   {"\033[5~", KEY_PPAGE},    {"\033[6~", KEY_NPAGE},
    {"\033[Z", KEY_BTAB},  {"\033[200~", CODE_PASTE}, {"\033[201~", CODE_PASTE_END},
};

static const struct {
    int code;
    const char *name;
} names[] = {
    {KEY_LEFT, "Left"},    {KEY_RIGHT, "Right"},    {KEY_UP, "Up"},
    {KEY_DOWN, "Down"},    {KEY_HOME, "Home"},      {KEY_END, "End"},
    {KEY_PPAGE, "PageUp"}, {KEY_NPAGE, "PageDown"}, {KEY_BTAB, "BackTab"},
    {KEY_ENTER, "Enter"},  {KEY_DC, "Delete"},      {KEY_BACKSPACE, "Backspace"},
    {KEY_IC, "Insert"},    {'\r', "Enter"},         {'\t', "Tab"},
    {ESC, "Esc"},          {' ', "Space"},          {127, "Backspace"},
    {8, "Backspace"},
};

/* Keys that come with modifiers: "ESC [ 1 ; 5 A" or "ESC [ 3 ; 5 ~". */
static const struct {
    const char *first, *last, *name;
} modified[] = {
    {"1", "A", "Up"},     {"1", "B", "Down"},     {"1", "C", "Right"},  {"1", "D", "Left"},
    {"1", "H", "Home"},   {"1", "F", "End"},      {"2", "~", "Insert"}, {"3", "~", "Delete"},
    {"5", "~", "PageUp"}, {"6", "~", "PageDown"},
};
enum { N_MODIFIED = sizeof modified / sizeof *modified };
static const char *const modifiers[] = {"S-", "M-", "S-M-", "C-", "C-S-", "C-M-", "C-S-M-"};
enum { N_MODIFIERS = sizeof modifiers / sizeof *modifiers };

/* The modified keys replace what terminfo says of them: its names for them are many. */
void keys_start(void)
{
    char bytes[16];

    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        if (key_defined(sequences[i].bytes) <= 0)
            define_key(sequences[i].bytes, sequences[i].code);
    for (int i = 0; i < N_MODIFIED; i++)
        for (int m = 0; m < N_MODIFIERS; m++) {
            snprintf(bytes, sizeof bytes, "\033[%s;%d%s", modified[i].first, m + 2,
                     modified[i].last);
            define_key(bytes, CODE_MODIFIED + i * N_MODIFIERS + m);
        }
    define_key(NULL, KEY_MOUSE); /* curses' own mouse would eat it */
    define_key("\033[<", KEYS_MOUSE);
}

static const char *code_name(int code)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return NULL;
}

/* A whole character that begins with `byte`, into out (ended by a NUL); false when the bytes
 * are no text that can be shown. */
static bool read_text(int byte, char out[8])
{
    int len = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4, n = 1;
    uint32_t cp;

    memset(out, 0, 8);
    out[0] = (char) byte;
    while (n < len) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        int next = getch();
        if (next == ERR && poll(&in, 1, 100) > 0)
            next = getch();
        if (next < 0x80 || next > 0xbf) {
            if (next != ERR)
                ungetch(next);
            return false;
        }
        out[n++] = (char) next;
    }
    return utf8_decode(out, (size_t) n, &cp) == n && (cp >= 0x20 && cp != 0x7f);
}

static void key_of(struct event *e, int code, const char *prefix)
{
    const char *name = code_name(code);

    e->kind = EVENT_KEY;
    e->text[0] = '\0';
    if (code >= KEY_F0 && code <= KEY_F(24)) {
        snprintf(e->key, sizeof e->key, "%sF%d", prefix, code - KEY_F0);
    } else if (code >= CODE_MODIFIED && code < CODE_MODIFIED + N_MODIFIED * N_MODIFIERS) {
        code -= CODE_MODIFIED;
        snprintf(e->key, sizeof e->key, "%s%s", modifiers[code % N_MODIFIERS],
                 modified[code / N_MODIFIERS].name);
    } else if (name) {
        snprintf(e->key, sizeof e->key, "%s%s", prefix, name);
        if (code == ' ' && !*prefix)
            strcpy(e->text, " ");
    } else if (code >= 0 && code < 32) {
        snprintf(e->key, sizeof e->key, "%sC-%c", prefix,
                 code > 0 && code <= 26 ? code + 96 : code + 64);
    } else if (code < 256 && read_text(code, e->text)) {
        snprintf(e->key, sizeof e->key, "%s%s", prefix, e->text);
        if (*prefix)
            e->text[0] = '\0';
    } else if (code >= 256) {
        strcpy(e->key, KEY_UNKNOWN_NAME);
    } else {
        e->kind = EVENT_NONE;
    }
}

/* --- sequences that nobody knows --- */

int keys_byte(int ms)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int code = getch();

    if (code == ERR && poll(&in, 1, ms) > 0)
        code = getch();
    return code == ERR ? -1 : code;
}

void keys_skip(int byte)
{
    if (byte == ESC && (byte = keys_byte(0)) != '[')
        return;
    for (int n = 0; byte >= 0 && n < 64; n++) {
        if (byte >= 0x40 && byte != '[' && byte != KEYS_MOUSE)
            return;
        byte = keys_byte(20);
    }
}

/* After "ESC [" or "ESC O" something follows at once: no Alt and a bracket, but a key's
 * sequence, or the mouse of a terminal that knows nothing better. */
static bool skip_sequence(struct event *e, int first)
{
    int byte = keys_byte(0);

    if (byte < 0)
        return false;
    if (first == '[' && byte == 'M')
        for (int i = 0; i < 3; i++)
            keys_byte(20);
    else if (first == '[')
        keys_skip(byte);
    e->kind = EVENT_KEY;
    strcpy(e->key, KEY_UNKNOWN_NAME);
    return true;
}

#define PASTE_MOST (1 << 20)

/* Up to the end of the paste, or half a second of silence. */
static void read_paste(struct str *out)
{
    char text[8];
    int before = 0;

    str_clear(out);
    for (;;) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        int code = getch();
        if (code == ERR && poll(&in, 1, 500) > 0)
            code = getch();
        if (code == ERR || code == CODE_PASTE_END)
            return;
        if (out->len >= PASTE_MOST)
            continue;
        if (code == '\r' || (code == '\n' && before != '\r'))
            str_addc(out, '\n');
        else if (code == '\t')
            str_addc(out, '\t');
        else if (code >= 32 && code < 256 && read_text(code, text))
            str_adds(out, text);
        before = code;
    }
}

static void read_one(struct event *e, int code, struct str *paste)
{
    int next;

    if (code == CODE_PASTE) {
        read_paste(paste);
        e->kind = EVENT_PASTE;
        e->paste = paste;
    } else if (code == KEYS_MOUSE) {
        mouse_read(e);
    } else if (code == ESC && (next = getch()) != ERR && next != ESC) {
        if ((next != '[' && next != 'O') || !skip_sequence(e, next))
            key_of(e, next, "M-");
    } else if (code != CODE_PASTE_END) {
        key_of(e, code, "");
    }
}

void keys_read(struct event *e, struct str *paste)
{
    int code = 0;

    e->kind = EVENT_NONE;
    while (e->kind == EVENT_NONE && (code = getch()) != ERR)
        read_one(e, code, paste);
}
