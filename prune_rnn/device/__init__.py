"""The check of this project on a CUDA device, in stages: `scripts/check_cuda.py` runs them."""
