"""A stored network is a Keras model again, which does and learns what the first one did."""

from itertools import product

import keras
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.layers import assign_stored, build_gated_model, build_model, from_run
from biornn.layers.pathway_weights import as_numpy

from .gradients import EAGER

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

N_UNITS = 6
NAMED = {"unit_names": list("abcdef"), "positions": np.arange(12.0).reshape(6, 2)}  # the networks of a run share them
WIRING = bn.Connectivity(
    N_UNITS,
    cell_type=[-1, 1, 1, -1, 1, 1],
    density=0.7,
    autapses=False,
    trainable=np.arange(36).reshape(6, 6) % 3 > 0,
    **NAMED,
    input_sign="non_negative",
    input_mask=[1, 1, 0, 1, 1, 0],
    input_trainable=[0, 1, 1, 1, 1, 1],
    readout_sign="dale",
    readout_mask=[1, 0, 1, 1, 1, 1],
    seed=2,
)
OWN_TYPES = bn.Connectivity(
    N_UNITS,
    cell_types={"E": {"sign": 1, "tau": 9.0}, "PV": {"sign": -1, "tau": 4.0}, "X": {"sign": 0, "tau": 6.0}},
    cell_type=["E", "PV", "E", "X", "E", "PV"],
    readout_sign="dale",
    **NAMED,
    seed=3,
)
#: Every kind of network; their weights are random.
MODELS = {
    "dale": lambda: build_model(WIRING, 2, 3, tau=4.0, dt=2.0, enforcement="projection", recurrent_noise=0.1),
    "current": lambda: build_model(
        bn.Connectivity(N_UNITS, **NAMED),
        2,
        3,
        tau=[2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        dt=2.0,
        formulation="current",
        activation="softplus",
        trainable_initial_state=True,
    ),
    "bare": lambda: build_model(
        bn.Connectivity(N_UNITS, **NAMED), 2, 3, use_bias=False, readout_bias=False, dt=2.0, tau=2.0
    ),
    "own_types": lambda: build_model(OWN_TYPES, 2, 3, dt=2.0),
    "gru": lambda: build_gated_model("gru", N_UNITS, 2, 3),
    "lstm": lambda: build_gated_model("lstm", N_UNITS, 2, 3, use_bias=False),
}


def values_of(weight):
    return weight.numpy() if hasattr(weight, "pathway") else as_numpy(weight)


def random_trials():
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "inputs": (("trial", "time", "input_channel"), rng.normal(size=(5, 12, 2))),
            "targets": (("trial", "time", "output_channel"), rng.normal(size=(5, 12, 3))),
        },
        {"time": 2.0 * np.arange(12)},
    )


@pytest.fixture(scope="module")
def models():
    made, rng = {name: make() for name, make in MODELS.items()}, np.random.default_rng(1)
    for model in made.values():
        for weight in model.trainable_weights:
            values = values_of(weight) + rng.normal(0, 0.3, weight.shape)
            pathway = getattr(weight, "pathway", None)
            if pathway is not None:
                fixed = pathway.mask & ~pathway.free
                values = np.where(fixed, pathway.initial_weights, np.where(pathway.mask, values, 0))
                values = np.where(values * pathway.sign[:, None] < 0, -values, values)
            weight.assign(values)
    return made


@pytest.fixture(scope="module")
def run_of_all(models, tmp_path_factory):
    trees = []
    for name, model in models.items():
        tree = bn.record(model, random_trials())
        if name in ("gru", "lstm"):  # a gated layer has no wiring that names its units
            labels = {dim: list("abcdef") for dim in ("unit", "unit_pre", "unit_post")}
            for group in ("weights", "activity"):
                data = tree[group].to_dataset()
                tree[group] = xr.DataTree(data.assign_coords({d: one for d, one in labels.items() if d in data.dims}))
        trees.append(tree)
    return bn.save_run(tmp_path_factory.mktemp("all") / "run", trees, conditions=list(models))


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_are_the_stored_ones(name, run_of_all, models):
    model = from_run(run_of_all, f"{name}-s00")
    recorded = run_of_all["activity"].outputs.sel(network=f"{name}-s00")
    outputs = keras.ops.convert_to_numpy(model(run_of_all["trials"].inputs.values))
    np.testing.assert_allclose(outputs, recorded, rtol=0, atol=1e-5)
    # To the bit the same parameters, no more and no fewer.
    before, after = models[name].trainable_weights, model.trainable_weights
    assert [one.shape for one in before] == [one.shape for one in after]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(values_of(one), values_of(other))


def test_types_of_ones_own_are_stored_with_their_signs_and_come_back(run_of_all):
    weights = run_of_all["weights"].to_dataset().sel(network="own_types-s00")
    assert weights["cell_type"].values.tolist() == OWN_TYPES.cell_type.tolist()
    assert weights["cell_type"]["cell_sign"].values.tolist() == [1, -1, 1, 0, 1, -1]  # each network has its own
    assert run_of_all["weights"].sel(network="dale-s00")["cell_sign"].values.tolist() == [-1, 1, 1, -1, 1, 1]
    assert run_of_all["weights"].sel(network="bare-s00")["cell_sign"].values.tolist() == [0] * N_UNITS
    cell = from_run(run_of_all, "own_types-s00").get_layer("recurrent").cell
    assert cell.connectivity.cell_type.tolist() == OWN_TYPES.cell_type.tolist()
    assert cell.connectivity.sign.tolist() == [1, -1, 1, 0, 1, -1]
    np.testing.assert_allclose(2 / cell.alpha, [9, 4, 9, 6, 9, 4])
    assert int(bn.audit(run_of_all)["sign_violations"].sum()) == 0


def test_constraints_are_those_of_the_run(run_of_all):
    model = from_run(run_of_all, "dale-s00")
    cell = model.get_layer("recurrent").cell
    assert cell.enforcement == "projection"
    assert cell.recurrent_noise == 0.1
    assert cell.connectivity.cell_type.tolist() == WIRING.cell_type.tolist()
    assert cell.connectivity.unit_names.tolist() == list("abcdef")
    pathways = {
        WIRING.recurrent: cell.recurrent_pathway,
        WIRING.input(2): cell.input_pathway,
        WIRING.readout(3): model.get_layer("readout").output_pathway,
    }
    for (expected, found), name in product(pathways.items(), ("mask", "free", "sign")):
        np.testing.assert_array_equal(getattr(found.pathway, name), getattr(expected, name))
    np.testing.assert_array_equal(cell.connectivity.positions, WIRING.positions)
    trials = random_trials()
    before = cell.recurrent_pathway.numpy()
    model.compile(keras.optimizers.Adam(0.1), "mse", **EAGER)
    model.fit(trials["inputs"].values, trials["targets"].values, epochs=5, verbose=0)
    after = bn.record(model, trials)
    assert not sum(
        int(count.sum()) for count in bn.audit(after)[["sign_violations", "mask_violations", "autapses"]].values()
    )
    fixed = WIRING.recurrent_mask & ~WIRING.recurrent.free
    np.testing.assert_array_equal(cell.recurrent_pathway.numpy()[fixed], before[fixed])
    assert (cell.recurrent_pathway.numpy() != before).any()


def test_settings_take_the_place_of_the_stored_ones(run_of_all):
    model = from_run(run_of_all, "dale-s00", recurrent_noise=0.0, enforcement="construction")
    assert model.get_layer("recurrent").cell.recurrent_noise == 0
    assert model.get_layer("readout").enforcement == "construction"


def test_every_setting_can_be_another(run_of_all):
    assert from_run(run_of_all, "bare-s00", activation="relu").get_layer("recurrent").cell.activation.__name__ == "relu"
    assert from_run(run_of_all, "gru-s00", recurrent_dropout=0.5).get_layer("recurrent").recurrent_dropout == 0.5
    with pytest.raises(ValueError, match="recurrent_noise"):  # of Keras: a gated layer has none
        from_run(run_of_all, "gru-s00", recurrent_noise=0.5)


def test_fixed_weights_are_those_of_the_network_that_a_model_begins_with(run_of_all):
    weights = stored(run_of_all, "bare")
    frozen = bn.Connectivity(N_UNITS, trainable=np.zeros((6, 6), bool), readout_trainable=False, seed=9)
    model = build_model(frozen, 2, 3, use_bias=False, readout_bias=False, dt=2.0, tau=2.0)
    assign_stored(model, weights)
    trials = random_trials()
    model.compile(keras.optimizers.Adam(0.1), "mse", **EAGER)
    model.fit(trials["inputs"].values, trials["targets"].values, epochs=2, verbose=0)
    recorded = bn.record(model, trials)["weights"].to_dataset().isel(snapshot=-1)
    for name in ("recurrent_weights", "output_weights"):
        np.testing.assert_array_equal(recorded[name], weights[name])
    assert (recorded["input_weights"].values != weights["input_weights"].values).all()


def test_a_model_is_saved_and_loaded_as_keras_does(run_of_all, tmp_path):
    model = from_run(run_of_all, "current-s00")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs = run_of_all["trials"].inputs.values
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(one(inputs)) for one in (again, model)))


def test_training_from_the_first_snapshot_ends_at_the_last(run):
    """Nothing of a network is lost in the store: the same training gives the same weights."""
    network, experiment = "constrained-s01", {"max_updates": 5, "batch_size": 4, "validate_every": 2}
    model = from_run(run, network, snapshot=0)
    task = bn.tasks.task_of(run["trials"].to_dataset())
    bn.train(model, task, seed=1, n_validation_trials=6, **experiment)
    stored = run["weights"].to_dataset().sel(network=network).isel(snapshot=-1)
    recurrent = model.get_layer("recurrent").cell.recurrent_pathway.numpy()
    # Sums of TensorFlow in another order than in the worker, over five updates.
    np.testing.assert_allclose(recurrent, stored["recurrent_weights"], rtol=0, atol=1e-6)
    assert abs(recurrent - run["weights"].recurrent_weights.sel(network=network).isel(snapshot=0)).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("nobody",), KeyError, "network: expected one of dale-s00, .* got 'nobody'"),
        (("dale-s00", 1), IndexError, "snapshot: expected a position of 1, got 1"),
    ],
)
def test_what_is_not_there_is_said(arguments, error, message, run_of_all):
    with pytest.raises(error, match=message):
        from_run(run_of_all, *arguments)
    with pytest.raises(ValueError, match=r"run: expected a run, .* got Dataset"):
        from_run(run_of_all["weights"].to_dataset(), "dale-s00")


def stored(run, name):
    return run["weights"].to_dataset().sel(network=f"{name}-s00").isel(snapshot=-1)


def test_a_model_of_another_kind_is_refused(run_of_all):
    with pytest.raises(ValueError, match=r"model: expected 6 units in the form rate, .* got 5 in the form rate"):
        assign_stored(build_model(5, 2, 3), stored(run_of_all, "dale"))
    with pytest.raises(ValueError, match=r"expected 6 units in the form gru, .* got 6 in the form rate"):
        assign_stored(build_model(6, 2, 3), stored(run_of_all, "gru"))
    with pytest.raises(ValueError, match="recurrent_bias: expected a model that has it"):
        assign_stored(build_model(WIRING, 2, 3, use_bias=False), stored(run_of_all, "dale"))
    with pytest.raises(ValueError, match="expected weights that keep to the layer's connectivity"):
        assign_stored(build_model(bn.Connectivity(6, 0.5, seed=0), 2, 3), stored(run_of_all, "bare"))


def test_for_another_task_what_has_the_same_shape_is_kept(run_of_all):
    """Other inputs are new, and what the mask forbids is cut, as by a lesion."""
    weights = stored(run_of_all, "bare")
    mask = np.ones((6, 6), bool)
    mask[:, 2] = False
    model = build_model(bn.Connectivity(6, mask=mask, seed=3), 4, 3)
    drawn = model.get_layer("recurrent").cell.input_pathway.numpy()
    assign_stored(model, weights, other_task=True)
    cell = model.get_layer("recurrent").cell
    np.testing.assert_array_equal(cell.input_pathway.numpy(), drawn)
    np.testing.assert_array_equal(cell.recurrent_pathway.numpy(), np.where(mask, weights["recurrent_weights"], 0))
    np.testing.assert_array_equal(model.get_layer("readout").output_pathway.numpy(), weights["output_weights"])
