-- What became of messages after a provider had taken them, and what is known of those whose answer was lost.

alter table occurrences
    add column receipt    text check (receipt in ('accepted', 'sent', 'failed', 'undelivered', 'delivered', 'read')),
    add column receipt_at timestamptz,
    add column look_up_at timestamptz;
create index occurrences_to_look_up on occurrences (look_up_at) where look_up_at is not null;
comment on column occurrences.receipt is 'the furthest that its provider has reported of the present attempt; never goes back';
comment on column occurrences.look_up_at is 'when its provider is asked next whether it has the message; null where there is no doubt';

alter table history drop constraint history_action_check;
alter table history add constraint history_action_check check (action in
    ('Created', 'Sent', 'SendFailed', 'SendError', 'StatusChanged', 'Updated', 'Skipped', 'Expired',
     'Delivered', 'Undelivered', 'Read'));

-- The sentinel walks the active reminders in the order of their ids; its one row says how far it is.
create index reminders_active on reminders (id) where status = 'active';
create table schedule_watch (
    one      boolean primary key default true check (one),
    after    uuid,
    began_at timestamptz not null,
    ended_at timestamptz
);
comment on column schedule_watch.after is 'the last reminder that the present pass has seen; null before its first';
comment on column schedule_watch.ended_at is 'the end of the last full pass';
insert into schedule_watch (began_at) values (clock_timestamp());
