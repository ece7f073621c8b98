// What the engine and the kernels of each instruction set share. No standard library here: what a kernel file compiles
// for a newer instruction set must never be merged with what the others use.
#pragma once
#include <stdint.h>

#include "../common/cells.h"

enum Kind { FLOAT32 = 0, BFLOAT16 = 1, INT8 = 2 };  // of the weights; the vector is rounded to the same kind
enum Activation { CLIPPED_RELU = 0, TANH = 1 };

// How a part of a matrix is stored. A slice is 16 rows; a group is 1 (float32), 2 (bfloat16) or 4 (int8) columns, so that
// 16 rows x 1 group are 64 bytes.
enum Format {
    ROWS = 1,         // each row's values and columns: one value at a time, or one for 16 vectors
    BLOCKS = 2,       // each slice's columns, 16 float32 values a column
    // native, of the kinds of `Kernels::native_kinds`:
    LANES = 3,        // each row of a slice takes up to a group from a window of the vector
    LANE_BLOCKS = 4,  // the same, all rows of a slice taking the same columns
    LANE_DENSE = 5,   // all columns
    // int8, for several streams, where `Kernels::pairs`:
    PAIRS = 6,        // each row's values, in 16 bits, and columns, two at a time
};
// works on the vector in the weights' own kind
static inline int native(int format) { return format >= LANES && format <= LANE_DENSE; }

enum { SLICE = 16, PANEL = 64 /* streams */ };
enum { WINDOW = 128 /* bytes, AVX-512 */, PADDING = 320 /* bytes after a vector */ };
static inline int group_of(int kind) { return kind == FLOAT32 ? 1 : kind == BFLOAT16 ? 2 : 4; }
static inline int bytes_of(int kind) { return 4 / group_of(kind); }

// The rows that one thread owns: those of units first_unit .. first_unit + units - 1; of each 16 units, all gates in turn,
// so that slices which follow each other hold all that the gates of those units need. The last units' slices are filled
// up with rows of zeros.
struct Part {
    int first_unit, units;
    int slices;
    int wide;           // LANES: whether windows are of twice the size
    int32_t* start;     // [slices + 1] (ROWS, PAIRS: [rows + 1]) first vector (value, pair) of each
    int32_t* order;     // [slices * 16] local row of each lane, or null where it is the lane's own number
    float* scale;       // of the rows' int8 weights, else null: [slices * 16] by lane where native, else [rows]
    int32_t* row_sum;   // likewise, the sums of the rows' int8 weights
    void* values;
    void* index;        // ROWS, BLOCKS, PAIRS: uint16 column; LANES: uint8 in the window, a slot each; LANE_BLOCKS: 4 bytes
    uint16_t* offset;   // LANES, LANE_BLOCKS: first byte of the window, in steps of `Kernels::step` bytes
};

// Vectors to multiply, one a stream. ROWS with several: (panel, column, stream) of up to PANEL streams, panels `panel`
// floats apart, `stride` floats a column. PAIRS: the same in bytes, panels of SLICE streams. Else (stream, column), `stride` bytes a stream. int8: value = scale *
// (stored - zero); ROWS and BLOCKS hold the difference.
struct Operand {
    void* data;
    int64_t stride, panel;
    const float* scale;
    const int32_t* zero;
};

// One step of a cell: products y (of each 16 units all gates in turn), gates x (x_gate apart), output before -> output
// after; memory: what else the state holds, replaced.
typedef void (*Advance)(int units, int x_gate, const float* x, const float* y, const float* before, float* memory,
                        float* after);

struct Kernels {
    int native_kinds, pairs;  // a bit for each kind of weights that has the native formats; whether there are PAIRS
    int tables;               // bits 4 and 5 of the places in a window stand in bits 7 and 6
    int window, step, wide;  // native formats: bytes of a window, its place is a multiple of `step`; whether there are wide ones
    // products of the slices first .. last - 1, which begin at y: y[stream * y_stride + row]. A part whose rows are out
    // of order (`order`) is only multiplied whole.
    void (*multiply)(const Part* part, int kind, int format, int first, int last, const Operand* x, int streams, float* y,
                     int64_t y_stride);
    // rounds columns first .. last - 1 of the streams x[stream * x_stride + column] into the operand
    void (*prepare)(int kind, int format, const float* x, int64_t x_stride, int first, int last, int streams,
                    const Operand* out);
    int (*finite)(const float* x, int count);  // whether none is NaN or infinite
    void (*range)(const float* x, int count, float* low, float* high);  // with 0 among the values
    Advance (*advance)(int cell, int activation);
};

extern const Kernels plain_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_vnni_kernels;
extern const Kernels neon_kernels;
extern const Kernels neon_dot_kernels;
