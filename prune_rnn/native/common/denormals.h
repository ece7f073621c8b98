// Denormal numbers cost some hundred cycles each. Whether they count as zero is a mode of each thread.
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

class Denormals {
public:
#if defined(__x86_64__)
    typedef unsigned Mode;
    static constexpr Mode ZERO = 0x8040;  // results, operands
    static Mode all() { return _mm_getcsr(); }
    static void set_all(Mode mode) { _mm_setcsr(mode); }
#elif defined(__aarch64__)
    typedef uint64_t Mode;
    static constexpr Mode ZERO = 1 << 24;
    static Mode all() {
        Mode mode;
        __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
        return mode;
    }
    static void set_all(Mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
    typedef unsigned Mode;
    static constexpr Mode ZERO = 0;
    static Mode all() { return 0; }
    static void set_all(Mode) {}
#endif
    static Mode now() { return all() & ZERO; }

    // The thread has this mode while the object lives.
    explicit Denormals(Mode wanted) : before_(now()) { set(wanted); }
    ~Denormals() { set(before_); }
    Denormals(const Denormals&) = delete;

private:
    static void set(Mode mode) { set_all((all() & ~ZERO) | mode); }
    Mode before_;
};
