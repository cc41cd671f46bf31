-- Drift: what was told of changes, and which listings it was told of. What is there before this is the baseline.
ALTER TABLE listings ADD COLUMN derived BOOLEAN;
UPDATE listings SET derived = true;

CREATE TABLE drift_events (
    id BIGINT,                   -- made of cloud, region, type, resource, rule and first_at: derived again, it is the same
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    resource_id VARCHAR,
    resource_name VARCHAR,
    project_id VARCHAR,
    project_name VARCHAR,
    domain_id VARCHAR,
    domain_name VARCHAR,
    tags VARCHAR[],
    owner_id VARCHAR,            -- the server it belongs to, whose actions may explain it
    rule INTEGER,
    kind VARCHAR,                -- changed, created, deleted, unseen
    field VARCHAR,
    severity VARCHAR,
    old_value VARCHAR,
    new_value VARCHAR,
    state VARCHAR,               -- open, resolved
    count INTEGER,               -- openings, one after the other within a day
    times TIMESTAMP[],           -- the last three of them
    first_at TIMESTAMP,
    opened_at TIMESTAMP,         -- the last opening
    resolved_at TIMESTAMP,
    moved BOOLEAN,               -- resolved because an accepted value was changed again, not because the old one is back
    last_at TIMESTAMP,           -- the last change that was taken in
    seen_before TIMESTAMP,       -- start of the last listing that still showed the old value
    seen_at TIMESTAMP,           -- end of the listing that showed the new one
    asked_at TIMESTAMP,          -- when it was asked who did it; NULL = not yet
    grade VARCHAR,
    actor VARCHAR,
    source VARCHAR,              -- which action or record says so
    request_id VARCHAR,
    candidates VARCHAR,          -- JSON: the actions that can have done it, when they are several
    expected BOOLEAN,
    job VARCHAR                  -- number of our own job that did it
);

-- Neutron counts every write to a resource: the last number seen, and jumps without a visible change.
CREATE TABLE drift_revisions (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    id VARCHAR,
    revision BIGINT,
    seen_at TIMESTAMP
);

CREATE TABLE drift_jumps (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    id VARCHAR,
    before BIGINT,
    after BIGINT,
    seen_before TIMESTAMP,
    began TIMESTAMP
);
