// The vectors that are multiplied, made ready by all threads together; and room for the results.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "matrix.h"
#include "parallel.h"

// The vectors as the format wants them; for a sequence twice, as the next ones are made ready while the last are still
// read. For int8 also the scales that go with them, which each thread works out for itself.
class Vectors {
public:
    Vectors(const Matrix& m, int streams, int turns) : m_(m), streams_(streams), parts_((int)m.parts.size()) {
        size_t bytes;
        if (m.format == ROWS && streams > 1) {
            stride_ = (int64_t)(streams + SLICE - 1) / SLICE * SLICE;
            bytes = 4 * ((size_t)stride_ * m.columns + 3 * SLICE);  // the widest kernel reads four slices of streams
        } else {
            int each = native(m.format) ? bytes_of(m.kind) : 4;
            stride_ = ((int64_t)m.columns * each + PADDING + 63) / 64 * 64;
            bytes = (size_t)stride_ * streams;
        }
        for (int turn = 0; turn < turns; turn++) data_[turn] = buffer<char>(bytes);
        size_t each = (size_t)parts_ * streams;
        low_ = buffer<float>(each), high_ = buffer<float>(each), scale_ = buffer<float>(each);
        zero_ = buffer<int32_t>(each);
        for (int turn = 0; turn < turns; turn++) finite_[turn] = buffer<int32_t>(each);
    }

    // Makes ready x[stream * x_stride + column] of the columns that `span(part)` gives for the thread's parts, and
    // returns once all threads have.
    template <typename Span>
    Operand publish(const float* x, int64_t x_stride, int turn, int thread, int threads, Barrier& barrier, Span span) {
        Operand out{data_[turn % 2].get(), stride_, &scale_[(size_t)thread * streams_], &zero_[(size_t)thread * streams_]};
        if (m_.kind == INT8) {
            for (int p = thread; p < parts_; p += threads)
                for (int s = 0; s < streams_; s++) {
                    auto [first, last] = span(p);
                    size_t at = (size_t)p * streams_ + s;
                    m_.kernels().range(x + s * x_stride + first, last - first, &low_[at], &high_[at]);
                }
            barrier.wait(threads);
            choose_scales(thread);
        }
        for (int p = thread; p < parts_; p += threads) {
            auto [first, last] = span(p);
            m_.kernels().prepare(m_.kind, m_.format, x, x_stride, first, last, streams_, &out);
            for (int s = 0; s < streams_; s++)
                finite_[turn % 2][(size_t)p * streams_ + s] = m_.kernels().finite(x + s * x_stride + first, last - first);
        }
        barrier.wait(threads);
        return out;
    }

    // Replaces the results of a published vector that holds NaN or infinity by NaN. Rounded, such a vector is numbers
    // again; and a product that skips the zeros would pass by its NaN where the dense one does not.
    void spoil(int turn, int streams, float* y, int64_t y_stride, int rows) const {
        for (int s = 0; s < streams; s++) {
            int32_t finite = 1;
            for (int part = 0; part < parts_; part++) finite &= finite_[turn % 2][(size_t)part * streams_ + s];
            if (!finite) std::fill_n(y + s * y_stride, rows, std::numeric_limits<float>::quiet_NaN());
        }
    }

private:
    void choose_scales(int thread) {
        for (int s = 0; s < streams_; s++) {
            float low = 0, high = 0;
            for (int part = 0; part < parts_; part++) {
                low = std::min(low, low_[(size_t)part * streams_ + s]);
                high = std::max(high, high_[(size_t)part * streams_ + s]);
            }
            float scale = low < 0 ? std::max(-low, high) / 127 : high / 255;
            scale_[(size_t)thread * streams_ + s] = scale > 1e-30f ? scale : 1;
            zero_[(size_t)thread * streams_ + s] = low < 0 ? 128 : 0;
        }
    }

    const Matrix& m_;
    int streams_, parts_;
    int64_t stride_;
    Buffer<char> data_[2];
    Buffer<float> low_, high_, scale_;  // [part][stream]; scale_, zero_: [thread][stream]
    Buffer<int32_t> zero_;
    Buffer<int32_t> finite_[2];  // [part][stream]
};

inline int64_t padded_rows(const Part& part) { return (int64_t)part.slices * SLICE; }
