// A recurrent layer over a sequence: in each step a product, then the cell.
#include <cstring>
#include <utility>
#include <vector>

#include "vectors.h"

void layer(const Matrix& m, int cell, int activation, int steps, int streams, const int32_t* lengths, bool reverse,
           const float* x, float* state, float* out) {
    const int parts = (int)m.parts.size(), units = m.units();
    const int64_t frame = (int64_t)streams * units;
    const Kernels& kernels = m.kernels();
    Vectors vectors(m, streams, 2);
    std::vector<Buffer<float>> results(parts);
    for (int p = 0; p < parts; p++) results[p] = buffer<float>(padded_rows(m.parts[p]) * streams);
    auto own = [&](int p) { return std::pair(m.parts[p].first_unit, m.parts[p].first_unit + m.parts[p].units); };
    in_parallel(parts, [&](int thread, int threads, Barrier& barrier) {
        const float* before = state;
        for (int step = 0; step < steps; step++) {
            Operand operand = vectors.publish(before, units, step, thread, threads, barrier, own);
            const int64_t t = reverse ? steps - 1 - step : step;
            float* after = out + t * frame;
            for (int p = thread; p < parts; p += threads) {
                const Part& part = m.parts[p];
                float* y = results[p].get();
                kernels.multiply(&part, m.kind, m.format, &operand, streams, y, padded_rows(part));
                vectors.spoil(step, streams, y, padded_rows(part), part.rows);
                for (int s = 0; s < streams; s++) {
                    int64_t at = (int64_t)s * units + part.first_unit;
                    const float* inputs = x + (t * streams + s) * m.rows + part.first_unit;
                    const float* products = y + s * padded_rows(part);
                    if (lengths && t >= lengths[s]) std::memset(after + at, 0, 4 * (size_t)part.units);
                    else if (cell == RNN) kernels.rnn(activation, part.units, inputs, products, after + at);
                    else kernels.gru(activation, part.units, units, inputs, products, before + at, after + at);
                }
            }
            before = after;
        }
    });
    if (steps > 0) std::memcpy(state, out + (reverse ? 0 : steps - 1) * frame, 4 * (size_t)frame);
}
