// Shares a matrix out among threads and chooses its format.
#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "matrix.h"

namespace {

// Cycles that a format takes for so many streams, from timings on a Zen 4 (`python scripts/benchmark_formats.py`): a
// guess elsewhere. `engine.choose.fastest` times the formats on the machine itself, and doesn't ask this.
double cost(const Packed& packed, int format, Set set, int streams, int parts) {
    double v = (double)packed.vectors, wide = set == AVX512 ? 1 : set == AVX2 ? 2 : 4, each;
    if (format == ROWS) each = streams == 1 ? 1.7 : 3.0 * wide * ((streams + SLICE - 1) / SLICE);
    else if (format == BLOCKS) each = wide * (3.0 + 2.0 * streams);
    else if (format == LANES) each = 4.0 + 3.6 * streams;
    else if (format == LANE_BLOCKS) each = 3.6 + 3.5 * streams;
    else each = 3.0 + 1.5 * streams;
    double bytes = (double)packed.owned.bytes;
    return v * each + (bytes * parts > 24e6 ? bytes / 7 : 0);  // from memory, where it is too much for the cache
}

// The first unit of each part, and the end: whole slices, so that all parts have about as many weights.
std::vector<int> boundaries(const std::vector<int64_t>& weights, int parts) {
    int64_t total = std::accumulate(weights.begin(), weights.end(), (int64_t)0), sum = 0;
    std::vector<int> first{0};
    for (int unit = 0; unit < (int)weights.size(); unit++) {
        if (unit % SLICE == 0 && unit > first.back() && (int)first.size() < parts && sum * parts >= total * (int)first.size())
            first.push_back(unit);
        sum += weights[unit];
    }
    first.push_back((int)weights.size());
    return first;
}

}  // namespace

Matrix* pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads, Set set,
             int format, int streams) {
    auto matrix = std::make_unique<Matrix>();
    matrix->rows = rows, matrix->columns = columns, matrix->gates = gates, matrix->kind = kind, matrix->set = set;
    matrix->threads = threads;
    int units = rows / gates;
    std::vector<std::vector<uint16_t>> used(rows);
    std::vector<int64_t> weights(units, 1);
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++)
            if (dense[(int64_t)r * columns + c] != 0) used[r].push_back((uint16_t)c);
        matrix->nonzero += (int64_t)used[r].size();
        weights[r % units] += (int64_t)used[r].size();
    }
    // a thread is worth its barrier from some thousand cycles on
    int worth = (int)std::min<int64_t>(threads, 1 + matrix->nonzero * streams / 16384);
    std::vector<int> first = boundaries(weights, std::max(1, std::min(worth, units)));
    // about: a byte of index a weight, and two thirds of the slots full
    bool from_afar = matrix->nonzero * (bytes_of(kind) + 1) * 3 / 2 > OWN_CACHE * (int64_t)(first.size() - 1);
    std::vector<Source> sources;
    for (size_t p = 0; p + 1 < first.size(); p++) {
        Source source{columns, kind, streams == 1 && from_afar, dense, scale, {}, {}};
        for (int gate = 0; gate < gates; gate++)
            for (int unit = first[p]; unit < first[p + 1]; unit++) {
                source.rows.push_back(gate * units + unit);
                source.used.push_back(used[gate * units + unit]);
            }
        sources.push_back(std::move(source));
    }
    std::vector<int> formats{format};
    if (format == AUTO) {
        formats = {ROWS, BLOCKS};
        if (set == AVX512) formats = {ROWS, BLOCKS, LANES, LANE_BLOCKS, LANE_DENSE};
    }
    double least = 0;
    for (int candidate : formats) {
        std::vector<Packed> all;
        double cycles = 0;
        for (const Source& source : sources) {
            all.push_back(pack_part(source, candidate));
            cycles = std::max(cycles, cost(all.back(), candidate, set, streams, (int)sources.size()));
        }
        if (!matrix->parts.empty() && cycles >= least) continue;
        least = cycles;
        matrix->format = candidate;
        matrix->vectors = 0;
        matrix->parts.clear();
        matrix->owned.clear();
        for (size_t p = 0; p < all.size(); p++) {
            all[p].part.first_unit = first[p];
            all[p].part.units = first[p + 1] - first[p];
            matrix->vectors += all[p].vectors;
            matrix->parts.push_back(all[p].part);
            matrix->owned.push_back(std::move(all[p].owned));
        }
    }
    return matrix.release();
}
