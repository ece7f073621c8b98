// Threads that work on the parts of a matrix, and meet between its steps.
#pragma once
#include <atomic>
#include <thread>
#ifdef __SANITIZE_THREAD__
#include <vector>
#endif

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../common/denormals.h"

// Threads meet here some ten thousand times a second: they spin, and give way only when somebody is long in coming.
class Barrier {
public:
    void wait(int threads) {
        if (threads == 1) return;
        int round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; spins++) {
#if defined(__x86_64__)
            _mm_pause();
#endif
            if (spins > 2000) {
                spins = 0;
                std::this_thread::yield();
            }
        }
    }

private:
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<int> round_{0};
};

inline int thread_number() {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}
inline int thread_count() {
#ifdef _OPENMP
    return omp_get_num_threads();
#else
    return 1;
#endif
}

// Whether this process is a fork of one that had the library: OpenMP's threads are not there, and asking for them hangs.
bool forked();

// Runs `phases(thread, threads, barrier)` on so many threads or fewer; each takes every `threads`-th part.
template <typename Phase>
void in_parallel(int wanted, const Phase& phases) {
    Barrier barrier;
    if (wanted == 1 || forked()) {
        const Denormals none(Denormals::ZERO);
        return phases(0, 1, barrier);
    }
#ifdef __SANITIZE_THREAD__  // which doesn't see how OpenMP's threads begin and end
    std::vector<std::thread> others;
    for (int thread = 1; thread < wanted; thread++) others.emplace_back([&, thread] { phases(thread, wanted, barrier); });
    phases(0, wanted, barrier);
    for (std::thread& other : others) other.join();
#else
#ifdef _OPENMP
#pragma omp parallel num_threads(wanted)
#endif
    {
        const Denormals none(Denormals::ZERO);
        phases(thread_number(), thread_count(), barrier);
    }
#endif
}
