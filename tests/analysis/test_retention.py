import numpy as np
import pytest
import xarray as xr

from biornn.analysis.retention import n_held_states, retention, share_held
from biornn.tasks import FlipFlop, Task, Trials
from tests.analysis.networks import network, side_by_side, with_those_that_cannot_run

BOTH = np.eye(2)


def flip_flop(self_weight, leaky_bit=None):
    """Two units that each hold one bit: ``r <- (1 - alpha) r + alpha clip(w r + 3 u, -1, 1)``."""
    recurrent = self_weight * BOTH
    if leaky_bit is not None:
        recurrent = np.diag([2.0, 2.0])
        recurrent[leaky_bit, leaky_bit] = self_weight
    return network(recurrent, 3 * BOTH, BOTH, alpha=0.8, activation="hard_tanh")


def weight_of_half_life(n_steps):
    """Self-weight by which a unit decays to a half in so many steps, at alpha 0.8."""
    return 1 - (1 - 0.5 ** (1 / n_steps)) / 0.8


def test_fixed_points_hold_for_ever():
    # With w = 2 both +1 and -1 map onto themselves: stable fixed points.
    result = retention(flip_flop(2.0), FlipFlop(n_bits=2).probe(), duration=500)
    assert result.memory_state.values.tolist() == ["++", "+-", "-+", "--"]
    np.testing.assert_array_equal(result.delay, np.arange(501))
    for name in ("is_held", "held", "score", "survived"):
        assert (result[name] == 1).all(), name
    assert (result.retention_time == 500).all()


@pytest.mark.parametrize("dt", [1.0, 2.0])
def test_a_leaky_unit_loses_its_state_when_it_has_decayed_to_a_half(dt):
    # A pulse of 20 ms saturates the unit (to 1 within 2 * 0.2**10 < 1e-6). It then decays, and is at a half 300.5 steps
    # later: the next sample is the first that does not say +-1.
    probe = FlipFlop(n_bits=2, dt=dt).probe()
    result = retention(flip_flop(weight_of_half_life(300.5)), probe, duration=800)
    pulse_ends = {"++": 30, "-+": 100, "+-": 170, "--": 240}  # ms; the samples before are the last of the pulses
    held_until = {"++": 80, "-+": 150, "+-": 220, "--": 330}  # the next pulse, or the end
    for state, end in pulse_ends.items():
        expected = 301 * dt - (held_until[state] - end)
        assert result.retention_time.sel(memory_state=state) == expected
        assert result.is_held.sel(memory_state=state, delay=expected - dt) == 1
        assert result.is_held.sel(memory_state=state, delay=expected) == 0
    assert result.held == 0
    assert result.score[0] == 1
    assert result.score[-1] == 0


def unit_of(weight, alpha=0.1, bias=0.0, readout=1.0):
    """One unit that holds a bit: ``r <- (1 - alpha) r + alpha tanh(w r + 9 u + bias)``."""
    one = network([[weight]], [[9.0]], [[readout]], alpha=alpha, activation="tanh")
    one["recurrent_bias"] = one["recurrent_bias"] + bias
    return one


@pytest.mark.parametrize("weight", [0.9, 0.99, 1.0, 1.01])
def test_a_unit_without_a_far_fixed_point_loses_its_state_when_the_map_says_so(weight):
    # r = tanh(w r) has only r = 0 for w <= 1; for 1.01 a second solution, of 0.17. Both are read out as less than 1/2.
    probe = FlipFlop(n_bits=1).probe()
    result = retention(unit_of(weight, readout=2.5), probe)
    for state in "+-":
        is_held = (probe.memory_state == state) & ~probe.response_window.squeeze()
        last = int(np.flatnonzero(is_held)[-1])
        r, lost = 0.0, None
        for time, u in enumerate([*probe.inputs.values.ravel()[: last + 1], *[0.0] * 5000]):
            r = 0.9 * r + 0.1 * np.tanh(weight * r + 9 * u)
            if time >= last and abs(r) <= 0.2 and lost is None:
                lost = time - last
        assert lost > 0
        assert result.retention_time.sel(memory_state=state) == lost
    assert result.held == 0


@pytest.mark.parametrize("weight", [1.3, 2.0])
def test_a_bistable_unit_holds_its_state_for_ever(weight):
    for duration in (5000, 50_000):
        result = retention(unit_of(weight), FlipFlop(n_bits=1).probe(), duration=duration)
        assert result.held == 1
        assert (result.retention_time == duration).all()


def test_a_ghost_holds_its_state_for_a_time_that_grows_as_one_over_the_root_of_its_distance():
    # F(r) = -r + tanh(w r + b) touches 0 from below at r* = sqrt(1 - 1 / w), where F'' = -2 w r* and dF/db = 1 / w. The
    # passage through such a point takes pi tau / sqrt(eps r*): Strogatz, Nonlinear Dynamics and Chaos, 4.3.
    weight, tau = 2.0, 10.0
    point = np.sqrt(1 - 1 / weight)
    touching = np.arctanh(point) - weight * point
    times = []
    for distance in (4e-5, 1e-5):
        ghost = unit_of(weight, alpha=1 / tau, bias=touching - distance)
        result = retention(ghost, FlipFlop(n_bits=1).probe(), duration=20_000)
        assert result.survived.values.tolist() == [0, 1]
        times.append(float(result.retention_time[0]))
        assert times[-1] == pytest.approx(np.pi * tau / np.sqrt(distance * point), rel=0.05)
    assert times[1] / times[0] == pytest.approx(2, rel=0.05)


def test_what_a_network_repeats_is_not_computed_but_known():
    # A unit that turns its sign at every step, in a state that its readout does not see, repeats with a period of two.
    turning = network([[-1.0, 0.0], [0.0, 2.0]], [[1.0, 3.0]], [[0.0], [1.0]], activation="hard_tanh")
    result = retention(turning, FlipFlop(n_bits=1).probe(), duration=1e5)
    assert result.held == 1
    assert (result.is_held == 1).all()
    assert result.sizes["delay"] == 100_001

    # Where the output turns too, every second sample is wrong, to the end.
    probe = FlipFlop(n_bits=1, pulse_width=21).probe()  # of 20 samples, the unit would end at 0
    seen = retention(network([[-1.0]], [[1.0]], [[1.0]], activation="hard_tanh"), probe, 2001)
    alternating = np.abs(np.diff(seen.is_held, axis=-1))
    assert (alternating == 1).all()
    assert (seen.retention_time <= 1).all()


def test_a_network_that_has_lost_one_state_goes_on_with_the_others():
    # A bias of the output hides the negative state; a second unit decays so slowly that nothing is ever repeated.
    one = network([[2.0, 0.0], [0.0, 0.9999]], [[9.0, 9.0]], [[1.0], [0.0]], alpha=0.1, activation="tanh", bias=0.8)
    task = FlipFlop(n_bits=1)
    assert share_held(one, task.probe(), task) == retention(one, task.probe()).held == 0.5


def test_the_share_that_is_held_needs_no_run_to_the_end():
    networks = {name: flip_flop(weight_of_half_life(150), leaky_bit=bit) for bit, name in enumerate(["zero", "one"])}
    networks |= {"holds": flip_flop(2.0), "leaks": flip_flop(weight_of_half_life(150))}
    networks["one_sided"] = network(2 * BOTH, 3 * BOTH, BOTH, alpha=0.8, activation="relu6")
    weights, task = side_by_side(**networks), FlipFlop(n_bits=2)
    share = share_held(weights, task.probe(), task)
    assert share.values.tolist() == [0, 0, 1, 0, 0.25]
    xr.testing.assert_equal(share, retention(weights, task.probe()).held)


def test_networks_that_cannot_run_have_no_value():
    result = retention(with_those_that_cannot_run(flip_flop(2.0)), FlipFlop(n_bits=2).probe(), duration=10)
    np.testing.assert_array_equal(result.held, [1, np.nan, np.nan, np.nan])


class Lamp(Task):
    """Say from a pulse on what it was: not called a memory, without `is_right`; scored at the end of a trial."""

    name, score_name, chance, dt = "lamp", "lit", 0.5, 1.0
    n_inputs = n_outputs = 1

    def arrays(self, n_trials, rng):
        colour = np.arange(n_trials) % 2
        inputs = np.zeros((n_trials, 60, 1))
        inputs[:, 10:20] = np.where(colour, 1.0, -1.0)[:, None, None]
        return Trials(inputs, np.repeat(np.sign(inputs[:, 10:11]), 60, axis=1), np.ones((n_trials, 60, 1)))

    def trials(self, n_trials, seed, **fixed):
        colour = np.where(np.arange(n_trials) % 2, "green", "red")
        period = np.broadcast_to(np.where(np.arange(60) < 30, "pulse", "hold"), (n_trials, 60))
        return self.labelled(self.arrays(n_trials, None), period=period, colour=colour)

    def probe(self):
        return self.trials(4, 0)

    def score(self, outputs, trials):
        sign = xr.where(trials["colour"] == "green", 1.0, -1.0)
        return (outputs.isel(time=-1, output_channel=0) * sign > 0.5).astype(float)


def test_a_hold_can_be_declared_without_states_and_is_judged_by_the_score():
    task = Lamp()
    assert n_held_states(task.probe(), task) == 2
    result = retention(unit_of(2.0), task.probe(), 1000, task)
    assert result.memory_state.values.tolist() == ["colour=green", "colour=red"]
    assert result.held == 1
    lost = retention(unit_of(0.98), task.probe(), 1000, task)
    assert lost.held == 0
    # The same unit in a flip-flop, whose pulses are saturating too, is judged in the same way.
    named = task.probe().assign(memory_state=task.probe().colour.broadcast_like(task.probe().period))
    other = retention(unit_of(0.98), named, 1000, task)
    assert other.memory_state.values.tolist() == ["green", "red"]
    np.testing.assert_array_equal(other.retention_time, lost.retention_time)


def test_bits_count_one_by_one_in_the_score_and_together_in_what_is_held():
    result = retention(flip_flop(weight_of_half_life(150), leaky_bit=1), FlipFlop(n_bits=2).probe(), duration=400)
    assert (result.survived == 0).all()
    assert (result.is_held[:, -1] == 0).all()
    assert result.score[-1] == 0.5  # one bit of two, in every state


def test_states_that_survive_are_counted():
    # Only +1 is stable: r <- max(2 r + 3 u, 0), cut at 6; a negative bit never says -1.
    one_sided = network(2 * BOTH, 3 * BOTH, BOTH, alpha=0.8, activation="relu6")
    result = retention(one_sided, FlipFlop(n_bits=2).probe(), duration=100)
    assert result.survived.values.tolist() == [1, 0, 0, 0]
    assert result.held == 0.25
    assert result.retention_time.values.tolist() == [100, 0, 0, 0]  # 0: not even reached


def test_a_state_that_is_lost_and_found_again_was_lost():
    # A unit that turns its sign at every step.
    flipping = network(-1 * BOTH, BOTH, BOTH)
    probe = FlipFlop(n_bits=2).probe()
    result = retention(flipping, probe, duration=10)
    assert (result.survived == 0).all()
    assert (result.retention_time <= 1).all()


def test_every_network_is_measured_as_alone_in_any_order_of_dims():
    probe = FlipFlop(n_bits=2).probe()
    networks = {"holds": flip_flop(2.0), "leaks": flip_flop(weight_of_half_life(150))}
    result = retention(side_by_side(**networks).transpose(), probe.transpose(), duration=300)
    assert result.is_held.dims == ("network", "memory_state", "delay")
    assert result.condition.values.tolist() == ["h", "l"]
    for name, one in networks.items():
        alone = retention(one, probe, duration=300)
        xr.testing.assert_equal(result.sel(network=name, drop=True).drop_vars("condition", errors="ignore"), alone)


def test_what_cannot_be_measured_is_refused():
    probe = FlipFlop(n_bits=2).probe()
    with pytest.raises(ValueError, match="probe_trials: expected what is to be held, memory_state or a period called"):
        retention(flip_flop(2.0), probe.drop_vars(["memory_state", "period"]))
    with pytest.raises(ValueError, match=r"duration: expected at least a step of 1 ms, got 0\.5"):
        retention(flip_flop(2.0), probe, duration=0.5)
    with pytest.raises(ValueError, match="probe_trials: expected evenly spaced, increasing times"):
        retention(flip_flop(2.0), probe.drop_vars("time"))
    with pytest.raises(ValueError, match="memory_state: expected samples of all 4 states"):
        retention(flip_flop(2.0), probe.isel(time=slice(100)))
