// What the drivers of test_drivers.py share.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

inline std::mt19937 random_numbers(0);

inline std::vector<float> noise(size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_numbers);
    return values;
}

inline void near(double found, double wanted, double tolerance, const char* what) {
    if (std::fabs(found - wanted) <= tolerance) return;
    std::printf("%s: %g where %g is wanted\n", what, found, wanted);
    std::exit(1);
}
