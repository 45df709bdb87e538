-- When Kafka took the record before next_offset (ms since 1970): whether it still is the topic that we know.
alter table progress add column last_ms bigint;

-- The Kafka that this database belongs to, once a worker has seen it.
create table kafka (
    one_row boolean primary key default true check (one_row),
    cluster text not null
);
