#!/bin/sh
# The frontier: test CER against parameters that are not zero, of dense GRU networks of seven widths and of two widths pruned
# to five sparsities, one seed; 17 runs, two of them Table 3's. `prune-rnn report` draws them in its figure "frontier".
# What is finished is skipped, what was cut off goes on. JOBS=2 trains two at a time, one core each. About three hours of one core.
set -e
{
    echo "model=gru_dense_small"  # 51 units
    for units in 36 72 102 128 181 224; do echo "model=gru_dense model.units=$units"; done
    for model in gru_sparse gru_sparse_big; do
        for sparsity in 0.5 0.7 0.8 0.9 0.95; do echo "model=$model prune.sparsity=$sparsity"; done
    done
} | xargs -L 1 -P "${JOBS:-1}" prune-rnn train threads=1
prune-rnn report
