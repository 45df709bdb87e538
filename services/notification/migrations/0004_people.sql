-- Who a pseudonym is. `sealed` is a JSON object under the patient's own key, which is in a folder and in no
-- database: whoever deletes the key makes this row, and every copy of it, unreadable.
create table people (
    patient text primary key,
    -- Null, as `sealed`, once the person is erased.
    practice text,
    sealed bytea,
    registered_at timestamptz not null,
    changed_at timestamptz not null,
    erased_at timestamptz
);

-- Keyed hashes by which people are found: of the BSN, and of each spelling of the surname with birth date and
-- practice. The key is in no database either.
create table people_hashes (
    patient text not null references people,
    what text not null,
    key_version int not null,
    hash bytea not null,
    primary key (patient, what, hash)
);
create index people_by_hash on people_hashes (hash);
create unique index people_by_bsn on people_hashes (hash) where what = 'bsn';

-- Who stands in for whom, and until when; the record on access.proxies says the same to all services. `sealed` is
-- who the proxy is, and the consent, under the patient's key.
create table proxies (
    patient text not null references people,
    proxy text not null,
    kind text not null,
    until timestamptz,
    sealed bytea not null,
    primary key (patient, proxy)
);
create index proxies_by_proxy on proxies (proxy);
