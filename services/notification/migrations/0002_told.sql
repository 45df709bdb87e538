-- Records that this service has published and of which this database knows nothing: it was restored from an
-- older backup. They wait here until the event that they tell of is taken again.
create table told (
    order_id uuid not null,
    -- The record's ce_id.
    id uuid not null,
    type text not null,
    body bytea not null,
    primary key (order_id, id)
);
