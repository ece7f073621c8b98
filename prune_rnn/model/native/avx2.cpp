#define WIDTH 32
#define REGISTERS 16
#include "walks.inc"
#include "filters.inc"

extern const Walks avx2_walks = WALKS;
extern const Filters avx2_filters = FILTERS;
