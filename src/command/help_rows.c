/* Topics of help that are lists: a name and what it is. The manual has them, too. */
#include "command/command.h"

#include <string.h>

// clang-format off
static const struct help_row mouse_rows[] = {
    {"click",
     "selects what is there and gives its panel the focus; on a key in the last line or "
     "in the list of keys it does what the key does; puts the cursor into the text "
     "that is edited"},
    {"double click", "maximises the panel, and back"},
    {"wheel", "scrolls a list, or goes through the layers"},
    {"Shift wheel", "goes through the tokens, as the wheel does over the tokens at the top"},
    {"pointer", "the message line says what it is on"},
    {"drag", "moves the edge between two panels"},
    {NULL, NULL}};

static const struct help_row file_rows[] = {
    {"~/.config/gptscope/init",
     "commands that the screen and the prompt of repl begin with: set, view, layout ...; "
     "$XDG_CONFIG_HOME in place of ~/.config; an error ends it and is shown"},
    {"~/.local/state/gptscope/layout",
     "views, sizes, colours and scale as they were left, as commands; $XDG_STATE_HOME in place "
     "of ~/.local/state; read before init"},
    {"~/.local/state/gptscope/history", "command lines that were typed"},
    {"~/.local/state/gptscope/prompts", "prompts that were typed"},
    {NULL, NULL}};

static const struct help_row environment_rows[] = {
    {"GPTSCOPE_MODELS", "a folder where models are looked for"},
    {"HF_HOME", "its folder hub is looked into for models; ~/.cache/huggingface when not set"},
    {"XDG_DATA_HOME", "its folder gptscope/models is looked into for models; ~/.local/share when "
     "not set"},
    {"XDG_CONFIG_HOME", "where the start-up file is; ~/.config when not set"},
    {"XDG_STATE_HOME", "where layout and history are; ~/.local/state when not set"},
    {"NO_COLOR", "when set and not empty, no colours are used unless --color asks for them"},
    {"TERM", "what the terminal can do; with dumb no colours are used"},
    {"COLUMNS", "how wide pictures are that do not go to a terminal"},
    {"OPENBLAS_CORETYPE", "the kernel set of OpenBLAS; chosen by the program when not set"},
    {"GPTSCOPE_CLOCK", "0 stops the clock, so that a screen is the same each time"},
    {NULL, NULL}};

static const struct help_row language_rows[] = {
    {"commands",
     "a line holds commands, each a name and its arguments, with blanks between them; a ';' or "
     "the end of the line ends a command; a backslash at the end of a line joins it with the "
     "next; a '#' at the beginning of a word makes the rest of the "
     "line a comment; the first command that fails ends the line"},
    {"usage",
     "in a usage, words in capitals are arguments, small ones are typed as they stand, a|b is one "
     "of them, and what is in brackets may be left out; an argument that does not fit one in "
     "brackets is taken for the next"},
    {"abbreviations",
     "the beginning of a word is enough where no other begins so: 'pro' is prompt; so it is with "
     "views, settings and their words, stages, labels of ops and topics of help; otherwise the "
     "answer lists what it could be, and a misspelt word is answered with the nearest one"},
    {"quotes",
     "a word in double quotes may hold blanks, ';', '#' and line ends, and \\n \\t \\r \\\" \\\\, \\xHH for a byte, "
     "\\uHHHH and \\UHHHHHHHH for a character; what is quoted is never taken for a number, an id or "
     "a word of the usage; TEXT is the rest of the command as it stands, or one quoted word"},
    {"scripts",
     "commands are run line by line by gptscope run FILE, gptscope run -c COMMANDS, the command "
     "source FILE and from the start-up file; the first that fails ends a script with FILE:LINE and the "
     "message, and gptscope with status 1; record writes a script of what is done"},
    {"prompt",
     "at the prompt of gptscope repl commands are typed with line editing, history and completion; when "
     "standard input is not a terminal, plain lines are read, up to the first error"},
    {"screen",
     "on the screen ':' opens a line for commands, with completion and history; each key is a "
     "name for a command line; a click is one, too"},
    {"results",
     "with --json, run and repl print a line of JSON for each command: {\"command\": \"...\"} with "
     "\"result\" for what was found, \"text\" for what is text only, or \"error\""},
    {NULL, NULL}};

static const struct help_row line_rows[] = {
    {"short forms", "the beginning of a word stands for it while no other begins so: commands, "
                    "views, settings and their words, stages, labels of ops, topics of help"},
    {"several lines",
     "a text in double quotes may go over several lines, which stay in it; a "
     "backslash at the end of a line joins it with the next; so in files, too"},
    {"Tab",
     "completes by what may stand there: commands, files, models, names of values, places "
     "like L2.H3, settings and their words, tokens of the prompt and of the vocabulary, "
     "ops, views, numbers of branches, breakpoints and ablations"},
    {"Up, Ctrl-R",
     "earlier lines, also of earlier sessions; one of several lines comes back whole"},
    {"paste", "several lines that are pasted run when Enter is pressed, one after the other"},
    {"Ctrl-C",
     "drops the line that is typed, all of it; stops the command that runs; the session "
     "stays"},
    {"Ctrl-D", "ends the program, on an empty line"},
    {NULL, NULL}};

static const struct help_row argument_rows[] = {
    {"N, X", "numbers; where it is said, +1 and -1 move from where the cursor is, and first and "
     "last are the ends"},
    {"PLACE", "a layer, a head, a stage, or the cell of a query and a key: L2, H3, L2.H3, "
     "L2.H3.softmax, 8,6"},
    {"VALUE, VALUES", "names of values, globs and short forms, joined by commas; 'this' is the "
     "selected stage of the selected head; a name without its block means the selected layer"},
    {"OP", "an op of the program: its number, L2.softmax, a label like softmax, or the value that "
     "it makes"},
    {"TOKEN", "the id of a token, or text that is one token: in quotes, or with a middle dot for a "
     "blank, as labels show it"},
    {"TEXT", "the rest of the command, or one word in quotes"},
    {"FILE", "the path of a file; its suffix says the format where there are several"},
    {"VIEW", "the name or the digit of a view"},
    {"NAME", "the name of a setting"},
    {"TOPIC", "a command, or a topic of help"},
    {NULL, NULL}};

static const struct {
    const char *topic;
    const struct help_row *rows;
} topics[] = {
    {"mouse", mouse_rows},       {"files", file_rows},         {"environment", environment_rows},
    {"language", language_rows}, {"arguments", argument_rows}, {"line", line_rows},
    {NULL, NULL},
};
// clang-format on

const struct help_row *help_rows(const char *topic)
{
    int i = 0;

    while (topics[i].topic && strcmp(topics[i].topic, topic) != 0)
        i++;
    return topics[i].rows;
}
