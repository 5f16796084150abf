/*
 * Exercises and what the checker found, as text of at most 80 columns and as JSON. Ticks and
 * colours only where there may be colours.
 */
#ifndef GPTSCOPE_COMMAND_EXERCISE_PRINT_H
#define GPTSCOPE_COMMAND_EXERCISE_PRINT_H

#include "command/command.h"
#include "session/exercise_state.h"

void exercise_list_print(struct command_env *env, const struct exercises *all);
void exercise_report_print(struct command_env *env, const struct exercise_report *r);
void exercise_hint_print(struct command_env *env, const struct exercise *e, int todo, int hint);
/* A paragraph, `indent` columns in; formulas (four blanks) stay as they are. */
void exercise_prose(struct command_env *env, const char *text, int indent);

json_t *exercise_list_json(const struct session *s, const struct exercises *all);
json_t *exercise_report_json(const struct exercise_report *r);

#endif
