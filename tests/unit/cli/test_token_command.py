"""What `herhaal token` asks for before it prints a token."""

from pathlib import Path

import pytest
from joserfc import jwt
from typer.testing import CliRunner

from cli.__main__ import main
from cli.app import app
from cli.token import Bearer, read_bearer
from deploy.local.data import DataFolder
from deploy.local.errors import StackError
from deploy.local.issuer.keys import ensure_key
from deploy.local.issuer.program import write_address
from schemas.access import SYSTEM_KINDS, Party

EXAMPLES = {
    Party.PATIENT: ["--patient", "pat_example01"],
    Party.PROXY: ["--patient", "pat_example02", "--patient", "pat_example03"],
    Party.ASSISTANT: ["--practice", "01999001"],
    Party.GP: ["--practice", "01999001"],
    Party.MANAGER: ["--practice", "01999001"],
    Party.PHARMACIST: ["--pharmacy", "02999001"],
    Party.REGION: ["--region", "Lindewaard"],
    Party.OPERATOR: [],
    Party.PORTAL: ["--system", "mijnzorg"],
    Party.PRACTICE_SYSTEM: ["--system", "linde-his"],
    Party.PHARMACY_SYSTEM: ["--system", "vijzel-ais"],
}


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """Make the data folder of a stack that has run and is stopped."""
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    write_address(folder.issuer, "http://127.0.0.1:8106")
    folder.close()
    return tmp_path


@pytest.mark.parametrize("role", Party)
def test_every_role_gets_a_token_of_a_stopped_stack_and_nothing_else(
    role: Party, stopped: Path
) -> None:
    done = CliRunner().invoke(app, ["token", "--as", role, *EXAMPLES[role], "--data", str(stopped)])
    assert done.exit_code == 0, done.output
    (token,) = done.stdout.split("\n")[:-1]
    said = jwt.decode(token, ensure_key(stopped / "issuer"), algorithms=["ES256"]).claims
    assert (said["role"], said["exp"] - said["iat"]) == (role, 900)


@pytest.mark.parametrize(
    "role", [role for role in Party if EXAMPLES[role] and role not in SYSTEM_KINDS]
)
def test_a_role_without_its_scope_is_refused_with_what_to_add(
    role: Party, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "--as", role]) == 2
    shown = capsys.readouterr()
    assert f"The role {role} needs a scope: add {EXAMPLES[role][0]} " in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as", "doctor"], "There is no role doctor; there are patient, proxy"),
        (["--as", "patient", "--patient", "anna"], "'anna'"),
        (["--as", "gp", "--practice", "02999001"], "'02999001'"),
    ],
)
def test_what_is_no_role_code_or_pseudonym_is_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", *arguments]) == 1
    assert says in capsys.readouterr().err


def test_help_names_every_role() -> None:
    shown = CliRunner().invoke(app, ["token", "--help"]).stdout
    assert [role for role in Party if role not in shown] == []


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_a_stack_is_reported(made: bool, tmp_path: Path) -> None:
    if made:
        folder = DataFolder(tmp_path)
        folder.open(brokers=1)
        folder.close()
    done = CliRunner().invoke(app, ["token", "--as", "operator", "--data", str(tmp_path)])
    assert isinstance(done.exception, StackError)
    assert ("start it once" if made else "no data folder") in str(done.exception)


def test_a_bearer_has_the_sub_of_the_made_up_person() -> None:
    claims = read_bearer(Bearer("gp", [], "01999001", None, None, None))
    assert claims.sub == "usr_m5q9p3fj"
