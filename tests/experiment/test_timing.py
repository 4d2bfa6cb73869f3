"""The time of a network from the times of its parts."""

from biornn.experiment.config import TrainingConfig
from biornn.experiment.timing import Timing


def test_the_parts_add_up() -> None:
    timing = Timing(building=2.0, update=0.1, validation=0.5, loading=10.0)
    # 2 s + 105 updates + validations after 50, 100 and 105 of them
    assert timing.network(TrainingConfig(max_updates=105, validate_every=50)) == 2.0 + 105 * 0.1 + 3 * 0.5
