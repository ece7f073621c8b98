#!/bin/sh
# The paper's Table 4: RNN Sparse pruned at once, at five epochs, against gradual pruning; one seed, 5 runs beside Table 3's.
# `python scripts/scaling.py hard` tabulates those that are finished. What is finished is skipped, what was cut off goes on. JOBS=2
# trains two at a time, one core each. Under an hour of one core.
set -e
for epoch in 5 7 10 12 15; do echo "model=rnn_sparse prune=hard prune.epoch=$epoch"; done |
    xargs -L 1 -P "${JOBS:-1}" prune-rnn train threads=1
