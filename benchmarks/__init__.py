"""Scripts that measure this app and its peers side by side in one run."""
