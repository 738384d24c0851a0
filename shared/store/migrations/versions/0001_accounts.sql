-- Who owns what, and how they prove it.

create table accounts (
    id            uuid primary key,
    number        bigint generated always as identity unique,
    name          text not null,
    owner_email   text,
    time_zone     text not null default 'UTC',
    reminder_hour smallint not null default 9 check (reminder_hour between 0 and 23),
    plan          text not null default 'paid' check (plan in ('free', 'paid')),
    quota         integer check (quota >= 0),
    grace         interval check (grace > interval '0'),
    catch_up      text check (catch_up in ('all', 'latest', 'none')),
    on_unknown    text check (on_unknown in ('park', 'retry')),
    sequence      bigint not null default 0,
    created_at    timestamptz not null
);
comment on column accounts.sequence is 'the number of the newest event about the account itself; gap-free';
comment on column accounts.quota is 'SMS segments per calendar month, UTC; null is no limit';
comment on column accounts.grace is 'null falls back to the environment, as do catch_up and on_unknown';

create table configurations (
    id               uuid primary key,
    account_id       uuid not null references accounts on delete cascade,
    agent_id         text not null,
    configuration_id text not null,
    name             text not null,
    channel          text not null default 'sms' check (channel in ('sms', 'whatsapp', 'email')),
    state            text not null default 'running' check (state in ('running', 'paused')),
    time_zone        text not null default 'UTC',
    grace            interval check (grace > interval '0'),
    catch_up         text check (catch_up in ('all', 'latest', 'none')),
    on_unknown       text check (on_unknown in ('park', 'retry')),
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    constraint configurations_one_per_name unique (account_id, agent_id, configuration_id)
);
create index configurations_by_path on configurations (agent_id, configuration_id);

create table credentials (
    id               uuid primary key,
    account_id       uuid not null references accounts on delete cascade,
    configuration_id uuid references configurations on delete cascade,
    kind             text not null check (kind in ('api_key', 'primary', 'secondary')),
    hash             bytea not null unique check (octet_length(hash) = 32),
    prefix           text not null,
    created_at       timestamptz not null,
    expires_at       timestamptz,
    last_used_at     timestamptz,
    constraint credentials_keys_of_a_configuration check ((kind = 'api_key') = (configuration_id is null))
);
create index credentials_by_account on credentials (account_id);

create table templates (
    id               uuid primary key,
    account_id       uuid not null references accounts on delete cascade,
    configuration_id uuid not null references configurations on delete cascade,
    name             text not null,
    channel          text not null check (channel in ('sms', 'whatsapp', 'email')),
    language         text,
    subject          text,
    body             text not null,
    provider_name    text,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    constraint templates_one_per_name unique (configuration_id, name)
);

create table idempotency_keys (
    account_id  uuid not null references accounts on delete cascade,
    key         text not null,
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    status      smallint not null,
    headers     jsonb not null,
    body        bytea not null,
    created_at  timestamptz not null,
    primary key (account_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
