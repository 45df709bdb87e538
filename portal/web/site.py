"""What all pages share in one process."""

from dataclasses import dataclass

from herhaal_client import Services
from portal.login.oidc import Oidc
from portal.session.database import Database
from portal.session.kept_forms import KeptForms
from portal.session.sealing import Sealer
from portal.session.sessions import Sessions
from portal.settings import PortalSettings
from portal.web.directory import Directory
from portal.web.names import Names
from portal.web.rendering import Templates
from portal.web.starts import Starts


@dataclass(frozen=True)
class Site:
    """The portal: what it is configured with, and what its pages are made with."""

    settings: PortalSettings
    database: Database
    sealer: Sealer
    oidc: Oidc
    sessions: Sessions
    kept: KeptForms
    templates: Templates
    services: Services
    names: Names
    directory: Directory
    starts: Starts
