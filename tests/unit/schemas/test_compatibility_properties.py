"""Compatibility compared with a validator: a change without a report is harmless in both directions."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contracts.compatibility import breaking_changes

Json = dict[str, Any]

NAMES = st.sampled_from("abcd")

SCALARS: st.SearchStrategy[Json] = st.one_of(
    st.builds(lambda n: {"type": "string", "maxLength": n}, st.integers(0, 3)),
    st.builds(
        lambda lo, n: {"type": "integer", "minimum": lo, "maximum": lo + n},
        st.integers(-2, 2),
        st.integers(0, 3),
    ),
    st.just({"type": "boolean"}),
    st.builds(
        lambda v: {"type": "string", "enum": v},
        st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True),
    ),
)


def objects(children: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    @st.composite
    def build(draw: st.DrawFn) -> Json:
        properties = draw(st.dictionaries(NAMES, children, max_size=3))
        required = [name for name in properties if draw(st.booleans())]
        return {"type": "object", "properties": properties, "required": required}

    return build()


def _compound(children: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        objects(children),
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 2}, children),
        st.builds(lambda one: {"anyOf": [one, {"type": "null"}]}, children),
    )


SCHEMAS = objects(st.recursive(SCALARS, _compound, max_leaves=5))


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Records that a writer of this schema sends."""
    if "anyOf" in schema:
        return st.one_of(*map(values, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "string":
            return st.text("xyz", max_size=schema["maxLength"])
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "array":
            return st.lists(values(schema["items"]), max_size=schema["maxItems"])
        case _:
            fields = {name: values(field) for name, field in schema["properties"].items()}
            required = {name: fields.pop(name) for name in schema["required"]}
            return st.fixed_dictionaries(required, optional=fields)


def parts(schema: Json) -> list[Json]:
    """The schema and all schemas in it."""
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema["items"]] if "items" in schema else []
    return [schema, *(part for child in inner for part in parts(child))]


def _grow(schema: Json, draw: st.DrawFn) -> None:
    if schema.get("type") == "object":
        # An unused name: a field that writers already sent without a declaration is not new.
        schema["properties"]["new"] = draw(SCALARS)


def _describe(schema: Json, draw: st.DrawFn) -> None:
    schema["description"] = draw(st.text("xyz", max_size=3))


def _reorder(schema: Json, draw: st.DrawFn) -> None:
    for keyword in ("required", "enum", "anyOf"):
        if keyword in schema:
            schema[keyword] = draw(st.permutations(schema[keyword]))


def _bound(schema: Json, draw: st.DrawFn) -> None:
    for keyword in ("maxLength", "maximum", "maxItems"):
        if keyword in schema:
            schema[keyword] = draw(st.integers(2, 5))


def _values(schema: Json, draw: st.DrawFn) -> None:
    if "enum" in schema:
        schema["enum"] = draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True))


def _require(schema: Json, draw: st.DrawFn) -> None:
    if "required" in schema:
        schema["required"] = [n for n in schema["properties"] if draw(st.booleans())]


def _rename(schema: Json, draw: st.DrawFn) -> None:
    if schema.get("properties"):
        name = draw(st.sampled_from(sorted(schema["properties"])))
        schema["properties"]["renamed"] = schema["properties"].pop(name)
        schema["required"] = [n for n in schema["required"] if n != name]


def _replace(schema: Json, draw: st.DrawFn) -> None:
    if schema.get("properties"):
        name = draw(st.sampled_from(sorted(schema["properties"])))
        schema["properties"][name] = draw(SCALARS)


def _null(schema: Json, draw: st.DrawFn) -> None:
    if schema.get("properties"):
        name = draw(st.sampled_from(sorted(schema["properties"])))
        field = schema["properties"][name]
        schema["properties"][name] = {"anyOf": [field, {"type": "null"}]}


Change = Callable[[Json, st.DrawFn], None]
HARMLESS: list[Change] = [_grow, _describe, _reorder]
ANY: list[Change] = [*HARMLESS, _bound, _values, _require, _rename, _replace, _null]


@st.composite
def changed(draw: st.DrawFn, changes: list[Change]) -> tuple[Json, Json]:
    """A schema, and a copy with some of these changes anywhere in it."""
    old = draw(SCHEMAS)
    new = deepcopy(old)
    for change in draw(st.lists(st.sampled_from(changes), min_size=1, max_size=3)):
        change(draw(st.sampled_from(parts(new))), draw)
    return old, new


@settings(max_examples=50)
@given(SCHEMAS)
def test_a_schema_does_not_break_itself(schema: Json) -> None:
    assert breaking_changes(schema, deepcopy(schema)) == []


@settings(max_examples=60)
@given(changed(HARMLESS), st.data())
def test_new_optional_fields_order_and_descriptions_break_no_schema_and_no_record(
    pair: tuple[Json, Json], data: st.DataObject
) -> None:
    old, new = pair
    assert breaking_changes(old, new) == []
    assert jsonschema_rs.is_valid(new, data.draw(values(old)))
    assert jsonschema_rs.is_valid(old, data.draw(values(new)))


@settings(max_examples=100)
@given(changed(ANY), st.data())
def test_a_record_that_one_side_refuses_is_reported_as_breaking(
    pair: tuple[Json, Json], data: st.DataObject
) -> None:
    old, new = pair
    earlier, later = data.draw(values(old)), data.draw(values(new))
    if not (jsonschema_rs.is_valid(new, earlier) and jsonschema_rs.is_valid(old, later)):
        assert breaking_changes(old, new)
