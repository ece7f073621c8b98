#define WIDTH 64
#define REGISTERS 32
#include "walks.inc"
#include "filters.inc"

extern const Walks avx512_walks = WALKS;
extern const Filters avx512_filters = FILTERS;
