-- Whose an order is that is not decided yet: who asks for it must be allowed to see it. A row of before has neither,
-- so only its patient sees it, for the moment until it is decided.
alter table intake add column practice text, add column pharmacy text;
