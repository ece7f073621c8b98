// A packed matrix, and what is done with it: the files of the engine that every machine runs share this.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "../common/buffer.h"
#include "../common/sets.h"
#include "kernels.h"

constexpr int64_t OWN_CACHE = 1 << 20;  // bytes of a core's own cache, what else is in it not counted

const Kernels& kernels_of(int set);

// Memory of a part; Part points into it.
struct Owned {
    Buffer<int32_t> start, order, row_sum;
    Buffer<float> scale;
    Buffer<char> values, index;
    Buffer<uint16_t> offset;
    int64_t bytes = 0;
};

struct Matrix {
    int rows, columns, gates, kind, format, threads;  // threads: at most so many
    int set;
    int64_t nonzero = 0, vectors = 0;
    std::vector<Part> parts;
    std::vector<Owned> owned;
    const Kernels& kernels() const { return kernels_of(set); }
    int units() const { return rows / gates; }
    // How many threads a product with so many vectors is worth: each does some thousand cycles of work, or its waking and
    // its waiting for the others cost more than it does.
    int worth(int64_t streams) const { return (int)std::min<int64_t>(threads, 1 + nonzero * streams / 16384); }
    int64_t bytes() const {
        int64_t sum = 0;
        for (const Owned& part : owned) sum += part.bytes;
        return sum;
    }
};

// What is to be packed: dense rows with the row numbers of one part, and their columns that are not zero.
struct Source {
    int columns, kind;
    bool wide;         // LANES in wide windows: best where the time goes into reading the weights
    int window, step, tables;  // see `Kernels`
    const float* dense;
    const float* scale;
    std::vector<int> rows;                          // by local row; -1 for a row of zeros
    std::vector<std::vector<uint16_t>> used;        // columns, by local row
    float at(int local, int column) const { return rows[local] < 0 ? 0 : dense[(int64_t)rows[local] * columns + column]; }
    int32_t sum_of(int local) const {  // int8
        int32_t sum = 0;
        for (uint16_t column : used[local]) sum += (int32_t)at(local, column);
        return sum;
    }
    float scale_of(int local) const { return rows[local] < 0 ? 0 : scale[rows[local]]; }
};

struct Packed {
    Part part{};
    Owned owned;
    int64_t vectors = 0;
};

// pack.cpp: the source in a format.
Packed pack_part(const Source& source, int format);

// share.cpp: a matrix of (rows, columns) in the format, for so many streams. scale: (rows,) or null.
Matrix* pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads, int set,
             int format, int streams);

// product.cpp: x: (streams, columns) -> y: (streams, rows).
void product(const Matrix& m, int streams, const float* x, float* y);

// What the directions of a layer share. x: (steps, streams, gates * units).
struct Sequence {
    int cell, activation, steps, streams;
    const float* x;
};

// state: (streams, vectors * units), replaced; out: (steps, streams, units).
struct Direction {
    const Matrix* matrix;
    bool reverse;
    float *state, *out;
};

// layer.cpp: one direction, or two at the same time.
void layer(const Sequence& sequence, const Direction& direction);
void both_ways(const Sequence& sequence, const Direction& one, const Direction& other);
