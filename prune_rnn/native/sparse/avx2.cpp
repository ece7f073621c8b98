// int8 alone has native formats here: 16 bytes are looked up at a time, four look-ups make a window of 64 columns.
#define WIDTH 32
#define SIGNED_VECTORS
#include <immintrin.h>

#include "portable.inc"

namespace {

constexpr int OFFSET = 1, WIDE_WINDOWS = 0;

// Two registers, of 8 rows each.
struct Pair {
    __m256i half[2];
};

// The window lies in four tables of 16 columns. `vpshufb` looks all slots up in each table, and gives zero where bit 7 of
// the index is set. That bit tells the odd tables from the even ones, bit 6 the upper two from the lower two. Unsigned times signed bytes would pass 16 bits (255 * 127 * 2):
// so the vector's values are -128 .. 127, and their magnitude (128 at most) multiplies weights that take their sign.
template <int KIND, int FORMAT>
struct Slots {
    enum { STREAMS = FORMAT == LANE_DENSE ? 4 : 2, SUMS = 2 };
    typedef Pair Sum;
    static Pair all(int32_t group) { return {{_mm256_set1_epi32(group), _mm256_set1_epi32(group)}}; }
    static Pair indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return all(((const int32_t*)index)[i]);
        const __m256i* at = (const __m256i*)(index + 64L * i);
        return {{_mm256_load_si256(at), _mm256_load_si256(at + 1)}};
    }
    template <int WIDE>
    static Pair look(const char* window, const Pair& index) {
        __m256i table[4];
#pragma GCC unroll 4
        for (int t = 0; t < 4; t++) table[t] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)(window + 16 * t)));
        auto found = [&](__m256i at) __attribute__((always_inline)) {
            const __m256i odd = _mm256_xor_si256(at, _mm256_set1_epi8((char)0x80)), upper = _mm256_slli_epi16(at, 1);
            const __m256i low = _mm256_or_si256(_mm256_shuffle_epi8(table[0], at), _mm256_shuffle_epi8(table[1], odd));
            const __m256i high = _mm256_or_si256(_mm256_shuffle_epi8(table[2], at), _mm256_shuffle_epi8(table[3], odd));
            return _mm256_blendv_epi8(low, high, upper);
        };
        const __m256i first = found(index.half[0]);
        return {{first, FORMAT == LANE_BLOCKS ? first : found(index.half[1])}};
    }
    static Pair add(const Pair& sum, const Pair& x, const char* values) {
        const __m256i ones = _mm256_set1_epi16(1), *weights = (const __m256i*)values;
        auto added = [&](int h) __attribute__((always_inline)) {
            const __m256i w = _mm256_sign_epi8(_mm256_load_si256(weights + h), x.half[h]);
            const __m256i products = _mm256_maddubs_epi16(_mm256_abs_epi8(x.half[h]), w);
            return _mm256_add_epi32(sum.half[h], _mm256_madd_epi16(products, ones));
        };
        return {{added(0), added(1)}};
    }
    static Pair plus(const Pair& a, const Pair& b) {
        return {{_mm256_add_epi32(a.half[0], b.half[0]), _mm256_add_epi32(a.half[1], b.half[1])}};
    }
    static void store(const Part* p, int slice, const Pair& sum, const Operand* x, int s, float* to) {
        const __m256i zero = _mm256_set1_epi32(x->zero[s] - SHIFTED);
        const __m256 scale = _mm256_set1_ps(x->scale[s]);
        for (int h = 0; h < 2; h++) {
            const int lane = slice * SLICE + 8 * h;
            const __m256i correction = _mm256_mullo_epi32(_mm256_load_si256((const __m256i*)(p->row_sum + lane)), zero);
            const __m256 of_rows = _mm256_mul_ps(_mm256_load_ps(p->scale + lane), scale);
            _mm256_storeu_ps(to + 8 * h, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum.half[h], correction)), of_rows));
        }
    }
};

}  // namespace

#include "lanes.inc"

namespace {

// Turns 16 x 16 bytes: each round doubles the number of rows that lie side by side.
inline void transpose_bytes(__m128i* rows) {
#pragma GCC unroll 4
    for (int round = 0; round < 4; round++) {
        __m128i next[SLICE];
#pragma GCC unroll 8
        for (int k = 0; k < SLICE / 2; k++) {
            next[2 * k] = _mm_unpacklo_epi8(rows[k], rows[k + SLICE / 2]);
            next[2 * k + 1] = _mm_unpackhi_epi8(rows[k], rows[k + SLICE / 2]);
        }
        memcpy(rows, next, sizeof next);
    }
}

void prepare_pairs(const float* x, int64_t x_stride, int first, int last, int streams, const Operand* out) {
    alignas(64) float values[SLICE] = {};
    for (int s = 0; s < streams; s += SLICE)
        for (int c = first; c < last; c += SLICE) {
            const int columns = last - c < SLICE ? last - c : SLICE, own = streams - s < SLICE ? streams - s : SLICE;
            __m128i rows[SLICE] = {};
            for (int k = 0; k < own; k++) {
                as_floats(INT8, x + (s + k) * x_stride + c, columns, 1 / out->scale[s + k], values);
                const __m256i zero = _mm256_set1_epi32(out->zero[s + k] - SHIFTED);
                const __m256i left = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_load_ps(values)), zero);
                const __m256i right = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_load_ps(values + 8)), zero);
                const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(left, right), 0xd8);
                rows[k] = _mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
            }
            transpose_bytes(rows);
            memcpy((int8_t*)out->data + s / SLICE * out->panel + c * SLICE, rows, (size_t)columns * SLICE);
        }
}

inline __m256i column_of(const int8_t* panel, size_t column) {
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i*)(panel + SLICE * column)));
}

// A pair of weights serves 16 streams at once, whose bytes lie side by side: a quarter of the cache that float32 takes.
// Slice by slice, so that all streams use a slice's weights while they are in the first cache.
void pairs(const Part* p, int first, int last, const Operand* x, int streams, float* y, int64_t y_stride) {
    const int32_t* weights = (const int32_t*)p->values;
    const uint16_t* columns = (const uint16_t*)p->index;
    for (int slice = first; slice < last; slice++, y += SLICE)
        for (int s = 0; s < streams; s += SLICE) {
            const int8_t* panel = (const int8_t*)x->data + s / SLICE * x->panel;
            alignas(64) float by_row[SLICE][SLICE], by_stream[SLICE][SLICE];
            for (int k = 0; k < SLICE; k++) {
                const int row = slice * SLICE + k;
                __m256i near = _mm256_set1_epi32(0), far = near;  // streams 0-3 and 8-11; 4-7 and 12-15
#pragma GCC unroll 4
                for (int64_t i = p->start[row], end = p->start[row + 1]; i < end; i++) {
                    const __m256i one = column_of(panel, columns[2 * i]);
                    const __m256i other = column_of(panel, columns[2 * i + 1]);
                    const __m256i weight = _mm256_set1_epi32(weights[i]);
                    near = _mm256_add_epi32(near, _mm256_madd_epi16(_mm256_unpacklo_epi16(one, other), weight));
                    far = _mm256_add_epi32(far, _mm256_madd_epi16(_mm256_unpackhi_epi16(one, other), weight));
                }
                const __m256i sum = _mm256_set1_epi32(p->row_sum[row]);
                const __m256i half[2] = {_mm256_permute2x128_si256(near, far, 0x20), _mm256_permute2x128_si256(near, far, 0x31)};
                for (int h = 0; h < 2; h++) {
                    const __m256i zero = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i*)(x->zero + s + 8 * h)), _mm256_set1_epi32(SHIFTED));
                    _mm256_store_ps(by_row[k] + 8 * h, _mm256_cvtepi32_ps(_mm256_sub_epi32(half[h], _mm256_mullo_epi32(sum, zero))));
                }
            }
            transpose(by_row[0], SLICE, by_stream[0], SLICE);
            for (int own = 0; own < SLICE && s + own < streams; own++)
                for (int k = 0; k < SLICE; k++)
                    y[(s + own) * y_stride + k] = by_stream[own][k] * (p->scale[slice * SLICE + k] * x->scale[s + own]);
        }
}

}  // namespace

static void multiply(const Part* p, int, int format, int first, int last, const Operand* x, int streams, float* y,
                     int64_t y_stride) {
    if (native(format)) native_multiply<INT8>(p, format, first, last, x, streams, y, y_stride);
    else if (format == PAIRS) pairs(p, first, last, x, streams, y, y_stride);
    else portable_multiply(p, format, first, last, x, streams, y, y_stride);
}

static void ready(int kind, int format, const float* x, int64_t x_stride, int first, int last, int streams, const Operand* out) {
    if (format == PAIRS) prepare_pairs(x, x_stride, first, last, streams, out);
    else prepare(kind, format, x, x_stride, first, last, streams, out);
}

extern const Kernels avx2_kernels = {1 << INT8, 1, 1, 64, OFFSET, WIDE_WINDOWS, multiply, ready, finite, range, advance};
