"""The keyring, and the folder of patients' keys that it wraps."""

import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from runtime.keyring import FixedKeys, KeyFile, Keyring, NoKeyring, ensure_keyring, parse_keyring
from services.notification.people.keys import FOLDERS, Erased, LostMaster, PatientKeys
from services.notification.people.sealed import DoesNotOpen, seal, unseal

ANNA, BERT = "pat_anna0001", "pat_bert0002"


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    """Make a keyring in a file."""
    ensure_keyring(tmp_path / "people" / "keyring.json")
    return KeyFile(tmp_path / "people" / "keyring.json")


@pytest.fixture
def keys(file: KeyFile) -> PatientKeys:
    """Use the folder of that keyring."""
    return PatientKeys(file.path.parent, file)


def files(keys: PatientKeys) -> list[Path]:
    return [file for folder in FOLDERS for file in keys.files(folder)]


def rotate(keys: PatientKeys, file: KeyFile) -> int:
    """Rotate the master key as the command does; return how many keys were rewrapped."""
    file.replace(file.read().with_new_pair())
    rewrapped = sum(keys.rewrap(path) for path in files(keys))
    file.replace(file.read().newest_alone())
    return rewrapped


def test_a_keyring_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_keyring(path), range(8)))
    first = KeyFile(path).read()
    ensure_keyring(path)
    assert KeyFile(path).read() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["keyring.json"]


def test_a_keyring_that_others_can_read_is_refused(file: KeyFile) -> None:
    file.path.chmod(0o640)
    with pytest.raises(NoKeyring, match=r"open to others \(mode 640\)"):
        file.read()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"keys": []}',
        '{"keys": [{"version": 1, "master": "c2hvcnQ=", "lookup": ""}]}',
        "[1]",
    ],
)
def test_what_is_no_keyring_is_refused_without_being_quoted(file: KeyFile, text: str) -> None:
    file.path.write_text(text)
    with pytest.raises(NoKeyring, match=r"is no keyring\.$"):
        file.read()


def test_a_keyring_shows_no_key_and_is_the_same_after_writing() -> None:
    ring = Keyring(()).with_new_pair().with_new_pair()
    assert parse_keyring(ring.to_json()) == ring
    assert repr(ring) == "Keyring(pairs=(KeyPair(version=2), KeyPair(version=1)))"
    with pytest.raises(ValueError, match="newest version comes first"):
        parse_keyring(Keyring(ring.pairs[::-1]).to_json())


def test_a_changed_file_is_read_again(file: KeyFile) -> None:
    first = file.read()
    assert file.read() is first
    file.replace(first.with_new_pair())
    assert [pair.version for pair in file.read().pairs] == [2, 1]


def test_each_patient_has_one_key_of_their_own(keys: PatientKeys) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: keys.ensure(ANNA), range(16)))
    assert len(made) == 1
    assert keys.ensure(BERT) not in made
    assert len(files(keys)) == 2
    assert not [
        path for path in keys.folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o77
    ]
    assert not list(keys.folder.rglob("*anna*"))


def test_a_key_opens_under_its_patients_name_only(keys: PatientKeys) -> None:
    keys.ensure(ANNA)
    keys.ensure(BERT)
    first, second = files(keys)
    second.write_bytes(first.read_bytes())
    opened = 0
    for patient in (ANNA, BERT):
        with suppress(DoesNotOpen):
            opened += keys.open(patient) is not None
    assert opened == 1


def test_whose_key_is_erased_never_gets_one_again(keys: PatientKeys) -> None:
    """Given a key, and what a killed process left of it; when erased twice; then nothing of it is left."""
    keys.ensure(ANNA)
    (file,) = files(keys)
    for left in (f"{file.name}.new", f"{file.name}.0123abcd"):
        file.with_name(left).write_bytes(file.read_bytes())
    keys.erase(ANNA)
    keys.erase(ANNA)
    assert keys.open(ANNA) is None
    assert keys.is_erased(ANNA)
    with pytest.raises(Erased):
        keys.ensure(ANNA)
    (left_over,) = file.parent.iterdir()
    assert left_over.read_bytes() == b""


def test_a_rotation_keeps_what_the_keys_open_and_ends_the_older_master_key(
    keys: PatientKeys, file: KeyFile
) -> None:
    before, older = {patient: keys.ensure(patient) for patient in (ANNA, BERT)}, file.read()
    wrapped = [path.read_bytes() for path in files(keys)]
    assert rotate(keys, file) == 2
    assert {patient: keys.open(patient) for patient in (ANNA, BERT)} == before
    assert not {path.read_bytes() for path in files(keys)} & {*wrapped}
    with pytest.raises(LostMaster):
        PatientKeys(keys.folder, FixedKeys(older)).open(ANNA)


def test_an_interrupted_rotation_goes_on(keys: PatientKeys, file: KeyFile) -> None:
    before = {f"pat_{n:04d}": keys.ensure(f"pat_{n:04d}") for n in range(20)}
    file.replace(file.read().with_new_pair())
    for path in files(keys)[:7]:
        keys.rewrap(path)
    assert {patient: keys.open(patient) for patient in before} == before
    assert sum(keys.rewrap(path) for path in files(keys)) == 13


def test_what_is_sealed_opens_with_its_key_in_its_place_alone() -> None:
    key, other = bytes(32), bytes([1]) * 32
    sealed = seal(key, b"content", "person\0a")
    assert sealed != seal(key, b"content", "person\0a")
    assert unseal(key, sealed, "person\0a") == b"content"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for attempt in (
        (other, sealed, "person\0a"),
        (key, sealed, "person\0b"),
        (key, changed, "person\0a"),
    ):
        with pytest.raises(DoesNotOpen):
            unseal(*attempt)
