-- Who did what to which patient's records (NEN 7513). Each writer, a process, has a chain of its own; `mac` covers the
-- row and the row before. The service's role may add rows and read them, and no more.
create table audit (
    -- The order in which rows are shown; the chain's order is `seq`.
    id bigint generated always as identity,
    writer uuid not null,
    seq bigint not null,
    at timestamptz not null,
    role text not null,
    actor text not null,
    organisation text,
    for_role text,
    for_id text,
    patient text,
    practice text,
    action text not null,
    thing text,
    channel text not null,
    outcome text not null,
    reason text,
    purpose text,
    mac bytea not null,
    primary key (writer, seq)
);
create index audit_of_patient on audit (patient, id desc) where patient is not null;

-- Where each chain begins and ends. `first_seq` and `first_mac` are of the last row that was deleted because it was
-- kept long enough. `seal` covers the end, `first_seal` the beginning. `announced` is the end that Kafka knows.
create table audit_heads (
    writer uuid primary key,
    key_id bytea not null,
    first_seq bigint not null default 0,
    first_mac bytea not null default '',
    first_seal bytea,
    seq bigint not null,
    mac bytea not null,
    seal bytea not null,
    announced bigint not null default 0
);

-- Tables are granted to the service's role as they are made; this one may not be changed by it.
do $$
declare
    grantee text;
begin
    for grantee in
        select distinct g.grantee from information_schema.role_table_grants g
        where g.table_schema = current_schema() and g.table_name = 'audit' and g.grantee <> current_user
    loop
        execute format('revoke update, delete, truncate on audit from %I', grantee);
    end loop;
    for grantee in
        select distinct g.grantee from information_schema.role_table_grants g
        where g.table_schema = current_schema() and g.table_name = 'audit_heads' and g.grantee <> current_user
    loop
        execute format('revoke delete, truncate on audit_heads from %I', grantee);
    end loop;
end
$$;
