// Work shared out to threads; for files that every machine runs.
#pragma once
#include <algorithm>
#include <cstdint>

#include "denormals.h"

// How many threads are worth waking for so many products: one from some ten microseconds on.
inline int64_t worth(int threads, int64_t most, int64_t products) {
    return std::max<int64_t>(1, std::min({(int64_t)threads, most, 1 + products / 400000}));
}

// body(group) for each group, on a thread of its own.
template <typename Body>
void in_groups(int64_t groups, const Body& body) {
    if (groups == 1) return body(0);
    const Denormals::Mode mode = Denormals::now();  // of the thread that asks
#ifdef _OPENMP
#pragma omp parallel for schedule(static, 1) num_threads((int)groups)
#endif
    for (int64_t group = 0; group < groups; group++) {
        const Denormals denormals(mode);
        body(group);
    }
}

// body(from, to) on parts of 0 .. count - 1.
template <typename Body>
void in_parts(int64_t count, int64_t products, int threads, const Body& body) {
    const int64_t groups = worth(threads, count, products);
    in_groups(groups, [&](int64_t group) { body(count * group / groups, count * (group + 1) / groups); });
}
