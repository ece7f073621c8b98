// What loops.cpp and the loops of each instruction set share. No standard library here: what a file compiles for a newer
// instruction set must never be merged with what the others use.
#pragma once
#include <stdint.h>

// A recurrent layer over packed frames: those of step t are first[t] .. first[t] + sizes[t] - 1, one an utterance, and
// the sizes never grow. Arrays are row-major with a row a frame; n is `units`. Formulas as in rnn.py, gru.py.
struct Loop {
    int steps, units, tanh, reverse;
    const int64_t *sizes, *first;
    const float* weight;  // packed, see below

    const float* x;                    // forward, (frames, n) or GRU (frames, 3n): z, r, candidate
    float *gates, *candidate, *hidden;  // written forward, read backward; gates: GRU (frames, 3n), z, r, U_c h

    const float* grad_hidden;  // backward, (frames, n)
    float* grad_x;             // as x
    float* grad_uh;            // (frames, n), GRU: the gradient of U_c h
    float* states;             // (frames, n): the state before each frame
    float* product;            // (utterances, 3n), GRU: of the step's U h, z, r, candidate
    float* carry;              // (utterances, n), zero at first: what a step hands to the one walked next
};

// How a loop reads a matrix with `depth` values to sum over: for each tile of columns, for each of the depth, the tile's
// vectors of `lanes` columns. The GRU's forward loop has three vectors a tile, z, r and candidate of the same units; the
// others have two of neighbouring units, or one where only one is left. Columns past the last are zero.
enum { GATES = 3 };

// A row convolution, batch norm and activation: x (frames + taps - 1, units), weight (taps, units), y (frames, units).
struct Ahead {
    int64_t frames, taps, units;
    int tanh;
    const float *x, *weight, *gain, *shift;
    float* y;
};

// A convolution over bins and frames. Rows of x, one a frame and channel in, hold the padded bins 0, stride, 2 stride ..,
// then 1, 1 + stride .. and so on: neighbouring outputs see neighbouring values. Weights: for each BLOCK of channels out,
// for each tap in time, channel in and tap over bins, those of the block's channels. y: (outputs, channels, bins).
enum { BLOCK = 4, SPAN = 3 };  // the sums held: of so many channels times so many vectors of bins
struct Filter {
    int64_t channels, bins, outputs, each;  // frames out, of all utterances and of one
    int64_t frames, step;                   // frames in, of one utterance; between two frames out
    int64_t taps, inputs, kernel, row;      // the kernel's frames, channels and bins; values of a row of x
    const int64_t* offset;                  // within a row, of the first value that each of the kernel's bins sees
    int rounded;                            // y to bfloat16
    const float *x, *weight;
    float* y;
};

// Each walks all steps for utterances `from` .. `to` - 1, which depend on no others.
typedef void (*Walk)(const Loop* loop, int64_t from, int64_t to);
struct Walks {
    int lanes;
    Walk rnn_forward, rnn_backward, gru_forward, gru_backward;
    void (*ahead)(const Ahead* ahead, int64_t from, int64_t to);  // units `from` .. `to` - 1
    void (*filter)(const Filter* filter, int64_t from, int64_t to);  // of all (block, output), `from` .. `to` - 1
};

extern const Walks plain_walks;
extern const Walks avx2_walks;
extern const Walks avx512_walks;
