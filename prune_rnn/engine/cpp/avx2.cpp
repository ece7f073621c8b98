#define WIDTH 32
#include "portable.inc"

static void multiply(const Part* p, int, int format, const Operand* x, int streams, float* y, int64_t y_stride) {
    portable_multiply(p, format, x, streams, y, y_stride);
}

extern const Kernels avx2_kernels = {multiply, prepare, finite, range, rnn, gru};
