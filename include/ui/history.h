/*
 * The history of command lines, kept between sessions in $XDG_STATE_HOME/gptscope/history
 * (~/.local/state/gptscope/history). It is readable by its owner only: it holds prompts.
 * Without a home folder, or with one that cannot be written, there is none; nobody is told.
 */
#ifndef GPTSCOPE_UI_HISTORY_H
#define GPTSCOPE_UI_HISTORY_H

void history_load(void);
/* Adds a line to readline's list, unless it is blank or the same as the last one. */
void history_note(const char *line);
void history_save(void);

#endif
