-- Named for what it holds: records that this service had sent before its database was restored from a backup.
alter table told rename to sent_before_restore;
alter index told_pkey rename to sent_before_restore_pkey;
