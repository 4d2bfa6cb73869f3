import numpy as np
import pytest
import xarray as xr

from biornn.analysis.retention import retention
from biornn.tasks import FlipFlop
from tests.analysis.networks import network, side_by_side

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
    for name in ("held", "score", "survived", "share_retained"):
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
        assert result.held.sel(memory_state=state, delay=expected - dt) == 1
        assert result.held.sel(memory_state=state, delay=expected) == 0
    assert result.share_retained == 0
    assert result.score[0] == 1
    assert result.score[-1] == 0


def test_bits_count_one_by_one_in_the_score_and_together_in_what_is_held():
    result = retention(flip_flop(weight_of_half_life(150), leaky_bit=1), FlipFlop(n_bits=2).probe(), duration=400)
    assert (result.survived == 0).all()
    assert (result.held[:, -1] == 0).all()
    assert result.score[-1] == 0.5  # one bit of two, in every state


def test_states_that_survive_are_counted():
    # Only +1 is stable: r <- max(2 r + 3 u, 0), cut at 6; a negative bit never says -1.
    one_sided = network(2 * BOTH, 3 * BOTH, BOTH, alpha=0.8, activation="relu6")
    result = retention(one_sided, FlipFlop(n_bits=2).probe(), duration=100)
    assert result.survived.values.tolist() == [1, 0, 0, 0]
    assert result.share_retained == 0.25
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
    assert result.held.dims == ("network", "memory_state", "delay")
    assert result.condition.values.tolist() == ["h", "l"]
    for name, one in networks.items():
        alone = retention(one, probe, duration=300)
        xr.testing.assert_equal(result.sel(network=name, drop=True).drop_vars("condition", errors="ignore"), alone)


def test_what_cannot_be_measured_is_refused():
    probe = FlipFlop(n_bits=2).probe()
    with pytest.raises(ValueError, match="probe_trials: expected 'response_window', found"):
        retention(flip_flop(2.0), probe.drop_vars("response_window"))
    with pytest.raises(ValueError, match=r"duration: expected at least a step of 1 ms, got 0\.5"):
        retention(flip_flop(2.0), probe, duration=0.5)
    with pytest.raises(ValueError, match="probe_trials: expected evenly spaced, increasing times"):
        retention(flip_flop(2.0), probe.drop_vars("time"))
    with pytest.raises(ValueError, match="memory_state: expected samples of all 4 states"):
        retention(flip_flop(2.0), probe.isel(time=slice(100)))
