-- A pharmacy's feed is read from the pharmacy's own topic.
drop table prescription_feed;
