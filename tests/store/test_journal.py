"""What of a run is done, and what it began with."""

import json
from pathlib import Path

import pytest

from biornn.store.journal import Journal, check_same_experiment

ATTRS = {"experiment": "{}", "versions": "{}"}


def test_a_journal_says_what_is_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.begun() is None
    journal.begin(ATTRS)
    assert Journal(tmp_path).begun() == ATTRS
    assert not journal.has_begun_training()
    journal.checkpoint("a-s00").write_bytes(b"")
    assert journal.has_begun_training()
    journal.note_done("a-s00")
    assert journal.is_done("a-s00")
    assert not journal.is_done("a-s01")
    assert not journal.checkpoint("a-s00").exists()
    assert journal.has_begun_training()
    journal.remove()
    assert list(tmp_path.iterdir()) == []
    journal.remove()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"experiment": 1, "versions": "{}"}', "\\ud800"])
def test_a_damaged_journal_is_none(tmp_path: Path, content: str) -> None:
    journal = Journal(tmp_path)
    journal.begin(ATTRS)
    (journal.folder / "run.json").write_text(content)
    assert journal.begun() is None


def test_differences_are_named_key_by_key() -> None:
    begun = {"seeds": [0, 1], "network": {"n_units": 5, "tau": 1.0}, "title": "a"}
    check_same_experiment(Path("runs/x"), json.dumps(begun), json.dumps(begun))
    now = {"seeds": [0], "network": {"n_units": 5, "dt": 1.0, "tau": 1.0}, "title": "a"}
    with pytest.raises(ValueError, match=r"^runs/x: .*: seeds was \[0, 1\], is \[0\]; network.dt was null, is 1.0;"):
        check_same_experiment(Path("runs/x"), json.dumps(begun), json.dumps(now))
    many = {str(number): number for number in range(9)}
    with pytest.raises(ValueError, match=r"4 was null, is 4; and 4 more; change it back"):
        check_same_experiment(Path("runs/x"), "{}", json.dumps(many))
