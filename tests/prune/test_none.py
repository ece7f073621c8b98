"""Dense training is left alone."""

from prune_rnn.prune.none import NoMasker, NoneConfig


def test_it_holds_nothing_and_is_done_from_the_beginning() -> None:
    masker = NoMasker()
    assert masker.done(0)
    masker.after_step(1)
    masker.check()
    assert masker.parameters == masker.sparsity() == masker.thresholds == {}


def test_its_state_goes_round() -> None:
    masker = NoMasker()
    masker.load_state_dict(masker.state_dict())
    assert masker.state_dict() == {"masks": {}, "thresholds": {}}


def test_there_is_nothing_to_get_wrong() -> None:
    config = NoneConfig()
    config.check()
    assert config.method == "none"
