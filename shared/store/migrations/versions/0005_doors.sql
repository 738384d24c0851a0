-- People who may be reminded, what they agreed to, and what the campaigns, CRM and appointments doors remind them of.

create table contacts (
    id                   uuid primary key,
    number               bigint generated always as identity unique,
    account_id           uuid not null references accounts on delete cascade,
    phone                text,
    email                text,
    first_name           text,
    last_name            text,
    gender               text,
    is_partial           boolean not null default false,
    note                 text,
    tags                 text[] not null default '{}',
    custom_fields        jsonb not null default '{}',
    marketing_consent    boolean not null default false,
    time_zone            text,
    next_due_at          timestamptz,
    next_due             text,
    last_service_at      timestamptz,
    last_service         text,
    interval_value       smallint check (interval_value between 1 and 999),
    interval_unit        text check (interval_unit in ('days', 'months', 'years')),
    due_anchor           date,
    advance_at           timestamptz,
    birthdate            date,
    birthdate_precision  text not null default 'unknown' check (birthdate_precision in ('exact', 'approximate', 'unknown')),
    sequence             bigint not null default 0,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    constraint contacts_recur_with_an_interval
        check ((interval_value is null) = (interval_unit is null) and (interval_value is null) = (advance_at is null)),
    constraint contacts_recur_from_an_anchor check (advance_at is null or (due_anchor is not null and next_due is not null)),
    constraint contacts_birthdate_when_known check (birthdate_precision <> 'exact' or birthdate is not null)
);
create unique index contacts_by_phone on contacts (account_id, phone) where phone is not null;
create unique index contacts_by_email on contacts (account_id, lower(email)) where email is not null;
create index contacts_by_account on contacts (account_id, created_at desc, id);
create index contacts_to_advance on contacts (advance_at) where advance_at is not null;
comment on column contacts.next_due is 'as the caller wrote it, a date or a date and time; next_due_at is its instant';
comment on column contacts.due_anchor is 'the local date from which the interval counts, so that month ends do not drift';
comment on column contacts.advance_at is 'the end of the due day where the contact is; null unless recurrent';
comment on column contacts.sequence is 'the number of the newest event of this contact; gap-free';

-- One truth for all doors: who must not be written to (B-267) ...
create table suppressions (
    account_id uuid not null references accounts on delete cascade,
    address    text not null,
    source     text not null,
    created_at timestamptz not null,
    primary key (account_id, address)
);
comment on column suppressions.address is 'E.164, or an e-mail address in lower case';

-- ... and who agreed to what, when and where it was said (B-268). The newest entry is what holds.
create table consents (
    id         bigint generated always as identity primary key,
    account_id uuid not null references accounts on delete cascade,
    contact_id uuid not null references contacts on delete cascade,
    category   text not null check (category in ('marketing', 'transactional')),
    granted    boolean not null,
    source     text not null,
    at         timestamptz not null
);
create index consents_by_contact on consents (contact_id, id);

create table campaigns (
    id         uuid primary key,
    account_id uuid not null references accounts on delete cascade,
    name       text not null,
    type       text not null check (type in ('recurring', 'one_off')),
    status     text not null default 'draft' check (status in ('draft', 'running', 'paused', 'completed')),
    channel    text not null default 'sms' check (channel in ('sms', 'whatsapp', 'email')),
    category   text not null default 'marketing' check (category in ('marketing', 'transactional')),
    subject    text,
    body       text not null,
    offsets    text[] not null default '{}',
    send_at    timestamptz,
    sequence   bigint not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index campaigns_by_account on campaigns (account_id, created_at, id);
comment on column campaigns.offsets is 'ISO 8601 durations before the contact''s due date; recurring campaigns only';
comment on column campaigns.send_at is 'one-off campaigns only; null sends at once';

create table enrollments (
    id          uuid primary key,
    account_id  uuid not null references accounts on delete cascade,
    campaign_id uuid not null references campaigns on delete cascade,
    contact_id  uuid not null references contacts on delete cascade,
    stale       boolean not null default false,
    created_at  timestamptz not null,
    constraint enrollments_once unique (campaign_id, contact_id)
);
create index enrollments_by_contact on enrollments (contact_id);
create index enrollments_stale on enrollments (created_at, id) where stale;
comment on column enrollments.stale is 'its planned sends do not fit the campaign any more; none is claimed before they do';

create table appointment_types (
    id         uuid primary key,
    account_id uuid not null references accounts on delete cascade,
    type       text not null,
    created_at timestamptz not null,
    constraint appointment_types_once unique (account_id, type)
);

create table appointment_messages (
    type_id      uuid not null references appointment_types on delete cascade,
    account_id   uuid not null references accounts on delete cascade,
    message_type text not null check (message_type in ('CONFIRMATION', 'CANCELLATION', 'REMINDER', 'NO_SHOW', 'FOLLOW_UP')),
    text         text not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    primary key (type_id, message_type)
);

-- SMS segments of one-time messages, for each calendar month in UTC (B-143).
create table quota_use (
    account_id uuid not null references accounts on delete cascade,
    month      date not null,
    segments   integer not null default 0 check (segments >= 0),
    primary key (account_id, month)
);

alter table configurations
    add column dst_gap      text check (dst_gap in ('forward', 'before')),
    add column dst_overlap  text check (dst_overlap in ('first', 'second')),
    add column late_booking text check (late_booking in ('skip', 'send_now'));
comment on column configurations.dst_gap is 'null is forward: by the gap; likewise dst_overlap null is first';
comment on column configurations.late_booking is 'an appointment booked after its reminder was due; null is skip';

alter table reminders
    add column contact_id    uuid references contacts on delete set null,
    add column enrollment_id uuid references enrollments on delete set null,
    add column category      text not null default 'transactional' check (category in ('marketing', 'transactional')),
    add column recurs        boolean not null default false,
    add column birthday      boolean not null default false,
    add column details       jsonb not null default '{}',
    add column quota_month   date,
    add column segments      integer check (segments > 0),
    add constraint reminders_count_against_a_month check ((segments is null) = (quota_month is null));
create unique index reminders_by_appointment on reminders (account_id, contact_id, external_id)
    where door = 'appointments' and status <> 'cancelled' and external_id is not null;
create unique index reminders_by_enrollment on reminders (enrollment_id) where enrollment_id is not null;
create unique index reminders_by_birthday on reminders (contact_id) where birthday;
create index reminders_by_contact on reminders (contact_id, created_at) where contact_id is not null;
create index reminders_by_number on reminders (account_id, door, number);
comment on column reminders.recurs is 'its schedule is an Every: the end of one send plans the next';
comment on column reminders.details is 'what only its door knows, for the echo';

alter table occurrences
    add column text    text,
    add column subject text;
comment on column occurrences.text is 'of this send, where it is not the reminder''s own; likewise subject';
