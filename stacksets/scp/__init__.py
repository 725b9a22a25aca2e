"""Whether service control policies let the rollout and the revoker make their calls. Pure.

`evaluator.py` judges as AWS does, and says MAYBE where only AWS can tell.
A new call of the rollout belongs in `required_calls.py`."""
