// Shares a matrix out among threads.
#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "matrix.h"

namespace {

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

Matrix* pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads, int set,
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
    std::vector<int> first = boundaries(weights, std::max(1, std::min(matrix->worth(streams), units)));
    // about: a byte of index a weight, and two thirds of the slots full
    bool from_afar = matrix->nonzero * (bytes_of(kind) + 1) * 3 / 2 > OWN_CACHE * (int64_t)(first.size() - 1);
    const Kernels& kernels = matrix->kernels();
    std::vector<Source> sources;
    for (size_t p = 0; p + 1 < first.size(); p++) {
        Source source{columns, kind, kernels.wide && streams == 1 && from_afar, kernels.window, kernels.step, kernels.tables, dense, scale, {}, {}};
        for (int block = first[p]; block < first[p + 1]; block += SLICE)
            for (int gate = 0; gate < gates; gate++)
                for (int unit = block; unit < block + SLICE; unit++) {
                    const int row = unit < first[p + 1] ? gate * units + unit : -1;
                    source.rows.push_back(row);
                    source.used.push_back(row < 0 ? std::vector<uint16_t>() : used[row]);
                }
        sources.push_back(std::move(source));
    }
    matrix->format = format;
    for (size_t p = 0; p < sources.size(); p++) {
        Packed packed = pack_part(sources[p], format);
        packed.part.first_unit = first[p];
        packed.part.units = first[p + 1] - first[p];
        matrix->vectors += packed.vectors;
        matrix->parts.push_back(packed.part);
        matrix->owned.push_back(std::move(packed.owned));
    }
    return matrix.release();
}
