#define WIDTH 16
#define REGISTERS 16
#include "walks.inc"
#include "filters.inc"

extern const Walks plain_walks = WALKS;
extern const Filters plain_filters = FILTERS;
