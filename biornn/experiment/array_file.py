"""Arrays of the network in files beside the experiment's, such as ``mask: {file: connectome.csv}``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import xarray as xr
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PrivateAttr,
    StrictBool,
    Tag,
    ValidationError,
    model_validator,
)

from biornn.connectivity.ends import DIMS, KINDS
from biornn.connectivity.labels import noun
from biornn.experiment.array_tables import READERS, SYNAPSES, UNITS, content_hash, read_table
from biornn.experiment.messages import one_line


class ArrayFile(BaseModel):
    """A file with a table, of synapses unless a subclass has other dims, and the hash of its content.

    A stored experiment has the hash. The path is relative to the folder in the context of the validation, or to the
    working folder.
    """

    dims: ClassVar[tuple[str, ...]] = SYNAPSES

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    sha256: str = ""
    _path: Path = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Find the file."""
        self._path = ((context or {}).get("folder", Path()) / self.file).absolute()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self._path.suffix not in READERS:  # devices have none: some never end
            raise ValueError(f"file: expected a name that ends with {', '.join(READERS)}, got {self.file}")
        try:
            content = content_hash(self._path)
        except OSError as error:
            raise ValueError(f"file: expected a file that can be read, got {self.file}: {error.strerror}") from None
        if self.sha256 not in ("", content):
            raise ValueError(
                f"file: expected the content that the experiment began with (SHA-256 {self.sha256[:8]}…), got another "
                f"in {self.file}; bring the old file back, or leave sha256 out"
            )
        object.__setattr__(self, "sha256", content)
        self.table()
        return self

    def table(self, unit_names: Sequence[Any] | None = None) -> xr.DataArray:
        """Return the table; a list of edges may leave out some of the named units."""
        try:
            table = _read(self._path, self.sha256, self.dims)
        except ValueError as error:
            expected = " and a column ".join(f"for each {noun(dim)}" for dim in self.dims)
            expected = f"a table of numbers, a row {expected}"
            if self.dims == UNITS:
                expected = "cell types, one for each unit, in a column cell_type"
            elif self.dims == SYNAPSES:
                expected = "a square table of numbers, a row and a column for each unit, or a list of edges"
            raise ValueError(f"file: expected {expected}, got {self.file}: {error}") from None
        if unit_names is not None and "is_list" in table.attrs and set(table["unit_pre"].values) <= set(unit_names):
            return table.reindex(unit_pre=list(unit_names), unit_post=list(unit_names), fill_value=0)
        return table


@lru_cache(maxsize=4)
def _read(path: Path, content: str, dims: tuple[str, ...]) -> xr.DataArray:
    if content_hash(path) != content:
        raise ValueError("other content than when the experiment was checked")
    return read_table(path, dims)


class PositionFile(ArrayFile):
    """A file with the positions of units."""

    dims: ClassVar[tuple[str, ...]] = ("unit", "axis")


class TypeFile(ArrayFile):
    """A file with the cell types of units."""

    dims: ClassVar[tuple[str, ...]] = UNITS


class InputFile(ArrayFile):
    """A file with a table of input weights."""

    dims: ClassVar[tuple[str, ...]] = DIMS["input"]


class ReadoutFile(ArrayFile):
    """A file with a table of readout weights."""

    dims: ClassVar[tuple[str, ...]] = DIMS["readout"]


#: Settings of the network that may be in a file.
FILES = {
    **dict.fromkeys(("mask", "initial", "trainable"), ArrayFile),
    "positions": PositionFile,
    "cell_type": TypeFile,
    **dict.fromkeys((f"input_{kind}" for kind in KINDS), InputFile),
    **dict.fromkeys((f"readout_{kind}" for kind in KINDS), ReadoutFile),
}


def _binary(rows: Any) -> Any:
    """Stop at the first value that is not 0 or 1: for a million of them, pydantic would keep a million errors."""
    entries = (entry for row in rows if isinstance(row, list) for entry in row) if isinstance(rows, list) else ()
    for entry in entries:
        if not isinstance(entry, int) or entry not in (0, 1):
            raise ValueError(f"expected rows of 0 and 1, not of {repr(entry)[:80]}")
    return rows


def file_or_value(value: Any) -> str:
    """Return the tag of a value; an empty one is left out of messages."""
    return "file" if isinstance(value, dict | ArrayFile) else ""


_Rows = Annotated[list[list[Literal[0, 1] | StrictBool]], BeforeValidator(_binary)]
Mask = Annotated[Annotated[_Rows, Tag("")] | Annotated[ArrayFile, Tag("file")], Discriminator(file_or_value)]


def with_files(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read the files that an experiment names, and name its units as the first does that has names.

    A list of edges, which may leave out units, comes last. The networks of a run share the names, also those that have
    no file.
    """
    found: list[ArrayFile] = []

    def read(key: str, value: Any, where: str) -> Any:
        if key not in FILES:
            return value
        if isinstance(value, list):  # levels of a factor, or rows
            return [read(key, one, where) if isinstance(one, dict | ArrayFile) else one for one in value]
        if isinstance(value, dict):
            try:
                value = FILES[key].model_validate(value, context={"folder": folder})
            except ValidationError as error:
                raise ValueError(one_line(error, FILES[key], prefix=f"{where}.{key}.")) from None
        found.extend([value] * isinstance(value, ArrayFile))
        return value

    def read_all(settings: Any, where: str) -> Any:
        return {key: read(key, one, where) for key, one in settings.items()} if isinstance(settings, dict) else settings

    if isinstance(network := values.get("network"), BaseModel):
        values = {**values, "network": dict(network)}
    result = {key: read_all(one, key) if key in ("network", "factors") else one for key, one in values.items()}
    if isinstance(conditions := values.get("conditions"), dict):
        result["conditions"] = {name: read_all(one, f"conditions.{name}") for name, one in conditions.items()}
    tables = sorted((one.table() for one in found), key=lambda table: "is_list" in table.attrs)
    named = (table[dim] for table in tables for dim in ("unit_pre", "unit") if dim in table.coords)
    names = next((units.values.tolist() for units in named), None)
    network = result.get("network", {})
    if names is not None and isinstance(network, dict) and network.get("unit_names") is None:
        result["network"] = {**network, "unit_names": names}
    return result
