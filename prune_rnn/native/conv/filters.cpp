// Lays out what the convolutions of filters.h see and runs them on several threads. The C functions at the end are all
// that others call.
#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "../common/buffer.h"
#include "filters.h"
#include "../common/sets.h"
#include "../common/threads.h"

namespace {

inline int32_t as_bits(float value) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float as_float(int32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace

#include "../common/functions.inc"

namespace {

const OfSets<Filters> of_sets{{&plain_filters, IF_AVX2(&avx2_filters), IF_AVX512(&avx512_filters),
                               IF_AVX512_VNNI(&avx512_vnni_filters), nullptr, nullptr}};

// How the padded bins of a frame and channel lie in a row of `Filter`'s x: `stride` phases of `length` values.
struct Layout {
    int64_t bins, padding, stride, length;
    bool rounded;

    // visit(place in the row, value) for each bin
    template <typename Visit>
    void each(const float* from, const Visit& visit) const {
        for (int64_t phase = 0; phase < stride; phase++) {
            const int64_t first = std::max<int64_t>(0, (padding - phase + stride - 1) / stride);
            for (int64_t at = first; at * stride + phase - padding < bins; at++) {
                const float value = from[at * stride + phase - padding];
                visit(phase * length + at, rounded ? bfloat16(value) : value);
            }
        }
    }
};

}  // namespace

extern "C" {

// For the arrays see `Ahead`.
API void prune_rnn_row_convolution(int frames, int taps, int units, int tanh, int threads, int set, const float* x,
                                   const float* weight, const float* gain, const float* shift, float* y) {
    const Ahead ahead{frames, taps, units, tanh, x, weight, gain, shift, y};
    const Filters& filters = of_sets.best(set);
    const int64_t tile = 2 * filters.lanes, count = (ahead.units + tile - 1) / tile;
    in_parts(count, ahead.frames * taps * units, threads, [&](int64_t from, int64_t to) {
        filters.ahead(&ahead, from * tile, std::min(ahead.units, to * tile));
    });
}

// Whether weights that are rounded to bfloat16 are wanted in pairs.
API int prune_rnn_in_pairs(int set) { return of_sets.best(set).pairs; }

// sizes: utterances, frames, channels and bins in; channels out, the kernel's bins and frames, both strides, padding of
// bins. x: (utterances, frames, channels, bins). For the others see `Filter`. Returns 0; 1 where memory is short.
API int prune_rnn_convolution(const int64_t* sizes, int rounded, int tanh, int threads, int set, const float* x,
                              const float* weight, const float* gain, const float* shift, float* y) {
    const int64_t utterances = sizes[0], frames = sizes[1], channels_in = sizes[2], bins = sizes[3], channels = sizes[4];
    const int64_t kernel = sizes[5], taps = sizes[6], stride = sizes[7], step = sizes[8], padding = sizes[9];
    const int64_t each = (frames - taps) / step + 1, out = (bins + 2 * padding - kernel) / stride + 1;
    const Filters& filters = of_sets.best(set);
    const int64_t span = SPAN * filters.lanes, most = (bins + 2 * padding + stride - 1) / stride;
    const int64_t length = std::max((out + span - 1) / span * span + (kernel - 1) / stride, most), row = stride * length;
    const int64_t together = rounded && filters.pairs ? 2 : 1, inputs = (channels_in + together - 1) / together;
    try {
        const Buffer<float> rows = buffer<float>(utterances * frames * inputs * row);  // zeroed: so is the padding
        const Layout layout{bins, padding, stride, length, rounded != 0};
        in_parts(utterances * frames, utterances * frames * inputs * row, threads, [&](int64_t from, int64_t to) {
            for (int64_t i = from * channels_in; i < to * channels_in; i++) {
                const int64_t frame = i / channels_in, channel = i % channels_in;
                float* own = rows.get() + (frame * inputs + channel / together) * row;
                layout.each(x + i * bins, [&](int64_t at, float value) {
                    if (together == 1) own[at] = value;
                    else if (channel % 2 == 0) own[at] = as_float(as_bits(value) >> 16 & 0xffff);  // the lower half
                    else own[at] = as_float(as_bits(own[at]) | as_bits(value));
                });
            }
        });
        std::vector<int64_t> offset(kernel);
        for (int64_t k = 0; k < kernel; k++) offset[k] = k % stride * length + k / stride;
        const Filter filter{channels, out, utterances * each, each, frames, step, taps, inputs, kernel, row,
                            offset.data(), rounded, tanh, rows.get(), weight, gain, shift, y};
        const int64_t count = (channels + BLOCK - 1) / BLOCK * filter.outputs;
        in_parts(count, count * BLOCK * out * taps * inputs * kernel, threads,
                 [&](int64_t from, int64_t to) { filters.filter(&filter, from, to); });
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

}
