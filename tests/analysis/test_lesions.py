import numpy as np
import pytest
import xarray as xr

from biornn.analysis.lesions import lesion_robustness
from biornn.analysis.performance import performance
from biornn.analysis.simulate import simulate
from biornn.tasks import FlipFlop
from biornn.tasks.task import describe_task
from tests.analysis.networks import network, side_by_side

EXC, INH = "excitatory", "inhibitory"
SHARE = [0.0, 0.25, 0.5, 0.75, 1.0]


def relay(n_excitatory=8, n_inhibitory=4, matters=INH, bias=0.0, typed=True):
    """Output: the mean of minus what the units that matter are told, of the sign that makes it the input."""
    cell_type = np.array([EXC] * n_excitatory + [INH] * n_inhibitory, object)
    heard = cell_type == matters if matters in (EXC, INH) else np.full(len(cell_type), True)
    return network(
        np.zeros((len(heard), len(heard))),
        -np.ones((1, len(heard))),
        -(heard / heard.sum())[:, np.newaxis],
        bias=bias,
        cell_type=cell_type if typed else "unconstrained",
    )


def trials(level=1.0):
    inputs = xr.DataArray(np.full((2, 3, 1), level), dims=("trial", "time", "input_channel"))
    trials = xr.Dataset({"inputs": inputs, "targets": inputs.rename(input_channel="output_channel")})
    return trials.assign_attrs(describe_task(FlipFlop(n_bits=1)))


def test_silencing_the_units_that_matter_shows():
    # Of n that matter, k silenced leave an output of 1 - k / n: right while that is above a half.
    result = lesion_robustness(relay(), trials(), SHARE)
    assert result.score.dims == ("lesion", "share")
    assert result.score.sel(lesion=INH).values.tolist() == [1, 1, 0, 0, 0]
    assert result.score.sel(lesion=EXC).values.tolist() == [1, 1, 1, 1, 1]  # no outgoing weights
    assert result.n_lesioned.sel(lesion=INH).values.tolist() == [0, 1, 2, 3, 4]
    assert result.n_lesioned.sel(lesion=EXC).values.tolist() == [0, 2, 4, 6, 8]
    assert result.n_lesioned.sel(lesion="any").values.tolist() == [0, 3, 6, 9, 12]
    assert result.difference.sel(lesion=INH, share=0.5) < 0 < result.difference.sel(lesion=EXC, share=0.75)


def test_controls_silence_as_many_units_of_any_type():
    result = lesion_robustness(relay(), trials(), SHARE, n_repeats=400, seed=1)
    # Of 12 units, of which 4 matter, 4 are drawn: at least 2 of those that matter with the probability of the
    # hypergeometric distribution. 400 draws: standard error 0.024.
    right = (70 + 4 * 56) / 495  # none, or one: (8 over 4) + 4 (8 over 3), of (12 over 4)
    assert result.control_score.sel(lesion=INH, share=1.0) == pytest.approx(right, abs=0.075)
    # As many units from all as there are excitatory ones at the share of a half.
    assert result.control_score.sel(lesion=EXC, share=0.5) == result.control_score.sel(lesion=INH, share=1.0)
    xr.testing.assert_equal(result.difference, result.score - result.control_score)
    assert result.control_score.sel(lesion="any").isnull().all()


def test_recurrent_weights_of_silenced_units_are_gone():
    rng = np.random.default_rng(0)
    task = FlipFlop(n_bits=1).trials(4, seed=0)
    weights = network(rng.normal(size=(6, 6)), rng.normal(size=(1, 6)), rng.normal(size=(6, 1)), 0.3, "tanh")
    result = lesion_robustness(weights, task, [0.5], n_repeats=1, seed=2)
    silenced = np.random.default_rng(2).permutation(6)[:3]
    weights.recurrent_weights[silenced] = 0
    weights.output_weights[silenced] = 0
    expected = performance(simulate(weights, task.inputs).outputs, task)["score"]
    np.testing.assert_allclose(result.score.sel(lesion="any", share=0.5), expected, rtol=1e-12)


def test_without_any_unit_the_output_is_its_bias():
    task = FlipFlop(n_bits=1).trials(5, seed=0)
    for bias, said in ((0.9, 1), (0.2, 0)):
        result = lesion_robustness(relay(matters="all", bias=bias), task, [1.0], n_repeats=2)
        expected = float((task.targets == said).mean())
        assert 0 < expected < 1
        assert result.score.sel(lesion="any", share=1.0) == pytest.approx(expected, rel=1e-12)


def test_no_lesion_scores_as_performance_does():
    task = FlipFlop(n_bits=1).trials(5, seed=0)
    expected = performance(simulate(relay(), task.inputs).outputs, task)["score"]
    result = lesion_robustness(relay(), task, [0.0])
    np.testing.assert_allclose(result.score.sel(share=0), expected, rtol=1e-12)
    np.testing.assert_allclose(result.difference.sel(share=0)[1:], 0, atol=1e-12)


def test_larger_lesions_contain_the_smaller():
    # What is right with a larger lesion of a relay is right with a smaller one of the same draw.
    result = lesion_robustness(relay(matters="all"), trials(), np.linspace(0, 1, 13), n_repeats=3)
    assert (result.score.diff("share") <= 0).all()
    few = lesion_robustness(relay(), trials(), np.linspace(0, 1, 13), n_repeats=3)
    assert (few.control_score.sel(lesion=INH).diff("share") <= 0).all()


def test_without_cell_types_only_any_units_are_silenced():
    result = lesion_robustness(relay(typed=False), trials(), SHARE)
    for name in ("score", "control_score", "difference", "n_lesioned"):
        assert result[name].sel(lesion=[EXC, INH]).isnull().all(), name
    assert result.score.sel(lesion="any").notnull().all()


def test_the_same_units_are_silenced_in_every_network():
    networks = side_by_side(dale=relay(), twin=relay(), free=relay(typed=False))
    result = lesion_robustness(networks, trials(), SHARE, seed=3)
    assert result.score.dims == ("network", "lesion", "share")
    assert result.condition.values.tolist() == ["d", "t", "f"]
    dale, twin, free = (result.isel(network=index, drop=True) for index in range(3))
    xr.testing.assert_equal(dale, twin)
    xr.testing.assert_equal(dale.score.sel(lesion="any"), free.score.sel(lesion="any"))
    xr.testing.assert_equal(dale, lesion_robustness(relay(), trials(), SHARE, seed=3))
    other = lesion_robustness(relay(), trials(), SHARE, seed=4)
    assert (other.control_score != dale.control_score).sel(lesion=[EXC, INH]).any()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="trials: expected 'targets', found"):
        lesion_robustness(relay(), trials().drop_vars("targets"))
    with pytest.raises(ValueError, match=r"share: expected shares of the units from 0 to 1, got \[0.5, 2\]"):
        lesion_robustness(relay(), trials(), [0.5, 2])
    with pytest.raises(ValueError, match="n_repeats: expected at least 1, got 0"):
        lesion_robustness(relay(), trials(), n_repeats=0)
