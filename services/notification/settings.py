"""notification's settings: where the keys of people's data are."""

from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator

from runtime.keyring import FixedKeys, KeyFile, Keys, NoKeyring, parse_keyring
from runtime.settings import Settings


class NotificationSettings(Settings):
    """notification's settings.

    `people_keys` is the folder of the patients' wrapped keys. `people_keyring` is the file with the master and
    lookup keys, `keyring.json` in that folder unless it is set; `people_secret` is its content,
    for who keeps it in the environment.
    """

    people_keys: Path
    people_keyring: Path | None = None
    people_secret: SecretStr | None = None

    @cached_property
    def keys(self) -> Keys:
        """The keyring."""
        if self.people_secret is not None:
            return FixedKeys(parse_keyring(self.people_secret.get_secret_value()))
        return KeyFile(self.people_keyring or self.people_keys / "keyring.json")

    @model_validator(mode="after")
    def _has_a_keyring(self) -> Self:
        try:
            self.keys.read()
        except NoKeyring as error:
            raise ValueError(
                f"{error} It is made by `herhaal up`; HERHAAL_PEOPLE_KEYRING names another file, and"
                " HERHAAL_PEOPLE_SECRET holds its content."
            ) from None
        return self
