// Runs the time loops of loops.h on several threads, each of which walks all steps for utterances of its own, and the
// convolutions. The C functions at the end are all that others call.
#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "buffer.h"
#include "loops.h"

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

#include "functions.inc"

namespace {

enum Set { PLAIN = 0, AVX2 = 1, AVX512 = 2 };
enum Status { DONE = 0, NO_MEMORY = 1, BAD_SIZES = 2 };

Set best_set() {
#if defined(__x86_64__) && defined(HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return AVX512;
#endif
#if defined(__x86_64__) && defined(HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
    return PLAIN;
}

const Walks& walks_of(int set) {
#ifdef HAVE_AVX512
    if (set == AVX512) return avx512_walks;
#endif
#ifdef HAVE_AVX2
    if (set >= AVX2) return avx2_walks;
#endif
    (void)set;
    return plain_walks;
}

// Whether a thread flushes denormal numbers to zero, which each thread decides for itself: they cost a hundred times
// more to reckon with. The thread that made this decides for the threads that enter it.
class Denormals {
public:
#if defined(__x86_64__)
    unsigned enter() const {
        unsigned own = _mm_getcsr();
        _mm_setcsr((own & ~FLUSH) | (wanted_ & FLUSH));
        return own;
    }
    void leave(unsigned own) const { _mm_setcsr((_mm_getcsr() & ~FLUSH) | (own & FLUSH)); }

private:
    static constexpr unsigned FLUSH = 0x8040;  // results, operands
    unsigned wanted_ = _mm_getcsr();
#else
    unsigned enter() const { return 0; }
    void leave(unsigned) const {}
#endif
};

// The matrix as the loops read it. weight: (gates * units, units). Forward, the states' units are summed over; backward,
// the products of all gates.
Buffer<float> packed(const float* weight, int64_t gates, int64_t units, bool backward, int64_t lanes) {
    const int64_t depth = backward ? gates * units : units;
    const bool by_gate = gates > 1 && !backward;
    const int64_t vectors = (units + lanes - 1) / lanes, tile_units = by_gate ? lanes : 2 * lanes;
    Buffer<float> tiled = buffer<float>(vectors * (by_gate ? gates : 1) * depth * lanes);
    for (int64_t unit = 0; unit < units; unit += tile_units) {
        const int64_t width = by_gate ? gates * lanes : std::min(tile_units, vectors * lanes - unit);
        const int64_t count = std::min(tile_units, units - unit);
        float* tile = tiled.get() + unit * depth * (by_gate ? gates : 1);
        if (backward)
            for (int64_t k = 0; k < depth; k++) std::memcpy(tile + k * width, weight + k * units + unit, 4 * (size_t)count);
        else
            for (int64_t gate = 0; gate < gates; gate++)
                for (int64_t i = 0; i < count; i++)
                    for (int64_t k = 0; k < depth; k++)
                        tile[k * width + gate * lanes + i] = weight[(gate * units + unit + i) * units + k];
    }
    return tiled;
}

// The first utterance of each group, and the end: groups of about as many frames, at least one utterance each.
std::vector<int64_t> boundaries(const Loop& loop, int64_t frames, int64_t groups) {
    std::vector<int64_t> first{0};
    int64_t sum = 0, utterances = loop.sizes[0], length = loop.steps;
    for (int64_t i = 0; i < utterances; i++) {
        const int64_t begun = (int64_t)first.size();
        if (i > first.back() && begun < groups && (sum * groups >= frames * begun || utterances - i == groups - begun))
            first.push_back(i);
        while (loop.sizes[length - 1] <= i) length--;
        sum += length;
    }
    first.push_back(utterances);
    return first;
}

// How many threads are worth waking for so many products: one from some ten microseconds on.
int64_t worth(int threads, int64_t most, int64_t products) {
    return std::max<int64_t>(1, std::min({(int64_t)threads, most, 1 + products / 400000}));
}

// body(group) for each group, on a thread of its own.
template <typename Body>
void in_groups(int64_t groups, const Body& body) {
    if (groups == 1) return body(0);
    const Denormals denormals;
#ifdef _OPENMP
#pragma omp parallel for schedule(static, 1) num_threads((int)groups)
#endif
    for (int64_t group = 0; group < groups; group++) {
        const unsigned own = denormals.enter();
        body(group);
        denormals.leave(own);
    }
}

void run(const Loop& loop, int64_t gates, int64_t frames, int threads, Walk walk) {
    const int64_t groups = worth(threads, loop.sizes[0], frames * gates * loop.units * loop.units);
    const std::vector<int64_t> first = boundaries(loop, frames, groups);
    in_groups(groups, [&](int64_t group) { walk(&loop, first[group], first[group + 1]); });
}

int checked_run(Loop loop, int64_t gates, const float* weight, int64_t frames, int threads, int set, bool backward) {
    int64_t sum = 0;
    if (loop.steps < 1) return BAD_SIZES;
    for (int t = 0; t < loop.steps; t++) {
        if (loop.sizes[t] < 1 || (t > 0 && loop.sizes[t] > loop.sizes[t - 1])) return BAD_SIZES;
        sum += loop.sizes[t];
    }
    if (sum != frames) return BAD_SIZES;
    try {
        std::vector<int64_t> first(loop.steps);
        for (int t = 1; t < loop.steps; t++) first[t] = first[t - 1] + loop.sizes[t - 1];
        const Walks& walks = walks_of(set);
        const Buffer<float> tiled = packed(weight, gates, loop.units, backward, walks.lanes);
        const Buffer<float> carry = buffer<float>(backward ? loop.sizes[0] * loop.units : 0);
        const Buffer<float> product = buffer<float>(backward && gates > 1 ? loop.sizes[0] * gates * loop.units : 0);
        loop.first = first.data(), loop.weight = tiled.get(), loop.carry = carry.get(), loop.product = product.get();
        const Walk walk = gates == 1 ? (backward ? walks.rnn_backward : walks.rnn_forward)
                                     : (backward ? walks.gru_backward : walks.gru_forward);
        run(loop, gates, frames, threads, walk);
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

// body(from, to) on parts of 0 .. count - 1.
template <typename Body>
void in_parts(int64_t count, int64_t products, int threads, const Body& body) {
    const int64_t groups = worth(threads, count, products);
    in_groups(groups, [&](int64_t group) { body(count * group / groups, count * (group + 1) / groups); });
}

}  // namespace

#define API __attribute__((visibility("default")))

extern "C" {

API int prune_rnn_instruction_set() { return best_set(); }

// gates: 1 (RNN) or 3 (GRU). sizes: (steps,). For the other arrays see `Loop`; the RNN has none of the GRU's.
// Returns 0; 1 where memory is short; 2 where the sizes grow, aren't positive or don't add up to `frames`.
API int prune_rnn_loop_forward(int gates, int units, int steps, int64_t frames, const int64_t* sizes, int tanh, int reverse,
                           int threads, int set, const float* weight, const float* x, float* gate_values,
                           float* candidate, float* hidden) {
    Loop loop{};
    loop.steps = steps, loop.units = units, loop.tanh = tanh, loop.reverse = reverse, loop.sizes = sizes;
    loop.x = x, loop.gates = gate_values, loop.candidate = candidate, loop.hidden = hidden;
    return checked_run(loop, gates, weight, frames, threads, set, false);
}

API int prune_rnn_loop_backward(int gates, int units, int steps, int64_t frames, const int64_t* sizes, int tanh, int reverse,
                            int threads, int set, const float* weight, float* gate_values, float* candidate,
                            float* hidden, const float* grad_hidden, float* grad_x, float* grad_uh, float* states) {
    Loop loop{};
    loop.steps = steps, loop.units = units, loop.tanh = tanh, loop.reverse = reverse, loop.sizes = sizes;
    loop.gates = gate_values, loop.candidate = candidate, loop.hidden = hidden;
    loop.grad_hidden = grad_hidden, loop.grad_x = grad_x, loop.grad_uh = grad_uh, loop.states = states;
    return checked_run(loop, gates, weight, frames, threads, set, true);
}

// For the arrays see `Ahead`.
API void prune_rnn_row_convolution(int frames, int taps, int units, int tanh, int threads, int set, const float* x,
                                   const float* weight, const float* gain, const float* shift, float* y) {
    const Ahead ahead{frames, taps, units, tanh, x, weight, gain, shift, y};
    const Walks& walks = walks_of(set);
    const int64_t tile = 2 * walks.lanes, count = (ahead.units + tile - 1) / tile;
    in_parts(count, ahead.frames * taps * units, threads, [&](int64_t from, int64_t to) {
        walks.ahead(&ahead, from * tile, std::min(ahead.units, to * tile));
    });
}

// sizes: utterances, frames, channels and bins in; channels out, the kernel's bins and frames, both strides, padding of
// bins. x: (utterances, frames, channels, bins). For the others see `Filter`. Returns 0; 1 where memory is short.
API int prune_rnn_convolution(const int64_t* sizes, int rounded, int threads, int set, const float* x,
                              const float* weight, float* y) {
    const int64_t utterances = sizes[0], frames = sizes[1], inputs = sizes[2], bins = sizes[3], channels = sizes[4];
    const int64_t kernel = sizes[5], taps = sizes[6], stride = sizes[7], step = sizes[8], padding = sizes[9];
    const int64_t each = (frames - taps) / step + 1, out = (bins + 2 * padding - kernel) / stride + 1;
    const Walks& walks = walks_of(set);
    const int64_t span = SPAN * walks.lanes, most = (bins + 2 * padding + stride - 1) / stride;
    const int64_t length = std::max((out + span - 1) / span * span + (kernel - 1) / stride, most), row = stride * length;
    try {
        const Buffer<float> rows = buffer<float>(utterances * frames * inputs * row);  // zeroed: so is the padding
        for (int64_t i = 0; i < utterances * frames * inputs; i++) {
            float* to = rows.get() + i * row;
            for (int64_t phase = 0; phase < stride; phase++) {
                const int64_t first = std::max<int64_t>(0, (padding - phase + stride - 1) / stride);
                for (int64_t at = first; at * stride + phase - padding < bins; at++)
                    to[phase * length + at] = x[i * bins + at * stride + phase - padding];
            }
            if (rounded)
                for (int64_t at = 0; at < row; at++) to[at] = bfloat16(to[at]);
        }
        std::vector<int64_t> offset(kernel);
        for (int64_t k = 0; k < kernel; k++) offset[k] = k % stride * length + k / stride;
        const Filter filter{channels, out, utterances * each, each, frames, step, taps, inputs, kernel, row,
                            offset.data(), rounded, rows.get(), weight, y};
        const int64_t count = (channels + BLOCK - 1) / BLOCK * filter.outputs;
        in_parts(count, count * BLOCK * out * taps * inputs * kernel, threads,
                 [&](int64_t from, int64_t to) { walks.filter(&filter, from, to); });
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}
}
