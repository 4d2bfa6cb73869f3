import json
from dataclasses import asdict, dataclass

import numpy as np
import pytest

from biornn.tasks.settings import (
    check_length,
    check_levels,
    check_longest,
    check_ranges,
    check_settings,
    check_steps,
    longest,
)
from biornn.tasks.task import Task


@dataclass(frozen=True)
class Settings(Task):
    dt: float = 1.0
    gain: float = 0.0
    cue: bool = False
    pulse: float = 1.0
    levels: tuple[float, ...] = (1.0,)
    delay: tuple[float, float] = (2.0, 4.0)
    gap: float = 5.0
    longest_gap: float | None = None

    def __post_init__(self):
        check_settings(self, ("dt",), ("gain",), ("cue",))
        check_steps(self, "pulse")
        check_levels(self, "levels", maximum=10)
        check_ranges(self, "delay")
        check_longest(self, "gap")
        check_length(self, "levels", 100)


def test_numbers_become_those_of_python():
    given = {"levels": [np.int64(3), 4], "delay": [np.int64(1), 2], "longest_gap": np.float32(6)}
    settings = Settings(dt=np.float32(0.5), gain=np.int64(2), **given)
    expected = {
        "dt": 0.5,
        "gain": 2,
        "cue": False,
        "pulse": 1,
        "levels": [3, 4],
        "delay": [1, 2],
        "gap": 5,
        "longest_gap": 6,
    }
    assert json.loads(json.dumps(asdict(settings))) == expected
    assert settings == Settings(dt=0.5, gain=2.0, levels=(3.0, 4.0), delay=(1.0, 2.0), longest_gap=6.0)
    assert hash(settings)


def test_the_longest_time_is_the_only_one_where_none_is_set():
    assert (longest(Settings(), "gap"), longest(Settings(longest_gap=7), "gap")) == (5, 7)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"dt": 0}, ValueError, "dt: expected a positive time in ms, got 0"),
        ({"dt": "1"}, ValueError, "dt: expected a positive time in ms, got '1'"),
        ({"gain": -1}, ValueError, "gain: expected a number of at least 0, got -1"),
        ({"gain": np.inf}, ValueError, "gain: expected a number of at least 0, got inf"),
        ({"cue": 1}, TypeError, "cue: expected true or false, got 1"),
        ({"pulse": 0}, ValueError, "pulse: expected a positive time in ms, got 0"),
        ({"pulse": 2, "dt": 2.5}, ValueError, r"pulse: expected at least dt=2\.5 ms, got 2\.0"),
        ({"levels": 3}, ValueError, "levels: expected one or more numbers from 0 to 10, got 3"),
        ({"levels": ()}, ValueError, r"levels: expected one or more numbers from 0 to 10, got \(\)"),
        ({"levels": (3, 11)}, ValueError, "levels: expected numbers from 0 to 10, got 11"),
        ({"delay": 3}, ValueError, "delay: expected the shortest and the longest time in ms, got 3"),
        ({"delay": (1, 2, 3)}, ValueError, r"delay: expected the shortest and the longest time in ms, got \(1, 2, 3\)"),
        ({"delay": (0.5, 3)}, ValueError, "delay: expected times of at least dt=1 ms, got 0.5"),
        ({"delay": (3, 2)}, ValueError, "delay: expected a longest time of at least the shortest, 3 ms, got 2"),
        ({"delay": ("1", 2)}, ValueError, "delay: expected times of at least dt=1 ms, got '1'"),
        ({"longest_gap": 4}, ValueError, "longest_gap: expected at least gap=5 ms, got 4"),
        ({"dt": 1e-6}, ValueError, "levels: expected trials of at most 2,000,000 steps of dt=1e-06 ms, got 100 ms"),
    ],
)
def test_what_is_impossible_is_named(settings, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Settings(**settings)
