// Convolutions of random arrays by every instruction set that this machine has, against plain loops in double precision;
// built by test_drivers.py. Prints how many it computed.
#include <algorithm>
#include <cstdint>

#include "driver.h"

extern "C" {
int prune_rnn_runs(int set);
int prune_rnn_in_pairs(int set);
void prune_rnn_row_convolution(int frames, int taps, int units, int tanh, int threads, int set, const float* x,
                               const float* weight, const float* gain, const float* shift, float* y);
int prune_rnn_convolution(const int64_t* sizes, int rounded, int tanh, int threads, int set, const float* x,
                          const float* weight, const float* gain, const float* shift, float* y);
int prune_rnn_convolution_weights(const int64_t* sizes, int threads, int set, const float* x, const float* gradient, float* y);
}

namespace {
constexpr int BLOCK = 4;  // channels out whose weights lie together
double relu(double x) { return std::min(20.0, std::max(0.0, x)); }

int row_convolution(int set, int frames, int taps, int units, int threads) {
    const std::vector<float> x = noise((size_t)(frames + taps - 1) * units), weight = noise((size_t)taps * units);
    const std::vector<float> gain = noise(units), shift = noise(units);
    std::vector<float> y((size_t)frames * units);
    prune_rnn_row_convolution(frames, taps, units, 0, threads, set, x.data(), weight.data(), gain.data(), shift.data(), y.data());
    for (int frame = 0; frame < frames; frame++)
        for (int unit = 0; unit < units; unit++) {
            double sum = 0;
            for (int tap = 0; tap < taps; tap++) sum += (double)x[(size_t)(frame + tap) * units + unit] * weight[(size_t)tap * units + unit];
            near(y[(size_t)frame * units + unit], relu(gain[unit] * sum + shift[unit]), 1e-3, "row convolution");
        }
    return 1;
}

// Kernels of 5 bins and 3 frames, 2 bins apart and padded by 2. Of what is rounded only the memory is looked at.
int convolution(int set, int rounded, int utterances, int frames, int in, int bins, int out, int threads) {
    const int64_t kernel = 5, taps = 3, stride = 2, padding = 2, each = frames - taps + 1;
    const int64_t bins_out = (bins + 2 * padding - kernel) / stride + 1, blocks = (out + BLOCK - 1) / BLOCK;
    const int64_t inputs = rounded && prune_rnn_in_pairs(set) ? (in + 1) / 2 : in;
    const int64_t sizes[] = {utterances, frames, in, bins, out, kernel, taps, stride, 1, padding};
    const std::vector<float> x = noise((size_t)utterances * frames * in * bins), weight = noise(blocks * taps * inputs * kernel * BLOCK);
    const std::vector<float> gain = noise(out * bins_out), shift = noise(out * bins_out);
    std::vector<float> y(utterances * each * out * bins_out);
    prune_rnn_convolution(sizes, rounded, 0, threads, set, x.data(), weight.data(), gain.data(), shift.data(), y.data());
    for (int64_t i = 0; !rounded && i < (int64_t)y.size(); i++) {
        const int64_t bin = i % bins_out, channel = i / bins_out % out, frame = i / bins_out / out;
        double sum = 0;
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t from = 0; from < in; from++)
                for (int64_t k = 0; k < kernel; k++) {
                    const int64_t at = bin * stride + k - padding, seen = frame / each * frames + frame % each + tap;
                    if (at < 0 || at >= bins) continue;
                    sum += (double)x[(seen * in + from) * bins + at] *
                           weight[(((channel / BLOCK * taps + tap) * in + from) * kernel + k) * BLOCK + channel % BLOCK];
                }
        const int64_t own = channel * bins_out + bin;
        near(y[i], relu(gain[own] * sum + shift[own]), 1e-3, "convolution");
    }
    return 1;
}

// The gradient of such a kernel's weights.
int weights(int set, int utterances, int frames, int in, int bins, int out, int threads) {
    const int64_t kernel = 5, taps = 3, stride = 2, padding = 2, each = frames - taps + 1;
    const int64_t bins_out = (bins + 2 * padding - kernel) / stride + 1;
    const int64_t sizes[] = {utterances, frames, in, bins, out, kernel, taps, stride, 1, padding};
    const std::vector<float> x = noise((size_t)utterances * frames * in * bins);
    const std::vector<float> gradient = noise((size_t)utterances * each * out * bins_out);
    std::vector<float> y(out * in * kernel * taps);
    prune_rnn_convolution_weights(sizes, threads, set, x.data(), gradient.data(), y.data());
    for (int64_t i = 0; i < (int64_t)y.size(); i++) {
        const int64_t tap = i % taps, k = i / taps % kernel, from = i / taps / kernel % in, to = i / taps / kernel / in;
        double sum = 0;
        for (int64_t frame = 0; frame < utterances * each; frame++)
            for (int64_t bin = 0; bin < bins_out; bin++) {
                const int64_t at = bin * stride + k - padding, seen = frame / each * frames + frame % each + tap;
                if (at < 0 || at >= bins) continue;
                sum += (double)x[(seen * in + from) * bins + at] * gradient[(frame * out + to) * bins_out + bin];
            }
        near(y[i], sum, 1e-2, "gradient of weights");
    }
    return 1;
}
}  // namespace

int main() {
    int computed = 0;
    for (int set = 0; set < 6; set++)
        for (int threads : {1, 3}) {
            if (!prune_rnn_runs(set)) continue;
            for (int frames : {1, 40})
                for (int units : {1, 33, 600}) computed += row_convolution(set, frames, 9, units, threads);
            for (int utterances : {1, 3})
                for (int in : {1, 3})
                    for (int bins : {5, 161})
                        for (int out : {1, 6}) computed += weights(set, utterances, 30, in, bins, out, threads);
            for (int rounded : {0, 1})
                for (int utterances : {1, 3})
                    for (int in : {1, 3, 4})
                        for (int bins : {5, 161})
                            for (int out : {1, 6}) computed += convolution(set, rounded, utterances, 30, in, bins, out, threads);
        }
    std::printf("%d\n", computed);
}
