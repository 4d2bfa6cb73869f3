"""What a connectivity refuses, in one line that names the setting."""

import numpy as np
import pytest

from biornn.connectivity import Connectivity

NAN = float("nan")
BAD = [
    ({"n_units": 0}, ValueError, "n_units: expected an integer of at least 1, got 0"),
    ({"n_units": -3}, ValueError, "n_units: expected an integer of at least 1, got -3"),
    *(
        ({"n_units": value}, TypeError, "n_units: expected an integer of at least 1, got ")
        for value in (4.0, "4", None, True, NAN, [4])
    ),
    ({"seed": -1}, ValueError, "seed: expected an integer of at least 0, got -1"),
    *(
        ({"seed": value}, TypeError, "seed: expected an integer of at least 0, got ")
        for value in (1.5, "1", None, False)
    ),
    *(
        ({name: value}, ValueError, rf"{name}: expected a number in \[0, 1\], got ")
        for name in ("density", "input_density", "excitatory_fraction")
        for value in (-0.1, 1.1, NAN, float("inf"), "0.5", True, [0.5], np.array([0.5, 0.5]), 1j)
    ),
    ({"density": None}, ValueError, r"density: expected a number in \[0, 1\], got None"),
    *(({"autapses": value}, TypeError, "autapses: expected true or false, got ") for value in (0, "no", None, NAN)),
    *(
        ({"spectral_radius": value}, ValueError, "spectral_radius: expected a positive number, got ")
        for value in (0, -1.0, NAN, float("inf"), "1", True, [1.0])
    ),
    *(
        ({name: value, "excitatory_fraction": 0.5}, ValueError, rf"{name}: expected one of \('.*, got {value!r}")
        for name in ("mask_rule", "long_range", "input_sign", "readout_from", "readout_sign", "initial")
        for value in ("nonsense", 3)
    ),
    ({"long_range": "excitatory"}, ValueError, "long_range='excitatory': expected cell types.*set excitatory_fraction"),
    ({"readout_from": "excitatory"}, ValueError, "readout_from='excitatory': expected cell types"),
    ({"readout_sign": "dale"}, ValueError, "readout_sign='dale': expected cell types"),
    *(
        ({"initial": rule}, ValueError, rf"initial: expected one of \('ortho.*without Dale's law.*got '{rule}'")
        for rule in ("gamma", "half_normal")
    ),
    *(
        ({"initial": rule, "excitatory_fraction": 0.8}, ValueError, rf"initial: .* with Dale's law.*got '{rule}'")
        for rule in ("orthogonal", "gaussian")
    ),
    (
        {"areas": (2, 2), "area_density": [[1, 1], [1, 1]], "density": 0.5},
        ValueError,
        "area_density: expected no density beside",
    ),
    ({"area_density": [[1.0]]}, ValueError, "area_density: expected areas with it, got none; set areas"),
    ({"areas": 4}, TypeError, "areas: expected the number of units of each area, got 4"),
    ({"areas": "22"}, TypeError, "areas: expected the number of units of each area, got '22'"),
    ({"areas": (2.0, 2.0)}, TypeError, "areas: expected an integer of at least 1, got 2.0"),
    ({"areas": (4, 0)}, ValueError, "areas: expected an integer of at least 1, got 0"),
    ({"areas": (2, 3)}, ValueError, r"areas: expected sizes that sum to n_units=4, got \(2, 3\)"),
    ({"areas": ()}, ValueError, r"areas: expected sizes that sum to n_units=4, got \(\)"),
    *(
        ({"areas": (2, 2), "area_density": value}, ValueError, r"area_density: expected shape \(2, 2\) with values in")
        for value in (0.5, [0.5, 0.5], [[0.5]], [[-0.1, 1], [1, 1]], [[NAN, 1], [1, 1]], [[1, 2], [0, 1]])
    ),
    *(
        ({"areas": (2, 2), "area_density": value}, ValueError, "area_density: expected a rectangular array of numbers")
        for value in ("high", [[1.0], [1.0, 0.5]], [["a", "b"], ["c", "d"]])
    ),
    ({"mask": np.ones((4, 4)), "density": 0.5}, ValueError, "mask: expected no density and no areas beside"),
    ({"mask": np.ones((4, 4)), "areas": (2, 2)}, ValueError, "mask: expected no density and no areas beside"),
    *(
        ({"mask": value}, ValueError, r"mask: expected shape \(4, 4\), got \(")
        for value in ("all", 1, np.ones((3, 4)), np.ones(4), np.ones((4, 4, 1)))
    ),
    *(
        ({"mask": np.full((4, 4), value)}, ValueError, "mask: expected only true and false")
        for value in (NAN, 0.5, -1, 2, "1", None)
    ),
    ({"mask": [[1, 0], [1]]}, ValueError, "mask: expected a rectangular array of numbers, got "),
]


@pytest.mark.parametrize(("kwargs", "error", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(kwargs, error, message):
    with pytest.raises(error, match=f"^{message}") as raised:
        Connectivity(**({"n_units": 4} | kwargs))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("method", ["input", "readout"])
@pytest.mark.parametrize(
    ("n_channels", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("3", TypeError)]
)
def test_number_of_channels_is_checked(method, n_channels, error):
    with pytest.raises(error, match="n_channels: expected an integer of at least 1, got "):
        getattr(Connectivity(4), method)(n_channels)


def test_unknown_settings_are_refused_by_name():
    with pytest.raises(TypeError, match="'sparsity'"):
        Connectivity.from_config({"n_units": 4, "sparsity": 0.5})
