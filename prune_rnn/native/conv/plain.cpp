#define WIDTH 16
#define REGISTERS 16
#include "filters.inc"

extern const Filters plain_filters = FILTERS;
