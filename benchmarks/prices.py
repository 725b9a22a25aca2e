"""AWS's list prices in us-east-1 that our templates meet, each with the page it stands on. No sums.

As of November 2026, in US dollars, without free tiers and discounts. A price changes here by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "November 2026"
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """`amount` dollars for `per` of what `unit` names; `page` is AWS's page that says so."""

    unit: str
    amount: float
    per: float
    page: str

    @property
    def dollars(self) -> float:
        """For one."""
        return self.amount / self.per


INVOCATION = Price("Lambda request", 0.20, MILLION, "AWS Lambda Pricing")
GB_SECOND = Price("Lambda GB-second on arm64", 13.3334, MILLION, "AWS Lambda Pricing")
_TABLES = "Amazon DynamoDB Pricing (on-demand)"
READ = Price("DynamoDB read unit, on demand", 0.125, MILLION, _TABLES)
WRITE = Price(
    "DynamoDB write unit, on demand", 0.625, MILLION, "Amazon DynamoDB Pricing (on-demand)"
)
STORED = Price("DynamoDB GB-month", 0.25, 1, _TABLES)
BACKED_UP = Price("DynamoDB GB-month, recovery", 0.20, 1, _TABLES)
QUEUED = Price("SQS request, standard queue", 0.40, MILLION, "Amazon SQS Pricing")
EVENT = Price("event to another account's bus", 1.00, MILLION, "Amazon EventBridge Pricing")
WAKING = Price("EventBridge Scheduler invocation", 1.00, MILLION, "Amazon EventBridge Pricing")
PUBLISHED = Price("SNS request", 0.50, MILLION, "Amazon SNS Pricing")
MAIL = Price("e-mail", 2.00, 100_000, "Amazon SNS Pricing")
LOGGED = Price("CloudWatch Logs GB taken in", 0.50, 1, "Amazon CloudWatch Pricing")
METRIC = Price("custom metric, a month", 0.30, 1, "Amazon CloudWatch Pricing")
METRIC_CALL = Price("PutMetricData request", 0.01, 1_000, "Amazon CloudWatch Pricing")
ALARM = Price("alarm, a month", 0.10, 1, "Amazon CloudWatch Pricing")
KEY = Price("KMS key, a month", 1.00, 1, "AWS Key Management Service Pricing")
KEY_REQUEST = Price("KMS request", 0.03, 10_000, "AWS Key Management Service Pricing")

PRICES = (
    *(INVOCATION, GB_SECOND, READ, WRITE, STORED, BACKED_UP, QUEUED, EVENT, WAKING),
    *(PUBLISHED, MAIL, LOGGED, METRIC, METRIC_CALL, ALARM, KEY, KEY_REQUEST),
)

# Automated Security Response on AWS, Implementation Guide, "Cost": a month, us-east-1, with the
# findings and remediations that its authors assume there. Another product with another purpose.
PUBLISHED_COSTS = {10: 14.70, 100: 106.40}
