"""What is not right in a form: a sentence for each field."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.web.visit import Visit


@dataclass(frozen=True)
class FieldError:
    """What is not right: the id of the field, the text in English, and the values in it."""

    field: str
    message: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class ShownError:
    """What is not right, in the page's language. `target` is where to mend it: of a group its first box."""

    field: str
    text: str
    target: str


def shown(
    visit: Visit, errors: Iterable[FieldError], first_boxes: Mapping[str, str] | None = None
) -> Sequence[ShownError]:
    """The errors as the page's language says them; `first_boxes` are those of groups, by the group's id."""
    boxes = first_boxes or {}
    return [
        ShownError(
            each.field,
            visit.translate(each.message) % each.values,
            boxes.get(each.field, each.field),
        )
        for each in errors
    ]
