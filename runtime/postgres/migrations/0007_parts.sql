-- Tables parted by month (UTC) have a part for each month, `<table>_YYYY_MM`, and `<table>_default` for all other rows.

-- Makes the part for the month of `day`, and moves into it what the default part has of that month. False when the
-- part exists already. A part is attached, not created in place: that would block readers and writers of all parts.
create function make_part(parted regclass, day date) returns boolean language plpgsql as $$
declare
    space text;
    name text;
    part_by text;
    part text;
    first text := to_char(date_trunc('month', day), 'YYYY-MM-DD') || ' 00:00+00';
    after text := to_char(date_trunc('month', day) + interval '1 month', 'YYYY-MM-DD') || ' 00:00+00';
begin
    select n.nspname, c.relname, a.attname into strict space, name, part_by
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_partitioned_table p on p.partrelid = c.oid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
    where c.oid = parted;
    part := format('%I.%I', space, name || to_char(day, '_YYYY_MM'));
    if to_regclass(part) is not null then
        return false;
    end if;
    execute format('create table %s (like %s including all excluding identity)', part, parted);
    execute format('lock table %I.%I in access exclusive mode', space, name || '_default');
    execute format(
        'with moved as (delete from %1$I.%2$I where %3$I >= %4$L and %3$I < %5$L returning *)'
        ' insert into %6$s select * from moved',
        space, name || '_default', part_by, first, after, part
    );
    execute format('alter table %s attach partition %s for values from (%L) to (%L)', parted, part, first, after);
    return true;
end
$$;
