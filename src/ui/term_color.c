/*
 * Colours and pairs. A picture may need thousands of pairs of colours, a terminal may have 64:
 * pairs are made when they are needed and used again when no cell of the picture has them.
 */
#include "ui/term_parts.h"

#include "base/mem.h"
#include "view/style.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

#define PAIRS_MOST 32767
#define SLOTS      (1 << 16) /* of the hash table; more than twice the pairs */

struct pair {
    int fg, bg;
    unsigned frame; /* the last picture that had it */
    int next;       /* in its chain; 0 ends it */
};

static struct pair *pairs; /* [n_pairs + 1]; 0 is the terminal's own colours */
static int n_pairs, n_used, hand;
static int *slot; /* [SLOTS] heads of chains */
static unsigned frame;
static int colors;
static bool has_default; /* -1 is a colour */

static int count_colors(void)
{
    if (!has_colors() || start_color() == ERR)
        return 0;
    has_default = use_default_colors() == OK;
    if (COLORS >= 1 << 24 && tigetflag("RGB") > 0)
        return 1 << 24;
    return COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
}

void color_start(void)
{
    free(pairs);
    free(slot);
    colors = count_colors();
    n_pairs = colors == 0 ? 0 : COLOR_PAIRS - 1 < PAIRS_MOST ? COLOR_PAIRS - 1 : PAIRS_MOST;
    pairs = xcalloc((size_t) n_pairs + 1, sizeof *pairs);
    slot = xcalloc(SLOTS, sizeof *slot);
    n_used = hand = 0;
    frame = 1;
}

void color_stop(void)
{
    free(pairs);
    free(slot);
    pairs = NULL;
    slot = NULL;
}

int color_count(void)
{
    return colors;
}

void color_frame(void)
{
    frame++;
}

static int *chain(int fg, int bg)
{
    uint32_t hash = (uint32_t) fg * 2654435761u ^ (uint32_t) bg * 2246822519u;

    return &slot[(hash ^ hash >> 15) % SLOTS];
}

static void unlink_pair(int i)
{
    int *at = chain(pairs[i].fg, pairs[i].bg);

    while (*at != i)
        at = &pairs[*at].next;
    *at = pairs[i].next;
}

/* A pair that is free, or was not part of this picture yet; 0 when there is none. */
static int free_pair_index(void)
{
    if (n_used < n_pairs)
        return ++n_used;
    for (int n = 0; n < n_pairs; n++) {
        hand = hand % n_pairs + 1;
        if (pairs[hand].frame != frame) {
            unlink_pair(hand);
            return hand;
        }
    }
    return 0;
}

/* Curses' colour: an index, or the colour itself where the terminal takes that. The first
 * eight of those are still indices. */
static int color_index(uint32_t rgb, int n, bool back)
{
    if (rgb == COLOR_NONE)
        return has_default ? -1 : back ? COLOR_BLACK : COLOR_WHITE;
    if (n > 256)
        return rgb < 8 ? 0 : (int) rgb;
    return n == 256 ? color_to_256(rgb) : n == 16 ? color_to_16(rgb) : color_to_8(rgb);
}

int color_pair(uint32_t fg, uint32_t bg, int n)
{
    int f = color_index(fg, n, false), b = color_index(bg, n, true);
    int *head = chain(f, b), i = *head;

    if (n == 0 || (f == -1 && b == -1))
        return 0;
    while (i && (pairs[i].fg != f || pairs[i].bg != b))
        i = pairs[i].next;
    if (!i) {
        i = free_pair_index();
        if (!i || init_extended_pair(i, f, b) == ERR)
            return 0;
        pairs[i] = (struct pair){f, b, frame, *head};
        *head = i;
    }
    pairs[i].frame = frame;
    return i;
}
