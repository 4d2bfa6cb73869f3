import json
from dataclasses import asdict, dataclass

import numpy as np
import pytest

from biornn.tasks.settings import check_length, check_levels, check_settings, check_steps
from biornn.tasks.task import Task


@dataclass(frozen=True)
class Settings(Task):
    dt: float = 1.0
    gain: float = 0.0
    cue: bool = False
    pulse: float = 1.0
    levels: tuple[float, ...] = (1.0,)

    def __post_init__(self):
        check_settings(self, ("dt",), ("gain",), ("cue",))
        check_steps(self, "pulse")
        check_levels(self, "levels", maximum=10)
        check_length(self, "levels", 100)


def test_numbers_become_those_of_python():
    settings = Settings(dt=np.float32(0.5), gain=np.int64(2), levels=[np.int64(3), 4])
    assert json.loads(json.dumps(asdict(settings))) == {
        "dt": 0.5,
        "gain": 2,
        "cue": False,
        "pulse": 1,
        "levels": [3, 4],
    }
    assert settings == Settings(dt=0.5, gain=2.0, levels=(3.0, 4.0))
    assert hash(settings)


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
        ({"dt": 1e-6}, ValueError, "levels: expected trials of at most 2,000,000 steps of dt=1e-06 ms, got 100 ms"),
    ],
)
def test_what_is_impossible_is_named(settings, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Settings(**settings)
