"""The spellings under which a surname is found.

A surname is heard on the phone and typed in haste: with its prefix or without it, with any apostrophe, accent,
hyphen or space, and it may be the partner's. All of these become the same plain letters.
"""

import re
from collections.abc import Iterator

from anyascii import anyascii

PREFIXES = frozenset(
    re.findall(
        r"\S+",
        "a aan af al am auf aus bei bij boven d da dal dalla das de degli dei del den der des deze di"
        " die do don dos du een el het i im in l la las le les lo los of onder op over s 's"
        " t 't te ten ter to tot uijt uit unter van ver vom von voor vor zu zum zur",
    )
)
"""The words of which prefixes are made: table 36 (voorvoegsels) of the Dutch population register, by word."""

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"[\s,]+")
_HYPHEN = re.compile(r"\s*[-‐‑‒–—/]\s*")
_APOSTROPHES = re.compile(r"[’‘‛`´ʼʻ′]")


def spellings(surname: str, prefix: str | None = None, partner: str | None = None) -> set[str]:
    """All spellings under which somebody of this name is found."""
    own = f"{prefix} {surname}" if prefix else surname
    found = {*_of(surname), *_of(own)}
    if partner:
        found |= {*_of(partner), *_of(f"{own}-{partner}"), *_of(f"{partner}-{own}")}
        found |= {*_of(f"{surname}-{partner}"), *_of(f"{partner}-{surname}")}
    return found


def asked(typed: str) -> set[str]:
    """The spellings to look for when somebody types this: also `Müller, van der`."""
    name, comma, prefix = typed.partition(",")
    return {*_of(f"{prefix} {name}" if comma else typed)}


def _of(name: str) -> Iterator[str]:
    """A name whole, and each part of a hyphenated one; each with and without a prefix in front."""
    name = _APOSTROPHES.sub("'", name)
    for part in (name, *_HYPHEN.split(name)):
        for spelling in (part, _without_prefix(part)):
            if plain := _plain(spelling):
                yield plain


def _without_prefix(name: str) -> str:
    words = [word for word in _WORD.split(name.strip()) if word]
    while len(words) > 1 and words[0].lower() in PREFIXES:
        del words[0]
    return " ".join(words)


def _plain(name: str) -> str:
    """Only small letters a to z and digits: accents are dropped, other scripts transliterated."""
    return _NOT_PLAIN.sub("", anyascii(name).lower())
