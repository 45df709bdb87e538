create table sums (
    patient text primary key,
    total bigint not null
);
