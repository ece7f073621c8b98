// The recurrent cells, numbered as `Cell.kind` in prune_rnn/model. No standard library here: files that are compiled for a
// newer instruction set include this.
#pragma once

enum Cell { RNN = 0, GRU = 1, LSTM = 2 };

// gates: products of `units` rows. vectors: of `units`, in a state; the first is the output.
struct Shape {
    int gates, vectors;
};
static inline struct Shape shape_of(int cell) {
    const struct Shape shapes[] = {{1, 1}, {3, 1}, {4, 2}};
    return shapes[cell];
}
