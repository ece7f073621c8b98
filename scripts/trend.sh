#!/bin/sh
# The trend: GRU Sparse Big against GRU Dense at three base widths, each in the paper's proportions (speech and steps grow
# with the parameters), and at a quarter, half and all of the steps for the widest; three seeds. What is finished is skipped.
# The networks' sparsity is the same, so narrower ones lose more of what can be pruned: 96.2, 94.6, 93.5 % of it.
set -e
pair="model=gru_dense,gru_sparse_big seed=0,1,2"
prune-rnn train -m $pair scale.width=0.025 data.train_hours=4 train.steps_per_epoch=60 "$@"   # 64 units
prune-rnn train -m $pair scale.width=0.035 data.train_hours=8 train.steps_per_epoch=100 "$@"  # 90 units
prune-rnn train -m $pair train.steps_per_epoch=50,100,200 "$@"                                # 128 units
