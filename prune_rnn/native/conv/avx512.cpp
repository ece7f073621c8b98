#define WIDTH 64
#define REGISTERS 32
#include "filters.inc"

extern const Filters avx512_filters = FILTERS;
