"""The table of ASVS requirements is complete, and names files that exist."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "architecture" / "asvs.md").read_text()

# Of ASVS 5.0.0: how many requirements of level 1 and 2 each section has. They are numbered from 1.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2
8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4
11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1
16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""

_RANGE = re.compile(r"(\d+\.\d+)\.(\d+)(?:–\1\.(\d+))?")


def _required() -> Counter[str]:
    sections = (section.split(":") for section in SECTIONS.split())
    return Counter(f"{name}.{n}" for name, most in sections for n in range(1, int(most) + 1))


def _answered() -> Iterator[str]:
    """The requirements of the tables' first cells, and of those that are not applicable."""
    cells = re.findall(r"^\| (\d[^|]*) \|", PAGE, re.MULTILINE)
    others = re.findall(r"^Not applicable.*?(?:\n\n|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for text in cells + [re.sub(r"\([^)]*\)", "", other) for other in others]:
        for section, first, last in _RANGE.findall(text):
            yield from (f"{section}.{n}" for n in range(int(first), int(last or first) + 1))


def test_every_requirement_is_answered_once() -> None:
    assert sum(_required().values()) == 253
    answered = Counter(_answered())
    assert _required() - answered == Counter(), "missing"
    assert answered - _required() == Counter(), "twice, or of no such number"


def test_every_file_that_is_named_exists() -> None:
    named = {name for name in re.findall(r"`([^`]+)`", PAGE) if "/" in name and " " not in name}
    named -= {"application/json"}
    assert len(named) > 80
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
