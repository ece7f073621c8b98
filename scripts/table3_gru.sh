#!/bin/sh
# The GRU half of Table 3 at scale=small, seed 0: five trainings, 10 to 15 minutes each on 2 cores, then the table.
# Dense first: the sparse runs take q from its weights. What is finished is skipped, what was cut off goes on.
set -e
for model in gru_dense gru_dense_small gru_sparse gru_sparse_medium gru_sparse_big; do
    prune-rnn train model=$model "$@"
done
prune-rnn report "$@"
