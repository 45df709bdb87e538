-- The entries that the practice's system sent with wrong or missing fields: the record's `flaws`, none in older
-- versions. The history has them whole for each version.
alter table overviews add column flaws jsonb not null default '[]';
alter table overview_changes add column flaws jsonb not null default '[]';
