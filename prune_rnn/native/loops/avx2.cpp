#define WIDTH 32
#define REGISTERS 16
#include "walks.inc"

extern const Walks avx2_walks = WALKS;
