-- A practice's lines in review are read oldest first, a page at a time.
alter table order_lines add column placed_at timestamptz;
update order_lines set placed_at = orders.placed_at from orders where orders.order_id = order_lines.order_id;
alter table order_lines alter column placed_at set not null;
create index order_lines_in_review on order_lines (practice, placed_at, order_id, line) where outcome = 'review';
