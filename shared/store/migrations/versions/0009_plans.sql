-- A campaign that changes writes one row, however many are enrolled: what was planned from an older plan is stale.

alter table campaigns
    add column plan       integer not null default 0,
    add column armed_plan integer not null default 0;
create index campaigns_to_arm on campaigns (id) where armed_plan < plan;
comment on column campaigns.plan is 'raised by each change that planned sends do not fit';
comment on column campaigns.armed_plan is 'the newest plan from which, or from newer ones, all who are enrolled were armed';

alter table enrollments add column plan integer not null default 0;
create index enrollments_by_plan on enrollments (campaign_id, plan);
comment on column enrollments.plan is 'of its campaign, from which its sends were planned; none is claimed while that has a newer one';
comment on column enrollments.stale is 'this one''s sends are to be planned anew, whatever its plan; none is claimed before they are';
