"""Every call of AWS that either Lambda makes fails once in each way, and the process dies at it."""
