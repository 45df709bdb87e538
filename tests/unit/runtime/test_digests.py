"""A digest is kept for years: it is of the command's JSON as pydantic writes it, without defaults."""

from hashlib import blake2b

import pytest

from runtime.digests import digest_of
from schemas.base import Body
from schemas.medication import MedicationImport, MedicationSetStatus
from schemas.orders import OrderPlace
from tests.bodies import make


@pytest.mark.parametrize("kind", [OrderPlace, MedicationImport, MedicationSetStatus])
def test_a_digest_is_of_the_json_without_defaults(kind: type[Body]) -> None:
    optional = {n: f.get_default() for n, f in kind.model_fields.items() if not f.is_required()}
    for _ in range(20):
        made = make(kind)
        assert isinstance(made, kind)
        changes = [{name: default} for name, default in optional.items()]
        for command in (made, *(made.model_copy(update=change) for change in changes)):
            said = command.model_dump_json(exclude_defaults=True).encode()
            assert digest_of(command) == blake2b(said, digest_size=16).hexdigest()
