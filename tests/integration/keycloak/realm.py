"""A realm as a region would set it up: people and a system whose access tokens say what `Claims` reads."""

import json
from collections.abc import Mapping
from typing import Any

from schemas.access import Party
from tests.harness.made import PRACTICE

Json = Mapping[str, Any]

NAME = "zorg"
AUDIENCE = "herhaal"
PASSWORD = "made-up"
SECRET = "secret-of-lindewaard-portal"

PORTAL = "portal"
"""The client that people log in at: its tokens are for us."""
OTHER = "elsewhere"
"""Another client of the same realm: its tokens are not."""
SYSTEM = "lindewaard-portal"
"""A system, with credentials of its own."""

PATIENT, STRANGER, GP, REGION = "anna", "bram", "gijs", "noor"


def realm(patient: str, stranger: str) -> Json:
    """The realm; a patient's user id is the pseudonym, as orders say it."""
    return {
        "realm": NAME,
        "enabled": True,
        "sslRequired": "none",
        "accessTokenLifespan": 300,
        "components": {"org.keycloak.userprofile.UserProfileProvider": [_PROFILE]},
        "clientScopes": [_scope("claims", *_OURS), _scope("for-us", _FOR_US)],
        "clients": [
            _client(PORTAL, "claims", "for-us"),
            _client(OTHER, "claims"),
            _system(),
        ],
        "users": [
            _person(PATIENT, patient, Party.PATIENT, patients=[patient]),
            _person(STRANGER, stranger, Party.PATIENT, patients=[stranger]),
            _person(GP, "usr_gijs", Party.GP, practice=[PRACTICE]),
            _person(REGION, "usr_noor", Party.REGION, region=["Lindewaard"]),
        ],
    }


_ATTRIBUTES = ("role", "patients", "practice", "region")

_PERMISSIONS = {"view": ["admin"], "edit": ["admin"]}
_DECLARED = [
    {"name": name, "multivalued": name == "patients", "permissions": _PERMISSIONS}
    for name in ("username", "email", *_ATTRIBUTES)
]
_PROFILE: Json = {
    "providerId": "declarative-user-profile",
    "config": {"kc.user.profile.config": [json.dumps({"attributes": _DECLARED})]},
}
"""Without it Keycloak drops attributes that it does not know, and wants a name and an e-mail address."""


def _mapper(kind: str, name: str, **config: str) -> Json:
    to_access_tokens = {"access.token.claim": "true", "id.token.claim": "false"}
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "config": to_access_tokens | config,
    }


def _attribute(name: str) -> Json:
    named = {"user.attribute": name, "claim.name": name, "jsonType.label": "String"}
    many = "true" if name == "patients" else "false"
    return _mapper("oidc-usermodel-attribute-mapper", name, multivalued=many, **named)


_SUB = _mapper("oidc-sub-mapper", "sub")
_OURS = (_SUB, *(_attribute(name) for name in _ATTRIBUTES))
_FOR_US = _mapper("oidc-audience-mapper", AUDIENCE, **{"included.custom.audience": AUDIENCE})


def _fixed(name: str, value: object) -> Json:
    text = value if isinstance(value, str) else json.dumps(value)
    kind = "String" if isinstance(value, str) else "JSON"
    named = {"claim.name": name, "claim.value": text, "jsonType.label": kind}
    return _mapper("oidc-hardcoded-claim-mapper", name, **named)


def _scope(name: str, *mappers: Json) -> Json:
    return {"name": name, "protocol": "openid-connect", "protocolMappers": mappers}


def _client(name: str, *scopes: str) -> Json:
    return {
        "clientId": name,
        "publicClient": True,
        # A test has no browser: it sends name and password itself.
        "directAccessGrantsEnabled": True,
        "fullScopeAllowed": False,
        "defaultClientScopes": scopes,
        "optionalClientScopes": [],
    }


def _system() -> Json:
    return {
        "clientId": SYSTEM,
        "secret": SECRET,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "fullScopeAllowed": False,
        "defaultClientScopes": ["for-us"],
        "optionalClientScopes": [],
        "protocolMappers": [_fixed("sub", SYSTEM), _fixed("role", Party.PORTAL.value)],
    }


def _person(name: str, id: str, role: Party, **attributes: list[str]) -> Json:
    return {
        "id": id,
        "username": name,
        "enabled": True,
        "attributes": {"role": [role.value], **attributes},
        "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
    }
