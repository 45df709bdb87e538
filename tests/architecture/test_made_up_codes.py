"""No file of the repository names a practice, pharmacy or medicine that could be a real one."""

import re
import subprocess

from samples.codes import PHARMACIES, PRACTICES, has_check_digit
from tests.architecture.source import ROOT

_AGB = re.compile(r"(?<![\w.-])0[12][0-9]{6}(?![\w.-])")
_PRK = re.compile(r"""\bprk\W{1,5}["']([0-9]+)\\?["']|/medications/([0-9]+)\b""")


def _texts() -> list[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [path for path in listed.decode().splitlines() if not path.endswith((".lock", ".svg"))]
    return [(path, (ROOT / path).read_text(errors="replace")) for path in paths]


def test_every_agb_code_is_made_up() -> None:
    found = [(path, code) for path, text in _texts() for code in _AGB.findall(text)]
    assert len(found) > 100
    assert [f for f in found if not f[1].startswith((PRACTICES, PHARMACIES))] == []


def test_every_prk_code_has_its_check_digit() -> None:
    found = [
        (path, code)
        for path, text in _texts()
        for codes in _PRK.findall(text)
        for code in codes
        if code
    ]
    assert len(found) > 50
    assert [f for f in found if not has_check_digit(f[1])] == []
