// Needs F, BW, DQ, VL, VBMI, VNNI and BF16: Zen 4, Sapphire Rapids and later.
#define WIDTH 64
#include <immintrin.h>

#include "portable.inc"

namespace {

// A lane is a row. From a window of 128 bytes of the vector, held by two registers, one instruction looks up all slots of
// the 16 rows; another multiplies them with the values and adds each row's products to its lane. A wide window is two of
// them: more work a vector, but fewer vectors.
template <int KIND, int FORMAT>
struct Slots;

template <int FORMAT>
struct Slots<INT8, FORMAT> {
    typedef __m512i Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_load_si512(index + 64L * i);
    }
    static __m512i look(const char* window, __m512i index) {
        return _mm512_permutex2var_epi8(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
    }
    static __m512i look_wide(const char* window, __m512i index) {
        return _mm512_mask_mov_epi8(look(window, index), _mm512_movepi8_mask(index), look(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_dpbusd_epi32(sum, x, _mm512_load_si512(values));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
    static __m512 result(const Part* p, int slice, Sum sum, const Operand* x, int s) {
        __m512i correction = _mm512_mullo_epi32(_mm512_load_si512(p->row_sum + slice * SLICE), _mm512_set1_epi32(x->zero[s]));
        __m512 scale = _mm512_mul_ps(_mm512_load_ps(p->scale + slice * SLICE), _mm512_set1_ps(x->scale[s]));
        return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, correction)), scale);
    }
};

template <int FORMAT>
struct Slots<BFLOAT16, FORMAT> {
    typedef __m512 Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_cvtepu8_epi16(_mm256_load_si256((const __m256i*)(index + 32L * i)));
    }
    static __m512i look(const char* window, __m512i index) {
        return _mm512_permutex2var_epi16(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
    }
    static __m512i look_wide(const char* window, __m512i index) {
        return _mm512_mask_mov_epi16(look(window, index), _mm512_test_epi16_mask(index, _mm512_set1_epi16(64)), look(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)_mm512_load_si512(values));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static __m512 result(const Part*, int, Sum sum, const Operand*, int) { return sum; }
};

template <int FORMAT>
struct Slots<FLOAT32, FORMAT> {
    typedef __m512 Sum;
    static __m512i indices(const uint8_t* index, int i) {
        if (FORMAT == LANE_BLOCKS) return _mm512_set1_epi32(((const int32_t*)index)[i]);
        return _mm512_cvtepu8_epi32(_mm_load_si128((const __m128i*)(index + 16L * i)));
    }
    static __m512i look(const char* window, __m512i index) {
        return _mm512_permutex2var_epi32(_mm512_load_si512(window), index, _mm512_load_si512(window + 64));
    }
    static __m512i look_wide(const char* window, __m512i index) {
        return _mm512_mask_mov_epi32(look(window, index), _mm512_test_epi32_mask(index, _mm512_set1_epi32(32)), look(window + WINDOW, index));
    }
    static Sum add(Sum sum, __m512i x, const char* values) {
        return _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_load_ps(values), sum);
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_ps(a, b); }
    static __m512 result(const Part*, int, Sum sum, const Operand*, int) { return sum; }
};

// Where the windows of the vectors from i on begin. Read four vectors ahead: behind all the loads of windows that wait for
// their turn, a load of where the next one begins would come too late.
inline uint64_t four_offsets(const Part* p, int i) {
    uint64_t four;
    __builtin_memcpy(&four, p->offset + i, 8);
    return four;
}

template <int KIND, int FORMAT, int WIDE, int STREAMS>
void lanes(const Part* p, int slice, int last, const Operand* x, int from, float* y, int64_t y_stride) {
    y += from * y_stride;
    typedef Slots<KIND, FORMAT> S;
    constexpr int UNROLL = STREAMS >= 4 ? 1 : 4 / STREAMS;
    const uint8_t* index = (const uint8_t*)p->index;
    const char* data = (const char*)x->data + from * x->stride;
    for (; slice < last; slice++) {
        typename S::Sum sum[UNROLL][STREAMS] = {};
        int first = p->start[slice], i = first, end = p->start[slice + 1];
        auto step = [&](int u, int64_t offset) __attribute__((always_inline)) {
            const char* values = (const char*)p->values + 64L * i;
            if (FORMAT == LANE_DENSE) {
                const char* at = data + 4L * (i - first);
                for (int s = 0; s < STREAMS; s++) {
                    int32_t group;
                    __builtin_memcpy(&group, at + s * x->stride, 4);
                    sum[u][s] = S::add(sum[u][s], _mm512_set1_epi32(group), values);
                }
            } else {
                const char* window = data + WINDOW_STEP * offset;
                __m512i slots = S::indices(index, i);
                for (int s = 0; s < STREAMS; s++) {
                    const char* at = window + s * x->stride;
                    sum[u][s] = S::add(sum[u][s], WIDE ? S::look_wide(at, slots) : S::look(at, slots), values);
                }
            }
            i++;
        };
        uint64_t next = four_offsets(p, i);
        while (i + 4 <= end) {
            uint64_t now = next;
            next = four_offsets(p, i + 4);
            for (int u = 0; u < 4; u++, now >>= 16) step(u % UNROLL, now & 0xffff);
        }
        for (; i < end; next >>= 16) step(0, next & 0xffff);
#pragma GCC unroll 8  // a loop would have the sums in memory, and that cleared for each slice
        for (int s = 0; s < STREAMS; s++) {
            for (int u = 1; u < UNROLL; u++) sum[0][s] = S::plus(sum[0][s], sum[u][s]);
            __m512 result = S::result(p, slice, sum[0][s], x, from + s);
            float* out = y + s * y_stride;
            if (p->order) {
                alignas(64) float lane[SLICE];
                _mm512_store_ps(lane, result);
                for (int k = 0; k < SLICE; k++) out[p->order[slice * SLICE + k]] = lane[k];
            } else {
                _mm512_storeu_ps(out, result);
            }
        }
        if (!p->order) y += SLICE;
    }
}

template <int KIND, int FORMAT, int WIDE>
void all_streams(const Part* p, int first, int end, const Operand* x, int streams, float* y, int64_t y_stride) {
    constexpr int NEAR = FORMAT == LANE_DENSE ? 2048 : 4096;  // vectors of values that stay in the cache while all streams use them
    for (int slice = first, last; slice < end; slice = last) {
        for (last = slice + 1; last < end && p->start[last + 1] - p->start[slice] <= NEAR;) last++;
        float* to = p->order ? y : y + (slice - first) * SLICE;
        for (int s = 0; s < streams;) {
            int left = streams - s;
            if (left >= 8) lanes<KIND, FORMAT, WIDE, 8>(p, slice, last, x, s, to, y_stride), s += 8;
            else if (left >= 4) lanes<KIND, FORMAT, WIDE, 4>(p, slice, last, x, s, to, y_stride), s += 4;
            else if (left >= 2) lanes<KIND, FORMAT, WIDE, 2>(p, slice, last, x, s, to, y_stride), s += 2;
            else lanes<KIND, FORMAT, WIDE, 1>(p, slice, last, x, s, to, y_stride), s += 1;
        }
    }
}

template <int KIND>
void native_multiply(const Part* p, int format, int first, int last, const Operand* x, int streams, float* y,
                     int64_t y_stride) {
    if (format == LANES && p->wide) all_streams<KIND, LANES, 1>(p, first, last, x, streams, y, y_stride);
    else if (format == LANES) all_streams<KIND, LANES, 0>(p, first, last, x, streams, y, y_stride);
    else if (format == LANE_BLOCKS) all_streams<KIND, LANE_BLOCKS, 0>(p, first, last, x, streams, y, y_stride);
    else all_streams<KIND, LANE_DENSE, 0>(p, first, last, x, streams, y, y_stride);
}

void multiply(const Part* p, int kind, int format, int first, int last, const Operand* x, int streams, float* y,
              int64_t y_stride) {
    if (!native(format)) portable_multiply(p, format, first, last, x, streams, y, y_stride);
    else if (kind == INT8) native_multiply<INT8>(p, format, first, last, x, streams, y, y_stride);
    else if (kind == BFLOAT16) native_multiply<BFLOAT16>(p, format, first, last, x, streams, y, y_stride);
    else native_multiply<FLOAT32>(p, format, first, last, x, streams, y, y_stride);
}

}  // namespace

extern const Kernels avx512_kernels = {multiply, prepare, finite, range, rnn, gru};
