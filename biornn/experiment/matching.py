"""Differences between the networks of one seed that are not the constraint under comparison."""

from __future__ import annotations

from collections.abc import Iterator

from biornn.connectivity.initial_weights import has_cycle
from biornn.experiment.config import NetworkConfig
from biornn.experiment.experiment import Experiment
from biornn.experiment.parameters import number_range, parameter_counts
from biornn.schema import reference_condition

#: Settings of the training that decide which trials a network sees, and in what order.
_TRIALS = ("batch_size", "n_training_trials", "n_validation_trials")
#: Settings that decide for how long it is trained.
_DURATION = ("criterion", "criterion_on", "criterion_checks")


def unmatched(experiment: Experiment) -> dict[str, list[str]]:
    """List for each condition, in sentences, in what its networks are not matched with those of the reference.

    Matched are, as far as the settings allow: training, validation and held-out trials, the initial state of every
    random generator, and the spectral radius of the initial effective recurrent weights. The list of the reference is
    empty.
    """
    reference = reference_condition(list(experiment.conditions))
    return {
        condition: [] if condition == reference else list(_differences(experiment, reference, condition))
        for condition in experiment.conditions
    }


def _differences(experiment: Experiment, reference: str, condition: str) -> Iterator[str]:
    network, training = experiment.settings(condition)
    other_network, other_training = experiment.settings(reference)
    for key in _TRIALS:
        value, other = getattr(training, key), getattr(other_training, key)
        if value != other:
            which = "validation trials" if key == "n_validation_trials" else "training trials"
            yield f"{which}: {key} is {value} instead of {other}"
    tasks, other_tasks = (experiment.training_tasks(one) for one in (condition, reference))
    if tasks != other_tasks:
        yield "training trials: settings of the task, or the stages, differ"
    for key in _DURATION:
        value, other = getattr(training, key), getattr(other_training, key)
        if value != other:
            yield f"duration of the training: {key} is {_setting(value)} instead of {_setting(other)}"
    counts, other_counts = (
        number_range([sum(parameter_counts(one, experiment.task, seed).values()) for seed in experiment.seeds])
        for one in (network, other_network)
    )
    if counts != other_counts:
        yield f"free parameters: {counts} (in {reference}: {other_counts})"
    if experiment.start is not None:
        source, other = (experiment.start.source(one, experiment.seeds[0]).network for one in (condition, reference))
        if source != other:
            yield f"initial weights: of other networks of {experiment.start.run}, such as {source} instead of {other}"
        return
    gated = [one.architecture for one in (network, other_network) if one.architecture != "rnn"]
    if gated:
        if network.architecture != other_network.architecture:
            yield f"initial weights: a {gated[0].upper()} has others, and no spectral radius"
        return
    yield from _weight_differences(network, other_network, experiment.seeds, reference)


def _setting(value: float | str | None) -> str:
    return "none" if value is None else value if isinstance(value, str) else f"{value:g}"


def _weight_differences(
    network: NetworkConfig, other: NetworkConfig, seeds: list[int], reference: str
) -> Iterator[str]:
    for end in ("input", "readout"):
        if getattr(network, f"{end}_weights") != getattr(other, f"{end}_weights"):
            yield f"initial {end} weights: given, and not those of {reference}"
    rule, other_rule = (one.connectivity(seeds[0]).initial_rule for one in (network, other))
    if rule is None or other_rule is None:
        if network.initial != other.initial or network.spectral_radius != other.spectral_radius:
            yield "initial recurrent weights: given, and not those of " + reference
        elif network.rewired != other.rewired and network.spectral_radius is None:
            yield "initial spectral radius: that of given weights that moved; set spectral_radius to match it"
        return
    if rule != other_rule:
        yield f"initial recurrent weights: drawn by the rule {rule} instead of {other_rule}"
    radii, other_radii = ([_spectral_radius(one, seed) for seed in seeds] for one in (network, other))
    if radii != other_radii:
        acyclic = [seed for seed in seeds if not has_cycle(network.connectivity(seed).recurrent_mask)]
        why = f"; without a cycle in the mask it is 0, whatever the weights (seeds {acyclic})" if acyclic else ""
        found, expected = number_range(radii, ".3g"), number_range(other_radii, ".3g")
        yield f"initial spectral radius: {found} (in {reference}: {expected}){why}"


def _spectral_radius(network: NetworkConfig, seed: int) -> float:
    """Return the radius of the initial effective weights: as set, or 0 without a cycle."""
    assert network.spectral_radius is not None  # that is for given weights
    return network.spectral_radius if has_cycle(network.connectivity(seed).recurrent_mask) else 0.0
