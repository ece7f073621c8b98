#define WIDTH 16
#include "portable.inc"

static void multiply(const Part* p, int, int format, int first, int last, const Operand* x, int streams, float* y,
                     int64_t y_stride) {
    portable_multiply(p, format, first, last, x, streams, y, y_stride);
}

extern const Kernels plain_kernels = {0, 0, 0, 0, 0, 0, multiply, prepare, finite, range, advance};
