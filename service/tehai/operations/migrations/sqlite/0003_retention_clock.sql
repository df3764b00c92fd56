-- What a start compares the wall clock with before anything is deleted; one row, or none in a new database.

CREATE TABLE retention_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- The wall-clock time when old things were last deleted, or looked for.
    trusted_time INTEGER NOT NULL,
    -- For how long servers have run since with a clock too far ahead of it, and deleted nothing.
    held_us INTEGER NOT NULL
) STRICT;

-- A database from before this migration begins with the time of its newest record. The newest by number, not the
-- latest time: that may be from a clock that was wrong once.
INSERT INTO retention_clock (id, trusted_time, held_us)
SELECT 1, newest_time, 0
FROM (
    SELECT max(time) AS newest_time
    FROM (
        SELECT create_time AS time FROM solves WHERE number = (SELECT max(number) FROM solves)
        UNION ALL
        SELECT time FROM audit WHERE number = (SELECT max(number) FROM audit)
    ) AS records
) AS newest
WHERE newest_time IS NOT NULL;
