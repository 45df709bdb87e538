"""`herhaal dependencies`: known vulnerabilities of the locked packages, and what is in them (SBOM)."""

from __future__ import annotations

import json as json_
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import UserError

app = typer.Typer(
    help="The Python packages of uv.lock: known vulnerabilities, and a list with hashes (SBOM).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ROOT = Path(__file__).parents[1]

_AUDIT = (
    *("run", "--isolated", "--frozen", "--only-group", "audit", "pip-audit", "--require-hashes"),
    *("--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement"),
)
"""pip-audit in an environment of its own, from the lock, on packages that are not installed for it."""

Uv = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs uv with these arguments, in the project."""


@dataclass(frozen=True)
class Audit:
    """What pip-audit found: packages with what is known against them, and those that it could not look up."""

    packages: int
    vulnerable: Mapping[str, Sequence[str]]
    unknown: Sequence[str]


@app.command()
def audit() -> None:
    """Ask PyPI for known vulnerabilities of every locked package, development tools included.

    Exits with 0 when none is known of any, 1 when one is, or when some package could not be looked up.
    """
    found = audited(run_uv)
    for package, known in found.vulnerable.items():
        typer.echo(f"{package}: {', '.join(known)}")
    if found.unknown:
        raise UserError(
            f"{len(found.unknown)} of {found.packages} packages could not be looked up at PyPI, the first is"
            f" {found.unknown[0]}: nothing is known of them, good or bad."
        )
    if found.vulnerable:
        raise UserError(f"{len(found.vulnerable)} of {found.packages} packages are vulnerable.")
    typer.echo(f"No vulnerability is known of the {found.packages} locked packages.")


@app.command()
def sbom(
    json: Annotated[Path, typer.Option(help="Write the CycloneDX document to this file.")],
) -> None:
    """Write what we ship as CycloneDX 1.5: every Python package in uv.lock, with the hashes of its files."""
    made = run_uv(["export", "--format", "cyclonedx1.5", "--no-dev", "--frozen", "--quiet"])
    if made.returncode:
        raise UserError(f"uv could not write the list: {_last_line(made.stderr)}")
    json.write_text(made.stdout)
    typer.echo(f"{len(json_.loads(made.stdout)['components'])} packages are in {json}.")


def audited(uv: Uv) -> Audit:
    """Audit every locked package. Raises UserError when that cannot be done, as without a network."""
    with tempfile.TemporaryDirectory() as folder:
        locked = Path(folder) / "requirements.txt"
        options = ["--all-groups", "--frozen", "--quiet", "--output-file", str(locked)]
        exported = uv(["export", "--format", "requirements.txt", *options])
        report = uv([*_AUDIT, str(locked)]) if exported.returncode == 0 else exported
    try:
        return _read(json_.loads(report.stdout)["dependencies"])
    except (json_.JSONDecodeError, KeyError):
        raise UserError(
            "The packages could not be audited, which needs the network:"
            f" {_last_line(report.stderr)}"
        ) from None


def _read(packages: Sequence[Mapping[str, Any]]) -> Audit:
    vulnerable = {
        f"{package['name']} {package['version']}": [*_known(package["vulns"])]
        for package in packages
        if package.get("vulns")
    }
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    return Audit(len(packages), vulnerable, unknown)


def _known(vulnerabilities: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for known in vulnerabilities:
        fixed = " or ".join(known["fix_versions"])
        yield f"{known['id']} ({f'fixed in {fixed}' if fixed else 'not fixed yet'})"


def run_uv(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run uv in the project. Raises UserError when there is none."""
    own = ROOT / ".herhaal" / "uv" / "bin" / "uv"
    uv = shutil.which("uv") or (str(own) if own.exists() else None)
    if uv is None:
        raise UserError("This needs uv, and there is none on the PATH.")
    return subprocess.run([uv, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
