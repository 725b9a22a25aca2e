"""The command prove, in the sandbox: nothing differs, and each planted fault is named."""
