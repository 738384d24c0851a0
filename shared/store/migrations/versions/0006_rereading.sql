-- Which planned sends were computed with old rules of their time zone, and whose life a reminder belongs to.

create index reminders_by_rules on reminders (tzdata_version, id) where status = 'active' and time_zone <> 'UTC';
comment on column reminders.tzdata_version is 'the rules with which its planned sends were computed; see the wall clock in schedule';

create index reminders_by_mailbox on reminders (account_id, lower(address)) where channel = 'email';
create index reminders_by_event on reminders (account_id, external_id)
    where door in ('campaigns', 'crm', 'appointments') and external_id is not null;
