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

// Zeroed, on a cache line of its own.
template <typename T>
Buffer<T> buffer(size_t count) {
    size_t bytes = (count * sizeof(T) + 63) / 64 * 64 + 64;
    void* memory = std::aligned_alloc(64, bytes);
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, bytes);
    return Buffer<T>(static_cast<T*>(memory));
}
