-- What the loop itself keeps, in every service's own database.

create table progress (
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    -- Raised on every assignment: a worker with an older epoch has lost the partition.
    epoch bigint not null default 0,
    primary key (topic, partition)
);

-- Records that are decided and not yet known to be published; one row per partition of a batch.
create table outbox (
    id bigint generated always as identity primary key,
    partition int not null,
    records bytea not null,
    created_at timestamptz not null default now()
);

create table timers (
    id uuid primary key,
    partition int not null,
    due_at timestamptz not null,
    record bytea not null
);
create index timers_due on timers (partition, due_at);
