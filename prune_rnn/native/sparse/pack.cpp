// Puts a part of a matrix into a format of kernels.h.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "matrix.h"

namespace {

// As elements of another type, or as bytes.
template <typename T, typename From>
Buffer<T> copied(const std::vector<From>& from) {
    static_assert(sizeof(From) % sizeof(T) == 0, "whole elements");
    Buffer<T> to = buffer<T>(from.size() * (sizeof(From) / sizeof(T)));
    if (!from.empty()) std::memcpy(to.get(), from.data(), from.size() * sizeof(From));
    return to;
}

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

    int step;

    explicit Slots(const Source& source) : kind(source.kind), group(group_of(source.kind)), step(source.step) {}
    int count() const { return (int)(values.size() / 64); }
    void next(int first_byte, size_t index_bytes) {
        values.resize(values.size() + 64);
        index.resize(index.size() + index_bytes);
        offset.push_back((uint16_t)(first_byte / step));
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
    const int group = slots.group, bytes = bytes_of(slots.kind), width = (source.wide ? 2 : 1) * source.window / bytes;
    const std::vector<uint16_t>* used[SLICE];
    size_t done[SLICE] = {};
    for (int lane = 0; lane < SLICE; lane++) used[lane] = &source.used[lane_rows[lane]];
    for (;;) {
        int behind = source.columns;
        for (int lane = 0; lane < SLICE; lane++)
            if (done[lane] < used[lane]->size()) behind = std::min(behind, (int)(*used[lane])[done[lane]]);
        if (behind == source.columns) return;
        int first = behind * bytes / source.step * source.step / bytes;
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
        for (uint16_t column : source.used[lane_rows[lane]]) seen[column] = 1;
    std::vector<uint16_t> columns;
    for (int c = 0; c < source.columns; c++)
        if (seen[c]) columns.push_back((uint16_t)c);
    return columns;
}

void set_column(const Source& source, const int* lane_rows, int column, int k, Slots& slots) {
    for (int lane = 0; lane < SLICE; lane++) slots.set(lane * slots.group + k, source.at(lane_rows[lane], column));
}

void pack_lane_blocks(const Source& source, const int* lane_rows, Slots& slots) {
    const int group = slots.group, bytes = bytes_of(slots.kind), width = source.window / bytes;
    const std::vector<uint16_t> columns = columns_of(source, lane_rows);
    for (size_t i = 0; i < columns.size();) {
        int first = columns[i] * bytes / source.step * source.step / bytes;
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

// Local rows by lane, slice after slice.
std::vector<int> lanes_in_order(const Source& source, bool sorted) {
    std::vector<int> order(source.rows.size());
    std::iota(order.begin(), order.end(), 0);
    if (sorted)
        std::stable_sort(order.begin(), order.end(),
                         [&](int a, int b) { return source.used[a].size() > source.used[b].size(); });
    return order;
}

Packed pack_native(const Source& source, int format, bool sorted) {
    std::vector<int> order = lanes_in_order(source, sorted);
    Slots slots(source);
    std::vector<int32_t> start{0};
    for (size_t lane = 0; lane < order.size(); lane += SLICE) {
        auto pack = format == LANES ? pack_lanes : format == LANE_BLOCKS ? pack_lane_blocks : pack_lane_dense;
        pack(source, &order[lane], slots);
        start.push_back(slots.count());
    }
    if (source.tables)
        for (uint8_t& place : slots.index) place = (uint8_t)((place & 15) | (place & 16) << 3 | (place & 32) << 1);
    Packed packed;
    packed.vectors = slots.count();
    packed.part.slices = (int)order.size() / SLICE;
    Owned& own = packed.owned;
    own.start = copied<int32_t>(start);
    own.values = copied<char>(slots.values);
    own.index = copied<char>(slots.index);
    own.bytes = 4 * start.size() + slots.values.size() + slots.index.size() + 2 * slots.offset.size();
    slots.offset.resize(slots.offset.size() + 4);  // which are read ahead
    own.offset = copied<uint16_t>(slots.offset);
    if (source.scale) {
        own.scale = buffer<float>(order.size());
        own.row_sum = buffer<int32_t>(order.size());
        for (size_t lane = 0; lane < order.size(); lane++) {
            own.scale[lane] = source.scale_of(order[lane]);
            own.row_sum[lane] = source.sum_of(order[lane]);
        }
        own.bytes += 8 * order.size();
    }
    if (sorted) {
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
                for (int k = 0; k < SLICE; k++) values.push_back(source.at(order[lane + k], c));
            }
            start.push_back((int32_t)index.size());
        }
        packed.vectors = index.size();
    }
    packed.part.slices = rows / SLICE;
    Owned& own = packed.owned;
    own.start = copied<int32_t>(start);
    own.values = copied<char>(values);
    own.index = copied<char>(index);
    own.bytes = 4 * start.size() + 4 * values.size() + 2 * index.size();
    if (source.scale) {
        own.scale = buffer<float>(rows);
        for (int r = 0; r < rows; r++) own.scale[r] = source.scale_of(r);
        own.bytes += 4 * rows;
    }
    return packed;
}

Packed pack_pairs(const Source& source) {
    std::vector<int16_t> values;
    std::vector<uint16_t> index;
    std::vector<int32_t> start{0};
    const int rows = (int)source.rows.size();
    Packed packed;
    Owned& own = packed.owned;
    own.scale = buffer<float>(rows), own.row_sum = buffer<int32_t>(rows);
    for (int r = 0; r < rows; r++) {
        for (uint16_t c : source.used[r]) values.push_back((int16_t)source.at(r, c)), index.push_back(c);
        if (values.size() % 2) values.push_back(0), index.push_back(0);
        start.push_back((int32_t)(values.size() / 2));
        own.scale[r] = source.scale_of(r), own.row_sum[r] = source.sum_of(r);
    }
    packed.vectors = (int64_t)values.size() / 2;
    packed.part.slices = rows / SLICE;
    own.start = copied<int32_t>(start);
    own.values = copied<char>(values);
    own.index = copied<char>(index);
    own.bytes = 4 * start.size() + 4 * values.size() + 8 * rows;
    return packed;
}

}  // namespace

Packed pack_part(const Source& source, int format) {
    Packed packed;
    if (native(format)) {
        packed = pack_native(source, format, false);
        if (format == LANES) {  // in order of length it is fuller, but each result then has to be put in its place
            Packed sorted = pack_native(source, format, true);
            if (sorted.vectors < 0.9 * packed.vectors) packed = std::move(sorted);
        }
    } else if (format == PAIRS) {
        packed = pack_pairs(source);
    } else {
        packed = pack_portable(source, format);
    }
    Part& part = packed.part;
    const Owned& own = packed.owned;
    part.wide = source.wide;
    part.start = own.start.get();
    part.order = own.order.get();
    part.scale = own.scale.get();
    part.row_sum = own.row_sum.get();
    part.values = own.values.get();
    part.index = own.index.get();
    part.offset = own.offset.get();
    return packed;
}
