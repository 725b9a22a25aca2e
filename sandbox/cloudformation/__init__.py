"""CloudFormation: resource types, service-managed StackSets, drift, and who may create what.

Begin with `stacksets.py`; resource types stand in `provisioners.py`."""
