// The C functions: all that others call.
#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "matrix.h"
#include "parallel.h"

namespace {
const OfSets<Kernels> of_sets{{&plain_kernels, IF_AVX2(&avx2_kernels), nullptr, IF_AVX512_VNNI(&avx512_vnni_kernels),
                               IF_NEON(&neon_kernels), IF_NEON_DOT(&neon_dot_kernels)}};

bool is_fork = false;
#if defined(__unix__) || defined(__APPLE__)
const int noted = pthread_atfork(nullptr, nullptr, [] { is_fork = true; });
#endif
}  // namespace

const Kernels& kernels_of(int set) { return of_sets.best(set); }

bool forked() {
#if defined(__unix__) || defined(__APPLE__)
    (void)noted;
#endif
    return is_fork;
}

extern "C" {

// Whether the set has the format for weights of the kind.
API int prune_rnn_has(int set, int kind, int format) {
    const Kernels& kernels = kernels_of(set);
    return format == ROWS || format == BLOCKS || (native(format) && kernels.native_kinds >> kind & 1) ||
           (format == PAIRS && kernels.pairs && kind == INT8);
}

// dense: (rows, columns); scale: (rows,) or null. Returns null where memory is short.
API void* prune_rnn_pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads,
                     int set, int format, int streams) {
    try {
        return pack(rows, columns, gates, dense, scale, kind, threads, set, format, streams);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

API void prune_rnn_free(void* matrix) { delete static_cast<Matrix*>(matrix); }

// parts, bytes, vectors, weights that are not zero
API void prune_rnn_describe(const void* matrix, int64_t* out) {
    const Matrix& m = *static_cast<const Matrix*>(matrix);
    out[0] = (int64_t)m.parts.size(), out[1] = m.bytes(), out[2] = m.vectors, out[3] = m.nonzero;
}

// x: (streams, columns) -> y: (streams, rows). Returns 0, or 1 where memory is short.
API int prune_rnn_product(const void* matrix, int streams, const float* x, float* y) {
    try {
        product(*static_cast<const Matrix*>(matrix), streams, x, y);
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}

// x: (steps, streams, gates * units) -> out: (steps, streams, units); state: (streams, vectors * units), replaced.
// Returns 0, or 1 where memory is short.
API int prune_rnn_layer(const void* matrix, int cell, int activation, int steps, int streams,
                    int reverse, const float* x, float* state, float* out) {
    try {
        layer({cell, activation, steps, streams, x},
              {static_cast<const Matrix*>(matrix), reverse != 0, state, out});
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}

// The same for two matrices side by side, the second's from the last step to the first.
API int prune_rnn_both_ways(const void* matrix, const void* back, int cell, int activation, int steps, int streams,
                            const float* x, float* state, float* out, float* back_state,
                            float* back_out) {
    try {
        both_ways({cell, activation, steps, streams, x}, {static_cast<const Matrix*>(matrix), false, state, out},
                  {static_cast<const Matrix*>(back), true, back_state, back_out});
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}
}
