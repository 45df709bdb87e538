-- An overview as columns and jsonb instead of the record's bytes, so that people can search for it.
alter table overviews
    add column practice text,
    add column changed_at timestamptz,
    -- What led to this version: the record's `change`.
    add column change jsonb,
    -- The record's `medications`, with its field names.
    add column medications jsonb;
update overviews o set
    practice = record.body ->> 'practice',
    changed_at = (record.body ->> 'changed_at')::timestamptz,
    change = record.body -> 'change',
    medications = record.body -> 'medications'
from (select patient, convert_from(body, 'UTF8')::jsonb as body from overviews) as record
where o.patient = record.patient;
alter table overviews
    alter column practice set not null,
    alter column changed_at set not null,
    alter column change set not null,
    alter column medications set not null,
    drop column body;
create index overviews_of_practice on overviews (practice, patient);

-- One row for each version of an overview: who changed what, and how it was before. Kept for good, as the
-- medical record is the practice's.
create table overview_changes (
    patient text not null,
    -- The version that this change led to.
    version int not null,
    change_id uuid not null,
    kind text not null,
    by_role text not null,
    by_id text not null,
    reason text,
    at timestamptz not null,
    -- Null for the first version, and where `before` is null.
    practice_before text,
    practice text not null,
    -- The medicines that changed, as they were and as they are. A medicine that was added is in `after` only, one
    -- that was removed in `before` only. Null where the version before is not recorded: `after` is then the
    -- whole overview.
    before jsonb,
    after jsonb not null,
    primary key (patient, version)
);
-- History begins with the versions that are here: of what they were before, only that there was nothing before
-- version 1 is certain.
insert into overview_changes (
    patient, version, change_id, kind, by_role, by_id, reason, at, practice, before, after
)
select
    patient, version, (change ->> 'change_id')::uuid, change ->> 'kind',
    change -> 'by' ->> 'role', change -> 'by' ->> 'id', change ->> 'reason',
    changed_at, practice, case when version = 1 then '[]'::jsonb end, medications
from overviews;
