-- Who is logged in. The id itself is in the browser only; tokens and name are sealed by a key that is not here.
create table sessions (
    id_hash bytea primary key,
    sub text not null,
    sealed bytea not null,
    begun_at timestamptz not null,
    seen_at timestamptz not null,
    access_until timestamptz not null,
    ends_at timestamptz not null
);

create index sessions_of_person on sessions (sub);

-- Logins that are under way at the provider, one row for each tab.
create table logins (
    state_hash bytea primary key,
    browser_hash bytea not null,
    sealed bytea not null,
    begun_at timestamptz not null
);

-- Forms that are not finished, of one person, each for one page.
create table kept_forms (
    sub text not null,
    page text not null,
    sealed bytea not null,
    kept_at timestamptz not null,
    primary key (sub, page)
);
