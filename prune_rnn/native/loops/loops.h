// What loops.cpp and the loops of each instruction set share. No standard library here: what a file compiles for a newer
// instruction set must never be merged with what the others use.
#pragma once
#include <stdint.h>

#include "../common/cells.h"

// A recurrent layer over packed frames: those of step t are first[t] .. first[t] + sizes[t] - 1, one an utterance, and
// the sizes never grow. Arrays are row-major with a row a frame; n is `units`, G the cell's number of gates. Formulas as in
// rnn.py, gru.py, lstm.py.
struct Loop {
    int steps, units, tanh, reverse;
    const int64_t *sizes, *first;
    const float* weight;  // packed, see below

    const float* x;  // forward, (frames, G n); GRU: z, r, candidate; LSTM: i, f, g, o
    float* gates;    // written forward, read backward, (frames, G n); GRU: z, r, U_c h; LSTM: as x; RNN: none
    float* inner;    // likewise, (frames, n); GRU: the candidate; LSTM: the memory c; RNN: none
    float* hidden;   // likewise, (frames, n)

    const float* grad_hidden;  // backward, (frames, n)
    float* grad_x;             // as x
    float* grad_uh;            // (frames, n), GRU: the gradient of U_c h
    float* states;             // (frames, n): the state before each frame
    float* product;            // (utterances, 3n), GRU: of the step's U h, z, r, candidate
    float* carry;              // (utterances, n), zero at first: what a step hands to the one walked next
    float* inner_carry;        // likewise, LSTM: of the memory
};

// How a loop reads a matrix with `depth` values to sum over: for each tile of columns, for each of the depth, the tile's
// vectors of `lanes` columns. A forward loop with several gates has a vector of each in a tile, of the same units; the
// others have two of neighbouring units, or one where only one is left. Columns past the last are zero.

// Each walks all steps for utterances `from` .. `to` - 1, which depend on no others.
typedef void (*Walk)(const Loop* loop, int64_t from, int64_t to);
struct Walks {
    int lanes;
    Walk forward[3], backward[3];  // by cell
};

extern const Walks plain_walks;
extern const Walks avx2_walks;
extern const Walks avx512_walks;
