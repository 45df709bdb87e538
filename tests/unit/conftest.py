"""Mark unit tests with many examples as slow: `./herhaal test unit` skips them, the whole run does not."""

import pytest

SLOW = (
    "verify/test_mutations.py",
    "verify/test_rules.py",
    "schemas/test_compatibility_properties.py",
    "schemas/test_snapshots.py",
    "ordering/test_sequences.py",
    "medication/test_properties.py",
    "metrics/test_properties.py",
    "test_directory_yaml.py",
    "test_schemas_command.py",
    "test_parsing.py",
    "notification/test_pickup.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.as_posix().endswith(SLOW):
            item.add_marker(pytest.mark.slow)
