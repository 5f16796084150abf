/*
 * The checklist of the course: what one can do at its end. Each item hangs on lessons,
 * exercises and the ordering game, and is ticked when all of these are done; what is kept
 * between sessions is theirs.
 *
 *     for (int i = 0; i < CHECKLIST_ITEMS; i++)
 *         if (checklist_read(&state, s, i, &err)) ...      // state.n_done of state.n
 */
#ifndef GPTSCOPE_SESSION_CHECKLIST_H
#define GPTSCOPE_SESSION_CHECKLIST_H

#include "session/exercise.h"
#include "session/session.h"

enum { CHECKLIST_ITEMS = 10, CHECKLIST_PARTS = 8 };

struct checklist_item {
    const char *name;              /* for the command: "mask" */
    const char *title[LANG_COUNT]; /* "Say why there is a mask" */
    const char *lessons;           /* names apart by blanks, or NULL */
    bool game;
    const char *exercises; /* the same */
};
extern const struct checklist_item checklist_table[CHECKLIST_ITEMS];

enum checklist_kind { CHECKLIST_LESSON, CHECKLIST_GAME, CHECKLIST_EXERCISE };

/* What an item hangs on, in the order in which one would do it. */
struct checklist_part {
    enum checklist_kind kind;
    char name[24]; /* "" of the game */
    bool done;
};

struct checklist_state {
    struct checklist_part part[CHECKLIST_PARTS];
    int n, n_done;
    const struct checklist_part
        *next; /* the first that is not done; NULL: the item is ticked */
};

/* How far item i is. Fails only when the texts in the program are broken. */
bool checklist_read(struct checklist_state *st, struct session *s, int i, struct err *err);
/* By name or by number, from 1; -1 when there is none. */
int checklist_find(const char *name);
/* "lesson mask", "game", "exercise attention" */
void checklist_part_print(const struct checklist_part *p, struct str *out);
/* "2 of 3: lesson qkv, lesson softmax done; exercise attention open" */
void checklist_print(const struct checklist_state *st, enum lang lang, struct str *out);

#endif
