"""Use cases: verbs, one function each. They take a transaction, the account and `now`; they own no wire format."""
