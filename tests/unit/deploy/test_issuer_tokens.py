"""What the development issuer's tokens say, whose they are, and where its key is."""

import os
import stat
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from pydantic import ValidationError

from deploy.local.data import DataFolder
from deploy.local.errors import StackError
from deploy.local.issuer.clients import LocalClients
from deploy.local.issuer.keys import ensure_key
from deploy.local.issuer.page import ROLES
from deploy.local.issuer.people import PEOPLE, SYSTEMS, claims_of, missing_scope
from deploy.local.issuer.program import read_address, require_running_stack, write_address
from deploy.local.issuer.systems import issue_secret, withdraw_secret
from deploy.local.issuer.tokens import Login, Minter, token_of
from schemas.access import SYSTEM_KINDS, Claims, Party
from tests.unit.deploy.issuing import ISSUER, KEY, Clock, claims, decoded, issuing

GP = claims_of(Party.GP, practice="01999001")


def test_an_access_token_is_a_jwt_of_rfc_9068_that_says_our_claims_and_nothing_that_is_empty() -> (
    None
):
    token = decoded(Minter(ISSUER, KEY, Clock()).access_token(GP, "portal"))
    assert token.header == {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
    assert len(token.claims.pop("jti")) == 36
    assert token.claims == {
        "iss": "http://127.0.0.1:8106",
        "aud": "herhaal",
        "iat": 1_800_000_000,
        "exp": 1_800_000_900,
        "client_id": "portal",
        "sub": "usr_m5q9p3fj",
        "role": "gp",
        "practice": "01999001",
    }


def test_each_token_has_an_id_of_its_own() -> None:
    minter = Minter(ISSUER, KEY)
    first, second = (claims(minter.access_token(GP, "portal"))["jti"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("who", [*(person.claims for person in PEOPLE), *SYSTEMS])
def test_a_service_reads_from_a_token_the_claims_that_it_was_minted_of(who: Claims) -> None:
    said = claims(Minter(ISSUER, KEY).access_token(who, "portal"))
    assert Claims.model_validate(said, strict=False) == who


def test_an_id_token_is_for_its_client_and_no_access_token() -> None:
    minter = Minter(ISSUER, KEY, Clock())
    token = decoded(minter.id_token(Login(GP, "portal", "sid-1", 1_799_999_990, "n-1")))
    assert token.header["typ"] == "JWT"
    assert token.claims == {
        "iss": "http://127.0.0.1:8106",
        "aud": "portal",
        "iat": 1_800_000_000,
        "exp": 1_800_000_300,
        "sub": "usr_m5q9p3fj",
        "auth_time": 1_799_999_990,
        "sid": "sid-1",
        "nonce": "n-1",
    }


def test_only_an_id_token_of_this_issuer_names_a_session() -> None:
    minter = Minter(ISSUER, KEY)
    assert minter.session_of(minter.id_token(Login(GP, "portal", "s", 1, None))) == ("portal", "s")
    assert minter.session_of(minter.access_token(GP, "portal")) is None
    assert minter.session_of("") is None
    assert minter.session_of("a.b.c") is None


def test_only_the_public_half_of_the_key_is_published() -> None:
    (key,) = Minter(ISSUER, KEY).jwks["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}


def test_there_is_a_made_up_person_or_system_of_every_role_whose_token_has_its_scope() -> None:
    everybody = [*(person.claims for person in PEOPLE), *SYSTEMS]
    assert {one.role for one in everybody} == set(Party)
    assert [one for one in everybody if missing_scope(one)] == []
    assert len({one.sub for one in everybody}) == len(everybody)
    assert set(ROLES) == set(Party) - SYSTEM_KINDS


def test_a_practice_has_two_assistants_so_that_both_can_take_from_one_queue() -> None:
    staff = [one.claims for one in PEOPLE if one.claims.practice == "01999001"]
    assert [one.role for one in staff].count(Party.ASSISTANT) == 2


def test_a_name_is_in_nobodys_token() -> None:
    names = {part for person in PEOPLE for part in person.name.split()}
    said = {person.claims.model_dump_json() for person in PEOPLE if person.claims.region is None}
    assert [name for name in names for claims in said if name.lower() in claims.lower()] == []


def test_no_systems_name_is_the_beginning_of_anothers() -> None:
    """Kafka's access lists know prefixes."""
    names = [system.sub for system in SYSTEMS]
    assert [(a, b) for a in names for b in names if a != b and b.startswith(a)] == []


def test_without_a_sub_a_token_is_of_the_made_up_person_with_that_scope() -> None:
    assert claims_of(Party.GP, practice="01999002").sub == "usr_w6g2s8rb"
    assert claims_of(Party.PRACTICE_SYSTEM).sub == "linde-his"


def test_without_a_made_up_person_it_is_of_the_same_stranger_each_time() -> None:
    strangers = [
        claims_of(Party.GP, practice=code).sub for code in ("01999007", "01999007", "01999008")
    ]
    assert strangers[0] == strangers[1] != strangers[2]
    assert strangers[0].startswith("usr_")


def test_a_patient_is_called_by_the_pseudonym_as_in_an_order() -> None:
    assert claims_of(Party.PATIENT, patients=["pat_somebody"]).sub == "pat_somebody"


def test_a_sub_that_is_given_is_kept() -> None:
    assert claims_of(Party.GP, practice="01999001", sub="gp-1").sub == "gp-1"


def test_a_code_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        claims_of(Party.GP, practice="02999001")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "issuer"
    first, second = ensure_key(folder), ensure_key(folder)
    assert first.kid == second.kid
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (folder, folder / "key.json")] == [
        0o700,
        0o600,
    ]
    assert [path.name for path in folder.iterdir()] == ["key.json"]


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    ensure_key(tmp_path)
    (tmp_path / "key.json").chmod(0o640)
    with pytest.raises(
        StackError, match=r"key\.json is open to others \(mode 640\): run chmod 600"
    ):
        ensure_key(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kty": "EC"}', '{"kty": "oct", "k": "YQ"}'])
def test_a_damaged_key_is_reported_and_not_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.touch(mode=0o600)
    file.write_text(content)
    with pytest.raises(StackError, match=r"key\.json is no key: remove it"):
        ensure_key(tmp_path)
    assert file.read_text() == content


def test_a_token_of_a_stopped_stack_is_signed_with_the_key_of_its_folder(tmp_path: Path) -> None:
    write_address(tmp_path / "issuer", ISSUER)
    token = token_of(GP, read_address(tmp_path / "issuer"), tmp_path / "issuer")
    said = jwt.decode(token, ensure_key(tmp_path / "issuer"), algorithms=["ES256"]).claims
    assert (said["iss"], said["sub"], said["client_id"]) == (ISSUER, GP.sub, "portal")


def test_a_systems_token_is_its_own_and_not_the_portals(tmp_path: Path) -> None:
    token = token_of(SYSTEMS[1], ISSUER, tmp_path)
    said = jwt.decode(token, ensure_key(tmp_path), algorithms=["ES256"]).claims
    assert (said["sub"], said["client_id"]) == ("linde-his", "linde-his")


def test_a_folder_that_never_had_an_issuer_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        StackError, match=r"has had no issuer yet: start it once with \./herhaal up"
    ):
        read_address(tmp_path / "issuer")


def test_outside_a_running_local_stack_the_issuer_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="is no data folder of a stack"):
        require_running_stack(DataFolder(tmp_path))
    stack = DataFolder(tmp_path)
    stack.open(brokers=1)
    require_running_stack(DataFolder(tmp_path))
    stack.close()
    with pytest.raises(StackError, match=r"No stack runs on .* runs in a local stack only"):
        require_running_stack(DataFolder(tmp_path))


def test_the_systems_have_secrets_and_no_addresses_and_the_portal_has_it_the_other_way_round(
    tmp_path: Path,
) -> None:
    clients = dict(LocalClients(8100, tmp_path))
    portal = clients.pop("portal")
    assert portal.secret_digest is None
    assert portal.redirect_uris
    assert all(client.secret_digest and not client.redirect_uris for client in clients.values())


async def test_a_system_that_is_added_gets_tokens_until_it_is_removed(tmp_path: Path) -> None:
    """Given a running issuer; when a system is added, rotated, removed; then its secret counts at once."""
    async with issuing(tmp_path) as running:

        async def asked(secret: str) -> httpx.Response:
            form = {"grant_type": "client_credentials", "client_id": "mijnzorg"}
            return await running.http.post("/token", data=form | {"client_secret": secret})

        assert (await asked("any")).status_code == 401
        first = issue_secret(tmp_path, "mijnzorg", "portal")
        said = decoded((await asked(first)).json()["access_token"]).claims
        assert (said["sub"], said["role"]) == ("mijnzorg", "portal")
        second = issue_secret(tmp_path, "mijnzorg", "portal")
        assert [(await asked(one)).status_code for one in (first, second)] == [401, 200]
        assert second not in (tmp_path / "systems.json").read_text()
        withdraw_secret(tmp_path, "mijnzorg")
        assert (await asked(second)).status_code == 401
