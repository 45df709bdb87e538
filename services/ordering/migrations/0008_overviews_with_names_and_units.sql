-- An overview is kept with each medicine's name and unit, which older rows lack: the topic is read again from its
-- start. Until a patient's overview is read, their orders wait for it, as for a first one.
delete from overviews;
update progress set next_offset = 0, last_ms = null, epoch = epoch + 1 where topic = 'medication.status';
