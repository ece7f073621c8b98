"""What comes with the package is what the committed runs say."""

from pathlib import Path

import pytest

from prune_rnn.predict.ship import contents

RESULTS = Path(__file__).parents[2] / "results"


@pytest.mark.skipif(not (RESULTS / "runs").is_dir(), reason="no committed runs here")
def test_the_shipped_files_are_made_of_the_committed_runs() -> None:
    for path, text in contents(RESULTS).items():
        assert path.read_text() == text, f"{path}: run `python -m prune_rnn.predict.ship`"
