#define WIDTH 16
#define REGISTERS 16
#include "walks.inc"

extern const Walks plain_walks = WALKS;
