"""The networks have the paper's parameters, and padding changes nothing."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, FrameNorm, ModelConfig, Recurrent, RowConvolution
from prune_rnn.model.layers import layers
from prune_rnn.model.recurrence import Activation

TINY = ModelConfig(name="tiny", cell=Cells.rnn, units=5, baseline_units=5, layers=2, conv_channels=2, lookahead=3)
LENGTHS = torch.tensor([13, 22, 5, 22])
CELLS = pytest.mark.parametrize("cell", Cells)


def network(cell: Cells, seed: int = 0) -> DeepSpeech2:
    torch.manual_seed(seed)
    return DeepSpeech2(replace(TINY, cell=cell))


def features(lengths: Tensor, seed: int = 0) -> Tensor:
    """(batch, 161, longest), zero past each end."""
    values = torch.randn(len(lengths), 161, int(lengths.max()), generator=torch.Generator().manual_seed(seed))
    return values * (torch.arange(values.shape[2]) < lengths[:, None])[:, None]


def more_padding(given: Tensor) -> Tensor:
    return nn.functional.pad(given, (0, 9))


def trained(cell: Cells) -> DeepSpeech2:
    """With running statistics of their own and biases above zero, which keep clipped units alive."""
    model = network(cell)
    for seed in range(3):
        model(3 * features(LENGTHS, seed) + 1, LENGTHS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1 and name.startswith(("recurrent", "linear", "conv", "row")):
                parameter.add_(0.3 * torch.rand_like(parameter))
    return model.eval()


def counts(cell: Cells, units: int, depth: int) -> dict[str, int]:
    with torch.device("meta"):
        model = DeepSpeech2(ModelConfig(name="m", cell=cell, units=units, baseline_units=units, layers=depth))
    assert sum(len(named) for _, named in layers(model)) == len(list(model.parameters()))
    return {layer: sum(p.numel() for _, p in named) for layer, named in layers(model)}


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "total"), [(1760, 67_696_733), (704, 11_622_077), (2560, 141_358_333), (3072, 202_608_381)]
)
def test_parameters_of_the_rnn_are_the_papers(units: int, total: int) -> None:
    n, found = units, counts(Cells.rnn, units, 7)
    assert found == {
        "conv.0": 19_616,
        "conv.1": 239_168,
        "recurrent.0": 1312 * n + 2 * n**2 + 2 * n,
        **{f"recurrent.{i}": 3 * n**2 + 2 * n for i in range(1, 7)},
        "linear": n**2 + 2 * n,
        "output": 29 * n + 29,
    }
    if units == 1760:
        assert list(found.values())[2:4] == [8_507_840, 9_296_320]
        assert list(found.values())[-2:] == [3_101_120, 51_069]
    assert sum(found.values()) == total


@pytest.mark.parametrize(("units", "total"), [(2560, 115_425_533), (3568, 218_317_133)])
def test_parameters_of_the_gru_are_the_papers(units: int, total: int) -> None:
    n, found = units, counts(Cells.gru, units, 3)
    assert found == {
        "conv.0": 19_616,
        "conv.1": 239_168,
        "recurrent.0": 3 * 1312 * n + 3 * n**2 + 6 * n,
        "recurrent.1": 6 * n**2 + 6 * n,
        "recurrent.2": 6 * n**2 + 6 * n,
        "row_conv": 42 * n,
        "linear": n**2 + 2 * n,
        "output": 29 * n + 29,
    }
    if units == 2560:
        assert list(found.values())[2:] == [29_752_320, 39_336_960, 39_336_960, 107_520, 6_558_720, 74_269]
    assert sum(found.values()) == total


def test_parameters_of_the_lstm_are_about_those_of_the_gru() -> None:
    n, found = 2200, counts(Cells.lstm, 2200, 3)
    assert found == {
        "conv.0": 19_616,
        "conv.1": 239_168,
        "recurrent.0": 4 * 1312 * n + 4 * n**2 + 8 * n,
        "recurrent.1": 8 * n**2 + 8 * n,
        "recurrent.2": 8 * n**2 + 8 * n,
        "row_conv": 42 * n,
        "linear": n**2 + 2 * n,
        "output": 29 * n + 29,
    }
    assert sum(found.values()) == 113_657_813  # 1.5 % fewer than GRU Dense


def test_a_forget_gate_is_open_at_the_start() -> None:
    """The shift of the batch norm before the gates is their bias."""
    for cell in Cells:
        norm = network(cell).recurrent[0].norm.norm
        wanted = {Cells.lstm: [0.0, 1.0, 0.0, 0.0], Cells.gru: [0.0] * 3, Cells.rnn: [0.0]}[cell]
        assert norm.bias.view(-1, TINY.units).mean(1).tolist() == wanted


def test_a_direction_that_is_the_cells_own_names_no_other_network() -> None:
    assert replace(TINY, bidirectional=True) == TINY
    assert replace(TINY, bidirectional=False) != TINY and not replace(TINY, bidirectional=False).both_ways


def test_matrices_start_within_inputs_to_the_minus_half() -> None:
    model = network(Cells.gru)
    for module in (layer for layer in model.modules() if isinstance(layer, nn.Linear)):
        bound = module.in_features**-0.5
        assert 0.8 * bound < module.weight.abs().max() <= bound


@pytest.mark.parametrize("key", ["units", "layers", "conv_channels", "lookahead"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_number_under_one_is_refused(key: str, value: int) -> None:
    TINY.check()
    with pytest.raises(ValueError, match=f"model.{key}={value}: must be 1 or more"):
        replace(TINY, **{key: value}).check()


# --- shape ------------------------------------------------------------------------------------------------------------


def test_frames_are_halved_once_and_rounded_up() -> None:
    given = torch.tensor([1, 2, 3, 4, 99, 100, 101])
    assert network(Cells.rnn).lengths(given).tolist() == [1, 1, 2, 2, 50, 50, 51]
    assert given.tolist() == [1, 2, 3, 4, 99, 100, 101]


@CELLS
@pytest.mark.parametrize("training", [False, True])
def test_output_is_log_probabilities_over_the_announced_frames(cell: Cells, training: bool) -> None:
    found = network(cell).train(training)(features(LENGTHS), LENGTHS)
    assert found.shape == (11, 4, 29)
    assert found.dtype == torch.float32
    for i, length in enumerate([7, 11, 3, 11]):
        torch.testing.assert_close(found[:length, i].exp().sum(-1), torch.ones(length))


# --- padding ----------------------------------------------------------------------------------------------------------


@CELLS
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_more_padding_changes_nothing(cell: Cells, training: bool) -> None:
    one, given = trained(cell).train(training), features(LENGTHS)
    two = copy.deepcopy(one)
    found = [model(x, LENGTHS) for model, x in ((one, given), (two, more_padding(given)))]
    weighting = torch.randn(found[0].shape, generator=torch.Generator().manual_seed(5))
    for output in found:
        (output * weighting).sum().backward()
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-5)
    for (name, a), (_, b) in zip(one.named_parameters(), two.named_parameters(), strict=True):
        assert a.grad is not None, name
        assert a.grad.abs().max() > 0, name
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5 * float(a.grad.abs().max()), rtol=1e-4, msg=name)
    for (name, a), (_, b) in zip(one.named_buffers(), two.named_buffers(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5, msg=name)


@CELLS
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1], [3, 1, 0, 2]], ids=str)
def test_in_evaluation_an_utterance_alone_is_as_within_a_batch(cell: Cells, order: list[int]) -> None:
    model, given = trained(cell), features(LENGTHS)
    with torch.no_grad():
        together = model(given[order], LENGTHS[order])
        for position, i in enumerate(order):
            length = int(LENGTHS[i])
            alone = model(given[i : i + 1, :, :length], LENGTHS[i : i + 1])[:, 0]
            torch.testing.assert_close(together[: len(alone), position], alone, atol=1e-5, rtol=1e-5)


@CELLS
def test_in_training_the_order_within_the_batch_does_not_matter(cell: Cells) -> None:
    model, given, order = network(cell), features(LENGTHS), [2, 0, 3, 1]
    found = model(given, LENGTHS)[:, order]
    torch.testing.assert_close(model(given[order], LENGTHS[order]), found, atol=1e-5, rtol=1e-5)


def test_batch_norm_counts_true_frames_only() -> None:
    """The running statistics after one step are a tenth of the mean and variance over the utterances' own frames."""
    model = network(Cells.rnn)
    given = features(LENGTHS)
    conv = model.conv[0]
    frames = torch.cat(
        [
            conv.conv(given[i : i + 1, None, :, :length]).flatten(1, 2)[0].t()  # (frames, channels * bins)
            for i, length in enumerate(LENGTHS.tolist())
        ]
    )
    assert frames.shape == (7 + 11 + 3 + 11, 2 * 81)
    model(more_padding(given), LENGTHS)
    norm = conv.norm.norm
    torch.testing.assert_close(norm.running_mean, 0.1 * frames.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * frames.var(0), atol=1e-5, rtol=1e-4)


def test_convolution_leaves_pads_at_zero_and_frames_in_place() -> None:
    model = trained(Cells.rnn)
    given = features(LENGTHS)
    found = model.conv[0](given[:, None], LENGTHS)
    assert found.shape == (4, 2, 81, 11)
    for i, length in enumerate([7, 11, 3, 11]):
        assert found[i, :, :, length:].count_nonzero() == 0
        raw = model.conv[0].conv(given[i : i + 1, None])[0, :, :, :length]
        norm = model.conv[0].norm.norm
        mean, var, scale, shift = (
            v.view(2, 81, 1) for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        wanted = ((raw - mean) / (var + 1e-5).sqrt() * scale + shift).clamp(0, 20)
        torch.testing.assert_close(found[i, :, :, :length], wanted, atol=1e-5, rtol=1e-4)
    assert (found > 0).any()


def test_frame_norm_by_hand() -> None:
    """Two units over the frames (1, 0) and (3, 4): means 2 and 2, deviations 1 and 2."""
    norm = FrameNorm(2)
    found = norm(torch.tensor([[1.0, 0.0], [3.0, 4.0]], dtype=torch.bfloat16))
    torch.testing.assert_close(found, torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), atol=1e-4, rtol=0)
    assert found.dtype == torch.float32


# --- layers -----------------------------------------------------------------------------------------------------------


def row(taps: int, units: int = 3) -> RowConvolution:
    """Its norm adds nothing: running mean 0 and variance 1 - 1e-5."""
    torch.manual_seed(0)
    layer = RowConvolution(units, taps, Activation.clipped_relu).eval()
    layer.norm.norm.running_var.fill_(1 - 1e-5)
    return layer


@pytest.mark.parametrize("taps", [1, 3, 9])
def test_row_convolution_is_its_formula(taps: int) -> None:
    """r_{t,i} = sum_j W_{i,j} h_{t+j,i}, nothing past the end; taps may outnumber frames."""
    layer, lengths = row(taps), [6, 4, 1]
    hidden = torch.randn(6, 3, 3, generator=torch.Generator().manual_seed(1))  # (frame, batch, unit)
    found, found_lengths = pad_packed_sequence(layer(pack_padded_sequence(hidden, torch.tensor(lengths))))
    assert found_lengths.tolist() == lengths
    wanted, weight = torch.zeros(6, 3, 3), layer.weight.detach()
    for b, length in enumerate(lengths):
        for t in range(length):
            for i in range(3):
                total = sum(float(weight[i, 0, j] * hidden[t + j, b, i]) for j in range(taps) if t + j < length)
                wanted[t, b, i] = min(max(total, 0), 20)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert wanted.count_nonzero() > 5


def test_row_convolution_looks_only_ahead_and_only_as_far_as_its_taps() -> None:
    layer = row(3, units=1)
    layer.activation = Activation.tanh
    hidden = torch.zeros(8, 1, 1, requires_grad=True)
    packed = layer(pack_padded_sequence(hidden, torch.tensor([8])))
    (grad,) = torch.autograd.grad(packed.data[3, 0], hidden)
    assert grad.flatten().nonzero().flatten().tolist() == [3, 4, 5]


def test_one_input_matrix_serves_both_directions_whose_outputs_are_summed() -> None:
    torch.manual_seed(0)
    layer = Recurrent(4, TINY).eval()
    assert {name: tuple(p.shape) for name, p in layer.named_parameters() if p.dim() == 2} == {
        "input.weight": (5, 4),
        "recurrent.weight": (5, 5),
        "recurrent_reverse.weight": (5, 5),
    }
    layer.norm.norm.running_mean.normal_()
    x = torch.randn(6, 4)
    given = (x @ layer.input.weight.t() - layer.norm.norm.running_mean) / (1 + 1e-5) ** 0.5
    wanted = torch.zeros(6, 5)
    assert layer.recurrent_reverse is not None
    for weight, order in ((layer.recurrent.weight, range(6)), (layer.recurrent_reverse.weight, range(5, -1, -1))):
        state = torch.zeros(5)
        for t in order:
            state = (given[t] + weight @ state).clamp(0, 20)
            wanted[t] += state
    torch.testing.assert_close(layer(x, torch.ones(6).long()), wanted, atol=1e-5, rtol=1e-5)


def test_the_gru_runs_forward_only() -> None:
    """A change in the last frame of a layer's input changes no output before it; in the RNN it does."""
    for cell, changed in ((Cells.gru, [5]), (Cells.rnn, [0, 1, 2, 3, 4, 5])):
        torch.manual_seed(0)
        layer = Recurrent(4, replace(TINY, cell=cell, activation=Activation.tanh)).eval()
        x = torch.randn(6, 4)
        other = x.clone()
        other[5] += 1
        difference = layer(x, torch.ones(6).long()) - layer(other, torch.ones(6).long())
        assert difference.abs().sum(1).nonzero().flatten().tolist() == changed


def test_the_activation_reaches_every_layer() -> None:
    model = DeepSpeech2(replace(TINY, cell=Cells.gru, activation=Activation.tanh))
    assert model.row_conv is not None
    parts = [*model.conv, *model.recurrent, model.row_conv, model]
    assert {part.activation for part in parts} == {Activation.tanh}


# --- half precision ---------------------------------------------------------------------------------------------------


@CELLS
def test_bfloat16_autocast_gives_float32_near_the_exact_output(cell: Cells) -> None:
    model, given = network(cell), features(LENGTHS)
    with torch.no_grad():
        exact = copy.deepcopy(model)(given, LENGTHS)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(given, LENGTHS)
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact)
    torch.testing.assert_close(found, exact, atol=0.3, rtol=0)
    found.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.isfinite().all()
    assert all(buffer.dtype != torch.bfloat16 for buffer in model.buffers())
