"""An AWS Organization in a box: real HTTP and real keys on loopback, for demo and tests."""
