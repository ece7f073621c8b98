#define WIDTH 64
#define REGISTERS 32
#include "vector.inc"
#include "blocks.inc"
#include "filters.inc"

extern const Filters avx512_bf16_filters = FILTERS;
