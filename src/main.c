#include "ui/tool.h"

#include <locale.h>

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers are written and read the same way everywhere */
    return tool_main(argc, argv);
}
