// What this machine runs.
#include "sets.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

bool compiled(int set) {
    const char* const names[SETS] = {"plain", IF_AVX2("avx2"), IF_AVX512("avx512"), IF_AVX512_VNNI("avx512_vnni"), IF_NEON("neon"),
                                     IF_NEON_DOT("neon_dot")};
    return set >= 0 && set < SETS && names[set];
}

namespace {

bool machine_has(int set) {
#if defined(__x86_64__)
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    switch (set) {
        case AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case AVX512: return avx512;
        case AVX512_VNNI:
            return avx512 && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
                   __builtin_cpu_supports("avx512bf16");
    }
#elif defined(__aarch64__) && defined(__linux__)
    if (set == NEON_DOT) return getauxval(AT_HWCAP) >> 20 & 1;  // HWCAP_ASIMDDP
#endif
    return true;  // all 64-bit Arm has NEON, all of Apple's the dot products
}

}  // namespace

bool runs(int set) { return compiled(set) && machine_has(set); }

extern "C" {

// Whether the library was compiled for the set; whether it also runs here.
API int prune_rnn_compiled(int set) { return compiled(set); }
API int prune_rnn_runs(int set) { return runs(set); }

// The SHA-256 of all sources, as CMakeLists.txt takes it.
API const char* prune_rnn_sources() { return SOURCES; }
}
