/* Commands, keys and settings as data: what help prints, from the same tables. */
#include "command/data.h"

#include "command/keys.h"
#include "command/parse.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

/* --- keys --- */

static json_t *key(const struct key *k)
{
    return json_pack("{s:s, s:s?, s:s, s:s}", "key", k->key, "view", k->view, "line", k->line,
                     "help", k->help);
}

json_t *data_keys(void)
{
    json_t *list = json_array();

    for (const struct key *k = key_table; k->key; k++)
        json_array_append_new(list, key(k));
    return json_pack("{s:o}", "keys", list);
}

/* --- commands --- */

static json_t *words(const char *text)
{
    json_t *list = json_array();
    const char *word;
    size_t n;

    for (int i = 0; text && (n = choice_word(text, i, &word)) > 0; i++)
        json_array_append_new(list, result_text(word, n));
    return list;
}

static json_t *argument(const struct arg_spec *spec)
{
    static const char *const type[] = {
        [ARG_INT] = "integer",     [ARG_REAL] = "number",  [ARG_TEXT] = "text",
        [ARG_FILE] = "file",       [ARG_VALUE] = "value",  [ARG_OP] = "op",
        [ARG_SETTING] = "setting", [ARG_VIEW] = "view",    [ARG_COMMAND] = "command",
        [ARG_TOKEN] = "token",     [ARG_CHOICE] = "choice"};
    size_t i = (size_t) spec->type;
    bool known = i < sizeof type / sizeof *type && type[i];

    return json_pack("{s:s, s:s, s:b, s:o}", "name", spec->name, "type",
                     known ? type[i] : "word", "optional", spec->optional, "words",
                     words(spec->words));
}

static json_t *arguments(const struct command *c)
{
    json_t *list = json_array();

    for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++)
        json_array_append_new(list, argument(&c->arg[i]));
    return list;
}

static json_t *keys_of(const struct command *c)
{
    json_t *list = json_array();

    for (const struct key *k = key_table; k->key; k++)
        if (key_runs(k, c->name))
            json_array_append_new(list, key(k));
    return list;
}

static json_t *one_command(const struct command *c)
{
    struct str usage = STR_INIT;

    command_usage(c, &usage);
    json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o}", "name", c->name, "group",
                          c->group, "usage", usage.text, "arguments", arguments(c), "help",
                          c->help, "example", c->example, "keys", keys_of(c));
    str_release(&usage);
    return o;
}

static json_t *all_commands(void)
{
    json_t *list = json_array();

    for (const struct command *c = command_table; c->name; c++)
        json_array_append_new(list, one_command(c));
    return json_pack("{s:o}", "commands", list);
}

/* --- settings --- */

/* As its type has it: a number, true or false, a word. */
static json_t *setting_value(const struct session *s, const struct setting *row)
{
    struct str text = STR_INIT;
    json_t *v;

    settings_print(&s->set, row, &text);
    if (row->type == SETTING_INT)
        v = json_integer(strtoll(text.text, NULL, 10));
    else if (row->type == SETTING_REAL)
        v = result_number(strtod(text.text, NULL));
    else if (row->type == SETTING_BOOL)
        v = json_boolean(!strcmp(text.text, "on"));
    else
        v = json_string(text.text);
    str_release(&text);
    return v;
}

static json_t *setting_help(const struct setting *row)
{
    struct str allowed = STR_INIT;

    settings_allowed(row, &allowed);
    json_t *o = json_pack("{s:s, s:s}", "allowed", allowed.text, "help", row->help);
    str_release(&allowed);
    return o;
}

json_t *data_setting(const struct session *s, const struct setting *row, bool help)
{
    json_t *o = json_pack("{s:s, s:o}", "setting", row->name, "value", setting_value(s, row));

    return help ? data_join(o, setting_help(row)) : o;
}

/* --- topics --- */

static json_t *named(const char *key, const char *name, const char *help)
{
    return json_pack("{s:s, s:s}", key, name, "help", help);
}

static json_t *topic_settings(void)
{
    json_t *list = json_array();

    for (const struct setting *row = setting_table; row->name; row++)
        json_array_append_new(
            list, data_join(json_pack("{s:s}", "setting", row->name), setting_help(row)));
    return json_pack("{s:o}", "settings", list);
}

static json_t *topic_views(void)
{
    json_t *list = json_array();

    for (const struct view *v = view_table; v->name; v++) {
        json_t *o = named("view", v->name, v->help);
        json_object_set_new(o, "key", *v->digit ? json_string(v->digit) : json_null());
        json_array_append_new(list, o);
    }
    return json_pack("{s:o}", "views", list);
}

static json_t *topic_ops(void)
{
    json_t *list = json_array();

    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *info = op_info((enum opcode) i);
        json_t *o = named("op", info->name, info->help);
        json_object_set_new(o, "formula", json_string(info->formula));
        json_array_append_new(list, o);
    }
    return json_pack("{s:o}", "ops", list);
}

static const struct {
    const char *name;
    json_t *(*data)(void);
} topics[] = {{"keys", data_keys},
              {"settings", topic_settings},
              {"views", topic_views},
              {"ops", topic_ops}};

/* A topic that has no table: its lines. */
static json_t *topic_lines(const char *topic, struct err *err)
{
    struct str text = STR_INIT;
    json_t *o = NULL;

    if (command_topic(topic, 0, &text, err))
        o = json_pack("{s:s, s:o}", "topic", topic, "lines", data_lines(text.text));
    str_release(&text);
    return o;
}

json_t *data_help(const char *topic, struct err *err)
{
    const char *word;
    size_t n;

    if (!topic)
        return all_commands();
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (!strcmp(topics[i].name, topic))
            return topics[i].data();
    for (int i = 0; (n = choice_word(command_topics, i, &word)) > 0; i++)
        if (strlen(topic) == n && !memcmp(topic, word, n))
            return topic_lines(topic, err);
    struct err unheard = ERR_INIT;
    const struct command *c = command_find(topic, &unheard);
    return c ? json_pack("{s:[o]}", "commands", one_command(c)) : topic_lines(topic, err);
}
