"""Send what is due: now, or by the sweep every minute. Calls DynamoDB, SNS and CloudWatch.

Begin with `publish.py` for one mail and `sweep.py` for the minute's work.
What a mail says belongs in `mail/`, what is due in `store/`."""
