-- The promise, its planned sends, their attempts, and what a caller may read of it all.

create table reminders (
    id                uuid primary key,
    number            bigint generated always as identity unique,
    account_id        uuid not null references accounts on delete cascade,
    configuration_id  uuid not null references configurations on delete cascade,
    door              text not null check (door <> ''),
    external_id       text,
    channel           text not null check (channel in ('sms', 'whatsapp', 'email')),
    address           text not null,
    country_code      text,
    phone_number      text,
    national_digits   text,
    recipient_name    text,
    template_name     text,
    parameters        text[] not null default '{}',
    text              text,
    subject           text,
    schedule          jsonb not null,
    time_zone         text not null default 'UTC',
    tzdata_version    text not null,
    status            text not null check (status in ('active', 'completed', 'expired', 'cancelled')),
    grace             interval check (grace > interval '0'),
    catch_up          text check (catch_up in ('all', 'latest', 'none')),
    on_unknown        text check (on_unknown in ('park', 'retry')),
    fingerprint       bytea check (octet_length(fingerprint) = 32),
    sequence          bigint not null default 0,
    last_send_at      timestamptz,
    last_attempts     integer not null default 0,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    ended_at          timestamptz,
    constraint reminders_ended_exactly_when_not_active check ((status = 'active') = (ended_at is null))
);
create unique index reminders_by_callers_id on reminders (configuration_id, external_id)
    where door in ('integration', 'items');
create index reminders_by_account on reminders (account_id, created_at desc, id);
create index reminders_by_address on reminders (account_id, address);
comment on column reminders.sequence is 'the number of the newest event of this reminder; gap-free';
comment on column reminders.fingerprint is 'sha256 of the body first accepted, normalised: the same again replays';

-- A deleted reminder leaves its id and its event counter: an attempt under way still reports how it ended.
create table deleted_reminders (
    id          uuid primary key,
    account_id  uuid not null references accounts on delete cascade,
    external_id text,
    sequence    bigint not null,
    deleted_at  timestamptz not null
);
create index deleted_reminders_by_age on deleted_reminders (deleted_at);

create table occurrences (
    id                  uuid primary key,
    reminder_id         uuid not null references reminders on delete cascade,
    account_id          uuid not null,
    seq                 integer not null,
    kind                text not null default 'main' check (kind in ('main', 'follow_up', 'no_show')),
    scheduled_for       timestamptz not null,
    due_at              timestamptz not null,
    state               text not null default 'scheduled' check (state in
                        ('scheduled', 'queued', 'sending', 'sent', 'skipped', 'uncertain', 'cancelled', 'expired')),
    version             integer not null default 0,
    attempt             integer not null default 0,
    failures            integer not null default 0 check (failures between 0 and 5),
    key_epoch           integer not null default 0,
    attempt_id          uuid,
    attempt_started_at  timestamptz,
    lease_until         timestamptz,
    provider            text,
    takes_key           boolean,
    provider_message_id text,
    reason              text,
    ended_at            timestamptz,
    constraint occurrences_one_per_place unique (reminder_id, seq),
    constraint occurrences_leased_exactly_while_held check ((state in ('queued', 'sending')) = (lease_until is not null)),
    constraint occurrences_ended_exactly_when_final check
        ((state in ('scheduled', 'queued', 'sending')) = (ended_at is null)),
    constraint occurrences_sending_names_its_attempt check (state <> 'sending' or attempt_id is not null)
) with (fillfactor = 80);
create index occurrences_due on occurrences (due_at, id) where state = 'scheduled';
create index occurrences_leased on occurrences (lease_until) where state in ('queued', 'sending');
create index occurrences_unfinished on occurrences (reminder_id, seq) where state in ('scheduled', 'queued', 'sending');
create index occurrences_uncertain on occurrences (account_id, ended_at) where state = 'uncertain';
comment on column occurrences.scheduled_for is 'never changes: grace and lateness are measured from it';
comment on column occurrences.due_at is 'moves with retries';
comment on column occurrences.version is 'the fence: a queued hint names it, and any change by a caller raises it';

create table attempts (
    id                  uuid primary key,
    occurrence_id       uuid not null references occurrences on delete cascade,
    account_id          uuid not null,
    number              integer not null,
    provider            text not null,
    started_at          timestamptz not null,
    ended_at            timestamptz not null,
    outcome             text not null check (outcome in
                        ('accepted', 'rejected', 'failed', 'unknown', 'unavailable', 'error')),
    reason              text,
    code                text,
    provider_message_id text
);
create index attempts_by_occurrence on attempts (occurrence_id, number);

create table history (
    id          bigint generated always as identity primary key,
    reminder_id uuid not null references reminders on delete cascade,
    at          timestamptz not null,
    action      text not null check (action in
                ('Created', 'Sent', 'SendFailed', 'SendError', 'StatusChanged', 'Updated', 'Skipped', 'Expired')),
    detail      text not null,
    status      text not null check (status in ('active', 'completed', 'expired', 'cancelled'))
);
create index history_by_reminder on history (reminder_id, id);

-- Sends through a provider that refused our credentials are kept until it is mended.
create table provider_pauses (
    account_id uuid not null references accounts on delete cascade,
    channel    text not null check (channel in ('sms', 'whatsapp', 'email')),
    provider   text not null,
    reason     text not null,
    since      timestamptz not null,
    until      timestamptz not null,
    primary key (account_id, channel)
);

create table sandbox_messages (
    key           text primary key,
    account_id    uuid not null references accounts on delete cascade,
    occurrence_id uuid not null,
    reminder_id   uuid not null,
    external_id   text not null,
    channel       text not null,
    address       text not null,
    template      text,
    language      text,
    parameters    text[] not null,
    text          text,
    subject       text,
    scheduled_for timestamptz not null,
    received_at   timestamptz not null,
    message_id    text not null
);
create index sandbox_messages_by_account on sandbox_messages (account_id, received_at desc);
