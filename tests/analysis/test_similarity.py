import numpy as np
import pytest
import xarray as xr

from biornn.analysis.similarity import similarity

DIMS = ("network", "trial", "time", "unit")
MEASURES = ("cka", "procrustes", "cca")
#: Procrustes: the arc cosine turns a rounding error of 1e-16 near zero distance into its root.
TOLERANCE = {"cka": 1e-12, "procrustes": 1e-7, "cca": 1e-12}


def make_rates(samples, n_trials=4, **coords):
    """(network, sample, unit) as labelled trials."""
    samples = np.asarray(samples)
    values = samples.reshape(len(samples), n_trials, -1, samples.shape[-1])
    return xr.DataArray(values, dims=DIMS, coords={"network": [f"n{i}" for i in range(len(samples))], **coords})


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def orthogonal(n_units, seed=1):
    return np.linalg.qr(gaussian(n_units, n_units, seed=seed))[0]


def orthonormal(n_samples, n_columns, seed=2):
    """Columns of mean zero, length 1, and at right angles."""
    columns = gaussian(n_samples, n_columns, seed=seed)
    return np.linalg.qr(columns - columns.mean(axis=0))[0]


def pair(measure, first, second, n_components=None):
    return similarity(make_rates([first, second]), measure, n_components).values[0, 1]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "change",
    [
        lambda x: x @ orthogonal(5),
        lambda x: 300.0 * x,
        lambda x: x + np.arange(5),
        lambda x: x[:, [3, 0, 4, 1, 2]],
        lambda x: -0.01 * x @ orthogonal(5) + 7.0,
    ],
    ids=["rotation", "scale", "shift", "order of units", "all at once"],
)
@pytest.mark.parametrize("n_components", [None, 2])
def test_rotation_scale_shift_and_order_of_units_do_not_matter(measure, change, n_components):
    first, second = gaussian(80, 5) * [1, 2, 3, 4, 5], gaussian(80, 5, seed=3) * [5, 4, 3, 2, 1]
    plain = pair(measure, first, second, n_components)
    assert pair(measure, first, change(second), n_components) == pytest.approx(plain, abs=1e-11)  # rounding
    same = 0.0 if measure == "procrustes" else 1.0
    assert pair(measure, first, change(first), n_components) == pytest.approx(same, abs=TOLERANCE[measure])


def test_cca_of_all_components_is_invariant_under_any_invertible_map_and_the_others_are_not():
    first, second = gaussian(80, 5), gaussian(80, 5, seed=3)
    invertible = orthogonal(5) * [1.0, 3, 10, 30, 100] @ orthogonal(5, seed=4)
    # The condition number of 100 multiplies the rounding.
    assert pair("cca", first, second @ invertible) == pytest.approx(pair("cca", first, second), abs=1e-12)
    assert pair("cca", first, first @ invertible) == pytest.approx(1.0, abs=1e-12)
    assert pair("cka", first, first @ invertible) < 0.7
    assert pair("procrustes", first, first @ invertible) > 0.5
    # With fewer components another part is kept.
    assert pair("cca", first, first @ invertible, n_components=2) < 0.99


def test_planted_subspaces_have_the_values_of_the_formulas():
    # Six directions; the first network lives in 0-2, the second in 1-4, with known lengths along each.
    basis = orthonormal(60, 6)
    first = basis[:, :3] * [3.0, 2.0, 1.0] @ orthogonal(7)[:3]
    second = basis[:, 1:5] * [4.0, 3.0, 2.0, 1.0] @ orthogonal(7, seed=5)[:4]
    # Lengths along the shared directions 1 and 2 are (2, 4) and (1, 3); tolerances: rounding.
    cka = ((2 * 4) ** 2 + (1 * 3) ** 2) / np.sqrt((81 + 16 + 1) * (256 + 81 + 16 + 1))
    assert pair("cka", first, second) == pytest.approx(cka, abs=1e-12)
    angle = np.arccos((2 * 4 + 1 * 3) / np.sqrt((9 + 4 + 1) * (16 + 9 + 4 + 1)))
    assert pair("procrustes", first, second) == pytest.approx(angle, abs=1e-12)
    assert pair("cca", first, second) == pytest.approx(2 / 3, abs=1e-12)  # correlations 1, 1, 0
    # The two largest are 0, 1 and 1, 2: one is shared.
    assert pair("cca", first, second, n_components=2) == pytest.approx(1 / 2, abs=1e-12)
    assert pair("cca", first, second, n_components=50) == pytest.approx(2 / 3, abs=1e-12)


@pytest.mark.parametrize("angle", [0.2, 1.1, np.pi / 2])
def test_line_turned_by_an_angle(angle):
    basis = orthonormal(40, 2)
    first = basis[:, :1] * [[1.0, 2.0]]
    second = (np.cos(angle) * basis[:, :1] + np.sin(angle) * basis[:, 1:]) * [[3.0, -1.0]]
    assert pair("procrustes", first, second) == pytest.approx(angle, abs=1e-12)
    assert pair("cca", first, second) == pytest.approx(np.cos(angle), abs=1e-12)
    assert pair("cka", first, second) == pytest.approx(np.cos(angle) ** 2, abs=1e-12)


def test_cka_is_the_correlation_of_centred_gram_matrices():
    first, second = gaussian(40, 6), gaussian(40, 6, seed=3)
    centring = np.eye(40) - 1 / 40
    grams = [centring @ x @ x.T @ centring for x in (first, second)]
    expected = (grams[0] * grams[1]).sum() / (np.linalg.norm(grams[0]) * np.linalg.norm(grams[1]))
    assert pair("cka", first, second) == pytest.approx(expected, rel=1e-12)


def test_procrustes_is_the_angle_after_the_best_rotation_and_keeps_the_triangle_inequality():
    samples = gaussian(12, 30, 3)
    distances = similarity(make_rates(samples, 3), "procrustes").values
    through = (distances[:, :, np.newaxis] + distances[np.newaxis]).min(axis=1)
    assert (distances <= through + 1e-7).all()
    unit = [x - x.mean(axis=0) for x in samples[:2]]
    unit = [x / np.linalg.norm(x) for x in unit]
    turned = [np.arccos((unit[0] * (unit[1] @ orthogonal(3, seed=s))).sum()) for s in range(200)]
    # 200 random turns of three units come near the best and never pass it.
    assert distances[0, 1] - 1e-12 <= min(turned) <= distances[0, 1] + 0.1


@pytest.mark.parametrize("measure", MEASURES)
def test_matrix_is_symmetric_labelled_and_has_its_diagonal(measure):
    design = {"condition": ("network", np.array(["a", "b", "a"], object)), "seed": ("network", [0, 0, 1])}
    matrix = similarity(make_rates(gaussian(3, 40, 4), **design), measure)
    assert matrix.dims == ("network", "other_network")
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.diagonal(matrix).tolist() == [0.0 if measure == "procrustes" else 1.0] * 3
    assert matrix["other_network"].values.tolist() == matrix["network"].values.tolist() == ["n0", "n1", "n2"]
    assert matrix["other_condition"].values.tolist() == ["a", "b", "a"]
    assert matrix["other_seed"].values.tolist() == matrix["seed"].values.tolist() == [0, 0, 1]
    assert matrix["other_seed"].dims == ("other_network",)
    assert matrix.name == measure
    assert matrix.attrs["units"] == ("rad" if measure == "procrustes" else "1")
    assert measure[:3].lower() in matrix.attrs["long_name"].lower() or "canonical" in matrix.attrs["long_name"]


@pytest.mark.parametrize("measure", MEASURES)
def test_order_of_dims_other_dims_and_lazy_rates_give_the_same(measure):
    rates = xr.DataArray(gaussian(2, 3, 4, 10, 5), dims=("snapshot", *DIMS), coords={"network": list("abc")})
    matrix = similarity(rates.transpose("unit", "time", "snapshot", "network", "trial"), measure)
    assert matrix.dims == ("snapshot", "network", "other_network")
    for snapshot in range(2):
        # The order in memory changes the order of sums.
        xr.testing.assert_allclose(matrix[snapshot], similarity(rates[snapshot], measure), rtol=0, atol=1e-12)
    lazy = similarity(rates.chunk({"snapshot": 1, "network": 1}), measure)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), matrix, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_directions_that_rounding_makes_are_no_components(dtype):
    # Ten units that follow three signals; what single precision leaves of the rest is noise of its own.
    signals = gaussian(400, 3)
    networks = [signals @ gaussian(3, 10, seed=s) + 5.0 for s in (1, 2)]
    rates = make_rates(np.asarray(networks, dtype))
    # Single precision is good to 6e-8 of the rates; 1e-5 leaves room for the condition of the random maps.
    np.testing.assert_allclose(similarity(rates, "cca", None), 1.0, atol=1e-5)
    np.testing.assert_allclose(similarity(rates, "cca", 10), 1.0, atol=1e-5)


def test_more_units_than_samples():
    samples = gaussian(2, 4, 9)
    assert similarity(make_rates(samples), "cca", None).values[0, 1] == pytest.approx(1.0)  # both fill all samples
    assert 0 < similarity(make_rates(samples), "cka").values[0, 1] < 1


def test_bad_arguments_are_refused_in_one_line():
    rates = make_rates(gaussian(2, 8, 3))
    with pytest.raises(ValueError, match="'trial' is missing"):
        similarity(rates.isel(trial=0))
    with pytest.raises(ValueError, match=r"measure: expected one of \('cka', 'procrustes', 'cca'\), got 'rsa'"):
        similarity(rates, "rsa")
    for bad in (0, 0.9, 1.0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"n_components: expected a whole number .* got {bad!r}"):
            similarity(rates, "cca", bad)
