"""SNS e-mail: the mailbox that tests read, subscriptions, filter policies."""
