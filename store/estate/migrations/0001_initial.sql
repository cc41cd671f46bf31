-- Every table that is not generated from a declared type. No keys, constraints or sequences: the same SQL has to run on DuckLake.
CREATE TABLE listings (
    id VARCHAR,
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    kind VARCHAR,                -- full, delta, ids
    scope VARCHAR,               -- all, or a project's id
    visibility INTEGER,          -- visibilities.id
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    state VARCHAR,               -- ok, suspect, degraded, failed, partial, not_permitted
    reason VARCHAR,
    rows BIGINT,
    new BIGINT,
    changed BIGINT,
    gone BIGINT
);

-- One row per visibility and covered scope, so that a version needs one small integer to say who saw it last.
CREATE TABLE visibilities (
    id INTEGER,
    endpoint VARCHAR,
    user_id VARCHAR,
    token_scope VARCHAR,
    roles VARCHAR[],
    all_projects BOOLEAN,
    listing_scope VARCHAR
);

CREATE TABLE states (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    scope VARCHAR,
    state VARCHAR,
    reason VARCHAR,
    rows BIGINT,                 -- rows of the last whole full listing
    visibility INTEGER,          -- of the last listing
    listing_id VARCHAR,          -- last listing of any kind
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    whole_listing_id VARCHAR,    -- last full or ids listing that ended whole
    whole_visibility INTEGER,
    whole_started_at TIMESTAMP,
    whole_ended_at TIMESTAMP,
    fresh_started_at TIMESTAMP,  -- last listing of any kind that ended whole
    fresh_ended_at TIMESTAMP
);

-- Rows that the last whole listing did not show and that are not deleted: the next listing or a person decides.
CREATE TABLE missing (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    scope VARCHAR,               -- scope of the listing
    id VARCHAR,
    since TIMESTAMP,
    kept BOOLEAN                 -- a person said that it still exists
);

CREATE TABLE samples (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    id VARCHAR,
    metric VARCHAR,
    taken_at TIMESTAMP,
    value DOUBLE
);

CREATE TABLE samples_hourly (
    cloud VARCHAR,
    region VARCHAR,
    type VARCHAR,
    id VARCHAR,
    metric VARCHAR,
    hour TIMESTAMP,
    count BIGINT,
    minimum DOUBLE,
    maximum DOUBLE,
    total DOUBLE,
    last_at TIMESTAMP,
    last DOUBLE
);

CREATE TABLE blobs (
    hash VARCHAR,                -- lower-case SHA-256 of the value's UTF-8 bytes
    bytes BIGINT,
    value VARCHAR USING COMPRESSION zstd
);

CREATE TABLE blob_uses (
    hash VARCHAR,
    type VARCHAR,
    cloud VARCHAR,
    region VARCHAR,
    id VARCHAR
);
