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

// Each walks all steps for utterances `from` .. `to` - 1, which depend on no others.
typedef void (*Walk)(const Loop* loop, int64_t from, int64_t to);
struct Walks {
    int lanes;
    Walk rnn_forward, rnn_backward, gru_forward, gru_backward;
};

extern const Walks plain_walks;
extern const Walks avx2_walks;
extern const Walks avx512_walks;
