create table orders (
    order_id uuid primary key,
    patient text not null,
    practice text not null,
    state text not null,
    placed_at timestamptz not null,
    digest text not null,
    -- The whole order as JSON; the columns above are what is searched for.
    body bytea not null
);
create index orders_of_patient on orders (patient, placed_at desc);
create index orders_waiting on orders (patient) where state = 'waiting';

-- Orders that the API has taken and ordering has not decided yet; a row goes when its order is decided.
create table intake (
    order_id uuid primary key,
    patient text not null,
    digest text not null,
    received_at timestamptz not null default now()
);

-- This service's copy of medication.status.
create table overviews (
    patient text primary key,
    version int not null,
    body bytea not null
);

-- What each pharmacy is sent, in the order in which a reader may page through it.
create table prescription_feed (
    pharmacy text not null,
    -- Transactions commit in another order than they start: a reader pages by (transaction, id) and
    -- only up to the oldest transaction that still runs, so no row ever appears behind its cursor.
    transaction xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    type text not null,
    body bytea not null,
    primary key (pharmacy, transaction, id)
);
