// What filters.cpp and the convolutions of each instruction set share; no standard library here, as in loops.h.
#pragma once
#include <stdint.h>

// A row convolution, batch norm and activation: x (frames + taps - 1, units), weight (taps, units), y (frames, units).
struct Ahead {
    int64_t frames, taps, units;
    int tanh;
    const float *x, *weight, *gain, *shift;
    float* y;
};

// A convolution over bins and frames, batch norm and activation. Rows of x, one a frame and channel in, hold the padded
// bins 0, stride, 2 stride .., then 1, 1 + stride .. and so on: neighbouring outputs see neighbouring values. Weights: for
// each BLOCK of channels out, for each tap in time, channel in and tap over bins, those of the block's channels.
// In pairs: rows and weights hold two channels in, side by side, as bfloat16 in the place of one float32.
// gain, shift: (channels, bins); null: y is the convolution alone. y: (outputs, channels, bins).
enum { BLOCK = 4, SPAN = 3 };  // the sums held: of so many channels times so many vectors of bins
struct Filter {
    int64_t channels, bins, outputs, each;  // frames out, of all utterances and of one
    int64_t frames, step;                   // frames in, of one utterance; between two frames out
    int64_t taps, inputs, kernel, row;      // the kernel's frames, channels (or pairs) and bins; values of a row of x
    const int64_t* offset;                  // within a row, of the first value that each of the kernel's bins sees
    int rounded, tanh;                      // the convolution's result to bfloat16
    const float *x, *weight, *gain, *shift;
    float* y;
};

// The gradient of a convolution's weights: for each, the sum over all outputs and bins of the output's gradient times what
// the weight saw for it. Sizes, x and offset: as `Filter`'s; offsets up to a multiple of SPAN. gradient: (outputs,
// channels, width), zero beyond the channels, up to a multiple of BLOCK, and beyond the bins, up to one of the lanes.
// sums: zeroed vectors, BLOCK * SPAN for each part that `weights` counts. y: (channels, inputs, kernel, taps).
struct Weights {
    int64_t channels, width, utterances, each;
    int64_t frames, step;
    int64_t taps, inputs, kernel, row;
    const int64_t* offset;
    const float *x, *gradient;
    float *sums, *y;
};

struct Filters {
    int lanes;
    bool pairs;                                                     // how `filter` takes what is rounded to bfloat16
    void (*ahead)(const Ahead* ahead, int64_t from, int64_t to);    // units `from` .. `to` - 1
    void (*filter)(const Filter* filter, int64_t from, int64_t to);  // of all (block, output), `from` .. `to` - 1
    void (*weights)(const Weights* weights, int64_t from, int64_t to);  // of all (block, tap, channel in, SPAN bins), likewise
};

extern const Filters plain_filters;
extern const Filters avx2_filters;
extern const Filters avx512_filters;
extern const Filters avx512_vnni_filters;
