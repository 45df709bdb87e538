"""Each rule of compatibility: which changes of a schema break readers or writers."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.contracts.compatibility import READERS, WRITERS, breaking_changes

Json = dict[str, Any]


def given(properties: Json | None = None, *required: str, **rest: Any) -> Json:
    """An object with these fields; `$defs` and the like go in `rest`."""
    return {
        "type": "object",
        "properties": properties or {"name": {"type": "string"}},
        "required": list(required),
        **rest,
    }


def when_field(old: Json, new: Json) -> list[str]:
    """The breaking changes when one optional field `x` changes."""
    return breaking_changes(given({"x": old}), given({"x": new}))


STRING = {"type": "string"}
NULL = {"type": "null"}


def test_an_unchanged_schema_breaks_nothing() -> None:
    schema = given({"x": STRING, "y": {"type": "integer"}}, "x")
    assert breaking_changes(schema, deepcopy(schema)) == []


class TestFields:
    def test_a_new_optional_field_breaks_nothing(self) -> None:
        assert (
            breaking_changes(given(), given({"name": STRING, "x": STRING | {"default": ""}})) == []
        )

    def test_a_new_required_field_breaks_writers_who_do_not_send_it(self) -> None:
        new = given({"name": STRING, "x": STRING}, "x")
        assert breaking_changes(given(), new) == [f"$.x: a required field was added: {WRITERS}"]

    def test_a_removed_field_is_missed_by_its_readers_even_if_it_was_optional(self) -> None:
        old = given({"name": STRING, "x": {"type": "integer"}})
        assert breaking_changes(old, given()) == [
            "$.x: the field was removed: earlier readers would miss it"
        ]

    def test_a_removed_required_field_is_reported_once(self) -> None:
        old = given({"name": STRING, "x": {"type": "integer"}}, "x")
        assert len(breaking_changes(old, given())) == 1

    def test_a_renamed_field_is_recognised(self) -> None:
        old = given({"x": {"type": "integer", "title": "X"}})
        new = given({"y": {"type": "integer", "title": "Y"}})
        assert breaking_changes(old, new) == [
            "$.x: the field was removed, or renamed to y: earlier readers would miss it"
        ]

    def test_a_retyped_field_breaks_both(self) -> None:
        assert when_field(STRING, {"type": "integer"}) == [
            "$.x: the type changed from string to integer: "
            "earlier readers and writers mean another type"
        ]

    def test_an_optional_field_made_required_breaks_writers_who_omit_it(self) -> None:
        assert breaking_changes(given(), given(None, "name")) == [
            f"$.name: it became required: {WRITERS}"
        ]

    def test_a_required_field_made_optional_breaks_readers_who_need_it(self) -> None:
        assert breaking_changes(given(None, "name"), given()) == [
            f"$.name: it is no longer required: {READERS}"
        ]

    def test_a_field_made_nullable_breaks_readers(self) -> None:
        assert when_field(STRING, {"anyOf": [STRING, NULL]}) == [
            f"$.x: it may now be null: {READERS}"
        ]

    def test_a_field_no_longer_nullable_breaks_writers(self) -> None:
        assert when_field({"anyOf": [STRING, NULL]}, STRING) == [
            f"$.x: it may no longer be null: {WRITERS}"
        ]

    def test_both_spellings_of_nullable_are_the_same(self) -> None:
        assert when_field({"anyOf": [STRING, NULL]}, {"type": ["string", "null"]}) == []

    def test_another_default_changes_what_an_omitted_field_means(self) -> None:
        [change] = when_field(STRING | {"default": "nl"}, STRING | {"default": "en"})
        assert change.startswith('$.x: the default changed from "nl" to "en"')


class TestValues:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (["a"], ["a", "b"], f'$.x: the value "b" was added: {READERS}'),
            (["a", "b"], ["a"], f'$.x: the value "b" was removed: {WRITERS}'),
        ],
    )
    def test_any_change_of_an_enum_breaks(
        self, old: list[str], new: list[str], expected: str
    ) -> None:
        assert when_field(STRING | {"enum": old}, STRING | {"enum": new}) == [expected]

    def test_the_order_of_an_enum_does_not_matter(self) -> None:
        assert when_field(STRING | {"enum": ["a", "b"]}, STRING | {"enum": ["b", "a"]}) == []

    def test_a_constant_is_an_enum_of_one(self) -> None:
        assert when_field(STRING | {"const": "a"}, STRING | {"enum": ["a"]}) == []
        assert len(when_field(STRING | {"const": "a"}, STRING | {"const": "b"})) == 2

    def test_true_is_not_one(self) -> None:
        assert len(when_field({"const": True}, {"const": 1})) == 2

    def test_an_enum_that_appears_or_disappears_breaks(self) -> None:
        closed = STRING | {"enum": ["a", "b"]}
        assert when_field(STRING, closed) == [f'$.x: only "a", "b" is allowed now: {WRITERS}']
        assert when_field(closed, STRING) == [f'$.x: not only "a", "b" is allowed now: {READERS}']


NARROWING = [
    ("minimum", 1, 2),
    ("exclusiveMinimum", 1, 2),
    ("minLength", 1, 2),
    ("minItems", 1, 2),
    ("minProperties", 1, 2),
    ("maximum", 2, 1),
    ("exclusiveMaximum", 2, 1),
    ("maxLength", 2, 1),
    ("maxItems", 2, 1),
    ("maxProperties", 2, 1),
    ("maximum", None, 1),
    ("minLength", None, 1),
    ("minimum", None, 0),
]


def bound(keyword: str, value: int | None) -> Json:
    return {} if value is None else {keyword: value}


class TestBounds:
    @pytest.mark.parametrize(("keyword", "wide", "narrow"), NARROWING)
    def test_a_narrowed_bound_breaks_writers_and_a_widened_one_readers(
        self, keyword: str, wide: int | None, narrow: int
    ) -> None:
        [narrowed] = when_field(bound(keyword, wide), bound(keyword, narrow))
        [widened] = when_field(bound(keyword, narrow), bound(keyword, wide))
        assert narrowed.startswith(f"$.x: {keyword} changed from")
        assert narrowed.endswith(WRITERS)
        assert widened.endswith(READERS)

    def test_a_minimum_length_of_none_is_the_same_as_no_minimum_length(self) -> None:
        assert when_field(STRING, STRING | {"minLength": 0}) == []

    @pytest.mark.parametrize(
        ("keyword", "old", "new"),
        [
            ("pattern", "^a$", "^b$"),
            ("format", "date", "date-time"),
            ("multipleOf", 5, 10),
            ("uniqueItems", None, True),
            ("somethingNew", None, {"deep": [1]}),
        ],
    )
    def test_a_keyword_that_is_not_understood_breaks_whenever_it_differs(
        self, keyword: str, old: Any, new: Any
    ) -> None:
        assert when_field(bound(keyword, old), {keyword: new})
        assert when_field({keyword: new}, bound(keyword, old))


class TestNesting:
    def test_items_of_a_list_are_compared(self) -> None:
        old = {"type": "array", "items": {"type": "integer", "maximum": 9}}
        new = {"type": "array", "items": {"type": "integer", "maximum": 5}}
        assert when_field(old, new) == [f"$.x[]: maximum changed from 9 to 5: {WRITERS}"]

    def test_fixed_items_are_compared_by_place(self) -> None:
        old = {"type": "array", "prefixItems": [STRING, STRING]}
        new = {"type": "array", "prefixItems": [STRING, STRING | {"maxLength": 3}]}
        assert when_field(old, new) == [f"$.x[1]: maxLength changed from nothing to 3: {WRITERS}"]
        assert when_field(old, {"type": "array", "prefixItems": [STRING]})

    def test_values_and_names_of_a_mapping_are_compared(self) -> None:
        old = {"type": "object", "additionalProperties": STRING, "propertyNames": {"enum": ["a"]}}
        new = {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "propertyNames": {"enum": ["a", "b"]},
        }
        found = when_field(old, new)
        assert [sentence.partition(":")[0] for sentence in found] == ["$.x.*", "$.x.{name}"]

    def test_references_are_followed_whatever_the_names_of_the_definitions(self) -> None:
        old = given({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": STRING}})
        new = given({"x": {"$ref": "#/$defs/B"}}, **{"$defs": {"B": STRING}})
        other = given({"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {"type": "integer"}}})
        assert breaking_changes(old, new) == []
        assert len(breaking_changes(old, other)) == 1

    def test_keywords_beside_a_reference_count(self) -> None:
        defs = {"$defs": {"A": STRING}}
        old = given({"x": {"$ref": "#/$defs/A", "default": "a"}}, **defs)
        new = given({"x": {"$ref": "#/$defs/A", "default": "b"}}, **defs)
        assert len(breaking_changes(old, new)) == 1

    def test_a_reference_without_a_target_raises(self) -> None:
        schema = given({"x": {"$ref": "#/$defs/A"}})
        with pytest.raises(KeyError):
            breaking_changes(schema, schema)

    def test_a_recursive_type_is_compared_to_its_end(self) -> None:
        def node(value: Json) -> Json:
            fields = {"value": value, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}}
            return {"$defs": {"Node": given(fields)}, "$ref": "#/$defs/Node"}

        assert breaking_changes(node(STRING), node(deepcopy(STRING))) == []
        assert breaking_changes(node(STRING), node({"type": "integer"}))

    def test_a_recursive_type_in_a_keyword_that_is_not_understood_is_compared_to_its_end(
        self,
    ) -> None:
        def tree(leaf: Json) -> Json:
            return given(
                {"x": {"not": {"$ref": "#/$defs/T"}}},
                **{"$defs": {"T": {"items": {"$ref": "#/$defs/T"}, "else": leaf}}},
            )

        assert breaking_changes(tree(STRING), tree(deepcopy(STRING))) == []
        assert breaking_changes(tree(STRING), tree(NULL))

    @pytest.mark.parametrize(
        ("old", "new"),
        [(True, False), (False, True), (True, STRING), (STRING, True), (False, STRING)],
    )
    def test_closing_or_opening_an_object_breaks(self, old: object, new: object) -> None:
        assert breaking_changes(given(additionalProperties=old), given(additionalProperties=new))

    def test_an_object_is_open_by_default(self) -> None:
        assert breaking_changes(given(), given(additionalProperties=True)) == []

    def test_a_field_added_to_a_closed_object_breaks_readers(self) -> None:
        old = given(additionalProperties=False)
        new = given({"name": STRING, "x": STRING}, additionalProperties=False)
        assert breaking_changes(old, new) == [
            f"$.x: a field was added to a closed object: {READERS}"
        ]


class TestAlternatives:
    def test_the_order_of_alternatives_does_not_matter(self) -> None:
        one, two = {"type": "integer"}, STRING
        assert when_field({"anyOf": [one, two, NULL]}, {"oneOf": [NULL, two, one]}) == []

    def test_one_added_breaks_readers_and_one_removed_writers(self) -> None:
        one, two = {"anyOf": [STRING]}, {"anyOf": [STRING, {"type": "integer", "title": "Count"}]}
        assert when_field(one, two) == [f"$.x: the alternative Count was added: {READERS}"]
        assert when_field(two, one) == [f"$.x: the alternative Count was removed: {WRITERS}"]

    def test_a_change_inside_the_only_alternative_that_differs_is_reported_at_its_path(
        self,
    ) -> None:
        old = {"anyOf": [STRING, {"type": "integer", "maximum": 5}]}
        new = {"anyOf": [STRING, {"type": "integer", "maximum": 6}]}
        assert when_field(old, new) == [f"$.x: maximum changed from 5 to 6: {READERS}"]

    def test_keywords_beside_alternatives_apply_to_each(self) -> None:
        old = {"anyOf": [STRING, {"type": "integer"}], "maxLength": 5}
        assert when_field(old, deepcopy(old)) == []
        assert when_field(old, {**old, "maxLength": 6})

    def test_alternatives_within_alternatives_are_compared(self) -> None:
        old = {"anyOf": [{"anyOf": [STRING, {"type": "integer"}]}, NULL]}
        assert when_field(old, deepcopy(old)) == []
        assert when_field(old, {"anyOf": [{"anyOf": [STRING, {"type": "boolean"}]}, NULL]})


def test_titles_and_descriptions_may_change() -> None:
    old = given({"x": STRING | {"title": "X", "description": "old"}}, title="A")
    new = given({"x": STRING | {"title": "Y", "examples": ["a"]}}, description="new")
    assert breaking_changes(old, new) == []
