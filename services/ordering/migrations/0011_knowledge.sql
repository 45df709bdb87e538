-- What happened to an order, and what the rules read: a JSON object a line (JSON Lines), one for each event. Text, as
-- notes are appended and read whole.
alter table orders add column journal text not null default '';

-- What a patient ordered before, as far as the rules read it: the lines under way, and those that were approved.
create table histories (
    patient text primary key,
    lines json not null
);

insert into histories (patient, lines)
select patient, json_agg(json_build_array(
    order_id, entry->'number', entry->'prk', entry->'outcome',
    to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    case when entry->>'outcome' = 'approved' then coalesce(
        entry->>'decided_at', to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ) end,
    entry->'quantity'
) order by placed_at, order_id, (entry->>'number')::int)
from orders cross join lateral json_array_elements(body->'lines') as l(entry)
where entry->>'outcome' in ('waiting', 'review', 'approved')
group by patient;

-- What became of the medicine of an approved line, until somebody decides the line again.
alter table order_lines add column signal text;
-- Who is to decide a line in review; null for those of before.
alter table order_lines add column reviewer text;
create index order_lines_signalled on order_lines (practice, placed_at, order_id, line) where signal is not null;

-- What a practice ordered is tried again under another policy.
create index orders_of_practice on orders (practice, placed_at);

-- An overview is kept with more than before: the topic is read again from its start. Until a patient's overview is
-- read, their orders wait for it, as for a first one.
delete from overviews;
update progress set next_offset = 0, last_ms = null, epoch = epoch + 1 where topic = 'medication.status';
