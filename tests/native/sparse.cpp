// Products and layers of random matrices in every format, type and instruction set that this machine has, against plain
// loops in double precision; built by test_drivers.py. Prints how many it computed.
#include <cstdint>

#include "driver.h"

extern "C" {
int prune_rnn_runs(int set);
int prune_rnn_has(int set, int kind, int format);
void* prune_rnn_pack(int rows, int columns, int gates, const float* dense, const float* scale, int kind, int threads, int set,
                     int format, int streams);
void prune_rnn_free(void* matrix);
int prune_rnn_product(const void* matrix, int streams, const float* x, float* y);
int prune_rnn_layer(const void* matrix, int cell, int activation, int steps, int streams, int reverse,
                    const float* x, float* state, float* out);
int prune_rnn_both_ways(const void* matrix, const void* back, int cell, int activation, int steps, int streams,
                        const float* x, float* state, float* out, float* back_state, float* back_out);
}

namespace {
// gates 1: an RNN of clipped ReLU; 3: a GRU; 4: an LSTM. Layers are run but only compared with themselves.
int all_of(int set, int format, int kind, int units, int gates, int threads, int streams) {
    const int rows = gates * units, steps = 4;
    std::vector<float> dense = noise((size_t)rows * units), scale(rows, 0.01f);
    for (float& weight : dense)
        weight = random_numbers() % 10 ? 0 : kind == 2 ? std::round(100 * std::tanh(weight)) : weight;
    void* matrix = prune_rnn_pack(rows, units, gates, dense.data(), kind == 2 ? scale.data() : nullptr, kind, threads, set,
                                  format, streams);
    std::vector<float> x = noise((size_t)streams * units), y((size_t)streams * rows);
    prune_rnn_product(matrix, streams, x.data(), y.data());
    for (int s = 0; s < streams; s++)
        for (int row = 0; row < rows; row++) {
            double sum = 0, size = 0, weights = 0;
            for (int column = 0; column < units; column++) {
                double weight = dense[(size_t)row * units + column] * (kind == 2 ? 0.01 : 1.0);
                double product = weight * x[(size_t)s * units + column];
                sum += product, size += std::fabs(product), weights += std::fabs(weight);
            }
            // int8 vectors: steps of their range, less than 10, over 255
            double rounding = kind == 2 ? weights * 10 / 255 : size * (kind == 1 ? 0.01 : 1e-5);
            near(y[(size_t)s * rows + row], sum, 1e-6 + rounding, "product");
        }
    std::vector<float> inputs = noise((size_t)steps * streams * rows);
    const int cell = gates == 4 ? 2 : gates == 3;
    std::vector<float> first((size_t)streams * units * (cell == 2 ? 2 : 1)), second = first;
    std::vector<float> one((size_t)steps * streams * units), other = one;
    std::vector<float> ahead = first, back = first, ahead_out = one, back_out = one;
    prune_rnn_layer(matrix, cell, 0, steps, streams, 0, inputs.data(), first.data(), one.data());
    prune_rnn_layer(matrix, cell, 0, steps, streams, 1, inputs.data(), second.data(), other.data());
    prune_rnn_both_ways(matrix, matrix, cell, 0, steps, streams, inputs.data(), ahead.data(), ahead_out.data(),
                        back.data(), back_out.data());
    for (size_t i = 0; i < one.size(); i++) {
        near(ahead_out[i], one[i], 1e-4, "ahead");
        near(back_out[i], other[i], 1e-4, "back");
    }
    prune_rnn_free(matrix);
    return 3;
}
}  // namespace

int main() {
    int computed = 0;
    for (int set = 0; set < 6; set++)
        for (int kind = 0; kind < 3; kind++)
            for (int format = 1; format <= 6; format++) {
                if (!prune_rnn_runs(set) || !prune_rnn_has(set, kind, format)) continue;
                for (int units : {5, 48, 150})
                    for (int gates : {1, 3, 4})
                        for (int threads : {1, 3})
                            for (int streams : {1, 3, 67}) computed += all_of(set, format, kind, units, gates, threads, streams);
            }
    std::printf("%d\n", computed);
}
