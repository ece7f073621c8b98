// What this machine can run, and what the C functions are and return.
#pragma once
enum Set { PLAIN = 0, AVX2 = 1, AVX512 = 2 };  // as `InstructionSet` in library.py
Set best_set();

enum Status { DONE = 0, NO_MEMORY = 1, BAD_SIZES = 2 };
#define API __attribute__((visibility("default")))
