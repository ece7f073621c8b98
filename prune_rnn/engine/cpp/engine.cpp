// Packs a sparse matrix for the instruction set at hand, multiplies with it, and runs a recurrent layer over a sequence.
// The C functions at the end are all that others call.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels.h"

namespace {

enum Set { PLAIN = 0, AVX2 = 1, AVX512 = 2 };

Set best_set() {
#if defined(__x86_64__) && defined(HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16"))
        return AVX512;
#endif
#if defined(__x86_64__) && defined(HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
    return PLAIN;
}

const Kernels& kernels_of(Set set) {
#ifdef HAVE_AVX512
    if (set == AVX512) return avx512_kernels;
#endif
#ifdef HAVE_AVX2
    if (set >= AVX2) return avx2_kernels;
#endif
    (void)set;
    return plain_kernels;
}

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <typename T>
using Buffer = std::unique_ptr<T[], Free>;

// Zeroed, on a cache line of its own.
template <typename T>
Buffer<T> buffer(size_t count) {
    size_t bytes = (count * sizeof(T) + 63) / 64 * 64 + 64;
    void* memory = std::aligned_alloc(64, bytes);
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, bytes);
    return Buffer<T>(static_cast<T*>(memory));
}
template <typename T, typename From>
Buffer<T> copied(const std::vector<From>& from) {
    static_assert(sizeof(T) == sizeof(From), "same elements");
    Buffer<T> to = buffer<T>(from.size());
    if (!from.empty()) std::memcpy(to.get(), from.data(), from.size() * sizeof(From));
    return to;
}

// Memory of a part; Part points into it.
struct Owned {
    Buffer<int32_t> start, order, row_sum;
    Buffer<float> scale;
    Buffer<char> values, index;
    Buffer<uint16_t> offset;
    int64_t bytes = 0;
};

struct Matrix {
    int rows, columns, gates, kind, format;
    Set set;
    int64_t nonzero = 0, vectors = 0;
    std::vector<Part> parts;
    std::vector<Owned> owned;
    const Kernels& kernels() const { return kernels_of(set); }
    int units() const { return rows / gates; }
    int64_t bytes() const {
        int64_t sum = 0;
        for (const Owned& part : owned) sum += part.bytes;
        return sum;
    }
};

// What is to be packed: dense rows with the row numbers of one part, and their columns that are not zero.
struct Source {
    int columns, kind;
    const float* dense;
    const float* scale;
    std::vector<int> rows;                          // by local row
    std::vector<std::vector<uint16_t>> used;        // columns, by local row
    float at(int local, int column) const { return dense[(int64_t)rows[local] * columns + column]; }
};

struct Packed {
    Part part{};
    Owned owned;
    int64_t vectors = 0;
};

uint16_t bfloat16_of(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Collects vectors of 64 bytes of values for native formats.
struct Slots {
    int kind, group;
    std::vector<char> values;
    std::vector<uint8_t> index;
    std::vector<uint16_t> offset;

    explicit Slots(int kind) : kind(kind), group(group_of(kind)) {}
    int count() const { return (int)(values.size() / 64); }
    void next(int first_byte, size_t index_bytes) {
        values.resize(values.size() + 64);
        index.resize(index.size() + index_bytes);
        offset.push_back((uint16_t)(first_byte / WINDOW_STEP));
    }
    void set(int slot, float value) {
        char* to = &values[values.size() - 64];
        if (kind == FLOAT32) std::memcpy(to + 4 * slot, &value, 4);
        else if (kind == BFLOAT16) {
            uint16_t bits = bfloat16_of(value);
            std::memcpy(to + 2 * slot, &bits, 2);
        } else to[slot] = (char)(int8_t)value;
    }
};

// Each lane takes its next columns, up to a group, that lie in the window; the window begins at the column furthest
// behind. Sliding so, a lane that runs short in one window catches up in the next.
void pack_lanes(const Source& source, const int* lane_rows, Slots& slots) {
    const int group = slots.group, bytes = bytes_of(slots.kind), width = WINDOW / bytes;
    const std::vector<uint16_t> none;
    const std::vector<uint16_t>* used[SLICE];
    size_t done[SLICE] = {};
    for (int lane = 0; lane < SLICE; lane++) used[lane] = lane_rows[lane] < 0 ? &none : &source.used[lane_rows[lane]];
    for (;;) {
        int behind = source.columns;
        for (int lane = 0; lane < SLICE; lane++)
            if (done[lane] < used[lane]->size()) behind = std::min(behind, (int)(*used[lane])[done[lane]]);
        if (behind == source.columns) return;
        int first = behind * bytes / WINDOW_STEP * WINDOW_STEP / bytes;
        slots.next(first * bytes, SLICE * group);
        uint8_t* index = &slots.index[slots.index.size() - SLICE * group];
        for (int lane = 0; lane < SLICE; lane++)
            for (int k = 0; k < group && done[lane] < used[lane]->size(); k++) {
                int column = (*used[lane])[done[lane]];
                if (column >= first + width) break;
                index[lane * group + k] = (uint8_t)(column - first);
                slots.set(lane * group + k, source.at(lane_rows[lane], column));
                done[lane]++;
            }
    }
}

std::vector<uint16_t> columns_of(const Source& source, const int* lane_rows) {
    std::vector<char> seen(source.columns);
    for (int lane = 0; lane < SLICE; lane++)
        if (lane_rows[lane] >= 0)
            for (uint16_t column : source.used[lane_rows[lane]]) seen[column] = 1;
    std::vector<uint16_t> columns;
    for (int c = 0; c < source.columns; c++)
        if (seen[c]) columns.push_back((uint16_t)c);
    return columns;
}

void set_column(const Source& source, const int* lane_rows, int column, int k, Slots& slots) {
    for (int lane = 0; lane < SLICE; lane++)
        if (lane_rows[lane] >= 0) slots.set(lane * slots.group + k, source.at(lane_rows[lane], column));
}

void pack_lane_blocks(const Source& source, const int* lane_rows, Slots& slots) {
    const int group = slots.group, bytes = bytes_of(slots.kind), width = WINDOW / bytes;
    const std::vector<uint16_t> columns = columns_of(source, lane_rows);
    for (size_t i = 0; i < columns.size();) {
        int first = columns[i] * bytes / WINDOW_STEP * WINDOW_STEP / bytes;
        slots.next(first * bytes, 4);
        char* index = (char*)&slots.index[slots.index.size() - 4];
        for (int k = 0; k < group && i < columns.size() && columns[i] < first + width; k++, i++) {
            uint32_t in_window = columns[i] - first;
            std::memcpy(index + k * bytes, &in_window, bytes);  // little-endian, as all that has AVX-512
            set_column(source, lane_rows, columns[i], k, slots);
        }
    }
}

void pack_lane_dense(const Source& source, const int* lane_rows, Slots& slots) {
    for (int c = 0; c < source.columns; c += slots.group) {
        slots.next(0, 0);
        for (int k = 0; k < slots.group && c + k < source.columns; k++) set_column(source, lane_rows, c + k, k, slots);
    }
}

// Local rows by lane, slice after slice; -1 where there is none.
std::vector<int> lanes_in_order(const Source& source, bool sorted) {
    int count = (int)source.rows.size();
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (sorted)
        std::stable_sort(order.begin(), order.end(),
                         [&](int a, int b) { return source.used[a].size() > source.used[b].size(); });
    order.resize((count + SLICE - 1) / SLICE * SLICE, -1);
    return order;
}

Packed pack_native(const Source& source, int format, bool sorted) {
    std::vector<int> order = lanes_in_order(source, sorted);
    Slots slots(source.kind);
    std::vector<int32_t> start{0};
    for (size_t lane = 0; lane < order.size(); lane += SLICE) {
        auto pack = format == LANES ? pack_lanes : format == LANE_BLOCKS ? pack_lane_blocks : pack_lane_dense;
        pack(source, &order[lane], slots);
        start.push_back(slots.count());
    }
    Packed packed;
    packed.vectors = slots.count();
    packed.part.slices = (int)order.size() / SLICE;
    Owned& own = packed.owned;
    own.start = copied<int32_t>(start);
    own.values = copied<char>(slots.values);
    own.index = copied<char>(slots.index);
    own.offset = copied<uint16_t>(slots.offset);
    own.bytes = 4 * start.size() + slots.values.size() + slots.index.size() + 2 * slots.offset.size();
    if (source.scale) {
        own.scale = buffer<float>(order.size());
        own.row_sum = buffer<int32_t>(order.size());
        for (size_t lane = 0; lane < order.size(); lane++)
            if (order[lane] >= 0) {
                own.scale[lane] = source.scale[source.rows[order[lane]]];
                for (uint16_t c : source.used[order[lane]]) own.row_sum[lane] += (int32_t)source.at(order[lane], c);
            }
        own.bytes += 8 * order.size();
    }
    if (sorted) {
        // lanes without a row write to a place past the rows, which nobody reads
        for (size_t lane = 0, spare = source.rows.size(); lane < order.size(); lane++)
            if (order[lane] < 0) order[lane] = (int)spare++;
        own.order = copied<int32_t>(order);
        own.bytes += 4 * order.size();
    }
    return packed;
}

Packed pack_portable(const Source& source, int format) {
    std::vector<float> values;
    std::vector<uint16_t> index;
    std::vector<int32_t> start{0};
    Packed packed;
    int rows = (int)source.rows.size();
    if (format == ROWS) {
        for (int r = 0; r < rows; r++) {
            for (uint16_t c : source.used[r]) {
                values.push_back(source.at(r, c));
                index.push_back(c);
            }
            start.push_back((int32_t)index.size());
        }
        packed.vectors = index.size();
    } else {
        std::vector<int> order = lanes_in_order(source, false);
        for (size_t lane = 0; lane < order.size(); lane += SLICE) {
            for (uint16_t c : columns_of(source, &order[lane])) {
                index.push_back(c);
                for (int k = 0; k < SLICE; k++) {
                    int row = order[lane + k];
                    values.push_back(row < 0 ? 0.0f : source.at(row, c));
                }
            }
            start.push_back((int32_t)index.size());
        }
        packed.vectors = index.size();
    }
    packed.part.slices = (rows + SLICE - 1) / SLICE;
    Owned& own = packed.owned;
    own.start = copied<int32_t>(start);
    own.values = copied<char>(std::vector<char>((char*)values.data(), (char*)(values.data() + values.size())));
    own.index = copied<char>(std::vector<char>((char*)index.data(), (char*)(index.data() + index.size())));
    own.bytes = 4 * start.size() + 4 * values.size() + 2 * index.size();
    if (source.scale) {
        own.scale = buffer<float>(rows);
        for (int r = 0; r < rows; r++) own.scale[r] = source.scale[source.rows[r]];
        own.bytes += 4 * rows;
    }
    return packed;
}

Packed pack_part(const Source& source, int format) {
    Packed packed;
    if (native(format)) {
        packed = pack_native(source, format, false);
        if (format == LANES) {  // in order of length it is fuller, but each result then has to be put in its place
            Packed sorted = pack_native(source, format, true);
            if (sorted.vectors < 0.9 * packed.vectors) packed = std::move(sorted);
        }
    } else {
        packed = pack_portable(source, format);
    }
    Part& part = packed.part;
    const Owned& own = packed.owned;
    part.rows = (int)source.rows.size();
    part.start = own.start.get();
    part.order = own.order.get();
    part.scale = own.scale.get();
    part.row_sum = own.row_sum.get();
    part.values = own.values.get();
    part.index = own.index.get();
    part.offset = own.offset.get();
    return packed;
}

// Cycles that a format takes for so many streams, from timings on a Zen 4 (`python scripts/benchmark_formats.py`).
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

Matrix* pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads, Set set,
             int format, int streams) {
    auto matrix = std::make_unique<Matrix>();
    matrix->rows = rows, matrix->columns = columns, matrix->gates = gates, matrix->kind = kind, matrix->set = set;
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
    std::vector<Source> sources;
    for (size_t p = 0; p + 1 < first.size(); p++) {
        Source source{columns, kind, dense, scale, {}, {}};
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

// Threads meet here some ten thousand times a second: they spin, and give way only when somebody is long in coming.
class Barrier {
public:
    void wait(int threads) {
        if (threads == 1) return;
        int round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; spins++) {
#if defined(__x86_64__)
            _mm_pause();
#endif
            if (spins > 2000) {
                spins = 0;
                std::this_thread::yield();
            }
        }
    }

private:
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<int> round_{0};
};

int thread_number() {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}
int thread_count() {
#ifdef _OPENMP
    return omp_get_num_threads();
#else
    return 1;
#endif
}

// The vectors as the format wants them; for a sequence twice, as the next ones are made ready while the last are still
// read. For int8 also the scales that go with them, which each thread works out for itself.
class Vectors {
public:
    Vectors(const Matrix& m, int streams, int turns) : m_(m), streams_(streams), parts_((int)m.parts.size()) {
        size_t bytes;
        if (m.format == ROWS && streams > 1) {
            stride_ = (int64_t)(streams + SLICE - 1) / SLICE * SLICE;
            bytes = 4 * ((size_t)stride_ * m.columns + 3 * SLICE);  // the widest kernel reads four slices of streams
        } else {
            int each = native(m.format) ? bytes_of(m.kind) : 4;
            stride_ = ((int64_t)m.columns * each + PADDING + 63) / 64 * 64;
            bytes = (size_t)stride_ * streams;
        }
        for (int turn = 0; turn < turns; turn++) data_[turn] = buffer<char>(bytes);
        size_t each = (size_t)parts_ * streams;
        low_ = buffer<float>(each), high_ = buffer<float>(each), scale_ = buffer<float>(each);
        zero_ = buffer<int32_t>(each);
    }

    // Makes ready x[stream * x_stride + column] of the columns that `span(part)` gives for the thread's parts, and
    // returns once all threads have.
    template <typename Span>
    Operand publish(const float* x, int64_t x_stride, int turn, int thread, int threads, Barrier& barrier, Span span) {
        Operand out{data_[turn % 2].get(), stride_, &scale_[(size_t)thread * streams_], &zero_[(size_t)thread * streams_]};
        if (m_.kind == INT8) {
            for (int p = thread; p < parts_; p += threads)
                for (int s = 0; s < streams_; s++) {
                    auto [first, last] = span(p);
                    size_t at = (size_t)p * streams_ + s;
                    m_.kernels().range(x + s * x_stride + first, last - first, &low_[at], &high_[at]);
                }
            barrier.wait(threads);
            choose_scales(thread);
        }
        for (int p = thread; p < parts_; p += threads) {
            auto [first, last] = span(p);
            m_.kernels().prepare(m_.kind, m_.format, x, x_stride, first, last, streams_, &out);
        }
        barrier.wait(threads);
        return out;
    }

private:
    void choose_scales(int thread) {
        for (int s = 0; s < streams_; s++) {
            float low = 0, high = 0;
            for (int part = 0; part < parts_; part++) {
                low = std::min(low, low_[(size_t)part * streams_ + s]);
                high = std::max(high, high_[(size_t)part * streams_ + s]);
            }
            float scale = low < 0 ? std::max(-low, high) / 127 : high / 255;
            scale_[(size_t)thread * streams_ + s] = scale > 1e-30f ? scale : 1;
            zero_[(size_t)thread * streams_ + s] = low < 0 ? 128 : 0;
        }
    }

    const Matrix& m_;
    int streams_, parts_;
    int64_t stride_;
    Buffer<char> data_[2];
    Buffer<float> low_, high_, scale_;  // [part][stream]; scale_, zero_: [thread][stream]
    Buffer<int32_t> zero_;
};

int64_t padded_rows(const Part& part) { return (int64_t)part.slices * SLICE; }

// Runs `phases(thread, threads, barrier)` on a thread a part; where there are fewer threads, each takes several parts.
template <typename Phase>
void in_parallel(int parts, const Phase& phases) {
    Barrier barrier;
    if (parts == 1) return phases(0, 1, barrier);
#ifdef _OPENMP
#pragma omp parallel num_threads(parts)
#endif
    phases(thread_number(), thread_count(), barrier);
}

void product(const Matrix& m, int streams, const float* x, float* y) {
    const int parts = (int)m.parts.size();
    const Kernels& kernels = m.kernels();
    Vectors vectors(m, streams, 1);
    std::vector<Buffer<float>> results(parts);
    for (int p = 0; p < parts; p++) results[p] = buffer<float>(padded_rows(m.parts[p]) * streams);
    auto share = [&](int p) {
        return std::pair((int)((int64_t)m.columns * p / parts), (int)((int64_t)m.columns * (p + 1) / parts));
    };
    in_parallel(parts, [&](int thread, int threads, Barrier& barrier) {
        Operand operand = vectors.publish(x, m.columns, 0, thread, threads, barrier, share);
        for (int p = thread; p < parts; p += threads) {
            const Part& part = m.parts[p];
            kernels.multiply(&part, m.kind, m.format, &operand, streams, results[p].get(), padded_rows(part));
            for (int s = 0; s < streams; s++)
                for (int gate = 0; gate < m.gates; gate++)
                    std::memcpy(y + (int64_t)s * m.rows + (int64_t)gate * m.units() + part.first_unit,
                                results[p].get() + s * padded_rows(part) + (int64_t)gate * part.units,
                                4 * (size_t)part.units);
        }
    });
}

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

}  // namespace

#define API __attribute__((visibility("default")))

extern "C" {

API int prune_rnn_instruction_set() { return best_set(); }

// dense: (rows, columns); scale: (rows,) or null. Returns null where memory is short.
API void* prune_rnn_pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads,
                     int set, int format, int streams) {
    try {
        return pack(rows, columns, gates, dense, scale, kind, threads, (Set)set, format, streams);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

API void prune_rnn_free(void* matrix) { delete static_cast<Matrix*>(matrix); }

// format, parts, bytes, vectors, weights that are not zero
API void prune_rnn_describe(const void* matrix, int64_t* out) {
    const Matrix& m = *static_cast<const Matrix*>(matrix);
    out[0] = m.format, out[1] = (int64_t)m.parts.size(), out[2] = m.bytes(), out[3] = m.vectors, out[4] = m.nonzero;
}

// x: (streams, columns) -> y: (streams, rows). Returns 0, or 1 where memory is short.
API int prune_rnn_product(const void* matrix, int streams, const float* x, float* y) {
    try {
        product(*static_cast<const Matrix*>(matrix), streams, x, y);
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}

// x: (steps, streams, gates * units) -> out: (steps, streams, units); state: (streams, units), replaced.
// lengths: (streams,) or null. Returns 0, or 1 where memory is short.
API int prune_rnn_layer(const void* matrix, int cell, int activation, int steps, int streams, const int32_t* lengths,
                    int reverse, const float* x, float* state, float* out) {
    try {
        layer(*static_cast<const Matrix*>(matrix), cell, activation, steps, streams, lengths, reverse, x, state, out);
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}
}
