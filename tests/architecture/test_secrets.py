"""Nothing that holds a password or an address with one shows it when it is printed."""

import ast
from collections.abc import Iterator

from tests.architecture.source import files, name, parsed

HOLDERS = frozenset(
    {
        *("kafka", "bootstrap", "external_kafka"),
        *("postgres", "external_postgres", "database", "database_owner", "dsn", "admin_dsn"),
        *("password", "passwords", "secret", "secret_digest", "token", "env"),
    }
)
"""Names of fields that hold one, in any dataclass."""


def _dataclasses(tree: ast.AST) -> Iterator[ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(
            "dataclass" in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            yield node


def _shown(made: ast.ClassDef) -> Iterator[str]:
    """The fields of a dataclass that hold a secret and are in its `repr`."""
    for statement in made.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = f"{ast.unparse(statement.annotation)} = {ast.unparse(statement.value or statement.target)}"
            holds = statement.target.id in HOLDERS and "str" in text.lower()
            if holds and "repr=False" not in text and "SecretStr" not in text:
                yield statement.target.id


def test_no_dataclass_shows_a_password_or_an_address_with_one() -> None:
    shown = [
        f"{name(path)}:{made.lineno} {made.name}.{field}"
        for path in files(
            "herhaal_client", "runtime", "services", "deploy", "cli", "verify", "bench"
        )
        for made in _dataclasses(parsed(path))
        for field in _shown(made)
    ]
    assert shown == [], "\n".join(shown)


def test_a_field_that_is_shown_is_found() -> None:
    (made,) = _dataclasses(
        ast.parse("@dataclass\nclass Login:\n    user: str\n    password: str\n")
    )
    assert [*_shown(made)] == ["password"]
