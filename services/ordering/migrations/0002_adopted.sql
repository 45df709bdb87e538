-- Events that this service has published and of which this database knows nothing: it was restored from an
-- older backup. They wait here until their order's request is handled again.
create table adopted (
    order_id uuid not null,
    seq int not null,
    type text not null,
    body bytea not null,
    primary key (order_id, seq)
);
