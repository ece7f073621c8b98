#include "neon.inc"

extern const Kernels neon_dot_kernels = NEON_KERNELS;
