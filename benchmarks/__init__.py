"""Figures that the documents quote: ratios measured side by side in one run."""
