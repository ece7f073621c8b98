// Runs the time loops of loops.h on several threads, each of which walks all steps for utterances of its own. The C
// functions at the end are all that others call.
#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "../common/buffer.h"
#include "loops.h"
#include "../common/sets.h"
#include "../common/threads.h"

namespace {

const OfSets<Walks> of_sets{{&plain_walks, IF_AVX2(&avx2_walks), IF_AVX512(&avx512_walks), nullptr, nullptr, nullptr}};

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

void run(const Loop& loop, int64_t gates, int64_t frames, int threads, Walk walk) {
    const int64_t groups = worth(threads, loop.sizes[0], frames * gates * loop.units * loop.units);
    const std::vector<int64_t> first = boundaries(loop, frames, groups);
    in_groups(groups, [&](int64_t group) { walk(&loop, first[group], first[group + 1]); });
}

int checked_run(Loop loop, int cell, const float* weight, int64_t frames, int threads, int set, bool backward) {
    const int64_t gates = shape_of(cell).gates;
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
        const Walks& walks = of_sets.best(set);
        const Buffer<float> tiled = packed(weight, gates, loop.units, backward, walks.lanes);
        const int64_t wide = backward ? loop.sizes[0] * loop.units : 0;
        const Buffer<float> carry = buffer<float>(wide), inner_carry = buffer<float>(cell == LSTM ? wide : 0);
        const Buffer<float> product = buffer<float>(cell == GRU ? gates * wide : 0);
        loop.first = first.data(), loop.weight = tiled.get(), loop.product = product.get();
        loop.carry = carry.get(), loop.inner_carry = inner_carry.get();
        run(loop, gates, frames, threads, (backward ? walks.backward : walks.forward)[cell]);
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

}  // namespace

extern "C" {

// sizes: (steps,). For the other arrays see `Loop`; null are those that the cell lacks.
// Returns 0; 1 where memory is short; 2 where the sizes grow, aren't positive or don't add up to `frames`.
API int prune_rnn_loop_forward(int cell, int units, int steps, int64_t frames, const int64_t* sizes, int tanh, int reverse,
                           int threads, int set, const float* weight, const float* x, float* gate_values,
                           float* inner, float* hidden) {
    Loop loop{};
    loop.steps = steps, loop.units = units, loop.tanh = tanh, loop.reverse = reverse, loop.sizes = sizes;
    loop.x = x, loop.gates = gate_values, loop.inner = inner, loop.hidden = hidden;
    return checked_run(loop, cell, weight, frames, threads, set, false);
}

API int prune_rnn_loop_backward(int cell, int units, int steps, int64_t frames, const int64_t* sizes, int tanh, int reverse,
                            int threads, int set, const float* weight, float* gate_values, float* inner,
                            float* hidden, const float* grad_hidden, float* grad_x, float* grad_uh, float* states) {
    Loop loop{};
    loop.steps = steps, loop.units = units, loop.tanh = tanh, loop.reverse = reverse, loop.sizes = sizes;
    loop.gates = gate_values, loop.inner = inner, loop.hidden = hidden;
    loop.grad_hidden = grad_hidden, loop.grad_x = grad_x, loop.grad_uh = grad_uh, loop.states = states;
    return checked_run(loop, cell, weight, frames, threads, set, true);
}

}
