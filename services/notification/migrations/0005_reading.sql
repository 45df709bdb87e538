-- What was read. No record says so: it is kept here alone, and a message without a row is unread.
create table message_reads (
    message_id uuid primary key,
    patient text not null,
    read_at timestamptz not null
);
create index message_reads_of_patient on message_reads (patient);

-- What a patient prefers; null is no preference.
create table preferences (
    patient text primary key,
    language text,
    pharmacy text,
    changed_at timestamptz not null
);
