"""One process holds a run; what takes its lock for an instant makes no other one fail."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from prune_rnn import paths
from prune_rnn.integrity.tidy import tidy
from prune_rnn.run.store import Run


def test_a_lock_that_another_process_holds_for_an_instant_is_waited_for(tmp_path: Path) -> None:
    """As `tidy` and `runs` of processes that start at the same moment do."""
    run, held, freed = Run(tmp_path / "run"), Event(), Event()

    def hold() -> None:
        with Run(tmp_path / "run").lock():
            held.set()
            freed.wait(0.3)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(hold)
        assert held.wait(10)
        with run.lock():
            assert done.result() is None


def test_a_folder_that_is_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    """`tidy` of another process removes a folder that holds nothing but a lock."""
    run, stop = Run(tmp_path / "runs" / "model-0"), Event()

    def tidies() -> None:
        while not stop.wait(0.001):
            tidy(tmp_path, print)

    with ThreadPoolExecutor() as pool:
        workers = [pool.submit(tidies) for _ in range(2)]
        try:
            for _ in range(50):
                with run.lock():
                    (run.folder / paths.HISTORY).write_text("begun")
                    (run.folder / paths.HISTORY).unlink()
                shutil.rmtree(run.folder, ignore_errors=True)
        finally:
            stop.set()
        for worker in workers:
            worker.result()


def test_a_run_is_not_held_by_what_only_looks(tmp_path: Path) -> None:
    run, stop = Run(tmp_path / "run"), Event()
    with run.lock():
        assert run.held
    with ThreadPoolExecutor() as pool:
        looking = pool.submit(lambda: [Run(run.folder).held for _ in iter(lambda: stop.wait(0.01), True)])
        found = [run.held for _ in range(50)]
        stop.set()
    assert not any(found) and not any(looking.result())
