#!/bin/sh
# The paper's Table 4: RNN Sparse pruned at once, at five epochs, against gradual pruning; three seeds of the epoch that served
# the paper best. 7 runs beside Table 3's; `python scripts/scaling.py hard` tabulates them. What is finished is skipped, what was
# cut off goes on. JOBS=2 trains two at a time, one core each. An hour of one core.
set -e
{
    for epoch in 5 7 10 12 15; do echo "model=rnn_sparse prune=hard prune.epoch=$epoch"; done
    for seed in 1 2; do echo "model=rnn_sparse prune=hard prune.epoch=7 seed=$seed"; done
} | xargs -L 1 -P "${JOBS:-1}" prune-rnn train threads=1
