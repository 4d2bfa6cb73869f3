"""Errors are told in one line."""

from biornn.errors import in_one_line


def test_what_a_library_said_in_several_lines_is_one() -> None:
    assert in_one_line(ValueError("expected one line,\n\n    got\tthree\n")) == "expected one line, got three"
