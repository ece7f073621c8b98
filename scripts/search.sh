#!/bin/sh
# How the recipe of scale=small was searched: 450 steps of the dense baselines and of the widest network, judged by dev_cer in
# their history.csv. What is finished is skipped, what was cut off goes on. What came of it: results/recipe.md.
set -e
short="results=results/search train.steps_per_epoch=150 train.epochs=3"
for recipe in \
    "train.clip=20 train.learning_rate=1e-2" "train.clip=10 train.learning_rate=1e-2" \
    "train.clip=5 train.learning_rate=1e-2" "train.clip=5 train.learning_rate=2e-2" "train.clip=5 train.learning_rate=4e-2" \
    "train.clip=null train.clip_percentile=10 train.learning_rate=1e-2" \
    "train.clip=null train.clip_percentile=50 train.learning_rate=1e-2" \
    "train.clip=null train.clip_percentile=90 train.learning_rate=1e-2"
do
    prune-rnn train -m $short $recipe model=gru_dense,rnn_dense "$@"
    prune-rnn train -m $short $recipe model=gru_dense model.units=224 "$@"
done
