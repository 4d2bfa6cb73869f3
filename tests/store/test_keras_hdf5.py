"""Files of Keras 1 and 2 are read to the bit, or refused with one line."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from biornn.store.keras_hdf5 import KerasFileError, read_keras_hdf5
from tests.store.keras_files import N_UNITS, arrays, model_config, write, write_keras_1


@pytest.mark.parametrize("use_bias", [False, True])
def test_arrays_are_those_of_the_file_to_the_bit(tmp_path: Path, use_bias: bool) -> None:
    read = read_keras_hdf5(write(tmp_path / "net.hdf5", seed=3, use_bias=use_bias))
    written = arrays(3, use_bias=use_bias)
    names = {
        "kernel": "input_weights",
        "recurrent_kernel": "recurrent_weights",
        "bias": "recurrent_bias",
        "output_kernel": "output_weights",
        "output_bias": "output_bias",
    }
    for name, value in written.items():
        np.testing.assert_array_equal(read.weights[names[name]], value)
        assert read.weights[names[name]].dtype == np.float32
    assert use_bias or not read.weights["recurrent_bias"].any()
    assert read.weights["recurrent_weights"].dims == ("unit_pre", "unit_post")


def test_settings_are_named_as_in_an_experiment(tmp_path: Path) -> None:
    read = read_keras_hdf5(write(tmp_path / "net.hdf5", update=470))
    assert read.network["n_units"] == N_UNITS
    assert (read.network["initial"], read.network["input_initial"]) == ("orthogonal", "Glorot_uniform")
    assert (read.network["use_bias"], read.network["readout_bias"]) == (False, True)
    assert read.training == {"optimizer": "Adam", "loss": "mse", "learning_rate": 1e-4, "decay": 1e-4}
    assert (read.update, read.keras_version) == (470, "2.3.1")


def test_without_the_state_of_an_optimizer_the_number_of_updates_is_unknown(tmp_path: Path) -> None:
    assert read_keras_hdf5(write(tmp_path / "never_compiled.hdf5")).update == -1
    path = write(tmp_path / "net.hdf5", update=470)
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"]
    assert read_keras_hdf5(path).update == -1


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("training/Adam/iter:0", {}),  # of tensorflow.keras 2
        ("Adam/iterations_1:0", {}),  # of a second model in one process
        ("SGD/iteration:0", {"SGD/learning_rate:0": 1.0}),  # of Keras 2.11
        ("nadam/iteration", {"nadam/learning_rate": 1.0, "nadam/variable": 1.0}),  # of Keras 3
        ("param_0", {}),  # of Keras 1 on Theano
        ("Variable_8:0", {}),  # of Keras 1 on TensorFlow
    ],
)
def test_the_number_of_updates_under_each_name_that_keras_has_given_it(
    tmp_path: Path, name: str, others: dict[str, float]
) -> None:
    path = write(tmp_path / "net.hdf5", update=0)
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"]
        file[f"optimizer_weights/{name}"] = np.float32(470)
        file["optimizer_weights/m_0:0"] = np.ones((2, N_UNITS), np.float32)
        for other, value in others.items():
            file[f"optimizer_weights/{other}"] = np.float32(value)
    assert read_keras_hdf5(path).update == 470


@pytest.mark.parametrize(
    ("initializer", "name"),
    [
        ("he_normal", "He_normal"),
        ({"class_name": "GlorotUniform", "config": {"seed": None}}, "Glorot_uniform"),
        (
            {
                "class_name": "VarianceScaling",
                "config": {"scale": 2, "mode": "fan_in", "distribution": "truncated_normal"},
            },
            "He_normal",
        ),
        ({"class_name": "VarianceScaling", "config": {"scale": [3], "mode": "fan_in"}}, "variance_scaling"),
    ],
)
def test_one_initialiser_has_one_name(tmp_path: Path, initializer: object, name: str) -> None:
    read = read_keras_hdf5(write(tmp_path / "net.hdf5", kernel_initializer=initializer))
    assert read.network["input_initial"] == name


def test_the_format_of_keras_1(tmp_path: Path) -> None:
    read = read_keras_hdf5(write_keras_1(tmp_path / "old.h5", seed=5))
    written = arrays(5, use_bias=True)
    np.testing.assert_array_equal(read.weights["recurrent_weights"], written["recurrent_kernel"])
    np.testing.assert_array_equal(read.weights["recurrent_bias"], written["bias"])
    np.testing.assert_array_equal(read.weights["output_weights"], written["output_kernel"])
    assert (read.network["initial"], read.network["use_bias"], read.keras_version) == ("orthogonal", True, "1")


def refusal(path: Path) -> str:
    with pytest.raises(KerasFileError) as caught:
        read_keras_hdf5(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation": "hard_sigmoid"}, "activation: expected one of linear, tanh"),  # another function in Keras 3
        ({"activation": ["tanh"]}, "activation: expected one of linear, tanh"),
        ({"return_sequences": False}, "return_sequences of SimpleRNN: expected true"),
        ({"go_backwards": True}, "go_backwards of SimpleRNN: expected false"),
        ({"units": 10**12}, "units of SimpleRNN: expected 1 to 50000, got 1000000000000"),
        ({"units": N_UNITS + 1}, r"input_weights: expected the shape \(2, 6\), got \(2, 5\)"),
        ({"name": None}, "expected a name for each layer, got None"),
        ({"name": "elsewhere"}, "expected the group 'elsewhere' in the file, found"),
    ],
)
def test_a_network_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = write(tmp_path / "net.hdf5", **changes)
    with pytest.raises(KerasFileError, match=message):
        read_keras_hdf5(path)


@pytest.mark.parametrize(
    ("layers", "found"),
    [(["LSTM", "Dense"], "LSTM and Dense"), (["SimpleRNN", "SimpleRNN", "Dense"], "SimpleRNN and"), ([], "none")],
)
def test_another_architecture_is_refused(tmp_path: Path, layers: list[str], found: str) -> None:
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        entries = [{"class_name": name, "config": {"name": name}} for name in layers]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": entries}})
    assert f"expected the layers SimpleRNN and Dense, got {found}" in refusal(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps({**model_config(), "class_name": "Model"})
    assert refusal(path) == "expected a Sequential model, got 'Model'"


def test_a_readout_that_is_not_linear_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5")
    config = model_config()
    config["config"]["layers"][1]["config"]["activation"] = "sigmoid"
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    assert refusal(path) == "activation of Dense: expected 'linear', got 'sigmoid'"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "model_config: expected JSON text"),
        ("[1]", "expected a Sequential model, got 'list'"),
        ('{"class_name": "Sequential", "config": {"layers": [3]}}', "expected layers with their settings"),
        ("[" * 100_000, "model_config: expected JSON text"),
    ],
)
def test_strange_configurations(tmp_path: Path, config: str, message: str) -> None:
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"]
        file.attrs.create("model_config", config[:60_000])
    assert message in refusal(path)


def test_weights_without_a_model_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"]
    assert "save the model, not its weights only" in refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    whole = write(tmp_path / "net.hdf5", update=1).read_bytes()
    path = tmp_path / "short.hdf5"
    path.write_bytes(whole[: int(share * len(whole))])
    assert "expected" in refusal(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.hdf5", tmp_path):
        with pytest.raises(FileNotFoundError, match="expected an HDF5 file, found none"):
            read_keras_hdf5(path)


def replaced(path: Path, name: str, **options: object) -> Path:
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, **options)
    return path


KERNEL = "model_weights/simple_rnn_7/simple_rnn_7/recurrent_kernel:0"


def test_arrays_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5")
    ones = np.ones((N_UNITS, N_UNITS))
    assert "floating point numbers, got dtype int64" in refusal(replaced(path, KERNEL, data=ones.astype(int)))
    assert "expected finite numbers, got NaN" in refusal(replaced(path, KERNEL, data=ones * np.nan))
    assert "expected the shape (5, 5), got (5, 4)" in refusal(replaced(path, KERNEL, data=ones[:, :4]))
    # A header that promises numbers which the file does not hold.
    assert "expected 100 bytes in the file itself, found 0" in refusal(
        replaced(path, KERNEL, shape=(N_UNITS, N_UNITS), dtype="f4")
    )
    secret = tmp_path / "elsewhere.bin"
    secret.write_bytes(bytes(100))
    outside = [(str(secret), 0, 100)]
    assert "expected 100 bytes in the file itself" in refusal(
        replaced(path, KERNEL, shape=(N_UNITS, N_UNITS), dtype="f4", external=outside)
    )
    assert (
        refusal(replaced(path, KERNEL.replace("recurrent_", ""), data=np.float32(1)))
        == "input_weights: expected two dims, got the shape ()"
    )
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
    assert "simple_rnn_7: expected the array 'recurrent_kernel', found ['kernel']" in refusal(path)


def test_links_into_other_files_are_not_followed(tmp_path: Path) -> None:
    other = write(tmp_path / "other.hdf5")
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        del file["model_weights/simple_rnn_7"]
        file["model_weights/simple_rnn_7"] = h5py.ExternalLink(str(other), "model_weights/simple_rnn_7")
    assert "expected the group 'simple_rnn_7' in the file" in refusal(path)


@pytest.mark.parametrize("count", [np.float64(np.inf), np.uint64(2**63), np.int64(-4)])
def test_a_count_of_updates_that_cannot_be_is_not_believed(tmp_path: Path, count: np.generic) -> None:
    path = replaced(write(tmp_path / "net.hdf5", update=1), "optimizer_weights/Adam/iterations:0", data=count)
    assert read_keras_hdf5(path).update == -1


def test_a_name_of_a_layer_leads_through_no_link(tmp_path: Path) -> None:
    other = write(tmp_path / "other.hdf5", seed=1)
    for link in (h5py.ExternalLink(str(other), "model_weights"), h5py.SoftLink("/model_weights")):
        path = write(tmp_path / "net.hdf5", name="way/simple_rnn_7")
        with h5py.File(path, "r+") as file:
            file["model_weights/way"] = link
        assert "expected the group 'way/simple_rnn_7' in the file" in refusal(path)


def test_the_count_of_updates_of_another_file_is_not_read(tmp_path: Path) -> None:
    other = write(tmp_path / "other.hdf5", update=470)
    path = write(tmp_path / "net.hdf5", update=3)
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"]
        file["optimizer_weights"] = h5py.ExternalLink(str(other), "optimizer_weights")
    assert read_keras_hdf5(path).update == -1


def test_one_name_is_one_array(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        file["model_weights/simple_rnn_7/deeper/kernel:0"] = np.ones((2, N_UNITS), "f4")
    assert refusal(path) == "simple_rnn_7: expected one array 'kernel', found several"


def test_numbers_are_in_the_order_of_this_machine(tmp_path: Path) -> None:
    ones = np.ones((N_UNITS, N_UNITS))
    path = replaced(write(tmp_path / "net.hdf5"), KERNEL, data=ones.astype(">f4"))
    assert read_keras_hdf5(path).weights["recurrent_weights"].dtype == np.dtype("=f4")
    assert "floating point numbers, got dtype float128" in refusal(replaced(path, KERNEL, data=ones.astype("g")))


@pytest.mark.parametrize("value", [np.zeros(5), h5py.Empty("S10"), np.float32(2)])
def test_a_version_that_is_no_text_is_refused(tmp_path: Path, value: object) -> None:
    path = write(tmp_path / "net.hdf5")
    with h5py.File(path, "r+") as file:
        file.attrs.create("keras_version", value)
    assert refusal(path).startswith("keras_version: expected one text, got the shape")


@pytest.mark.parametrize("key", ["use_bias", "return_sequences", "go_backwards"])
def test_a_truth_value_is_no_text(tmp_path: Path, key: str) -> None:
    path = write(tmp_path / "net.hdf5")
    config = model_config()
    config["config"]["layers"][0]["config"][key] = "false"
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    assert refusal(path) == f"{key}: expected true or false, got 'false'"


def test_a_message_is_short_and_holds_nothing_that_a_terminal_acts_on(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5", name="\x1b[31m\n" * 1000)
    message = refusal(path)
    assert message.isprintable()
    assert len(message) <= 1500
