"""All C++: one library of sparse products, time loops and convolutions, for every instruction set."""
