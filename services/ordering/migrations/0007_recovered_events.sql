alter table adopted rename to recovered_events;
alter index adopted_pkey rename to recovered_events_pkey;
alter table recovered_events alter column body type json using convert_from(body, 'UTF8')::json;
