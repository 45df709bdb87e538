-- A row lives for milliseconds: compressing it costs more than writing it.
alter table outbox alter column records set storage external;
