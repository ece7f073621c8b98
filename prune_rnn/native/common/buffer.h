// Memory for vectors; for files that every machine runs.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <typename T>
using Buffer = std::unique_ptr<T[], Free>;

// On a cache line of its own, holding anything.
template <typename T>
Buffer<T> room(size_t count) {
    void* memory = std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64 + 64);
    if (!memory) throw std::bad_alloc();
    return Buffer<T>(static_cast<T*>(memory));
}

// Zeroed.
template <typename T>
Buffer<T> buffer(size_t count) {
    Buffer<T> made = room<T>(count);
    std::memset(made.get(), 0, count * sizeof(T));
    return made;
}
