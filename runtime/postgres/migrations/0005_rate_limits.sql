-- How much of its quota each sender has used, for all processes of this service (GCRA).
-- Unlogged, as it is written with nearly every request and holds seconds: a crash of the server empties it.
create unlogged table rate_limits (
    key bytea primary key,
    -- The theoretical arrival time: when the whole quota is free again, in seconds since 1970 by this clock.
    free_at double precision not null,
    -- How many requests of the last statement were admitted, and the limit by which.
    admitted int not null,
    step_s double precision not null,
    window_s double precision not null
) with (fillfactor = 50);
