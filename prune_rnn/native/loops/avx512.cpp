#define WIDTH 64
#define REGISTERS 32
#include "walks.inc"

extern const Walks avx512_walks = WALKS;
