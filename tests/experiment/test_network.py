"""One network of an experiment, in this process."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from biornn.experiment import Experiment, expand
from biornn.experiment.network import network_model, run_network, time_network
from biornn.progress import Progress
from biornn.tasks import FlipFlop

TASK = FlipFlop(n_bits=1, duration=60, n_pulses=1)


def experiment(**training: object) -> Experiment:
    return Experiment(
        task=TASK,
        network={"n_units": 4, "tau": 2.0},
        seeds=[5],
        training={"max_updates": 3, "batch_size": 2, "validate_every": 2, "n_validation_trials": 3, **training},
        recording={"n_trials": 4},
    )


def results(**training: object) -> dict[str, xr.Dataset]:
    return run_network(expand(experiment(**training))[0], lambda news: None)


@pytest.fixture(scope="module")
def groups() -> dict[str, xr.Dataset]:
    return results()


def test_a_network_is_trained_recorded_and_audited(groups: dict[str, xr.Dataset]) -> None:
    assert set(groups) == {"activity", "probe_activity", "weights", "history", "audit"}
    assert groups["weights"]["update"].values.tolist() == [0, 2, 3]
    assert groups["activity"].rates.shape == (4, 60, 4)
    assert groups["history"].status == "completed"
    assert (groups["audit"].sign_violations == 0).all()


def test_the_listener_hears_of_updates_and_one_seed_gives_the_same_numbers(
    groups: dict[str, xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Progress] = []
    clock = SimpleNamespace(monotonic=iter(np.arange(0.0, 100.0, 2.0)).__next__)
    monkeypatch.setattr("biornn.training.callbacks.time", clock)
    again = run_network(expand(experiment())[0], heard.append)
    assert [news.update for news in heard] == [2, 3]
    assert [news.max_updates for news in heard] == [3, 3]
    # Two seconds an update, the first not counted: one more, then none.
    assert [news.seconds_left for news in heard] == [2, 0]
    for name, dataset in groups.items():
        # One process, one seed: the same numbers, but for the time that it took.
        xr.testing.assert_identical(
            dataset.drop_vars("wall_time", errors="ignore"), again[name].drop_vars("wall_time", errors="ignore")
        )


@pytest.mark.nightly
def test_units_have_their_names_in_a_gated_network_too() -> None:
    names = ["PV", "E1", "E2", "E3"]
    network = {"n_units": 4, "unit_names": names, "cell_type": [-1, 1, 1, 1]}
    settings = {"max_updates": 1, "batch_size": 2, "n_validation_trials": 2}
    conditions = {"own": {}, "gru": {"architecture": "gru", "cell_type": None}}
    for spec in expand(Experiment(task=TASK, network=network, conditions=conditions, seeds=1, training=settings)):
        groups = run_network(spec, lambda news: None)
        for dataset, dim in (
            (groups["weights"], "unit_pre"),
            (groups["weights"], "unit"),
            (groups["activity"], "unit"),
        ):
            assert dataset[dim].values.tolist() == names


def test_a_network_that_diverges_leaves_no_numbers_behind() -> None:
    groups = results(learning_rate=1e30, clip_norm=None, validate_every=1)
    assert groups["history"].status == "diverged"
    for name in ("activity", "probe_activity"):
        assert np.isnan(groups[name].rates).all()
        assert np.isnan(groups[name].outputs).all()
    assert np.isfinite(groups["weights"].recurrent_weights.isel(snapshot=0)).all()
    assert np.isnan(groups["weights"].recurrent_weights.isel(snapshot=-1)).all()
    assert (groups["audit"].mask_violations == 0).all()


@pytest.mark.parametrize(
    ("penalty", "n_losses"), [({}, 0), ({"l1_weights": 0.1}, 3), ({"l2_weights": 0.1}, 3), ({"l2_rates": 0.1}, 1)]
)
def test_penalties_reach_every_weight_matrix_or_the_rates(penalty: dict[str, float], n_losses: int) -> None:
    spec = expand(experiment(**penalty))[0]
    model = network_model(spec.task, spec.network, spec.training, spec.seed)
    model(np.zeros((1, 3, 1), "float32"))
    assert len(model.losses) == n_losses


def test_the_parts_of_a_network_s_time_are_measured_and_add_up() -> None:
    spec = expand(experiment(max_updates=5))[0]
    timing = time_network(spec)
    assert 0 < timing.update < timing.building
    # 5 updates with a validation after every 2 of them and after the last
    assert timing.network(spec.training) == timing.building + 5 * timing.update + 3 * timing.validation
