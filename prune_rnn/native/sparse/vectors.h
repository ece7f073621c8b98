// The vectors that are multiplied, made ready by all threads together; and room for the results.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "matrix.h"
#include "parallel.h"

// The vectors as the format wants them; for a sequence twice, as the next ones are made ready while the last are still
// read. A single int8 vector each thread rounds for itself, whole: that takes less time than meeting again, now that all
// know its range.
class Vectors {
public:
    Vectors(const Matrix& m, int streams, int turns)
        : m_(m), streams_(streams), parts_((int)m.parts.size()), whole_(m.kind == INT8 && streams == 1) {
        size_t bytes;
        if (m.format == ROWS && streams > 1) {
            stride_ = streams > SLICE ? PANEL : SLICE;
            panel_ = stride_ * m.columns;
            bytes = 4 * (size_t)panel_ * ((streams + stride_ - 1) / stride_);
        } else if (m.format == PAIRS) {
            stride_ = SLICE;
            panel_ = stride_ * m.columns;
            bytes = (size_t)panel_ * ((streams + SLICE - 1) / SLICE);
        } else {
            int each = native(m.format) ? bytes_of(m.kind) : 4;
            stride_ = ((int64_t)m.columns * each + PADDING + 63) / 64 * 64;
            bytes = (size_t)stride_ * streams;
        }
        // a window that passes a vector's end must see zeros; the streams that fill up a panel are never looked at
        const auto made = m.format == ROWS ? room<char> : buffer<char>;
        for (int copy = 0; copy < (whole_ ? parts_ : turns); copy++) data_.push_back(made(bytes));
        size_t each = (size_t)parts_ * streams;
        scale_ = buffer<float>(each), zero_ = buffer<int32_t>(each + SLICE);  // read by slices
        for (int turn = 0; turn < turns; turn++) seen_[turn] = buffer<Seen>(each);
    }

    // Makes ready x[stream * x_stride + column], the thread those columns that `span(part)` gives for its parts, and
    // returns once all threads have.
    template <typename Span>
    Operand publish(const float* x, int64_t x_stride, int turn, int thread, int threads, Barrier& barrier, Span span) {
        Operand out{data_[whole_ ? thread : turn % 2].get(), stride_, panel_, &scale_[(size_t)thread * streams_],
                    &zero_[(size_t)thread * streams_]};
        for (int p = thread; p < parts_; p += threads)
            for (int s = 0; s < streams_; s++) {
                auto [first, last] = span(p);
                const float* own = x + s * x_stride + first;
                Seen& seen = seen_[turn % 2][(size_t)p * streams_ + s];
                seen.finite = m_.kernels().finite(own, last - first);
                if (m_.kind == INT8) m_.kernels().range(own, last - first, &seen.low, &seen.high);
            }
        if (m_.kind == INT8) {
            barrier.wait(threads);
            choose_scales(turn, thread);
        }
        if (whole_) {
            m_.kernels().prepare(m_.kind, m_.format, x, x_stride, 0, m_.columns, streams_, &out);
            return out;
        }
        for (int p = thread; p < parts_; p += threads) {
            auto [first, last] = span(p);
            m_.kernels().prepare(m_.kind, m_.format, x, x_stride, first, last, streams_, &out);
        }
        barrier.wait(threads);
        return out;
    }

    // Replaces the results of a published vector that holds NaN or infinity by NaN. Rounded, such a vector is numbers
    // again; and a product that skips the zeros would pass by its NaN where the dense one does not.
    void spoil(int turn, int streams, float* y, int64_t y_stride, int rows) const {
        for (int s = 0; s < streams; s++) {
            bool finite = true;
            for (int part = 0; part < parts_; part++) finite &= seen_[turn % 2][(size_t)part * streams_ + s].finite != 0;
            if (!finite) std::fill_n(y + s * y_stride, rows, std::numeric_limits<float>::quiet_NaN());
        }
    }

private:
    struct alignas(64) Seen {  // of a part of a vector; a cache line each, as threads write them at the same time
        float low, high;
        int finite;
    };

    void choose_scales(int turn, int thread) {
        for (int s = 0; s < streams_; s++) {
            float low = 0, high = 0;
            for (int part = 0; part < parts_; part++) {
                const Seen& seen = seen_[turn % 2][(size_t)part * streams_ + s];
                low = std::min(low, seen.low);
                high = std::max(high, seen.high);
            }
            float scale = low < 0 ? std::max(-low, high) / 127 : high / 255;
            scale_[(size_t)thread * streams_ + s] = scale > 1e-30f ? scale : 1;
            zero_[(size_t)thread * streams_ + s] = low < 0 ? 128 : 0;
        }
    }

    const Matrix& m_;
    int streams_, parts_;
    bool whole_;
    int64_t stride_, panel_ = 0;
    std::vector<Buffer<char>> data_;  // [turn], or whole for each thread
    Buffer<float> scale_;             // [thread][stream]
    Buffer<int32_t> zero_;
    Buffer<Seen> seen_[2];  // [part][stream]
};

