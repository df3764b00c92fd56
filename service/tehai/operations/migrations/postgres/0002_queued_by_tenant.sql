-- Counts a tenant's waiting solves at each creation; without it all solves of the tenant are read.

CREATE INDEX solves_queued_by_tenant ON solves (tenant) WHERE state = 'QUEUED';
