-- What happened, and who is told of it.

create table outbox (
    id           uuid not null,
    account_id   uuid not null,
    type         text not null,
    version      smallint not null,
    subject      uuid not null,
    sequence     bigint not null,
    at           timestamptz not null,
    data         jsonb not null,
    published_at timestamptz,
    primary key (id, at)
) partition by range (at);
create table outbox_default partition of outbox default;
create index outbox_unpublished on outbox (at, id) where published_at is null;

create table endpoints (
    id                  uuid primary key,
    account_id          uuid not null references accounts on delete cascade,
    configuration_id    uuid unique references configurations on delete cascade,
    name                text not null,
    target_url          text not null,
    source              text not null default 'manual' check (source in ('manual', 'configuration')),
    format              text not null default 'envelope' check (format in ('envelope', 'attempt')),
    status              text not null default 'active' check (status in ('active', 'disabled')),
    event_types         text[] not null,
    secret              bytea not null,
    next_secret         bytea,
    rotation            text not null default 'none' check (rotation in ('none', 'staged', 'promoted')),
    sequence            bigint not null default 0,
    failing_since       timestamptz,
    exhausted_in_a_row  integer not null default 0,
    succeeded_at        timestamptz,
    disabled_at         timestamptz,
    disabled_reason     text,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    constraint endpoints_disabled_exactly_with_a_time check ((status = 'disabled') = (disabled_at is not null)),
    constraint endpoints_of_a_configuration check ((source = 'configuration') = (configuration_id is not null))
);
create index endpoints_by_account on endpoints (account_id, created_at);
comment on column endpoints.secret is 'encrypted; the row''s id and account are bound into the ciphertext';
comment on column endpoints.succeeded_at is 'about the last success, to the minute; null: it has yet to prove itself';

create table deliveries (
    id          uuid primary key,
    account_id  uuid not null,
    endpoint_id uuid not null references endpoints on delete cascade,
    event_id    uuid not null,
    event_type  text not null,
    subject     uuid not null,
    body        bytea not null,
    state       text not null check (state in ('pending', 'sending', 'delivered', 'exhausted', 'held')),
    attempt     integer not null default 0 check (attempt between 0 and 8),
    due_at      timestamptz not null,
    attempt_id  uuid,
    lease_until timestamptz,
    created_at  timestamptz not null,
    ended_at    timestamptz,
    constraint deliveries_one_per_event_and_endpoint unique (endpoint_id, event_id),
    constraint deliveries_leased_exactly_while_sending check ((state = 'sending') = (lease_until is not null)),
    constraint deliveries_ended_exactly_when_final check ((state in ('delivered', 'exhausted')) = (ended_at is not null))
) with (fillfactor = 80);
create index deliveries_due on deliveries (endpoint_id, due_at) where state = 'pending';
create index deliveries_in_flight on deliveries (endpoint_id, lease_until) where state = 'sending';
create index deliveries_held on deliveries (endpoint_id, created_at) where state = 'held';
create index deliveries_by_account on deliveries (account_id, created_at desc, id);
create index deliveries_by_age on deliveries (created_at);

create table delivery_attempts (
    id           uuid primary key,
    delivery_id  uuid not null references deliveries on delete cascade,
    number       integer not null,
    started_at   timestamptz not null,
    duration     interval not null,
    status_code  smallint,
    error        text,
    response     text
);
create index delivery_attempts_by_delivery on delivery_attempts (delivery_id, started_at);
create index delivery_attempts_with_response on delivery_attempts (started_at) where response is not null;

-- An owner's wish to have an endpoint's missing deliveries made from the events of the last days, done bit by bit.
create table backfills (
    id          uuid primary key,
    account_id  uuid not null,
    endpoint_id uuid not null references endpoints on delete cascade,
    cursor_at   timestamptz not null,
    cursor_id   uuid not null,
    until       timestamptz not null,
    deliveries  integer not null default 0,
    created_at  timestamptz not null,
    ended_at    timestamptz
);
create index backfills_unfinished on backfills (created_at, id) where ended_at is null;
create index backfills_by_endpoint on backfills (endpoint_id, created_at desc);

-- What no handler could take, where the bus is memory; RabbitMQ keeps its own.
create table dead_letters (
    queue       text not null,
    id          uuid not null,
    routing_key text not null,
    body        bytea not null,
    reason      text not null,
    dead_at     timestamptz not null,
    primary key (queue, id)
);
create index dead_letters_by_age on dead_letters (queue, dead_at);
