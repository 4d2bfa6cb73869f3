"""What the networks withstand: time, noise, lesions."""

from __future__ import annotations

import xarray as xr

from biornn.report.reading import DELAY, N_TRIALS, Reading
from biornn.report.section import Section
from biornn.report.tables import Row, spread, table

_LESION = 0.1  # share of the units


def robustness(reading: Reading) -> Section | None:
    """Retention beyond the trained delays, accuracy under noise and lesions.

    Parameters
    ----------
    reading
        The run.
    """
    if not reading.shown_ungated:
        return None
    lesions = reading.lesions["accuracy"].sel(share=_LESION)
    found: dict[str, xr.DataArray] = {}
    if reading.retention is not None:
        found[f"states held for {DELAY:g} ms"] = reading.retention["share_retained"]
    found |= {
        "accuracy under input noise": reading.input_noise["robustness"],
        "accuracy under recurrent noise": reading.recurrent_noise["robustness"],
        "accuracy with lesions of any units": lesions.sel(lesion="any"),
        "of excitatory units": lesions.sel(lesion="excitatory"),
        "of inhibitory units": lesions.sel(lesion="inhibitory"),
    }
    rows: list[Row] = [
        [condition, *(spread(reading.members(values, condition), ".2f") for values in found.values())]
        for condition in reading.conditions
    ]
    return Section(
        "robustness",
        "What the networks withstand",
        (
            "Networks were run again from their stored weights. Retention: share of the memory states that are still "
            f"right at every moment of {DELAY:g} ms without input and noise.",
            table(
                "Robustness: median [min, max] over the trained networks of a condition. Noise: mean accuracy over "
                "standard deviations from 0 to 0.8 on the inputs, and from 0 to 0.1 in every unit. Lesions: accuracy "
                f"with {_LESION:.0%} of the units, or of those of a type, silenced, mean over 3 draws. "
                f"On {min(N_TRIALS, reading.run['trials'].sizes['trial'])} held-out trials.",
                ["condition", *found],
                rows,
            ),
        ),
    )
