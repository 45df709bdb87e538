-- Messages are parted by month (UTC), so that old months can be taken away as a whole. The keys of a parted table contain
-- what it is parted by; that an event gives one message follows from `orders.seq`.
drop index messages_of_patient;
alter table messages rename to whole_messages;
alter index messages_pkey rename to whole_messages_pkey;
alter index messages_message_id_key rename to whole_messages_message_id_key;
alter sequence messages_id_seq rename to whole_messages_id_seq;

create table messages (
    like whole_messages including defaults including storage,
    primary key (id, at),
    unique (message_id, at)
) partition by range (at);
alter table messages alter column id add generated always as identity;
create table messages_default partition of messages default;

select make_part('messages', month)
from (select distinct (date_trunc('month', at, 'UTC') at time zone 'UTC')::date as month from whole_messages) as used;
insert into messages overriding system value select * from whole_messages;
select setval(pg_get_serial_sequence('messages', 'id'), nextval(pg_get_serial_sequence('whole_messages', 'id')));
drop table whole_messages;

create index messages_of_patient on messages (patient, id desc);
