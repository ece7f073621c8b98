// A product with a packed matrix.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "vectors.h"

void product(const Matrix& m, int streams, const float* x, float* y) {
    const int parts = (int)m.parts.size();
    const Kernels& kernels = m.kernels();
    Vectors vectors(m, streams, 1);
    // where the rows of a part lie in y as the kernel writes them, whole slices of one gate, they need no room of their own
    auto direct = [&](const Part& part) { return m.gates == 1 && part.units == part.slices * SLICE; };
    std::vector<Buffer<float>> results(parts);
    for (int p = 0; p < parts; p++)
        if (!direct(m.parts[p])) results[p] = room<float>((size_t)m.parts[p].slices * SLICE * streams);
    auto share = [&](int p) {
        return std::pair((int)((int64_t)m.columns * p / parts), (int)((int64_t)m.columns * (p + 1) / parts));
    };
    in_parallel(std::min(parts, m.worth(streams)), [&](int thread, int threads, Barrier& barrier) {
        Operand operand = vectors.publish(x, m.columns, 0, thread, threads, barrier, share);
        for (int p = thread; p < parts; p += threads) {
            const Part& part = m.parts[p];
            float* to = results[p] ? results[p].get() : y + part.first_unit;
            const int rows = part.slices * SLICE;
            const int64_t stride = results[p] ? rows : m.rows;
            kernels.multiply(&part, m.kind, m.format, 0, part.slices, &operand, streams, to, stride);
            vectors.spoil(0, streams, to, stride, rows);
            for (int s = 0; results[p] && s < streams; s++)
                for (int slice = 0; slice < part.slices; slice++) {
                    const int unit = slice / m.gates * SLICE, gate = slice % m.gates;
                    std::memcpy(y + (int64_t)s * m.rows + (int64_t)gate * m.units() + part.first_unit + unit,
                                to + s * stride + slice * SLICE, 4 * (size_t)std::min<int>(SLICE, part.units - unit));
                }
        }
    });
}
