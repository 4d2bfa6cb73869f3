"""What of a run is done, and what it began with."""

import json
from pathlib import Path

import pytest

from biornn.schema import SchemaError
from biornn.store.journal import Journal, check_same_experiment

ATTRS = {"experiment": "{}", "versions": "{}"}


def test_a_journal_says_what_is_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert not journal.exists()
    journal.begin(ATTRS)
    again = Journal(tmp_path)
    assert again.exists()
    assert {key: again.begun()[key] for key in ATTRS} == ATTRS
    assert not again.has_begun_training()
    journal.checkpoint("a-s00").write_bytes(b"")
    assert again.has_begun_training()
    chunks = {"weights/alpha/c/0/0": "12 00ff"}
    journal.note_done("a-s00", chunks)
    assert again.done("a-s00") == chunks
    assert again.done("a-s01") is None
    assert not journal.checkpoint("a-s00").exists()
    assert again.has_begun_training()
    journal.remove()
    assert list(tmp_path.iterdir()) == []
    journal.remove()


def test_no_run_takes_the_checkpoints_of_another_for_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin(ATTRS)
    old = journal.checkpoint("a-s00")
    old.write_bytes(b"")
    journal.begin(ATTRS)
    assert journal.checkpoint("a-s00") != old
    assert not journal.has_begun_training()


def test_what_somebody_else_keeps_in_a_folder_of_that_name_stays(tmp_path: Path) -> None:
    mine = tmp_path / "checkpoints" / "model.pt"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    journal = Journal(tmp_path)
    assert journal.is_foreign()
    journal.remove()
    assert mine.read_bytes() == b"mine"
    journal.begin(ATTRS)
    assert not journal.is_foreign()
    journal.remove()
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"experiment": 1, "versions": "{}", "id": "a"}',
        "\\ud800",
        '{"experiment": "{}", "versions": "{}", "id": "../a"}',
    ],
)
def test_a_damaged_journal_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    journal = Journal(tmp_path)
    journal.begin(ATTRS)
    (journal.folder / "run.json").write_text(content)
    with pytest.raises(SchemaError, match=r"run\.json: expected ") as raised:
        journal.begun()
    assert "\n" not in str(raised.value)


def test_differences_are_named_key_by_key() -> None:
    begun = {"seeds": [0, 1], "network": {"n_units": 5, "tau": 1.0}, "title": "a"}
    check_same_experiment(Path("runs/x"), json.dumps(begun), json.dumps(begun))
    now = {"seeds": [0], "network": {"n_units": 5, "dt": 1.0, "tau": 1.0}, "title": "a"}
    with pytest.raises(ValueError, match=r"^runs/x: .*: seeds was \[0, 1\], is \[0\]; network.dt was null, is 1.0;"):
        check_same_experiment(Path("runs/x"), json.dumps(begun), json.dumps(now))
    many = {str(number): number for number in range(9)}
    with pytest.raises(ValueError, match=r"4 was null, is 4; and 4 more; change it back"):
        check_same_experiment(Path("runs/x"), "{}", json.dumps(many))
