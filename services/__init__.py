"""Four services over one database and one broker: api, scheduler, dispatcher, webhooks."""
