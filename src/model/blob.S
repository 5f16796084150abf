/* The built-in models, put into the program as they lie in assets/models. The assembler gets
 * the source folder with -I. */
#ifdef __APPLE__
#define SYMBOL(name) _##name
        .const
#else
#define SYMBOL(name) name
        .section .rodata
#endif

        .globl  SYMBOL(blob_tiny_gpt2), SYMBOL(blob_tiny_gpt2_end)
        .balign 64
SYMBOL(blob_tiny_gpt2):
        .incbin "assets/models/tiny-gpt2.gguf"
SYMBOL(blob_tiny_gpt2_end):
        .byte   0

        .globl  SYMBOL(blob_tiny_llama), SYMBOL(blob_tiny_llama_end)
        .balign 64
SYMBOL(blob_tiny_llama):
        .incbin "assets/models/tiny-llama.gguf"
SYMBOL(blob_tiny_llama_end):
        .byte   0

#ifdef __ELF__
        .section .note.GNU-stack, "", %progbits
#endif
