#include <stdio.h>

int main(void)
{
    puts("gptscope");
    return 0;
}
