-- Orders and their lines are parted by the month (UTC) in which they were placed, so that old months can be taken away
-- as a whole. The keys of a parted table contain what it is parted by, so `order_ids` keeps an id from being used twice.
create table order_ids (
    order_id uuid primary key,
    placed_at timestamptz not null
);
insert into order_ids select order_id, placed_at from orders;

create table order_indexes as
select pg_get_indexdef(indexrelid) as definition from pg_index
where indrelid in ('orders'::regclass, 'order_lines'::regclass) and not indisprimary;

alter table orders rename to whole_orders;
alter index orders_pkey rename to whole_orders_pkey;
alter table order_lines rename to whole_order_lines;
alter index order_lines_pkey rename to whole_order_lines_pkey;

create table orders (like whole_orders including defaults including storage, primary key (order_id, placed_at))
    partition by range (placed_at);
create table orders_default partition of orders default;
create table order_lines (
    like whole_order_lines including defaults including storage, primary key (order_id, line, placed_at)
) partition by range (placed_at);
create table order_lines_default partition of order_lines default;

select make_part('orders', month), make_part('order_lines', month)
from (select distinct (date_trunc('month', placed_at, 'UTC') at time zone 'UTC')::date as month from order_ids) as used;
insert into orders select * from whole_orders;
insert into order_lines select * from whole_order_lines;
drop table whole_orders, whole_order_lines;

do $$
declare
    index record;
begin
    for index in select definition from order_indexes loop
        execute index.definition;
    end loop;
end
$$;
drop table order_indexes;

-- Orders with these ids, placed from `first` up to `last`. Planned for its arguments, so that it opens the parts of that
-- time only: a plan for all arguments locks and opens every part.
create function orders_placed(ids uuid[], first timestamptz, last timestamptz) returns setof orders
language plpgsql stable set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
    return query select * from orders where order_id = any(ids) and placed_at between first and last;
end
$$;

-- Orders with these ids, month by month.
create function orders_by_id(ids uuid[]) returns setof orders language sql stable as $$
    select found.* from (
        select array_agg(order_id) as of_month, min(placed_at) as first, max(placed_at) as last
        from order_ids where order_id = any(ids)
        group by date_trunc('month', placed_at, 'UTC')
    ) as months
    cross join lateral orders_placed(of_month, first, last) as found
$$;
