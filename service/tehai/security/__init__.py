"""Who may do what, how much of it, and the note of it: credentials, scopes, limits, TLS, audit.

Knows nothing of solves and plans, and reaches a store only through the protocols in ``records``.
"""

from tehai.security.audit import AuditLog
from tehai.security.authenticator import Authenticator
from tehai.security.errors import (
    CredentialsUnavailableError,
    LimitExceededError,
    PermissionDeniedError,
    SecurityError,
    SecuritySetupError,
    UnauthenticatedError,
)
from tehai.security.gate import Admission, Gate, IncomingCall, current_admission
from tehai.security.limits import ServerLimits, TenantLimiter, TenantLimits
from tehai.security.principal import Principal
from tehai.security.scopes import Scope
from tehai.security.settings import SecuritySettings
from tehai.security.setup import Security, set_up_security

__all__ = [
    "Admission",
    "AuditLog",
    "Authenticator",
    "CredentialsUnavailableError",
    "Gate",
    "IncomingCall",
    "LimitExceededError",
    "PermissionDeniedError",
    "Principal",
    "Scope",
    "Security",
    "SecurityError",
    "SecuritySettings",
    "SecuritySetupError",
    "ServerLimits",
    "TenantLimiter",
    "TenantLimits",
    "UnauthenticatedError",
    "current_admission",
    "set_up_security",
]
