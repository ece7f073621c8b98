"""A sweep's jobs: what they return, and the table that other processes' jobs reach as well."""

from pathlib import Path

import pytest

from prune_rnn.cli.outcome import Job, Outcome, saved


def test_a_failed_job_is_no_number() -> None:
    assert float(Outcome(dev_cer=0.5)) == 0.5
    with pytest.raises(ValueError, match="no memory"):
        float(Outcome(failed="no memory"))


def test_jobs_of_other_processes_are_found_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    jobs = [Job([f"seed={number}"], Outcome(cer=f"{number}", dev_cer=number / 100)) for number in range(11)]
    for number in (10, 2, 0, 1, *range(3, 10)):
        jobs[number].save(tmp_path / str(number))
    (tmp_path / "11").mkdir()  # of a job that was cut off
    assert saved(tmp_path) == jobs
