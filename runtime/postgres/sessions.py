"""PostgreSQL settings of our sessions; each bounds its statements, locks and transactions."""

TIMEOUTS = {
    "statement_timeout": "15s",
    # Shorter than the statement timeout, so that a lock of another session has an error of its own.
    "lock_timeout": "10s",
    # The locks of a client that disappeared are released as soon as the server notices.
    "idle_in_transaction_session_timeout": "10s",
}
"""Also the defaults of the role as which a service runs."""

SESSION = TIMEOUTS | {
    "application_name": "herhaal",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2s",
}
"""Settings of a service's sessions; none of them changes planning."""

LOOP_SESSION = SESSION | {
    # Every statement of the loop finds its rows by key. Without this, a plan that was made while a table was
    # small reads the whole table in every batch until the next ANALYZE. A join may still scan a whole index,
    # so the loop uses `any`, `on conflict` and lateral subqueries with a limit instead of joins.
    "enable_seqscan": "off",
    # Plans by key do not depend on the arguments, and planning takes longer than execution: 0.16 of 0.22 ms
    # for the orders of one request.
    "plan_cache_mode": "force_generic_plan",
}
"""Settings of the loop's sessions: always plan by key."""

OPERATOR_SESSION = SESSION | {
    # A command reads whole tables.
    "statement_timeout": "1h",
    # It may read topics in a transaction.
    "idle_in_transaction_session_timeout": "5min",
}
"""Settings of the sessions of commands."""
