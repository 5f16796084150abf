#include "ui/tool.h"

#include "ui/streams.h"
#include "ui/tool_input.h"

#include <string.h>

// clang-format off
const struct tool tool_table[] = {
    {"", "[-m MODEL] [PROMPT | -c COMMANDS]", "model prompt command record clean json",
     "step through the model on the screen\n"
     "Shows the prompt's way through the model: tokens, the map of operations, attention, the "
     "next token. Without a model the first built-in one is used, without a prompt an example. "
     "Press ? for the keys. With -c it executes commands instead, as run does.",
     NULL, tool_screen},
    {"repl", "[-m MODEL] [--json] [PROMPT]", "model prompt record clean json",
     "the same commands at a prompt\n"
     "Reads commands with line editing, history and completion, or plain lines when standard "
     "input is not a terminal. 'help' lists the commands. With --json it answers each with a "
     "line of JSON, as run does.",
     "echo 'prompt \"Tom gave\"; run' | gptscope repl", tool_repl},
    {"run", "[-m MODEL] [-p PROMPT] [--json] FILE | - | -c COMMANDS", "model prompt command json",
     "run a script of commands\n"
     "Stops at the first command that fails, with file:line (of several in -c: which) and the "
     "message, and status 1. "
     "The file - is standard input. --json prints a line of JSON for each command: "
     "{\"command\":\"...\",\"result\":{...}}, with \"text\" in place of \"result\" for commands that "
     "print no data and \"error\" for the one that failed.",
     "gptscope run -c 'prompt \"Tom gave\"; run'", tool_run},
    {"info", "[-m MODEL] [--json]", "model json",
     "what a model is made of\n"
     "Architecture, hyper-parameters, parameters by component, memory, number formats, "
     "tokenizer, and what the computation runs on. Takes a file that holds only a tokenizer, "
     "too.",
     "gptscope info -m tiny-llama --json", tool_info},
    {"tokenize", "[-m MODEL] [--json] [--no-bos] TEXT | - | --decode IDS",
     "model prompt json decode no-bos",
     "text to token ids and back\n"
     "Prints a line a token: its id and its text with blanks and control characters made "
     "visible. --json prints {\"ids\":[...],\"tokens\":[...]}; in it a byte that is not part of "
     "a whole character is written as \\xNN. --decode prints the text of ids, byte for byte. "
     "Takes a file that holds only a tokenizer, too.",
     "gptscope tokenize --json 'Tom gave the red ball to Anna.'", tool_tokenize},
    {"generate", "[-m MODEL] [-n N] [--json] -p PROMPT | PROMPT | --ids IDS",
     "model prompt ids count json",
     "continue a prompt\n"
     "Prints the new text as it is made. --json prints {\"prompt_ids\":[...],\"ids\":[...],"
     "\"text\":\"...\"}, where ids are the new tokens. Stops after N tokens (64), or at the "
     "end-of-text token, which is the last of ids then. --temp 0 always takes the most likely "
     "token.",
     "gptscope generate -p 'Tom gave the red ball to Anna. Anna' -n 5 --temp 0", tool_generate},
    {"dump",
     "[-m MODEL] [--json] -p PROMPT | --ids IDS | --prompts FILE --select GLOBS [--layers LIST] "
     "[--heads LIST] [--positions RANGE] -o FILE",
     "model prompt ids prompts shard select layers heads positions output format no-sidecar json",
     "write values of the pass to a file\n"
     "The file's suffix chooses the format; -o - writes to standard output in the format given "
     "with --format. Next to FILE comes FILE.json, once FILE is complete: model, prompt, tokens, "
     "what each value is, and the command. "
     "With --prompts there is a file for each prompt: in -o {n} is the number of the prompt's "
     "line, in six digits, and {id} its id; a folder with --format npz means FOLDER/{n}.npz. "
     "Folders are made. What is complete and the same already is skipped, so a batch that was "
     "interrupted goes on when it is started again; --shard splits it. A prompt that fails is "
     "reported with its line, the others are done, and the status is 1. "
     "--json prints a line for each file.",
     "gptscope dump -p 'Tom gave' --select 'blocks.*.attn.pattern,logits' -o out.npz",
     tool_dump},
    {"diff", "A B [-m MODEL] [-p PROMPT | --ids IDS] [--tol TOL] [--json]",
     "model prompt ids tol value select all quiet picture json",
     "find the first value in which two passes differ\n"
     "A and B are dumps or models; one of them may be given with -m. A dump is an npz, npy or "
     "safetensors file by any program, under the names of gptscope, TransformerLens, Hugging Face "
     "(hidden_states.N, attentions.N, modules such as transformer.h.3.mlp) or llama.cpp. A model "
     "runs on -p, on --ids, or on the tokens that the dump holds (tokens, input_ids). What both "
     "have is compared in the order of the program, a line a value, up to the first that differs; "
     "then comes which op makes it, from what, and what can be at fault. A number differs when "
     "|A - B| > TOL x scale; scale is the root mean square of its position's numbers, of scores "
     "that of all, of attention weights and probabilities the row's largest. TOL is 1e-4 without "
     "--tol; an op is not blamed for what its inputs differ. Scores that both mask are equal "
     "(-inf, -1e9, -10000); those before the mask that it will hide are not looked at. "
     "Status 0: the same, 1: they differ.",
     "gptscope dump -p 'Tom gave' --select 'blocks.*' -o own.npz && "
     "gptscope diff own.npz -m tiny-gpt2", tool_diff},
    {"lesson", "[NUMBER | NAME | list] [STEP] [--lang zh]", "json record clean",
     "learn how a GPT works, step by step, on the live model\n"
     "Goes on where you left off, or opens the lesson of that number or name. On a terminal the "
     "lesson stands below the views that it speaks of; elsewhere it is printed, and the commands "
     "lesson next and answer are read from standard input. In Chinese with --lang zh, or where "
     "the locale is Chinese.",
     "gptscope lesson list", tool_lesson},
    {"exercise", "[list | start NAME [DIR] | check NAME [DIR] | hint NAME [TODO] | solution NAME | "
                 "watch NAME [DIR]]",
     "model json clean",
     "write the functions of a GPT in C, and have them checked\n"
     "start writes a folder with a C file that has TODOs; check compiles it with the system's C "
     "compiler, runs it on the shipped models and on other shapes, in a process of its own, and "
     "says of each TODO whether it is right, where the first wrong number is and why; status 0 when "
     "all are right. hint gives the next of three hints, solution the whole. watch runs the model "
     "on the screen with your functions in place of its own.",
     "gptscope exercise start attention my-attention", tool_exercise},
    {"models", "[--json]", "json",
     "list the models there are\n"
     "The built-in models and those found under $GPTSCOPE_MODELS, $XDG_DATA_HOME/gptscope/models,"
     " ./models, ~/models and in the Hugging Face cache.",
     "gptscope models", tool_models},
    {"check", "-m MODEL | MODEL", "model",
     "validate a model's file without running it\n"
     "Opens it, holds every tensor against the file's bounds and the model's shape, and reads "
     "the tokenizer. Status 0 if it is fine, 1 with one line if not.",
     "gptscope check -m tiny-gpt2", tool_check},
    {"bench",
     "[--ui | --dump] [-m MODEL | --shape SHAPE [--dtype TYPE]] [-n N] [--prompt-tokens N] [--json]",
     "ui dump model shape dtype count prompt-tokens json",
     "measure the speed on this machine\n"
     "What is compared is measured in turn, A B A B, in one run; medians, least and most. With "
     "--ui, what the screen takes at 200 x 50: every view drawn anew (cold: nothing kept from "
     "before) and again, a key while typing, the first frame; the model is of GPT-2's shape if "
     "none is given, -n is the most rounds of a figure, a ! marks what is over its limit. With "
     "--dump, a dump of every value to a file in $TMPDIR or here, which is removed, against a "
     "plain write of as many bytes and a copy of them in memory.",
     "gptscope bench -n 4 --prompt-tokens 16", tool_bench},
    {"completion", "bash | zsh | fish", "",
     "print the completion for a shell\n"
     "'make install' puts it where the shell looks for it. Elsewhere: eval \"$(gptscope completion "
     "bash)\" in ~/.bashrc, the same with zsh in ~/.zshrc after compinit, gptscope completion "
     "fish | source in ~/.config/fish/config.fish.",
     "gptscope completion bash", tool_completion},
    {"complete", "[--quoted] -- WORDS...", "quoted",
     "print what may stand at the end of a command line\n"
     "This is what the shells' completions ask. WORDS are those after the program's name up to the "
     "one that is being typed, which may be ''. A line for each candidate: the whole word, a tab "
     "and what it is; a word that ends in '.', '=' or ',' goes on. A line ':files' with a tab and "
     "a path says that names of files may stand there.",
     "gptscope complete -- dump --sel", tool_complete},
    {"help", "[VERB | COMMAND | TOPIC | --man [commands | values]]", "man",
     "help on a verb, a command or a topic\n"
     "--man prints a page of the manual: gptscope(1), with commands gptscope-commands(7), with "
     "values gptscope-values(7). Where it is not installed: gptscope help --man | man -l -",
     "gptscope help dump", tool_help},
    {"version", "", "",
     "print the version\n"
     "The same as --version.",
     "gptscope version", tool_version},
    {0},
};
// clang-format on

const struct tool *tool_find(const char *name)
{
    for (const struct tool *t = tool_table; t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

bool tool_hidden(const struct tool *t)
{
    return t->run == tool_complete;
}

int tool_version(const struct tool_args *a, FILE *out, struct err *err)
{
    if (a->n_rest > 0) {
        err_set(err, "version takes no '%s'", a->rest[0]);
        return 2;
    }
    fputs("gptscope " PACKAGE_VERSION "\n", out);
    return 0;
}

static void complain(const struct tool *t, int status, const struct err *err)
{
    if (!*err->text)
        return;
    fflush(stdout);
    if (status != 2)
        fprintf(stderr, "gptscope: %s\n", err->text);
    else if (*t->name)
        fprintf(stderr, "gptscope: %s; see gptscope help %s\n", err->text, t->name);
    else
        fprintf(stderr, "gptscope: %s; see gptscope --help\n", err->text);
}

static int execute(const struct tool_args *a, struct err *err)
{
    if (a->version) {
        puts("gptscope " PACKAGE_VERSION);
        return 0;
    }
    if (a->help) {
        struct str text = STR_INIT;
        if (*a->tool->name)
            tool_help_one(a->tool, &text);
        else
            tool_help_all(&text);
        tool_put(stdout, &text);
        return 0;
    }
    return a->tool->run(a, stdout, err);
}

int tool_main(int argc, char **argv)
{
    struct tool_args args;
    struct err err = ERR_INIT;
    int status = 2;
    streams_begin();
    if (tool_parse(&args, argc, argv, &err))
        status = execute(&args, &err);
    complain(args.tool, status, &err);
    struct err unwritten = ERR_INIT;
    if (!streams_end(&unwritten)) {
        if (!*err.text)
            fprintf(stderr, "gptscope: %s\n", unwritten.text);
        status = status ? status : 1;
    }
    return status;
}
