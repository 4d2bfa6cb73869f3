"""Tables of cell types: the sign, the share of the units and the time constant of each; and the type of every unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.labels import given_array
from biornn.scalars import check_number, is_real
from biornn.schema import CELL_TYPES, LESION_OF_ANY

#: Type -> what is known of it: its `sign`, and `fraction` and `tau` where they are given.
Table = Mapping[str, Mapping[str, float]]

_KEYS = ("sign", "fraction", "tau")
#: How far fractions may be from a sum of 1: more than rounding, less than a forgotten digit.
_ROUNDING = 1e-6


def default_table(excitatory_fraction: float | None) -> Table:
    """Return the table of a network that has none of its own, with the fractions of its types where they are known."""
    table: dict[str, dict[str, float]] = {name: {"sign": sign} for name, sign in CELL_TYPES.items()}
    if excitatory_fraction is not None:
        fractions = (excitatory_fraction, 1 - excitatory_fraction, 0)
        for one, fraction in zip(table.values(), fractions, strict=True):
            one["fraction"] = fraction
    return table


def check_table(table: Any) -> Table:
    """Return a table of types in Python's own numbers, or raise a ValueError that names the type."""
    if not isinstance(table, Mapping) or not table:
        raise ValueError(
            f"cell_types: expected a mapping from names of types to sign, fraction and tau, got {table!r}; as in "
            "{'E': {'sign': 1, 'fraction': 0.8}, …}"
        )
    checked = {name: _checked(name, given) for name, given in table.items()}
    for key in ("fraction", "tau"):
        missing = [name for name, one in checked.items() if key not in one]
        if 0 < len(missing) < len(checked):
            raise ValueError(f"cell_types.{missing[0]}.{key}: expected one, as other types have, got none")
    total = sum(one.get("fraction", 0) for one in checked.values())
    if "fraction" in next(iter(checked.values())) and abs(total - 1) > _ROUNDING:
        raise ValueError(f"cell_types: expected fractions that sum to 1, got {total:.6g} of {', '.join(checked)}")
    return checked


def _checked(name: Any, given: Any) -> dict[str, float]:
    if not isinstance(name, str) or name != name.strip() or not name.isprintable() or not name:
        raise ValueError(f"cell_types: expected a text as the name of each type, got {name!r}")
    if name == LESION_OF_ANY:
        raise ValueError(f"cell_types: expected other names than {name!r}, which lesions give to units of any type")
    where = f"cell_types.{name}"
    if not isinstance(given, Mapping) or not set(given) <= set(_KEYS):
        raise ValueError(f"{where}: expected {', '.join(_KEYS)}, got {given!r}")
    one = {key: given[key] for key in _KEYS if given.get(key) is not None}
    sign = one.get("sign")
    if not is_real(sign) or sign not in (1, -1, 0):
        raise ValueError(f"{where}.sign: expected 1, -1 or 0 (either), got {sign!r}")
    if sign != CELL_TYPES.get(name, sign):
        raise ValueError(f"{where}.sign: expected {CELL_TYPES[name]}, as the name says, got {sign!r}; rename the type")
    if "fraction" in one:
        check_number(f"{where}.fraction", one["fraction"], "a number in [0, 1]", maximum=1)
    if "tau" in one:
        check_number(f"{where}.tau", one["tau"], "a positive time in ms", above=0)
    return {key: int(value) if key == "sign" else float(value) for key, value in one.items()}


def types_by_fraction(table: Table, sizes: Sequence[int]) -> NDArray[np.str_]:
    """Return the type (unit,) of each unit by the fractions of a table, in its order, in each area of these sizes."""
    names = np.array(list(table))
    fractions = [one["fraction"] for one in table.values()]
    return np.concatenate([np.repeat(names, largest_remainders(fractions, size)) for size in sizes])


def largest_remainders(fractions: Sequence[float], total: int) -> NDArray[np.intp]:
    """Return whole numbers of this sum that are nearest to fractions of it (Hamilton's method).

    Each is rounded down; what is left goes, one by one, to those with the largest remainders, of equal ones to the
    first. Of two fractions, the first is therefore rounded half up.
    """
    counts, some = np.zeros(len(fractions), int), np.flatnonzero(fractions)
    quotas = np.asarray(fractions)[some] * total
    quotas[-1] = total - quotas[:-1].sum()  # in binary, 0.3 is not 1 - 0.7, and a tie would be none
    counts[some] = np.floor(quotas).astype(int)
    first = some[np.argsort(counts[some] - quotas, kind="stable")]
    counts[first[: total - counts.sum()]] += 1
    return counts


def types_by_unit(cell_type: ArrayLike, table: Table, unit_names: NDArray[Any]) -> NDArray[np.str_]:
    """Return the type (unit,) of each unit, from a name for each; of the default table also from a sign."""
    types = given_array("cell_type", cell_type, {"unit": unit_names}, object)
    if types.shape != unit_names.shape:
        raise ValueError(f"cell_type: expected shape {unit_names.shape}, got {types.shape}")
    known: dict[Any, str] = {name: name for name in table}
    if set(table) <= set(CELL_TYPES):
        known |= {CELL_TYPES[name]: name for name in table}
    for one, unit in zip(types.tolist(), unit_names.tolist(), strict=True):
        if not (isinstance(one, str) or is_real(one)) or one not in known:
            expected = ", ".join(map(repr, known))
            raise ValueError(f"cell_type: expected one of {expected} for each unit, got {one!r} for unit {unit!r}")
    names = list(table)
    return np.array(names)[[names.index(known[one]) for one in types.tolist()]]


def of_units(table: Table, types: NDArray[np.str_], key: str, dtype: type) -> NDArray[Any]:
    """Return what a table says of the type of each unit, (unit,)."""
    return np.array([table[name][key] for name in types.tolist()], dtype)


def in_groups(table: Table) -> list[str]:
    """List the types in the order in which groups of units are numbered: by their signs, then as in the table."""
    return sorted(table, key=lambda name: table[name]["sign"])


def group_numbers(table: Table, types: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return for the type (unit,) of each unit its position in `in_groups`."""
    number = {name: at for at, name in enumerate(in_groups(table))}
    return np.array([number[name] for name in types.tolist()], np.intp)
