"""The key of the audit trails of a stack's services, kept in its data folder for its owner only."""

import secrets

from deploy.local.data import DataFolder, write_for_owner
from deploy.local.errors import file_errors
from runtime.audit.chain import KEY_BYTES


def ensure_audit_key(data: DataFolder) -> str:
    """Read the newest key, the first in the file, or make one. Raises StackError when it cannot be used."""
    with file_errors():
        if not data.audit_key.exists():
            write_for_owner(data.audit_key, secrets.token_hex(KEY_BYTES) + "\n")
        return data.audit_key.read_text().split()[0]
