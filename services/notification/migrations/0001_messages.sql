-- What patients were told about each order so far; the event with this seq was the last one taken.
create table orders (
    order_id uuid primary key,
    seq int not null,
    body bytea not null
);

create table messages (
    -- The order in which a patient's messages came: one worker at a time writes those of a patient.
    id bigint generated always as identity primary key,
    message_id uuid not null unique,
    patient text not null,
    order_id uuid not null,
    template text not null,
    template_version int not null,
    at timestamptz not null,
    -- What the message says, as JSON facts; words are made of it by the template when it is read.
    facts bytea not null
);
create index messages_of_patient on messages (patient, id desc);
