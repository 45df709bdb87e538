-- json, not jsonb: it is written for each order and read whole; what is searched for is in order_lines.
alter table orders alter column body type json using convert_from(body, 'UTF8')::json;

-- Each line of each order, as its order's body has it, for searching.
create table order_lines (
    order_id uuid not null,
    line int not null,
    practice text not null,
    pharmacy text not null,
    patient text not null,
    prk text not null,
    -- What became of the line, and the state of its order.
    outcome text not null,
    state text not null,
    -- When something becomes due for this line: a waiting line is refused then. Null when nothing does.
    due timestamptz,
    primary key (order_id, line)
);

insert into order_lines (order_id, line, practice, pharmacy, patient, prk, outcome, state)
select order_id, (entry->>'number')::int, practice, body->>'pharmacy', patient, entry->>'prk',
    entry->>'outcome', state
from orders cross join lateral json_array_elements(body->'lines') as l(entry);

-- The id of a timer cannot be computed in SQL; its record, in MessagePack, holds the JSON that names the order.
update order_lines set due = due_at
from (
    select substring(encode(record, 'escape') from '"order_id":"([0-9a-f-]{36})"')::uuid as waiting, due_at
    from timers where encode(record, 'escape') like '%"kind":"overview_overdue"%'
) as t
where order_id = waiting and outcome = 'waiting';
