// The instruction sets, and what of them this machine runs. No standard library here: files that are compiled for a newer
// set include this.
#pragma once

enum Set {  // as `InstructionSet` in library.py; later ones are better, and fall back on earlier ones of the same machine
    PLAIN = 0,
    AVX2 = 1,         // with FMA
    AVX512 = 2,       // F, BW, DQ, VL
    AVX512_VNNI = 3,  // VBMI, VNNI and BF16 too: Zen 4, Sapphire Rapids and later
    NEON = 4,
    NEON_DOT = 5,     // NEON with dot products of bytes
    SETS = 6,
};

bool runs(int set);  // the library was compiled for it, and this machine has it
bool compiled(int set);

// Something of one kind for each set, null where a set has none of its own.
template <typename T>
struct OfSets {
    const T* each[SETS];
    const T& best(int set) const {
        while (!each[set]) set--;
        return *each[set];
    }
};

#ifdef HAVE_AVX2
#define IF_AVX2(what) what
#else
#define IF_AVX2(what) nullptr
#endif
#ifdef HAVE_AVX512
#define IF_AVX512(what) what
#else
#define IF_AVX512(what) nullptr
#endif
#ifdef HAVE_AVX512_VNNI
#define IF_AVX512_VNNI(what) what
#else
#define IF_AVX512_VNNI(what) nullptr
#endif
#ifdef HAVE_NEON
#define IF_NEON(what) what
#else
#define IF_NEON(what) nullptr
#endif
#ifdef HAVE_NEON_DOT
#define IF_NEON_DOT(what) what
#else
#define IF_NEON_DOT(what) nullptr
#endif

enum Status { DONE = 0, NO_MEMORY = 1, BAD_SIZES = 2 };
#define API __attribute__((visibility("default")))
