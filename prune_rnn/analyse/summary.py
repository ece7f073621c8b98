"""The result of a finished run, for the terminal."""

from __future__ import annotations

from tabulate import tabulate

from prune_rnn.run.store import Run


def summary(run: Run) -> str:
    """Returns the result of a finished run, with its scale, in a few lines."""
    result, config = run.result(), run.config()
    test, dev = result.test, result.dev
    layers = 100 * result.sparsity_recurrent
    rows = [
        ("model", f"{config.model.name}, {config.model.units} units"),
        ("scale", f"{config.scale.name}, seed {result.seed}, {result.steps} steps"),
        ("test CER", f"{100 * test.cer.rate:.2f} %"),
        ("test WER", f"{100 * test.wer.rate:.2f} %"),
        ("dev CER", f"{100 * dev.cer:.2f} % (best epoch: {result.best_epoch})"),
        ("parameters", f"{result.parameters:,}, not zero: {result.nonzero:,}"),
        ("sparsity", f"{100 * result.sparsity:.2f} % of all parameters, {layers:.2f} % of those in recurrent layers"),
        ("training", f"{result.train_seconds / 60:.1f} min, {1e3 * result.seconds_per_step:.0f} ms per step"),
        ("folder", str(run.folder)),
    ]
    if result.threshold:
        thresholds = ", ".join(f"{t} {value:.4g}" for t, value in result.threshold.items())
        source = f" (q: {result.q_source})" if result.q_source else ""
        rows.insert(-1, ("threshold", f"{thresholds} at the end{source}"))
    return tabulate(rows, tablefmt="plain")
