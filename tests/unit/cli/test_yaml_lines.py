"""YAML is read by the rules of YAML 1.2, with line numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.entries.yaml_lines import Malformed, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("11:00", "11:00"),
        ("01999345", "01999345"),
        ("0123-456710", "0123-456710"),
        ("2026-12-24", "2026-12-24"),
        ("no", "no"),
        ("off", "off"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("4250", 4250),
        ("-3", -3),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("'4250'", "4250"),
        ('"true"', "true"),
        ("9" * 30, "9" * 30),
    ],
)
def test_a_word_is_what_it_looks_like(text: str, value: Any) -> None:
    read = load(f"key: {text}\n").value["key"]
    assert read == value
    assert type(read) is type(value)


def test_every_value_has_its_line() -> None:
    document = load("a:\n  - b: 1\n    c:\n      2\n")
    assert document.line(("a", 0, "b")) == 2
    assert document.line(("a", 0, "c")) == 3
    assert document.line(("a", 0, "missing")) == 2


def test_a_key_that_comes_twice_is_reported_with_both_lines() -> None:
    document = load("a: 1\nb: 2\na: 3\n")
    assert document.value == {"a": 1, "b": 2}
    assert document.problems == [(("a",), 3, "is there already, on line 1")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1\nb: *x\n", (("b",), 2, "is an alias (*); write it out")),
        ("a: &x [*x]\n", (("a", 0), 1, "is an alias (*); write it out")),
        ("a: !!python/name:os.system x\n", (("a",), 1, "has a tag (!), which is not allowed")),
        ("a: !thing x\n", (("a",), 1, "has a tag (!), which is not allowed")),
        ("? [a]\n: b\n", ((), 1, "has a key that is not a word")),
    ],
)
def test_what_a_directory_file_must_not_have_is_reported(
    text: str, problem: tuple[Any, ...]
) -> None:
    assert load(text).problems[0] == problem


@pytest.mark.parametrize(
    ("text", "line"),
    [("a:\n\t- b\n", 2), ("a: [1\n", 1), ("a: 1\n---\nb: 2\n", 2), ("a: 1\nb: \x07\n", 2)],
)
def test_what_is_no_yaml_names_its_line(text: str, line: int) -> None:
    with pytest.raises(Malformed) as raised:
        load(text)
    assert raised.value.line == line


QUOTE = """has a quote that is not closed on its line; \
put a text with an apostrophe in double quotes, such as "'s-Hertogenbosch\""""


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\ncity: 's-Hertogenbosch\nb: 2\nc: 3\n", 2, QUOTE),
        ("a: 1\ncity: 's-Hertogenbosch\nb: 2\nname: 't Hart\nc: 3\n", 2, QUOTE),
        ("city: 's-Hertogenbosch\nb: 2\nname: 't Hart'\ncity2: 's-Graveland\nc: 3\n", 1, QUOTE),
        ("city: 's-Hertogenbosch\nb: De Linde'\ncity2: 's-Graveland\nc: 3\n", 1, QUOTE),
        ('a: 1\ncity: "Den Haag\nb: "x"\nc: 3\n', 2, QUOTE),
        ("a: 1\ncity: 's'-Hertogenbosch\nb: 2\n", 2, "expected <block end>, but found '<scalar>'"),
        ("a: 1\nclosures: [1, 2\nb: 3\n", 2, "has a bracket that is not closed"),
        ("a: {b: 1\nc: 2\n", 1, "has a bracket that is not closed"),
        ("a: [\n 'x'\n 'y'\n]\n", 3, "expected ',' or ']', but got '<scalar>'"),
        ("a: 1\nname De Linde\nb: 2\n", 2, "could not find expected ':'"),
        ("a:\n  - b: 1\n   c: 2\n", 3, "expected <block end>, but found '<block mapping start>'"),
    ],
)
def test_what_is_no_yaml_is_reported_on_the_line_that_causes_it(
    text: str, line: int, what: str
) -> None:
    with pytest.raises(Malformed) as raised:
        load(text)
    assert (raised.value.line, raised.value.what) == (line, what)


def test_a_quote_that_swallows_lines_is_reported_though_it_is_yaml() -> None:
    document = load("a: 1\ncity: 's-Hertogenbosch\nb: 2\nname: De Linde'\n")
    ((where, line, what),) = document.problems
    assert (where, line) == (("city",), 2)
    assert what.startswith("goes on to line 4; put a text with an apostrophe in double quotes")


def test_a_text_over_more_lines_without_quotes_is_fine() -> None:
    assert load("a: >-\n  one\n  two\n").problems == []


def test_what_is_nested_without_end_is_reported() -> None:
    with pytest.raises(Malformed):
        load("[" * 1500)


def test_an_empty_text_holds_nothing() -> None:
    assert load("# nothing\n").value is None


@given(st.text())
def test_any_text_is_read_or_reported_as_malformed_on_one_of_its_lines(text: str) -> None:
    line = _line_of_malformed(text)
    assert 0 <= line <= len(text.splitlines()) + 1


def _line_of_malformed(text: str) -> int:
    try:
        load(text)
    except Malformed as error:
        return error.line
    return 0
