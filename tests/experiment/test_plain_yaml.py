"""YAML of plain values, and nothing that grows."""

import pytest

from biornn.experiment.plain_yaml import MAX_LENGTH, PlainYAMLError, parse


def test_plain_values_are_what_they_say() -> None:
    text = "{a: [1, 0.5, .inf, null, yes], b: 2026-11-25, c: 'x', d: =, 1: 2}"
    assert parse(text) == {"a": [1, 0.5, float("inf"), None, True], "b": "2026-11-25", "c": "x", "d": "=", 1: 2}
    assert parse("") is None


def test_a_merged_mapping_may_be_changed_and_its_origin_stays() -> None:
    content = parse("base: &base {n: 1, m: 2}\nother: {<<: *base, n: 3}\nsame: *base")
    assert content == {"base": {"n": 1, "m": 2}, "other": {"m": 2, "n": 3}, "same": {"n": 1, "m": 2}}
    content["same"]["n"] = 4
    assert content["base"]["n"] == 1


def bomb(depth: int, form: str) -> str:
    rows = ["a0: &a0 {x: y}", *(f"a{n}: &a{n} {form.format(f'*a{n - 1}')}" for n in range(1, depth))]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb(12, "[{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}]"), "aliases that stand for more than 4,000,000 characters"),
        (bomb(12, "{{<<: [{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}]}}"), "aliases that stand for more than"),
        (bomb(30, "[{0}]"), "more than 20 levels"),
        ("[" * 25 + "]" * 25, "more than 20 levels"),
        # corpus/yaml/nested-lists of tests/fuzz is another
        pytest.param("[" * 100_000, "more than 20 levels", marks=pytest.mark.nightly),
        ("&a [*a]", "a value that contains itself"),
        ("'" + "x" * MAX_LENGTH, "more than 4,000,000 characters"),
        ("9" * 101, "a number of 101 digits"),
        ("1" + ":1" * 60, "a number of 121 digits"),
        ("0x_", "a value that is not of the kind that it looks like: invalid literal"),
        ("!!int ''", "string index out of range"),
        ("!!bool x", "'x'"),
        ("!!timestamp x", "the tag 'tag:yaml.org,2002:timestamp', expected plain values"),
        ("!!set {a, b}", "the tag 'tag:yaml.org,2002:set'"),
        ("!!python/name:os.system", "the tag 'tag:yaml.org,2002:python/name:os.system'"),
        ("? [a]\n: 1", "a list or a mapping as a key"),
        ('"\\U00110000"', "chr"),
        ("{a: 1, a: 2}", "the key 'a' twice in one place"),
    ],
)
def test_what_is_not_plain_or_grows_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlainYAMLError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
