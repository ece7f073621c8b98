// A recurrent layer over a sequence: in each step a product, then the cell. Or two, one for each direction, side by side.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "vectors.h"

namespace {

class Loop {
public:
    Loop(const Sequence& sequence, const Direction& direction)
        : all_(sequence), own_(direction), m_(*direction.matrix), vectors_(m_, sequence.streams, 2),
          advance_(m_.kernels().advance(sequence.cell, sequence.activation)),
          state_width_((int64_t)shape_of(sequence.cell).vectors * m_.units()) {
        for (int p = 0; p < (int)m_.parts.size(); p++)
            results_.push_back(room<float>((size_t)blocks_at_a_time(p) * m_.gates * SLICE * all_.streams));
    }

    // For each of the threads at the same time.
    void run(int thread, int threads, Barrier& barrier) {
        auto span = [&](int p) { return std::pair(m_.parts[p].first_unit, m_.parts[p].first_unit + m_.parts[p].units); };
        Step step{0, 0, {}, own_.state, state_width_, nullptr};
        for (; step.number < all_.steps; step.number++) {
            step.operand = vectors_.publish(step.before, step.stride, step.number, thread, threads, barrier, span);
            step.t = own_.reverse ? all_.steps - 1 - step.number : step.number;
            step.after = own_.out + step.t * frame();
            for (int p = thread; p < (int)m_.parts.size(); p += threads) take_step(p, step);
            step.before = step.after, step.stride = m_.units();
        }
    }

    // Once all threads have run.
    void keep_state() {
        const float* last = own_.out + (own_.reverse ? 0 : all_.steps - 1) * frame();
        for (int s = 0; all_.steps > 0 && s < all_.streams; s++)
            std::memcpy(own_.state + s * state_width_, last + (int64_t)s * m_.units(), 4 * (size_t)m_.units());
    }

private:
    struct Step {
        int number;
        int64_t t;           // in the sequence
        Operand operand;     // of the outputs before
        const float* before;
        int64_t stride;      // floats from one stream's output before to the next one's
        float* after;
    };

    int64_t frame() const { return (int64_t)all_.streams * m_.units(); }

    // Some slices at a time, whose products stay in the cache until the gates have used them. Parts that don't fit into a
    // core's own cache are walked there and back: what was read last is still there.
    void take_step(int p, const Step& step) {
        const Part& part = m_.parts[p];
        const int blocks = part.slices / m_.gates, each = blocks_at_a_time(p);
        const bool back = step.number % 2 && m_.owned[p].bytes > OWN_CACHE;
        for (int done = 0; done < blocks; done += each) {
            const int first = back ? std::max(0, blocks - done - each) : done;
            const int last = back ? blocks - done : std::min(blocks, done + each);
            take_blocks(p, step, first, last);
        }
    }

    // All gates of 16 units are a block. 64 KB of products, and 256 KB of weights, at a time.
    int blocks_at_a_time(int p) const {
        const int blocks = m_.parts[p].slices / m_.gates;
        if (m_.parts[p].order) return blocks;
        const int64_t products = 4L * SLICE * m_.gates * all_.streams, weights = m_.owned[p].bytes / blocks + 1;
        return (int)std::max<int64_t>(1, std::min((64 << 10) / products, (256 << 10) / weights));
    }

    void take_blocks(int p, const Step& step, int first, int last) {
        const Part& part = m_.parts[p];
        const Kernels& kernels = m_.kernels();
        const int units = m_.units(), rows = (last - first) * m_.gates * SLICE;
        const int unit = part.first_unit + first * SLICE, count = std::min(part.units - first * SLICE, (last - first) * SLICE);
        float* y = results_[p].get();
        kernels.multiply(&part, m_.kind, m_.format, first * m_.gates, last * m_.gates, &step.operand, all_.streams, y, rows);
        vectors_.spoil(step.number, all_.streams, y, rows, rows);
        for (int s = 0; s < all_.streams; s++) {
            float* after = step.after + (int64_t)s * units + unit;
            float* memory = state_width_ > units ? own_.state + s * state_width_ + units + unit : nullptr;
            const float* inputs = all_.x + (step.t * all_.streams + s) * m_.rows + unit;
            advance_(count, units, inputs, y + s * rows, step.before + s * step.stride + unit, memory, after);
        }
    }

    const Sequence& all_;
    const Direction& own_;
    const Matrix& m_;
    Vectors vectors_;
    const Advance advance_;
    const int64_t state_width_;  // floats from one stream's state to the next one's
    std::vector<Buffer<float>> results_;
};

}  // namespace

void layer(const Sequence& sequence, const Direction& direction) {
    Loop loop(sequence, direction);
    const Matrix& m = *direction.matrix;
    in_parallel(std::min((int)m.parts.size(), m.worth(sequence.streams)),
                [&](int thread, int threads, Barrier& barrier) { loop.run(thread, threads, barrier); });
    loop.keep_state();
}

// Half of the threads each, as many as there are parts, but no more than one of the matrices was packed for. Thus a
// step has fewer threads to wait for; but they read twice as many weights each, which costs more once those don't fit
// into a core's own cache: such matrices take turns.
void both_ways(const Sequence& sequence, const Direction& one, const Direction& other) {
    const Matrix &m = *one.matrix, &back = *other.matrix;
    const int threads = std::min(m.threads, (int)(m.parts.size() + back.parts.size()));
    if (threads == 1 || m.bytes() + back.bytes() > OWN_CACHE * threads) {
        layer(sequence, one);
        layer(sequence, other);
        return;
    }
    Loop first(sequence, one), second(sequence, other);
    Barrier barriers[2];
    in_parallel(threads, [&](int thread, int threads, Barrier&) {
        const int half = std::min(threads / 2, (int)m.parts.size()), rest = std::min(threads - half, (int)back.parts.size());
        if (threads == 1) first.run(0, 1, barriers[0]);
        else if (thread < half) first.run(thread, half, barriers[0]);
        if (thread >= half && thread < half + rest) second.run(thread - half, rest, barriers[1]);
    });
    first.keep_state();
    second.keep_state();
}
