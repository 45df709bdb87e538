-- The current overview of each patient.
create table overviews (
    patient text primary key,
    version int not null,
    -- The highest version read back from medication.status; a lower one after it is a late write.
    seen_version int not null,
    -- The record's JSON as it is published.
    body bytea not null
);

-- Changes that were carried out, so that the same change once more does nothing.
create table applied_changes (
    patient text not null,
    change_id uuid not null,
    digest text not null,
    applied_at timestamptz not null,
    primary key (patient, change_id)
);
create index applied_changes_by_age on applied_changes (applied_at);
