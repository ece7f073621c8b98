#include "neon.inc"

extern const Kernels neon_kernels = NEON_KERNELS;
