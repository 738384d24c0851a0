-- Contacts whose due date is to move on, in an order without ties: a look ends at one and the next goes on behind it.

create index contacts_due on contacts (advance_at, id) where advance_at is not null;
drop index contacts_to_advance;
