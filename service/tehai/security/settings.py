"""Settings of security, from the environment (prefix TEHAI_); docs/cli.md lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tehai.security.limits import ServerLimits, TenantLimits
from tehai.security.scopes import ALL_SCOPES, unknown_scopes
from tehai.security.tenants import TENANT_RULE, is_tenant

Algorithm = Literal["RS256", "ES256", "EdDSA"]


class CertificateTenant(BaseModel):
    """What a client certificate stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    scopes: frozenset[str] = ALL_SCOPES


class LimitSettings(BaseModel):
    """Limits that one tenant has otherwise; an unset one is the default's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: float | None = Field(default=None, gt=0)
    heavy_requests_per_second: float | None = Field(default=None, gt=0)
    requests_open: int | None = Field(default=None, ge=1)
    streams_open: int | None = Field(default=None, ge=1)
    message_bytes: int | None = Field(default=None, ge=1024)
    solves_queued: int | None = Field(default=None, ge=1)


class SecuritySettings(BaseSettings):
    """Every setting with its default; what does not fit together is refused at start, all of it at once."""

    model_config = SettingsConfigDict(env_prefix="TEHAI_", frozen=True, extra="ignore")

    # Callers of this machine need no credential and are the tenant "local"; has no effect off loopback.
    anonymous_on_loopback: bool = True
    # Insecure on purpose, for a server behind something that encrypts.
    plaintext_off_loopback: bool = False
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    # Authorities of client certificates.
    tls_client_roots_file: Path | None = None
    # "optional": a second port, client_certificate_port, demands one.
    client_certificates: Literal["off", "optional", "required"] = "off"
    client_certificate_port: int | None = Field(default=None, ge=0, le=65535)
    # JSON: {"CN=buyer,O=Example": {"tenant": "example", "scopes": ["quotes:read"]}}
    client_certificate_tenants: dict[str, CertificateTenant] = Field(default_factory=dict)
    # JWKS or PEM with the public keys of the token issuer; without it no token is taken.
    token_keys_file: Path | None = None
    token_audience: str = ""
    token_issuer: str = ""
    token_algorithms: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
    token_leeway_seconds: float = Field(default=30.0, ge=0, le=600)
    token_tenant_claim: str = Field(default="tenant", min_length=1)
    token_scope_claim: str = Field(default="scope", min_length=1)
    # How long a credential that was good is not looked up again; a revoked key works that long at most.
    credential_cache_seconds: float = Field(default=10.0, ge=0, le=300)
    limit_requests_per_second: float = Field(default=5_000.0, gt=0)
    limit_heavy_requests_per_second: float = Field(default=20.0, gt=0)
    limit_requests_open: int = Field(default=512, ge=1)
    limit_streams_open: int = Field(default=512, ge=1)
    limit_message_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    limit_solves_queued: int = Field(default=100, ge=1)
    # Of all tenants together.
    requests_open_max: int = Field(default=2048, ge=1)
    streams_open_max: int = Field(default=2048, ge=1)
    # JSON: {"example": {"solves_queued": 10}}
    tenant_limits: dict[str, LimitSettings] = Field(default_factory=dict)
    # Also note polls and single quotes that went well.
    audit_everything: bool = False

    @field_validator("tenant_limits")
    @classmethod
    def _tenants_are_tenants(cls, value: dict[str, LimitSettings]) -> dict[str, LimitSettings]:
        wrong = [name for name in value if not is_tenant(name)]
        if wrong:
            message = f"tenants {wrong}: must be {TENANT_RULE}"
            raise ValueError(message)
        return value

    @field_validator("client_certificate_tenants")
    @classmethod
    def _grants_are_possible(cls, value: dict[str, CertificateTenant]) -> dict[str, CertificateTenant]:
        wrong = [f"tenant {g.tenant!r}: must be {TENANT_RULE}" for g in value.values() if not is_tenant(g.tenant)]
        wrong += [f"scopes: there is no {s!r}" for g in value.values() for s in unknown_scopes(sorted(g.scopes))]
        if wrong:
            raise ValueError("; ".join(wrong))
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wrong = []
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            wrong.append("TEHAI_TLS_CERTIFICATE_FILE and TEHAI_TLS_KEY_FILE go together")
        if self.client_certificates != "off":
            if self.tls_certificate_file is None:
                wrong.append("TEHAI_CLIENT_CERTIFICATES needs TEHAI_TLS_CERTIFICATE_FILE")
            if self.tls_client_roots_file is None:
                wrong.append("TEHAI_CLIENT_CERTIFICATES needs TEHAI_TLS_CLIENT_ROOTS_FILE")
        if (self.client_certificates == "optional") != (self.client_certificate_port is not None):
            wrong.append("TEHAI_CLIENT_CERTIFICATES=optional and TEHAI_CLIENT_CERTIFICATE_PORT go together")
        if self.client_certificate_tenants and self.client_certificates == "off":
            wrong.append("TEHAI_CLIENT_CERTIFICATE_TENANTS needs TEHAI_CLIENT_CERTIFICATES=optional or required")
        if self.token_keys_file is not None:
            named = {"TEHAI_TOKEN_AUDIENCE": self.token_audience, "TEHAI_TOKEN_ISSUER": self.token_issuer}
            wrong += [f"TEHAI_TOKEN_KEYS_FILE needs {name}" for name, value in named.items() if not value]
            if not self.token_algorithms:
                wrong.append("TEHAI_TOKEN_ALGORITHMS must name at least one")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def default_limits(self) -> TenantLimits:
        """Return the limits of a tenant that has none of its own."""
        return TenantLimits(
            requests_per_second=self.limit_requests_per_second,
            heavy_requests_per_second=self.limit_heavy_requests_per_second,
            requests_open=self.limit_requests_open,
            streams_open=self.limit_streams_open,
            message_bytes=self.limit_message_bytes,
            solves_queued=self.limit_solves_queued,
        )

    def server_limits(self) -> ServerLimits:
        """Return the limits of all tenants together."""
        return ServerLimits(server_requests_open=self.requests_open_max, server_streams_open=self.streams_open_max)
