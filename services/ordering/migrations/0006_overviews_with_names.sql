-- An overview is kept with names: `medications` is a list of objects, read whole for each order.
create function named(kept jsonb) returns json immutable language sql as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'prk', entry->0, 'status', entry->1, 'dosage', entry->2, 'quantity', entry->3,
        'high_risk', entry->4, 'repeat_service', entry->5
    ) order by place), '[]')::json
    from jsonb_array_elements(kept) with ordinality as e(entry, place)
$$;

alter table overviews add column practice text;
-- Both are computed from the old body, in one rewrite of the table.
alter table overviews
    alter column practice type text using convert_from(body, 'UTF8')::jsonb->>0,
    alter column practice set not null,
    alter column body type json using named(convert_from(body, 'UTF8')::jsonb->2);
alter table overviews rename column body to medications;

drop function named(jsonb);
