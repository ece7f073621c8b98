#!/bin/sh
# The frontier: test CER against parameters that are not zero, of dense GRU networks of six widths and of two widths pruned
# to five sparsities, one seed; 16 runs, one of them Table 3's. `prune-rnn report` draws them in its figure "frontier". What is finished is skipped.
set -e
prune-rnn train -m model=gru_dense model.units=36,51,72,102,128,181 "$@"
prune-rnn train -m model=gru_sparse,gru_sparse_big prune.sparsity=0.5,0.7,0.8,0.9,0.95 "$@"
prune-rnn report "$@"
