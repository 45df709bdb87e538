-- Fails the statement that calls it unless `holds`: what a batch writes must not be kept when a claim on its
-- partitions no longer holds. The SQLSTATE is ours alone, so no other error can be taken for it.
-- Volatile, as is the default, so that no planner leaves the call out.
create function fence(holds boolean) returns boolean language plpgsql as $$
begin
    if holds is not true then
        raise exception 'a claim no longer holds' using errcode = 'HF001';
    end if;
    return true;
end
$$;
