-- What is counted of each order, so that a line can move from one outcome to another.
create table counted_orders (
    order_id uuid primary key,
    seq int not null,
    practice text not null,
    -- The calendar day in Europe/Amsterdam on which the order was placed.
    day date not null,
    channel text not null,
    -- Outcome by line number.
    outcomes jsonb not null
);

-- What dashboards read. Without checks on the sign: PostgreSQL applies them to what is added as well.
create table daily_lines (
    practice text not null,
    day date not null,
    channel text not null,
    outcome text not null,
    lines bigint not null,
    primary key (practice, day, channel, outcome)
);
create table daily_orders (
    practice text not null,
    day date not null,
    channel text not null,
    orders bigint not null,
    primary key (practice, day, channel)
);
