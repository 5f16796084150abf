#include "ui/tool.h"

#include <locale.h>
#include <signal.h>

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers are written and read the same way everywhere */
    signal(SIGXFSZ, SIG_IGN);   /* a file that grows too large is an error of the write */
    return tool_main(argc, argv);
}
