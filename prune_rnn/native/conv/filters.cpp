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

// A convolution's sizes, and its input laid out as `Filter` has it: rows of `stride` phases of `length` values.
struct Shape {
    int64_t utterances, frames, channels_in, bins, channels, kernel, taps, stride, step, padding;
    int64_t each, out, together, inputs, length, row;

    // lanes: of the registers. pairs: two channels in lie together
    Shape(const int64_t* sizes, int lanes, bool pairs)
        : utterances(sizes[0]), frames(sizes[1]), channels_in(sizes[2]), bins(sizes[3]), channels(sizes[4]),
          kernel(sizes[5]), taps(sizes[6]), stride(sizes[7]), step(sizes[8]), padding(sizes[9]),
          each((frames - taps) / step + 1), out((bins + 2 * padding - kernel) / stride + 1), together(pairs ? 2 : 1),
          inputs((channels_in + together - 1) / together) {
        const int64_t span = SPAN * lanes, most = (bins + 2 * padding + stride - 1) / stride;
        length = std::max((out + span - 1) / span * span + (kernel - 1) / stride, most);
        row = stride * length;
    }

    // visit(place in the row, value) for each bin of a frame and channel
    template <typename Visit>
    void each_bin(const float* from, const Visit& visit) const {
        for (int64_t phase = 0; phase < stride; phase++) {
            const int64_t first = std::max<int64_t>(0, (padding - phase + stride - 1) / stride);
            for (int64_t at = first; at * stride + phase - padding < bins; at++)
                visit(phase * length + at, from[at * stride + phase - padding]);
        }
    }

    Buffer<float> rows(const float* x, bool rounded, int threads) const {
        Buffer<float> made = buffer<float>(utterances * frames * inputs * row);  // zeroed: so is the padding
        in_parts(utterances * frames, utterances * frames * inputs * row, threads, [&](int64_t from, int64_t to) {
            for (int64_t i = from * channels_in; i < to * channels_in; i++) {
                const int64_t frame = i / channels_in, channel = i % channels_in;
                float* own = made.get() + (frame * inputs + channel / together) * row;
                each_bin(x + i * bins, [&](int64_t at, float exact) {
                    const float value = rounded ? bfloat16(exact) : exact;
                    if (together == 1) own[at] = value;
                    else if (channel % 2 == 0) own[at] = as_float(as_bits(value) >> 16 & 0xffff);  // the lower half
                    else own[at] = as_float(as_bits(own[at]) | as_bits(value));
                });
            }
        });
        return made;
    }

    // Of the kernel's bins, up to a multiple of SPAN; the last are those of bin 0.
    std::vector<int64_t> offsets() const {
        std::vector<int64_t> found((kernel + SPAN - 1) / SPAN * SPAN);
        for (int64_t k = 0; k < kernel; k++) found[k] = k % stride * length + k / stride;
        return found;
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
    const Filters& filters = of_sets.best(set);
    const Shape s(sizes, filters.lanes, rounded && filters.pairs);
    try {
        const Buffer<float> rows = s.rows(x, rounded, threads);
        const std::vector<int64_t> offset = s.offsets();
        const Filter filter{s.channels, s.out, s.utterances * s.each, s.each, s.frames, s.step, s.taps, s.inputs, s.kernel,
                            s.row, offset.data(), rounded, tanh, rows.get(), weight, gain, shift, y};
        const int64_t count = (s.channels + BLOCK - 1) / BLOCK * filter.outputs;
        in_parts(count, count * BLOCK * s.out * s.taps * s.inputs * s.kernel, threads,
                 [&](int64_t from, int64_t to) { filters.filter(&filter, from, to); });
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

// The gradient of the weights. sizes, x: as above. gradient: of y, (utterances, frames, channels, bins out). y: (channels
// out, channels in, the kernel's bins, frames). Returns 0; 1 where memory is short.
API int prune_rnn_convolution_weights(const int64_t* sizes, int threads, int set, const float* x, const float* gradient,
                                      float* y) {
    const Filters& filters = of_sets.best(set);
    const Shape s(sizes, filters.lanes, false);
    const int64_t blocks = (s.channels + BLOCK - 1) / BLOCK, outputs = s.utterances * s.each;
    const int64_t width = (s.out + filters.lanes - 1) / filters.lanes * filters.lanes;
    try {
        const Buffer<float> rows = s.rows(x, false, threads);
        const Buffer<float> wide = buffer<float>(outputs * blocks * BLOCK * width);
        in_parts(outputs, outputs * s.channels * width, threads, [&](int64_t from, int64_t to) {
            for (int64_t i = from * s.channels; i < to * s.channels; i++)
                std::copy_n(gradient + i * s.out, s.out,
                            wide.get() + (i / s.channels * blocks * BLOCK + i % s.channels) * width);
        });
        const std::vector<int64_t> offset = s.offsets();
        const int64_t count = blocks * s.taps * s.inputs * (int64_t)offset.size() / SPAN;
        const Buffer<float> sums = buffer<float>(count * BLOCK * SPAN * filters.lanes);
        const Weights weights{s.channels, width, s.utterances, s.each, s.frames, s.step, s.taps, s.inputs, s.kernel,
                              s.row, offset.data(), rows.get(), wide.get(), sums.get(), y};
        in_parts(count, count * BLOCK * SPAN * outputs * width, threads,
                 [&](int64_t from, int64_t to) { filters.weights(&weights, from, to); });
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

}
