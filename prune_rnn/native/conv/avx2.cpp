#define WIDTH 32
#define REGISTERS 16
#include "filters.inc"

extern const Filters avx2_filters = FILTERS;
