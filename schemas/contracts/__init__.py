"""The contracts of the records: AsyncAPI documents, compatibility rules, committed snapshots."""
