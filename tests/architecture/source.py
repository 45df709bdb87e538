"""Find and parse the repository's own Python files."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients" / "python"
PACKAGES = (
    "schemas",
    "herhaal_client",
    "samples",
    "runtime",
    "portal",
    "services",
    "verify",
    "deploy",
    "bench",
    "cli",
)
SERVICES = ("ordering", "medication", "notification", "metrics")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def files(*folders: str) -> list[Path]:
    """The Python files in these folders of the repository; the client's package is named without its folder."""
    return sorted(path for folder in folders for path in _folder(folder).rglob("*.py"))


def _folder(package: str) -> Path:
    return (CLIENTS if (CLIENTS / package).is_dir() else ROOT) / package


def name(path: Path) -> str:
    """A path relative to the repository."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> Iterator[str]:
    """Full names of what a file imports, also within functions."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(module: str) -> Path | None:
    """The file of one of our modules, or of the module that a name is imported from."""
    for candidate in (module, module.rpartition(".")[0]):
        path = _folder(candidate.partition(".")[0]).parent / candidate.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate and file.exists():
                return file
    return None


def public_definitions(path: Path) -> Iterator[Definition]:
    """Public classes and functions, and the public methods of public classes."""
    for node in parsed(path).body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (n for n in node.body if isinstance(n, Definition))
                yield from (n for n in methods if not n.name.startswith("_"))
