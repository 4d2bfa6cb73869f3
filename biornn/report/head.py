"""The first screen of a report: what was compared, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from biornn.report.reading import Reading
from biornn.report.summary import median_and_range
from biornn.report.words import plural
from biornn.schema import TRAINED

_MANY = 8  # conditions, from which on they are counted and not named


@dataclass(frozen=True)
class Fact:
    """One number of the first screen.

    Parameters
    ----------
    name
        What it is.
    value
        The number.
    alarm
        Whether it says that something went wrong.
    """

    name: str
    value: str
    alarm: bool = False


@dataclass(frozen=True)
class Head:
    """What a reader gets at once.

    Parameters
    ----------
    title
        Title of the experiment.
    created, created_iso
        When the run began, for people and for programs.
    compared
        One sentence: what was compared.
    outcome
        One sentence: what came of it.
    facts
        The numbers behind it.
    scores
        Condition -> median accuracy with its range.
    """

    title: str
    created: str
    created_iso: str
    compared: str
    outcome: str
    facts: tuple[Fact, ...]
    scores: tuple[tuple[str, str], ...]


def head(reading: Reading) -> Head:
    """Sum up a run.

    Parameters
    ----------
    reading
        The run.
    """
    created = str(reading.run.attrs["created"])
    scores = tuple(
        (condition, median_and_range(reading.members(reading.summary["accuracy"], condition), ".3f"))
        for condition in reading.conditions
    )
    return Head(
        str(reading.run.attrs["title"]).strip() or "Untitled run",
        _date(created),
        created,
        _compared(reading),
        _outcome(reading),
        _facts(reading),
        scores,
    )


def _date(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError:
        return created
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _compared(reading: Reading) -> str:
    n_networks, conditions = len(reading.networks), reading.conditions
    networks = plural(n_networks, "network")
    bits = reading.experiment.get("task", {}).get("n_bits")
    task = f"on a {bits}-bit flip-flop memory" if bits else "on one task"
    imported = reading.experiment.get("imported")
    if imported is not None:
        return f"{networks} of {reading.weights.sizes['unit']} units trained elsewhere {task}, and imported."
    named = f" ({', '.join(conditions)})" if 1 < len(conditions) <= _MANY else ""
    seeds = plural(len(set(reading.history["seed"].values.tolist())), "seed")
    which = f"{len(conditions)} conditions{named} × {seeds}" if len(conditions) > 1 else f"{conditions[0]}, {seeds}"
    return f"{networks} of {reading.weights.sizes['unit']} units trained {task}: {which}."


def _outcome(reading: Reading) -> str:
    n_networks, n_trained = len(reading.networks), int(reading.trained.sum())
    if n_trained == n_networks:
        trained = "It was trained to the end" if n_networks == 1 else f"All {n_networks} were trained to the end"
    elif n_trained:
        trained = f"{n_trained} of {n_networks} were trained to the end; {_lost(reading)}"
    else:
        trained = f"None was trained to the end: {_lost(reading)}"
    return f"{trained}; {_violated(reading)}."


def _violated(reading: Reading) -> str:
    if reading.n_violations:
        return f"{plural(reading.n_violations, 'violation')} of constraints found"
    checked = reading.constrained.values()
    if not checked:
        return "no constraint was declared"
    if not any(checked):
        return "constraints could not be checked"
    return "every constraint held" if all(checked) else "every constraint that could be checked held"


def _lost(reading: Reading) -> str:
    ended = reading.status.values.tolist()
    kinds = [status for status in dict.fromkeys(ended) if status not in TRAINED]
    return ", ".join(f"{ended.count(status)} {status.replace('_', ' ')}" for status in kinds)


def _facts(reading: Reading) -> tuple[Fact, ...]:
    n_networks, n_trained = len(reading.networks), int(reading.trained.sum())
    violations = f"{reading.n_violations:,}" if reading.checked.any() else "not checked"
    facts = [
        Fact("networks trained", f"{n_trained} of {n_networks}", n_trained < n_networks),
        Fact("constraint violations", violations, reading.n_violations > 0),
    ]
    with_criterion = [condition for condition, criterion in reading.criteria.items() if criterion is not None]
    if with_criterion:
        counts = reading.condition.isin(with_criterion) & (reading.status != "interrupted")
        reached = int((reading.status == "criterion_reached").sum())
        facts.insert(1, Fact("reached the criterion", f"{reached} of {int(counts.sum())}"))
    return tuple(facts)
