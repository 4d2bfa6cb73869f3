"""The steps in numpy: against the equations written out, and finite differences."""

import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from biornn.layers.fused import ACTIVATIONS, FusedSteps, Given, Trace
from biornn.layers.fused import steps as steps_module

N_TRIALS, N_STEPS, N_CHANNELS, N_UNITS, N_OUTPUTS = 3, 5, 2, 4, 3
FUNCTIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "tanh": np.tanh,
}
N_PARTS = steps_module.choose_n_parts  # before `blocks_and_threads` puts another in its place
ALPHA = np.array([0.1, 0.4, 0.9, 1.0])
SAME = np.full(4, 0.3)  # of all units: multiplied as a number


@pytest.fixture(
    autouse=True,
    params=[(2 * N_TRIALS, 1, False), (512, 1, False), (N_TRIALS, 1, True), (4, 2, False), (512, 4, False)],
)
def blocks_and_threads(request, monkeypatch) -> None:
    """Let the steps be some blocks, of which the last is shorter, or one; the batch one part, or uneven ones."""
    rows, n_parts, has_spare = request.param
    monkeypatch.setattr(steps_module, "_BLOCK_ROWS", rows)
    monkeypatch.setattr(steps_module, "_BLOCK_RATES", 0)
    monkeypatch.setattr(steps_module, "choose_n_parts", lambda n_trials, n_units: n_parts)
    monkeypatch.setattr(steps_module, "has_spare_thread", lambda n_trials, n_units: has_spare)


def drawn(has_readout: bool = False) -> Given:
    rng = np.random.default_rng(0)
    shapes = Given(
        inputs=(N_TRIALS, N_STEPS, N_CHANNELS),
        input_weights=(N_CHANNELS, N_UNITS),
        recurrent_weights=(N_UNITS, N_UNITS),
        bias=(N_UNITS,),
        state=(N_TRIALS, N_UNITS),
        output_weights=(N_UNITS, N_OUTPUTS) if has_readout else None,
        noise=(N_TRIALS, N_STEPS, N_UNITS),
    )
    return Given(*(None if shape is None else rng.normal(0, 0.7, shape) for shape in shapes))


def part_of(given: Given, n_trials: int) -> Given:
    """The first trials."""
    return given._replace(**{name: getattr(given, name)[:n_trials] for name in ("inputs", "state", "noise")})


def by_the_equations(activation, formulation, alpha, given: Given):
    function, alpha = FUNCTIONS[activation], 1.0 if alpha is None else alpha
    rates, state = [], given.state
    for step in range(N_STEPS):
        received = given.inputs[:, step] @ given.input_weights + given.bias + given.noise[:, step]
        if formulation == "rate":
            state = (1 - alpha) * state + alpha * function(state @ given.recurrent_weights + received)
            rates.append(state)
        else:
            state = (1 - alpha) * state + alpha * (function(state) @ given.recurrent_weights + received)
            rates.append(function(state))
    outputs = np.stack(rates, axis=1)
    return outputs if given.output_weights is None else outputs @ given.output_weights, state


with_and_without_readout = pytest.mark.parametrize("has_readout", [False, True])
every_kind = pytest.mark.parametrize(
    ("activation", "formulation", "alpha"),
    [(name, form, alpha) for name in ACTIVATIONS for form in ("rate", "current") for alpha in (None, ALPHA)]
    + [("tanh", form, SAME) for form in ("rate", "current")],
)


@every_kind
@with_and_without_readout
def test_outputs_and_state_are_those_of_the_equations(activation, formulation, alpha, has_readout) -> None:
    given = drawn(has_readout)
    outputs, state, _ = FusedSteps(activation, formulation, alpha).run(given)
    expected_outputs, expected_state = by_the_equations(activation, formulation, alpha, given)
    np.testing.assert_allclose(outputs, expected_outputs, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(state, expected_state, rtol=1e-12, atol=1e-13)


@every_kind
@with_and_without_readout
def test_gradients_are_those_of_finite_differences(activation, formulation, alpha, has_readout) -> None:
    given = drawn(has_readout)
    rng = np.random.default_rng(1)
    steps = FusedSteps(activation, formulation, alpha)
    outputs, state, trace = steps.run(given)
    of_outputs, of_state = rng.normal(size=outputs.shape), rng.normal(size=state.shape)

    def value() -> float:
        outputs, state = by_the_equations(activation, formulation, alpha, given)
        return float((outputs * of_outputs).sum() + (state * of_state).sum())

    found = steps.gradients(of_outputs, of_state, given._replace(bias=None, state=None, noise=None), trace)
    without = {"noise"} | ({"inputs"} if has_readout else {"output_weights"})
    assert {name for name, gradient in found._asdict().items() if gradient is None} == without
    for array, gradient in zip(given, found, strict=True):
        if gradient is None:
            continue
        assert gradient.shape == array.shape
        for index in rng.permutation(np.array(list(np.ndindex(array.shape))))[:6].tolist():
            place, kept, both = tuple(index), array[tuple(index)], []
            for shift in (1e-6, -1e-6):
                array[place] = kept + shift
                both.append(value())
            array[place] = kept
            assert gradient[place] == pytest.approx((both[0] - both[1]) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_batch_has_as_many_parts_as_there_are_threads_where_steps_are_large(n_threads) -> None:
    with threadpool_limits(n_threads):
        assert N_PARTS(128, 400) == N_PARTS(64, 1000) == n_threads
        assert N_PARTS(64, 100) == N_PARTS(0, 1000) == N_PARTS(1, 1000) == 1


@with_and_without_readout
def test_what_is_given_is_not_changed(has_readout) -> None:
    given = drawn(has_readout)
    steps = FusedSteps("tanh", "current", ALPHA)
    outputs, state, trace = steps.run(given)
    arrays = [*(one for one in given if one is not None), np.ones_like(outputs), np.ones_like(state), trace.before]
    copies = [array.copy() for array in arrays]
    steps.gradients(arrays[-3], arrays[-2], given, trace)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("formulation", ["rate", "current"])
@pytest.mark.parametrize("alpha", [None, ALPHA])
@with_and_without_readout
def test_gradients_may_come_in_any_order_of_memory(formulation, alpha, has_readout) -> None:
    given, rng = drawn(has_readout), np.random.default_rng(1)
    steps = FusedSteps("tanh", formulation, alpha)
    outputs, state, trace = steps.run(given)
    come = rng.normal(size=outputs.shape), rng.normal(size=state.shape)
    expected = steps.gradients(*come, given, trace)
    for found, wanted in zip(steps.gradients(*map(np.asfortranarray, come), given, trace), expected, strict=True):
        if wanted is not None:  # a product of another order of memory may be summed in another order
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


@every_kind
@with_and_without_readout
def test_no_trials_have_no_gradients(activation, formulation, alpha, has_readout) -> None:
    given = part_of(drawn(has_readout), 0)
    steps = FusedSteps(activation, formulation, alpha)
    outputs, state, trace = steps.run(given)
    assert outputs.shape == (0, N_STEPS, N_OUTPUTS if has_readout else N_UNITS)
    found = steps.gradients(outputs, state, given, trace)
    for array, gradient in zip(given, found, strict=True):
        if gradient is not None:
            np.testing.assert_array_equal(gradient, np.zeros(array.shape))


@with_and_without_readout
def test_divergence_is_not_told_by_warnings(monkeypatch, has_readout) -> None:
    monkeypatch.setattr(steps_module, "choose_n_parts", lambda n_trials, n_units: 2)
    given, steps = drawn(has_readout), FusedSteps("linear", "rate", None)
    given.recurrent_weights[...] *= 1e200
    calm = drawn(has_readout)
    calm.recurrent_weights[...] = 0.0
    if has_readout:
        calm.output_weights[...] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.isfinite(steps.run(given)[0]).all()
        outputs, state, trace = steps.run(calm)
        sign = np.array([1.0, 1.0, -1.0])[
            :, np.newaxis, np.newaxis
        ]  # infinite in one part, and minus that in the other
        found = steps.gradients(np.full_like(outputs, 1e308) * sign, state, calm, trace)
    assert np.isnan(found.bias).all()


def test_outputs_have_no_memory_that_rates_would_fill() -> None:
    steps, with_readout = FusedSteps("tanh", "rate", None), drawn(has_readout=True)
    for _ in range(3):
        steps.run(drawn()), steps.run(with_readout)
    rates = N_TRIALS * N_STEPS * N_UNITS * 8
    assert steps.run(with_readout)[0].base.base.nbytes < rates


def arrays_of(run: tuple[np.ndarray, np.ndarray, Trace]) -> list[np.ndarray]:
    """All that a run returned."""
    return [*run[:2], *run[2]]


def test_memory_is_used_again_only_when_nobody_holds_it(monkeypatch) -> None:
    monkeypatch.setattr(steps_module, "choose_n_parts", N_PARTS)  # parts of unequal size have gaps between them
    given = drawn()
    steps = FusedSteps("tanh", "rate", ALPHA)
    first = [np.array(array) for array in arrays_of(steps.run(given))]
    held = arrays_of(steps.run(given))
    rows = held[0][0, 1:]  # a view of a view keeps its memory too
    addresses = {array.ctypes.data for array in held}
    given.inputs[...] += 1.0
    for _ in range(3):
        assert not addresses & {array.ctypes.data for array in arrays_of(steps.run(given))}
    for array, expected in zip(held, first, strict=True):
        np.testing.assert_array_equal(array, expected)
    del held, array
    for _ in range(3):
        steps.run(given)
    np.testing.assert_array_equal(rows, first[0][0, 1:])
    del rows
    again = [steps.run(given)[0].ctypes.data for _ in range(4)]
    assert len(set(again)) < 4
    assert all(address % 64 == 0 for address in again)


def test_small_batches_use_the_memory_of_large_ones(monkeypatch) -> None:
    monkeypatch.setattr(steps_module, "choose_n_parts", N_PARTS)  # parts of unequal size have gaps between them
    given = drawn()
    steps = FusedSteps("tanh", "rate", None)
    small = part_of(given, 1)

    def addresses(batch: Given) -> set[int]:
        return {array.ctypes.data for array in arrays_of(steps.run(batch)) if array.size}

    for _ in range(4):  # in the first runs blocks grow to what the large batch needs
        addresses(given), addresses(small)
    memory = set[int]().union(*(addresses(batch) for batch in (given, small) * 4))
    assert len(memory) <= 4  # as many as a run returns
    for _ in range(4):
        assert addresses(small) | addresses(given) <= memory
