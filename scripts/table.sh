#!/bin/sh
# Trains what a table has no runs for: scripts/table.sh trend (or table3, table4, frontier, start, forecast, a YAML file).
# What was cut off goes on. JOBS=2 trains two at a time, one core each. Then packs the new runs and writes all tables.
set -e
prune-rnn report --missing --table "$1" | tr '\n' '\0' | xargs -0 -P "${JOBS:-1}" -I{} sh -c '{} threads=1'
for run in results/runs/*; do
    if [ -f "$run/model.pt" ] && [ ! -f "$run/model-float32.safetensors" ]; then prune-rnn export "$run"; fi
done
prune-rnn report
