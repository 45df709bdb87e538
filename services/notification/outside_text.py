"""Text that people outside wrote, made safe to show: nothing in it can look like a line of our own."""

import re
from typing import Any

# Characters that show nothing, although Python counts them as printable: fillers, blanks, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def one_line(value: Any) -> Any:
    """Put a value on one line, with visible characters only: a name must not add lines or turn text around."""
    if not isinstance(value, str):
        return value
    visible = "".join(c for c in _UNSEEN.sub("", value) if c.isprintable() or c.isspace())
    return " ".join(visible.split())


def quoted(text: str | None) -> list[str]:
    """The lines of what a person wrote, each after `> `, with which no line of our own begins.

    Of successive blank lines one is kept, at the ends none. Empty if nothing in the text is visible.
    """
    lines = [one_line(line) for line in (text or "").splitlines()]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    if kept and not kept[-1]:
        kept.pop()
    return [f"> {line}".rstrip() for line in kept]
