"""The steps in numpy: against the equations written out, and finite differences."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from biornn.layers.fused import ACTIVATIONS, FusedSteps
from biornn.layers.fused import steps as steps_module
from biornn.layers.fused.steps import Trace

N_TRIALS, N_STEPS, N_CHANNELS, N_UNITS = 3, 5, 2, 4
FUNCTIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "tanh": np.tanh,
}
N_PARTS = steps_module.choose_n_parts  # before `blocks_and_threads` puts another in its place
ALPHA = np.array([0.1, 0.4, 0.9, 1.0])


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


def drawn_arguments() -> list[np.ndarray]:
    """Inputs, input weights, recurrent weights, bias, state, noise."""
    rng = np.random.default_rng(0)
    shapes = [
        (N_TRIALS, N_STEPS, N_CHANNELS), (N_CHANNELS, N_UNITS), (N_UNITS, N_UNITS), (N_UNITS,), (N_TRIALS, N_UNITS),
        (N_TRIALS, N_STEPS, N_UNITS),
    ]  # fmt: skip
    return [rng.normal(0, 0.7, shape) for shape in shapes]


def by_the_equations(activation, formulation, alpha, inputs, input_weights, recurrent_weights, bias, state, noise):
    function, alpha = FUNCTIONS[activation], 1.0 if alpha is None else alpha
    rates = []
    for step in range(N_STEPS):
        received = inputs[:, step] @ input_weights + bias + noise[:, step]
        if formulation == "rate":
            state = (1 - alpha) * state + alpha * function(state @ recurrent_weights + received)
            rates.append(state)
        else:
            state = (1 - alpha) * state + alpha * (function(state) @ recurrent_weights + received)
            rates.append(function(state))
    return np.stack(rates, axis=1), state


every_kind = pytest.mark.parametrize(
    ("activation", "formulation", "alpha"),
    [(name, form, alpha) for name in ACTIVATIONS for form in ("rate", "current") for alpha in (None, ALPHA)],
)


@every_kind
def test_rates_and_state_are_those_of_the_equations(activation, formulation, alpha) -> None:
    arguments = drawn_arguments()
    rates, state, *_ = FusedSteps(activation, formulation, alpha).run(*arguments)
    expected_rates, expected_state = by_the_equations(activation, formulation, alpha, *arguments)
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(state, expected_state, rtol=1e-12, atol=1e-13)


@every_kind
def test_gradients_are_those_of_finite_differences(activation, formulation, alpha) -> None:
    arguments = drawn_arguments()
    rng = np.random.default_rng(1)
    of_rates, of_state = rng.normal(size=(N_TRIALS, N_STEPS, N_UNITS)), rng.normal(size=(N_TRIALS, N_UNITS))

    def value() -> float:
        rates, state = by_the_equations(activation, formulation, alpha, *arguments)
        return float((rates * of_rates).sum() + (state * of_state).sum())

    steps = FusedSteps(activation, formulation, alpha)
    _, _, before, values = steps.run(*arguments)
    found = steps.gradients(of_rates, of_state, Trace(*arguments[:3], before, values))
    for array, gradient in zip(arguments[:-1], found, strict=True):  # not of the noise
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


def test_what_is_given_is_not_changed() -> None:
    arguments = drawn_arguments()
    copies = [array.copy() for array in arguments]
    steps = FusedSteps("tanh", "current", ALPHA)
    rates, state, before, values = steps.run(*arguments)
    given = [np.ones_like(rates), np.ones_like(state), before.copy()]
    steps.gradients(given[0], given[1], Trace(*arguments[:3], before, values))
    for array, copy in zip(
        [*arguments, *given], [*copies, np.ones_like(rates), np.ones_like(state), before], strict=True
    ):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("formulation", ["rate", "current"])
@pytest.mark.parametrize("alpha", [None, ALPHA])
def test_gradients_may_come_in_any_order_of_memory(formulation, alpha) -> None:
    arguments, rng = drawn_arguments(), np.random.default_rng(1)
    steps = FusedSteps("tanh", formulation, alpha)
    rates, state, before, values = steps.run(*arguments)
    given = rng.normal(size=rates.shape), rng.normal(size=state.shape)
    trace = Trace(*arguments[:3], before, values)
    expected = steps.gradients(*given, trace)
    for came, wanted in zip(steps.gradients(*map(np.asfortranarray, given), trace), expected, strict=True):
        np.testing.assert_array_equal(came, wanted)


@every_kind
def test_no_trials_have_no_gradients(activation, formulation, alpha) -> None:
    arguments = [array[:0] if array.shape[:1] == (N_TRIALS,) else array for array in drawn_arguments()]
    steps = FusedSteps(activation, formulation, alpha)
    rates, state, before, values = steps.run(*arguments)
    assert rates.shape == (0, N_STEPS, N_UNITS)
    found = steps.gradients(rates, state, Trace(*arguments[:3], before, values))
    for array, gradient in zip(arguments[:-1], found, strict=True):
        np.testing.assert_array_equal(gradient, np.zeros(array.shape))


def test_memory_is_used_again_only_when_nobody_holds_it(monkeypatch) -> None:
    monkeypatch.setattr(steps_module, "choose_n_parts", N_PARTS)  # parts of unequal size have gaps between them
    arguments = drawn_arguments()
    steps = FusedSteps("tanh", "rate", ALPHA)
    first = [np.array(array) for array in steps.run(*arguments)]
    held = steps.run(*arguments)
    rows = held[0][0, 1:]  # a view of a view keeps its memory too
    addresses = {array.ctypes.data for array in held}
    arguments[0] += 1.0
    for _ in range(3):
        assert not addresses & {array.ctypes.data for array in steps.run(*arguments)}
    for array, expected in zip(held, first, strict=True):
        np.testing.assert_array_equal(array, expected)
    del held, array
    for _ in range(3):
        steps.run(*arguments)
    np.testing.assert_array_equal(rows, first[0][0, 1:])
    del rows
    again = [steps.run(*arguments)[0].ctypes.data for _ in range(4)]
    assert len(set(again)) < 4
    assert all(address % 64 == 0 for address in again)


def test_small_batches_use_the_memory_of_large_ones(monkeypatch) -> None:
    monkeypatch.setattr(steps_module, "choose_n_parts", N_PARTS)  # parts of unequal size have gaps between them
    arguments = drawn_arguments()
    steps = FusedSteps("tanh", "rate", None)
    small = [array[:1] if array.shape[:1] == (N_TRIALS,) else array for array in arguments]

    def addresses(batch: list[np.ndarray]) -> set[int]:
        return {array.ctypes.data for array in steps.run(*batch) if array.size}

    for _ in range(4):  # in the first runs blocks grow to what the large batch needs
        addresses(arguments), addresses(small)
    memory = set[int]().union(*(addresses(batch) for batch in (arguments, small) * 4))
    assert len(memory) <= 4  # as many as a run returns
    for _ in range(4):
        assert addresses(small) | addresses(arguments) <= memory
