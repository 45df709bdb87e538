-- The outside system that a change came through; null for a person's own request, and in older versions.
alter table overview_changes add column through text;
