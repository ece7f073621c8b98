#!/bin/sh
# The paper's Table 3 at scale=small: eleven models, three seeds, seed after seed; then packed files, table, figures, page.
# What is finished is skipped, what was cut off goes on. JOBS=2 trains two at a time, one core each.
# Six hours of one core of Zen 5, ten of Zen 4.
set -e
models="gru_dense gru_sparse gru_sparse_medium gru_sparse_big gru_dense_small
        rnn_dense rnn_sparse rnn_sparse_medium rnn_sparse_big rnn_dense_small rnn_dense_medium"
for seed in 0 1 2; do
    for model in $models; do
        echo "model=$model seed=$seed"
    done
done | xargs -L 1 -P "${JOBS:-1}" prune-rnn train threads=1
for run in results/runs/*; do
    if [ -f "$run/model.pt" ] && [ ! -f "$run/model-float32.safetensors" ]; then prune-rnn export "$run"; fi
done
prune-rnn report
