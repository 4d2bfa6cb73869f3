"""The head of the page: title, date, and what was compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from biornn.report.reading import Reading
from biornn.report.words import plural

_MANY = 8  # conditions: more are counted, and not named


@dataclass(frozen=True)
class Head:
    """What the page begins with: the title, the date for people and for programs, and what was compared."""

    title: str
    created: str
    created_iso: str
    compared: str


def head(reading: Reading) -> Head:
    """Make the head of a run's page."""
    created = str(reading.run.attrs["created"])
    title = str(reading.run.attrs["title"]).strip() or "Untitled run"
    return Head(title, _date(created), created, _compared(reading))


def _date(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError:
        return created
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _compared(reading: Reading) -> str:
    n_networks, conditions = len(reading.networks), reading.conditions
    networks = plural(n_networks, "network")
    task = f"on the task {reading.task.name}"
    imported = reading.experiment.get("imported")
    if imported is not None:
        return f"{networks} of {reading.weights.sizes['unit']} units trained elsewhere {task}, and imported."
    named = f" ({', '.join(conditions)})" if 1 < len(conditions) <= _MANY else ""
    seeds = plural(len(set(reading.history["seed"].values.tolist())), "seed")
    which = f"{len(conditions)} conditions{named} × {seeds}" if len(conditions) > 1 else f"{conditions[0]}, {seeds}"
    is_recorded = "recorded" in reading.experiment
    how = "recorded in given trials" if is_recorded and reading.task.name == "given trials" else f"trained {task}"
    return f"{networks} of {reading.weights.sizes['unit']} units {how}: {which}."
