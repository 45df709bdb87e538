"""Made-up codes that look real and belong to nobody: the only ones in examples, tests, the demo and the docs.

AGB codes from 01999000 and 02999000 on are not in the public register of care providers, and others use them
for made-up practices too. A PRK code ends in a check digit: the sum of each digit times its position from the
right is a multiple of 11.
`tests/architecture/test_made_up_codes.py` checks every file of the repository.
"""

from collections.abc import Iterator
from itertools import count

PRACTICES = "01999"
PHARMACIES = "02999"


def practice_code(number: int) -> str:
    """The AGB code of a made-up practice. Raises ValueError outside 0 to 999."""
    return PRACTICES + _three_digits(number)


def pharmacy_code(number: int) -> str:
    """The AGB code of a made-up pharmacy. Raises ValueError outside 0 to 999."""
    return PHARMACIES + _three_digits(number)


def prk_codes() -> Iterator[str]:
    """Yield PRK codes with a valid check digit, each once, from 1007 on."""
    return (code for code in map(str, count(1000)) if has_check_digit(code))


def bsns() -> Iterator[str]:
    """Yield BSNs that pass the eleven-test, each once, from the range 9999xxxxx, which nobody is given."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    numbers = map(str, range(999_900_000, 1_000_000_000))
    return (
        bsn
        for bsn in numbers
        if sum(int(d) * w for d, w in zip(bsn, weights, strict=True)) % 11 == 0
    )


def has_check_digit(prk: str) -> bool:
    """Tell whether the last digit of a PRK code is its check digit."""
    return sum(int(d) * place for place, d in enumerate(reversed(prk), start=1)) % 11 == 0


def _three_digits(number: int) -> str:
    if not 0 <= number <= 999:
        raise ValueError(f"there are made-up codes from 0 to 999, not {number}")
    return f"{number:03d}"
