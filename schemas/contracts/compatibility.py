"""Finds the changes of a JSON Schema that break its readers or writers.

A topic keeps records for years, and its readers and writers are deployed at different times. So both directions
count: records of earlier writers must stay valid, and records of later writers must be valid for earlier
readers. That includes enum values: our readers refuse an unknown value, so a new value needs a new version of
the type. The only way to extend a type is a new optional field, because readers ignore unknown fields.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

READERS = "earlier readers would refuse later records"
WRITERS = "records of earlier writers would be refused"

_ANNOTATIONS = frozenset(
    {"$comment", "$defs", "$id", "$schema", "deprecated", "description", "examples", "title"}
)
_HANDLED = frozenset({"anyOf", "oneOf", "default", "type", "const", "enum"})
_OBJECT = frozenset({"properties", "required", "additionalProperties"})
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_STEPS = {"items": "[]", "propertyNames": ".{name}"}

_ANYTHING: Schema = {}
_NOTHING: Schema = {"not": {}}


def breaking_changes(old_schema: Schema, new_schema: Schema) -> list[str]:
    """Every way in which `new_schema` breaks a reader or a writer of `old_schema`.

    Each is a sentence that starts with the JSON path. A keyword that this module does not understand breaks
    whenever it differs. Rules that JSON Schema cannot express, such as "line numbers are distinct", are not
    compared.

    Raises:
        KeyError: a `$ref` points outside its document.
    """
    pair = _Pair(old_schema, new_schema, (old_schema, new_schema))
    return list(dict.fromkeys(pair.changes()))


@dataclass(frozen=True)
class _Pair:
    """Two schemas at the same path in their documents, and the pairs that contain this one."""

    old: Schema
    new: Schema
    roots: tuple[Schema, Schema]
    path: str = "$"
    ancestors: frozenset[tuple[int, int]] = frozenset()

    def changes(self) -> Iterator[str]:
        """Yield every breaking change in these schemas and the schemas in them."""
        here = (id(self.old), id(self.new))
        if here in self.ancestors:
            return  # a recursive type: an outer call compares this pair already
        pair = replace(
            self,
            old=_resolved(self.old, self.roots[0]),
            new=_resolved(self.new, self.roots[1]),
            ancestors=self.ancestors | {here},
        )
        yield from pair._default()
        yield from pair._alternatives()

    def _at(self, step: str, old: object, new: object) -> "_Pair":
        return replace(self, old=_schema(old), new=_schema(new), path=self.path + step)

    def _sentence(self, what: str) -> str:
        return f"{self.path}: {what}"

    def _default(self) -> Iterator[str]:
        old, new = (_text(s["default"]) if "default" in s else None for s in (self.old, self.new))
        if old is not None and new is not None and old != new:
            yield self._sentence(
                f"the default changed from {old} to {new}, so a record without the field "
                "means something else to earlier readers"
            )

    def _alternatives(self) -> Iterator[str]:
        old, new = (
            [_resolved(branch, root) for branch in _branches(schema)]
            for schema, root in zip((self.old, self.new), self.roots, strict=True)
        )
        yield from self._nullable(any(map(_is_null, old)), any(map(_is_null, new)))
        removed, added = self._unmatched(
            [branch for branch in old if not _is_null(branch)],
            [branch for branch in new if not _is_null(branch)],
        )
        if len(removed) == len(added) == 1:
            yield from self._at("", removed[0], added[0])._keywords()
            return
        for branch in removed:
            yield self._sentence(f"the alternative {_name(branch)} was removed: {WRITERS}")
        for branch in added:
            yield self._sentence(f"the alternative {_name(branch)} was added: {READERS}")

    def _nullable(self, old: bool, new: bool) -> Iterator[str]:
        if old and not new:
            yield self._sentence(f"it may no longer be null: {WRITERS}")
        if new and not old:
            yield self._sentence(f"it may now be null: {READERS}")

    def _unmatched(
        self, old: Sequence[Schema], new: Sequence[Schema]
    ) -> tuple[list[Schema], list[Schema]]:
        """The alternatives on each side without a compatible one on the other side."""
        removed, left = [], list(new)
        for branch in old:
            pairs = (self._at("", branch, candidate) for candidate in left)
            same = next((i for i, pair in enumerate(pairs) if not any(pair._keywords())), None)
            if same is None:
                removed.append(branch)
            else:
                del left[same]
        return removed, left

    def _keywords(self) -> Iterator[str]:
        """Yield the changes between two schemas without alternatives."""
        if "anyOf" in self.old or "oneOf" in self.old or "anyOf" in self.new or "oneOf" in self.new:
            yield from self.changes()
            return
        old_type, new_type = self.old.get("type"), self.new.get("type")
        if old_type != new_type:
            yield self._sentence(
                f"the type changed from {old_type or 'anything'} to {new_type or 'anything'}: "
                "earlier readers and writers mean another type"
            )
            return
        yield from self._values()
        yield from self._object()
        ignored = _ANNOTATIONS | _HANDLED | _OBJECT
        for keyword in sorted((self.old.keys() | self.new.keys()) - ignored):
            yield from self._keyword(keyword)

    def _values(self) -> Iterator[str]:
        old, new = _allowed(self.old), _allowed(self.new)
        if old is None and new is not None:
            yield self._sentence(f"only {', '.join(new)} is allowed now: {WRITERS}")
        elif old is not None and new is None:
            yield self._sentence(f"not only {', '.join(old)} is allowed now: {READERS}")
        elif old is not None and new is not None:
            for value in (v for v in old if v not in new):
                yield self._sentence(f"the value {value} was removed: {WRITERS}")
            for value in (v for v in new if v not in old):
                yield self._sentence(f"the value {value} was added: {READERS}")

    def _keyword(self, keyword: str) -> Iterator[str]:
        old, new = self.old.get(keyword), self.new.get(keyword)
        if keyword in _LOWER | _UPPER:
            yield from self._bound(keyword)
        elif keyword in _STEPS:
            yield from self._at(_STEPS[keyword], old, new).changes()
        elif keyword in ("prefixItems", "allOf") and len(old or ()) == len(new or ()):
            for i, (before, after) in enumerate(zip(old or (), new or (), strict=True)):
                step = f"[{i}]" if keyword == "prefixItems" else ""
                yield from self._at(step, before, after).changes()
        elif _text(_inlined(old, self.roots[0])) != _text(_inlined(new, self.roots[1])):
            yield self._sentence(
                f"{keyword} changed from {_text(old)} to {_text(new)}: {READERS}, or {WRITERS}"
            )

    def _bound(self, keyword: str) -> Iterator[str]:
        absent = 0 if keyword in ("minLength", "minItems", "minProperties") else None
        old, new = self.old.get(keyword, absent), self.new.get(keyword, absent)
        if old == new:
            return
        narrower = new is not None and (
            old is None or (new > old if keyword in _LOWER else new < old)
        )
        shown = ("nothing" if bound is None else bound for bound in (old, new))
        yield self._sentence(
            f"{keyword} changed from {next(shown)} to {next(shown)}: "
            f"{WRITERS if narrower else READERS}"
        )

    def _object(self) -> Iterator[str]:
        old, new = self.old.get("properties", {}), self.new.get("properties", {})
        for name in (n for n in old if n not in new):
            yield self._removed(name)
        for name in (n for n in new if n not in old):
            yield from self._added(name)
        for name in (n for n in old if n in new):
            yield from self._at(f".{name}", old[name], new[name]).changes()
        yield from self._required()
        yield from self._additional()

    def _removed(self, name: str) -> str:
        old, new = self.old["properties"], self.new.get("properties", {})
        same = _text(_inlined(_without_annotations(old[name]), self.roots[0]))
        renamed = [
            other
            for other in new
            if other not in old
            and _text(_inlined(_without_annotations(new[other]), self.roots[1])) == same
        ]
        hint = f", or renamed to {' or '.join(renamed)}" if renamed else ""
        return f"{self.path}.{name}: the field was removed{hint}: earlier readers would miss it"

    def _added(self, name: str) -> Iterator[str]:
        if _schema(self.old.get("additionalProperties")) != _ANYTHING:
            yield f"{self.path}.{name}: a field was added to a closed object: {READERS}"

    def _required(self) -> Iterator[str]:
        old, new = set(self.old.get("required", ())), set(self.new.get("required", ()))
        for name in sorted(new - old):
            became = "it became required" if self._had_field(name) else "a required field was added"
            yield f"{self.path}.{name}: {became}: {WRITERS}"
        for name in sorted(old - new):
            # A removed field is reported by `_removed`.
            if name in self.new.get("properties", {}) or not self._had_field(name):
                yield f"{self.path}.{name}: it is no longer required: {READERS}"

    def _had_field(self, name: str) -> bool:
        return name in self.old.get("properties", {})

    def _additional(self) -> Iterator[str]:
        old, new = (s.get("additionalProperties", True) for s in (self.old, self.new))
        if new is False and old is not False:
            yield self._sentence(f"unknown fields are refused now: {WRITERS}")
        elif old is False and new is not False:
            yield self._sentence(f"unknown fields are allowed now: {READERS}")
        else:
            yield from self._at(".*", old, new).changes()


def _schema(value: object) -> Schema:
    if value is None or value is True:
        return _ANYTHING
    if value is False:
        return _NOTHING
    assert isinstance(value, Mapping), "a schema is an object or a boolean"
    return value


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow the `$ref` of a schema; keywords beside it take precedence."""
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#").split("/")[1:]:
            target = target[part]
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _inlined(value: object, root: Schema, ancestors: frozenset[str] = frozenset()) -> object:
    """Replace every `$ref` in `value` by its target, except inside that target."""
    if isinstance(value, list):
        return [_inlined(item, root, ancestors) for item in value]
    if not isinstance(value, Mapping):
        return value
    ref = value.get("$ref")
    if isinstance(ref, str) and ref not in ancestors:
        value, ancestors = _resolved(value, root), ancestors | {ref}
    return {key: _inlined(item, root, ancestors) for key, item in value.items()}


def _branches(schema: Schema) -> list[Schema]:
    """The alternatives of a schema; the schema itself when it has none."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return [{**schema, "type": kind} for kind in kinds]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            beside = {k: v for k, v in _without_annotations(schema).items() if k != keyword}
            branches = [_schema(branch) for branch in schema[keyword]]
            return [{"allOf": [branch, beside]} for branch in branches] if beside else branches
    return [schema]


def _without_annotations(schema: Schema) -> Schema:
    return {k: v for k, v in schema.items() if k not in _ANNOTATIONS and k != "default"}


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null"


def _allowed(schema: Schema) -> list[str] | None:
    if "const" in schema:
        return [_text(schema["const"])]
    return [_text(value) for value in schema["enum"]] if "enum" in schema else None


def _name(schema: Schema) -> str:
    return str(schema.get("title") or schema.get("type") or "without a type")


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
