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
        : all_(sequence), own_(direction), m_(*direction.matrix), vectors_(m_, sequence.streams, 2) {
        for (int p = 0; p < (int)m_.parts.size(); p++)
            results_.push_back(room<float>((size_t)blocks_at_a_time(p) * m_.gates * SLICE * all_.streams));
    }

    // For each of the threads at the same time.
    void run(int thread, int threads, Barrier& barrier) {
        auto span = [&](int p) { return std::pair(m_.parts[p].first_unit, m_.parts[p].first_unit + m_.parts[p].units); };
        const float* before = own_.state;
        for (int step = 0; step < all_.steps; step++) {
            Operand operand = vectors_.publish(before, m_.units(), step, thread, threads, barrier, span);
            const int64_t t = own_.reverse ? all_.steps - 1 - step : step;
            float* after = own_.out + t * frame();
            for (int p = thread; p < (int)m_.parts.size(); p += threads) take_step(p, step, t, operand, before, after);
            before = after;
        }
    }

    // Once all threads have run.
    void keep_state() {
        if (all_.steps > 0)
            std::memcpy(own_.state, own_.out + (own_.reverse ? 0 : all_.steps - 1) * frame(), 4 * (size_t)frame());
    }

private:
    int64_t frame() const { return (int64_t)all_.streams * m_.units(); }

    // Some slices at a time, whose products stay in the cache until the gates have used them. Parts that don't fit into a
    // core's own cache are walked there and back: what was read last is still there.
    void take_step(int p, int step, int64_t t, const Operand& operand, const float* before, float* after) {
        const Part& part = m_.parts[p];
        const int blocks = part.slices / m_.gates, each = blocks_at_a_time(p);
        const bool back = step % 2 && m_.owned[p].bytes > OWN_CACHE;
        for (int done = 0; done < blocks; done += each) {
            const int first = back ? std::max(0, blocks - done - each) : done;
            const int last = back ? blocks - done : std::min(blocks, done + each);
            take_blocks(p, step, t, first, last, operand, before, after);
        }
    }

    // All gates of 16 units are a block. 64 KB of products, and 256 KB of weights, at a time.
    int blocks_at_a_time(int p) const {
        const int blocks = m_.parts[p].slices / m_.gates;
        if (m_.parts[p].order) return blocks;
        const int64_t products = 4L * SLICE * m_.gates * all_.streams, weights = m_.owned[p].bytes / blocks + 1;
        return (int)std::max<int64_t>(1, std::min((64 << 10) / products, (256 << 10) / weights));
    }

    void take_blocks(int p, int step, int64_t t, int first, int last, const Operand& operand, const float* before,
                     float* after) {
        const Part& part = m_.parts[p];
        const Kernels& kernels = m_.kernels();
        const int units = m_.units(), rows = (last - first) * m_.gates * SLICE;
        const int unit = part.first_unit + first * SLICE, count = std::min(part.units - first * SLICE, (last - first) * SLICE);
        float* y = results_[p].get();
        kernels.multiply(&part, m_.kind, m_.format, first * m_.gates, last * m_.gates, &operand, all_.streams, y, rows);
        vectors_.spoil(step, all_.streams, y, rows, rows);
        for (int s = 0; s < all_.streams; s++) {
            int64_t at = (int64_t)s * units + unit;
            const float* inputs = all_.x + (t * all_.streams + s) * m_.rows + unit;
            const float* products = y + s * rows;
            if (all_.lengths && t >= all_.lengths[s]) std::memset(after + at, 0, 4 * (size_t)count);
            else if (all_.cell == RNN) kernels.rnn(all_.activation, count, inputs, products, after + at);
            else kernels.gru(all_.activation, count, units, inputs, products, before + at, after + at);
        }
    }

    const Sequence& all_;
    const Direction& own_;
    const Matrix& m_;
    Vectors vectors_;
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
