-- Solves, their events and their bytes; API keys; the audit log. Times and lengths of time are microseconds.

CREATE TABLE solves (
    -- Order of creation: age in the queue and position in a list, whatever the wall clock does.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    solve_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    display_name TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 9),
    state TEXT NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    create_time INTEGER NOT NULL,
    start_time INTEGER,
    end_time INTEGER,
    expire_time INTEGER,
    retention_us INTEGER NOT NULL,
    attempt_count INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL,
    problem_sha256 TEXT NOT NULL,
    problem_bytes INTEGER NOT NULL,
    options BLOB NOT NULL,
    standing BLOB NOT NULL,
    cancel_requested INTEGER NOT NULL,
    plan_id TEXT NOT NULL,
    error BLOB NOT NULL,
    last_sequence INTEGER NOT NULL,
    owner TEXT NOT NULL,
    -- Rises with every claim; a worker with an older one changes nothing.
    fence INTEGER NOT NULL,
    -- Rises with every renewal of the claim.
    heartbeat INTEGER NOT NULL,
    lease_us INTEGER NOT NULL,
    UNIQUE (tenant, solve_id)
) STRICT;

CREATE UNIQUE INDEX solves_by_request ON solves (tenant, request_id) WHERE request_id <> '';
CREATE INDEX solves_queued ON solves (priority, number) WHERE state = 'QUEUED';
CREATE INDEX solves_running ON solves (tenant) WHERE state = 'RUNNING';
CREATE INDEX solves_by_tenant ON solves (tenant, number);
CREATE INDEX solves_by_problem ON solves (tenant, problem_sha256);
CREATE INDEX solves_expiring ON solves (expire_time) WHERE expire_time IS NOT NULL;

CREATE TABLE events (
    tenant TEXT NOT NULL,
    solve_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('progress', 'changed', 'ended')),
    payload BLOB NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (tenant, solve_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    blob_id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    expire_time INTEGER,
    -- 0 while its bytes still arrive.
    complete INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX blobs_by_key ON blobs (tenant, kind, key) WHERE complete = 1;
CREATE INDEX blobs_expiring ON blobs (expire_time) WHERE expire_time IS NOT NULL;
CREATE INDEX blobs_arriving ON blobs (create_time) WHERE complete = 0;

-- A piece of a blob from byte start_byte on, 1 MiB at most.
CREATE TABLE blob_chunks (
    blob_id INTEGER NOT NULL,
    start_byte INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (blob_id, start_byte)
) STRICT;

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    display_name TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    expire_time INTEGER,
    revoke_time INTEGER
) STRICT;

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, create_time);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    method TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    request_id TEXT NOT NULL,
    peer TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_tenant ON audit (tenant, number);
CREATE INDEX audit_by_time ON audit (time);

-- Random bytes of this store, for example what page tokens are sealed with.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
