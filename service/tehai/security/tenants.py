"""What a tenant is called: one segment of a resource name (AIP-122)."""

from __future__ import annotations

import re

TENANT_RULE = "1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end"
# Tenant of callers without a credential, on loopback only.
LOCAL_TENANT = "local"
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_tenant(text: object) -> bool:
    """Return whether ``text`` is a string that may name a tenant."""
    return isinstance(text, str) and _TENANT.fullmatch(text) is not None
