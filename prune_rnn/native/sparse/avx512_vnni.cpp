// Needs F, BW, DQ, VL, VBMI, VNNI and BF16: Zen 4, Sapphire Rapids and later.
#define WIDTH 64
#include <immintrin.h>

#include "portable.inc"

namespace {

constexpr int OFFSET = 64, WIDE_WINDOWS = 1;

// A lane is a row. From a window of 128 bytes of the vector, held by two registers, one instruction looks up all slots of
// the 16 rows; another multiplies them with the values and adds each row's products to its lane. A wide window is two of
// them: more work a vector, but fewer vectors.
struct Wide {
    enum { STREAMS = 8, SUMS = 4 };
    static __m512i all(int32_t group) { return _mm512_set1_epi32(group); }
};

template <int KIND, int FORMAT>
struct Slots;

template <int FORMAT>
struct Slots<INT8, FORMAT> : Wide {
    typedef __m512i Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_load_si512(index + 64L * i);
    }
    template <int WIDE>
    static __m512i look(const char* window, __m512i index) {
        const __m512i near = _mm512_permutex2var_epi8(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
        if (!WIDE) return near;
        return _mm512_mask_mov_epi8(near, _mm512_movepi8_mask(index), look<0>(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_dpbusd_epi32(sum, x, _mm512_load_si512(values));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
    static void store(const Part* p, int slice, Sum sum, const Operand* x, int s, float* to) {
        __m512i correction = _mm512_mullo_epi32(_mm512_load_si512(p->row_sum + slice * SLICE), _mm512_set1_epi32(x->zero[s]));
        __m512 scale = _mm512_mul_ps(_mm512_load_ps(p->scale + slice * SLICE), _mm512_set1_ps(x->scale[s]));
        _mm512_storeu_ps(to, _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, correction)), scale));
    }
};

template <int FORMAT>
struct Slots<BFLOAT16, FORMAT> : Wide {
    typedef __m512 Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_cvtepu8_epi16(_mm256_load_si256((const __m256i*)(index + 32L * i)));
    }
    template <int WIDE>
    static __m512i look(const char* window, __m512i index) {
        const __m512i near = _mm512_permutex2var_epi16(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
        if (!WIDE) return near;
        return _mm512_mask_mov_epi16(near, _mm512_test_epi16_mask(index, _mm512_set1_epi16(64)), look<0>(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)_mm512_load_si512(values));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static void store(const Part*, int, Sum sum, const Operand*, int, float* to) { _mm512_storeu_ps(to, sum); }
};

template <int FORMAT>
struct Slots<FLOAT32, FORMAT> : Wide {
    typedef __m512 Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_cvtepu8_epi32(_mm_load_si128((const __m128i*)(index + 16L * i)));
    }
    template <int WIDE>
    static __m512i look(const char* window, __m512i index) {
        const __m512i near = _mm512_permutex2var_epi32(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
        if (!WIDE) return near;
        return _mm512_mask_mov_epi32(near, _mm512_test_epi32_mask(index, _mm512_set1_epi32(32)), look<0>(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_load_ps(values), sum);
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static void store(const Part*, int, Sum sum, const Operand*, int, float* to) { _mm512_storeu_ps(to, sum); }
};

}  // namespace

#include "lanes.inc"

namespace {

void multiply(const Part* p, int kind, int format, int first, int last, const Operand* x, int streams, float* y,
              int64_t y_stride) {
    if (!native(format)) portable_multiply(p, format, first, last, x, streams, y, y_stride);
    else if (kind == INT8) native_multiply<INT8>(p, format, first, last, x, streams, y, y_stride);
    else if (kind == BFLOAT16) native_multiply<BFLOAT16>(p, format, first, last, x, streams, y, y_stride);
    else native_multiply<FLOAT32>(p, format, first, last, x, streams, y, y_stride);
}

}  // namespace

extern const Kernels avx512_vnni_kernels = {1 << FLOAT32 | 1 << BFLOAT16 | 1 << INT8, 0, 0, WINDOW, OFFSET, WIDE_WINDOWS, multiply, prepare, finite, range, advance};
